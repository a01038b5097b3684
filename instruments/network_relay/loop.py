"""The relay's one thread: sockets that are ready, packets that are due, and a log of what became of each."""

from __future__ import annotations

import json
import select
import selectors
import socket
import time
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Protocol

from instruments.capability import NetworkPath
from instruments.network_relay.delay_line import DelayLine, Entry

__all__ = ["DIRECTIONS", "Carrier", "Loop", "PacketLog"]

#: Names of the two directions.
DIRECTIONS = ("to_camera", "to_bench")

_IDLE_S = 0.2
_DATAGRAM_HEADERS = 28  # IPv4 and UDP


class Carrier(Protocol):
    """Where a packet goes when it leaves the line."""

    def deliver(self, data: bytes) -> bool:
        """Send it on; False if there is nobody any more, or the system did not take it."""


class PacketLog:
    """JSON lines, one a packet; times are nanoseconds of the host's realtime clock."""

    def __init__(self, path: Path | None) -> None:
        """path: the file, made anew; None keeps no log. Raises OSError."""
        self._file = path.open("w", encoding="utf-8") if path else None
        self._offset = time.time_ns() - time.monotonic_ns()

    def write(self, facts: dict[str, object], *moments: str) -> None:
        """Append one line. moments: which of the facts are times of the steady clock."""
        if self._file:
            for name in moments:
                moment = facts[name]
                facts[name] = moment + self._offset if isinstance(moment, int) else None
            self._file.write(json.dumps(facts) + "\n")

    def flush(self) -> None:
        """Hand over to the system what is written."""
        if self._file:
            self._file.flush()

    def close(self) -> None:
        """Close the file."""
        if self._file:
            self._file.close()


class Loop:
    """Runs until stop(). Not safe for other threads, except stop() and a set() through the control socket."""

    def __init__(self, *, seed: int, log: PacketLog) -> None:
        """seed: of every draw; both directions draw apart."""
        self.lines: dict[str, DelayLine[tuple[Carrier, str, bytes, bool]]] = {
            name: DelayLine(f"{seed}/{name}") for name in DIRECTIONS
        }
        self.counts = {
            name: {"in": 0, "out": 0, "loss": 0, "down": 0, "overflow": 0, "refused": 0}
            for name in DIRECTIONS
        }
        self._log, self._running = log, True
        self._selector = selectors.EpollSelector()

    def watch(self, sock: socket.socket, events: int, ready: Callable[[int], None]) -> None:
        """Call `ready` with the events whenever the socket has some; events 0: leave it alone for now."""
        known = sock in self._selector.get_map()
        if not events:
            if known:
                self._selector.unregister(sock)
        elif known:
            self._selector.modify(sock, events, ready)
        else:
            self._selector.register(sock, events, ready)

    def set(self, direction: str, path: NetworkPath) -> None:
        """Impose a path on one direction."""
        self.lines[direction].set(path)
        self._log.write(
            {"kind": "path", "direction": direction, "at_ns": time.monotonic_ns(), **vars(path)}, "at_ns"
        )

    def send(self, direction: str, flow: str, carrier: Carrier, data: bytes, *, stream: bool = False) -> None:
        """Put a datagram, or a piece of a byte stream, on its way."""
        now = time.monotonic_ns()
        size = len(data) + (0 if stream else _DATAGRAM_HEADERS)
        self.counts[direction]["in"] += 1
        fate = self.lines[direction].put((carrier, flow, data, stream), size, now, stream=stream)
        if fate:
            self._lost(direction, flow, len(data), now, fate)

    def run(self) -> None:
        """Serve until stop() is called."""
        flushed = time.monotonic()
        while self._running:
            due = [moment for line in self.lines.values() if (moment := line.next_due()) is not None]
            wait = _IDLE_S if not due else max(0.0, min(_IDLE_S, (min(due) - time.monotonic_ns()) / 1e9))
            # The timeouts of epoll are whole milliseconds; those of a select() on its descriptor are not.
            select.select([self._selector.fileno()], [], [], wait)
            for key, events in self._selector.select(0):
                key.data(events)
            for direction, line in self.lines.items():
                for entry in line.due(time.monotonic_ns()):
                    self._leave(direction, entry)
            if time.monotonic() - flushed > _IDLE_S:
                self._log.flush()
                flushed = time.monotonic()

    def stop(self) -> None:
        """Have run() return within 0.2 s; for signal handlers."""
        self._running = False

    def _leave(self, direction: str, entry: Entry[tuple[Carrier, str, bytes, bool]]) -> None:
        carrier, flow, data, stream = entry.item
        if not stream and not self.lines[direction].path.up:  # it was on the way when the cable was cut
            self._lost(direction, flow, len(data), entry.arrived_ns, "down")
            return
        left = time.monotonic_ns()
        sent = sum(carrier.deliver(data) for _ in range(entry.copies))
        if not sent:
            self._lost(direction, flow, len(data), entry.arrived_ns, "refused")
            return
        self.counts[direction]["out"] += sent
        facts: dict[str, object] = {
            "kind": "packet",
            "direction": direction,
            "flow": flow,
            "bytes": len(data),
        }
        facts |= {
            "arrived_ns": entry.arrived_ns,
            "left_ns": left,
            "copies": sent,
            "reordered": entry.reordered,
        }
        self._log.write({**facts, "fate": "sent"}, "arrived_ns", "left_ns")

    def _lost(self, direction: str, flow: str, size: int, arrived_ns: int, fate: str) -> None:
        self.counts[direction][fate] += 1
        facts: dict[str, object] = {"kind": "packet", "direction": direction, "flow": flow, "bytes": size}
        self._log.write({**facts, "arrived_ns": arrived_ns, "fate": fate}, "arrived_ns")

    def __enter__(self) -> Loop:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for key in list(self._selector.get_map().values()):
            if isinstance(key.fileobj, socket.socket):
                key.fileobj.close()
        self._selector.close()
        self._log.close()
