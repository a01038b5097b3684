"""RTP, RTCP and RFC 6184 against an independent packetiser and arbitrary bytes."""

from __future__ import annotations

import contextlib
import random
import struct
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from bench.camera.access_unit import AccessUnit
from bench.camera.capture import PACKET, REPORT, UNIT
from bench.camera.h264 import Assembler264
from bench.camera.limits import Limits
from bench.camera.recorder import Recorder
from bench.camera.rtp import (
    Bye,
    ReceiverStatistics,
    SenderReport,
    Sequencer,
    parse_rtcp,
    parse_rtp,
    unwrap,
)
from bench.camera.sdp import Video
from standards.errors import LimitExceeded, ProtocolViolation

START = b"\0\0\0\1"


@given(
    marker=st.booleans(),
    pt=st.integers(0, 127),
    seq=st.integers(0, 2**16 - 1),
    ts=st.integers(0, 2**32 - 1),
    ssrc=st.integers(0, 2**32 - 1),
    sources=st.integers(0, 15),
    extension=st.none() | st.integers(0, 6),
    payload=st.binary(max_size=40),
    padding=st.integers(0, 9),
)
def test_rtp_header_round_trip(
    marker: bool,
    pt: int,
    seq: int,
    ts: int,
    ssrc: int,
    sources: int,
    extension: Any,
    payload: bytes,
    padding: int,
) -> None:
    first = 0x80 | (padding > 0) << 5 | (extension is not None) << 4 | sources
    data = struct.pack("!BBHII", first, marker << 7 | pt, seq, ts, ssrc) + b"\xcc" * 4 * sources
    if extension is not None:
        data += struct.pack("!HH", 0xBEDE, extension) + b"\xee" * 4 * extension
    data += payload + (b"\0" * (padding - 1) + bytes((padding,)) if padding else b"")
    packet = parse_rtp(data)
    assert packet[:5] == (marker, pt, seq, ts, ssrc)
    assert data[packet.start : packet.end] == payload


@given(st.binary(max_size=80))
def test_any_bytes_are_read_or_refused(data: bytes) -> None:
    try:
        packet = parse_rtp(data)
        assert 12 <= packet.start <= packet.end <= len(data)
    except ProtocolViolation:
        pass
    with contextlib.suppress(ProtocolViolation):
        parse_rtcp(data)


@given(st.integers(-(2**40), 2**40), st.integers(-(2**31), 2**31 - 1), st.sampled_from([16, 32]))
def test_unwrap_finds_the_nearest(near: int, step: int, bits: int) -> None:
    step %= 1 << (bits - 1)
    assert unwrap((near + step) % (1 << bits), near, bits) == near + step


@given(st.integers(0, 65535), st.lists(st.booleans(), min_size=1, max_size=200), st.randoms())
def test_sequencer_orders_and_names_gaps(start: int, kept: list[bool], rng: random.Random) -> None:
    numbers = [start + 1 + i for i, keep in enumerate(kept) if keep]
    mixed: list[int] = []
    for place in range(0, len(numbers), 8):
        part = numbers[place : place + 8]
        rng.shuffle(part)
        mixed += part
    sequencer: Sequencer[int] = Sequencer()
    out = list(sequencer.push(start, start))
    for number in mixed:
        out += sequencer.push(number & 0xFFFF, number)
    out += sequencer.flush()
    assert [o[0] for o in out] == [start, *numbers]
    assert all(number == item for number, item in out)


def test_sequencer_gives_up_late_ones_and_counts_duplicates() -> None:
    sequencer: Sequencer[int] = Sequencer(window=2)
    out: list[tuple[int, int]] = []
    for number in (10, 12, 12, 13, 14, 11):
        out += sequencer.push(number, number)
    assert [o[0] for o in out] == [10, 12, 13, 14]
    assert (sequencer.duplicates, sequencer.late) == (1, 1)


