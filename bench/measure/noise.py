"""Signal-to-noise ratio of a grey chart, in linear light, from a stack of pictures.

SNR at a luminance L is L over the noise referred to the scene: L (dc/dL) / sd(c) = (dc/d ln L) / sd(c), c the code.
No tone curve is assumed: the slope comes from the chart's own steps. Structure of ISO 15739 (incremental gain,
temporal and fixed-pattern noise apart); its clause text was not read by us. docs/methods/noise.md.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bench.measure.chart_view import ChartView
from bench.measure.patch_noise import PatchNoise, patch_noise
from bench.measure.uncertainty import combine, normal, rectangular
from standards.errors import MeasurementRefused
from standards.quantity import Bound, Contribution, Estimate, Kind

__all__ = ["DENSITY_U", "GREY", "Coding", "GreyStep", "grey_steps", "snr"]

_Floats = NDArray[np.float64]
GREY = 0.18  # reflectance that the one figure is stated for
#: Standard uncertainty of a grey step's density where no certificate states it: that of good photographic prints.
DENSITY_U = 0.005
_DB, _NEPERS = 20.0 / math.log(10.0), math.log(10.0)  # decibels a neper; nepers of light a unit of density
_CORE = 0.75  # inner share of a patch: its rim is blurred and ringed
_NEAR, _ORDER = 9, 3  # steps and order of the local polynomial that gives the slope of the tone curve
_AROUND = 5  # steps that the figure at GREY is drawn from
_FARTHEST = 1.5  # nepers from GREY to the farthest of them
_LEAST_SLOPE = 2.0  # codes a neper of light: below, the tone curve is clipped
_LEAST_VARIANCE, _HIDDEN_SD = (
    0.2,
    0.5,
)  # code squared, code: below, rounding hides noise; what would have been seen
_FROZEN = 0.02  # code squared of temporal variance below which successive pictures are copies
_CLIPPED = 0.02  # share of pixels at an end of the codes
_LEAST_STEPS = 5


@dataclass(frozen=True)
class Coding:
    """How the pictures were coded. name: "raw", "mjpeg", "h264" …; rate: bit/s, None if there is none; step: of the
    quantiser of luma, root mean square over a block's coefficients, in codes where the transform is orthonormal, None
    where not known; intra: every picture is coded alone; said: the sentence for the record."""

    name: str
    rate: float | None = None
    step: float | None = None
    intra: bool = False
    said: str = ""

    def keeps(self, sd: float) -> bool:
        """Whether noise of this deviation, code, outlives the coding: steps no larger, in pictures coded alone."""
        return self.name == "raw" or (self.intra and self.step is not None and self.step <= sd)

    @property
    def added(self) -> float:
        """Variance, code squared, that coding adds to noise it keeps: its steps' and one rounding more."""
        return (1.0 + self.step**2) / 12.0 if self.step is not None else 0.0


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


def _derivative(densities: _Floats) -> _Floats:
    """(n, n) what each step's code adds to dcode / d ln L at each step: a cubic through the nine nearest."""
    light = -_NEPERS * densities
    found = np.zeros((len(light), len(light)))
    for i, here in enumerate(light):
        near = np.sort(np.argsort(np.abs(light - here), kind="stable")[:_NEAR])
        x = light[near] - here
        scale = max(float(np.abs(x).max()), 1e-9)
        powers = np.vander(x / scale, min(_ORDER, len(near) - 2) + 1, increasing=True)
        found[i, near] = np.linalg.pinv(powers)[1] / scale
    return found


def _steps(patches: Sequence[PatchNoise], densities: _Floats, density_u: float) -> list[GreyStep]:
    weights = _derivative(densities)
    codes = np.array([p.mean for p in patches])
    slopes = weights @ codes
    # A density that is wrong moves its step's code along the curve.
    errors = np.hypot(slopes * _NEPERS * density_u, np.array([p.u_mean for p in patches]))
    u = np.sqrt((weights**2) @ errors**2)
    return [
        GreyStep(float(d), p, float(s), float(e / abs(s)) if s else math.inf)
        for d, p, s, e in zip(densities, patches, slopes, u, strict=True)
    ]


