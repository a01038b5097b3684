"""Standstill, freeze and shake: how successive pictures differ."""

from __future__ import annotations

import math

import cv2
import numpy as np
from numpy.typing import NDArray

from bench.measure.diagnosis.pictures import Picture, burnt_in, checked, estimate, scaled
from standards.errors import MeasurementRefused
from standards.quantity import Estimate

__all__ = ["frozen", "shake", "standstill"]

_CHANGED = 2  # codes: a pixel that differs by more is another
_COLUMNS = 320  # that displacement is followed at
_PARTS = (3, 4)  # rows, columns of parts
_LEAST_LIKENESS = 0.03
_FARTHEST = (
    4.0  # squares: a slow swing has two thirds of them in one picture of eight, a body's edge nine tenths
)
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

    Each picture's displacement against the first of its run by phase correlation of what is neither light, noise nor
    burnt-in text, in twelve parts of the picture, whose weighted median counts: a body that passes moves few of them, a
    view that shakes moves all, and in all pictures: where one picture of a run alone tells of motion, that is a body's.
    pictures: (n, rows, columns) uint8; run: (n,). Raises MeasurementRefused where no run has four pictures, or where
    the pictures do not match each other at all.
    """
    found = checked(pictures, 4)
    width = min(found.shape[2], _COLUMNS)
    squares, degrees = 0.0, 0
    sure: list[float] = []
    for r in np.unique(run):
        places = np.flatnonzero(run == r)
        if len(places) < 4:
            continue
        structures = [_structure(scaled(found[i])) for i in places]
        moved, likeness = _moved_parts(structures)
        sure.append(likeness)
        squares += (len(moved) - 2) * _about_line(moved)
        degrees += len(moved) - 2
    if degrees == 0:
        raise MeasurementRefused("no run of four successive pictures: capture longer")
    if max(sure) < _LEAST_LIKENESS:
        raise MeasurementRefused("too little structure to follow the view by: point it at structure")
    value = 100 * math.sqrt(squares / degrees) / width
    return estimate("shake", value, "%", {"likeness": float(np.median(sure))})


def _about_line(moved: NDArray[np.float64]) -> float:
    """Mean square about an even pan; the picture farthest off may tell no more than four times what the others do.
    moved: (n, 2) pixels."""
    time = np.arange(len(moved), dtype=np.float64)
    off = np.square(_off(moved, time)).sum(axis=1)
    rest = np.delete(np.arange(len(moved)), int(np.argmax(off)))
    others = float(np.square(_off(moved[rest], time[rest])).sum()) / (len(rest) - 2)
    return min(float(off.sum()) / (len(moved) - 2), _FARTHEST * others)


def _off(moved: NDArray[np.float64], time: NDArray[np.float64]) -> NDArray[np.float64]:
    """(n, 2) what is left of the motion beside a straight line through it."""
    lines = [np.polyval(np.polyfit(time, moved[:, axis], 1), time) for axis in (0, 1)]
    return np.asarray(moved - np.stack(lines, axis=1))


def _structure(picture: Picture) -> Picture:
    """Band-passed and limited, so that one bright body does not outvote the view; burnt-in text taken out."""
    text = burnt_in(picture)
    if picture.shape[1] > _COLUMNS:
        size = (_COLUMNS, max(8, round(picture.shape[0] * _COLUMNS / picture.shape[1])))
        picture = np.asarray(cv2.resize(picture, size, interpolation=cv2.INTER_AREA), np.float32)
        text = cv2.resize(text.astype(np.uint8), size, interpolation=cv2.INTER_NEAREST) > 0
    band = cv2.GaussianBlur(picture, (0, 0), 0.8) - cv2.GaussianBlur(picture, (0, 0), 4.0)
    return np.asarray(np.where(text, 0, np.clip(band, -12, 12)), np.float32)


def _moved(pictures: list[Picture]) -> tuple[NDArray[np.float64], float]:
    """(n, 2) displacement against the first, pixels, and how alike they are at it, 0 to 1."""
    rows, columns = pictures[0].shape
    window = cv2.createHanningWindow((columns, rows), cv2.CV_32F)
    pairs = [cv2.phaseCorrelate(pictures[0], p, window) for p in pictures[1:]]
    places = np.array([(0.0, 0.0), *(p[0] for p in pairs)], dtype=np.float64)
    return places, float(np.median([p[1] for p in pairs]))


def _moved_parts(pictures: list[Picture]) -> tuple[NDArray[np.float64], float]:
    """(n, 2) displacement against the first: weighted median of the parts, by their likeness; and the highest of these."""
    rows, columns = (n // k for n, k in zip(pictures[0].shape, _PARTS, strict=True))
    places, weights, likest = [], [], 0.0
    for i in range(_PARTS[0]):
        for j in range(_PARTS[1]):
            box = slice(i * rows, (i + 1) * rows), slice(j * columns, (j + 1) * columns)
            cut = [np.ascontiguousarray(p[box]) for p in pictures]
            moved, likeness = _moved(cut)
            places.append(moved)
            likest = max(likest, likeness)
            # Not by how much structure there is: a body in a plain view would have most of it.
            weights.append(max(likeness - _LEAST_LIKENESS, 0.0) + 1e-9)
    return _weighted_median(np.array(places), np.array(weights)), likest


def _weighted_median(values: NDArray[np.float64], weights: NDArray[np.float64]) -> NDArray[np.float64]:
    """Along the first axis. values: (parts, n, 2); weights: (parts,)."""
    order = np.argsort(values, axis=0)
    passed = np.cumsum(weights[order], axis=0)
    middle = np.argmax(passed >= passed[-1] / 2, axis=0)
    sorted_values = np.take_along_axis(values, order, axis=0)
    return np.asarray(np.take_along_axis(sorted_values, middle[None], axis=0)[0])


def frozen(counter: NDArray[np.int64], run: NDArray[np.int64]) -> Estimate:
    """diagnosis.frozen, %: share of the steps between successive pictures over which the counter in view stood still.

    The counter goes on with every picture of the station's own rhythm, so that a step without it is a picture shown
    again: this decides, where `standstill` suspects (continuity.md).
    counter: (n,) number read of each picture, -1 where unreadable; run: (n,). Raises MeasurementRefused where fewer than
    half of the steps can be read at both ends.
    """
    within = np.diff(run) == 0
    read = within & (counter[1:] >= 0) & (counter[:-1] >= 0)
    if within.sum() == 0 or read.sum() < within.sum() / 2:
        raise MeasurementRefused(
            f"the counter is read in {int(read.sum())} of {int(within.sum())} steps: show the counter in view"
        )
    still = float((np.diff(counter)[read] == 0).mean())
    return estimate("frozen", 100 * still, "%", {"steps": int(read.sum()), "of": int(within.sum())})
