"""Black, over- and underexposure: how the codes of the pictures are spread."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import cv2
import numpy as np
from numpy.typing import NDArray

from bench.measure.colour_picture import ColourPicture
from bench.measure.diagnosis.pictures import BLACK, WHITE, checked, estimate
from standards.quantity import Estimate

__all__ = ["clipped", "levels"]

_BRIGHTEST = 0.95  # text that the camera burns in is less than the rest
_CLIPPED = 0.98  # of white, in one colour


def levels(pictures: NDArray[np.uint8]) -> tuple[Estimate, Estimate]:
    """diagnosis.bright_level, %: code that 5 % of the pixels pass; diagnosis.mean_level, %: mean code of the darker
    95 %. Codes count from black (16) to white (235).

    pictures: (n, rows, columns) uint8. The median over the pictures. Raises MeasurementRefused.
    """
    bright, mean = [], []
    for picture in checked(pictures):
        counts = np.bincount(picture.ravel(), minlength=256)
        passed = np.cumsum(counts) / picture.size
        bright.append(int(np.searchsorted(passed, _BRIGHTEST)))
        kept = np.minimum(counts, np.maximum(_BRIGHTEST * picture.size - np.cumsum(counts) + counts, 0))
        mean.append(float((kept * np.arange(256)).sum() / kept.sum()))
    share = [100.0 * (float(np.median(v)) - BLACK) / (WHITE - BLACK) for v in (bright, mean)]
    details = {"pictures": len(bright)}
    return (
        estimate("bright_level", share[0], "%", details),
        estimate("mean_level", share[1], "%", details),
    )


def clipped(pictures: Sequence[ColourPicture]) -> Estimate:
    """diagnosis.clipped, %: share of the picture that is at white in red, green or blue; a colour clips in one alone.

    pictures: one or more, at the resolution of their colour differences. The median over them.
    """
    shares = []
    for picture in pictures:
        rows, columns = picture.blue.shape
        luma = cv2.resize(picture.luma, (columns, rows), interpolation=cv2.INTER_AREA)
        small = replace(picture, luma=np.asarray(luma, np.uint8))
        shares.append(float((small.rgb((slice(None), slice(None))).max(axis=2) >= _CLIPPED).mean()))
    return estimate("clipped", 100 * float(np.median(shares)), "%", {"pictures": len(shares)})
