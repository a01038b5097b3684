"""A slanted edge far from the pixel grid's directions: the axis is turned, the pixels stay where they are.

Distance along the normal is all that the response needs, and it is known at every angle. Rows and columns are of no help
here: the direction comes from the gradients' tensor, the place from the best division into dark and bright, and both are
then moved as those of an upright edge are. docs/methods/edge_sfr.md.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bench.measure.edge_line import KNOT_PITCH, Line, fit_edge
from bench.measure.spline import Spline
from standards.errors import MeasurementRefused

__all__ = ["Diagonal", "direction", "fit_diagonal"]

_Floats = NDArray[np.float64]
_GAP_BAND = 3.0  # pixels either side of the edge in which no knot of the profile may be empty
_LEAST_SIDE, _LEAST_STEP_TO_NOISE = 0.15, 3.0
_LEAST_REACH = 6.0
_REACH = 0.8  # of the farthest pixel's distance: beyond, a corner holds too few


@dataclass(frozen=True)
class Diagonal:
    """An edge found. values: (pixels,) light; distance: along the normal, bright positive; angle_deg: 0 to 45, to the nearer
    of rows and columns."""

    values: _Floats
    distance: _Floats
    profile: Spline
    line: Line
    angle_deg: float


def direction(roi: _Floats) -> float:
    """Angle, radians in -pi/2 to pi/2, of the edge's normal to the rows: main axis of the gradients' tensor.

    roi: (rows, columns). Noise has no direction, so that it moves nothing on average.
    """
    # Means over 5 x 5 pixels first: a difference of neighbours is mostly noise.
    rows, columns = roi.shape
    soft = np.asarray(sum(roi[i : rows - 4 + i] for i in range(5))) / 5
    soft = np.asarray(sum(soft[:, j : columns - 4 + j] for j in range(5))) / 5
    down, across = np.gradient(soft)
    return 0.5 * math.atan2(
        2 * float((across * down).sum()), float((across**2).sum()) - float((down**2).sum())
    )


def _divided(place: _Floats, values: _Floats) -> tuple[float, float]:
    """Where along the normal the pixels are best divided in two, and the second's mean less the first's.

    Raises MeasurementRefused where the two do not differ by three times the noise.
    """
    order = np.argsort(place)
    ordered, count = values[order], len(values)
    number = np.arange(1, count)
    before = np.cumsum(ordered)[:-1] / number
    after = (ordered.sum() - before * number) / (count - number)
    between = number * (count - number) * (after - before) ** 2
    inner = slice(int(_LEAST_SIDE * count), int((1 - _LEAST_SIDE) * count))
    best = inner.start + int(np.argmax(between[inner]))
    quarter = max(int(_LEAST_SIDE * count) // 2, 1)
    sides = ordered[:quarter], ordered[-quarter:]
    step = float(np.median(sides[1]) - np.median(sides[0]))
    noise = math.sqrt((float(sides[0].var()) + float(sides[1].var())) / 2)
    if abs(step) <= _LEAST_STEP_TO_NOISE * noise or step == 0:
        raise MeasurementRefused(
            f"no edge: the step of {abs(step):.3g} is not {_LEAST_STEP_TO_NOISE:g} times the noise of {noise:.3g}"
        )
    return float(place[order[best]]), step


def fit_diagonal(roi: _Floats, normal: float, longest: float) -> Diagonal:
    """The edge of a rectangle whose normal stands at about this angle, radians, to the rows.

    roi: (rows, columns) linear light; longest: reach of the profile that is of use, pixels. Raises MeasurementRefused if
    there is no edge, if it lies too near a corner, or if its direction is one in which the pixels' distances repeat.
    """
    rows, columns = roi.shape
    values = roi.ravel()
    y, x = (a.ravel() for a in np.mgrid[0:rows, 0:columns].astype(np.float64))
    x, y = x - (columns - 1) / 2, y - (rows - 1) / 2
    at, step = _divided(x * math.cos(normal) + y * math.sin(normal), values)
    if step < 0:
        normal, at = normal + math.pi, -at
    across, along = (
        x * math.cos(normal) + y * math.sin(normal),
        y * math.cos(normal) - x * math.sin(normal),
    )
    on_edge = np.abs(across - at) < 1
    reach = float(np.abs(along[on_edge]).max())
    half = _REACH * min(float(across.max()) - at, at - float(across.min()))
    if half < _LEAST_REACH:
        raise MeasurementRefused("the edge lies too near the rectangle's corner: centre the rectangle on it")
    u = np.clip(along / reach, -1.5, 1.5)

    def measure(line: Line) -> _Floats:
        """Distance of every pixel."""
        place = u * line.reach
        return np.asarray((across - line.at(place)) / np.hypot(1.0, line.slope_at(place)))

    half = min(longest, half)
    straight, _, _ = fit_edge(values, u, measure, Line(np.array([at, 0.0]), reach), half)
    bowed = Line(np.append(straight.coefficients, 0.0), reach)
    line, profile, distance = fit_edge(values, u, measure, bowed, half)
    near = np.sort(distance[np.abs(distance) < _GAP_BAND])
    if len(near) < 2 or float(np.diff(near).max()) > KNOT_PITCH:
        raise MeasurementRefused(
            "in this direction the pixels' distances from the edge repeat and leave gaps: "
            "turn the chart by 2 degrees, or take a larger rectangle"
        )
    turned = abs(math.degrees(normal - math.atan(line.slope))) % 90
    return Diagonal(values, distance, profile, line, min(turned, 90 - turned))
