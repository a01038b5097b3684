"""Where a lamp's switches fall in a series of pictures: the camera's time base tied to the host's clock.

The capture time of a picture is the middle of its exposure. A picture exposed while the lamp changed is
partly lit, and its level says when within the exposure; a change between two exposures is bracketed by
them. One joint likelihood over all switches gives offset, drift and exposure. See docs/methods/latency.md.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import least_squares
from scipy.special import ndtr

from bench.camera.capture import FrameTable
from bench.measure.sequence import repeats
from instruments.capability import Flash
from standards.errors import MeasurementRefused

__all__ = ["Edges", "Fit", "Floats", "Series", "fit_lamp", "picture_series"]

Floats = NDArray[np.float64]

_FEWEST_FLASHES = 5
_SEARCH_S = (-0.1, 10.0)  # latencies looked at
_SEARCH_STEP_S = 0.005
_AT_ONCE = 1 << 20  # pictures times latencies that are tried at once: 8 MB
_CLOCK_BOUND = 0.02  # relative; an RTP clock farther off is no 90 kHz clock
_DRIFT_RANGE = 300e-6  # about the drift seen in the arrivals, relative
_OUTLIER = 0.03  # share of switches that a repeated picture may have spoilt
_SCATTER_S = 1e-4 * 2.0 ** np.arange(0, 9.5, 0.5)  # timing scatter of a switch: 0.1 to 51 ms


@dataclass(frozen=True)
class Series:
    """The intact pictures in capture order. camera, arrival: (n,) s, both about their own origins;
    level: (n,) light, nan where unreadable; origin_ns: host time that `arrival` counts from; period: s."""

    camera: Floats
    arrival: Floats
    level: Floats
    origin_ns: int
    period: float


@dataclass(frozen=True)
class Edges:
    """One row a switch of the lamp. light: host time, s; before, after: camera time of the last picture
    surely before it and the first surely after it (infinite where none); partial: camera time of a
    picture in between, nan where none; share: part of that exposure after the switch, 0..1; rising: bool."""

    light: Floats
    before: Floats
    after: Floats
    partial: Floats
    share: Floats
    rising: NDArray[np.bool_]

    @property
    def partials(self) -> int:
        """Switches seen within an exposure."""
        return int(np.isfinite(self.partial).sum())

    @property
    def imbalance(self) -> float:
        """Share by which on or off prevails among the partly lit pictures, 0..1."""
        seen = np.isfinite(self.partial)
        return abs(float(np.where(self.rising, 1.0, -1.0)[seen].sum())) / max(1, int(seen.sum()))


@dataclass(frozen=True)
class Fit:
    """offset: host time of camera time 0, s, with u; exposure, scatter: s; drift: relative."""

    offset: float
    u: float
    exposure: float
    drift: float
    scatter: float


def picture_series(frames: FrameTable, *, by_arrival: bool = False) -> Series:
    """Intact pictures by capture time, about the mean camera time: there offset and drift are independent.

    by_arrival: take the arrival for the camera's time, where the timestamps are of no use. Raises
    MeasurementRefused if the lamp was hardly read, or the timestamps do not advance.
    """
    use = np.flatnonzero(frames.intact)
    if len(use) < 30 or int(np.isfinite(frames.lamp[use]).sum()) < 30:
        raise MeasurementRefused(
            "the lamp was read in fewer than 30 pictures: bring it into view, capture longer"
        )
    level = np.where(repeats(frames), np.nan, frames.lamp)  # a repeat shows an older exposure
    if by_arrival:
        use = use[np.argsort(frames.arrival[use], kind="stable")]
        camera = (frames.arrival[use] - frames.arrival[use[0]]) / 1e9
    else:
        use = use[np.argsort(frames.timestamp[use], kind="stable")]
        camera = (frames.timestamp[use] - frames.timestamp[use[0]]) / frames.clock_rate
    origin = int(frames.arrival[use[0]])
    period = float(np.median(np.diff(camera)))
    if period <= 0:
        raise MeasurementRefused("the RTP timestamps do not advance: the pictures cannot be placed in time")
    return Series(camera - camera.mean(), (frames.arrival[use] - origin) / 1e9, level[use], origin, period)


def fit_lamp(series: Series, flashes: Sequence[Flash], *, delay_s: float) -> tuple[Edges, Fit]:
    """Tie the series to the host's clock by the lamp's switches.

    delay_s: from command to light, seconds. Raises MeasurementRefused if the flashes cannot be told in the
    pictures: fewer than 5 of them, too little contrast, or no single delay that fits.
    """
    light, lit = _switches(flashes, delay_s, series.origin_ns)
    level, noise = _normalise(series.level)
    slope, base = _arrival_line(series)
    late = _coarse(series.camera * (1 + slope), base, level, light, lit)
    edges = _edges(series, level, noise, light, lit, offset=base - late, slope=slope)
    return edges, _fit(edges, noise, series.period, offset=base - late, slope=slope)


def _switches(flashes: Sequence[Flash], delay: float, origin_ns: int) -> tuple[Floats, NDArray[np.bool_]]:
    """Times of light changes in host seconds and what they changed to; commands that change nothing go."""
    ordered = sorted(flashes, key=lambda f: f.sent_ns)
    kept = [f for i, f in enumerate(ordered) if (f.on if i == 0 else f.on != ordered[i - 1].on)]
    if sum(f.on for f in kept) < _FEWEST_FLASHES:
        raise MeasurementRefused(f"{sum(f.on for f in kept)} flashes are too few: {_FEWEST_FLASHES} or more")
    times = np.array([(f.sent_ns - origin_ns) / 1e9 + delay for f in kept])
    return times, np.array([f.on for f in kept])


def _normalise(level: Floats) -> tuple[Floats, float]:
    """Levels on a scale of 0 (dark) to 1 (lit), and their noise (sd) on it. Refuses too little contrast."""
    seen = level[np.isfinite(level)]
    low, high = (float(v) for v in np.percentile(seen, [0.5, 99.5]))
    values = np.clip(seen, low, high)
    for _ in range(20):
        lit = values > (low + high) / 2
        if not lit.any() or lit.all():
            break
        low, high = float(values[~lit].mean()), float(values[lit].mean())
    if not lit.any() or lit.all():
        raise MeasurementRefused("the lamp's window never changes: is the lamp in view and working?")
    dark, full = float(np.median(values[~lit])), float(np.median(values[lit]))
    spread = max(float(np.median(np.abs(values[s] - m))) for s, m in ((~lit, dark), (lit, full)))
    noise = 1.4826 * spread / (full - dark)
    if noise > 1 / 6:
        raise MeasurementRefused(f"contrast of the lamp too small: {1 / noise:.1f} times the noise, 6 needed")
    return (level - dark) / (full - dark), max(noise, 0.002)


def _arrival_line(series: Series) -> tuple[float, float]:
    """Relative drift of host against camera clock as the arrivals show it, and arrival at camera time 0."""
    excess = series.arrival - series.camera
    centre = float(np.median(excess))
    half = max(float(np.abs(series.camera).max()), 1e-6)

    def residual(line: Floats) -> Floats:
        return np.asarray(centre + line[0] + line[1] * series.camera / half - excess)

    line = least_squares(residual, [0.0, 0.0], loss="soft_l1", f_scale=2e-3).x
    slope, base = float(line[1]) / half, centre + float(line[0])
    if abs(slope) > _CLOCK_BOUND:
        raise MeasurementRefused(f"the RTP timestamps run {slope * 100:.1f} % off the pictures' arrival")
    return slope, base


def _coarse(camera: Floats, base: float, level: Floats, light: Floats, lit: NDArray[np.bool_]) -> float:
    """Latency at which the commanded pattern fits the levels best, s. Refuses if another fits as well."""
    seen = np.isfinite(level)
    y = level[seen] - level[seen].mean()
    host = base + camera[seen]
    lit_time = np.concatenate([[0.0], np.cumsum(np.diff(light) * lit[:-1])])
    lates = np.arange(_SEARCH_S[0], _SEARCH_S[1], _SEARCH_STEP_S)
    rows = max(1, _AT_ONCE // len(host))
    score = np.concatenate(
        [_scores(lates[n : n + rows], host, y, light, lit_time) for n in range(0, len(lates), rows)]
    )
    best = int(score.argmax())
    rival = float(score[np.abs(lates - lates[best]) > 0.2].max())
    if score[best] < 0.7:
        raise MeasurementRefused(
            f"the pictures do not follow the lamp (correlation {score[best]:.2f}, 0.7 needed)"
        )
    if rival > 0.85 * score[best]:
        raise MeasurementRefused(
            f"two delays fit the flashes (correlation {score[best]:.2f} and {rival:.2f}): "
            "flash at random intervals"
        )
    return float(lates[best])


def _scores(lates: Floats, host: Floats, y: Floats, light: Floats, lit_time: Floats) -> Floats:
    """Correlation of the levels with the light within two steps of each picture, for latencies one step apart.

    lates: (n,) s; host, y: (pictures,) arrivals, s, and levels less their mean; lit_time: seconds of light until `light`.
    """
    around = lates[0] + _SEARCH_STEP_S * np.arange(-2, len(lates) + 2)
    until = np.interp(host[None, :] - around[:, None], light, lit_time)
    model = until[:-4] - until[4:]
    model -= model.mean(axis=1, keepdims=True)
    power = np.einsum("ij,ij->i", model, model)
    size = np.sqrt(power * float(y @ y))
    return np.asarray(np.divide(model @ y, size, out=np.zeros(len(lates)), where=power > 0))


def _edges(
    series: Series,
    level: Floats,
    noise: float,
    light: Floats,
    lit: NDArray[np.bool_],
    *,
    offset: float,
    slope: float,
) -> Edges:
    """What the pictures around each switch say about its time. Refuses if fewer than 5 flashes are seen."""
    host = offset + series.camera * (1 + slope)
    threshold = _threshold(noise)
    gaps = np.diff(light, prepend=light[0] - 1.0, append=light[-1] + 1.0)
    rows: list[tuple[float, ...]] = []
    seen = 0
    for k, time in enumerate(light):
        start, end = time - 0.75 * min(gaps[k], 1.0), time + 0.75 * min(gaps[k + 1], 1.0)
        near = np.flatnonzero((host > start) & (host < end) & np.isfinite(level))
        after = level[near] if lit[k] else 1.0 - level[near]
        dark, full = near[after <= threshold], near[after >= 1 - threshold]
        if not len(dark) or not len(full) or dark[-1] >= full[0]:
            continue
        between = near[(near > dark[-1]) & (near < full[0])]
        single = len(between) == 1
        share = float(after[near == between[0]][0]) if single else math.nan
        middle = float(series.camera[between[0]]) if single else math.nan
        bracket = float(series.camera[dark[-1]]), float(series.camera[full[0]])
        rows.append((time, *bracket, middle, share, float(lit[k])))
        seen += bool(lit[k])
    if seen < _FEWEST_FLASHES:
        raise MeasurementRefused(
            f"{seen} flashes seen in the pictures are too few: {_FEWEST_FLASHES} or more"
        )
    table = np.array(rows)
    return Edges(table[:, 0], table[:, 1], table[:, 2], table[:, 3], table[:, 4], table[:, 5] > 0)


def _threshold(noise: float) -> float:
    """Levels nearer than this to dark or full count as such: the noise must not make them partial."""
    return min(max(0.04, 4 * noise), 0.4)


def _likelihood(
    edges: Edges,
    noise: float,
    period: float,
    point: Sequence[Floats],
    scatter: Floats,
) -> Floats:
    """Log likelihood of the switches. point: offset, exposure, drift; scatter broadcasts to their shape.

    A partly lit picture is a density about its time; a bracket is the probability to lie inside it
    (interval-censored regression). A share of outliers keeps repeated pictures from pulling.
    """
    o, te, d, s = (v[..., np.newaxis] for v in (*point, scatter))
    edge_inset = (0.5 - _threshold(noise)) * te
    has = np.isfinite(edges.partial)
    light, before, after = edges.light[~has], edges.before[~has], edges.after[~has]
    lower = (o + before * (1 + d) + edge_inset - light) / s
    upper = (o + after * (1 + d) - edge_inset - light) / s
    inside = np.maximum(ndtr(upper) - ndtr(lower), 0.0)
    total: Floats = np.log((1 - _OUTLIER) * inside + _OUTLIER).sum(axis=-1)
    light, partial, share = edges.light[has], edges.partial[has], edges.share[has]
    width = np.sqrt(s**2 + (noise * te) ** 2)
    miss = (o + partial * (1 + d) + (0.5 - share) * te - light) / width
    density = te / width * np.exp(-(miss**2) / 2) / math.sqrt(2 * math.pi)
    total = total + np.log((1 - _OUTLIER) * density + _OUTLIER * te / period).sum(axis=-1)
    return total


def _fit(edges: Edges, noise: float, period: float, *, offset: float, slope: float) -> Fit:
    """Offset, exposure and drift by their joint likelihood on a grid that closes in on its bulk.

    The mean and the spread over the grid hold where brackets make the likelihood flat and least squares
    has no answer. The timing scatter is the likeliest at the best point, for three fitted parameters.
    """
    bounds = np.array(
        [
            [offset - 1.5 * period, offset + 1.5 * period],
            [2e-4, period],
            [slope - _DRIFT_RANGE, slope + _DRIFT_RANGE],
        ]
    )
    lows, highs = bounds[:, 0].copy(), bounds[:, 1].copy()
    scatter = max(period / 4, 1e-3)
    few = math.sqrt(len(edges.light) / (len(edges.light) - 3))
    centre, spread = np.zeros(3), np.zeros(3)
    for _ in range(12):
        axes = [np.linspace(lo, hi, n) for lo, hi, n in zip(lows, highs, (33, 13, 9), strict=True)]
        mesh = np.meshgrid(*axes, indexing="ij")
        log = _likelihood(edges, noise, period, mesh, np.array(scatter))
        weight = np.exp(log - log.max())
        weight /= weight.sum()
        centre = np.array([float((weight * m).sum()) for m in mesh])
        spread = np.array(
            [math.sqrt(float((weight * (m - c) ** 2).sum())) for m, c in zip(mesh, centre, strict=True)]
        )
        best = [np.full(len(_SCATTER_S), m.ravel()[log.argmax()]) for m in mesh]
        likely = float(_SCATTER_S[_likelihood(edges, noise, period, best, _SCATTER_S).argmax()]) * few
        steps = np.array([a[1] - a[0] for a in axes])
        reach = np.maximum(4 * spread, 2 * steps)
        settled = bool((spread[0] > 1.2 * steps[0]) and abs(likely / scatter - 1) < 0.01)
        if settled:
            break
        scatter = likely if likely > scatter else max(likely, scatter / 4)
        lows = np.maximum(bounds[:, 0], centre - reach)
        highs = np.minimum(bounds[:, 1], centre + reach)
    return Fit(float(centre[0]), float(spread[0]), float(centre[1]), float(centre[2]), scatter)
