"""Pixel density: pixels a metre where the subject will stand, by a board of known size that is held there."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from bench.measure.board_fit import BoardFit, Lens, fit
from bench.measure.uncertainty import combine, normal
from fixtures.charts import CHARTS
from standards.errors import MeasurementRefused
from standards.quantity import Contribution, Estimate, Kind

__all__ = ["Board", "pixel_density"]

_Floats = NDArray[np.float64]
_BOARD = CHARTS["board"]
_NOMINAL = 280.0  # mm between the markers' outer sides, as drawn
_LEAST_WIDTH = 36.0  # pixels of the whole board: below it the figure was not seen to hold
_MOST_WIDTH = 260.0  # pixels that are fitted; a larger board is averaged down first
_MOST_TILT = 40.0  # degrees
_LEAST_SPAN, _MOST_MISFIT = 25.0, 0.12  # codes; share of the span
_GUESS, _GUESS_SD = (
    60.0,
    0.35,
)  # horizontal field of view that is not declared: degrees, sd of the log focal length
_K1_SD = 0.1  # distortion at half a diagonal from the middle: sd of what is usual
_MODEL = 0.0008  # of the density: coding and sharpening, which the fit does not know
#: Of the density, at half a diagonal from the middle, where distortion and a tilt look alike: for a board as wide as the
#: picture (a larger board tells them apart better), and within these bounds.
_OFF_AXIS, _OFF_AXIS_BOUNDS = 0.0025, (0.008, 0.03)
_SCALES = (1, 2, 3, 4)


@dataclass(frozen=True)
class Board:
    """width_mm: between the outer sides of the two markers, by certificate; u_mm: its standard uncertainty."""

    width_mm: float
    u_mm: float


def _corners(picture: NDArray[np.uint8]) -> _Floats:
    """(8, 2) corners of both markers. Raises MeasurementRefused if they are not there once each."""
    for scale in _SCALES:
        if scale > 1 and picture.shape[1] * scale > 8000:
            break
        found = _marked(picture, scale)
        if found is not None:
            return found
    raise MeasurementRefused(
        "the board is not found in the picture: hold it upright towards the camera, nearer, or print it larger"
    )


def _marked(picture: NDArray[np.uint8], scale: int) -> _Floats | None:
    parameters = cv2.aruco.DetectorParameters()
    parameters.cornerRefinementMethod = cv2.aruco.CORNER_REFINE_SUBPIX
    parameters.adaptiveThreshWinSizeMax = 43
    parameters.adaptiveThreshWinSizeStep = 20
    parameters.minMarkerPerimeterRate = 0.012
    shown = picture
    if scale > 1:
        shown = np.asarray(
            cv2.resize(picture, None, fx=scale, fy=scale, interpolation=cv2.INTER_CUBIC), np.uint8
        )
    dictionary = cv2.aruco.getPredefinedDictionary(cv2.aruco.DICT_4X4_50)
    quads, ids, _ = cv2.aruco.ArucoDetector(dictionary, parameters).detectMarkers(shown)
    numbers = [] if ids is None else [int(i) for i in np.asarray(ids).ravel()]
    found = []
    for marker in _BOARD.markers:
        if numbers.count(marker.id) != 1:
            return None
        quad = np.asarray(quads[numbers.index(marker.id)], np.float64).reshape(4, 2)
        found.append((quad + 0.5) / scale - 0.5)
    return np.concatenate(found)


def _mean(pictures: Sequence[NDArray[np.uint8]]) -> NDArray[np.float32]:
    first = pictures[0]
    if first.ndim != 2 or first.dtype != np.uint8 or min(first.shape) < 32:
        raise MeasurementRefused("a luma picture of at least 32 rows and columns is needed")
    same = [picture for picture in pictures if picture.shape == first.shape]
    return np.asarray(np.mean(same, axis=0, dtype=np.float32), np.float32)


def _look(
    pictures: Sequence[NDArray[np.uint8]], hfov_deg: float | None, log_sd: float
) -> tuple[BoardFit, int]:
    """The fit, and by how much the picture was reduced for it."""
    mean = _mean(pictures)
    corners = _corners(np.asarray(np.clip(mean + 0.5, 0, 255), np.uint8))
    width = float(np.hypot(*(corners[5] - corners[0]))) * _BOARD.width / _NOMINAL
    by = max(1, math.ceil(width / _MOST_WIDTH))
    rows, columns = (n // by * by for n in mean.shape)
    # Pixels are averaged in blocks: what remains is a camera of fewer, larger pixels. Up to `by` - 1 columns at the
    # right fall away, which moves the middle that distortion counts from by less than a reduced pixel.
    small = mean[:rows, :columns].reshape(rows // by, by, columns // by, by).mean((1, 3))
    lens = (hfov_deg, log_sd) if hfov_deg is not None else (_GUESS, _GUESS_SD)
    focal = (columns // by) / 2 / math.tan(math.radians(lens[0]) / 2)
    corners = (corners + 0.5) / by - 0.5
    return fit(np.asarray(small, np.float32), corners, Lens(focal, lens[1], _K1_SD)), by


def _check(found: BoardFit, by: int) -> None:
    if found.width * by < _LEAST_WIDTH:
        raise MeasurementRefused(
            f"the board is {found.width * by:.0f} pixels wide, {_LEAST_WIDTH:.0f} are needed: bring it nearer, or "
            "print it larger"
        )
    if found.tilt_deg > _MOST_TILT:
        raise MeasurementRefused(
            f"the board is tilted by {found.tilt_deg:.0f} degrees: turn it to the camera"
        )
    if found.span < _LEAST_SPAN:
        raise MeasurementRefused("the board shows too little contrast: light it, from the camera's side")
    if found.misfit > _MOST_MISFIT or not math.isfinite(found.u_across):
        raise MeasurementRefused(
            f"the board is not seen as drawn ({found.misfit:.0%} of its contrast is left over): uncover it, keep it "
            "flat and still, without reflections"
        )


def pixel_density(
    pictures: Sequence[NDArray[np.uint8]],
    board: Board,
    *,
    hfov_deg: float | None = None,
    hfov_u: float = 0.02,
) -> tuple[Estimate, Estimate]:
    """Pixels a metre across and down, square to the line of sight, where the board is held.

    pictures: (rows, columns) uint8 luma of one scene, n >= 1, of square pixels; hfov_deg: horizontal field of view by
    declaration, degrees, with hfov_u the relative standard uncertainty of the focal length; without it 60 degrees are
    taken with 35 %. Raises MeasurementRefused with the mend. Source: definition of IEC 62676-4 (text not read by us),
    docs/methods/pixel_density.md.
    """
    if not pictures:
        raise MeasurementRefused("no picture could be decoded: nothing to look for the board in")
    if not (math.isfinite(board.width_mm) and board.width_mm > 0):
        raise MeasurementRefused("the board's width is not known: enter its certificate in the station")
    found, by = _look(pictures, hfov_deg, hfov_u)
    _check(found, by)
    details = {
        "board_px": round(found.width * by, 1), "tilt_deg": round(found.tilt_deg, 1),
        "place_px": [round(v * by, 1) for v in found.place], "pictures": len(pictures),
        "misfit": round(found.misfit, 4),
    }  # fmt: skip
    notes = (
        () if hfov_deg is not None else ("field of view not declared: 60 degrees taken, give or take 35 %",)
    )
    one = []
    for key, value, u in (
        ("picture.pixel_density", found.across, found.u_across),
        ("picture.pixel_density_vertical", found.down, found.u_down),
    ):
        density = value * by * 1000.0 * _NOMINAL / board.width_mm
        share = found.width * by / pictures[0].shape[1]
        budget = _budget(density, u / value, board, (_radius(found, by, pictures[0].shape), share))
        combined, dof = combine(budget)
        one.append(
            Estimate(quantity=key, kind=Kind.RATIO, value=density, unit="px/m", u=combined, dof=dof,
                     budget=tuple(budget), details=details, notes=notes)
        )  # fmt: skip
    return one[0], one[1]


def _radius(found: BoardFit, by: int, shape: tuple[int, ...]) -> float:
    """How far from the picture's middle the board is, in half diagonals."""
    x, y = (found.place[0] + 0.5) * by, (found.place[1] + 0.5) * by
    return math.hypot(x - shape[1] / 2, y - shape[0] / 2) * 2 / math.hypot(*shape)


def _budget(density: float, relative: float, board: Board, place: tuple[float, float]) -> list[Contribution]:
    """place: how far from the middle, half diagonals, and how wide, widths of the picture, the board is."""
    off_axis = float(np.clip(_OFF_AXIS / place[1], *_OFF_AXIS_BOUNDS)) * place[0] ** 2
    return [
        normal("place of the board's lines, pose, lens", density * relative, source="fit of the whole board"),
        normal("coding and sharpening", density * _MODEL, source="validation"),
        normal("distortion that looks like a tilt", density * off_axis, source="validation"),
        normal("size of the board", density * board.u_mm / board.width_mm, source="certificate of length"),
    ]
