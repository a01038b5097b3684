"""Geometric distortion of the lens, from the points of a grid (docs/methods/distortion.md).

A homography for the pose of every view, and one radial polynomial about a centre of its own, are fitted to all points at
once. Radii count in half diagonals of the picture. The idea is that of ISO 17850 (local and line distortion), whose text was
not read.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy.optimize import brentq, least_squares

from bench.measure.chart_view import ChartView
from bench.measure.lattice import lattice_points
from bench.measure.uncertainty import combine
from standards.errors import MeasurementRefused
from standards.quantity import Contribution, Estimate, Kind

__all__ = ["FLATNESS_U_MM", "RadialFit", "fit_distortion", "geometric_distortion"]

_Floats = NDArray[np.float64]
#: Standard uncertainty of how far a chart on a board bulges over its size, mm.
FLATNESS_U_MM = 0.2
_BOUND = 0.6  # of each coefficient: what no lens exceeds that shows a chart
_CENTRE_SD = (
    0.05  # half diagonals by which lenses stand off the middle: steadies what little distortion leaves open
)
_CORNER_REACH = 0.6  # half diagonals that the points have to reach for a figure in the corner
_OUTLIER_PX = 0.3
_FEWEST = 20
_LEAST_REACH = 0.5  # half diagonals that the points have to reach
_SCATTER = 1.2  # neighbours share coding blocks: the scatter of the fit is so much larger than independent points make it
_METHOD_U = (
    0.0007  # percentage points in the corner: dots in blocks of a codec, seen over the proof's cameras
)
_AT = 0.9  # of half height and half width: where TV distortion is read


@dataclass(frozen=True)
class RadialFit:
    """k1, k2: a point at radius r, half diagonals, is seen at r (1 + k1 r^2 + k2 r^4) from the centre; centre: offset
    from the picture's middle, half diagonals; covariance: (4, 4) of k1, k2, centre x, centre y; rms: of a coordinate,
    pixels; reach: largest radius of a point; aspect: (half width, half height) in half diagonals; points: how many."""

    k1: float
    k2: float
    centre: tuple[float, float]
    covariance: _Floats
    rms: float
    reach: float
    aspect: tuple[float, float]
    points: int

    def distortion(self, radius: float) -> float:
        """D = (seen - ideal) / ideal of a point that is seen at a radius, half diagonals; below 0 is barrel.

        Raises MeasurementRefused where the fitted lens folds over.
        """
        return _distortion(self.k1, self.k2, radius)

    def tv(self) -> float:
        """TV distortion: how much further from the middle a straight horizontal line stands at 90 % of the half width
        than at its centre, where it is 90 % of the half height away; below 0 is barrel."""
        return _tv(self.k1, self.k2, self.aspect)

    def u_of(self, figure: Callable[[float, float], float]) -> float:
        """Standard uncertainty of a figure of k1 and k2 by the fit."""
        step = 1e-4
        slope = np.array([
            (figure(self.k1 + step, self.k2) - figure(self.k1 - step, self.k2)) / (2 * step),
            (figure(self.k1, self.k2 + step) - figure(self.k1, self.k2 - step)) / (2 * step),
        ])  # fmt: skip
        return math.sqrt(max(float(slope @ self.covariance[:2, :2] @ slope), 0.0))


def _ideal(k1: float, k2: float, radius: float) -> float:
    """Radius without distortion of a point seen at a radius."""

    def excess(r: float) -> float:
        return r * (1 + r * r * (k1 + r * r * k2)) - radius

    steps = np.linspace(0.0, 2.5 * radius, 251)
    over = np.flatnonzero([excess(float(r)) >= 0 for r in steps])
    if not len(over):
        raise MeasurementRefused(
            "the lens folds the picture over before its corner: the grid does not reach far enough"
        )
    return float(brentq(excess, steps[max(over[0] - 1, 0)], steps[over[0]])) if over[0] else 0.0


def _distortion(k1: float, k2: float, radius: float) -> float:
    ideal = _ideal(k1, k2, radius)
    return (radius - ideal) / ideal if ideal > 0 else 0.0


def _tv(k1: float, k2: float, aspect: tuple[float, float]) -> float:
    width, height = _AT * aspect[0], _AT * aspect[1]
    y = _ideal(k1, k2, height)

    def gain(x: float) -> float:
        square = x * x + y * y
        return 1 + square * (k1 + square * k2)

    steps = np.linspace(0.0, 2.5 * width, 251)
    over = np.flatnonzero([x * gain(float(x)) >= width for x in steps])
    if not len(over):
        raise MeasurementRefused(
            "the lens folds the picture over before its side: the grid does not reach far enough"
        )
    x = float(brentq(lambda v: v * gain(v) - width, steps[over[0] - 1], steps[over[0]]))
    return y * gain(x) / height - 1


def _start(views: Sequence[tuple[_Floats, _Floats]]) -> _Floats:
    """No distortion about the middle, and each view's homography. Raises MeasurementRefused for points on one line."""
    start = np.zeros(4 + 8 * len(views))
    for i, (paper, seen) in enumerate(views):
        matrix, _ = cv2.findHomography(paper, seen, 0)
        if matrix is None or not np.isfinite(matrix).all() or abs(matrix[2, 2]) < 1e-9:
            raise MeasurementRefused("the points of the grid lie on one line")
        start[4 + 8 * i : 12 + 8 * i] = (matrix / matrix[2, 2]).ravel()[:8]
    return start


