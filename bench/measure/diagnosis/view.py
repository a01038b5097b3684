"""What differs from a reference picture of the view: another view, what is hidden, a change of colour."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from bench.measure.colour_picture import ColourPicture
from bench.measure.diagnosis.pictures import Luma, Picture, checked, estimate, scaled
from standards.errors import MeasurementRefused
from standards.quantity import Estimate

__all__ = ["Reference", "agreement", "cast", "occlusion"]

_COLUMNS = 320
_ABOUT = 0.02  # share of the width that a view may sway by
_LEAST_STRUCTURE = 4.0  # codes squared: mean square of a reference's or a cell's band
_GRID = (12, 8)  # columns, rows of cells
_ALIKE, _UNLIKE = 0.5, 0.25  # correlation of a cell with what it was
_DARKENED, _FEWEST = 30.0, 12  # codes that a plain cell is off by; cells that have to be judged
_LEAST_CHROMA = 0.3  # codes: a picture in grey has less


@dataclass(frozen=True)
class Reference:
    """The view as it should be, taken when it was."""

    luma: Luma
    colour: ColourPicture | None = None


def _band(picture: Luma) -> Picture:
    """What is neither light nor noise, at 320 columns, limited."""
    wide = scaled(picture)
    small = cv2.resize(
        wide,
        (_COLUMNS, max(8, round(wide.shape[0] * _COLUMNS / wide.shape[1]))),
        interpolation=cv2.INTER_AREA,
    )
    band = cv2.GaussianBlur(small, (0, 0), 1.0) - cv2.GaussianBlur(small, (0, 0), 6.0)
    return np.asarray(np.clip(band, -16, 16), np.float32)


def _placed(picture: Picture, reference: Picture) -> tuple[float, tuple[int, int]]:
    """Highest correlation within a small shift, and the shift (columns, rows)."""
    edge = max(2, round(_ABOUT * _COLUMNS))
    inner = picture[edge:-edge, edge:-edge]
    found = cv2.matchTemplate(reference, np.ascontiguousarray(inner), cv2.TM_CCOEFF_NORMED)
    _, best, _, place = cv2.minMaxLoc(found)
    return float(best), (place[0] - edge, place[1] - edge)


def _both(picture: Luma, reference: Luma) -> tuple[Luma, Luma]:
    first, other = checked(picture[None])[0], checked(reference[None])[0]
    if first.shape != other.shape:
        raise MeasurementRefused(
            f"the reference is {other.shape[1]} x {other.shape[0]}, the picture {first.shape[1]} x {first.shape[0]}: "
            "take the reference anew"
        )
    return first, other


def agreement(picture: Luma, reference: Reference) -> Estimate:
    """diagnosis.view_agreement, %: correlation of the view's structure with the reference's, best within 2 % of the
    width. Near 100: the same view; near 0: another, or one turned aside.

    picture: (rows, columns) uint8. Raises MeasurementRefused where the reference has no structure to know it by.
    """
    first, other = _both(picture, reference.luma)
    known = _band(other)
    if float(np.mean(known**2)) < _LEAST_STRUCTURE:
        raise MeasurementRefused("the reference has too little structure to know the view by")
    best, shift = _placed(_band(first), known)
    return estimate("view_agreement", 100 * max(best, 0.0), "%", {"shift": list(shift)})


def occlusion(picture: Luma, reference: Reference) -> Estimate:
    """diagnosis.hidden, %: share of the view that is no longer what the reference shows.

    A cell with structure is hidden where it correlates with the reference by less than 0.25; a plain one where it is off
    by more than 30 codes from what the cells that are still seen say of the exposure.
    picture: (rows, columns) uint8. Raises MeasurementRefused where fewer than twelve cells can be judged.
    """
    first, other = _both(picture, reference.luma)
    now, known = _band(first), _band(other)
    _, (dx, dy) = _placed(now, known)
    known = np.roll(known, (-dy, -dx), axis=(0, 1))
    mean = [cv2.resize(p, _GRID, interpolation=cv2.INTER_AREA) for p in (now * known, now**2, known**2)]
    alike = mean[0] / np.sqrt(np.maximum(mean[1] * mean[2], 1e-6))
    alike = np.where(mean[1] < 0.02 * mean[2], 0.0, alike)
    structured = mean[2] >= _LEAST_STRUCTURE
    hidden = structured & (alike < _UNLIKE)
    judged, off = _plain(first, other, structured & (alike >= _ALIKE), ~structured)
    count = int(structured.sum() + judged.sum())
    if count < _FEWEST:
        raise MeasurementRefused("the reference has too little structure to know what is hidden")
    share = 100 * float(hidden.sum() + off.sum()) / count
    return estimate("hidden", share, "%", {"cells": count, "structured": int(structured.sum())})


def _plain(
    first: Luma, other: Luma, seen: NDArray[np.bool_], plain: NDArray[np.bool_]
) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Which plain cells can be judged by their light, and which of them are off."""
    none = np.zeros_like(plain)
    if int(seen.sum()) < 6:
        return none, none
    now, before = (cv2.resize(scaled(p), _GRID, interpolation=cv2.INTER_AREA) for p in (first, other))
    x, y = before[seen], now[seen]
    line = np.polyfit(x, y, 1) if np.ptp(x) > 10 else np.array([1.0, float(np.median(y - x))])
    rest = np.abs(y - np.polyval(line, x))
    kept = rest <= max(2.5 * float(np.median(rest)), 3.0)
    if int(kept.sum()) >= 6 and np.ptp(x[kept]) > 10:
        line = np.polyfit(x[kept], y[kept], 1)
    judged = plain & (before > x.min() - 10) & (before < x.max() + 10)
    gap = np.abs(now - np.clip(np.polyval(line, before), 16, 235))
    return judged, judged & (gap > _DARKENED + 2 * float(np.median(rest)))


