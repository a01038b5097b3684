"""Fall-off of light towards the picture's corners, from the even paper of a chart (docs/methods/fall_off.md).

The fall-off and the tone curve are found together (shading.py); here they become a figure with its uncertainty.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from bench.measure.chart_view import ChartView, copies_of
from bench.measure.noise import DENSITY_U
from bench.measure.shading import Shading, paper_places
from bench.measure.uncertainty import combine, normal
from standards.errors import MeasurementRefused
from standards.quantity import Contribution, Estimate, Kind

__all__ = ["LIGHT_U", "corner_illumination"]

_Floats = NDArray[np.float64]
#: Relative standard uncertainty of the light's evenness over the chart where no certificate tells it.
LIGHT_U = 0.01
_FEWEST, _LEAST_REACH = 24, 0.7  # places; half diagonals that they have to reach
_TONE_U = 0.15  # of the fall-off: tone curve and fall-off are told apart by the same steps
_PHASES = 24  # of whole codes against the light
_METHOD_U = 0.002  # of the light in the middle: texture of the codec on plain paper, glare


def corner_illumination(
    pictures: Sequence[NDArray[np.uint8]],
    view: ChartView,
    *,
    light_u: float = LIGHT_U,
    density_u: float = DENSITY_U,
) -> Estimate:
    """`picture.corner_illumination`: light in the picture's corner over that in its middle, %.

    pictures: (rows, columns) luma, one a GOP; light_u: relative standard uncertainty of the light's evenness; density_u:
    standard uncertainty of each grey step's density. Raises MeasurementRefused without grey steps, where too little paper
    is seen, or where it does not reach far enough.
    """
    fitting = [picture for picture in pictures if picture.shape == view.shape]
    if not fitting:
        raise MeasurementRefused("no intact picture of the chart's size: the fall-off needs at least one")
    shading, tone = view.shading(fitting), view.tone(fitting)
    squares, light, code = _paper(fitting, view, tone.table)
    reach = math.sqrt(float(squares.max(initial=0.0)))
    if len(squares) < _FEWEST or reach < _LEAST_REACH:
        raise MeasurementRefused(
            f"plain paper is seen at {len(squares)} places and {100 * reach:.0f} % of the way to the corner: "
            "let the chart fill the picture"
        )
    value = float(shading.at(np.array([1.0]))[0])
    parts = [
        _scatter(squares, light / shading.at(squares)),
        normal("beyond the paper", abs(shading.b) * (1 - min(reach, 1.0) ** 2) ** 2 / math.sqrt(3),
               source="a third term as large as the second is not excluded"),
        normal("tone curve and fall-off told apart", _TONE_U * 0.1 * abs(1 - value), source="docs/methods/fall_off.md"),
        normal("tone curve and nominal reflectances", _certified_u(fitting, view, density_u, value),
               source="certificate, or taken for likely"),
        normal("whole codes of the paper", _whole_codes(shading, squares, tone.table, code),
               source="the curve rounded to codes and fitted again"),
        normal("method", _METHOD_U, source="docs/methods/fall_off.md"),
        normal("evenness of the light", light_u * value, source="certificate, or taken for likely"),
    ]  # fmt: skip
    parts = [part.model_copy(update={"u": 100 * part.u}) for part in parts]
    u, dof = combine(parts)
    radii = np.linspace(0, 1, 11)
    details = {
        "a": round(shading.a, 5), "b": round(shading.b, 5), "places": len(squares), "reach": round(reach, 3),
        "radius": radii.round(1).tolist(), "light": (100 * shading.at(radii**2)).round(2).tolist(),
    }  # fmt: skip
    return Estimate(
        quantity="picture.corner_illumination", kind=Kind.RATIO, value=100 * value, unit="%", u=u, dof=dof,
        budget=tuple(part for part in parts if part.u > 0), details=details,
    )  # fmt: skip


def _certified_u(
    pictures: Sequence[NDArray[np.uint8]], view: ChartView, density_u: float, value: float
) -> float:
    """Of the corner's share of light by the densities of the grey steps: tone curve and fall-off are found together anew
    with each step off by its own uncertainty, one after the other (JCGM 100:2008, 5.1.3, note 2). value: with none off.

    Copies of a step err independently; off together by the uncertainty of their mean they cost one evaluation.
    """
    if density_u <= 0:
        return 0.0
    greys = view.chart.greys
    step = copies_of([grey.reflectance or 0.0 for grey in greys])
    square = 0.0
    for number in np.unique(step):
        of = step == number
        off = 10 ** (-density_u / math.sqrt(np.count_nonzero(of)))
        moved = tuple(
            replace(grey, reflectance=(grey.reflectance or 0.0) * off) if its else grey
            for grey, its in zip(greys, of, strict=True)
        )
        other = replace(view, chart=replace(view.chart, greys=moved))
        try:
            square += (float(other.shading(pictures).at(np.array([1.0]))[0]) - value) ** 2
        except MeasurementRefused:
            continue
    return math.sqrt(square)


def _whole_codes(shading: Shading, squares: _Floats, table: NDArray[np.float32], code: float) -> float:
    """Of the fitted share at the corner, as a codec leaves even paper in whole codes: the fitted curve is rounded to codes
    at the paper's places, over every phase of code and light, and fitted again. A fall-off of less than a code may vanish,
    or become one. code: of the paper in the middle."""
    codes, light = np.arange(256.0), table.astype(np.float64)
    design = np.column_stack([np.ones_like(squares), squares, squares**2])
    found = []
    for phase in (np.arange(_PHASES) + 0.5) / _PHASES:
        level = float(np.interp(code + phase, codes, light))
        seen = np.rint(np.interp(level * shading.at(squares), light, codes))
        of = np.interp(seen, codes, light)
        middle, a, b = np.linalg.lstsq(design, of, rcond=None)[0]
        found.append(1 + (a + b) / middle - float(shading.at(np.array([1.0]))[0]))
    return float(np.sqrt(np.mean(np.square(found))))


def _paper(
    pictures: Sequence[NDArray[np.uint8]], view: ChartView, table: NDArray[np.float32]
) -> tuple[_Floats, _Floats, float]:
    """Squares of the radius, light over its median, and median code, of the places with nothing but paper."""
    places = view.map.to_picture(paper_places(view.chart.name))
    rows, columns = view.shape
    places = places[((places > 3) & (places < (columns - 4, rows - 4))).all(1)]
    near = np.rint(places).astype(int)
    codes = [np.mean([p[y - 2 : y + 3, x - 2 : x + 3].mean() for p in pictures]) for x, y in near]
    light = np.interp(codes, np.arange(256.0), table.astype(np.float64))
    if not len(light):
        return view.square_radius(places), light, 0.0
    return view.square_radius(places), light / max(float(np.median(light)), 1e-9), float(np.median(codes))


def _scatter(squares: _Floats, rest: _Floats) -> Contribution:
    """Of the fitted share at the corner, by what the fit leaves; neighbours on paper share coding blocks."""
    design = np.column_stack([np.ones_like(squares), squares, squares**2])
    left = rest - design @ np.linalg.lstsq(design, rest, rcond=None)[0]
    sd = 1.4826 * float(np.median(np.abs(left - np.median(left))))
    covariance = np.linalg.pinv(design.T @ design) * sd**2
    to_corner = np.array([0.0, 1.0, 1.0])
    u = 1.5 * math.sqrt(float(to_corner @ covariance @ to_corner))
    return Contribution(
        name="scatter of the paper", u=u, dof=float(len(squares) - 3), method="A", source="this capture"
    )
