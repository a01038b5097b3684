"""Imagers with chosen truth, and moments to ask them for, for the tests of the picture."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from fixtures.simulated.config import CameraFile
from fixtures.simulated.picture import Imager, Moment
from fixtures.world import World

START_NS = 1_760_000_000_000_000_000
PERIOD_NS = 40_000_000


def imager(width: int = 640, height: int = 360, **tables: Any) -> Imager:
    """An imager of the tables of a camera file; its pixels are those of the file."""
    tables = {"stream": {"width": width, "height": height}, **tables}
    return Imager(CameraFile.model_validate(tables), width=width, height=height, start_ns=START_NS)


def moment(index: int = 0, world: World | None = None, **more: Any) -> Moment:
    """Picture number `index` of a camera with 25 pictures a second; the counter ticks every 10 ms."""
    more = {"counter": 4 * index, **more}
    return Moment(index, START_NS + index * PERIOD_NS, world or World(), **more)


def light_of_bt709(codes: NDArray[Any]) -> NDArray[np.float64]:
    """Linear light of 8-bit codes: ITU-R BT.709-6 item 1.2 solved for the light, written here anew."""
    signal = (np.asarray(codes, dtype=np.float64) - 16) / 219
    return np.where(signal < 0.0812, signal / 4.5, (np.maximum(signal + 0.099, 0) / 1.099) ** (1 / 0.45))
