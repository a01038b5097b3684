"""Sampling efficiency and oversharpening of the picture's centre, from the same slanted edges as the resolution.

Sampling efficiency: where the response falls to 10 %, as a share of what the pixels can carry (half a cycle a pixel), at
most 100 %. Oversharpening: by how much the response rises above what it is at nought, which no lens does. Both along the
edges' normals, all orientations of the centre together; the texts of ISO 12233 were not read (docs/methods/sharpness.md).
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from bench.measure.chart_view import ChartView
from bench.measure.edge import FREQUENCIES, EdgeSfr, edge_sfr
from bench.measure.tone import Tone
from bench.measure.tone_error import drawn_tone
from bench.measure.uncertainty import combine, normal
from fixtures.charts import Edge
from standards.errors import MeasurementRefused
from standards.quantity import Contribution, Estimate, Kind

__all__ = ["centre_edges", "sharpness", "tone_uncertainty"]

_NYQUIST = 0.5
_METHOD_U = 0.001  # relative, of f10
_CODING_U = 0.006  # of the response, that coding changes alike in all pictures
_WINDOW_U = 0.012  # of the rise: what the window over the whole rectangle takes off it
_DRAWS = 16  # of the tone curve
_BEYOND = 1.0  # cycles a pixel that stand for no fall to 10 %


def centre_edges(pictures: Sequence[NDArray[np.uint8]], view: ChartView) -> list[list[EdgeSfr]]:
    """Every upright or level edge of the centre, picture by picture; normalised over the whole rectangle, as noise hides the
    light lines of sharpening from a narrow window. Raises MeasurementRefused, naming the edge."""
    fitting = _fitting(pictures, view)
    tone = view.tone(fitting)
    return [[_measured(edge, view, picture, tone) for picture in fitting] for edge in _edges(view)]


def tone_uncertainty(
    pictures: Sequence[NDArray[np.uint8]], view: ChartView, *, density_u: float
) -> tuple[float, float]:
    """What errors of the grey steps' densities do: relative standard uncertainty of the frequency at 10 %, and standard
    uncertainty of the highest response. The centre's edges of the first picture are measured anew with tone curves whose
    steps err by density_u, each by itself. Raises MeasurementRefused where such curves do not measure them."""
    fitting = _fitting(pictures, view)
    tone, edges = view.tone(fitting), _edges(view)
    each = density_u / math.sqrt(max(len(view.chart.greys) / len(tone.codes), 1.0))
    draw, falls, curves = np.random.default_rng(23), [], []
    for _ in range(_DRAWS if density_u > 0 else 0):
        try:
            other = drawn_tone(tone, each, draw)
            found = [_measured(edge, view, fitting[0], other) for edge in edges]
        except MeasurementRefused:
            continue
        falls.append(np.mean([_BEYOND if math.isnan(r.mtf10) else r.mtf10 for r in found]))
        curves.append(np.mean([r.sfr for r in found], axis=0))
    if density_u > 0 and len(falls) < _DRAWS / 2:
        raise MeasurementRefused(
            "the tone curve is too uncertain for the edges: mend light or exposure, or give the chart's certificate"
        )
    if not falls:
        return 0.0, 0.0
    place = _beside(int(np.argmax(np.mean(curves, axis=0)[FREQUENCIES <= _NYQUIST])))
    limit = np.array(falls)
    return float(limit.std(ddof=1) / limit.mean()), float(np.array(curves)[:, place].std(ddof=1))


def _beside(peak: int) -> int:
    """Where the uncertainty of a peak is read. At frequency 0 the response is 1 by definition, without any: where
    nothing rises, the first frequency above says how well that is known."""
    return max(peak, 1)


def _fitting(pictures: Sequence[NDArray[np.uint8]], view: ChartView) -> list[NDArray[np.uint8]]:
    fitting = [picture for picture in pictures if picture.shape == view.shape]
    if not fitting:
        raise MeasurementRefused("no intact picture of the chart's size: sharpness needs at least one")
    return fitting


def _edges(view: ChartView) -> list[Edge]:
    edges = [
        e
        for e in view.chart.edges
        if e.square == "edge.centre" and e.orientation in ("vertical", "horizontal")
    ]
    if not edges:
        raise MeasurementRefused("the chart has no edges in its centre: use camcert-1 or edges")
    return edges


def _measured(edge: Edge, view: ChartView, picture: NDArray[np.uint8], tone: Tone) -> EdgeSfr:
    try:
        return edge_sfr(tone.linear(picture[view.edge_box(edge)]), normalisation="wide")
    except MeasurementRefused as refused:
        raise MeasurementRefused(f"{edge.name}: {refused}") from refused


def sharpness(
    edges: Sequence[Sequence[EdgeSfr]], *, tone_u: tuple[float, float]
) -> tuple[Estimate, Estimate]:
    """`resolution.sampling_efficiency`, %, and `resolution.oversharpening`, %.

    edges: for every edge its results, one a picture (`centre_edges`); tone_u: as `tone_uncertainty` gives it, (0, 0) where
    the edges are light and not codes.
    """
    return _efficiency(edges, tone_u[0]), _oversharpening(edges, tone_u[1])


def _scatter(values: NDArray[np.float64], name: str) -> Contribution:
    """Of the mean over edges and pictures. values: (edges, pictures); the edges' means count as independent."""
    means = values.mean(axis=1)
    if len(means) < 2:
        return normal(name, 0.0, source="one edge")
    u = float(means.std(ddof=1)) / math.sqrt(len(means))
    return Contribution(name=name, u=u, dof=len(means) - 1.0, method="A", source=f"{len(means)} edges")


