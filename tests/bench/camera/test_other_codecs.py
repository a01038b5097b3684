"""H.265 and JPEG in RTP: real coded pictures through another hand's packetiser, and arbitrary bytes."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import av
import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bench.camera import jpeg
from bench.camera.access_unit import AccessUnit
from bench.camera.codecs import assembler_of
from bench.camera.decode import luma_of, read_frames
from bench.camera.jpeg_tables import quantisation
from bench.camera.limits import Limits
from bench.camera.recorder import Recorder
from bench.camera.sdp import Video
from bench.camera.sps_265 import parse_sps_265
from bench.measure.reading import Reading
from fixtures.simulated.rtp_payload import fragments, fragments_265, jpeg_payloads
from standards.errors import LimitExceeded, ProtocolViolation

START = b"\0\0\0\1"
VIDEO = {"h265": Video(97, "H265", 90_000), "mjpeg": Video(97, "JPEG", 90_000)}


def scene(height: int = 96, width: int = 128, seed: int = 1) -> Any:
    """A picture with detail in all three colours, (rows, columns, 3) uint8."""
    rng = np.random.default_rng(seed)
    small = rng.integers(0, 255, (height // 8, width // 8, 3), dtype=np.uint8)
    return cv2.resize(small, (width, height), interpolation=cv2.INTER_CUBIC)


def jpeg_file(picture: Any, quality: int, *, sampling: int = cv2.IMWRITE_JPEG_SAMPLING_FACTOR_420) -> bytes:
    """A JPEG file by OpenCV (libjpeg)."""
    options = [cv2.IMWRITE_JPEG_QUALITY, quality, cv2.IMWRITE_JPEG_SAMPLING_FACTOR, sampling]
    return cv2.imencode(".jpg", picture, options)[1].tobytes()


def shown(file: bytes) -> Any:
    """The picture of a JPEG file by OpenCV."""
    picture = cv2.imdecode(np.frombuffer(file, np.uint8), cv2.IMREAD_COLOR)
    assert picture is not None
    return picture


def assemble(codec: str, pictures: list[list[bytes]], *, lose: set[tuple[int, int]] = frozenset()) -> Any:  # type: ignore[assignment]
    """Units and complaints of payloads picture by picture; lose: (picture, payload) that never come."""
    out: list[AccessUnit] = []
    complaints: list[str] = []
    assembler = assembler_of(VIDEO[codec], Limits(), out.append, complaints.append)
    gap = False
    for stamp, payloads in enumerate(pictures):
        for k, payload in enumerate(payloads):
            if (stamp, k) in lose:
                gap = True
                continue
            last = k == len(payloads) - 1
            assembler.packet(
                payload, timestamp=stamp, marker=last, arrival=stamp,
                row=(stamp, k, stamp, len(payload), 97, last), gap=gap,
            )  # fmt: skip
            gap = False
    assembler.finish(keep_open=False)
    return out, complaints


@pytest.mark.parametrize("quality", [20, 90, 98])
@pytest.mark.parametrize(
    "sampling", [cv2.IMWRITE_JPEG_SAMPLING_FACTOR_420, cv2.IMWRITE_JPEG_SAMPLING_FACTOR_422]
)
def test_jpeg_decodes_to_the_file_that_was_sent(quality: int, sampling: int) -> None:
    files = [jpeg_file(scene(seed=n), quality, sampling=sampling) for n in range(3)]
    units, complaints = assemble("mjpeg", [jpeg_payloads(file, 300) for file in files])
    assert complaints == []
    assert all(unit.intact and unit.key for unit in units)
    for unit, file in zip(units, files, strict=True):
        rebuilt = b"".join(unit.parts)
        assert np.array_equal(shown(file), shown(rebuilt))
        assert jpeg.size_of(rebuilt) == (128, 96)
        assert jpeg.luma_step(rebuilt) == jpeg.luma_step(file)


def test_jpeg_with_restart_markers_and_tables_by_quality() -> None:
    picture = scene()
    options = [cv2.IMWRITE_JPEG_QUALITY, 60, cv2.IMWRITE_JPEG_RST_INTERVAL, 4]
    options += [cv2.IMWRITE_JPEG_SAMPLING_FACTOR, cv2.IMWRITE_JPEG_SAMPLING_FACTOR_420]
    file = cv2.imencode(".jpg", picture, options)[1].tobytes()
    payloads = jpeg_payloads(file, 300)
    assert payloads[0][4] == 65  # restart header present
    # As cameras of few bytes send it: the quality alone, libjpeg's scale and the RFC's being the same.
    bare = [p[:5] + b"\x3c" + p[6:12] + (p[12 + 132 :] if k == 0 else p[12:]) for k, p in enumerate(payloads)]
    offset = 0
    moved = []
    for p in bare:
        moved.append(p[:1] + offset.to_bytes(3, "big") + p[4:])
        offset += len(p) - 12
    for sent in (payloads, moved):
        units, complaints = assemble("mjpeg", [sent])
        assert complaints == [] and units[0].intact
        assert np.array_equal(shown(b"".join(units[0].parts)), shown(file))


def test_tables_of_a_quality_are_libjpegs() -> None:
    for quality in range(1, 100):
        file = jpeg_file(scene(16, 16), quality)
        step = float(
            np.sqrt(np.mean(np.square(np.frombuffer(quantisation(quality)[:64], np.uint8), dtype=float)))
        )
        assert jpeg.luma_step(file) == pytest.approx(step)


def test_tables_sent_once_serve_later_pictures_unless_q_is_255() -> None:
    file = jpeg_file(scene(), 70)
    first = jpeg_payloads(file, 60_000)[0]
    q200 = first[:5] + b"\xc8" + first[6:]
    again = q200[:8] + b"\0\0\0\0" + q200[8 + 132 :]
    units, complaints = assemble("mjpeg", [[q200], [again]])
    assert complaints == [] and units[0].parts == units[1].parts
    never = first[:8] + b"\0\0\0\0" + first[8 + 132 :]
    units, complaints = assemble("mjpeg", [[first], [never]])
    assert len(complaints) == 1 and "without its quantisation tables" in complaints[0]


@pytest.mark.parametrize("which", [0, 1, -1])
def test_a_lost_piece_of_jpeg_marks_its_picture_alone(which: int) -> None:
    pictures = [jpeg_payloads(jpeg_file(scene(seed=n), 80), 300) for n in range(4)]
    assert len(pictures[1]) > 3
    units, complaints = assemble("mjpeg", pictures, lose={(1, which % len(pictures[1]))})
    assert complaints == [], "a loss is no offence of the camera"
    assert [unit.intact for unit in units] == [True, False, True, True]


@pytest.mark.parametrize(
    ("change", "text"),
    [
        (lambda p: b"\x01" + p[1:], "field 1"),
        (lambda p: p[:4] + b"\x02" + p[5:], "type 2"),
        (lambda p: p[:5] + b"\x70" + p[6:], "without its quantisation tables"),
        (lambda p: p[:6] + b"\0" + p[7:], "2040 pixels"),
        (lambda p: p[:10], "quantisation tables"),
        (lambda p: p[:7], "no more than its header"),
    ],
)
def test_jpeg_that_the_rfc_does_not_know_is_told(change: Any, text: str) -> None:
    payload = jpeg_payloads(jpeg_file(scene(), 80), 60_000)[0]
    _, complaints = assemble("mjpeg", [[change(payload)]])
    assert len(complaints) == 1 and text in complaints[0]


@pytest.mark.parametrize("codec", ["h264", "h265", "mjpeg"])
def test_a_picture_that_lost_its_beginning_stands_in_its_own_place(codec: str, tools: Any) -> None:
    """Its packets are not counted to the next picture, which is whole."""
    if codec == "mjpeg":
        pictures = [jpeg_payloads(jpeg_file(scene(seed=n), 80), 300) for n in range(5)]
        decoded = {0, 1, 3, 4}
    else:
        film = film_265(slices=1)[0] if codec == "h265" else film_264()
        cut = fragments_265 if codec == "h265" else fragments
        pictures = [[p for nal in nals for p in cut(nal, 200)] for nals in film[:5]]
        decoded = {0, 1}  # the others refer to the lost one
    assert len(pictures[2]) > 2
    recorder = Recorder(Limits(), 10.0, 1)
    recorder.begin({**VIDEO, "h264": Video(97, "H264", 90_000)}[codec])
    seq, now = 100, 10**18
    for stamp, payloads in enumerate(pictures):
        for k, payload in enumerate(payloads):
            if (stamp, k) != (2, 0):
                packet = tools.rtp(payload, seq=seq, ts=stamp * 3600, marker=k == len(payloads) - 1)
                recorder.rtp(memoryview(packet), now)
            seq, now = seq + 1, now + 1000
        now += 40_000_000
    recorder.finish(now)
    taken = recorder.capture(url="", transport="udp", declared={}, overflow=0)
    assert taken.units["intact"].tolist() == [True, True, False, True, True]
    assert np.diff(taken.units["timestamp"]).tolist() == [3600] * 4
    assert not [e for e in taken.events if e.kind == "violation"], "a loss is no offence of the camera"
    table = read_frames(taken, look=None)
    assert set(np.flatnonzero(table.intact).tolist()) == decoded


def film_264() -> list[list[bytes]]:
    """NAL units of each picture by x264, one slice each."""
    context = av.CodecContext.create("libx264", "w")
    context.width, context.height, context.pix_fmt = 128, 96, "yuv420p"
    context.framerate = Fraction(25)
    context.options = {
        "preset": "ultrafast",
        "tune": "zerolatency",
        "x264-params": "keyint=6:scenecut=0:slices=1",
    }
    packets: list[bytes] = []
    for n in range(6):
        frame = av.VideoFrame.from_ndarray(scene(seed=n), format="bgr24").reformat(format="yuv420p")
        frame.pts = n
        packets += [bytes(p) for p in context.encode(frame)]
    packets += [bytes(p) for p in context.encode(None)]
    return [[n for n in p.replace(START, START[1:]).split(START[1:]) if n] for p in packets]


def film_265(
    size: tuple[int, int] = (130, 98), count: int = 12, slices: int = 2
) -> tuple[list[list[bytes]], list[Any]]:
    """NAL units of each picture by x265, and their luma by the encoder's own decoder (libavcodec, whole)."""
    context = av.CodecContext.create("libx265", "w")
    context.width, context.height, context.pix_fmt = *size, "yuv420p"
    context.framerate = Fraction(25)
    context.options = {
        "preset": "ultrafast", "tune": "zerolatency",
        "x265-params": f"keyint=6:min-keyint=6:scenecut=0:bframes=0:repeat-headers=1:slices={slices}:log-level=none",
    }  # fmt: skip
    packets: list[bytes] = []
    for n in range(count):
        frame = av.VideoFrame.from_ndarray(scene(98, 130, n), format="bgr24").reformat(format="yuv420p")
        frame.pts = n
        packets += [bytes(p) for p in context.encode(frame)]
    packets += [bytes(p) for p in context.encode(None)]
    units = [[n for n in p.replace(START, START[1:]).split(START[1:]) if n] for p in packets]
    whole = av.CodecContext.create("hevc", "r")
    frames = [f for p in packets for f in whole.decode(av.Packet(p))] + list(whole.decode(None))
    return units, [luma_of(f).copy() for f in frames]


