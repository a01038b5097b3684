"""Flash a lamp at random phase while the stream is captured, and keep what was commanded when.

The times on and off are random: no flash can lock to the camera's frame phase, and the sequence is a
code that a delay of many flashes can still be told by.
"""

from __future__ import annotations

import json
import random
import threading

from instruments.capability import Flash, FlashLamp
from standards.errors import InstrumentError

__all__ = ["FlashSequence", "flashes_from_json", "flashes_to_json"]

#: Light on for at least three frames at 12.5 fps, the slowest camera the method is proven for.
_ON_S = (0.26, 0.40)
_SHORTEST_PERIOD_S = 0.70


class FlashSequence:
    """Flashes from a thread of its own between start() and stop(); the lamp is always left off."""

    def __init__(self, lamp: FlashLamp, *, count: int, seconds: float) -> None:
        """count: flashes wanted; seconds: over how long (fewer fit if the period would be under 0.7 s)."""
        self._lamp = lamp
        self._count = max(1, min(count, int(seconds / _SHORTEST_PERIOD_S)))
        self._period = seconds / self._count
        self._random = random.SystemRandom()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="flash-sequence", daemon=True)
        self._flashes: list[Flash] = []
        self._error: InstrumentError | None = None

    def start(self) -> None:
        """Begin flashing."""
        self._thread.start()

    def stop(self) -> tuple[Flash, ...]:
        """End flashing, lamp off; every switch with its times. Raises the lamp's InstrumentError."""
        self._stop.set()
        if self._thread.ident is not None:
            self._thread.join(timeout=10.0)
        if self._error is not None:
            raise self._error
        return tuple(self._flashes)

    def _run(self) -> None:
        try:
            for _ in range(self._count):
                lit = self._random.uniform(*_ON_S)
                dark = self._period - lit + self._random.uniform(-0.1, 0.1)
                self._flashes.append(self._lamp.switch(True))
                stopped = self._stop.wait(lit)
                self._flashes.append(self._lamp.switch(False))
                if stopped or self._stop.wait(max(0.26, dark)):
                    return
        except InstrumentError as error:
            self._error = error


def flashes_to_json(flashes: tuple[Flash, ...]) -> bytes:
    """Evidence of a flash sequence: [[on, sent_ns, done_ns], …]."""
    return json.dumps([[f.on, f.sent_ns, f.done_ns] for f in flashes]).encode()


def flashes_from_json(data: bytes) -> tuple[Flash, ...]:
    """The reverse of flashes_to_json()."""
    return tuple(Flash(on=on, sent_ns=sent, done_ns=done) for on, sent, done in json.loads(data))
