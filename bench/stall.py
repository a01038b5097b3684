"""A watch on the bench itself: whether this process stood still (stopped, swapped out, suspended) meanwhile."""

from __future__ import annotations

import threading
import time

__all__ = ["StallWatch"]

_BEAT_S = 0.05


class StallWatch:
    """Context manager with a heart that beats every 50 ms. longest_s: the longest time between two beats."""

    def __init__(self) -> None:
        self.longest_s = 0.0
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._beat, daemon=True, name="stall-watch")

    def _beat(self) -> None:
        last = time.monotonic()
        while not self._stop.wait(_BEAT_S):
            now = time.monotonic()
            self.longest_s = max(self.longest_s, now - last)
            last = now

    def __enter__(self) -> StallWatch:
        self._thread.start()
        return self

    def __exit__(self, *exc: object) -> None:
        self._stop.set()
        self._thread.join(timeout=5.0)