def aggregate(nals: list[bytes]) -> bytes:
    """RFC 7798, 4.4.2."""
    return b"\x60\x01" + b"".join(len(n).to_bytes(2, "big") + n for n in nals)


@pytest.mark.parametrize("sets_in_one", [False, True])
def test_h265_decodes_to_the_pictures_that_were_coded(sets_in_one: bool, tools: Any) -> None:
    film, luma = film_265()
    recorder = Recorder(Limits(), 10.0, 1)
    recorder.begin(VIDEO["h265"])
    seq, now = 65_530, 10**18
    for stamp, nals in enumerate(film):
        small = [n for n in nals if n[0] >> 1 & 0x3F > 31]
        payloads = [aggregate(small)] if sets_in_one and len(small) > 1 else list(small)
        payloads += [p for n in nals if n not in small for p in fragments_265(n, 200)]
        for k, payload in enumerate(payloads):
            last = k == len(payloads) - 1
            packet = tools.rtp(payload, seq=seq, ts=stamp * 3600, marker=last)
            recorder.rtp(memoryview(packet), now)
            seq, now = seq + 1, now + 1000
        now += 40_000_000
    recorder.finish(now)
    taken = recorder.capture(url="", transport="tcp", declared={}, overflow=0)
    assert taken.codec == "h265"
    assert np.flatnonzero(taken.units["key"]).tolist() == [0, 6]
    assert taken.units["intact"].all() and len(taken.units) == len(film)
    assert not [e for e in taken.events if e.kind == "violation"]
    seen: list[Any] = []

    def look(picture: Any) -> Reading:
        seen.append(picture.copy())
        return Reading(-1, float("nan"))

    table = read_frames(taken, look=look)
    assert table.errors == () and table.intact.all()
    assert all(np.array_equal(a, b) for a, b in zip(seen, luma, strict=True))


