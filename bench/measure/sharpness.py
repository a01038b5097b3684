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
from bench.measure.uncertainty import combine, normal
from standards.errors import MeasurementRefused
from standards.quantity import Contribution, Estimate, Kind

__all__ = ["centre_edges", "sharpness"]

_NYQUIST = 0.5
_METHOD_U, _TONE_U = (
    0.001,
    0.004,
)  # relative, of f10 and of the response: method; tone curve and nominal reflectances
_CODING_U = 0.006  # of the response, that coding changes alike in all pictures
_WINDOW_U = 0.012  # of the rise: what the window over the whole rectangle takes off it
_BEYOND = 1.0  # cycles a pixel that stand for no fall to 10 %


def centre_edges(pictures: Sequence[NDArray[np.uint8]], view: ChartView) -> list[list[EdgeSfr]]:
    """Every upright or level edge of the centre, picture by picture; normalised over the whole rectangle, as noise hides the
    light lines of sharpening from a narrow window. Raises MeasurementRefused, naming the edge."""
    fitting = [picture for picture in pictures if picture.shape == view.shape]
    if not fitting:
        raise MeasurementRefused("no intact picture of the chart's size: sharpness needs at least one")
    tone = view.tone(fitting)
    edges = [
        e
        for e in view.chart.edges
        if e.square == "edge.centre" and e.orientation in ("vertical", "horizontal")
    ]
    found = []
    for edge in edges:
        box = view.edge_box(edge)
        try:
            found.append([edge_sfr(tone.linear(picture[box]), normalisation="wide") for picture in fitting])
        except MeasurementRefused as refused:
            raise MeasurementRefused(f"{edge.name}: {refused}") from refused
    if not found:
        raise MeasurementRefused("the chart has no edges in its centre: use camcert-1 or edges")
    return found


def sharpness(edges: Sequence[Sequence[EdgeSfr]]) -> tuple[Estimate, Estimate]:
    """`resolution.sampling_efficiency`, %, and `resolution.oversharpening`, %.

    edges: for every edge its results, one a picture (`centre_edges`).
    """
    return _efficiency(edges), _oversharpening(edges)


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


def _efficiency(edges: Sequence[Sequence[EdgeSfr]]) -> Estimate:
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
        normal(
            "coding error common to all edges", share * mean * _CODING_U, source="docs/methods/sharpness.md"
        ),
    ]
    limited = mean >= _NYQUIST
    notes = (f"Nyquist limited: 10 % lies beyond {_NYQUIST} cycles/pixel",) if limited else ()
    return _estimate(
        "resolution.sampling_efficiency", min(share * mean, 100.0), parts, {"mtf10": round(mean, 5)}, *notes
    )


def _oversharpening(edges: Sequence[Sequence[EdgeSfr]]) -> Estimate:
    """Read where the mean of all responses is highest, so that noise alone lifts it little: by what is stated for it."""
    curves = np.array([[r.sfr for r in row] for row in edges])
    below = FREQUENCIES <= _NYQUIST
    peak = int(np.argmax(curves.mean(axis=(0, 1))[below]))
    response = float(curves[:, :, peak].mean())
    noise = np.array([[r.sfr_u[peak] for r in row] for row in edges])
    parts = [
        _scatter(100 * curves[:, :, peak], "scatter between edges"),
        normal(
            "noise of the picture", 100 * float(np.sqrt((noise**2).sum())) / noise.size, source="this capture"
        ),
    ]
    if peak > 0:
        parts.append(
            normal(
                "tone curve and nominal reflectances",
                100 * response * _TONE_U,
                source="docs/methods/sharpness.md",
            )
        )
        parts.append(
            normal(
                "coding error common to all edges",
                100 * response * _CODING_U,
                source="docs/methods/sharpness.md",
            )
        )
    details: dict[str, object] = {
        "frequency": round(float(FREQUENCIES[peak]), 4),
        "response": round(response, 4),
    }
    return _estimate("resolution.oversharpening", 100 * (response - 1), parts, details)