def fit_distortion(views: Sequence[tuple[_Floats, _Floats]], shape: tuple[int, int]) -> RadialFit:
    """Radial distortion of one lens from one or several views of flat grids.

    views: (n, 2) places on the grid, of any one unit, and (n, 2) pixels, for each view; shape: (rows, columns). Raises
    MeasurementRefused below 20 points a view, or where all lie within half the half diagonal.
    """
    if not views or min(len(paper) for paper, _ in views) < _FEWEST:
        raise MeasurementRefused(f"a view of the grid shows fewer than {_FEWEST} points")
    half = math.hypot(*shape) / 2
    middle = np.array([(shape[1] - 1) / 2, (shape[0] - 1) / 2])
    every = [
        ((p - p.mean(0)) / max(float(np.abs(p - p.mean(0)).max()), 1e-9), (s - middle) / half)
        for p, s in views
    ]
    start = _start(every)
    reach = max(float(np.hypot(*seen.T).max()) for _, seen in every)
    if reach < _LEAST_REACH:
        raise MeasurementRefused(
            f"the grid reaches {100 * reach:.0f} % of the way to the picture's corner: let it fill the picture"
        )

    def residual(vector: _Floats) -> _Floats:
        off = [_seen(vector, i, paper) - seen for i, (paper, seen) in enumerate(every)]
        return np.concatenate([np.concatenate(off).ravel() * half, vector[2:4] / _CENTRE_SD * 0.1])

    def slopes(vector: _Floats) -> _Floats:
        return _slopes(vector, [paper for paper, _ in every], half)

    bounds = np.full(len(start), np.inf)
    bounds[:2], bounds[2:4] = _BOUND, 0.3
    found = least_squares(
        residual,
        start,
        slopes,
        bounds=(-bounds, bounds),
        x_scale="jac",
        loss="soft_l1",
        f_scale=_OUTLIER_PX,
        max_nfev=100,
    )
    left = residual(found.x)[:-2]
    # Of what is not an outlier: the scatter that the fit's covariance stands on.
    rms = 1.4826 * float(np.median(np.abs(left)))
    scale = max(rms, 1e-6) ** 2 * len(left) / max(len(left) - len(start), 1)
    jacobian = np.asarray(found.jac, dtype=np.float64)
    covariance = np.asarray(np.linalg.pinv(jacobian.T @ jacobian)[:4, :4] * scale, dtype=np.float64)
    k1, k2, x, y = (float(v) for v in found.x[:4])
    aspect = (shape[1] / 2 / half, shape[0] / 2 / half)
    return RadialFit(k1, k2, (x, y), covariance, rms, reach, aspect, len(left) // 2)


def _slopes(vector: _Floats, papers: Sequence[_Floats], half: float) -> _Floats:
    """Derivatives of the residuals by differences: a view's points know of the lens and of their own pose alone."""
    ends = np.cumsum([2 * len(paper) for paper in papers])
    found = np.zeros((int(ends[-1]) + 2, len(vector)))
    for i, (paper, end) in enumerate(zip(papers, ends, strict=True)):
        rows = slice(int(end) - 2 * len(paper), int(end))
        for column in (0, 1, 2, 3, *range(4 + 8 * i, 12 + 8 * i)):
            step = np.zeros(len(vector))
            step[column] = 1e-6
            off = _seen(vector + step, i, paper) - _seen(vector - step, i, paper)
            found[rows, column] = off.ravel() * half / 2e-6
    found[-2, 2] = found[-1, 3] = 0.1 / _CENTRE_SD
    return found


def _seen(vector: _Floats, view: int, paper: _Floats) -> _Floats:
    """(n, 2) places in the picture, half diagonals from its middle."""
    matrix = np.append(vector[4 + 8 * view : 12 + 8 * view], 1.0).reshape(3, 3)
    plane = np.column_stack([paper, np.ones(len(paper))]) @ matrix.T
    off = plane[:, :2] / np.where(np.abs(plane[:, 2:]) < 1e-6, 1e-6, plane[:, 2:]) - vector[2:4]
    square = np.minimum((off**2).sum(1, keepdims=True), 9.0)
    return np.asarray(off * (1 + square * (vector[0] + square * vector[1])) + vector[2:4])


def geometric_distortion(
    pictures: Sequence[NDArray[np.uint8]], view: ChartView, *, flatness_u_mm: float = FLATNESS_U_MM
) -> tuple[Estimate, Estimate]:
    """Size of the distortion in the picture's corner, %, and of TV distortion, %; signed in the details.

    pictures: (rows, columns) luma of the chart `grid` or `chess`, each of another GOP. Raises MeasurementRefused if the
    grid is not seen, or does not reach far enough.
    """
    paper, seen = lattice_points(pictures, view)
    fit = fit_distortion([(paper, seen)], view.shape)
    if fit.reach < _CORNER_REACH:
        raise MeasurementRefused(
            f"the grid reaches {100 * fit.reach:.0f} % of the way to the picture's corner: let it fill the picture"
        )
    # A chart that bulges by b over its half diagonal looks distorted by b over the distance, which is about as long.
    bulge = 100 * flatness_u_mm / (math.hypot(view.chart.width, view.chart.height) / 2)

    share = _tv_share(fit.aspect)

    def corner(k1: float, k2: float) -> float:
        return 100 * _distortion(k1, k2, 1.0)

    def tv(k1: float, k2: float) -> float:
        return 100 * _tv(k1, k2, fit.aspect)

    details = _told(fit)
    return (
        _estimate("picture.geometric_distortion", corner, fit, (_METHOD_U, bulge), 1.0, details),
        _estimate("picture.tv_distortion", tv, fit, (_METHOD_U * share, bulge * share), _AT, details),
    )


def _told(fit: RadialFit) -> dict[str, object]:
    """The fit and its curve, for the report."""
    radii = [round(0.1 * i, 1) for i in range(1, 11)]
    return {
        "k1": round(fit.k1, 6), "k2": round(fit.k2, 6), "centre": [round(v, 4) for v in fit.centre],
        "points": fit.points, "rms_px": round(fit.rms, 4), "reach": round(fit.reach, 3),
        "radius": radii, "distortion": [round(100 * fit.distortion(r), 4) for r in radii],
    }  # fmt: skip


def _tv_share(aspect: tuple[float, float]) -> float:
    """TV distortion over distortion in the corner, for a little of k1."""
    return _tv(1e-4, 0.0, aspect) / _distortion(1e-4, 0.0, 1.0)


def _estimate(
    quantity: str,
    figure: Callable[[float, float], float],
    fit: RadialFit,
    common: tuple[float, float],
    reach: float,
    details: dict[str, object],
) -> Estimate:
    """common: standard uncertainties of method and of the chart's flatness, percentage points; reach: how far from the
    middle the figure is read, half diagonals."""
    signed = figure(fit.k1, fit.k2)
    parts = [
        Contribution(name="scatter of the points", u=_SCATTER * fit.u_of(figure), dof=2.0 * fit.points, method="A",
                     source="fit, widened for coding that neighbours share"),
        Contribution(name="method", u=common[0], source="docs/methods/distortion.md"),
        Contribution(name="beyond the points", u=100 * abs(fit.k2) * max(reach**2 - fit.reach**2, 0.0) ** 2 / math.sqrt(3),
                     source="a third term as large as the second is not excluded"),
        Contribution(name="flatness of the chart", u=common[1], source="rule of thumb: bulge over distance"),
    ]  # fmt: skip
    u, dof = combine(parts)
    notes = ("barrel" if signed < 0 else "pincushion",)
    return Estimate(
        quantity=quantity, kind=Kind.RATIO, value=abs(signed), unit="%", u=u, dof=dof,
        budget=tuple(c for c in parts if c.u > 0), details={"signed": round(signed, 4), **details}, notes=notes,
    )  # fmt: skip
