"""RTP and RTCP (RFC 3550) as a receiver reads them: headers, numbers that wrap, order, reports.

Nothing here knows a codec or a socket; times are passed in.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Generic, NamedTuple, TypeVar

from standards.errors import ProtocolViolation

__all__ = [
    "Bye", "ReceiverStatistics", "RtpPacket", "SenderReport", "Sequencer", "parse_rtcp", "parse_rtp",
    "unwrap",
]  # fmt: skip

_HEADER = struct.Struct("!BBHII")
_NTP_EPOCH = 2_208_988_800  # seconds from 1900 to 1970
_MOST_JUMP = 3000  # RFC 3550, A.1: MAX_DROPOUT
_CNAME = b"camcert@bench"


class RtpPacket(NamedTuple):
    """Header fields of one packet; the payload is data[start:end] of what was parsed."""

    marker: bool
    payload_type: int
    sequence: int
    timestamp: int
    ssrc: int
    start: int
    end: int


def parse_rtp(data: bytes | memoryview) -> RtpPacket:
    """Read one RTP header (RFC 3550, 5.1 and 5.3.1). Raises ProtocolViolation."""
    size = len(data)
    if size < 12:
        raise ProtocolViolation(f"RTP packet of {size} bytes")
    first, second, sequence, timestamp, ssrc = _HEADER.unpack_from(data)
    if first >> 6 != 2:
        raise ProtocolViolation(f"RTP version {first >> 6}")
    start, end = 12 + 4 * (first & 0x0F), size
    if first & 0x10:
        if start + 4 > size:
            raise ProtocolViolation("RTP header extension runs over the packet's end")
        start += 4 + 4 * ((data[start + 2] << 8) | data[start + 3])
    if first & 0x20:
        padding = data[size - 1]
        if padding == 0:
            raise ProtocolViolation("RTP padding of no length")
        end -= padding
    if start > end:
        raise ProtocolViolation("RTP header and padding are longer than the packet")
    return RtpPacket(second > 127, second & 0x7F, sequence, timestamp, ssrc, start, end)


def unwrap(value: int, near: int, bits: int) -> int:
    """The number congruent to value modulo 2**bits that lies nearest to `near`."""
    half = 1 << (bits - 1)
    return near + ((value - near + half) % (1 << bits)) - half


T = TypeVar("T")


class Sequencer(Generic[T]):
    """Puts packets in the order of their sequence numbers, extended to 64 bit, within a small window.

    A packet that is still missing when `window` later ones have come is given up; it is dropped if it
    comes after all. A jump of more than 3000 numbers counts as a restart of the sender once two
    packets in a row confirm it (RFC 3550, A.1); numbers then go on without a gap and `restarts` grows.
    """

    def __init__(self, window: int = 64) -> None:
        self._window = window
        self._next: int | None = None
        self._shift = 0  # extended minus the sender's own numbering, after restarts
        self._held: dict[int, T] = {}
        self._suspect: int | None = None
        self.duplicates = 0
        self.late = 0
        self.restarts = 0

    def push(self, sequence: int, item: T) -> Iterator[tuple[int, T]]:
        """Add one packet; yields (extended sequence, item) for all that are in order now."""
        if self._next is None:
            self._next = sequence
        number = unwrap(sequence, self._next - self._shift, 16) + self._shift
        ahead = number - self._next
        if ahead == 0 and not self._held:
            self._next += 1
            yield number, item
            return
        if abs(ahead) > _MOST_JUMP:
            if sequence != self._suspect:
                self._suspect = (sequence + 1) & 0xFFFF
                self.late += 1
                return
            yield from self.flush()
            self._shift += self._next - number
            number = self._next
            self.restarts += 1
        self._suspect = None
        if number < self._next:
            self.late += 1
            return
        if number in self._held:
            self.duplicates += 1
            return
        self._held[number] = item
        yield from self._release(self._window)

    def flush(self) -> Iterator[tuple[int, T]]:
        """Give out what is held, gaps or not."""
        yield from self._release(0)

    def _release(self, window: int) -> Iterator[tuple[int, T]]:
        assert self._next is not None or not self._held
        while self._held:
            assert self._next is not None
            if self._next not in self._held:
                if len(self._held) <= window:
                    return
                self._next = min(self._held)
            number = self._next
            self._next += 1
            yield number, self._held.pop(number)


@dataclass(frozen=True)
class SenderReport:
    """RTCP SR. ntp: the sender's wall clock, ns since Unix epoch (before 1970: negative)."""

    ssrc: int
    ntp: int
    ntp_middle: int
    timestamp: int
    packets: int
    octets: int


