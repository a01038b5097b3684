"""Points of a grid in the picture, to a hundredth of a pixel: centres of dots, corners of a chessboard.

A dot's picture has its centroid beside the picture of the dot's centre, since perspective and distortion enlarge one half
of it more than the other: what the chart's map says of that is taken off.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise

import cv2
import numpy as np
from numpy.typing import NDArray

from bench.measure.chart_view import ChartView
from standards.errors import MeasurementRefused

__all__ = ["lattice_points"]

_Floats = NDArray[np.float64]
_LEAST_CONTRAST = 20.0  # codes between dot and paper
_LEAST_RADIUS = 2.0  # pixels of a dot
_RIM = 3.0  # pixels about a dot that blur reaches
_MOST_SHIFT = 3.0  # pixels from where the map puts a point
_FEWEST = 30
_RINGS = (0.0, 0.25, 0.5, 0.75, 1.0)


def lattice_points(pictures: Sequence[NDArray[np.uint8]], view: ChartView) -> tuple[_Floats, _Floats]:
    """Points of the chart's lattice: (n, 2) millimetres and (n, 2) pixels, those that are seen clearly.

    pictures: (rows, columns) luma. Raises MeasurementRefused for a chart without a lattice, or fewer than 30 points seen.
    """
    lattice = view.chart.lattice
    fitting = [p for p in pictures if p.shape == view.shape]
    if lattice is None or not fitting:
        raise MeasurementRefused(
            "no whole picture of a grid: put the chart `grid` or `chess` before the camera"
        )
    mean = np.mean([p.astype(np.float32) for p in fitting], axis=0).astype(np.float32)
    paper = np.asarray(list(lattice.points.values()), dtype=np.float64)
    expected = view.map.to_picture(paper)
    dots = any(part.name.startswith("dot.") for part in view.chart.parts)
    if dots:
        radius = _dot_radius(view)
        seen, clear = _centroids(mean, expected, view, paper, radius)
        seen = seen - _centroid_offset(view, paper, radius)
    else:
        seen, clear = _corners(mean, expected, view, paper)
    clear &= np.hypot(*(seen - expected).T) < _MOST_SHIFT
    if np.count_nonzero(clear) < _FEWEST:
        raise MeasurementRefused(
            f"{np.count_nonzero(clear)} points of the grid are seen clearly, {_FEWEST} are needed: give light, focus, "
            "let the chart fill the picture"
        )
    return paper[clear], seen[clear]


def _dot_radius(view: ChartView) -> float:
    """Millimetres, of the circle that has a dot's area."""
    corners = np.asarray(next(p for p in view.chart.parts if p.name.startswith("dot.")).corners)
    x, y = corners.T
    area = abs(float(np.dot(x, np.roll(y, -1)) - np.dot(y, np.roll(x, -1)))) / 2
    return math.sqrt(area / math.pi)


def _scale(view: ChartView, paper: _Floats) -> _Floats:
    """(n,) pixels a millimetre, in the direction that is enlarged most."""
    step = 0.05
    right = view.map.to_picture(paper + (step, 0.0)) - view.map.to_picture(paper - (step, 0.0))
    down = view.map.to_picture(paper + (0.0, step)) - view.map.to_picture(paper - (0.0, step))
    return np.asarray(np.maximum(np.hypot(*right.T), np.hypot(*down.T)) / (2 * step))


def _centroids(
    mean: NDArray[np.float32], expected: _Floats, view: ChartView, paper: _Floats, radius: float
) -> tuple[_Floats, NDArray[np.bool_]]:
    """Centroids of darkness below the paper's plane about each place, and whether a dot was there."""
    scales = _scale(view, paper)
    seen, clear = expected.copy(), np.zeros(len(paper), np.bool_)
    rows, columns = mean.shape
    pitch = view.chart.lattice.pitch if view.chart.lattice is not None else math.inf
    for i, scale in enumerate(scales):
        reach = min(radius * scale + _RIM, (pitch - radius) * scale - 1.0)
        if radius * scale < _LEAST_RADIUS:
            continue
        at = expected[i]
        for _ in range(3):
            x0, y0 = (math.floor(v - reach - 2.5) for v in at)
            size = math.ceil(2 * reach + 5)
            if x0 < 0 or y0 < 0 or x0 + size > columns or y0 + size > rows:
                break
            found = _centroid(mean[y0 : y0 + size, x0 : x0 + size], at - (x0, y0), reach)
            if found is None:
                break
            at = found + (x0, y0)
        else:
            seen[i], clear[i] = at, True
    return seen, clear


