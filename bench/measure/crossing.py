"""Where a modulation that was measured in many noisy bins first falls below a level."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

__all__ = ["first_fall"]

_Floats = NDArray[np.float64]
_SPAN = (0.75, 1.3)  # of the crossing, over which the modulation is smoothed


def first_fall(f: _Floats, m: _Floats, v: _Floats, level: float, *, highest: float) -> tuple[float, float]:
    """First fall below a level of the smoothed modulation, and its standard uncertainty by noise; nan where there is none.

    f, m, v: (bins,) rising frequency, signed modulation and its variance; highest: frequency beyond which no fall is told.
    A quadratic, weighted by 1 / v, runs through the bins about the crossing; where these scatter more than v says, u grows.
    """
    width = max(5, len(f) // 25)
    weight = 1 / v
    smooth = np.convolve(m * weight, np.ones(width), "same") / np.convolve(weight, np.ones(width), "same")
    below = np.flatnonzero(smooth < level)
    at = float(f[below[0]]) if len(below) else float(f[-1])
    for _ in range(4):
        near = (f > _SPAN[0] * at) & (f < _SPAN[1] * at)
        if np.count_nonzero(near) < 8:
            return math.nan, math.nan
        x = f[near] - at
        basis = np.column_stack([np.ones(len(x)), x, x**2])
        scaled = basis * np.sqrt(weight[near])[:, None]
        covariance = np.linalg.pinv(scaled.T @ scaled)
        solved = covariance @ (scaled.T @ (m[near] * np.sqrt(weight[near])))
        spread = float((((m[near] - basis @ solved) ** 2) * weight[near]).sum()) / max(len(x) - 3, 1)
        roots = np.roots([solved[2], solved[1], solved[0] - level])
        real = roots[np.abs(roots.imag) < 1e-9].real
        inside = real[(real > _SPAN[0] * at - at) & (real < _SPAN[1] * at - at)]
        falling = [float(r) for r in inside if solved[1] + 2 * solved[2] * r < 0]
        if not falling:
            return math.nan, math.nan
        step = min(falling, key=abs)
        at += step
        if abs(step) < 1e-5:
            break
    row = np.array([1.0, step, step**2])
    slope = abs(float(solved[1] + 2 * solved[2] * step))
    u = math.sqrt(float(row @ covariance @ row) * max(spread, 1.0)) / max(slope, 1e-9)
    return (at, u) if at < highest else (math.nan, math.nan)
