"""The picture sequence: which place in the camera's own rhythm each received picture has."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bench.camera.capture import FrameTable
from standards.errors import MeasurementRefused

__all__ = [
    "COUNTER_MODULUS", "Sequence", "about_mean", "counter_readable", "number_pictures", "repeats", "untold",
]  # fmt: skip

COUNTER_MODULUS = 65536
_FEWEST = 10
_CLOCK_BOUND = 1e-3  # relative; how far a long hole may be off a whole number of periods


@dataclass(frozen=True)
class Sequence:
    """place: i8, number of each picture in the camera's rhythm, counted from the first (holes leave gaps);
    stretch: i8, number of the unbroken time base it belongs to; period_ticks: the rhythm's period in RTP
    ticks; residual_ticks: f8, timestamp minus place times period, about 0 in each stretch."""

    place: NDArray[np.int64]
    stretch: NDArray[np.int64]
    period_ticks: float
    residual_ticks: NDArray[np.float64]

    @property
    def steps(self) -> NDArray[np.int64]:
        """Places from each picture to the next: 1 without a hole."""
        return np.diff(self.place)


def number_pictures(timestamp: NDArray[np.int64]) -> Sequence:
    """Number the pictures by their RTP timestamps, holes counted.

    The period is the one most steps agree on, refined by regression. A timestamp that does not advance
    keeps the place of the picture before it. Where the time base jumps by no whole number of periods (a
    sender that began anew) a new stretch begins: rates are taken within stretches alone. Raises
    MeasurementRefused below ten pictures, or if the timestamps do not advance.
    """
    if len(timestamp) < _FEWEST:
        raise MeasurementRefused(f"{len(timestamp)} pictures are too few to number: capture for longer")
    ticks = (timestamp - timestamp[0]).astype(np.float64)
    step = np.diff(ticks)
    forward = step[step > 0]
    if len(forward) < _FEWEST - 1:
        raise MeasurementRefused("the RTP timestamps do not advance: the camera has no time base")
    period = _common_step(forward)
    for _ in range(2):
        places = np.maximum(np.rint(step / period), 0).astype(np.int64)
        place = np.concatenate(([0], np.cumsum(places)))
        # Within one long hole rounding may slip: only steps of a few periods refine the period.
        near = (places >= 1) & (places <= 3)
        period = float(step[near].sum() / places[near].sum())
    jump = np.abs(step / period - places) > np.maximum(0.25, _CLOCK_BOUND * places)
    stretch = np.concatenate(([0], np.cumsum(jump & (places > 3))))
    x, y = about_mean(place.astype(np.float64), stretch), about_mean(ticks, stretch)
    slope = float(x @ y) / float(x @ x)
    return Sequence(place, stretch, slope, y - slope * x)


def _common_step(forward: NDArray[np.float64]) -> float:
    """The longest step that the others are whole multiples of, holes being many perhaps; else the median."""
    for share in (50, 25, 10):
        candidate = float(np.percentile(forward, share, method="lower"))
        multiple = forward / candidate
        if multiple.min() > 0.5 and float(np.abs(multiple - np.rint(multiple)).mean()) < 0.05:
            return candidate
    return float(np.median(forward))


def about_mean(
    values: NDArray[np.float64], stretch: NDArray[np.int64], weight: NDArray[np.float64] | None = None
) -> NDArray[np.float64]:
    """values, (n,), less the (weighted) mean of the stretch each belongs to."""
    w = np.ones_like(values) if weight is None else weight
    mean = np.bincount(stretch, w * values) / np.bincount(stretch, w)
    return np.asarray(values - mean[stretch])


def counter_readable(frames: FrameTable) -> bool:
    """True where the content counter could be read in at least nine of ten intact pictures."""
    intact = frames.intact
    return bool(intact.any()) and float((frames.counter[intact] >= 0).mean()) >= 0.9


def repeats(frames: FrameTable) -> NDArray[np.bool_]:
    """Which pictures show the same count as the picture before them; False where either is unreadable.

    Only intact pictures are told: a decoder conceals damage by showing the picture before.
    """
    same = _same(frames)
    same[1:] &= frames.intact[1:] & frames.intact[:-1]
    return same


def untold(frames: FrameTable) -> NDArray[np.bool_]:
    """Which pictures cannot be called repeats or new: a count unreadable, or the same in damaged pictures."""
    readable = frames.counter >= 0
    told = np.ones(len(readable), dtype=np.bool_)
    told[1:] = readable[1:] & readable[:-1]
    return ~told | (_same(frames) & ~repeats(frames))


def _same(frames: FrameTable) -> NDArray[np.bool_]:
    same = np.zeros(len(frames.counter), dtype=np.bool_)
    same[1:] = (frames.counter[1:] >= 0) & (frames.counter[1:] == frames.counter[:-1])
    return same
