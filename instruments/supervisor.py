"""Makes the instruments safe when the bench dies without having said goodbye: ``python -m instruments.supervisor``.

Started by an opened station, in a session of its own. On standard input comes one JSON line (whom to watch, which
instruments, where to log), later a goodbye; the pipe's end, or the end of the process, without a goodbye means that
the bench was killed. Then every instrument is opened by a connection of its own and brought to its safe state: each in
a thread, so that a dead one keeps no other from it, and all within a bounded time. It holds the station's leases until
then. Ends at once on goodbye.
"""

from __future__ import annotations

import json
import os
import select
import signal
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from instruments.lease import clear, renew
from instruments.watch import Supervised

__all__ = ["main", "rescue"]

_HEAD_START_S = 1.0  # an instrument that answers is safe before the next in order is begun
_RETRY_S = 0.25  # a killed bench's line or only connection takes a moment to become free
_LONGEST = 1 << 20  # bytes of a line on standard input


@dataclass
class _Rescue:
    """One instrument on its way to safety. outcome: '' while it is under way, 'safe', or what went wrong last."""

    what: Supervised
    deadline: float
    outcome: str = ""
    done: threading.Event = field(default_factory=threading.Event)

    def run(self) -> None:
        """Try until it is safe or the time is over."""
        from instruments.drivers import load_driver
        from instruments.safety import make_safe

        while True:
            try:
                instrument = load_driver(self.what.driver)(self.what.address, baud=self.what.baud)
                try:
                    make_safe(self.what.role, instrument)
                finally:
                    instrument.close()
            except Exception as error:  # noqa: BLE001 -- whatever it is, the others and the next try go on
                self.outcome = f"{type(error).__name__}: {error}"
                if time.monotonic() + _RETRY_S < self.deadline:
                    time.sleep(_RETRY_S)
                    continue
            else:
                self.outcome = "safe"
            self.done.set()
            return


def rescue(instruments: Sequence[Supervised], within_s: float) -> dict[str, str]:
    """Make instruments safe in their order, each by its own connection. Returns role -> 'safe', or why not."""
    deadline = time.monotonic() + within_s
    under_way = [_Rescue(one, deadline) for one in instruments]
    for each in under_way:
        threading.Thread(target=each.run, name=each.what.role, daemon=True).start()
        each.done.wait(min(_HEAD_START_S, max(0.0, deadline - time.monotonic())))
    for each in under_way:
        each.done.wait(max(0.0, deadline - time.monotonic()))
    return {each.what.role: each.outcome or "no answer in time" for each in under_way}


def _line(data: bytearray, wait: Callable[[], bytes]) -> dict[str, Any] | None:
    """The next JSON line of standard input; None at its end, or at the end of who writes it."""
    while b"\n" not in data:
        piece = wait()
        if not piece or len(data) > _LONGEST:
            return None
        data += piece
    line, _, rest = bytes(data).partition(b"\n")
    data[:] = rest
    found: dict[str, Any] = json.loads(line)
    return found


def _waiting(pid: int) -> Callable[[], bytes]:
    """Reads standard input, b'' also when the process ends while somebody else keeps the pipe open."""
    try:
        process = os.pidfd_open(pid)
    except ProcessLookupError:
        process = -1
    if os.getppid() != pid:  # it ended before it could be watched: what it wrote is still in the pipe
        process = -1

    def wait() -> bytes:
        if process < 0:
            return os.read(0, 65536) if select.select([0], [], [], 0)[0] else b""
        ready, _, _ = select.select([0, process], [], [])
        return os.read(0, 65536) if 0 in ready else b""

    return wait


def main() -> int:
    """Watch until goodbye or death. Exit code: 0 if all that had to be made safe is safe."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    data = bytearray()
    config = _line(data, lambda: os.read(0, 65536))
    if config is None:
        return 2
    wait = _waiting(int(config["pid"]))
    with suppress(OSError):
        os.write(1, b"R")
    last = _line(data, wait)
    instruments = [Supervised(**each) for each in config["instruments"]]
    if last is not None:
        instruments = [each for each in instruments if each.role in last["unsafe"]]
        why = "the bench could not make these safe itself"
    else:
        why = "the bench died without a goodbye"
    outcome = _act(config, instruments, why) if instruments else {}
    return 0 if all(word == "safe" for word in outcome.values()) else 1


def _act(config: dict[str, Any], instruments: Sequence[Supervised], why: str) -> dict[str, str]:
    """Rescue, log, give the leases back."""
    within_s = float(config["within_s"])
    for handle in config["leases"]:
        with suppress(OSError):
            renew(handle, within_s + 60)
    begun = time.monotonic()
    outcome = rescue(instruments, within_s)
    entry = {
        "time": datetime.now(UTC).astimezone().isoformat(timespec="milliseconds"),
        "bench": config["pid"],
        "why": why,
        "seconds": round(time.monotonic() - begun, 3),
        "outcome": outcome,
    }
    with suppress(OSError), Path(config["log"]).open("a", encoding="utf-8") as log:
        log.write(json.dumps(entry, ensure_ascii=False) + "\n")
        log.flush()
        os.fsync(log.fileno())
    for handle in config["leases"]:
        clear(handle)
    return outcome


if __name__ == "__main__":
    code = main()
    os._exit(code)  # a thread that still waits for a dead instrument must not keep this alive
