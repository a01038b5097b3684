"""The picture sequence: which place in the camera's own rhythm each received picture has."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bench.camera.capture import FrameTable
from standards.errors import MeasurementRefused

__all__ = ["COUNTER_MODULUS", "Sequence", "counter_readable", "number_pictures", "repeats"]

COUNTER_MODULUS = 65536
_FEWEST = 10


@dataclass(frozen=True)
class Sequence:
    """place: i8, number of each picture in the camera's rhythm, counted from the first (holes leave gaps);
    period_ticks: its period in RTP ticks; residual_ticks: f8, timestamp minus place times period."""

    place: NDArray[np.int64]
    period_ticks: float
    residual_ticks: NDArray[np.float64]

    @property
    def steps(self) -> NDArray[np.int64]:
        """Places from each picture to the next: 1 without a hole."""
        return np.diff(self.place)


def number_pictures(timestamp: NDArray[np.int64]) -> Sequence:
    """Number the pictures by their RTP timestamps, holes counted.

    The period is the one most steps agree on, refined by regression. A timestamp that does not advance
    keeps the place of the picture before it. Raises MeasurementRefused below ten pictures, or if the
    timestamps have no common period.
    """
    if len(timestamp) < _FEWEST:
        raise MeasurementRefused(f"{len(timestamp)} pictures are too few to number: capture for longer")
    ticks = (timestamp - timestamp[0]).astype(np.float64)
    step = np.diff(ticks)
    forward = step[step > 0]
    if len(forward) < _FEWEST - 1:
        raise MeasurementRefused("the RTP timestamps do not advance: the camera has no time base")
    period = float(np.median(forward))
    for _ in range(2):
        places = np.maximum(np.rint(step / period), 0).astype(np.int64)
        place = np.concatenate(([0], np.cumsum(places)))
        # Within one long hole rounding may slip: only steps of a few periods refine the period.
        near = (places >= 1) & (places <= 3)
        period = float(step[near].sum() / places[near].sum())
    slope, offset = np.polyfit(place, ticks, 1)
    residual = ticks - offset - slope * place
    return Sequence(place, float(slope), residual)


def counter_readable(frames: FrameTable) -> bool:
    """True where the content counter could be read in at least nine of ten intact pictures."""
    intact = frames.intact
    return bool(intact.any()) and float((frames.counter[intact] >= 0).mean()) >= 0.9


def repeats(frames: FrameTable) -> NDArray[np.bool_]:
    """Which pictures show the same count as the picture before them; False where either is unreadable."""
    counter = frames.counter
    same = np.zeros(len(counter), dtype=np.bool_)
    same[1:] = (counter[1:] >= 0) & (counter[1:] == counter[:-1])
    return same
