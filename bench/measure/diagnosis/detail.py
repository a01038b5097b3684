"""Blur: how sharp the sharper part of the picture is."""

from __future__ import annotations

import math

import cv2
import numpy as np
from numpy.typing import NDArray

from bench.measure.diagnosis.pictures import (
    WIDTH,
    Picture,
    beyond,
    burnt_in,
    checked,
    estimate,
    scaled,
    slopes,
)
from standards.errors import MeasurementRefused
from standards.quantity import Estimate

__all__ = ["blur", "hiss"]

#: Pixels at 640 columns: Gaussians before the slope, and of blurring it again; codes a pixel that make an edge. The second
#: is asked where the first finds too few: a plain view that is blurred has weak edges alone.
_SCALES = ((1.2, 4.0, 2.0), (2.5, 6.0, 0.7))
_OF_NOISE = 8.0  # times the slope's own noise
_SHARPEST, _SHARP_CELLS = 0.2, 0.25  # of a cell's edges, of the cells: quantiles
_LEAST_EDGES, _LEAST_CELLS = 12, 6
_CELL = 40
_MAD = 1.4826


def blur(pictures: NDArray[np.uint8], usual: float = 0.0) -> Estimate:
    """diagnosis.blur: Gaussian that the sharper part of the picture is blurred by, beyond the usual one, % of its width.

    At each edge the slope before and after one more blur of known width gives the blur that was there (an edge's
    slope falls with the root of the summed squares). A cell counts by the sharper fifth of its edges, the picture
    by the sharper quarter of its cells: a shallow field blurs nothing. Text that is burnt in does not count.
    pictures: (n, rows, columns) uint8; the median over up to three; usual: value of the reference, as some views are soft
    (clouds, water): Gaussians add by their squares. Raises MeasurementRefused where fewer than six
    cells have an edge: a view without structure is neither sharp nor blurred.
    Source: re-blur ratio as in Zhuo and Sim, Pattern Recognition 44 (2011).
    """
    chosen = checked(pictures)[:: max(1, len(pictures) // 3)][:3]
    small = [scaled(p) for p in chosen]
    found: list[tuple[float, float]] = []
    for scale in _SCALES:
        found = found or [value for value in (_blur_of(p, *scale) for p in small) if value is not None]
    if not found:
        raise MeasurementRefused("too few edges in view to tell sharp from blurred: point it at structure")
    sigma, cells = (float(np.median([f[i] for f in found])) for i in (0, 1))
    whole = 100 * sigma / min(pictures.shape[2], WIDTH)
    return estimate("blur", beyond(whole, usual), "%", {"cells": cells, "whole": whole, "usual": usual})


def _blur_of(picture: Picture, before: float, more: float, least: float) -> tuple[float, float] | None:
    fine = slopes(picture, before)
    again = slopes(picture, math.hypot(before, more))
    grain = hiss(picture) / (math.sqrt(8 * math.pi) * (before**2 + 0.3))
    ridge = (fine >= cv2.dilate(fine, np.ones((5, 5), np.uint8)) * 0.9) & ~burnt_in(picture)
    ridge &= fine > max(least, _OF_NOISE * grain)
    rows, columns = np.nonzero(ridge)
    ratio = np.maximum((fine[ridge] / np.maximum(again[ridge], 1e-3)) ** 2, 1.0 + 1e-3)
    squares = more**2 / (ratio - 1.0) - before**2
    cell = rows // _CELL * 64 + columns // _CELL
    sharp = []
    for place in np.unique(cell):
        here = squares[cell == place]
        if len(here) >= _LEAST_EDGES:
            sharp.append(float(np.quantile(here, _SHARPEST)))
    if len(sharp) < _LEAST_CELLS:
        return None
    return math.sqrt(max(float(np.quantile(sharp, _SHARP_CELLS)), 0.0)), float(len(sharp))


def hiss(picture: Picture) -> float:
    """Noise by the diagonal differences of 2 x 2 pixels: they see little of the content."""
    rows, columns = picture.shape[0] // 2 * 2, picture.shape[1] // 2 * 2
    p = picture[:rows, :columns]
    diagonal = (p[::2, ::2] - p[1::2, ::2] - p[::2, 1::2] + p[1::2, 1::2]) / 2
    return _MAD * float(np.median(np.abs(diagonal)))
