"""What differs from a reference picture of the view: another view, a change of colour."""

from __future__ import annotations

from itertools import pairwise

import cv2
import numpy as np
from numpy.typing import NDArray

from bench.measure.colour_picture import ColourPicture
from bench.measure.diagnosis.pictures import Luma, Picture, burnt_in, checked, estimate, scaled, settled
from bench.measure.diagnosis.reference import Reference
from standards.errors import MeasurementRefused
from standards.quantity import Estimate

__all__ = ["agreement", "band", "cast", "placed", "same_size"]

_Cell = tuple[slice, slice]
_COLUMNS = 320
_ABOUT = 0.02  # share of the width that a view may sway by
_LEAST_TEXT = 0.05  # share of a cell
_LEAST_STRUCTURE = 1.0  # codes squared: mean square of a reference's band, in a cell
_CELLS, _LEAST_CELLS = (5, 8), 6  # rows, columns; with structure
_FLAT = 0.05  # codes: standard deviation of a cell that shows nothing
_LEAST_CHROMA = 0.3  # codes: a picture in grey has less


def band(picture: Luma) -> Picture:
    """(rows, 320) What is neither light nor noise, at 320 columns, limited."""
    wide = scaled(picture)
    small = cv2.resize(
        wide,
        (_COLUMNS, max(8, round(wide.shape[0] * _COLUMNS / wide.shape[1]))),
        interpolation=cv2.INTER_AREA,
    )
    band = cv2.GaussianBlur(small, (0, 0), 1.0) - cv2.GaussianBlur(small, (0, 0), 6.0)
    return np.asarray(np.clip(band, -16, 16), np.float32)


def placed(picture: Picture, reference: Picture) -> tuple[float, tuple[int, int]]:
    """Highest correlation within a small shift, and the shift (columns, rows)."""
    edge = _about()
    inner = picture[edge:-edge, edge:-edge]
    found = cv2.matchTemplate(reference, np.ascontiguousarray(inner), cv2.TM_CCOEFF_NORMED)
    _, best, _, place = cv2.minMaxLoc(found)
    return float(best), (place[0] - edge, place[1] - edge)


def same_size(picture: Luma, reference: Luma) -> Luma:
    """The reference, (rows, columns). Raises MeasurementRefused if it has another size than the picture."""
    first, other = picture, checked(reference[None])[0]
    if first.shape != other.shape:
        raise MeasurementRefused(
            f"the reference is {other.shape[1]} x {other.shape[0]}, the picture {first.shape[1]} x {first.shape[0]}: "
            "take the reference anew"
        )
    return np.asarray(other, np.uint8)


def agreement(pictures: Luma, run: NDArray[np.int64], reference: Reference) -> Estimate:
    """diagnosis.view_agreement, %: correlation of the view's structure with the reference's, the median of the cells that
    have structure, all moved alike by up to 2 % of the width, best of the runs. Near 100: the same view; near 0: another,
    or one turned aside. A body that stands before the view takes a few cells, however much structure it has.

    pictures: (n, rows, columns) uint8; run: (n,). Raises MeasurementRefused where the reference has too few cells of
    structure to know it by.
    """
    found = settled(pictures, run)
    whole = same_size(found[0], reference.luma)
    known = band(whole)
    cells = _structured(known, _text(whole, known.shape))
    if len(cells) < _LEAST_CELLS:
        raise MeasurementRefused("the reference has too little structure to know the view by")
    best, shift = max(_alike(band(p), known, cells) for p in found)
    return estimate("view_agreement", 100 * max(best, 0.0), "%", {"shift": list(shift), "cells": len(cells)})


def _about() -> int:
    """Columns, of `band`, that a view may sway by."""
    return max(2, round(_ABOUT * _COLUMNS))


def _text(picture: Luma, shape: tuple[int, ...]) -> NDArray[np.bool_]:
    """Where text is burnt in, at the shape of `band`: a clock says nothing of the view."""
    text = burnt_in(scaled(picture)).astype(np.uint8)
    return np.asarray(cv2.resize(text, shape[::-1], interpolation=cv2.INTER_NEAREST) > 0)


def _structured(known: Picture, text: NDArray[np.bool_]) -> list[_Cell]:
    """Cells of a reference's band that have structure and no text; the rim, which sways out of view, is in none."""
    edge = _about()
    rows, columns = (
        np.linspace(edge, size - edge, count + 1).astype(int)
        for size, count in zip(known.shape, _CELLS, strict=True)
    )
    every = [
        (slice(int(a), int(b)), slice(int(c), int(d)))
        for a, b in pairwise(rows)
        for c, d in pairwise(columns)
    ]
    return [
        cell
        for cell in every
        if float(np.mean(known[cell] ** 2)) >= _LEAST_STRUCTURE and float(text[cell].mean()) < _LEAST_TEXT
    ]


def _alike(picture: Picture, known: Picture, cells: list[_Cell]) -> tuple[float, tuple[int, int]]:
    """Median of the cells' correlations at the shift at which they agree best on the whole, and the shift
    (columns, rows)."""
    edge = _about()
    maps = []
    for rows, columns in cells:
        about = known[rows.start - edge : rows.stop + edge, columns.start - edge : columns.stop + edge]
        found = cv2.matchTemplate(
            np.ascontiguousarray(about), np.ascontiguousarray(picture[rows, columns]), cv2.TM_CCOEFF_NORMED
        )
        # A cell without any structure today agrees with nothing: OpenCV gives 1 or nonsense there.
        maps.append(
            np.where(np.isfinite(found), found, 0.0) if picture[rows, columns].std() > _FLAT else 0 * found
        )
    stack = np.stack(maps)
    row, column = np.unravel_index(int(stack.mean(axis=0).argmax()), stack.shape[1:])
    return float(np.median(stack[:, row, column])), (int(column) - edge, int(row) - edge)


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
