"""The map between a chart's millimetres and the picture's pixels: perspective, then the lens's radial distortion.

Fitted first to the corners of the markers, then to the sides of everything that is filled on the chart: a side says
where it is across itself, however blurred, and there are enough of them all over the field to tell distortion.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy.optimize import least_squares

from fixtures.charts import Chart, Region

__all__ = ["ChartMap", "fit_corners", "refine"]

_Floats = NDArray[np.float64]
_BOUNDS = (-0.6, 0.6)  # of both coefficients at the half diagonal: what no lens exceeds that shows a chart
_WINDOWS = (6.0, 4.0, 3.0)  # pixels either side that an edge is looked for in, round by round
_STEP = 0.25  # pixels between samples across a side
_LEAST_CONTRAST = 8.0  # codes
_LEAST_SIDE = 4.0  # pixels: a shorter one is sampled in its middle only
_MOST_SIDES = 8
_FEWEST = 40  # sides found, below which the markers' corners stand alone
_UNDISTORT_STEPS = 12


@dataclass(frozen=True)
class ChartMap:
    """matrix: (3, 3) homography from millimetres to pixels of a picture without distortion (pixel centres on whole
    numbers); k1, k2: radial distortion about the picture's middle, at a radius of half the diagonal; shape: (rows,
    columns). A point at radius r, in half diagonals, is seen at r (1 + k1 r^2 + k2 r^4)."""

    matrix: _Floats
    k1: float
    k2: float
    shape: tuple[int, int]

    @property
    def centre(self) -> _Floats:
        """The picture's middle, pixels."""
        return np.array([(self.shape[1] - 1) / 2, (self.shape[0] - 1) / 2])

    @property
    def half_diagonal(self) -> float:
        """Pixels."""
        return math.hypot(*self.shape) / 2

    def to_picture(self, points: _Floats) -> _Floats:
        """(n, 2) pixels of (n, 2) millimetres."""
        plane = np.column_stack([points, np.ones(len(points))]) @ self.matrix.T
        off = (plane[:, :2] / plane[:, 2:] - self.centre) / self.half_diagonal
        r2 = (off**2).sum(1, keepdims=True)
        seen = off * (1 + r2 * (self.k1 + r2 * self.k2))
        return np.asarray(seen * self.half_diagonal + self.centre)

    def to_chart(self, points: _Floats) -> _Floats:
        """(n, 2) millimetres of (n, 2) pixels."""
        seen = (np.asarray(points, dtype=np.float64) - self.centre) / self.half_diagonal
        radius = np.hypot(seen[:, 0], seen[:, 1])
        free = radius.copy()
        for _ in range(_UNDISTORT_STEPS):  # Newton's; the slope is kept from nought where a lens folds over
            square = free**2
            slope = 1 + square * (3 * self.k1 + square * 5 * self.k2)
            free -= (free * (1 + square * (self.k1 + square * self.k2)) - radius) / np.maximum(slope, 0.1)
        ideal = seen * np.where(radius > 0, free / np.maximum(radius, 1e-12), 1.0)[:, None]
        plane = np.column_stack([ideal * self.half_diagonal + self.centre, np.ones(len(ideal))])
        back = plane @ np.linalg.inv(self.matrix).T
        return np.asarray(back[:, :2] / back[:, 2:])

    def jacobian(self, point: tuple[float, float]) -> _Floats:
        """(2, 2) pixels a millimetre at a point of the chart: columns for x and y of the chart."""
        step = 0.05
        x, y = point
        near = np.array([[x + step, y], [x - step, y], [x, y + step], [x, y - step]])
        right, left, down, up = self.to_picture(near)
        return np.column_stack([(right - left) / (2 * step), (down - up) / (2 * step)])


def _of_vector(vector: _Floats, shape: tuple[int, int]) -> ChartMap:
    k2 = float(vector[9]) if len(vector) > 9 else 0.0
    return ChartMap(np.append(vector[:8], 1.0).reshape(3, 3), float(vector[8]), k2, shape)


def _vector(of: ChartMap, radial: int) -> _Floats:
    return np.concatenate([(of.matrix / of.matrix[2, 2]).ravel()[:8], [of.k1, of.k2][:radial]])


def _solve(start: ChartMap, radial: int, paper: _Floats, seen: _Floats, normal: _Floats | None) -> ChartMap:
    """The map that brings paper to seen, in both directions or along each point's normal only."""

    def residual(vector: _Floats) -> _Floats:
        off = _of_vector(vector, start.shape).to_picture(paper) - seen
        return off.ravel() if normal is None else np.asarray((off * normal).sum(1))

    low = np.full(8 + radial, -np.inf)
    high = np.full(8 + radial, np.inf)
    low[8:], high[8:] = _BOUNDS
    found = least_squares(
        residual,
        _vector(start, radial),
        bounds=(low, high),
        x_scale="jac",
        loss="soft_l1",
        f_scale=0.3,
        max_nfev=60,
    )
    return _of_vector(found.x, start.shape)