def grey_steps(
    pictures: Iterable[NDArray[np.uint8]],
    run: Iterable[int],
    view: ChartView,
    *,
    density_u: float = DENSITY_U,
) -> list[GreyStep]:
    """Every grey step of the chart, from light to dark.

    pictures, run: see `patch_noise`, of the size of the view's picture; density_u: standard uncertainty of a density.
    Raises MeasurementRefused if the chart has no grey steps or the pictures do not serve.
    """
    greys = sorted((g for g in view.chart.greys if g.reflectance), key=lambda g: -(g.reflectance or 0.0))
    densities = np.array([-math.log10(g.reflectance or 1.0) for g in greys])
    if len(np.unique(densities)) < max(_LEAST_STEPS, len(densities)):
        raise MeasurementRefused(f"chart {view.chart.name} has no grey steps: use grey, edges or camcert-1")
    boxes = [view.box(grey.inset(_CORE)) for grey in greys]
    return _steps(patch_noise(pictures, run, boxes, shape=view.shape), densities, density_u)


def _around(steps: Sequence[GreyStep], at: float) -> tuple[list[int], _Floats]:
    """Places of the usable steps about a reflectance, and their weights in the value there (a straight line)."""
    x = np.array([-_NEPERS * step.density - math.log(at) for step in steps])
    usable = [i for i, s in enumerate(steps) if s.slope >= _LEAST_SLOPE and s.noise.clipped <= _CLIPPED]
    pick = sorted(sorted(usable, key=lambda i: abs(float(x[i])))[:_AROUND])
    near = x[pick]
    if len(pick) < _AROUND or near.min() > 0 or near.max() < 0 or np.abs(near).max() > _FARTHEST:
        raise MeasurementRefused(
            f"the grey steps about reflectance {at:g} are clipped or do not rise in brightness: "
            "mend light or exposure, show a chart with more of them"
        )
    line = np.stack([np.ones_like(near), near], axis=1)
    return pick, np.asarray(np.linalg.pinv(line)[0])


def _level(near: Sequence[GreyStep], variance: _Floats, weights: _Floats) -> float | None:
    """dB at the reflectance asked for; None where a step shows none of this noise."""
    if variance.min() <= 0:
        return None
    slope = np.array([step.slope for step in near])
    return float(weights @ (_DB * np.log(slope / np.sqrt(variance))))


def _slope_u(steps: Sequence[GreyStep], pick: list[int], weights: _Floats, density_u: float) -> float:
    """Standard uncertainty, dB, by densities and mean codes: they act on neighbouring slopes together."""
    share = _derivative(np.array([step.density for step in steps]))[pick]
    slope = np.array([step.slope for step in steps])
    through = (weights / slope[pick]) @ share
    errors = np.hypot(slope * _NEPERS * density_u, np.array([step.noise.u_mean for step in steps]))
    return float(_DB * np.sqrt(np.sum((through * errors) ** 2)))


def _budget(near: Sequence[GreyStep], weights: _Floats, added: float, slope_u: float) -> list[Contribution]:
    total = np.maximum(np.array([step.noise.total for step in near]), 1e-12)
    factor = _DB / 2 * float(np.sqrt(weights @ weights))

    def relative(values: Sequence[float]) -> float:
        return factor * float(np.sqrt(np.mean((np.asarray(values) / total) ** 2)))

    scatter = relative([step.noise.u_total for step in near])
    rounding = relative([step.noise.rounding / math.sqrt(2) for step in near])
    budget = [
        normal("scatter within the patches", scatter, 15.0 * len(near), "16 pieces of each of 5 patches"),
        normal("densities and mean codes of the steps", slope_u, source="certificate, or a good print"),
        normal("rounding beyond 1/12 code squared", rounding, source="worst place between two codes"),
        rectangular("slope of the tone curve", 0.05, "cubic through 9 steps, known curves"),
        rectangular("noise uneven over the picture", 0.14, "240 drawn cameras"),
    ]
    if added:
        db = _DB / 2 * math.log1p(added / float(np.mean(total)))
        budget.append(rectangular("noise of the quantiser", max(0.1, db / 2), "half of what is taken off"))
    return budget


