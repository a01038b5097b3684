"""Fall-off of light towards the picture's corners, from the even paper of a chart (docs/methods/fall_off.md).

The fall-off and the tone curve are found together (shading.py); here they become a figure with its uncertainty.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from bench.measure.chart_view import ChartView
from bench.measure.noise import DENSITY_U
from bench.measure.shading import paper_places
from bench.measure.uncertainty import combine, normal
from standards.errors import MeasurementRefused
from standards.quantity import Contribution, Estimate, Kind

__all__ = ["LIGHT_U", "corner_illumination"]

_Floats = NDArray[np.float64]
#: Relative standard uncertainty of the light's evenness over the chart where no certificate tells it.
LIGHT_U = 0.01
_FEWEST, _LEAST_REACH = 24, 0.7  # places; half diagonals that they have to reach
_TONE_U = 0.15  # of the fall-off: tone curve and fall-off are told apart by the same steps
_DRAWS = 16  # of certificates
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
    squares, light = _paper(fitting, view, tone.table)
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
        normal("tone curve and nominal reflectances", _certified_u(fitting, view, density_u),
               source="certificate, or taken for likely"),
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


def _certified_u(pictures: Sequence[NDArray[np.uint8]], view: ChartView, density_u: float) -> float:
    """Scatter of the corner's share of light as the grey steps' densities err, each by itself: the tone curve and the
    fall-off are found together from them, over and over."""
    draw = np.random.default_rng(21)
    found = []
    for _ in range(_DRAWS):
        greys = tuple(
            replace(
                g, reflectance=(g.reflectance or 1.0) * 10 ** (-density_u * float(draw.standard_normal()))
            )
            for g in view.chart.greys
        )
        other = replace(view, chart=replace(view.chart, greys=greys))
        try:
            found.append(float(other.shading(pictures).at(np.array([1.0]))[0]))
        except MeasurementRefused:
            continue
    return float(np.std(found, ddof=1)) if len(found) > 1 else 0.0


def _paper(
    pictures: Sequence[NDArray[np.uint8]], view: ChartView, table: NDArray[np.float32]
) -> tuple[_Floats, _Floats]:
    """Squares of the radius and light, over its median, of the places with nothing but paper."""
    places = view.map.to_picture(paper_places(view.chart.name))
    rows, columns = view.shape
    places = places[((places > 3) & (places < (columns - 4, rows - 4))).all(1)]
    near = np.rint(places).astype(int)
    codes = [np.mean([p[y - 2 : y + 3, x - 2 : x + 3].mean() for p in pictures]) for x, y in near]
    light = np.interp(codes, np.arange(256.0), table.astype(np.float64))
    return view.square_radius(places), light / max(float(np.median(light)), 1e-9) if len(light) else light


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
