"""Pictures of charts for tests: rasters, also under perspective, and light from their codes."""

from __future__ import annotations

import functools
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from fixtures.charts import CHARTS, Region
from fixtures.charts.raster import raster

Floats = NDArray[np.float64]
Picture = NDArray[np.uint8]

#: Pixels a millimetre of 1920 x 1080 and of 3840 x 2160.
HD, UHD = 6.0, 12.0
#: Where the corners of a chart of 320 mm x 180 mm lie in a picture of 1920 x 1080 that is seen aslant.
ASLANT = np.array([[61.3, 48.9], [1838.2, 21.4], [1893.7, 1052.8], [27.1, 1021.6]])


@functools.cache
def drawn(name: str, scale: float = HD, count: int | None = None) -> Picture:
    """Raster of a chart; count: what its panels show."""
    chart = CHARTS[name]
    return raster(chart, scale, lit=chart.shown(count) if count is not None else ())


def light(codes: Picture) -> Floats:
    """Linear light of sRGB codes (IEC 61966-2-1), written apart from what encodes them."""
    value = codes.astype(np.float64) / 255
    return np.asarray(np.where(value <= 0.04045, value / 12.92, ((value + 0.055) / 1.055) ** 2.4))


def grey(picture: Picture) -> Picture:
    """(rows, columns) of a picture that may be in colour."""
    return picture if picture.ndim == 2 else np.asarray(cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY), np.uint8)


@functools.cache
def aslant(name: str, count: int | None = None) -> tuple[Picture, Any]:
    """A chart seen in perspective, 1920 x 1080 grey, and the true homography from millimetres to pixels.

    Pixel centres lie on whole numbers, as OpenCV has it.
    """
    chart, scale = CHARTS[name], 1.5 * HD
    corners = np.array(chart.frame.corners)
    truth = cv2.getPerspectiveTransform(corners.astype(np.float32), ASLANT.astype(np.float32))
    to_mm = np.array([[1 / scale, 0, 0.5 / scale], [0, 1 / scale, 0.5 / scale], [0, 0, 1.0]])
    big = grey(drawn(name, scale, count))
    oversized = np.array(
        [[2.0, 0, 0.5], [0, 2.0, 0.5], [0, 0, 1.0]]
    )  # sampled twice as finely, then averaged
    seen = cv2.warpPerspective(big, oversized @ truth @ to_mm, (3840, 2160), flags=cv2.INTER_LINEAR)
    return np.asarray(cv2.resize(seen, (1920, 1080), interpolation=cv2.INTER_AREA), np.uint8), truth


def mapped(matrix: Any, points: Any) -> Floats:
    """Points, millimetres, by a homography, pixels."""
    whole = np.asarray(points, dtype=np.float64).reshape(1, -1, 2)
    return np.asarray(cv2.perspectiveTransform(whole, matrix)[0], np.float64)


def inner(region: Region, scale: float, share: float = 0.8) -> tuple[Any, Any]:
    """Rows and columns of the pixels whose centres lie in the inner part of a region."""
    corners = (np.asarray(region.inset(share).corners) * scale).astype(np.float32)
    x0, y0 = np.floor(corners.min(0)).astype(int)
    x1, y1 = np.ceil(corners.max(0)).astype(int)
    rows, columns = np.mgrid[y0:y1, x0:x1]
    held = np.ones(rows.shape, dtype=bool)
    for (ax, ay), (bx, by) in zip(corners, np.roll(corners, -1, axis=0), strict=True):
        held &= (bx - ax) * (rows + 0.5 - ay) - (by - ay) * (columns + 0.5 - ax) > 0
    return rows[held], columns[held]
