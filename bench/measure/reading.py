"""What one picture shows besides the chart: the content counter and the lamp.

Built once for a view of the chart, then called for every picture: tenths of a millisecond each.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fixtures.charts import counter_value

__all__ = ["Box", "Reader", "Reading", "read_counter", "read_lamp"]

#: Rows and columns of a picture, upright.
Box = tuple[slice, slice]

_LEAST_CONTRAST = 12.0  # code units between the reference cells
_DOUBT = 0.3  # a level nearer than this to the middle (in units of 0..1) may be of a cell just changing


@dataclass(frozen=True)
class Reading:
    """counter: the number shown, -1 where unreadable; lamp: mean linear light, nan where absent."""

    counter: int
    lamp: float


def read_counter(luma: NDArray[np.uint8], cells: tuple[Box, ...]) -> int:
    """The number on the counter panel of a picture; -1 where it cannot be read for sure.

    cells: inner part of each cell, in the order of fixtures.charts.counter_cells. A picture exposed while
    the counter moved on shows one code bit and the parity between dark and lit: such a pair is read as
    the one number of both that fits.
    """
    levels = np.array([float(luma[box].mean()) for box in cells])
    dark, lit = levels[-1], levels[0]
    if lit - dark < _LEAST_CONTRAST:
        return -1
    share = (levels - dark) / (lit - dark)
    states = (share > 0.5).tolist()
    number = counter_value(states)
    if number >= 0:
        return number
    doubtful = np.flatnonzero(np.abs(share[1:-1] - 0.5) < _DOUBT) + 1
    if len(doubtful) == 2 and doubtful[1] == len(cells) - 2:
        states[doubtful[0]] = not states[doubtful[0]]
        return counter_value(states)
    return -1


def read_lamp(luma: NDArray[np.uint8], window: Box, table: NDArray[np.float32]) -> float:
    """Mean linear light of the lamp's window. table: (256,) light of each code."""
    counts = np.bincount(luma[window].ravel(), minlength=256)
    return float(counts @ table) / int(counts.sum())


@dataclass(frozen=True)
class Reader:
    """Reads pictures of one size. shape: (rows, columns); table: None where the tone is not known."""

    shape: tuple[int, int]
    cells: tuple[Box, ...]
    window: Box
    table: NDArray[np.float32] | None

    def __call__(self, luma: NDArray[np.uint8]) -> Reading:
        """Read one picture; nothing can be read from one of another size."""
        if luma.shape != self.shape:
            return Reading(-1, math.nan)
        lamp = math.nan if self.table is None else read_lamp(luma, self.window, self.table)
        return Reading(read_counter(luma, self.cells), lamp)