def cast(picture: ColourPicture, reference: Reference) -> Estimate:
    """diagnosis.cast, stops: by how much red over blue, in light, is off from the reference, at the median pixel.

    Both pictures are brought to light by the curve of BT.709; pixels near either end count in neither. Without a
    reference a yellow field and a yellow cast look the same: that is refused, not guessed.
    The reference may be of a grey chart, but has to have been taken in colour, which whoever gives it vouches for.
    Raises MeasurementRefused without a colour reference or where the picture is grey (night).
    """
    if reference.colour is None:
        raise MeasurementRefused("a colour cast is told against a reference picture in colour: give one")
    if picture.shape != reference.colour.shape:
        raise MeasurementRefused("the reference has another size than the picture: take the reference anew")
    if (
        max(float(np.abs(p.astype(np.int16) - 128).mean()) for p in (picture.blue, picture.red))
        < _LEAST_CHROMA
    ):
        raise MeasurementRefused(
            "the picture is grey: a cast does not show (night, or a camera without colour)"
        )
    pair = [_light(p) for p in (picture, reference.colour)]
    usable = np.logical_and.reduce([((p > 0.01) & (p < 0.9)).all(axis=-1) for p in pair])
    if float(usable.mean()) < 0.02:
        raise MeasurementRefused("too few pixels are neither dark nor clipped in both pictures")
    now, before = (np.log2(p[usable][:, 0] / p[usable][:, 2]) for p in pair)
    off = float(np.median(now - before))
    return estimate("cast", abs(off), "1", {"red_over_blue_stops": off})


def _light(picture: ColourPicture) -> NDArray[np.float64]:
    """(rows, columns, 3) light of every fourth pixel or fewer, R G B."""
    step = max(2, round(picture.shape[1] / 320))
    codes = np.clip(picture.rgb((slice(0, None, step), slice(0, None, step))), 0, 1)
    return np.asarray(
        np.where(codes < 0.081, codes / 4.5, ((codes + 0.099) / 1.099) ** (1 / 0.45)), np.float64
    )
