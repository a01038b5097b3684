"""Stripes: bands of rows or columns that go straight across the whole picture."""

from __future__ import annotations

import math

import cv2
import numpy as np
from numpy.typing import NDArray

from bench.measure.diagnosis.pictures import WIDTH, Picture, checked, estimate
from standards.quantity import Estimate

__all__ = ["stripes"]

_PARTS, _THIRD = 15, 5  # parts across, and how many of them make a third
_LAGS = (2, 3, 6)  # rows apart, at 640 columns
_SMOOTH, _ROWS = 25.0, 20  # rows: what varies more slowly is light, no band; rows that are judged together


def stripes(pictures: NDArray[np.uint8]) -> Estimate:
    """diagnosis.stripes: root mean square of bands that go across the whole picture, rows or columns, codes.

    Rows a little apart are subtracted and the median taken in each of fifteen parts across: on one surface nothing is
    left. What the left, the middle and the right third have in common row by row (the least of the three mean products)
    is a band: rows of windows to both sides of a street, a sloping cloud, a wave are none. It has to be there in half of
    the picture's height: a horizon is none.
    pictures: (n, rows, columns) uint8; the median over up to two. Raises MeasurementRefused.
    """
    chosen = checked(pictures)[:: max(1, len(pictures) // 2)][:2]
    across = float(np.median([_bands(p) for p in chosen]))
    upright = float(np.median([_bands(np.ascontiguousarray(p.T)) for p in chosen]))
    return estimate("stripes", max(across, upright), "1", {"rows": across, "columns": upright})


def _bands(picture: NDArray[np.uint8]) -> float:
    scale = max(1.0, max(picture.shape) / WIDTH)
    codes = picture.astype(np.int16)
    strongest = 0.0
    for lag in (round(n * scale) for n in _LAGS):
        gap = codes[lag:] - codes[:-lag]
        parts = np.stack([np.median(part, axis=1) for part in np.array_split(gap, _PARTS, axis=1)])
        parts = _without_slow(parts.astype(np.float32), _SMOOTH * scale)
        left, middle, right = (np.median(parts[i : i + _THIRD], axis=0) for i in range(0, _PARTS, _THIRD))
        count = max(1, len(left) // max(1, round(_ROWS * scale)))
        common = [
            [float(rows.mean()) for rows in np.array_split(product, count)]
            for product in (left * middle, middle * right, left * right)
        ]
        strongest = max(strongest, float(np.median(np.min(common, axis=0))))
    return math.sqrt(strongest / 2)


def _without_slow(rows: Picture, sigma: float) -> Picture:
    smooth = cv2.GaussianBlur(
        rows, (2 * round(2 * sigma) + 1, 1), sigmaX=sigma, borderType=cv2.BORDER_REPLICATE
    )
    return np.asarray(rows - smooth, np.float32)
