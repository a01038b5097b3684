"""Noise that is seen in the decoded picture, and is neither texture, motion nor what coding adds to texture."""

from __future__ import annotations

import math

import cv2
import numpy as np
from numpy.typing import NDArray

from bench.measure.diagnosis.detail import hiss
from bench.measure.diagnosis.pictures import Luma, Picture, beyond, checked, estimate
from standards.quantity import Estimate

__all__ = ["noise"]

_BLOCK, _QUANTILE = 16, 0.35  # pixels; share of the blocks that are quieter
_OF_TEXTURE = 0.22  # what coding errs by in texture, of the texture's own finest detail
_STEPS, _ENOUGH, _EDGE = 3, 0.01, 8  # of following the view: steps, pixels, border that is left out
_SURE = 0.2  # likeness from which a view that moved by more than a pixel is followed


def noise(pictures: Luma, run: NDArray[np.int64], usual: float = 0.0) -> Estimate:
    """diagnosis.noise: standard deviation of the noise that is seen in the decoded picture beyond the usual one, codes.

    The first pictures (key frames) of two runs, seconds apart, are laid on one another to a hundredth of a pixel, so that
    a pole in the wind makes no noise of texture; the difference is judged block by block and the quieter third of the
    blocks decides, so that bodies that pass make none. A share of the picture's finest detail is taken off: coding errs by
    about that much in dense texture.
    pictures: (n, rows, columns) uint8; run: (n,); usual: value of the reference. Raises MeasurementRefused below two
    pictures.
    """
    found = checked(pictures, 2)
    first = [int(np.flatnonzero(run == r)[0]) for r in np.unique(run)]
    pair = (first[0], first[1]) if len(first) > 1 else (0, len(found) - 1)
    before = found[pair[0]].astype(np.float32)
    difference = _laid_on(before, found[pair[1]].astype(np.float32)) - before
    between = _of_blocks(difference, before)
    texture = float(np.median([_finest(found[i].astype(np.float32)) for i in first]))
    whole = beyond(between, _OF_TEXTURE * texture)
    details = {"between": between, "finest_detail": texture, "whole": whole, "usual": usual}
    return estimate("noise", beyond(whole, usual), "1", details)


def _laid_on(first: Picture, other: Picture) -> Picture:
    """The other picture shifted to where the first one stands: Gauss-Newton on the slope, shifts by its spectrum, which
    leaves noise as strong as it was."""
    smooth = cv2.GaussianBlur(first, (0, 0), 1.0)
    slope = np.stack(
        [cv2.Sobel(smooth, cv2.CV_32F, 1, 0, scale=1 / 8), cv2.Sobel(smooth, cv2.CV_32F, 0, 1, scale=1 / 8)]
    )
    slope[:, :_EDGE], slope[:, -_EDGE:], slope[:, :, :_EDGE], slope[:, :, -_EDGE:] = 0, 0, 0, 0
    spectrum = np.fft.rfft2(other)
    down, across = np.fft.fftfreq(first.shape[0])[:, None], np.fft.rfftfreq(first.shape[1])[None]
    window = cv2.createHanningWindow((first.shape[1], first.shape[0]), cv2.CV_32F)
    (dx, dy), likeness = cv2.phaseCorrelate(smooth, cv2.GaussianBlur(other, (0, 0), 1.0), window)
    shift = np.array([dx, dy]) if likeness > _SURE and math.hypot(dx, dy) > 1 else np.zeros(2)

    def shifted() -> Picture:
        turned = spectrum * np.exp(2j * np.pi * (across * shift[0] + down * shift[1]))
        return np.asarray(np.fft.irfft2(turned, first.shape), np.float32)

    moved = shifted()
    for _ in range(_STEPS):
        gap = cv2.GaussianBlur(moved, (0, 0), 1.0) - smooth
        trust = 1 / (1 + (gap / (4 + 2 * float(np.median(np.abs(gap))))) ** 2)
        normal = np.einsum("arc,brc,rc->ab", slope, slope, trust) + 1e-3 * np.eye(2)
        step = np.linalg.solve(normal, np.einsum("arc,rc,rc->a", slope, gap, trust))
        shift -= step
        moved = shifted()
        if float(np.abs(step).max()) < _ENOUGH:
            break
    return moved


def _of_blocks(difference: Picture, first: Picture) -> float:
    """Standard deviation of one picture's noise in the quieter blocks that are neither black nor white, codes."""
    rows, columns = (n // _BLOCK * _BLOCK for n in difference.shape)
    fine = (difference - cv2.blur(difference, (5, 5)))[:rows, :columns]
    mean = np.abs(fine).reshape(rows // _BLOCK, _BLOCK, columns // _BLOCK, _BLOCK).mean(axis=(1, 3))
    # Of normal noise: mean of the magnitude; two pictures; 1 of 25 pixels went with the mean.
    spread = (mean * math.sqrt(math.pi / 2) / math.sqrt(2 * 24 / 25))[1:-1, 1:-1]
    middle = first[_BLOCK // 2 : rows : _BLOCK, _BLOCK // 2 : columns : _BLOCK][1:-1, 1:-1]
    shown = (middle > 17) & (middle < 234)
    return float(np.quantile(spread[shown] if shown.mean() > 0.1 else spread, _QUANTILE))


def _finest(picture: Picture) -> float:
    """Fine detail of any kind, codes: the larger of that at one pixel and at two (coding takes the finest first)."""
    halved = cv2.resize(picture, (picture.shape[1] // 2, picture.shape[0] // 2), interpolation=cv2.INTER_AREA)
    return max(hiss(picture), 2.0 * hiss(np.asarray(halved, np.float32)))