def _estimate(
    quantity: str, value: float, parts: Sequence[Contribution], details: dict[str, object], *notes: str
) -> Estimate:
    u, dof = combine(parts)
    return Estimate(
        quantity=quantity, kind=Kind.RATIO, value=value, unit="%", u=u, dof=dof,
        budget=tuple(part for part in parts if part.u > 0), details=details, notes=notes,
    )  # fmt: skip


def _efficiency(edges: Sequence[Sequence[EdgeSfr]], tone_u: float) -> Estimate:
    falls = np.array([[_BEYOND if math.isnan(r.mtf10) else r.mtf10 for r in row] for row in edges])
    noise = np.array([[0.0 if math.isnan(r.mtf10_u) else r.mtf10_u for r in row] for row in edges])
    mean, share = float(falls.mean()), 100 / _NYQUIST
    parts = [
        _scatter(share * falls, "scatter between edges"),
        normal(
            "noise of the picture",
            share * float(np.sqrt((noise**2).sum())) / noise.size,
            source="this capture",
        ),
        normal(
            "method: bias of the edge response", share * mean * _METHOD_U, source="docs/methods/sharpness.md"
        ),
        normal("tone curve and nominal reflectances", share * mean * tone_u, source="certificate"),
        normal(
            "coding error common to all edges", share * mean * _CODING_U, source="docs/methods/sharpness.md"
        ),
    ]
    limited = mean >= _NYQUIST
    notes = (f"Nyquist limited: 10 % lies beyond {_NYQUIST} cycles/pixel",) if limited else ()
    return _estimate(
        "resolution.sampling_efficiency", min(share * mean, 100.0), parts, {"mtf10": round(mean, 5)}, *notes
    )


def _oversharpening(edges: Sequence[Sequence[EdgeSfr]], tone_u: float) -> Estimate:
    """Read where the mean of all responses is highest, so that noise alone lifts it little: by what is stated for it."""
    curves = np.array([[r.sfr for r in row] for row in edges])
    below = FREQUENCIES <= _NYQUIST
    peak = int(np.argmax(curves.mean(axis=(0, 1))[below]))
    response = float(curves[:, :, peak].mean())
    place, page = _beside(peak), "docs/methods/sharpness.md"
    noise = np.array([[r.sfr_u[place] for r in row] for row in edges])
    parts = [
        _scatter(100 * curves[:, :, place], "scatter between edges"),
        normal(
            "noise of the picture", 100 * float(np.sqrt((noise**2).sum())) / noise.size, source="this capture"
        ),
        normal("tone curve and nominal reflectances", 100 * tone_u, source="certificate"),
        normal("coding error common to all edges", 100 * response * _CODING_U, source=page),
        normal("window over the whole rectangle", 100 * (response - 1) * _WINDOW_U, source=page),
    ]
    details: dict[str, object] = {
        "frequency": round(float(FREQUENCIES[peak]), 4),
        "response": round(response, 4),
    }
    return _estimate("resolution.oversharpening", 100 * (response - 1), parts, details)