def test_sequencer_believes_a_restart_after_two_packets() -> None:
    sequencer: Sequencer[int] = Sequencer()
    out: list[tuple[int, int]] = []
    for number in (10, 11, 40_000, 12, 30_000, 30_001, 30_002):
        out += sequencer.push(number, number)
    assert out == [(10, 10), (11, 11), (12, 12), (13, 30_001), (14, 30_002)]
    assert sequencer.restarts == 1


def test_reports_are_read() -> None:
    sr = struct.pack("!BBHIIIIII", 0x80, 200, 6, 7, 2_208_988_801, 2**31, 99, 3, 4)
    bye = struct.pack("!BBHI", 0x81, 203, 1, 7)
    sdes = struct.pack("!BBHI", 0x81, 202, 1, 7)
    found = parse_rtcp(sr + sdes + bye)
    assert found == [
        SenderReport(7, 1_500_000_000, (1 + 2_208_988_800) % 65536 << 16 | 0x8000, 99, 3, 4),
        Bye((7,)),
    ]


def test_receiver_report_counts_loss() -> None:
    statistics = ReceiverStatistics(5, 6, 90_000)
    for number in [*range(100, 150), *range(160, 200)]:
        statistics.packet(number, number * 3600, number * 40_000_000)
    block = struct.unpack("!6I", statistics.report(0)[8:32])
    assert block[0] == 5
    assert block[1] & 0xFFFFFF == 10
    assert block[1] >> 24 == 10 * 256 // 100
    assert block[2] == 199
    assert block[3] == 0  # what arrives exactly in time has no jitter


NAL = st.builds(
    lambda kind, body: bytes((0x60 | kind,)) + body,
    st.sampled_from([1, 5]),
    st.binary(min_size=2, max_size=600),
).map(lambda n: n[:1] + bytes((n[1] | 0x80,)) + n[2:])


@given(st.lists(st.lists(NAL, min_size=1, max_size=4), min_size=1, max_size=6), st.integers(8, 300))
@settings(deadline=None, max_examples=60)
def test_units_survive_the_journey(tools: Any, units: list[list[bytes]], mtu: int) -> None:
    out: list[AccessUnit] = []
    complaints: list[str] = []
    assembler = Assembler264(Limits(), out.append, complaints.append)
    for stamp, nals in enumerate(units):
        payloads = tools.fragments(nals, mtu)
        for k, payload in enumerate(payloads):
            assembler.packet(
                payload,
                timestamp=stamp,
                marker=k == len(payloads) - 1,
                arrival=stamp,
                row=(stamp, k, stamp, len(payload), 97, False),
                gap=False,
            )
    assembler.finish(keep_open=False)
    assert [b"".join(u.parts) for u in out] == [b"".join(START + n for n in nals) for nals in units]
    assert all(u.intact for u in out)
    assert complaints == []
    assert [u.key for u in out] == [any(n[0] & 31 == 5 for n in nals) for nals in units]


@given(
    st.lists(
        st.tuples(st.binary(max_size=30), st.integers(0, 2**32 - 1), st.integers(0, 65535), st.booleans()),
        max_size=60,
    )
)
@settings(deadline=None, max_examples=60)
def test_any_packets_make_a_capture_that_holds_together(tools: Any, rows: list[Any]) -> None:
    recorder = Recorder(Limits(unit_bytes=500, total_bytes=5_000), 1.0, 1)
    recorder.begin(Video(97, "H264", 90_000))
    now = 10**18
    try:
        for payload, ts, seq, marker in rows:
            now += 1_000_000
            recorder.rtp(memoryview(tools.rtp(payload, seq=seq, ts=ts, marker=marker)), now)
            recorder.rtcp(memoryview(payload), now)
        recorder.finish(now)
    except LimitExceeded:
        return
    capture = recorder.capture(url="", transport="tcp", declared={}, overflow=0)
    assert capture.units["size"].sum() == len(capture.stream)
    assert set(capture.packets["unit"]) == set(range(len(capture.units)))


def test_rows_are_laid_out_as_the_contract_says() -> None:
    assert (PACKET.itemsize, REPORT.itemsize, UNIT.itemsize) == (34, 40, 38)
