"""Edge-based spatial frequency response of one slanted edge, without bins.

The method is the "robust" one of docs/methods/resolution.md: a spline through all pixels along the edge's
normal, its derivative in a window as wide as the edge needs, a Fourier sum, noise power taken off.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from bench.measure.edge_diagonal import direction, fit_diagonal
from bench.measure.edge_line import Line, find_line, refine, tukey
from bench.measure.spline import Spline
from standards.errors import MeasurementRefused

__all__ = ["FREQUENCIES", "EdgeSfr", "Normalisation", "edge_sfr"]

_Floats = NDArray[np.float64]
Normalisation = Literal["local", "wide"]

#: Frequencies of every response, cycles a pixel.
FREQUENCIES: _Floats = np.arange(0.0, 1.0001, 0.005)
_WIDENED = {0.5: (1.17, 8.0), 0.1: (1.03, 5.0)}
_GRID = 0.125  # pixels between samples of the line spread function
_LEAST_HALF_WIDTH, _WIDTHS, _FLAT = 3.0, 4.0, 0.6
_WIDER, _WIDENINGS = 1.6, 2
_LEAST_STEP_TO_NOISE = 3.0
_ANGLES_REFUSED, _ANGLES_GOOD = (1.0, 40.0), (1.95, 15.05)  # degrees
_DIAGONAL_FROM, _DIAGONAL_GOOD = 27.0, 29.9  # degrees to the nearer of rows and columns
_DIAGONAL_LEAST_DB = 28.0  # below, a small rectangle was seen to scatter 1.6 times as stated
_LEAST_SIZE = 16
_LONGEST = 1024  # samples of the longest line spread function: 64 pixels either side
_MOST_REACH = _LONGEST * _GRID / 2


@cache
def _waves() -> tuple[_Floats, _Floats]:
    """Cosine and sine of every frequency over the grid, (frequencies, samples) times the grid's step."""
    phase = 2 * np.pi * np.outer(FREQUENCIES, np.arange(_LONGEST) * _GRID)
    return np.cos(phase) * _GRID, -np.sin(phase) * _GRID


@dataclass(frozen=True)
class EdgeSfr:
    """Response of one edge, in linear light, along its normal.

    frequency, sfr, sfr_u: cycles a pixel, response, its standard uncertainty by noise. mtf50, mtf10:
    frequency of the first fall to 50 % and 10 %, nan if that lies beyond 1 cycle a pixel; _u: standard
    uncertainty by noise. angle_deg: of the edge to the pixel grid; step: in the light of the rectangle;
    snr_db: step to noise; order: of the edge's polynomial; half_width: of the window, pixels;
    nyquist_limited: the 10 % lies beyond 0.5 cycles a pixel. flags: what makes the result doubtful, in
    words; empty is good.
    """

    frequency: _Floats
    sfr: _Floats
    sfr_u: _Floats
    mtf50: float
    mtf50_u: float
    mtf10: float
    mtf10_u: float
    angle_deg: float
    step: float
    snr_db: float
    order: int
    half_width: float
    normalisation: Normalisation
    nyquist_limited: bool
    flags: tuple[str, ...]


@dataclass(frozen=True)
class _Response:
    """One evaluation at one window: response, noise power of it, crossing of 50 % and its sd, step."""

    sfr: _Floats
    noise: _Floats
    mtf50: float
    mtf50_u: float
    step: float


@dataclass(frozen=True)
class _LineSpread:
    """Line spread function on the grid, about its centre; noise: variance of a pixel; density: pixels a
    pixel of distance; reach: widest half-width of a window."""

    x: _Floats
    values: _Floats
    noise: float
    density: float
    reach: float

    def spectrum(self, window: _Floats) -> NDArray[np.complex128]:
        """Fourier sum of the windowed function at FREQUENCIES, up to the phase that the grid's origin gives."""
        inside = np.flatnonzero(window)
        part = slice(int(inside[0]), int(inside[-1]) + 1)
        cosine, sine = _waves()
        shown = self.values[part] * window[part]
        # Not a matrix product: a threaded one costs more than it saves at this size.
        real = np.einsum("fx,x->f", cosine[:, part], shown)
        return np.asarray(real + 1j * np.einsum("fx,x->f", sine[:, part], shown))


