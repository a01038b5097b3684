"""H.264 in RTP (RFC 6184): packets to access units in Annex B, with what is missing said of each unit."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from bench.camera.limits import Limits
from standards.errors import LimitExceeded

__all__ = ["AccessUnit", "Assembler", "Row"]

#: One packet: arrival (ns), extended sequence, extended timestamp, payload bytes, payload type, marker.
Row = tuple[int, int, int, int, int, bool]

_START = b"\0\0\0\1"
_IDR, _SEI, _SPS, _PPS, _DELIMITER = 5, 6, 7, 8, 9
_STAP_A, _FU_A = 24, 28


@dataclass
class AccessUnit:
    """One coded picture as it gathers. first, last: arrival of its packets, ns; rows: what is noted of them.

    parts: its bytes, Annex B, in pieces; complete: its last packet carried the marker.
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
    has_sps: bool = False
    has_pps: bool = False


def _first_nal(payload: bytes) -> tuple[int, int]:
    """Type of the first NAL unit that begins in this payload (-1 if none), and its second byte (-1)."""
    kind = payload[0] & 0x1F
    if kind == _FU_A:
        if len(payload) < 2 or not payload[1] & 0x80:
            return -1, -1
        return payload[1] & 0x1F, payload[2] if len(payload) > 2 else -1
    if kind == _STAP_A:
        return (payload[3] & 0x1F, payload[4] if len(payload) > 4 else -1) if len(payload) > 3 else (-1, -1)
    return kind, payload[1] if len(payload) > 1 else -1


def _begins_picture(payload: bytes) -> bool:
    """Whether an access unit can begin here (H.264, 7.4.1.2.3): delimiter, SEI, SPS, PPS, first slice."""
    kind, second = _first_nal(payload)
    if 1 <= kind <= 5:
        return second >= 0x80  # first_mb_in_slice, ue(v): a leading one bit is 0
    return _SEI <= kind <= _DELIMITER


class Assembler:
    """Takes packets in the order of their sequence, hands over access units as they end.

    A unit ends where the RTP timestamp changes; the marker alone is not believed, since cameras set it
    on every slice or never. It does split two pictures that a camera sends under one timestamp.
    """

    def __init__(
        self, limits: Limits, unit: Callable[[AccessUnit], None], violation: Callable[[str], None]
    ) -> None:
        """unit: called with each ended access unit; violation: with a text, for what breaks RFC 6184."""
        self._limits = limits
        self._unit = unit
        self._violation = violation
        self._open: AccessUnit | None = None
        self._fragment = False
        self._marker_lies = False
        self.parameter_sets: dict[int, bytes] = {}

    def packet(
        self, payload: bytes, *, timestamp: int, marker: bool, arrival: int, row: Row, gap: bool
    ) -> None:
        """Add one packet. gap: packets are missing just before it. Raises LimitExceeded."""
        unit = self._open
        if unit is not None and timestamp == unit.timestamp and unit.complete:
            if payload and _begins_picture(payload) and unit.picture:
                self._close(gap)
            elif payload:
                self._marker_lies = True
        elif unit is not None and timestamp != unit.timestamp:
            self._close(gap)
        if self._open is None:
            self._open = AccessUnit(timestamp, arrival, arrival)
            self._open.intact = not gap or (bool(payload) and _begins_picture(payload))
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

    def _close(self, gap: bool) -> None:
        unit = self._open
        assert unit is not None
        if self._fragment and not gap:
            self._violation("a fragmented NAL unit (FU-A) has no end")
        if self._fragment or (gap and (self._marker_lies or not unit.complete)):
            unit.intact = False
        self._open, self._fragment = None, False
        self._unit(unit)

    def _payload(self, unit: AccessUnit, payload: bytes) -> None:
        kind = payload[0] & 0x1F
        if kind != _FU_A and self._fragment:
            self._broken(unit, "a fragmented NAL unit (FU-A) is not ended before the next NAL unit")
        if 1 <= kind <= 23:
            self._nal(unit, payload)
        elif kind == _FU_A:
            self._fu_a(unit, payload)
        elif kind == _STAP_A:
            self._stap_a(unit, payload)
        else:
            self._broken(unit, f"NAL unit type {kind} does not belong to packetization modes 0 and 1")

    def _fu_a(self, unit: AccessUnit, payload: bytes) -> None:
        if len(payload) < 3:
            self._broken(unit, "FU-A without content")
            return
        start, end = payload[1] & 0x80, payload[1] & 0x40
        if start:
            if self._fragment:
                self._broken(unit, "FU-A starts inside another")
            header = (payload[0] & 0xE0) | (payload[1] & 0x1F)
            self._nal(unit, bytes((header,)) + payload[2:], whole=bool(end))
        elif self._fragment:
            self._add(unit, payload[2:])
        else:
            # After loss this is no offence of the camera: the unit is marked already.
            if unit.intact:
                self._broken(unit, "FU-A without its start")
            return
        self._fragment = not end

    def _stap_a(self, unit: AccessUnit, payload: bytes) -> None:
        place = 1
        while place < len(payload):
            size = int.from_bytes(payload[place : place + 2], "big")
            if place + 2 + size > len(payload) or size == 0:
                self._broken(unit, "STAP-A whose sizes do not fit its payload")
                return
            self._nal(unit, payload[place + 2 : place + 2 + size])
            place += 2 + size

    def _nal(self, unit: AccessUnit, nal: bytes, *, whole: bool = True) -> None:
        if nal[0] & 0x80:
            self._broken(unit, "forbidden_zero_bit is set")
        kind = nal[0] & 0x1F
        if 1 <= kind <= 5:
            unit.picture = True
            unit.key = unit.key or kind == _IDR
        elif kind in (_SPS, _PPS):
            unit.has_sps = unit.has_sps or kind == _SPS
            unit.has_pps = unit.has_pps or kind == _PPS
            if whole:
                self.parameter_sets[kind] = nal
        self._add(unit, _START + nal)

    def _add(self, unit: AccessUnit, data: bytes) -> None:
        unit.size += len(data)
        if unit.size > self._limits.unit_bytes:
            raise LimitExceeded(f"an access unit of more than {self._limits.unit_bytes} bytes")
        unit.parts.append(data)

    def _broken(self, unit: AccessUnit, text: str) -> None:
        unit.intact = False
        self._fragment = False
        self._violation(text)