def _centroid(patch: NDArray[np.float32], at: _Floats, reach: float) -> _Floats | None:
    """The centroid of what is darker than the plane through the rim of a disc; None without contrast."""
    y, x = np.mgrid[: patch.shape[0], : patch.shape[1]].astype(np.float64)
    distance = np.hypot(x - at[0], y - at[1])
    rim = (distance > reach) & (distance <= reach + 2.0)
    if np.count_nonzero(rim) < 8:
        return None
    basis = np.column_stack([np.ones(np.count_nonzero(rim)), x[rim] - at[0], y[rim] - at[1]])
    plane, *_ = np.linalg.lstsq(basis, patch[rim], rcond=None)
    dark = plane[0] + plane[1] * (x - at[0]) + plane[2] * (y - at[1]) - patch
    # A disc's rim cuts pixels: their share inside goes in, so that nothing jumps as the disc moves.
    weight = dark * np.clip(reach + 0.5 - distance, 0.0, 1.0)
    total = float(weight.sum())
    if float(dark.max()) < _LEAST_CONTRAST or total <= 0:
        return None
    found = np.array([(weight * x).sum() / total, (weight * y).sum() / total])
    return found if np.hypot(*(found - at)) < _MOST_SHIFT else None


def _centroid_offset(view: ChartView, paper: _Floats, radius: float) -> _Floats:
    """(n, 2) pixels from the picture of a dot's centre to the centroid of the dot's picture."""
    to_picture = view.map.to_picture
    centre = to_picture(paper)
    total, mass, step = np.zeros_like(centre), np.zeros(len(paper)), 0.02
    for inner, outer in pairwise(_RINGS):
        ring = math.sqrt((inner**2 + outer**2) / 2) * radius
        for angle in np.arange(8) * math.pi / 4:
            at = paper + ring * np.array([math.cos(angle), math.sin(angle)])
            right = to_picture(at + (step, 0.0)) - to_picture(at - (step, 0.0))
            down = to_picture(at + (0.0, step)) - to_picture(at - (0.0, step))
            size = np.abs(right[:, 0] * down[:, 1] - right[:, 1] * down[:, 0]) * (outer**2 - inner**2)
            total += size[:, None] * (to_picture(at) - centre)
            mass += size
    return total / mass[:, None]


def _corners(
    mean: NDArray[np.float32], expected: _Floats, view: ChartView, paper: _Floats
) -> tuple[_Floats, NDArray[np.bool_]]:
    """Saddle points of a chessboard near each place."""
    pitch = view.chart.lattice.pitch if view.chart.lattice is not None else 1.0
    half = int(min(max(0.3 * pitch * float(np.median(_scale(view, paper))), 3), 10))
    rows, columns = mean.shape
    margin = half + 2
    inside = np.asarray(
        ((expected > margin) & (expected < (columns - 1 - margin, rows - 1 - margin))).all(1), np.bool_
    )
    seen = expected.copy()
    if not inside.any():
        return seen, inside
    stop = (cv2.TERM_CRITERIA_EPS + cv2.TERM_CRITERIA_MAX_ITER, 60, 1e-3)
    points = expected[inside].astype(np.float32).reshape(-1, 1, 2).copy()
    seen[inside] = cv2.cornerSubPix(mean, points, (half, half), (-1, -1), stop).reshape(-1, 2)
    near = [
        float(np.ptp(mean[int(y) - half : int(y) + half + 1, int(x) - half : int(x) + half + 1]))
        if ok
        else 0.0
        for (x, y), ok in zip(expected, inside, strict=True)
    ]
    return seen, inside & (np.asarray(near) >= _LEAST_CONTRAST)