def _details(steps: Sequence[GreyStep], coding: Coding) -> dict[str, object]:
    def told(step: GreyStep) -> dict[str, float | None]:
        noise = step.noise
        found = {
            "density": step.density, "code": noise.mean, "slope_code_a_neper": step.slope, "drift_code": noise.drift,
            "sd_code": math.sqrt(noise.total), "sd_temporal_code": math.sqrt(noise.temporal),
            "sd_fixed_code": math.sqrt(noise.fixed),
        }  # fmt: skip
        for name, variance in (("snr_db", noise.total), ("snr_temporal_db", noise.temporal)):
            ratio = step.ratio(variance)
            found[name] = 20 * math.log10(ratio) if 0 < ratio < math.inf else math.nan
        return {name: round(v, 4) if math.isfinite(v) else None for name, v in found.items()}

    return {
        "codec": coding.name, "bit_rate": coding.rate, "quantiser_step": coding.step, "stream": coding.said,
        "pictures": steps[0].noise.pictures, "steps": [told(step) for step in steps],
    }  # fmt: skip


def snr(
    steps: Sequence[GreyStep], coding: Coding, *, at: float = GREY, density_u: float = DENSITY_U
) -> Estimate:
    """SNR at a reflectance, dB, temporal and fixed-pattern noise together, from the five steps about it.

    steps: from light to dark, of the `density_u` they were made with. Quantity picture.snr of raw pictures, and of such
    that were coded alone with steps no larger than the noise; picture.snr_encoded of others: coding replaces the
    camera's noise by its own. Where rounding hides the noise the value is a lower bound, with the noise that would have
    been seen. Raises MeasurementRefused if the steps about it are clipped or missing.
    """
    pick, weights = _around(steps, at)
    near = [steps[i] for i in pick]
    totals = np.array([step.noise.total for step in near])
    least = float(totals.min())
    proper, hidden = coding.keeps(math.sqrt(least)), least < _LEAST_VARIANCE
    if proper and not hidden and min(step.noise.temporal for step in near) < _FROZEN:
        raise MeasurementRefused(
            "successive pictures are copies of each other: no temporal noise can be told"
        )
    added = coding.added if proper and not hidden else 0.0
    value = _level(near, np.maximum(totals - added, _HIDDEN_SD**2 if hidden else least / 4), weights)
    assert value is not None  # the floor is positive
    slope_u = _slope_u(steps, pick, weights, density_u)
    budget = () if hidden else tuple(_budget(near, weights, added, slope_u))
    u, dof = combine(budget) if budget else (None, None)
    notes = [f"at reflectance {at:g}, linear light, temporal and fixed noise; {coding.said or coding.name}"]
    if not proper:
        notes.append("after lossy coding: the noise of the decoded picture, not the camera's own")
    return Estimate(
        quantity="picture.snr" if proper else "picture.snr_encoded", kind=Kind.RATIO, value=value, unit="dB",
        u=u, dof=dof, budget=budget,
        bound=Bound.LOWER if hidden else None,
        bound_reason="the noise is less than rounding to whole codes lets be seen" if hidden else "",
        details={
            **_details(steps, coding),
            "temporal_db": _level(near, np.array([s.noise.temporal - added for s in near]), weights),
            "fixed_db": _level(near, np.array([s.noise.fixed for s in near]), weights),
        },
        notes=tuple(notes),
    )  # fmt: skip
