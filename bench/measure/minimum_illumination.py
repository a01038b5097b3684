"""Minimum illumination: the illuminance at which white and black of the chart differ by 30 % of the full signal.

The criterion is the one that secondary sources give of IEC 62676-5; its clause text was not read by us
(docs/methods/minimum_illumination.md). The light is stepped down; between the two steps either side of 30 % the
signal is taken as straight over the logarithm of the illuminance.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bench.measure.chart_view import ChartView
from bench.measure.uncertainty import combine
from standards.errors import MeasurementRefused
from standards.quantity import Bound, Contribution, Estimate, Kind

__all__ = ["CRITERION", "Level", "contrast", "minimum_illumination", "search"]

#: Share of the full signal (219 codes of 8 bits) between white and black.
CRITERION = 0.30
_FULL = 219.0
_NARROW = 1.12  # ratio of the illuminances either side, at which the search ends
_STEP_DOWN, _MOST_STEPS, _LEAST_LUX = 2.5, 18, 0.02
_CORE = 0.6


@dataclass(frozen=True)
class Level:
    """One step. illuminance and its standard uncertainty, lux; difference: white less black, share of the full signal;
    difference_u: its standard uncertainty by scatter."""

    illuminance: float
    u: float
    difference: float
    difference_u: float


def contrast(pictures: Sequence[NDArray[np.uint8]], view: ChartView) -> tuple[float, float]:
    """White less black of the chart's lightest and darkest grey step, share of the full signal, and its scatter.

    pictures: (rows, columns) luma of one step of light. Raises MeasurementRefused without grey steps or pictures.
    """
    greys = sorted((g for g in view.chart.greys if g.reflectance), key=lambda g: g.reflectance or 0.0)
    fitting = [p for p in pictures if p.shape == view.shape]
    if len(greys) < 2 or not fitting:
        raise MeasurementRefused("white and black need a chart with grey steps, and a whole picture of it")
    black, white = (view.box(grey.inset(_CORE)) for grey in (greys[0], greys[-1]))
    each = [(float(p[white].mean()) - float(p[black].mean())) / _FULL for p in fitting]
    spread = float(np.std(each, ddof=1)) if len(each) > 1 else 0.0
    pixels = min(fitting[0][box].size for box in (white, black))
    own = math.sqrt(float(fitting[0][white].var() + fitting[0][black].var()) / pixels) / _FULL
    return float(np.mean(each)), math.hypot(spread / math.sqrt(len(each)), own)


def search(look: Callable[[str, float], Level], start: float) -> list[Level]:
    """Step the light down from `start` lux until the difference is below 30 %, then halve the gap until it is narrow.

    look: sets the light, reads it, and measures; called with a name of the step and the nominal illuminance, lux.
    """
    levels: list[Level] = []
    high: float | None = None
    low: float | None = None
    lux = start
    for number in range(_MOST_STEPS):
        level = look(f"{number:02d}", lux)
        levels.append(level)
        if level.difference >= CRITERION:
            high = lux
        else:
            low = lux
        if high is not None and low is not None:
            if high / low <= _NARROW:
                break
            lux = math.sqrt(high * low)
        elif high is not None:
            lux = high / _STEP_DOWN
            if lux < _LEAST_LUX:
                break
        else:
            break  # not even the light it began with is enough
    return levels


def minimum_illumination(levels: Sequence[Level], *, exposure: str) -> Estimate:
    """Illuminance at 30 %, lux.

    levels: steps of light, in any order. exposure: what the camera told of shutter and gain, for the record. A camera that
    keeps 30 % down to the darkest step has at most that: an upper bound. Raises MeasurementRefused if the brightest step
    is below 30 %, or brightness does not follow the light.
    """
    ordered = sorted(levels, key=lambda level: level.illuminance)
    above = [level for level in ordered if level.difference >= CRITERION]
    below = [level for level in ordered if level.difference < CRITERION]
    if not above:
        raise MeasurementRefused(
            "white and black differ by less than 30 % in the brightest light: more light, focus"
        )
    notes = (f"exposure as the camera tells it: {exposure}",)
    high = above[0]
    darker = [level for level in below if level.illuminance < high.illuminance]
    if not darker:
        return Estimate(
            quantity="picture.minimum_illumination", kind=Kind.RATIO, value=high.illuminance, unit="lx", u=high.u,
            bound=Bound.UPPER, bound_reason="still 30 % in the darkest step", notes=notes, details=_told(ordered),
        )  # fmt: skip
    low = darker[-1]
    if any(level.illuminance > high.illuminance for level in below):
        raise MeasurementRefused(
            "the picture does not grow darker step by step: let the exposure settle, fix the chart"
        )
    value, budget = _between(low, high)
    u, dof = combine(budget)
    return Estimate(
        quantity="picture.minimum_illumination", kind=Kind.RATIO, value=value, unit="lx", u=u, dof=dof, budget=budget,
        notes=notes, details=_told(ordered),
    )  # fmt: skip


def _between(low: Level, high: Level) -> tuple[float, tuple[Contribution, ...]]:
    """Where the straight line between two steps, over the logarithm of the illuminance, has 30 %; and its budget."""
    rise = high.difference - low.difference
    gap = math.log(high.illuminance / low.illuminance)
    slope = rise / gap
    value = low.illuminance * math.exp((CRITERION - low.difference) / slope)
    meter = max(high.u / high.illuminance, low.u / low.illuminance)
    scatter = math.hypot(high.difference_u, low.difference_u)
    page = "docs/methods/minimum_illumination.md"
    return value, (
        Contribution(name="lux meter: certificate and scatter", u=value * meter, source="certificate"),
        Contribution(
            name="scatter of the signal", u=value * scatter / slope, dof=8.0, method="A", source="captures"
        ),
        # Across so narrow a gap the curve bends by less than a twentieth of it.
        Contribution(name="straight line between two steps", u=value * gap / 20 / math.sqrt(3), source=page),
        Contribution(name="codes are whole", u=value * 0.5 / _FULL / slope / math.sqrt(3), source="8 bits"),
    )


def _told(levels: Sequence[Level]) -> dict[str, list[float]]:
    return {
        "illuminance_lx": [round(level.illuminance, 5) for level in levels],
        "difference": [round(level.difference, 5) for level in levels],
    }
