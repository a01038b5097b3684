"""One direction of a network path: when does each packet leave, if it does? Pure: the caller brings the time.

Model, in the order in which a packet meets it: cut, loss, bottleneck with a queue that drops at its tail, delay
with jitter, reordering, duplication. Order is kept except where `reorder` breaks it: a packet so chosen waits until
its successor has gone. Jitter is one draw for all that arrives within 5 ms, so that a burst (the packets of one
picture) is shifted, not torn apart. Every property draws from a generator of its own, so that which packets are lost
follows from seed and count alone.
"""

from __future__ import annotations

import heapq
import random
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count
from typing import Generic, TypeVar

from instruments.capability import NetworkPath

__all__ = ["MEMORY_BYTES", "QUEUE_BYTES", "DelayLine", "Entry"]

T = TypeVar("T")

#: Bytes that wait before the bottleneck; a datagram that finds more is dropped, as by a router.
QUEUE_BYTES = 262_144
#: Bytes of datagrams in the line altogether, so that no delay costs unbounded memory. Streams have bounds of their own.
MEMORY_BYTES = 16 * 1024 * 1024

_BURST_NS = 5_000_000
_HOLD_NS = 100_000_000  # a packet whose successor does not come goes by itself
_CUT = 3.0  # standard deviations


@dataclass
class Entry(Generic[T]):
    """One packet in the line. number: count of packets before it, lost ones too; size: what it counts for in
    the line's memory; copies: 2 for a duplicate; held: chosen to be overtaken; reordered: it was."""

    item: T
    number: int
    size: int
    arrived_ns: int
    leaves_ns: int
    copies: int = 1
    held: bool = False
    reordered: bool = False


class DelayLine(Generic[T]):
    """Packets on their way. Times are nanoseconds of one steady clock; sizes are bytes on the wire."""

    def __init__(self, seed: str) -> None:
        """seed: of all its draws."""
        self.path = NetworkPath()
        self._draw = {name: random.Random(f"{seed}/{name}") for name in ("loss", "reorder", "copy", "jitter")}  # noqa: S311
        self._heap: list[tuple[int, int, Entry[T]]] = []
        self._order, self._numbers = count(), count()
        self._bytes = self._link_free = self._last = 0
        self._deviation, self._deviation_until = 0.0, 0
        self._held: Entry[T] | None = None
        self._after_held = False

    @property
    def bytes_inside(self) -> int:
        """Bytes in the line now."""
        return self._bytes

    def set(self, path: NetworkPath) -> None:
        """Impose other properties on what enters from now on."""
        if path.rate_kbit != self.path.rate_kbit:
            self._link_free = 0
        self.path = path

    def put(self, item: T, size: int, now_ns: int, *, stream: bool = False) -> str:
        """Let a packet in. stream: part of a byte stream, which is delayed and slowed, never lost or turned round.

        Returns "" if it will leave, else why it will not: "down", "loss" or "overflow".
        """
        number = next(self._numbers)
        lost = not stream and self._draw["loss"].random() < self.path.loss
        if not stream and not self.path.up:
            return "down"
        if lost:
            return "loss"
        if not stream and (self._bytes + size > MEMORY_BYTES or self._queued(now_ns) > QUEUE_BYTES):
            return "overflow"
        entry = Entry(item, number, 0 if stream else size, now_ns, self._leaving(size, now_ns))
        self._bytes += entry.size
        if not stream:
            entry.copies += self._draw["copy"].random() < self.path.duplicate
            entry.held = self._is_held()
        if entry.held:
            self._held = entry
            entry.leaves_ns += _HOLD_NS
        self._push(entry)
        if not entry.held and not stream:
            self._overtake(entry)
        return ""

    def due(self, now_ns: int) -> Iterator[Entry[T]]:
        """Those whose time has come, in order."""
        while self._heap and self._heap[0][0] <= now_ns:
            leaves, _, entry = heapq.heappop(self._heap)
            if leaves != entry.leaves_ns:
                continue  # it was moved: a younger place in the heap counts
            if entry is self._held:
                self._held = None
            self._bytes -= entry.size
            yield entry

    def next_due(self) -> int | None:
        """When to ask again; None while the line is empty. May be early, never late."""
        return self._heap[0][0] if self._heap else None

    def _push(self, entry: Entry[T]) -> None:
        heapq.heappush(self._heap, (entry.leaves_ns, next(self._order), entry))

    def _queued(self, now_ns: int) -> float:
        """Bytes before the bottleneck."""
        return max(0, self._link_free - now_ns) * self.path.rate_kbit / 8e6

    def _leaving(self, size: int, now_ns: int) -> int:
        """When a packet that enters now leaves; takes the bottleneck for as long as it needs."""
        through = now_ns
        if self.path.rate_kbit:
            self._link_free = max(now_ns, self._link_free) + round(size * 8e6 / self.path.rate_kbit)
            through = self._link_free
        if now_ns >= self._deviation_until:
            drawn = self._draw["jitter"].gauss(0.0, 1.0)
            self._deviation = max(-_CUT, min(_CUT, drawn))
            self._deviation_until = now_ns + _BURST_NS
        delay = max(0.0, self.path.delay_ms + self.path.jitter_ms * self._deviation)
        self._last = max(through + round(delay * 1e6), self._last)
        return self._last

    def _is_held(self) -> bool:
        """Whether the packet is overtaken. One that overtakes is never held itself: so that the share of
        held packets among all is `reorder`, the others are held with reorder / (1 - reorder)."""
        if self._held is not None or self.path.reorder <= 0.0:
            return False
        share = self.path.reorder / (1.0 - self.path.reorder)
        return self._draw["reorder"].random() < share

    def _overtake(self, entry: Entry[T]) -> None:
        """Let the held packet, if there is one, leave right after this one."""
        held, self._held = self._held, None
        if held is None:
            return
        held.leaves_ns = entry.leaves_ns + 1
        held.reordered = True
        self._last = held.leaves_ns
        self._push(held)
