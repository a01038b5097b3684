"""Least-squares cubic B-spline of scattered samples on equal knots: the edge profile without bins.

Source: de Boor, A Practical Guide to Splines; the penalty is that of P-splines (Eilers and Marx 1996),
only as strong as it takes to keep empty knots solvable.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import solveh_banded

__all__ = ["Spline", "fit_spline"]

_Floats = NDArray[np.float64]


def _weights(t: _Floats) -> _Floats:
    """(4, n) values of the four cubic B-splines that reach into a knot span, t in [0, 1)."""
    t2 = t * t
    t3 = t2 * t
    last = t3 / 6
    first = (1 - 3 * t + 3 * t2 - t3) / 6
    second = (4 - 6 * t2 + 3 * t3) / 6
    return np.stack([first, second, 1 - first - second - last, last])


def _slopes(t: _Floats) -> _Floats:
    """(4, n) derivatives of `_weights` by t."""
    t2 = t * t
    return np.stack([(-1 + 2 * t - t2) / 2, (-4 * t + 3 * t2) / 2, (1 + 2 * t - 3 * t2) / 2, t2 / 2])


@dataclass(frozen=True)
class Spline:
    """A cubic spline on [-half, half] with equal knots of this pitch; beyond, its end spans go on."""

    coefficients: _Floats
    half: float
    pitch: float

    def __call__(self, x: _Floats) -> _Floats:
        """Values at x."""
        near, t = self._place(x)
        return np.asarray(np.einsum("ij,ij->j", near, _weights(t)))

    def derivative(self, x: _Floats) -> _Floats:
        """Slopes at x."""
        near, t = self._place(x)
        return np.asarray(np.einsum("ij,ij->j", near, _slopes(t)) / self.pitch)

    def _place(self, x: _Floats) -> tuple[_Floats, _Floats]:
        """(4, n) coefficients that reach to x, and the place of x in its span."""
        q = (x + self.half) / self.pitch
        span = np.clip(q.astype(np.int64), 0, len(self.coefficients) - 4)
        return self.coefficients[span + np.arange(4)[:, None]], q - span


def fit_spline(x: _Floats, values: _Floats, *, half: float, pitch: float, penalty: float) -> Spline:
    """Fit a spline to samples (x, values) with -half <= x < half; the others are left out.

    penalty: weight of squared second differences of the coefficients against one sample. Time grows
    with the samples, space with the knots.
    """
    count = int(np.ceil(2 * half / pitch)) + 3
    q = (x + half) / pitch
    inside = (q >= 0) & (q < count - 3)
    q, values = q[inside], values[inside]
    span = q.astype(np.int64)
    basis = _weights(q - span)
    banded = np.zeros((4, count))  # upper form of scipy: banded[3 - (j - i), j] holds element (i, j)
    right = np.zeros(count)
    for i in range(4):
        right[i:] += np.bincount(span, basis[i] * values, minlength=count)[: count - i]
        for j in range(i, 4):
            products = np.bincount(span, basis[i] * basis[j], minlength=count)
            banded[3 - (j - i), j:] += products[: count - j]
    second = (1.0, -2.0, 1.0)
    for i in range(3):
        for j in range(i, 3):
            banded[3 - (j - i), j : count - 2 + j] += penalty * second[i] * second[j]
    return Spline(np.asarray(solveh_banded(banded, right, check_finite=False)), half, pitch)
