"""What every room of the diagnosis begins with: pictures checked and brought to one scale."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from standards.errors import MeasurementRefused
from standards.quantity import Estimate, Kind

__all__ = [
    "BLACK",
    "WHITE",
    "WIDTH",
    "Luma",
    "burnt_in",
    "checked",
    "estimate",
    "scaled",
    "settled",
    "slopes",
]

Luma = NDArray[np.uint8]
Picture = NDArray[np.float32]
#: Columns of the scale that structure is looked at in: what is smaller is resolution's affair.
WIDTH = 640
BLACK, WHITE = (
    16.0,
    235.0,
)  # codes; full-range streams reach beyond, which no threshold is so near as to notice
_LEAST, _MOST = 64, 16384
_INK, _CONTRAST = 170.0, 110.0  # codes of text after coding, and over its border
_MOST_TEXT = 0.06  # of the picture, with what is about it


def checked(pictures: NDArray[np.uint8], least: int = 1) -> NDArray[np.uint8]:
    """(n, rows, columns) uint8, at least so many, of a usable size. Raises MeasurementRefused."""
    found = np.asarray(pictures)
    if found.ndim != 3 or found.dtype != np.uint8 or len(found) < least:
        raise MeasurementRefused(f"diagnosis needs {least} or more luma pictures of 8 bit: capture longer")
    if min(found.shape[1:]) < _LEAST or max(found.shape[1:]) > _MOST:
        raise MeasurementRefused(
            f"pictures of {found.shape[2]} x {found.shape[1]} are not diagnosed: set a resolution from {_LEAST} pixels"
        )
    return found


def scaled(picture: NDArray[np.uint8]) -> Picture:
    """One picture, float32 codes, at most 640 columns: the mean over each pixel's area."""
    rows, columns = picture.shape[:2]
    if columns <= WIDTH:
        return picture.astype(np.float32)
    size = (WIDTH, max(1, round(rows * WIDTH / columns)))
    return np.asarray(cv2.resize(picture, size, interpolation=cv2.INTER_AREA), np.float32)


def slopes(picture: Picture, sigma: float) -> Picture:
    """Magnitude of the slope after a Gaussian, codes a pixel."""
    smooth = cv2.GaussianBlur(picture, (0, 0), sigma)
    return np.asarray(
        np.hypot(
            cv2.Sobel(smooth, cv2.CV_32F, 1, 0, scale=1 / 8), cv2.Sobel(smooth, cv2.CV_32F, 0, 1, scale=1 / 8)
        ),
        np.float32,
    )


def beyond(whole: float, usual: float) -> float:
    """What is left of a deviation where part of its square was there before."""
    return math.sqrt(max(whole**2 - usual**2, 0.0))


def burnt_in(picture: Picture) -> NDArray[np.bool_]:
    """(rows, columns): where text is burnt in, by bright beside dark within five pixels; where more of the picture is as
    hard than text takes, none of it is taken for text. picture: float32 codes at the scale of `scaled`.
    """
    near = np.ones((5, 5), np.uint8)
    brightest = cv2.dilate(picture, near)
    hard = (brightest > _INK) & (brightest - cv2.erode(picture, near) > _CONTRAST)
    text = np.asarray(cv2.dilate(hard.astype(np.uint8), np.ones((9, 9), np.uint8)) > 0)
    return text if float(text.mean()) <= _MOST_TEXT else np.zeros_like(text)


def settled(pictures: Luma, run: NDArray[np.int64]) -> Luma:
    """(runs, rows, columns) uint8: the mean of the later half of each run, as coding refines what stands still.

    pictures: (n, rows, columns) uint8; run: (n,). Raises MeasurementRefused.
    """
    found = checked(pictures)
    means = []
    for r in np.unique(run):
        part = found[run == r]
        means.append(np.rint(part[len(part) // 2 :].mean(axis=0)).astype(np.uint8))
    return np.stack(means)


def estimate(name: str, value: float, unit: str, details: Mapping[str, Any], *notes: str) -> Estimate:
    """An estimate of diagnosis.NAME; its uncertainty is not evaluated: detection and false alarms are."""
    return Estimate(
        quantity=f"diagnosis.{name}",
        kind=Kind.RATIO,
        value=float(value),
        unit=unit,
        details=dict(details),
        notes=notes,
    )
