"""Black, over- and underexposure: how the codes of the pictures are spread."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from bench.measure.diagnosis.pictures import BLACK, WHITE, checked, estimate
from standards.quantity import Estimate

__all__ = ["levels"]

_BRIGHTEST = 0.95  # text that the camera burns in is less than the rest
_CLIPPED = WHITE - 1.5


def levels(pictures: NDArray[np.uint8]) -> tuple[Estimate, Estimate, Estimate]:
    """diagnosis.bright_level, %: code that 5 % of the pixels pass; diagnosis.clipped, %: share at white or above;
    diagnosis.mean_level, %: mean code of the darker 95 %. Codes count from black (16) to white (235).

    pictures: (n, rows, columns) uint8. The median over the pictures. Raises MeasurementRefused.
    """
    bright, clipped, mean = [], [], []
    for picture in checked(pictures):
        counts = np.bincount(picture.ravel(), minlength=256)
        passed = np.cumsum(counts) / picture.size
        bright.append(int(np.searchsorted(passed, _BRIGHTEST)))
        clipped.append(100.0 * float(counts[int(np.ceil(_CLIPPED)) :].sum()) / picture.size)
        kept = np.minimum(counts, np.maximum(_BRIGHTEST * picture.size - np.cumsum(counts) + counts, 0))
        mean.append(float((kept * np.arange(256)).sum() / kept.sum()))
    share = [100.0 * (float(np.median(v)) - BLACK) / (WHITE - BLACK) for v in (bright, mean)]
    details = {"pictures": len(bright)}
    return (
        estimate("bright_level", share[0], "%", details),
        estimate("clipped", float(np.median(clipped)), "%", details),
        estimate("mean_level", share[1], "%", details),
    )