@dataclass(frozen=True)
class Bye:
    """RTCP BYE: these sources leave."""

    sources: tuple[int, ...]


def parse_rtcp(data: bytes | memoryview) -> list[SenderReport | Bye]:
    """Sender reports and BYEs of one compound packet; other types are skipped. Raises ProtocolViolation."""
    found: list[SenderReport | Bye] = []
    place, size = 0, len(data)
    while place < size:
        if place + 4 > size:
            raise ProtocolViolation("RTCP packet ends inside a header")
        first, kind, words = struct.unpack_from("!BBH", data, place)
        end = place + 4 + 4 * words
        if first >> 6 != 2 or end > size:
            raise ProtocolViolation("RTCP packet of wrong version or length")
        if kind == 200:
            if words < 6:
                raise ProtocolViolation("RTCP sender report is too short")
            ssrc, high, low, ticks, packets, octets = struct.unpack_from("!6I", data, place + 4)
            ntp = (high - _NTP_EPOCH) * 1_000_000_000 + ((low * 1_000_000_000) >> 32)
            middle = ((high & 0xFFFF) << 16) | (low >> 16)
            found.append(SenderReport(ssrc, ntp, middle, ticks, packets, octets))
        elif kind == 203:
            count = min(first & 0x1F, words)
            found.append(Bye(struct.unpack_from(f"!{count}I", data, place + 4)))
        place = end
    return found


class ReceiverStatistics:
    """What a receiver must tell the sender (RFC 3550, 6.4 and A.8), and the packet that tells it."""

    def __init__(self, ssrc: int, own_ssrc: int, clock_rate: int) -> None:
        self.ssrc = ssrc
        self._own = own_ssrc
        self._rate = clock_rate
        self._first: int | None = None
        self._highest = 0
        self._received = 0
        self._jitter = 0.0
        self._transit: float | None = None
        self._reported = (0, 0)  # expected, received at the last report
        self._last_report: tuple[int, int] | None = None  # middle of the SR's NTP, its arrival in ns

    def packet(self, sequence: int, timestamp: int, arrival: int) -> None:
        """Count one packet. sequence: extended; timestamp: ticks; arrival: ns."""
        if self._first is None:
            self._first = self._highest = sequence
        self._highest = max(self._highest, sequence)
        self._received += 1
        transit = arrival * 1e-9 * self._rate - timestamp
        if self._transit is not None:
            self._jitter += (abs(transit - self._transit) - self._jitter) / 16.0
        self._transit = transit

    def sender_report(self, report: SenderReport, arrival: int) -> None:
        """Keep when the last sender report came, ns."""
        self._last_report = (report.ntp_middle, arrival)

    def report(self, now: int) -> bytes:
        """A compound packet, RR and SDES. now: ns on the clock of the arrivals."""
        block = b""
        if self._first is not None:
            expected = self._highest - self._first + 1
            since = (expected - self._reported[0], self._received - self._reported[1])
            self._reported = (expected, self._received)
            lost_share = max(0, since[0] - since[1]) * 256 // since[0] if since[0] > 0 else 0
            lost = max(-0x800000, min(0x7FFFFF, expected - self._received)) & 0xFFFFFF
            middle, arrival = self._last_report or (0, now)
            delay = min(0xFFFFFFFF, max(0, (now - arrival) * 65536 // 1_000_000_000))
            jitter = min(0xFFFFFFFF, int(self._jitter))
            word = (min(255, lost_share) << 24) | lost
            block = struct.pack("!6I", self.ssrc, word, self._highest & 0xFFFFFFFF, jitter, middle, delay)
        report = struct.pack("!BBHI", 0x80 | bool(block), 201, 1 + len(block) // 4, self._own) + block
        chunk = struct.pack("!IBB", self._own, 1, len(_CNAME)) + _CNAME + b"\0"
        chunk += b"\0" * (-len(chunk) % 4)
        return report + struct.pack("!BBH", 0x81, 202, len(chunk) // 4) + chunk
