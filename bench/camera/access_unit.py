"""Packets to access units, whatever the codec: where a unit ends, and what is missing of it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import ClassVar

from bench.camera.limits import Limits
from standards.errors import LimitExceeded

__all__ = ["AccessUnit", "Assembler", "NalAssembler", "Row"]

#: One packet: arrival (ns), extended sequence, extended timestamp, payload bytes, payload type, marker.
Row = tuple[int, int, int, int, int, bool]

_START = b"\0\0\0\1"


@dataclass
class AccessUnit:
    """One coded picture as it gathers. first, last: arrival of its packets, ns; rows: what is noted of them.

    parts: its bytes as they are stored (Annex B, or one JPEG file), in pieces; complete: its last packet carried the
    marker; sets: kinds of the parameter sets that came in it.
    """

    timestamp: int
    first: int
    last: int
    parts: list[bytes] = field(default_factory=list)
    rows: list[Row] = field(default_factory=list)
    size: int = 0
    key: bool = False
    picture: bool = False
    intact: bool = True
    complete: bool = False
    sets: set[int] = field(default_factory=set)

    def swallow(self, before: AccessUnit) -> None:
        """Take what came before it under a timestamp of its own: parameter sets, SEI."""
        self.parts[:0], self.rows[:0] = before.parts, before.rows
        self.size += before.size
        self.intact = self.intact and before.intact
        self.sets |= before.sets


class Assembler(ABC):
    """Takes packets in the order of their sequence, hands over access units as they end.

    A unit ends where the RTP timestamp changes; the marker alone is not believed, since cameras set it
    on every slice or never. It does split two pictures that a camera sends under one timestamp.
    """

    def __init__(
        self, limits: Limits, unit: Callable[[AccessUnit], None], violation: Callable[[str], None]
    ) -> None:
        """unit: called with each ended access unit; violation: with a text, for what breaks the payload's RFC."""
        self._limits = limits
        self._unit = unit
        self._violation = violation
        self._open: AccessUnit | None = None
        self._fragment = False
        self._marker_lies = False

    def packet(
        self, payload: bytes, *, timestamp: int, marker: bool, arrival: int, row: Row, gap: bool
    ) -> None:
        """Add one packet. gap: packets are missing just before it. Raises LimitExceeded."""
        unit = self._open
        if unit is not None and timestamp == unit.timestamp and unit.complete:
            if payload and self._begins_picture(payload) and unit.picture:
                self._close(gap)
            elif payload:
                self._marker_lies = True
        elif unit is not None and timestamp != unit.timestamp:
            self._close(gap)
        if self._open is None:
            self._open = AccessUnit(timestamp, arrival, arrival)
            self._open.intact = not gap or (bool(payload) and self._begins_picture(payload))
        elif gap:
            self._open.intact = False
            self._fragment = False
        unit = self._open
        unit.rows.append(row)
        unit.last = max(unit.last, arrival)
        unit.first = min(unit.first, arrival)
        unit.complete = marker
        if payload:
            self._payload(unit, payload)

    def finish(self, *, keep_open: bool) -> None:
        """End the unit that is open, or forget it if it is not complete and keep_open is false."""
        if self._open is not None and (self._open.complete or keep_open):
            self._close(gap=not self._open.complete)
        self._open, self._fragment = None, False

    @abstractmethod
    def provide(self, unit: AccessUnit) -> None:
        """Put before a unit, from which decoding begins, what a decoder needs and the unit itself lacks."""

    @abstractmethod
    def _begins_picture(self, payload: bytes) -> bool:
        """Whether an access unit can begin with this payload."""

    @abstractmethod
    def _payload(self, unit: AccessUnit, payload: bytes) -> None:
        """Add what one packet carries to its unit."""

    @abstractmethod
    def _seal(self, unit: AccessUnit) -> None:
        """The unit has all it will get: end it as its format wants."""

    def _close(self, gap: bool) -> None:
        unit = self._open
        assert unit is not None
        if self._fragment and not gap:
            self._violation("a fragmented NAL unit (FU) has no end")
        if self._fragment or (gap and (self._marker_lies or not unit.complete)):
            unit.intact = False
        self._seal(unit)
        self._open, self._fragment = None, False
        self._unit(unit)

    def _add(self, unit: AccessUnit, data: bytes) -> None:
        unit.size += len(data)
        if unit.size > self._limits.unit_bytes:
            raise LimitExceeded(f"an access unit of more than {self._limits.unit_bytes} bytes")
        unit.parts.append(data)

    def _broken(self, unit: AccessUnit, text: str) -> None:
        unit.intact = False
        self._fragment = False
        self._violation(text)


