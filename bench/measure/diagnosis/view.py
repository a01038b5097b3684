"""What differs from a reference picture of the view: another view, a change of colour."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from bench.measure.colour_picture import ColourPicture
from bench.measure.diagnosis.pictures import Luma, Picture, checked, estimate, scaled, settled
from bench.measure.diagnosis.reference import Reference
from standards.errors import MeasurementRefused
from standards.quantity import Estimate

__all__ = ["agreement", "band", "cast", "placed", "same_size"]

_COLUMNS = 320
_ABOUT = 0.02  # share of the width that a view may sway by
_LEAST_STRUCTURE = 4.0  # codes squared: mean square of a reference's band
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
    edge = max(2, round(_ABOUT * _COLUMNS))
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
    """diagnosis.view_agreement, %: correlation of the view's structure with the reference's, best within 2 % of the
    width and over the runs. Near 100: the same view; near 0: another, or one turned aside.

    pictures: (n, rows, columns) uint8; run: (n,). Raises MeasurementRefused where the reference has no structure to know
    it by.
    """
    found = settled(pictures, run)
    known = band(same_size(found[0], reference.luma))
    if float(np.mean(known**2)) < _LEAST_STRUCTURE:
        raise MeasurementRefused("the reference has too little structure to know the view by")
    best, shift = max(placed(band(p), known) for p in found)
    return estimate("view_agreement", 100 * max(best, 0.0), "%", {"shift": list(shift)})


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
