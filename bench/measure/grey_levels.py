"""Grey steps that can be told from their neighbours, counted on a chart.

The texts that ask for a number of them (GB 50198, GB 50395) were not read by us, and what was seen of them does not say
when two steps are told apart. Our reading: their mean codes differ by one code at least and by one standard deviation of
a pixel's noise, the larger of both steps'. docs/methods/grey_levels.md.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise

from bench.measure.noise import GreyStep
from standards.errors import MeasurementRefused
from standards.quantity import Estimate, Kind

__all__ = ["grey_levels"]

_LEAST_CODES = 1.0
_K = 1.96
_LEAST_STEPS = 2


def _margin(a: GreyStep, b: GreyStep) -> tuple[float, float]:
    """How far the difference of two steps lies over what tells them apart, codes, and its standard uncertainty."""
    louder = max(a.noise, b.noise, key=lambda noise: noise.total)
    sd = math.sqrt(louder.total)
    limit = max(_LEAST_CODES, sd)
    u_limit = louder.u_total / (2 * sd) if sd > _LEAST_CODES else 0.0
    means = math.hypot(a.noise.u_mean, b.noise.u_mean)
    return a.noise.mean - b.noise.mean - limit, math.hypot(means, u_limit)


def grey_levels(steps: Sequence[GreyStep], *, stream: str) -> Estimate:
    """Number of grey levels: one more than neighbours told apart.

    steps: of known density, from light to dark. The interval counts pairs that may fall on either side of what tells
    them apart (95 % each). Raises MeasurementRefused for fewer than two steps, or if none is told from another.
    """
    if len(steps) < _LEAST_STEPS:
        raise MeasurementRefused(f"{len(steps)} grey step(s) in view: show a chart with more of them")
    margins = [_margin(a, b) for a, b in pairwise(steps)]
    told = [margin >= 0 for margin, _ in margins]
    if not any(told):
        raise MeasurementRefused("no grey step can be told from its neighbour: mend light or exposure")
    sure = sum(margin - _K * u >= 0 for margin, u in margins)
    perhaps = sum(margin + _K * u >= 0 for margin, u in margins)
    span = steps[-1].density - steps[0].density
    return Estimate(
        quantity="picture.grey_levels",
        kind=Kind.COUNT,
        value=float(1 + sum(told)),
        unit="1",
        interval=(1.0 + sure, 1.0 + perhaps),
        details={
            "steps": len(steps),
            "density": [round(step.density, 4) for step in steps],
            "code": [round(step.noise.mean, 3) for step in steps],
            "margin_code": [round(margin, 3) for margin, _ in margins],
            "told_apart": told,
        },
        notes=(
            f"of {len(steps)} steps over density {span:.2f}; apart: by one code and by the noise of a pixel (our reading)",
            f"stream: {stream}",
        ),
    )