class NalAssembler(Assembler):
    """What H.264 and H.265 have in common: NAL units, whole, in aggregates and in fragments; kept in Annex B."""

    #: Kinds of parameter sets in the order in which a decoder wants them; NAL types of key pictures.
    SETS: ClassVar[tuple[int, ...]]
    KEYS: ClassVar[frozenset[int]]
    #: Names of an aggregate and of a fragment in the RFC of the codec.
    AGGREGATE: ClassVar[str]
    FRAGMENT: ClassVar[str]

    def __init__(
        self, limits: Limits, unit: Callable[[AccessUnit], None], violation: Callable[[str], None]
    ) -> None:
        """See Assembler."""
        super().__init__(limits, unit, violation)
        self.parameter_sets: dict[int, bytes] = {}

    @staticmethod
    @abstractmethod
    def kind(nal: bytes) -> int:
        """nal_unit_type of a NAL unit."""

    @staticmethod
    @abstractmethod
    def is_picture(kind: int) -> bool:
        """Whether units of this type hold a part of a picture."""

    def know(self, sets: tuple[bytes, ...]) -> None:
        """Parameter sets as the SDP gives them."""
        for nal in sets:
            self.parameter_sets.setdefault(self.kind(nal), nal)

    def provide(self, unit: AccessUnit) -> None:
        """Parameter sets that the unit lacks, in front of it."""
        for kind in reversed(self.SETS):
            nal = self.parameter_sets.get(kind)
            if kind not in unit.sets and nal is not None:
                unit.parts.insert(0, _START + nal)
                unit.size += len(_START) + len(nal)

    def _seal(self, unit: AccessUnit) -> None:
        """Annex B has no end mark."""

    def _nal(self, unit: AccessUnit, nal: bytes, *, whole: bool = True) -> None:
        if nal[0] & 0x80:
            self._broken(unit, "forbidden_zero_bit is set")
        kind = self.kind(nal)
        if self.is_picture(kind):
            unit.picture = True
            unit.key = unit.key or kind in self.KEYS
        elif kind in self.SETS:
            unit.sets.add(kind)
            if whole:
                self.parameter_sets[kind] = nal
        self._add(unit, _START + nal)

    def _single(self, unit: AccessUnit, nal: bytes) -> None:
        """A NAL unit that is a packet of its own."""
        self._unbroken(unit)
        self._nal(unit, nal)

    def _aggregate(self, unit: AccessUnit, payload: bytes, place: int, least: int) -> None:
        """Several NAL units of at least so many bytes in one packet, each behind its 16 bit size, from `place` on."""
        self._unbroken(unit)
        while place < len(payload):
            size = int.from_bytes(payload[place : place + 2], "big")
            if place + 2 + size > len(payload) or size < least:
                self._broken(unit, f"{self.AGGREGATE} whose sizes do not fit its payload")
                return
            self._nal(unit, payload[place + 2 : place + 2 + size])
            place += 2 + size

    def _piece(self, unit: AccessUnit, flags: int, header: bytes, body: bytes) -> None:
        """A part of a NAL unit. flags: 0x80 its first, 0x40 its last; header: the unit's own, rebuilt."""
        start, end = flags & 0x80, flags & 0x40
        if start:
            if self._fragment:
                self._broken(unit, f"{self.FRAGMENT} starts inside another")
            self._nal(unit, header + body, whole=bool(end))
        elif self._fragment:
            self._add(unit, body)
        else:
            # After loss this is no offence of the camera: the unit is marked already.
            if unit.intact:
                self._broken(unit, f"{self.FRAGMENT} without its start")
            # A picture was there, in its own place: without this its packets would pass for the next one's.
            unit.picture = unit.picture or self.is_picture(self.kind(header))
            return
        self._fragment = not end

    def _unbroken(self, unit: AccessUnit) -> None:
        if self._fragment:
            text = f"a fragmented NAL unit ({self.FRAGMENT}) is not ended before the next NAL unit"
            self._broken(unit, text)
