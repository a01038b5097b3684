"""Where a slanted edge runs through its rectangle: a polynomial x = p(y), found in three rounds.

First by area, which needs no derivative; then by centroids of the gradient in windows that follow the
curve; at last by Gauss-Newton on all pixels against the edge's own profile, which reaches the bound that
noise sets (docs/methods/resolution.md).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.linalg.lapack import dposv

from bench.measure.spline import Spline, fit_spline
from standards.errors import MeasurementRefused

__all__ = ["KNOT_PITCH", "PENALTY", "Line", "distances", "find_line", "fit_edge", "refine", "tukey"]

_Floats = NDArray[np.float64]
#: Knots of the edge profile, pixels, and the penalty that keeps empty ones solvable.
KNOT_PITCH, PENALTY = 0.25, 1e-3
_ORDERS = (1, 2, 3, 5)
_COARSE = _ORDERS[:2]  # enough to place the next window by; the last fit chooses from all
_BESIDE = 2.0  # pixels of profile beyond those whose residuals move the line: its ends do not reach in
_PASSES = 3
_NEAR = 6.0  # pixels either side of the edge whose residuals move it: beyond, the gradient is nothing


@dataclass(frozen=True)
class Line:
    """x = sum of c[j] u**j, u = y / reach, y in rows from the middle of the rectangle."""

    coefficients: _Floats
    reach: float

    @property
    def order(self) -> int:
        """Degree of the polynomial."""
        return len(self.coefficients) - 1

    @property
    def slope(self) -> float:
        """dx/dy in the middle."""
        return float(self.coefficients[1] / self.reach)

    def at(self, y: _Floats) -> _Floats:
        """x in columns."""
        return np.asarray(np.polynomial.polynomial.polyval(y / self.reach, self.coefficients))

    def slope_at(self, y: _Floats) -> _Floats:
        """dx/dy."""
        derived = np.polynomial.polynomial.polyder(self.coefficients)
        return np.asarray(np.polynomial.polynomial.polyval(y / self.reach, derived) / self.reach)


def tukey(u: _Floats, flat: float) -> _Floats:
    """Window over u = |x| / half-width: 1 up to `flat`, then a cosine down to 0 at u = 1."""
    fall = np.clip((u - flat) / (1 - flat), 0.0, 1.0)
    return np.asarray(0.5 * (1 + np.cos(np.pi * fall)))


def distances(line: Line, shape: tuple[int, int]) -> _Floats:
    """(rows, columns) distance of each pixel from the line along its normal, positive to the right."""
    rows, columns = shape
    y = np.arange(rows, dtype=np.float64) - (rows - 1) / 2
    cosine = 1 / np.hypot(1.0, line.slope_at(y))
    return np.asarray((np.arange(columns)[None, :] - line.at(y)[:, None]) * cosine[:, None])


def _median(values: _Floats) -> float:
    """The (upper) middle value; numpy's own spends most of its time on questions that have no place here."""
    middle = len(values) // 2
    return float(np.partition(values, middle)[middle])


def _normal(weighted: _Floats, powers: _Floats, x: _Floats) -> _Floats:
    """Least squares by the normal equations, straight from LAPACK: numpy's way there costs more than so small a solution."""
    left = weighted.T @ powers
    left.flat[:: left.shape[0] + 1] += 1e-9
    _, found, _ = dposv(left, weighted.T @ x)
    return np.asarray(found)


def _robust_fit(powers: _Floats, x: _Floats) -> tuple[_Floats, float]:
    """Cauchy-weighted polynomial; its coefficients and a Bayesian information criterion.

    powers: (rows, order + 1) of u in -1..1.
    """
    coefficients = _normal(powers, powers, x)
    for _ in range(3):
        residual = x - powers @ coefficients
        scale = 1.4826 * _median(np.abs(residual - _median(residual))) + 1e-6
        weighted = powers * (1 / (1 + (residual / (2 * scale)) ** 2))[:, None]
        coefficients = _normal(weighted, powers, x)
    residual = x - powers @ coefficients
    scale = max(1.4826 * _median(np.abs(residual)), 3e-3)
    spread = float(np.minimum(residual**2, 9 * scale * scale).sum()) / len(x)
    bic = len(x) * np.log(spread + 9e-6) + 1.5 * powers.shape[1] * np.log(len(x))
    return np.asarray(coefficients), float(bic)


