"""Standstill and shake: how successive pictures differ."""

from __future__ import annotations

import math

import cv2
import numpy as np
from numpy.typing import NDArray

from bench.measure.diagnosis.pictures import Picture, checked, estimate, scaled
from standards.errors import MeasurementRefused
from standards.quantity import Estimate

__all__ = ["shake", "standstill"]

_CHANGED = 2  # codes: a pixel that differs by more is another
_COLUMNS = 320  # that displacement is followed at
_TEXT = 0.002  # share of pixels that a clock burnt in may change


def standstill(pictures: NDArray[np.uint8], run: NDArray[np.int64]) -> Estimate:
    """diagnosis.standstill: share of the steps between successive pictures in which nothing moved, %.

    A step is still if at most 0.2 % of the pixels differ by more than two codes (a clock burnt in may go on). Only the later
    half of each
    run counts: an encoder that is fed one picture again and again goes on refining it for a few. It only *suspects*:
    coded pictures of a still scene look the same (docs/methods/diagnosis.md); the counter on the chart decides
    (continuity.md). pictures: (n, rows, columns) uint8; run: (n,). Raises MeasurementRefused without two successive
    pictures.
    """
    found = checked(pictures, 2)
    still: list[bool] = []
    for r in np.unique(run):
        places = np.flatnonzero(run == r)
        steps = range(len(places) // 2, len(places) - 1) if len(places) > 3 else range(len(places) - 1)
        pairs = ((found[places[i]], found[places[i + 1]]) for i in steps)
        still += [float((cv2.absdiff(first, after) > _CHANGED).mean()) <= _TEXT for first, after in pairs]
    if not still:
        raise MeasurementRefused("no two successive pictures: capture longer")
    note = "a suspicion: only a counter in view tells a frozen picture from a still scene"
    return estimate("standstill", 100 * float(np.mean(still)), "%", {"steps": len(still)}, note)


def shake(pictures: NDArray[np.uint8], run: NDArray[np.int64]) -> Estimate:
    """diagnosis.shake: root mean square of the view's motion about an even pan, % of the picture's width.

    Each picture's displacement against the first of its run by phase correlation of what is neither light nor noise.
    pictures: (n, rows, columns) uint8; run: (n,). Raises MeasurementRefused where no run has four pictures, or where
    the pictures do not match each other at all.
    """
    found = checked(pictures, 4)
    squares, degrees = 0.0, 0
    sure: list[float] = []
    for r in np.unique(run):
        places = np.flatnonzero(run == r)
        if len(places) < 4:
            continue
        moved, likeness = _moved([_structure(scaled(found[i])) for i in places])
        sure.append(likeness)
        time = np.arange(len(moved), dtype=np.float64)
        for axis in (0, 1):
            line = np.polyval(np.polyfit(time, moved[:, axis], 1), time)
            squares += float(((moved[:, axis] - line) ** 2).sum())
        degrees += len(moved) - 2
    if degrees == 0:
        raise MeasurementRefused("no run of four successive pictures: capture longer")
    if max(sure) < 0.03:
        raise MeasurementRefused("too little structure to follow the view by: point it at structure")
    width = min(found.shape[2], _COLUMNS)
    return estimate(
        "shake", 100 * math.sqrt(squares / degrees) / width, "%", {"likeness": float(np.median(sure))}
    )


def _structure(picture: Picture) -> Picture:
    """Band-passed and limited, so that one bright body does not outvote the view."""
    if picture.shape[1] > _COLUMNS:
        size = (_COLUMNS, max(8, round(picture.shape[0] * _COLUMNS / picture.shape[1])))
        picture = np.asarray(cv2.resize(picture, size, interpolation=cv2.INTER_AREA), np.float32)
    band = cv2.GaussianBlur(picture, (0, 0), 0.8) - cv2.GaussianBlur(picture, (0, 0), 4.0)
    return np.asarray(np.clip(band, -12, 12), np.float32)


def _moved(pictures: list[Picture]) -> tuple[NDArray[np.float64], float]:
    """(n, 2) displacement against the first, pixels, and how alike they are at it, 0 to 1."""
    rows, columns = pictures[0].shape
    window = cv2.createHanningWindow((columns, rows), cv2.CV_32F)
    pairs = [cv2.phaseCorrelate(pictures[0], p, window) for p in pictures[1:]]
    places = np.array([(0.0, 0.0), *(p[0] for p in pairs)], dtype=np.float64)
    return places, float(np.median([p[1] for p in pairs]))