def test_size_of_an_h265_stream_is_in_its_sps() -> None:
    film, _ = film_265()
    found = parse_sps_265(next(n for n in film[0] if n[0] >> 1 & 0x3F == 33))
    assert (found.width, found.height, found.depth) == (130, 98, 8)
    assert found.profile == 1 and found.coded_width >= 130 and found.coded_height % 8 == 0


@given(st.binary(max_size=60))
def test_any_h265_sps_is_read_or_refused(data: bytes) -> None:
    try:
        assert parse_sps_265(b"\x42\x01" + data).width > 0
    except ProtocolViolation:
        return


@given(
    st.sampled_from(["H265", "JPEG"]),
    st.lists(
        st.tuples(
            st.binary(max_size=30)
            | st.builds(
                lambda k, b: bytes((k << 1, 1)) + b,
                st.sampled_from([1, 19, 33, 48, 49, 50]),
                st.binary(max_size=20),
            )
            | st.builds(
                lambda q, b: bytes((0, 0, 0, 0, 1, q, 16, 12)) + b,
                st.integers(0, 255),
                st.binary(max_size=150),
            ),
            st.integers(0, 3),
            st.booleans(),
        ),
        max_size=40,
    ),
)
@settings(deadline=None, max_examples=80)
def test_any_packets_make_a_capture_that_holds_together(tools: Any, encoding: str, rows: list[Any]) -> None:
    recorder = Recorder(Limits(unit_bytes=2_000, total_bytes=20_000), 1.0, 1)
    recorder.begin(Video(97, encoding, 90_000))
    now = 10**18
    try:
        for seq, (payload, ts, marker) in enumerate(rows):
            now += 1_000_000
            recorder.rtp(memoryview(tools.rtp(payload, seq=seq, ts=ts * 3600, marker=marker)), now)
        recorder.finish(now)
    except LimitExceeded:
        return
    if not recorder.frames:
        return
    taken = recorder.capture(url="", transport="tcp", declared={}, overflow=0)
    assert taken.units["size"].sum() == len(taken.stream)
    read_frames(taken, look=None)
