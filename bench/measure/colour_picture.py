"""A decoded colour picture as the stream has it: luma at full, colour differences at their own resolution.

Kept as codes, so that nothing is rounded or clipped before a patch of it has been averaged.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

__all__ = ["ColourPicture", "Matrix", "to_rgb"]

_Floats = NDArray[np.float64]
Matrix = Literal["bt601", "bt709", "bt2020"]

#: Weights of red and blue in luma: ITU-R BT.601-7 2.5.1, BT.709-6 3.2, BT.2020-2 table 4.
_WEIGHTS: dict[Matrix, tuple[float, float]] = {
    "bt601": (0.299, 0.114),
    "bt709": (0.2126, 0.0722),
    "bt2020": (0.2627, 0.0593),
}


@dataclass(frozen=True)
class ColourPicture:
    """luma: (rows, columns); blue, red: colour differences C'B and C'R, subsampled by a whole number each way; uint8.

    full_range: codes 0 to 255 instead of 16 to 235 (240 for colour); stated: the stream says matrix and range itself,
    otherwise BT.709 and 16 to 235 are taken.
    """

    luma: NDArray[np.uint8]
    blue: NDArray[np.uint8]
    red: NDArray[np.uint8]
    matrix: Matrix = "bt709"
    full_range: bool = False
    stated: bool = False

    @property
    def shape(self) -> tuple[int, int]:
        """(rows, columns) of the luma."""
        return self.luma.shape[0], self.luma.shape[1]

    def rgb(self, box: tuple[slice, slice]) -> _Floats:
        """(rows, columns, 3) R'G'B' of a box, 0.0 black to 1.0 white, not clipped; still with the tone curve on.

        Colour differences are repeated, not interpolated: a patch's mean does not change by that.
        """
        top, left = self.blue.shape[0], self.blue.shape[1]
        rows = np.arange(*box[0].indices(self.shape[0])) * top // self.shape[0]
        columns = np.arange(*box[1].indices(self.shape[1])) * left // self.shape[1]
        white, black, swing = (255.0, 0.0, 255.0) if self.full_range else (219.0, 16.0, 224.0)
        luma = (self.luma[box].astype(np.float64) - black) / white
        blue = (self.blue[np.ix_(rows, columns)].astype(np.float64) - 128.0) / swing
        red = (self.red[np.ix_(rows, columns)].astype(np.float64) - 128.0) / swing
        return to_rgb(np.stack([luma, blue, red], axis=-1), self.matrix)

    def mean(self, box: tuple[slice, slice]) -> _Floats:
        """(3,) mean Y', C'B, C'R of a box; luma 0.0 black to 1.0 white, colour differences -0.5 to 0.5.

        Colour differences of the samples whose place lies in the box.
        """
        white, black, swing = (255.0, 0.0, 255.0) if self.full_range else (219.0, 16.0, 224.0)
        few = tuple(
            slice(side.start * less // whole, max(side.stop * less // whole, side.start * less // whole + 1))
            for side, less, whole in zip(box, self.blue.shape, self.luma.shape, strict=True)
        )
        luma, blue, red = (float(plane.mean()) for plane in (self.luma[box], self.blue[few], self.red[few]))
        return np.array([(luma - black) / white, (blue - 128.0) / swing, (red - 128.0) / swing])


def to_rgb(ycc: _Floats, matrix: Matrix) -> _Floats:
    """(..., 3) R'G'B' of (..., 3) Y', C'B, C'R."""
    of_red, of_blue = _WEIGHTS[matrix]
    luma, blue, red = np.moveaxis(ycc, -1, 0)
    r = luma + 2 * (1 - of_red) * red
    b = luma + 2 * (1 - of_blue) * blue
    g = (luma - of_red * r - of_blue * b) / (1 - of_red - of_blue)
    return np.stack([r, g, b], axis=-1)
