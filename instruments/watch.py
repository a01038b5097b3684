"""The bench's end of the supervisor: starts it, tells it what to watch over, and says goodbye."""

from __future__ import annotations

import json
import os
import select
import subprocess
import sys
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path

from standards.errors import BenchError

__all__ = ["Supervised", "Watch"]

_START_S = 20.0
_END_S = 5.0


@dataclass(frozen=True)
class Supervised:
    """One instrument as the supervisor reaches it, by a connection of its own."""

    role: str
    driver: str
    address: str
    baud: int | None = None


class Watch:
    """A running supervisor (`instruments.supervisor`). It watches from the constructor on.

    What it needs stands in the pipe before the bench opens anything, so a bench that is killed at any moment after
    is followed by it; it also holds the leases, so nobody takes the station before the instruments are safe.
    """

    def __init__(
        self, instruments: Sequence[Supervised], *, leases: Sequence[int], log: Path, within_s: float
    ) -> None:
        """instruments: in the order in which they are made safe; leases: open lease files. Raises BenchError."""
        config = {
            "pid": os.getpid(),
            "instruments": [asdict(one) for one in instruments],
            "leases": list(leases),
            "log": str(log),
            "within_s": within_s,
        }
        try:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "instruments.supervisor"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                bufsize=0,
                pass_fds=tuple(leases),
                cwd=Path(__file__).resolve().parents[1],
                start_new_session=True,  # Ctrl-C in the terminal is for the bench
            )
        except OSError as error:
            raise BenchError(
                f"the supervisor cannot be started: {error}. Mend: free processes and memory"
            ) from None
        self._said_goodbye, self._within_s, self._log = False, within_s, log
        self._say(config)

    def await_ready(self) -> None:
        """Wait until it watches. Raises BenchError if it does not come up: nothing is switched on unwatched."""
        out = self._process.stdout
        assert out is not None
        ready, _, _ = select.select([out], [], [], _START_S)
        if not ready or out.read(1) != b"R":
            raise BenchError(
                "the supervisor did not start. Mend: run `python -m instruments.supervisor` and read why"
            )

    def goodbye(self, unsafe: Sequence[str] = ()) -> str:
        """End it in order; unsafe: roles that could not be made safe, which it then tries by its own connection.

        Returns what a record should know of it, '' if nothing.
        """
        if self._said_goodbye:
            return ""
        self._said_goodbye = True
        there = self._say({"goodbye": True, "unsafe": list(unsafe)})
        assert self._process.stdin is not None and self._process.stdout is not None
        with suppress(OSError):
            self._process.stdin.close()
        self._process.stdout.close()
        try:
            self._process.wait(_END_S + (self._within_s if unsafe else 0.0))
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
            return "the supervisor did not end at goodbye and was killed"
        if unsafe and self._process.returncode == 0:
            return f"{', '.join(unsafe)} made safe by the supervisor"
        if unsafe:
            return (
                f"{', '.join(unsafe)} NOT SAFE, also not by the supervisor ({self._log}). Mend: by hand, now"
            )
        if not there:
            return "the supervisor had died during the run: a killed bench would have left the instruments as they were"
        return ""

    def _say(self, words: dict[str, object]) -> bool:
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(json.dumps(words).encode() + b"\n")
        except OSError:
            return False
        return True