def _best_fit(y: _Floats, x: _Floats, reach: float, orders: tuple[int, ...] = _ORDERS) -> Line:
    """The lowest order that no higher one beats by more than 2 in the criterion."""
    powers = np.vander(y / reach, orders[-1] + 1, increasing=True)
    best, best_bic = _robust_fit(powers[:, : orders[0] + 1], x)
    for order in orders[1:]:
        candidate, bic = _robust_fit(powers[:, : order + 1], x)
        if bic < best_bic - 2:
            best, best_bic = candidate, bic
    return Line(best, reach)


def find_line(roi: _Floats) -> Line:
    """The edge of an upright rectangle, dark on its left, bright on its right.

    roi: (rows, columns) linear light. Raises MeasurementRefused if too few rows show an edge.
    """
    rows, columns = roi.shape
    x = np.arange(columns, dtype=np.float64)
    y = np.arange(rows) - (rows - 1) / 2
    margin = max(3, columns // 10)
    low, high = float(np.median(roi[:, :margin])), float(np.median(roi[:, -margin:]))
    step = high - low
    line = _best_fit(y, (columns - 0.5) - ((roi - low) / step).sum(1), (rows - 1) / 2, _COARSE)
    gradient = np.zeros_like(roi)
    gradient[:, 1:-1] = (roi[:, 2:] - roi[:, :-2]) / 2
    for window, orders in ((columns / 3, _COARSE), (16.0, _COARSE), (10.0, _ORDERS)):
        at = line.at(y)
        # Columns that the window reaches in some row; beyond it is nought.
        part = slice(max(int(at.min() - window), 0), max(int(at.max() + window) + 2, 1))
        u = np.abs(x[None, part] - at[:, None]) / window
        weighted = tukey(u, 0.4) * gradient[:, part]
        mass = weighted.sum(1)
        good = mass > 0.3 * step
        centroid = (weighted @ x[part])[good] / mass[good]
        kept = (centroid > 2) & (centroid < columns - 3)
        if np.count_nonzero(kept) < max(8.0, 0.3 * rows):
            raise MeasurementRefused(
                f"only {np.count_nonzero(kept)} of {rows} rows of the rectangle show the edge: "
                "more light, less noise, or nothing in front of the chart"
            )
        line = _best_fit(y[good][kept], centroid[kept], (rows - 1) / 2, orders)
    return line


def refine(roi: _Floats, line: Line, half: float) -> tuple[Line, Spline, _Floats]:
    """`fit_edge` of an upright rectangle, (rows, columns)."""
    rows, columns = roi.shape
    u = (np.arange(rows) - (rows - 1) / 2) / line.reach
    return fit_edge(
        roi.ravel(), np.repeat(u, columns), lambda of: distances(of, (rows, columns)).ravel(), line, half
    )


def fit_edge(
    values: _Floats, u: _Floats, measure: Callable[[Line], _Floats], line: Line, half: float
) -> tuple[Line, Spline, _Floats]:
    """Move the line until no pixel's residual follows it any more.

    values, u: (pixels,) light, and place along the line in its reaches; measure: every pixel's distance from a line.
    half: reach of the profile along the normal, pixels. Returns the line, the profile (edge spread function) along the
    normal and the pixels' distances. The line's constant is left to the profile, which takes up any common shift.
    """
    reach = min(half, _NEAR + _BESIDE)
    for _ in range(_PASSES):
        distance = measure(line)
        profile = fit_spline(distance, values, half=reach, pitch=KNOT_PITCH, penalty=PENALTY)
        near = np.flatnonzero(np.abs(distance) < min(_NEAR, half - 1))
        expected, slope = profile(distance[near]), profile.derivative(distance[near])
        power = u[near][:, None] ** np.arange(1, line.order + 1)
        effect = -slope[:, None] * power * np.cos(np.arctan(line.slope))
        normal = effect.T @ effect + 1e-12 * np.eye(line.order)
        change = np.linalg.solve(normal, effect.T @ (values[near] - expected))
        line = Line(line.coefficients + np.concatenate([[0.0], change]), line.reach)
        if np.max(np.abs(change)) < 1e-4:
            break
    distance = measure(line)
    return line, fit_spline(distance, values, half=half, pitch=KNOT_PITCH, penalty=PENALTY), distance
