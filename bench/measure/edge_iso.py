"""Edge-based spatial frequency response as ISO 12233:2023 has it, step by step as sfrmat5 computes it.

The clause text was not read by us; the steps are those of the published program sfrmat5 (P. Burns), as noted beforehand.
Every known weakness is left in, since the figure has to be comparable: the bins' own response, the window as wide as
the rectangle, noise that counts as response. The better figure is `bench.measure.edge`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

from standards.errors import MeasurementRefused

__all__ = ["IsoSfr", "edge_sfr_iso"]

_Floats = NDArray[np.float64]
_BINS = 4  # a pixel
_DEFAULT_ORDER, _MOST_ORDER = 5, 5
_MOST_CORRECTION = 10.0
_FLOOR = 0.05  # what the window keeps at its ends
_LEAST_SIZE = 16
_LEAST_STEP_TO_NOISE = 1.0


@dataclass(frozen=True)
class IsoSfr:
    """frequency: cycles a pixel along the normal, 0 to about 2; sfr: response, 1 at 0. mtf50, mtf10: first fall below,
    nan if none is seen. slope_deg: of the straight edge to the pixel grid; rows: how many were used, a whole number of
    phase cycles; order: of the edge's polynomial."""

    frequency: _Floats
    sfr: _Floats
    mtf50: float
    mtf10: float
    slope_deg: float
    rows: int
    order: int


def _window(x: _Floats, middle: _Floats, length: int) -> _Floats:
    """Tukey window with alpha 1 (Hann) about a middle that need not be the row's, on a floor.

    Its half is as long as the longer side: asymmetric where the row ends.
    """
    half = np.maximum(middle, length - 1 - middle)
    return np.asarray(
        (1 - _FLOOR) * 0.5 * (1 + np.cos(np.pi * np.minimum(np.abs(x - middle) / half, 1.0))) + _FLOOR
    )


@cache
def _fit_basis(rows: int, order: int) -> tuple[_Floats, _Floats]:
    """Powers of the row, scaled to -1..1, and the matrix that makes least-squares coefficients of them."""
    scaled = np.arange(rows) / max((rows - 1) / 2, 1) - 1
    powers = np.vander(scaled, order + 1, increasing=True)
    return powers, np.asarray(np.linalg.pinv(powers))


def _located(derivative: _Floats, window: _Floats) -> _Floats:
    """Centroid of each row's derivative, columns. Raises MeasurementRefused where a row has none."""
    weighted = derivative * window
    mass = weighted.sum(1)
    if not (np.abs(mass) > 0).all():
        raise MeasurementRefused(
            "a row of the rectangle has no edge: choose a rectangle that the edge crosses"
        )
    # The difference of neighbours belongs half a pixel before the second.
    return np.asarray((weighted @ np.arange(derivative.shape[1])) / mass - 0.5)


def _edge(roi: _Floats, order: int) -> tuple[_Floats, float]:
    """Place of the edge in each row by a polynomial, columns, and the slope of the straight line, columns a row."""
    rows, columns = roi.shape
    derivative = np.empty_like(roi)
    derivative[:, 1:] = (roi[:, 1:] - roi[:, :-1]) / 2
    derivative[:, 0] = derivative[:, 1]
    x = np.arange(columns, dtype=np.float64)
    powers, solve = _fit_basis(rows, order)
    middle = np.array((columns - 1) / 2)
    place = _located(derivative, _window(x, middle, columns)[None, :])
    fitted = powers @ (solve @ place)
    place = _located(derivative, _window(x[None, :], fitted[:, None], columns))
    solve_line = _fit_basis(rows, 1)[1]
    slope = float((solve_line @ place)[1] / max((rows - 1) / 2, 1))
    return np.asarray(powers @ (solve @ place)), slope


def _spread_function(roi: _Floats, place: _Floats) -> _Floats:
    """Edge spread function in quarter pixels along the row; empty bins take the mean of their neighbours."""
    columns = roi.shape[1]
    count = columns * _BINS
    # Shifted so that the edge lies in the middle of the bins: only a common shift, which the modulus does not see.
    shift = (columns - 1) / 2 - place
    at = np.ceil((np.arange(columns)[None, :] + shift[:, None]) * _BINS).astype(np.int64).ravel()
    inside = (at >= 0) & (at < count)
    at, values = at[inside], roi.ravel()[inside]
    number = np.bincount(at, minlength=count)
    total = np.bincount(at, values, minlength=count)
    filled = np.flatnonzero(number)
    if len(filled) < count // 2:
        raise MeasurementRefused(
            "the edge's bins stay empty: take a taller rectangle, or turn the chart to 2 to 15 degrees"
        )
    mean = total[filled] / number[filled]
    return np.asarray(np.interp(np.arange(count), filled, mean)) if len(filled) < count else mean


