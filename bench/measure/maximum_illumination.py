"""Maximum illumination: the highest illuminance at which the two lightest grey steps of the chart are still told apart.

No text that we read or know of defines it; the definition is ours (docs/methods/maximum_illumination.md). The light is
stepped up until the steps run together in white, then the gap is halved until it is narrow.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bench.measure.chart_view import ChartView, copies_of
from bench.measure.uncertainty import combine, normal, rectangular
from standards.errors import MeasurementRefused
from standards.quantity import Bound, Estimate, Kind

__all__ = ["White", "apart", "maximum_illumination", "search"]

_LEAST_CODES = 1.0  # as for grey levels
_STEP, _NARROW, _MOST_STEPS, _CORE = 2.5, 1.03, 24, 0.6


@dataclass(frozen=True)
class White:
    """One step of light. illuminance and its standard uncertainty, lux; margin: by how many codes the two lightest steps
    differ more than tells them apart; margin_u: its standard uncertainty by scatter; code: of the lightest step."""

    illuminance: float
    u: float
    margin: float
    margin_u: float
    code: float


def apart(pictures: Sequence[NDArray[np.uint8]], view: ChartView) -> tuple[float, float, float]:
    """Margin of the two lightest grey steps, its standard uncertainty, and the code of the lightest.

    pictures: (rows, columns) luma of one step of light. Apart: their mean codes differ by one code at least and by the
    standard deviation of a pixel in the noisier of both. Raises MeasurementRefused without such steps or pictures.
    """
    greys = sorted((g for g in view.chart.greys if g.reflectance), key=lambda g: -(g.reflectance or 0.0))
    fitting = [p for p in pictures if p.shape == view.shape]
    step = copies_of([grey.reflectance or 0.0 for grey in greys]) if greys else np.zeros(0, np.int64)
    other = [grey for grey, number in zip(greys, step, strict=True) if number < step.max()]
    if not other or not fitting:
        raise MeasurementRefused(
            "two light grey steps need a chart with grey steps, and a whole picture of it"
        )
    first, second = (view.box(grey.inset(_CORE)) for grey in (greys[0], other[0]))
    steps = [float(p[first].mean()) - float(p[second].mean()) for p in fitting]
    sd = float(np.mean([max(float(p[first].std()), float(p[second].std())) for p in fitting]))
    pixels = min(fitting[0][box].size for box in (first, second))
    between = float(np.std(steps, ddof=1)) / math.sqrt(len(steps)) if len(steps) > 1 else 0.0
    u = math.hypot(between, sd * math.sqrt(2 / pixels))
    return (
        float(np.mean(steps)) - max(_LEAST_CODES, sd),
        u,
        float(np.mean([p[first].mean() for p in fitting])),
    )


def search(look: Callable[[str, float], White | None], start: float) -> list[White]:
    """Step the light up from `start` lux until the white steps run together, then halve the gap until it is narrow.

    look: sets the light, reads it, and measures; called with a name of the step and the nominal illuminance, lux; None where
    the light box does not give so much.
    """
    whites: list[White] = []
    low, high, beyond = 0.0, math.inf, math.inf  # told apart; run together; more than the box gives
    lux = start
    for number in range(_MOST_STEPS):
        found = look(f"{number:02d}", lux)
        if found is None:
            beyond = lux
        else:
            whites.append(found)
            low, high = (lux, high) if found.margin >= 0 else (low, lux)
        if low == 0.0 or min(high, beyond) / low <= _NARROW:
            break
        lux = math.sqrt(low * min(high, beyond)) if min(high, beyond) < math.inf else low * _STEP
    return whites


def maximum_illumination(whites: Sequence[White], *, exposure: str) -> Estimate:
    """`picture.maximum_illumination`, lux: between the last step told apart and the first that is not.

    whites: steps of light, in any order. exposure: what the camera told of shutter and gain, for the record. A camera that
    tells them apart in the brightest light there is has at least that: a lower bound. Raises MeasurementRefused if they
    run together in the least light, or at less light than that in which they are told apart.
    """
    ordered = sorted(whites, key=lambda white: white.illuminance)
    told = [white for white in ordered if white.margin >= 0]
    lost = [white for white in ordered if white.margin < 0]
    if not told:
        raise MeasurementRefused(
            "the two lightest grey steps run together in the light it begins with: less light, mend the exposure"
        )
    details = {
        "illuminance_lx": [round(white.illuminance, 4) for white in ordered],
        "margin_code": [round(white.margin, 3) for white in ordered],
        "lightest_code": [round(white.code, 2) for white in ordered],
    }
    low = told[-1]
    notes = (
        "no published definition is known: two lightest grey steps told apart",
        f"exposure as the camera tells it: {exposure}",
    )
    if not lost:
        return Estimate(
            quantity="picture.maximum_illumination", kind=Kind.RATIO, value=low.illuminance, unit="lx", u=low.u,
            bound=Bound.LOWER, bound_reason="still told apart in the brightest step", notes=notes, details=details,
        )  # fmt: skip
    high = lost[0]
    if high.illuminance <= low.illuminance:
        raise MeasurementRefused(
            "white runs together at less light than that in which it is told apart: let the exposure settle"
        )
    value = math.sqrt(low.illuminance * high.illuminance)
    gap = math.log(high.illuminance / low.illuminance)
    slope = max((low.margin - high.margin) / gap, 1e-6)
    budget = (
        normal("lux meter: certificate and scatter", value * max(low.u / low.illuminance, high.u / high.illuminance),
               source="certificate"),
        rectangular("width of the step", value * gap / 2, "this search"),
        normal("scatter of the signal", value * min(math.hypot(low.margin_u, high.margin_u) / slope, gap), dof=8.0,
               source="captures"),
    )  # fmt: skip
    u, dof = combine(budget)
    return Estimate(
        quantity="picture.maximum_illumination", kind=Kind.RATIO, value=value, unit="lx", u=u, dof=dof, budget=budget,
        notes=notes, details=details,
    )  # fmt: skip
