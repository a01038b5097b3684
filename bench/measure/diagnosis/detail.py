"""Blur, noise and stripes: what fine detail the pictures have, and what they should not have."""

from __future__ import annotations

import math
from itertools import pairwise

import cv2
import numpy as np
from numpy.typing import NDArray

from bench.measure.diagnosis.pictures import WIDTH, Picture, checked, estimate, scaled, slopes
from standards.errors import MeasurementRefused
from standards.quantity import Estimate

__all__ = ["blur", "noise", "stripes"]

_FINE, _AGAIN = 1.2, 4.0  # pixels at 640 columns: Gaussians before the slope, and of blurring it again
_LEAST_SLOPE, _OF_NOISE = 2.0, 8.0  # codes a pixel; times the slope's own noise
_SHARPEST, _SHARP_CELLS = 0.2, 0.25  # of a cell's edges, of the cells: quantiles
_LEAST_EDGES, _LEAST_CELLS = 12, 6
_CELL = 40
_BLOCK = 16
_MAD = 1.4826


def blur(pictures: NDArray[np.uint8]) -> Estimate:
    """diagnosis.blur: Gaussian that the sharper part of the picture is blurred by, % of its width.

    At each edge the slope before and after one more blur of known width gives the blur that was there (an edge's
    slope falls with the root of the summed squares). A cell counts by the sharper fifth of its edges, the picture
    by the sharper quarter of its cells: text in a corner sharpens nothing, a shallow field blurs nothing.
    pictures: (n, rows, columns) uint8; the median over up to three. Raises MeasurementRefused where fewer than six
    cells have an edge: a view without structure is neither sharp nor blurred.
    Source: re-blur ratio as in Zhuo and Sim, Pattern Recognition 44 (2011).
    """
    chosen = checked(pictures)[:: max(1, len(pictures) // 3)][:3]
    found = [value for value in (_blur_of(scaled(p)) for p in chosen) if value is not None]
    if not found:
        raise MeasurementRefused("too few edges in view to tell sharp from blurred: point it at structure")
    sigma, cells = (float(np.median([f[i] for f in found])) for i in (0, 1))
    width = min(pictures.shape[2], WIDTH)
    return estimate("blur", 100 * sigma / width, "%", {"cells": cells})


def _blur_of(picture: Picture) -> tuple[float, float] | None:
    fine = slopes(picture, _FINE)
    again = slopes(picture, math.hypot(_FINE, _AGAIN))
    hiss = _hiss(picture) / (math.sqrt(8 * math.pi) * (_FINE**2 + 0.3))
    ridge = (fine >= cv2.dilate(fine, np.ones((5, 5), np.uint8)) * 0.9) & (
        fine > max(_LEAST_SLOPE, _OF_NOISE * hiss)
    )
    rows, columns = np.nonzero(ridge)
    ratio = np.maximum((fine[ridge] / np.maximum(again[ridge], 1e-3)) ** 2, 1.0 + 1e-3)
    squares = _AGAIN**2 / (ratio - 1.0) - _FINE**2
    cell = rows // _CELL * 64 + columns // _CELL
    sharp = []
    for place in np.unique(cell):
        here = squares[cell == place]
        if len(here) >= _LEAST_EDGES:
            sharp.append(float(np.quantile(here, _SHARPEST)))
    if len(sharp) < _LEAST_CELLS:
        return None
    return math.sqrt(max(float(np.quantile(sharp, _SHARP_CELLS)), 0.0)), float(len(sharp))


def _hiss(picture: Picture) -> float:
    """Noise by the diagonal differences of 2 x 2 pixels: they see little of the content."""
    rows, columns = picture.shape[0] // 2 * 2, picture.shape[1] // 2 * 2
    p = picture[:rows, :columns]
    diagonal = (p[::2, ::2] - p[1::2, ::2] - p[::2, 1::2] + p[1::2, 1::2]) / 2
    return _MAD * float(np.median(np.abs(diagonal)))


def noise(pictures: NDArray[np.uint8], run: NDArray[np.int64]) -> Estimate:
    """diagnosis.noise: standard deviation of the noise that is seen in the decoded picture, codes.

    The smaller of two: between pictures far apart in time, over blocks (median), so that texture does not count;
    within a picture, by diagonal differences, so that motion does not count.
    pictures: (n, rows, columns) uint8; run: (n,). Raises MeasurementRefused below two pictures.
    """
    found = checked(pictures, 2)
    first = [int(np.flatnonzero(run == r)[0]) for r in np.unique(run)]
    pairs = list(pairwise(first)) or [(0, len(found) - 1)]
    within = float(np.median([_within(found[i].astype(np.float32)) for i in first]))
    between = float(np.median([_between(found[a], found[b]) for a, b in pairs]))
    return estimate("noise", min(within, between), "1", {"within": within, "between": between})


def _within(picture: Picture) -> float:
    """Coding takes the finest noise first: the larger of that at one pixel and at two."""
    halved = cv2.resize(picture, (picture.shape[1] // 2, picture.shape[0] // 2), interpolation=cv2.INTER_AREA)
    return max(_hiss(picture), 2.0 * _hiss(np.asarray(halved, np.float32)))


def _between(first: NDArray[np.uint8], other: NDArray[np.uint8]) -> float:
    rows, columns = (n // _BLOCK * _BLOCK for n in first.shape)
    gap = other[:rows, :columns].astype(np.float32) - first[:rows, :columns]
    gap -= cv2.blur(gap, (5, 5))
    blocks = np.abs(gap).reshape(rows // _BLOCK, _BLOCK, columns // _BLOCK, _BLOCK)
    spread = blocks.mean(axis=(1, 3)) * math.sqrt(math.pi / 2)
    shown = (first[:rows:_BLOCK, :columns:_BLOCK] > 17) & (first[:rows:_BLOCK, :columns:_BLOCK] < 234)
    return float(np.median(spread[shown]) if shown.mean() > 0.1 else np.median(spread)) / math.sqrt(2)


_GROUPS, _AGREE = 14, 8  # parts of the picture, and how many of them, the quietest, have to agree
_LAGS = (2, 3, 6)  # rows apart, at 640 columns
_SMOOTH, _ROWS = 25.0, 20  # rows: what varies more slowly is light, no band; rows that are judged together


def stripes(pictures: NDArray[np.uint8]) -> Estimate:
    """diagnosis.stripes: root mean square of bands that go across the whole picture, rows or columns, codes.

    Rows a little apart are subtracted and the median taken in each of fourteen parts across: on one surface nothing
    is left. What the eight quietest parts have in common (mean product of pairs) is a band: rows of windows to both
    sides of a street are none. It has to be there in half of the picture's height: a horizon is none.
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
        parts = np.stack([np.median(part, axis=1) for part in np.array_split(gap, _GROUPS, axis=1)]).astype(
            np.float32
        )
        parts = _without_slow(parts, _SMOOTH * scale)
        least = np.take_along_axis(parts, np.argsort(np.abs(parts), axis=0)[:_AGREE], axis=0)
        pairs = (least.sum(axis=0) ** 2 - (least**2).sum(axis=0)) / (_AGREE * (_AGREE - 1))
        high = max(1, round(_ROWS * scale))
        count = max(1, len(pairs) // high)
        common = [float(part.mean()) for part in np.array_split(pairs, count)]
        strongest = max(strongest, float(np.median(common)))
    return math.sqrt(strongest / 2)


def _without_slow(rows: Picture, sigma: float) -> Picture:
    smooth = cv2.GaussianBlur(
        rows, (2 * round(2 * sigma) + 1, 1), sigmaX=sigma, borderType=cv2.BORDER_REPLICATE
    )
    return np.asarray(rows - smooth, np.float32)