def fit_corners(paper: _Floats, seen: _Floats, shape: tuple[int, int]) -> ChartMap | None:
    """The map of marker corners, (n, 2) millimetres and pixels, n >= 8; None if they lie on one line."""
    matrix, _ = cv2.findHomography(paper, seen, 0)
    if matrix is None or not np.isfinite(matrix).all() or abs(matrix[2, 2]) < 1e-12:
        return None
    return _solve(ChartMap(np.asarray(matrix, dtype=np.float64), 0.0, 0.0, shape), 1, paper, seen, None)


def _outlines(chart: Chart) -> tuple[_Floats, _Floats]:
    """Pairs of points, (n, 2) millimetres each: the ends of a side, or two places along a round outline."""
    panels = [panel.region for panel in chart.panels]
    shapes: list[Region] = [
        *chart.parts, *chart.squares, *chart.greys, *panels, *(m.region for m in chart.markers)
    ]  # fmt: skip
    first, last = [], []
    for shape in shapes:
        corners = np.asarray(shape.corners, dtype=np.float64)
        count = len(corners)
        if count <= _MOST_SIDES:
            first += list(corners)
            last += list(np.roll(corners, -1, axis=0))
            continue
        for i in range(0, count, max(1, count // _MOST_SIDES)):  # a dot: tangents at some of its corners
            tangent = (corners[(i + 1) % count] - corners[i - 1]) / 2
            first.append(corners[i] - tangent)
            last.append(corners[i] + tangent)
    return np.asarray(first), np.asarray(last)


def _samples(chart: Chart, of: ChartMap) -> tuple[_Floats, _Floats, _Floats]:
    """Points on sides: millimetres, pixels, and the side's unit normal in the picture; all (n, 2)."""
    first, last = _outlines(chart)
    along = of.to_picture(last) - of.to_picture(first)
    length = np.hypot(along[:, 0], along[:, 1])
    long = length >= _LEAST_SIDE
    normal = np.column_stack([-along[:, 1], along[:, 0]]) / np.maximum(length, 1e-9)[:, None]
    paper = [(first + last) / 2]
    normals = [normal]
    for share in (0.3, 0.7):
        paper.append((first + share * (last - first))[long])
        normals.append(normal[long])
    on_paper, across = np.concatenate(paper), np.concatenate(normals)
    seen = of.to_picture(on_paper)
    rows, columns = of.shape
    margin = _WINDOWS[0] + 2
    inside = ((seen > margin) & (seen < (columns - 1 - margin, rows - 1 - margin))).all(1)
    return on_paper[inside], seen[inside], across[inside]


def _across(
    luma: NDArray[np.float32], seen: _Floats, normal: _Floats, half: float
) -> tuple[_Floats, NDArray[np.bool_]]:
    """How far along its normal each side really lies, pixels, and whether a clear side was found there."""
    along = np.arange(-half - 1, half + 1 + _STEP / 2, _STEP)
    at = seen[:, None, :] + along[None, :, None] * normal[:, None, :]
    maps = at.astype(np.float32)
    profile = cv2.remap(luma, maps[..., 0], maps[..., 1], cv2.INTER_LINEAR).astype(np.float64)
    middle = (along[1:] + along[:-1]) / 2
    slope = np.diff(profile, axis=1)
    step = profile[:, -4:].mean(1) - profile[:, :4].mean(1)
    rising = np.maximum(slope * np.sign(step)[:, None], 0.0)
    centre = np.zeros(len(seen))
    for _ in range(3):
        off = np.abs(middle[None, :] - centre[:, None]) / half
        weight = rising * np.where(off < 1, np.cos(np.minimum(off, 1) * np.pi / 2) ** 2, 0.0)
        mass = weight.sum(1)
        centre = np.where(mass > 0, (weight @ middle) / np.maximum(mass, 1e-9), 0.0)
    # A side that turns back as much as it rises is not one, but a line or two sides.
    clear = (np.abs(step) >= _LEAST_CONTRAST) & (np.abs(slope).sum(1) < 2.0 * np.abs(step))
    return centre, clear & (np.abs(centre) < half)


def refine(of: ChartMap, picture: NDArray[np.uint8], chart: Chart) -> tuple[ChartMap, float]:
    """The map that the chart's own sides ask for, and how far they lie from it, rms in pixels (nan if too few).

    Colour patches, grey steps, dots, squares and markers count alike; what is covered falls out as an outlier.
    """
    luma = picture.astype(np.float32)
    found, rms = of, math.nan
    for half in _WINDOWS:
        paper, seen, normal = _samples(chart, found)
        if len(paper) < _FEWEST:
            return found, rms
        off, clear = _across(luma, seen, normal, half)
        if np.count_nonzero(clear) < _FEWEST:
            return found, rms
        paper, seen, normal, off = paper[clear], seen[clear], normal[clear], off[clear]
        found = _solve(found, 2, paper, seen + off[:, None] * normal, normal)
        left = ((found.to_picture(paper) - seen - off[:, None] * normal) * normal).sum(1)
        rms = 1.4826 * float(np.median(np.abs(left)))
    return found, rms
