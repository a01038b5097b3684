"""Occlusion: which share of the view no longer shows what the reference shows.

Two witnesses: structure that is gone, and light that fits no change of exposure. What passes is not persistent.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy.optimize import isotonic_regression

from bench.measure.diagnosis.pictures import BLACK, WHITE, Luma, Picture, estimate, settled
from bench.measure.diagnosis.reference import Reference
from bench.measure.diagnosis.view import band, placed, same_size
from standards.errors import MeasurementRefused
from standards.quantity import Estimate

__all__ = ["occlusion"]

_GRID = (24, 16)  # columns, rows of cells
_SEEN, _SEEN_ABOUT, _UNLIKE = (
    0.75,
    0.5,
    0.25,
)  # correlation of a cell, of its surroundings, and where it is gone
_KNOWN, _LOST = 8.0, 10.0  # codes squared: structure that a cell is known by, and that may be missed
_FEWEST, _STRUCTURED = 8, 20  # cells that tell the exposure; structured cells that do without
_COLUMNS = 160  # of the picture that light is compared in
_LEAST_OFF, _OFF, _MOST_SPREAD = (
    7.0,
    4.0,
    3.0,
)  # codes; times the spread; codes that the spread counts at most
_BEYOND = 0.25  # codes of tolerance for each that a pixel lies beyond the codes that the exposure was told by
_BIN, _FEWEST_OF_BIN = 8, 12
_SLOPES = (0.3, 2.5)


@dataclass(frozen=True)
class _Exposure:
    """How codes of the reference look now: at, after: codes that rise together; slope: beyond them."""

    at: NDArray[np.float64]
    after: NDArray[np.float64]
    slope: float

    def __call__(self, codes: Picture) -> Picture:
        """Codes as they would look now."""
        low, high = self.at[0], self.at[-1]
        shown = np.interp(codes, self.at, self.after)
        shown += self.slope * (np.minimum(codes - low, 0) + np.maximum(codes - high, 0))
        return np.asarray(np.clip(shown, BLACK, WHITE), np.float32)

    def beyond(self, codes: Picture) -> Picture:
        """How far codes lie outside of what was seen."""
        return np.asarray(np.maximum(0, np.maximum(self.at[0] - codes, codes - self.at[-1])), np.float32)


def occlusion(pictures: Luma, run: NDArray[np.int64], reference: Reference) -> Estimate:
    """diagnosis.hidden, %: share of the view's cells that, in every run, are no longer what the reference shows.

    A cell is hidden where structure of the reference does not correlate any more, or where more than half of it is off
    from the one rising curve that takes the reference's codes to today's where structure is still seen. What hides a cell
    in one run alone has passed by.
    pictures: (n, rows, columns) uint8; run: (n,). Raises MeasurementRefused where too little of the view has structure.
    """
    found = settled(pictures, run)
    hidden = np.logical_and.reduce([_hidden(p, same_size(p, reference.luma)) for p in found])
    return estimate("hidden", 100 * float(hidden.mean()), "%", {"runs": len(found)})


def _hidden(picture: Luma, known: Luma) -> NDArray[np.bool_]:
    now, before = band(picture), band(known)
    _, (dx, dy) = placed(now, before)
    before = np.roll(before, (-dy, -dx), axis=(0, 1))
    cells = [cv2.resize(p, _GRID, interpolation=cv2.INTER_AREA) for p in (now * before, now**2, before**2)]
    weights = np.array([0.25, 0.5, 0.25], np.float32)
    about = [cv2.sepFilter2D(c, cv2.CV_32F, weights, weights, borderType=cv2.BORDER_REPLICATE) for c in cells]
    alone, around = (c[0] / np.sqrt(np.maximum(c[1] * c[2], 1e-6)) for c in (cells, about))
    around = np.where(about[1] < 0.02 * about[2], 0.0, around)
    seen = (cells[2] >= _KNOWN) & (alone >= _SEEN) & (around >= _SEEN_ABOUT)
    lost = (about[2] >= _LOST) & (around < _UNLIKE) & ~seen
    if int(seen.sum()) < _FEWEST:
        if int((about[2] >= 2 * _KNOWN).sum()) < _STRUCTURED:
            raise MeasurementRefused("the reference has too little structure to know what is hidden")
        return np.asarray(lost)
    shift = (-dy * known.shape[0] // now.shape[0], -dx * known.shape[1] // now.shape[1])
    return np.asarray(lost | _off(picture, np.roll(known, shift, axis=(0, 1)), seen))


def _off(picture: Luma, known: Luma, seen: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Cells of which more than half is off from the curve that the seen cells tell."""
    size = (_COLUMNS, max(8, picture.shape[0] * _COLUMNS // picture.shape[1]))
    now, before = (
        np.asarray(
            cv2.GaussianBlur(
                cv2.resize(p.astype(np.float32), size, interpolation=cv2.INTER_AREA), (0, 0), 0.8
            ),
            np.float32,
        )
        for p in (picture, known)
    )
    sure = cv2.resize(seen.astype(np.uint8), size, interpolation=cv2.INTER_NEAREST) > 0
    exposure = _exposure(before[sure], now[sure])
    if exposure is None:
        return np.zeros_like(seen)
    gap = np.abs(now - exposure(before))
    spread = min(1.4826 * float(np.median(gap[sure])), _MOST_SPREAD)
    tolerance = max(_LEAST_OFF, _OFF * spread) + _BEYOND * exposure.beyond(before)
    share = cv2.resize((gap > tolerance).astype(np.float32), _GRID, interpolation=cv2.INTER_AREA)
    return np.asarray(share > 0.5)


def _exposure(before: Picture, now: Picture) -> _Exposure | None:
    """The rising curve through the medians of today's codes over bins of the reference's; None with fewer than two."""
    place = (before / _BIN).astype(np.int64)
    at, middle, weight = [], [], []
    for one in np.unique(place):
        here = place == one
        if int(here.sum()) >= _FEWEST_OF_BIN:
            at.append(float(np.median(before[here])))
            middle.append(float(np.median(now[here])))
            weight.append(float(here.sum()))
    if len(at) < 2:
        return None
    rising = isotonic_regression(middle, weights=weight).x
    slope = float(np.polyfit(at, rising, 1)[0]) if at[-1] - at[0] > 1.5 * _BIN else 1.0
    return _Exposure(np.array(at), np.asarray(rising), float(np.clip(slope, *_SLOPES)))