def _upright(roi: _Floats) -> _Floats:
    """Turn and mirror so that the edge is near vertical with dark on the left."""
    across = abs(float(roi[:, -3:].mean() - roi[:, :3].mean()))
    along = abs(float(roi[-3:, :].mean() - roi[:3, :].mean()))
    if across < along:
        roi = roi.T
    if roi[:, -5:].mean() < roi[:, :5].mean():
        roi = roi[:, ::-1]
    return np.ascontiguousarray(roi)


def _check(roi: _Floats) -> None:
    """Refuse what holds no edge. roi: upright."""
    if min(roi.shape) < _LEAST_SIZE or not np.isfinite(roi).all():
        raise MeasurementRefused(
            f"an edge needs a rectangle of at least {_LEAST_SIZE} x {_LEAST_SIZE} finite pixels, "
            f"this one has {roi.shape[1]} x {roi.shape[0]}: let the chart fill the picture"
        )
    margin = max(3, roi.shape[1] // 10)
    left, right = roi[:, :margin], roi[:, -margin:]
    step = float(np.median(right) - np.median(left))
    noise = math.sqrt((float(left.var()) + float(right.var())) / 2)
    if step <= _LEAST_STEP_TO_NOISE * noise or step <= 0:
        raise MeasurementRefused(
            f"no edge: the step of {step:.3g} is not {_LEAST_STEP_TO_NOISE:g} times the noise of {noise:.3g}"
        )


def _line_spread(profile: Spline, distance: _Floats, noise: float) -> _LineSpread:
    """The derivative of the profile on the grid, shifted to its centroid."""
    half = profile.half
    x = np.arange(-half + 1, half - 1, _GRID)
    values = profile.derivative(x)
    centre = float(x[np.argmax(np.convolve(values, np.ones(9) / 9, "same"))])
    for window in (8.0, 6.0):
        weighted = tukey(np.abs(x - centre) / window, 0.5) * values
        centre = float((weighted * x).sum() / weighted.sum())
    x = x - centre
    band = min(5.0, half)
    density = np.count_nonzero(np.abs(distance) < band) / (2 * band)
    return _LineSpread(x, values, noise, density, max(half - 1 - abs(centre), 3.0))


def _crossing(sfr: _Floats, level: float) -> float:
    """First frequency where the response falls below a level; nan if it never does."""
    below = np.flatnonzero(sfr[1:] < level)
    if len(below) == 0:
        return math.nan
    k = int(below[0]) + 1
    share = (sfr[k - 1] - level) / (sfr[k - 1] - sfr[k])
    return float(FREQUENCIES[k - 1] + share * (FREQUENCIES[k] - FREQUENCIES[k - 1]))


def _crossing_u(sfr: _Floats, noise: _Floats, crossing: float) -> float:
    """Standard uncertainty of a crossing: that of the response over its slope there."""
    if math.isnan(crossing):
        return math.nan
    k = int(np.searchsorted(FREQUENCIES, crossing))
    near = slice(max(k - 3, 0), k + 3)
    slope = np.polyfit(FREQUENCIES[near], sfr[near], 1)[0]
    power = float(np.interp(crossing, FREQUENCIES, noise))
    return math.sqrt(power / 2) / max(abs(float(slope)), 1e-6)


def _stated_u(response: _Response, level: float) -> float:
    """Standard uncertainty of a crossing: the noise's, widened by what a linear reckoning leaves out.

    Level -> factor, and growth with the noise of the response over the level: the window follows a width
    that is read from the same noise, and a first fall is no linear function of it (3,000 drawn edges,
    docs/methods/edge_sfr.md).
    """
    factor, growth = _WIDENED[level]
    crossing = _crossing(response.sfr, level)
    if math.isnan(crossing):
        return math.nan
    noise = math.sqrt(float(np.interp(crossing, FREQUENCIES, response.noise)) / 2)
    widened = factor * math.hypot(1.0, growth * noise / level)
    return widened * _crossing_u(response.sfr, response.noise, crossing)


def _evaluate(spread: _LineSpread, half_width: float, normalisation: Normalisation) -> _Response:
    """Response through one window. Noise power: (2 pi f)^2 s^2 / (n D^2) times the window's square.

    "local" takes the step from the window itself; "wide" from a Hann window over the whole rectangle,
    blended in below one cycle a window, which keeps veiling glare in (the meaning of ISO 12233).
    """
    window = tukey(np.abs(spread.x) / half_width, _FLAT)
    sums = spread.spectrum(window)
    step = float(sums[0].real)
    if normalisation == "wide":
        whole = spread.spectrum(tukey(np.abs(spread.x) / spread.reach, 0.0))
        step = float(whole[0].real)
        blend = np.clip(FREQUENCIES * half_width - 0.5, 0.0, 1.0)
        sums = blend * sums + (1 - blend) * whole
    spectrum = (2 * np.pi * FREQUENCIES) ** 2 * spread.noise / spread.density
    noise = spectrum * float((window * window).sum() * _GRID) / step**2
    sfr = np.sqrt(np.maximum(np.abs(sums) ** 2 / step**2 - noise, 0.0))
    mtf50 = _crossing(sfr, 0.5)
    return _Response(sfr, noise, mtf50, _crossing_u(sfr, noise, mtf50), step)


def _reached(x: _Floats, level: _Floats, share: float) -> float:
    """Where a rising profile first passes a share of its step, between samples."""
    k = max(int(np.argmax(level > share)), 1)
    return float(x[k - 1] + (x[k] - x[k - 1]) * (share - level[k - 1]) / (level[k] - level[k - 1]))


def _edge_width(profile: Spline, spread: _LineSpread) -> float:
    """Standard deviation, pixels, of a Gaussian edge with the same rise from 10 % to 90 %."""
    x = np.arange(-profile.half + 1, profile.half - 1, _GRID)
    values = profile(x)
    ends = max(4, len(x) // 8)
    low, high = float(values[:ends].mean()), float(values[-ends:].mean())
    level = (values - low) / (high - low)
    rise = _reached(x, level, 0.9) - _reached(x, level, 0.1)
    return min(max(rise / 2.563, 0.3), spread.reach)


def _respond(profile: Spline, spread: _LineSpread, normalisation: Normalisation) -> tuple[_Response, float]:
    """The response through the narrowest window that a wider one does not contradict; its half-width."""
    width = _edge_width(profile, spread)
    half_width = min(max(_LEAST_HALF_WIDTH, _WIDTHS * width + 1), spread.reach)
    response = _evaluate(spread, half_width, normalisation)
    for _ in range(_WIDENINGS):
        wider = min(half_width * _WIDER, spread.reach)
        if wider < 1.15 * half_width:
            break
        candidate = _evaluate(spread, wider, normalisation)
        added = math.sqrt(max(candidate.mtf50_u**2 - response.mtf50_u**2, 0.0))
        change = abs(candidate.mtf50 - response.mtf50)
        if change <= 3 * added + 5e-4 * response.mtf50:
            break
        half_width, response = wider, candidate
    return response, half_width


def _rough(differences: Sequence[_Floats], noise: float, snr_db: float) -> list[str]:
    """What makes any edge doubtful. differences: of neighbours on either side, where light is even."""
    found = [f"step to noise {snr_db:.0f} dB"] if snr_db < 25 else []
    quiet = math.sqrt(float(np.mean(np.concatenate(differences) ** 2)) / 2)
    if quiet > 0 and math.sqrt(noise) > 3 * quiet and snr_db < 40:
        found.append("residuals three times the noise: something lies across the edge")
    return found


@dataclass(frozen=True)
class _Profiled:
    """An edge's profile and what it was taken from. values, distance: (pixels,); doubts: of its direction; rough:
    differences of neighbours on its even sides."""

    values: _Floats
    distance: _Floats
    profile: Spline
    line: Line
    angle_deg: float
    doubts: tuple[str, ...]
    rough: tuple[_Floats, ...]


def _upright_edge(roi: _Floats) -> _Profiled:
    """An edge near the rows or columns."""
    upright = _upright(roi)
    _check(upright)
    line = find_line(upright)
    angle = math.degrees(math.atan(abs(line.slope)))
    if not _ANGLES_REFUSED[0] <= angle <= _ANGLES_REFUSED[1]:
        raise MeasurementRefused(f"edge at {angle:.1f} degrees to the pixel grid: turn the chart to 2 to 15")
    y = np.arange(upright.shape[0]) - (upright.shape[0] - 1) / 2
    at = line.at(y)
    room = min(float(at.min()), upright.shape[1] - 1 - float(at.max()))
    reach = min(_MOST_REACH, max(6.0, room * math.cos(math.atan(line.slope))))
    line, profile, distance = refine(upright, line, reach)
    angle = math.degrees(math.atan(abs(line.slope)))
    doubts = []
    if not _ANGLES_GOOD[0] <= angle <= _ANGLES_GOOD[1]:
        doubts.append(f"edge at {angle:.1f} degrees: good between 2 and 15, or 30 and 60")
    if upright.shape[0] * abs(line.slope) < 4:
        doubts.append("edge crosses fewer than 4 columns of pixels")
    margin = max(3, upright.shape[1] // 10)
    rough = tuple(np.diff(side, axis=0).ravel() for side in (upright[:, :margin], upright[:, -margin:]))
    return _Profiled(upright.ravel(), distance, profile, line, angle, tuple(doubts), rough)


def _diagonal_edge(roi: _Floats, normal: float) -> _Profiled:
    """An edge at 30 to 60 degrees to the rows."""
    found = fit_diagonal(roi, normal, _MOST_REACH)
    doubts = [] if found.angle_deg >= _DIAGONAL_GOOD else [
        f"edge at {found.angle_deg:.1f} degrees: good between 2 and 15, or 30 and 60"
    ]  # fmt: skip
    far = np.abs(found.distance).reshape(roi.shape) > 0.6 * found.profile.half
    rough = np.diff(roi, axis=0)[far[1:] & far[:-1]]
    return _Profiled(
        found.values, found.distance, found.profile, found.line, found.angle_deg, tuple(doubts), (rough,)
    )


def _profiled(roi: _Floats) -> _Profiled:
    """The edge, whichever way it runs."""
    if roi.ndim == 2 and min(roi.shape) >= _LEAST_SIZE and np.isfinite(roi).all():
        normal = direction(roi)
        folded = abs(math.degrees(normal))
        if min(folded, 90 - folded) > _DIAGONAL_FROM:
            return _diagonal_edge(roi, normal)
    return _upright_edge(roi)


def edge_sfr(roi: NDArray[np.floating], *, normalisation: Normalisation = "local") -> EdgeSfr:
    """Edge-based spatial frequency response of one slanted edge.

    roi: (rows, columns) linear light, any scale, one edge 2 to 15 or 30 to 60 degrees off the rows or columns.
    Raises MeasurementRefused if there is no edge, one at less than 1 degree, or in a direction in which the pixels'
    distances repeat (45 degrees). Source: e-SFR of ISO 12233 with the differences listed in docs/methods/resolution.md.
    """
    edge = _profiled(np.asarray(roi, dtype=np.float64))
    profile, distance = edge.profile, edge.distance
    inner = np.abs(distance) < profile.half - 0.5
    noise = float((edge.values[inner] - profile(distance[inner])).var())
    spread = _line_spread(profile, distance, noise)
    response, half_width = _respond(profile, spread, normalisation)
    snr_db = 20 * math.log10(abs(response.step) / max(math.sqrt(noise), 1e-9))
    if edge.angle_deg > _DIAGONAL_FROM and snr_db < _DIAGONAL_LEAST_DB:
        raise MeasurementRefused(
            f"a diagonal edge needs a step {_DIAGONAL_LEAST_DB:g} dB above the noise, not {snr_db:.0f}: more light"
        )
    mtf10 = _crossing(response.sfr, 0.1)
    return EdgeSfr(
        frequency=FREQUENCIES,
        sfr=response.sfr,
        sfr_u=np.sqrt(response.noise / 2),
        mtf50=response.mtf50,
        mtf50_u=_stated_u(response, 0.5),
        mtf10=mtf10,
        mtf10_u=_stated_u(response, 0.1),
        angle_deg=edge.angle_deg,
        step=abs(response.step),
        snr_db=snr_db,
        order=edge.line.order,
        half_width=half_width,
        normalisation=normalisation,
        nyquist_limited=math.isnan(mtf10) or mtf10 > 0.5,
        flags=(*edge.doubts, *_rough(edge.rough, noise, snr_db)),
    )