@cache
def _correction(count: int) -> _Floats:
    """What the difference over two bins takes off, given back: 1 / sinc, at most 10.

    sfrmat5 counts its frequencies from one here, and so corrects by one step of frequency too much (0.1 % of MTF50):
    kept, since its figures are what is to be met.
    """
    argument = np.arange(1, count + 1) / (count + 1)
    argument[0] = 0.0
    return np.asarray(
        np.minimum(1 / np.maximum(np.abs(np.sinc(argument)), 1 / _MOST_CORRECTION), _MOST_CORRECTION)
    )


def _crossing(frequency: _Floats, sfr: _Floats, level: float) -> float:
    below = np.flatnonzero(sfr < level)
    if len(below) == 0 or below[0] == 0:
        return math.nan
    k = int(below[0])
    share = (sfr[k - 1] - level) / (sfr[k - 1] - sfr[k])
    return float(frequency[k - 1] + share * (frequency[k] - frequency[k - 1]))


def _upright(roi: NDArray[np.floating]) -> _Floats:
    """With the edge nearer to the columns' direction. Raises MeasurementRefused for what holds no edge."""
    found = np.asarray(roi, dtype=np.float64)
    if found.ndim != 2 or min(found.shape) < _LEAST_SIZE or not np.isfinite(found).all():
        raise MeasurementRefused(
            f"an edge needs a rectangle of at least {_LEAST_SIZE} x {_LEAST_SIZE} finite pixels"
        )
    across = abs(float(found[:, -5:].mean() - found[:, :5].mean()))
    along = abs(float(found[-5:, :].mean() - found[:5, :].mean()))
    found = found.T if across < along else found
    sides = found[:, :5], found[:, -5:]
    noise = math.sqrt((float(sides[0].var()) + float(sides[1].var())) / 2)
    if max(across, along) <= _LEAST_STEP_TO_NOISE * noise or max(across, along) <= 0:
        raise MeasurementRefused("no edge: its step does not stand out of the noise")
    return np.ascontiguousarray(found)


def edge_sfr_iso(roi: NDArray[np.floating], *, order: int = _DEFAULT_ORDER) -> IsoSfr:
    """e-SFR of ISO 12233:2023 as sfrmat5 computes it (Tukey window, polynomial edge).

    roi: (rows, columns) linear light, any scale, one slanted edge. order: of the edge's polynomial, 1 to 5.
    Raises MeasurementRefused if there is no edge, or one that runs along the pixel grid.
    """
    if not 1 <= order <= _MOST_ORDER:
        raise ValueError(f"an edge's polynomial is of order 1 to {_MOST_ORDER}, not {order}")
    upright = _upright(roi)
    place, slope = _edge(upright, order)
    rows = upright.shape[0]
    cycles = math.floor(rows * abs(slope))
    if cycles < 1:
        raise MeasurementRefused(
            "the edge crosses no whole column of pixels: turn the chart to 2 to 15 degrees"
        )
    used = min(rows, round(cycles / abs(slope)))
    esf = _spread_function(upright[:used], place[:used])
    count = len(esf)
    lsf = np.empty(count)
    lsf[1:-1] = (esf[2:] - esf[:-2]) / 2
    lsf[0], lsf[-1] = lsf[1], lsf[-2]
    middle = float((lsf @ np.arange(count)) / lsf.sum()) if lsf.sum() else math.nan
    if not 0 <= middle <= count - 1:
        raise MeasurementRefused(
            "the edge's line spread function has no centre in the rectangle: centre the rectangle"
        )
    # Moved to the middle by whole bins; what leaves at one end is not brought back at the other.
    move = round((count - 1) / 2 - middle)
    moved = np.zeros(count)
    moved[max(move, 0) : count + min(move, 0)] = lsf[max(-move, 0) : count - max(move, 0)]
    windowed = moved * _window(np.arange(count, dtype=np.float64), np.array((count - 1) / 2), count)
    spectrum = np.abs(np.fft.rfft(windowed))
    sfr = spectrum / spectrum[0] * _correction(len(spectrum))
    # One bin is a quarter pixel along the row, so cos of the slope less along the normal.
    frequency = np.arange(len(sfr)) * _BINS / count / math.cos(math.atan(slope))
    return IsoSfr(
        frequency, sfr, _crossing(frequency, sfr, 0.5), _crossing(frequency, sfr, 0.1),
        math.degrees(math.atan(abs(slope))), used, order,
    )  # fmt: skip
