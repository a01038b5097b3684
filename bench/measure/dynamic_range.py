"""Dynamic range of the picture: from the luminance that saturates it down to the one whose temporal noise equals it.

The idea is that of ISO 15739 (its clause text was not read by us). A chart's steps reach only so far; several captures at
known illuminances and one exposure reach further. docs/methods/dynamic_range.md.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import nnls

from bench.measure.noise import DENSITY_U, GreyStep
from bench.measure.uncertainty import combine
from standards.errors import MeasurementRefused
from standards.quantity import Bound, Contribution, Estimate, Kind

__all__ = ["LitSteps", "dynamic_range"]

_Floats = NDArray[np.float64]

_TO_DB = 20 / math.log(10)
_CLIPPED = 0.05  # share of a patch's pixels on the highest code that is seen
_FLAT = 0.5  # codes a neper below which the picture does not follow the light any more
_SMALLEST_SD = 0.15  # codes of temporal noise that 8 bits still show
_LEAST_LOG_RATIO, _REACHED = (
    math.log(2.0),
    math.log(5.0),
)  # used from; the noise floor counts as reached below
_LEAST_FITTED = 4
_APART = 0.2  # neper between steps that the tone curve's growth is told from
_SATURATION_U = 0.5  # codes that the saturated level is known within
_ROUNDED = 0.15  # of the noise's deviation: the corner of saturation is rounded by noise
_FREE = 4.0  # deviations of noise that a step lies below the highest code, so that none of its noise is cut off there
#: Relative standard uncertainty of the light at either end by the fall-off of light over the chart and by the model.
_METHOD_U = (0.012, 0.017)  # saturation, noise floor: 0.10 and 0.15 dB; drawn cameras, seeds from 100000


@dataclass(frozen=True)
class LitSteps:
    """Grey steps captured at one illuminance, lux, its relative standard uncertainty, and one exposure for all."""

    illuminance: float
    illuminance_u: float
    steps: Sequence[GreyStep]


@dataclass(frozen=True)
class _Point:
    """log_light: natural logarithm of illuminance times reflectance; light_u: its standard uncertainty but for what all
    steps of a chart share."""

    log_light: float
    step: GreyStep
    light_u: float

    @property
    def log_ratio(self) -> float:
        """Logarithm of the temporal signal-to-noise ratio."""
        return math.log(max(self.step.ratio(self.step.noise.temporal), 1e-6))


def _points(series: Sequence[LitSteps]) -> list[_Point]:
    found = [
        _Point(
            math.log(lit.illuminance) - step.density * math.log(10), step,
            lit.illuminance_u if len(series) > 1 else 0.0,
        )
        for lit in series
        for step in lit.steps
    ]  # fmt: skip
    return sorted(found, key=lambda p: p.log_light)


def _saturation(points: Sequence[_Point], density_u: float) -> tuple[float, float] | None:
    """Logarithm of the luminance that saturates and its standard uncertainty; None if nothing is saturated."""
    top = max(p.step.noise.mean for p in points)
    level = [p for p in points if p.step.noise.mean > top - 1.0]
    if len(level) < 2 or level[-1].log_light - level[0].log_light < 0.1:
        return None
    below = [p for p in points if p.step.noise.mean <= top - 2.0 and p.step.slope > _FLAT]
    if not below:
        return None
    apart = [below[-1]]
    for point in reversed(below[:-1]):
        if apart[-1].log_light - point.log_light >= _APART:
            apart.append(point)
    if len(apart) < 3:
        return None
    x = np.array([p.log_light for p in apart[2::-1]])
    code = np.array([p.step.noise.mean for p in apart[2::-1]])
    early, late = (float(s) for s in np.diff(code) / np.maximum(np.diff(x), 1e-6))
    if min(early, late) <= _FLAT:
        return None
    # A power law grows by a constant share a neper, and so does its slope.
    growth = math.log(late / early) / ((x[2] - x[0]) / 2)
    slope = late * math.exp(growth * (x[2] - x[1]) / 2)
    missing = top - code[2]
    share = growth * missing / slope
    reach = missing / slope if abs(share) < 1e-6 or share <= -1 else math.log1p(share) / growth
    last = below[-1]
    room = max(level[0].log_light - last.log_light, 0.0)
    at = min(reach, room)
    # The curve bends between the last free step and the first saturated one: a tenth of the way there.
    rounded = _ROUNDED * math.sqrt(last.step.noise.temporal)
    u = math.hypot(_SATURATION_U / slope, rounded / slope, 0.1 * max(room, at) / math.sqrt(3), _METHOD_U[0])
    return last.log_light + at, math.hypot(u, last.light_u, density_u * math.log(10))


def _noise_floor(points: Sequence[_Point]) -> tuple[float, float] | None:
    """Logarithm of the luminance where the temporal ratio is 1 and its standard uncertainty; None if not reached.

    Near black the picture cuts off the lower half of its noise, near white the upper, so the ratio itself is false there.
    The noise of the light, squared, is a constant (read noise) and a share of the light (shot noise): both are fitted,
    each step by its own scatter, where the ratio is above 2 and no noise is cut off, and the luminance solved for.
    """
    top = max(p.step.noise.mean for p in points)
    rising = [
        p for p in points
        if p.step.noise.temporal >= _SMALLEST_SD**2 and p.step.slope > _FLAT and p.log_ratio > _LEAST_LOG_RATIO
        and p.step.noise.mean + _FREE * math.sqrt(p.step.noise.temporal) < top
    ]  # fmt: skip
    if len(rising) < _LEAST_FITTED or min(p.log_ratio for p in rising) > _REACHED:
        return None
    light = np.exp(np.array([p.log_light for p in rising]))
    noise = light * np.exp(-np.array([p.log_ratio for p in rising]))
    degrees = np.array([max(p.step.noise.temporal_dof, 1.0) for p in rising])
    slopes = np.array([p.step.slope_u for p in rising])
    (constant, share), spread = _fitted(light, noise**2, np.sqrt(2 / degrees + (2 * slopes) ** 2))
    root = math.sqrt(share**2 + 4 * constant)
    at = (share + root) / 2
    if at <= 0:
        return None
    turn = np.array([1 / root, (1 + share / root) / 2])
    u = math.sqrt(max(float(turn @ spread @ turn), 0.0)) / at
    return math.log(at), math.hypot(u, rising[0].light_u, _METHOD_U[1])


def _fitted(light: _Floats, squares: _Floats, relative_u: _Floats) -> tuple[tuple[float, float], _Floats]:
    """Constant and share of the light, neither below nought, of squares of noise; and their covariance (2, 2), widened
    where the scatter about the model is larger than stated. relative_u: of each square."""
    scale = np.array([float(light.min()) ** 2, float(light.min())])
    basis = np.column_stack([np.ones(len(light)), light]) * scale / (squares * relative_u)[:, None]
    found, left = nnls(basis, 1 / relative_u)
    free = found > 0
    spread = np.zeros((2, 2))
    spread[np.ix_(free, free)] = np.linalg.pinv(basis[:, free].T @ basis[:, free])
    widened = max(left**2 / max(len(light) - 2, 1), 1.0)
    constant, share = (found * scale).tolist()
    return (constant, share), np.asarray(spread * np.outer(scale, scale) * widened)


def dynamic_range(series: Sequence[LitSteps], *, stream: str, density_u: float = DENSITY_U) -> Estimate:
    """Dynamic range in dB, 20 log10 of the ratio of luminances.

    series: grey steps at one or several illuminances, the exposure the same for all; density_u: standard uncertainty of a
    step's density. Where saturation or the noise floor
    is not reached, the value is a lower bound: what was reached. Raises MeasurementRefused if no step stands out of the
    noise. Source: ISO 15739 (idea; text not read).
    """
    points = _points(series)
    useful = [p for p in points if p.step.slope > _FLAT and p.step.noise.mean > 0]
    if len(useful) < 5:
        raise MeasurementRefused("fewer than five grey steps show in the picture: change light or exposure")
    high, low = _saturation(points, density_u), _noise_floor(points)
    top = high or (useful[-1].log_light, 0.0)
    shown = [p for p in useful if p.log_ratio >= 0]
    if not shown:
        raise MeasurementRefused("no grey step stands out of the noise: more light")
    bottom = low or (shown[0].log_light, 0.0)
    budget = (
        Contribution(name="luminance that saturates", u=_TO_DB * top[1], source="grey steps round it"),
        Contribution(name="luminance of the noise floor", u=_TO_DB * bottom[1], source="grey steps round it"),
    )
    u, dof = combine(budget)
    missing = [name for name, end in (("saturation", high), ("noise floor", low)) if end is None]
    reason = f"{' and '.join(missing)} not reached by the steps" if missing else ""
    return Estimate(
        quantity="picture.dynamic_range", kind=Kind.RATIO, value=_TO_DB * (top[0] - bottom[0]), unit="dB",
        u=u, dof=dof, budget=tuple(c for c in budget if c.u > 0),
        bound=Bound.LOWER if missing else None, bound_reason=reason,
        details={"captures": len(series), "steps": len(points), "stream": stream},
        notes=(f"stream: {stream}",),
    )  # fmt: skip
