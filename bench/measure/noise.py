"""Noise of even patches in a stack of pictures: temporal and fixed, in codes and as a signal-to-noise ratio.

The structure is that of ISO 15739 (total, temporal and fixed-pattern noise; signal by the slope of the OECF). Its clause
text was not read by us; docs/methods/noise.md says what is done.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from bench.measure.chart_view import ChartView
from bench.measure.uncertainty import combine
from fixtures.charts import Region
from standards.errors import MeasurementRefused
from standards.quantity import Contribution, Estimate, Kind

__all__ = ["DENSITY_U", "GreyStep", "PatchNoise", "grey_steps", "patch_noise", "snr"]

_Floats = NDArray[np.float64]
_QUANTISATION = 1.0 / 12.0  # code^2
_CORE = 0.7  # inner share of a patch
_LEAST_PIXELS, _LEAST_PICTURES = 100, 3
_CLIPPED = 0.02  # share of pixels at an end of the codes
_ENDS = (0, 255)
_LAGS = 6  # pixels over which noise may hang together
_NEIGHBOURS = 2  # steps either side that the slope of the tone curve is fitted over
#: Standard uncertainty of a grey step's density where no certificate states it: that of good photographic prints.
DENSITY_U = 0.005
_REFERENCE = 0.18  # reflectance that the ratio is stated for
_SMALLEST_SD = 0.15  # codes: below, quantisation hides the noise
_FROZEN = 0.02  # code^2 of temporal variance below which successive pictures are copies


@dataclass(frozen=True)
class PatchNoise:
    """mean: codes; temporal, fixed: variances, code^2, quantisation taken off; temporal_dof, fixed_dof: how many
    independent values stand behind each; clipped: share of its pixels at an end of the codes."""

    mean: float
    temporal: float
    fixed: float
    temporal_dof: float
    fixed_dof: float
    pixels: int
    clipped: float

    @property
    def total(self) -> float:
        """Variance of one pixel of one picture about the patch, code^2."""
        return self.temporal + self.fixed


@dataclass(frozen=True)
class GreyStep:
    """One grey step: density, its noise, and slope: codes a neper of light (dcode / d ln L) there; slope_u: relative."""

    density: float
    noise: PatchNoise
    slope: float
    slope_u: float

    def ratio(self, variance: float) -> float:
        """Signal to noise: L g / sd, with g the slope of the tone curve. inf without noise."""
        return self.slope / math.sqrt(variance) if variance > 0 else math.inf


def _without_plane(patch: _Floats) -> tuple[_Floats, int]:
    """The patch without its best plane, and how many degrees of freedom that took."""
    rows, columns = patch.shape
    y, x = np.mgrid[0:rows, 0:columns]
    basis = np.column_stack([np.ones(patch.size), x.ravel() - x.mean(), y.ravel() - y.mean()])
    solved = np.linalg.lstsq(basis, patch.ravel(), rcond=None)[0]
    return np.asarray(patch - (basis @ solved).reshape(patch.shape)), 3


def _hangs_together(residual: _Floats) -> float:
    """How many pixels count as one for a variance: sum of squared correlations over lags up to 6 pixels.

    residual: (n, rows, columns) of mean 0.
    """
    n, rows, columns = residual.shape
    shape = (2 * rows, 2 * columns)
    power = (np.abs(np.fft.rfft2(residual, s=shape)) ** 2).mean(0)
    correlation = np.fft.irfft2(power, s=shape)
    counts = np.fft.irfft2(np.abs(np.fft.rfft2(np.ones((rows, columns)), s=shape)) ** 2, s=shape)
    reach_y, reach_x = min(_LAGS, rows // 2), min(_LAGS, columns // 2)
    dy, dx = np.arange(-reach_y, reach_y + 1), np.arange(-reach_x, reach_x + 1)
    near = np.ix_(dy % shape[0], dx % shape[1])
    local = correlation[near] / np.maximum(counts[near], 1)
    top = local[reach_y, reach_x]
    if top <= 0:
        return 1.0
    squares = (local / top) ** 2
    # What chance alone puts into so many lags is no correlation.
    chance = (squares.size - 1) / (n * rows * columns)
    return max(1.0, float(squares.sum() - chance))


def patch_noise(stack: NDArray[np.uint8], run: NDArray[np.int64], box: tuple[slice, slice]) -> PatchNoise:
    """Noise of one even patch. stack: (n, rows, columns) codes; run: (n,) which run of successive pictures each is of.

    The temporal part is the variance from picture to picture within a run, each picture freed of its plane, so that
    neither flicker nor a change of light counts. The fixed part is the variance of the mean picture over the runs, freed
    of its plane and of the temporal part left in it. 1/12 code^2 is taken off the temporal part.
    Raises MeasurementRefused for a patch of fewer than 100 pixels, or fewer than 3 pictures.
    """
    patch = stack[:, box[0], box[1]].astype(np.float64)
    n, rows, columns = patch.shape
    if rows * columns < _LEAST_PIXELS or min(rows, columns) < 4:
        raise MeasurementRefused(
            f"a patch of {columns} x {rows} pixels is too small for its noise: fill the picture"
        )
    if n < _LEAST_PICTURES:
        raise MeasurementRefused(
            f"noise needs {_LEAST_PICTURES} successive pictures, there are {n}: capture longer"
        )
    clipped = float(np.mean((patch == _ENDS[0]) | (patch == _ENDS[1])))
    flat = patch - patch.mean((1, 2), keepdims=True)
    temporal, degrees, parts = 0.0, 0, []
    for number in np.unique(run):
        of = flat[run == number]
        if len(of) < 2:
            continue
        left = of - of.mean(0)
        temporal += float((left**2).sum())
        degrees += (len(of) - 1) * (rows * columns - 1)
        parts.append(left)
    if degrees == 0:
        raise MeasurementRefused("no two pictures of the stack follow each other: capture longer")
    raw = temporal / degrees
    apart = _hangs_together(np.concatenate(parts))
    mean, taken = _without_plane(flat.mean(0))
    spread = float((mean**2).sum()) / (mean.size - taken)
    fixed = spread - raw / n
    return PatchNoise(
        mean=float(patch.mean()),
        temporal=max(raw - _QUANTISATION, 0.0),
        fixed=max(fixed, 0.0),
        temporal_dof=degrees / apart,
        fixed_dof=(mean.size - taken) / _hangs_together(mean[None]),
        pixels=mean.size,
        clipped=clipped,
    )


def _slopes(densities: _Floats, codes: _Floats, density_u: float) -> list[tuple[float, float]]:
    """dcode / d ln L at every step and its relative uncertainty, by a local parabola over neighbouring steps."""
    found = []
    for i in range(len(codes)):
        near = slice(max(0, i - _NEIGHBOURS), i + _NEIGHBOURS + 1)
        light = -(densities[near] - densities[i]) * math.log(10.0)
        basis = np.column_stack([np.ones(len(light)), light, light**2])
        solver = np.linalg.pinv(basis)
        slope = float(solver[1] @ codes[near])
        # An error of a density moves its point along the light's axis by ln 10 of it, so its code by slope times that.
        u = abs(slope) * math.log(10.0) * density_u * float(np.sqrt((solver[1] ** 2).sum()))
        left = codes[near] - basis @ (solver @ codes[near])
        spread = math.sqrt(float((left**2).sum()) / max(len(light) - 3, 1))
        u = math.hypot(u, spread * float(np.sqrt((solver[1] ** 2).sum())))
        found.append((slope, u / abs(slope) if slope else math.inf))
    return found


def grey_steps(
    stack: NDArray[np.uint8], run: NDArray[np.int64], view: ChartView, *, density_u: float = DENSITY_U
) -> list[GreyStep]:
    """Every grey step of the chart, from light to dark. density_u: standard uncertainty of a density.

    Raises MeasurementRefused if the chart has no grey steps, or one is too small.
    """
    greys: Sequence[Region] = [g for g in view.chart.greys if g.reflectance]
    if len(greys) < 5:
        raise MeasurementRefused(f"chart {view.chart.name} has no grey steps: use grey, edges or camcert-1")
    if stack.shape[1:] != view.shape:
        raise MeasurementRefused("the stack's pictures are not of the size the chart was found in: run again")
    greys = sorted(greys, key=lambda grey: -(grey.reflectance or 0.0))
    noises = [patch_noise(stack, run, view.box(grey.inset(_CORE))) for grey in greys]
    densities = np.array([-math.log10(grey.reflectance or 1.0) for grey in greys])
    slopes = _slopes(densities, np.array([n.mean for n in noises]), density_u)
    return [GreyStep(float(d), n, s, u) for d, n, (s, u) in zip(densities, noises, slopes, strict=True)]


def _between(steps: Sequence[GreyStep], density: float) -> tuple[GreyStep, GreyStep, float]:
    """The two steps round a density and how far it lies from the first to the second, 0 to 1."""
    for a, b in pairwise(steps):
        if a.density <= density <= b.density:
            return a, b, (density - a.density) / (b.density - a.density)
    raise MeasurementRefused("no two grey steps lie either side of a reflectance of 18 %: use chart grey")


def snr(steps: Sequence[GreyStep], *, stream: str, intra: bool) -> Estimate:
    """Signal-to-noise ratio at a reflectance of 18 %, dB: 20 log10 of L g / sd, temporal and fixed noise together.

    steps: from light to dark. stream: codec, size and rate, which the figure means nothing without. intra: every picture
    is coded alone ("picture.snr"); else "picture.snr_encoded", a quantity of its own, since prediction copies noise
    from picture to picture and leaves it out. Raises MeasurementRefused where the patch is clipped, still or too even.
    Source: ISO 15739 (structure; text not read).
    """
    a, b, share = _between(steps, -math.log10(_REFERENCE))
    if max(a.noise.clipped, b.noise.clipped) > _CLIPPED:
        raise MeasurementRefused("the grey at 18 % is clipped: change light or exposure")
    if min(a.slope, b.slope) <= 0:
        raise MeasurementRefused("the grey steps at 18 % do not rise in brightness: light the chart evenly")
    if min(a.noise.total, b.noise.total) < _SMALLEST_SD**2:
        raise MeasurementRefused(
            f"the noise is below {_SMALLEST_SD} codes: 8 bits are too coarse for it; give the camera less light"
        )
    if intra and max(a.noise.temporal, b.noise.temporal) < _FROZEN:
        raise MeasurementRefused(
            "successive pictures are copies of each other: no temporal noise can be told"
        )
    decibels = [20 * math.log10(step.ratio(step.noise.total)) for step in (a, b)]
    value = decibels[0] + share * (decibels[1] - decibels[0])
    to_db = 20 / math.log(10)
    degrees = sum(_total_dof(s.noise) for s in (a, b))
    least = min(a.noise.total, b.noise.total)
    budget = (
        Contribution(
            name="scatter of the noise itself", u=to_db / math.sqrt(2 * degrees), dof=degrees, method="A",
            source="this stack",
        ),
        Contribution(name="slope of the tone curve", u=to_db * max(a.slope_u, b.slope_u), source="densities of the chart"),
        # Quantisation is uniform only where noise spreads over codes: what the correction can be wrong by.
        Contribution(name="quantisation", u=to_db * 0.5 * 0.1 * _QUANTISATION / least, source="docs/methods/noise.md"),
    )  # fmt: skip
    u, dof = combine(budget)
    quantity = "picture.snr" if intra else "picture.snr_encoded"
    notes = [f"stream: {stream}", "at a reflectance of 18 %, temporal and fixed noise together"]
    if not intra:
        notes.append(
            "after prediction between pictures: not comparable with the ratio of the camera's own picture"
        )
    return Estimate(
        quantity=quantity, kind=Kind.RATIO, value=value, unit="dB", u=u, dof=dof, budget=budget,
        details={"stream": stream, "steps": [_told(step) for step in steps]}, notes=tuple(notes),
    )  # fmt: skip


def _total_dof(noise: PatchNoise) -> float:
    """Degrees of freedom of the sum of both variances (Welch-Satterthwaite)."""
    parts = noise.temporal**2 / max(noise.temporal_dof, 1) + noise.fixed**2 / max(noise.fixed_dof, 1)
    return noise.total**2 / parts if parts > 0 else max(noise.temporal_dof, 1)


def _told(step: GreyStep) -> dict[str, float | None]:
    temporal, total = step.ratio(step.noise.temporal), step.ratio(step.noise.total)
    positive = step.slope > 0
    return {
        "density": round(step.density, 4),
        "code": round(step.noise.mean, 3),
        "temporal_sd_code": round(math.sqrt(step.noise.temporal), 4),
        "fixed_sd_code": round(math.sqrt(step.noise.fixed), 4),
        "codes_per_neper": round(step.slope, 3),
        "temporal_snr_db": round(20 * math.log10(temporal), 3)
        if positive and math.isfinite(temporal)
        else None,
        "snr_db": round(20 * math.log10(total), 3) if positive and math.isfinite(total) else None,
    }
