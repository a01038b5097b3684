"""Fills a Capture from packets: numbers unwrapped across reconnections too, losses named, units laid out.

It runs in the receiving thread, so what it does per packet is little: one header, one row.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass, field

import numpy as np

from bench.camera.access_unit import AccessUnit, Assembler
from bench.camera.capture import PACKET, REPORT, UNIT, Capture, WireEvent
from bench.camera.codecs import assembler_of
from bench.camera.limits import Limits
from bench.camera.rtp import (
    Bye,
    ReceiverStatistics,
    RtpPacket,
    SenderReport,
    Sequencer,
    parse_rtcp,
    parse_rtp,
    unwrap,
)
from bench.camera.sdp import Video
from standards.errors import LimitExceeded, ProtocolViolation

__all__ = ["Recorder"]

_PACKET_ROW = struct.Struct("=qqqiB?i")
_REPORT_ROW = struct.Struct("=qqqqq")
_UNIT_ROW = struct.Struct("=qqqqi??")


@dataclass
class _Leg:
    """One unbroken sequence of packets: from a connection, or a restart of the sender, to the next."""

    assembler: Assembler
    sequencer: Sequencer[tuple[RtpPacket, bytes, int]] = field(default_factory=Sequencer)
    ssrc: int | None = None
    suspect: int | None = None
    statistics: ReceiverStatistics | None = None
    last_sequence: int | None = None
    timestamp: int | None = None  # extended, of the last packet in order
    shift: int = 0  # extended timestamp minus the sender's, where the sender began anew
    sequence_shift: int | None = None
    waiting: bool = True  # for a complete key frame
    pending: list[tuple[SenderReport, int]] = field(default_factory=list)


class Recorder:
    """Takes the packets of one stream until its window is full; then makes the Capture."""

    def __init__(self, limits: Limits, seconds: float, own_ssrc: int) -> None:
        self._limits = limits
        self._window_ns = int(seconds * 1e9)
        self._own_ssrc = own_ssrc
        self._video: Video | None = None
        self._leg: _Leg | None = None
        self._packets, self._reports, self._units = bytearray(), bytearray(), bytearray()
        self._stream = bytearray()
        self._events: list[WireEvent] = []
        self._suppressed = 0
        self._prefix: AccessUnit | None = None
        self._before: tuple[int, int] | None = None  # timestamp and arrival of the newest packet of all
        self._next_sequence = 0
        self._last_arrival = 0
        self._now = 0
        self.started_ns = 0
        self.end_ns = 0
        self.frames = 0
        self.lost = 0
        self.foreign = 0
        self.received = 0
        self.merged = 0
        self.ended = False
        self.bye = False

    @property
    def octets(self) -> int:
        """Bytes of the access units recorded so far."""
        return len(self._stream)

    def event(self, time_ns: int, kind: str, text: str = "") -> None:
        """Note something that happened; beyond the bound only their number is kept."""
        if len(self._events) < self._limits.events:
            self._events.append(WireEvent(time_ns, kind, text))
        else:
            self._suppressed += 1

    def violations(self) -> str:
        """The last violation noted, for the message of an error; '' if there was none."""
        return next((e.text for e in reversed(self._events) if e.kind == "violation"), "")

    def begin(self, video: Video) -> None:
        """A connection begins to play. The numbers go on from where the last one ended."""
        self._end_leg(keep_open=False)
        self._video = video
        self.bye = False
        self._new_leg(video)

    def rtp(self, data: memoryview, arrival: int) -> None:
        """One RTP packet. arrival: ns. Raises LimitExceeded; a broken packet is noted and left out."""
        leg = self._leg
        if self.ended or leg is None or self._video is None:
            return
        if self.end_ns and arrival >= self.end_ns:
            self.ended = True
            return
        self._now = arrival
        try:
            packet = parse_rtp(data)
        except ProtocolViolation as violation:
            self.event(arrival, "violation", str(violation))
            return
        if packet.payload_type != self._video.payload_type:
            self.foreign += 1
            return
        if packet.ssrc != leg.ssrc:
            fresh = self._source(leg, packet.ssrc, arrival)
            if fresh is None:
                return
            leg = fresh
        elif leg.suspect is not None:
            leg.suspect = None
        restarts = leg.sequencer.restarts
        payload = bytes(data[packet.start : packet.end])
        for number, (one, content, came) in leg.sequencer.push(packet.sequence, (packet, payload, arrival)):
            self._in_order(leg, number, one, content, came)
        if leg.sequencer.restarts != restarts:
            self.event(arrival, "restarted", f"RTP sequence jumped to {packet.sequence}: losses unknown")

    def rtcp(self, data: memoryview, arrival: int) -> None:
        """One RTCP compound packet. arrival: ns."""
        leg = self._leg
        if self.ended or leg is None:
            return
        try:
            parts = parse_rtcp(data)
        except ProtocolViolation as violation:
            self.event(arrival, "violation", str(violation))
            return
        for part in parts:
            if isinstance(part, Bye):
                if leg.ssrc in part.sources:
                    self.bye = True
                    self.event(arrival, "bye", "RTCP BYE: the camera ends the stream")
            elif leg.ssrc is None or leg.timestamp is None:
                leg.pending = [*leg.pending[-15:], (part, arrival)]
            elif part.ssrc == leg.ssrc:
                self._report(leg, part, arrival)

    def receiver_report(self, now: int) -> bytes | None:
        """The RTCP packet to send now; None before the first packet of the stream."""
        leg = self._leg
        return leg.statistics.report(now) if leg is not None and leg.statistics is not None else None

    def finish(self, now: int) -> None:
        """The window ends, at its planned end or now if that is earlier."""
        self.end_ns = min(self.end_ns, now) if self.end_ns else now
        self._end_leg(keep_open=False)
        if self._suppressed:
            self._events.append(WireEvent(now, "suppressed", f"{self._suppressed} more events"))

    def capture(self, *, url: str, transport: str, declared: dict[str, object], overflow: int) -> Capture:
        """Everything recorded, after finish()."""
        assert self._video is not None
        return Capture(
            url=url,
            transport=transport,
            codec=self._video.codec,
            clock_rate=self._video.clock_rate,
            started_ns=self.started_ns,
            ended_ns=self.end_ns,
            packets=np.frombuffer(bytes(self._packets), PACKET),
            reports=np.frombuffer(bytes(self._reports), REPORT),
            units=np.frombuffer(bytes(self._units), UNIT),
            stream=bytes(self._stream),
            declared=dict(declared),
            events=tuple(sorted(self._events, key=lambda event: event.time_ns)),
            overflow=overflow,
        )

    def _new_leg(self, video: Video) -> _Leg:
        assembler = assembler_of(
            video, self._limits, self._unit, lambda text: self.event(self._now, "violation", text)
        )
        self._prefix = None
        self._leg = _Leg(assembler)
        return self._leg

    def _end_leg(self, *, keep_open: bool) -> None:
        leg = self._leg
        if leg is None:
            return
        for number, (one, content, came) in leg.sequencer.flush():
            self._in_order(leg, number, one, content, came)
        leg.assembler.finish(keep_open=keep_open)
        for count, kind in ((leg.sequencer.duplicates, "duplicate"), (leg.sequencer.late, "late")):
            if count:
                self.event(self._now, kind, f"{count} RTP packets, left out")
        self._leg = None

    def _source(self, leg: _Leg, ssrc: int, arrival: int) -> _Leg | None:
        """The leg of a new synchronisation source, believed once two packets in a row carry it."""
        assert self._video is not None
        if leg.ssrc is None:
            leg.ssrc = ssrc
        elif leg.suspect != ssrc:
            leg.suspect = ssrc
            return None
        else:
            self.event(arrival, "restarted", "the sender changed its SSRC")
            self._end_leg(keep_open=True)
            leg = self._new_leg(self._video)
            leg.ssrc = ssrc
        leg.statistics = ReceiverStatistics(ssrc, self._own_ssrc, self._video.clock_rate)
        return leg

    def _in_order(self, leg: _Leg, number: int, packet: RtpPacket, payload: bytes, arrival: int) -> None:
        gap = leg.last_sequence is not None and number != leg.last_sequence + 1
        if gap:
            assert leg.last_sequence is not None
            missing = number - leg.last_sequence - 1
            self.lost += missing
            self.event(arrival, "lost", f"{missing} RTP packets before sequence {number & 0xFFFF}")
        leg.last_sequence = number
        timestamp = self._extend(leg, packet.timestamp, arrival)
        self._before = (timestamp, arrival)
        if leg.statistics is not None:
            leg.statistics.packet(number, timestamp, arrival)
        self.received += 1
        if self.received > self._limits.packets:
            raise LimitExceeded(f"more than {self._limits.packets} RTP packets in one capture")
        leg.assembler.packet(
            payload,
            timestamp=timestamp,
            marker=packet.marker,
            arrival=arrival,
            row=(arrival, number, timestamp, len(payload), packet.payload_type, packet.marker),
            gap=gap,
        )

    def _extend(self, leg: _Leg, ticks: int, arrival: int) -> int:
        assert self._video is not None
        rate = self._video.clock_rate
        if leg.timestamp is None:
            leg.timestamp = ticks
            if self._before is not None:
                # Where the old time base goes on the numbers do too; else they follow the arrival.
                expected = self._before[0] + round((arrival - self._before[1]) * rate / 1e9)
                natural = unwrap(ticks, expected, 32)
                leg.timestamp = natural if abs(natural - expected) <= 2 * rate else expected
                leg.shift = leg.timestamp - ticks
                if leg.timestamp != natural:
                    self.event(arrival, "rebased", "RTP timestamps began anew: continued by arrival time")
            for report, came in leg.pending:
                if report.ssrc == leg.ssrc:
                    self._report(leg, report, came)
            leg.pending.clear()
        else:
            leg.timestamp = unwrap(ticks, leg.timestamp - leg.shift, 32) + leg.shift
        return leg.timestamp

    def _report(self, leg: _Leg, report: SenderReport, arrival: int) -> None:
        assert leg.timestamp is not None
        if leg.statistics is not None:
            leg.statistics.sender_report(report, arrival)
        if len(self._reports) > REPORT.itemsize * self._limits.events:
            self._suppressed += 1
            return
        ticks = unwrap(report.timestamp, leg.timestamp - leg.shift, 32) + leg.shift
        self._reports += _REPORT_ROW.pack(arrival, report.ntp, ticks, report.packets, report.octets)

    def _unit(self, unit: AccessUnit) -> None:
        leg = self._leg
        assert leg is not None
        if (before := self._prefix) is not None:
            unit.swallow(before)
            self._prefix = None
        if unit.size > self._limits.unit_bytes or len(unit.rows) > self._limits.unit_bytes // 16:
            raise LimitExceeded(f"an access unit of more than {self._limits.unit_bytes} bytes")
        if not unit.picture:
            self._prefix = unit  # parameter sets or SEI under a timestamp of their own: they go with the next
            return
        if leg.waiting:
            if not (unit.key and unit.intact):
                return
            leg.waiting = False
            leg.assembler.provide(unit)
            if not self.started_ns:
                self.started_ns = unit.first
                self.end_ns = unit.first + self._window_ns
        self._store(leg, unit)

    def _store(self, leg: _Leg, unit: AccessUnit) -> None:
        if unit.first == self._last_arrival:
            # One segment, or segments that the kernel merged, held the end of one picture and the start of
            # the next: when the earlier one came is known only as "not later than".
            self.merged += 1
            self.event(unit.first, "merged", f"access unit {self.frames - 1} arrived merged with the next")
        self._last_arrival = unit.last
        if len(self._stream) + unit.size > self._limits.total_bytes:
            raise LimitExceeded(f"more than {self._limits.total_bytes} bytes of video in one capture")
        if leg.sequence_shift is None:
            leg.sequence_shift = self._next_sequence - unit.rows[0][1] if self.frames else 0
        for arrival, number, timestamp, size, kind, marker in unit.rows:
            self._next_sequence = number + leg.sequence_shift + 1
            self._packets += _PACKET_ROW.pack(
                arrival, self._next_sequence - 1, timestamp, size, kind, marker, self.frames
            )
        self._units += _UNIT_ROW.pack(
            unit.timestamp, unit.first, unit.last, len(self._stream), unit.size, unit.key, unit.intact
        )
        for part in unit.parts:
            self._stream += part
        self.frames += 1
