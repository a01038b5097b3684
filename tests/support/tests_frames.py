"""Picture tables of known truth for the measurements of time."""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction

import numpy as np

from bench.camera.capture import FrameTable


def make_frames(
    *,
    seconds: float = 30.0,
    fps: Fraction | float = 25,
    ppm: float = 0.0,
    jitter_s: float = 0.002,
    dropped: Iterable[int] = (),
    repeated: Iterable[int] = (),
    damaged: Iterable[int] = (),
    gap: tuple[float, float] | None = None,
    counter: bool = True,
    seed: int = 0,
) -> FrameTable:
    """A stream whose camera clock is ppm fast.

    dropped, repeated, damaged: picture numbers; gap: (at, length) in seconds.
    """
    rng = np.random.default_rng(seed)
    rate = Fraction(fps).limit_denominator(100_000)
    count = int(seconds * float(rate))
    index = np.arange(count)
    captured = index / float(rate) / (1 + ppm * 1e-6)
    # Arrivals are late by an exponential amount and never overtake each other.
    arrived = np.maximum.accumulate(captured + 0.05 + rng.exponential(jitter_s, count))
    shown = np.floor((captured + 0.0035) / 0.01).astype(np.int64)
    for i in repeated:
        shown[i] = shown[i - 1]
    keep = np.ones(count, np.bool_)
    keep[list(dropped)] = False
    if gap is not None:
        keep &= ~((captured >= gap[0]) & (captured < gap[0] + gap[1]))
    intact = np.ones(count, np.bool_)
    intact[list(damaged)] = False
    ticks = np.array([round(90000 * int(i) / rate) for i in index], np.int64) + 123_456_789
    n = int(keep.sum())
    return FrameTable(
        clock_rate=90000,
        timestamp=ticks[keep],
        arrival=(1_795_000_000_000_000_000 + (arrived[keep] * 1e9).astype(np.int64)),
        decoded=np.zeros(n, np.int64),
        intact=intact[keep],
        counter=shown[keep] % 65536 if counter else np.full(n, -1, np.int64),
        lamp=np.full(n, np.nan),
        difference=np.ones(n),
        width=np.full(n, 640, np.int32),
        height=np.full(n, 360, np.int32),
    )
