"""Servers that mean harm or are broken: each ends in a named error, in bounded time and memory."""

from __future__ import annotations

import socket
import struct
import time
from collections.abc import Callable
from typing import Any

import pytest

from bench.camera.limits import Limits
from bench.camera.receiver import capture
from standards.errors import (
    CameraDenied,
    CameraError,
    CameraUnreachable,
    LimitExceeded,
    NoVideo,
    ProtocolViolation,
)

QUICK = Limits(
    connect_s=1.0, answer_s=0.6, first_frame_s=0.8, unit_bytes=100_000, total_bytes=400_000, reconnects=1
)
Serve = Callable[[socket.socket], None]


def take(url: str, **more: Any) -> Any:
    return capture(url, **{"user": "u", "password": "p", "seconds": 0.5, "limits": QUICK, **more})


def _read_request(conn: socket.socket) -> None:
    data = b""
    while b"\r\n\r\n" not in data:
        more = conn.recv(4096)
        if not more:
            raise OSError("gone")
        data += more


def _says(*answers: bytes) -> Serve:
    def serve(conn: socket.socket) -> None:
        for answer in answers:
            _read_request(conn)
            conn.sendall(answer)
        conn.settimeout(2)
        while conn.recv(4096):
            pass

    return serve


def _endless_header(conn: socket.socket) -> None:
    _read_request(conn)
    conn.sendall(b"RTSP/1.0 200 OK\r\n")
    while True:
        conn.sendall(b"X-Filler: " + b"a" * 1000 + b"\r\n")


def _endless_line(conn: socket.socket) -> None:
    _read_request(conn)
    while True:
        conn.sendall(b"A" * 4096)


def _slow_drip(conn: socket.socket) -> None:
    _read_request(conn)
    for byte in b"RTSP/1.0 200 OK\r\nCSeq: 1\r\nX: " + b"y" * 500:
        conn.sendall(bytes((byte,)))
        time.sleep(0.02)


def _close(conn: socket.socket) -> None:
    return


def _reset(conn: socket.socket) -> None:
    _read_request(conn)
    conn.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    conn.close()


def _unasked(conn: socket.socket) -> None:
    while True:
        conn.sendall(b"RTSP/1.0 200 OK\r\nCSeq: 4711\r\n\r\n")


def _flood_of_other_channels(conn: socket.socket) -> None:
    until = time.monotonic() + 3
    while time.monotonic() < until:
        conn.sendall(b"$\7\0\4abcd" * 100)


OK = b"RTSP/1.0 200 OK\r\nCSeq: 1\r\n"
CASES: list[tuple[str, Serve, type[CameraError]]] = [
    ("endless header", _endless_header, LimitExceeded),
    ("endless line", _endless_line, LimitExceeded),
    ("slow drip", _slow_drip, LimitExceeded),
    ("closes at once", _close, CameraUnreachable),
    ("resets", _reset, CameraUnreachable),
    ("silent", _says(b""), CameraUnreachable),
    ("answers nobody asked for", _unasked, LimitExceeded),
    ("floods another channel", _flood_of_other_channels, CameraError),
    ("garbage", _says(b"\x00\xff\x10\x80" * 100), ProtocolViolation),
    ("HTTP", _says(b"HTTP/1.1 400 Bad Request\r\n\r\n"), ProtocolViolation),
    ("a banner", _says(b"SSH-2.0-OpenSSH_9.2\r\n\r\n"), ProtocolViolation),
    ("huge length", _says(OK + b"Content-Length: 99999999999999\r\n\r\n"), LimitExceeded),
    ("large length", _says(OK + b"Content-Length: 70000\r\n\r\n"), LimitExceeded),
    ("negative length", _says(OK + b"Content-Length: -1\r\n\r\n"), ProtocolViolation),
    ("two lengths", _says(OK + b"Content-Length: 1\r\nContent-Length: 2\r\n\r\n"), ProtocolViolation),
    ("body never comes", _says(OK + b"Content-Length: 500\r\n\r\nabc"), LimitExceeded),
    ("header without colon", _says(OK + b"nonsense\r\n\r\n"), ProtocolViolation),
    ("too many headers", _says(OK + b"A: b\r\n" * 200 + b"\r\n"), LimitExceeded),
    (
        "redirect",
        _says(b"RTSP/1.0 302 Moved\r\nCSeq: 1\r\nLocation: rtsp://evil/\r\n\r\n"),
        ProtocolViolation,
    ),
    ("forbidden", _says(b"RTSP/1.0 403 Forbidden\r\nCSeq: 1\r\n\r\n"), CameraDenied),
    ("not found", _says(b"RTSP/1.0 404 Not Found\r\nCSeq: 1\r\n\r\n"), NoVideo),
    ("busy", _says(b"RTSP/1.0 503 Busy\r\nCSeq: 1\r\n\r\n"), NoVideo),
    ("401 without challenge", _says(b"RTSP/1.0 401 No\r\nCSeq: 1\r\n\r\n"), ProtocolViolation),
    (
        "401 of an unknown scheme",
        _says(b'RTSP/1.0 401 No\r\nCSeq: 1\r\nWWW-Authenticate: Digest nonce="n", algorithm=X\r\n\r\n'),
        ProtocolViolation,
    ),
    (
        "SDP is none",
        _says(OK + b"\r\n", OK.replace(b"1\r", b"2\r") + b"Content-Length: 3\r\n\r\nabc"),
        ProtocolViolation,
    ),
    (
        "web page for an SDP",
        _says(OK + b"\r\n", OK.replace(b"1\r", b"2\r") + b"Content-Type: text/html\r\n\r\n"),
        ProtocolViolation,
    ),
]


@pytest.mark.parametrize(("serve", "error"), [c[1:] for c in CASES], ids=[c[0] for c in CASES])
def test_signalling(tools: Any, serve: Serve, error: type[CameraError]) -> None:
    with tools.listening(lambda conn, peer: serve(conn)) as port:
        began = time.monotonic()
        with pytest.raises(error):
            take(f"rtsp://127.0.0.1:{port}/x")
        assert time.monotonic() - began < 6


@pytest.mark.parametrize("stale", ["", ", stale=true"])
def test_401_for_ever_is_answered_a_few_times_at_most(camera: Any, stale: str) -> None:
    def answer(method: str, headers: dict[str, str]) -> bytes:
        return (
            f"RTSP/1.0 401 No\r\nCSeq: {headers['cseq']}\r\n"
            f'WWW-Authenticate: Digest realm="r", nonce="{time.time_ns()}"{stale}\r\n\r\n'
        ).encode()

    made = camera(lambda wire: None, answer=answer)
    with pytest.raises(CameraDenied):
        take(made.url)
    assert len([h for _, h in made.requests if "authorization" in h]) == (2 if stale else 1)


@pytest.mark.parametrize(
    "transport",
    ["RTP/AVP;unicast;client_port=1-2", "RTP/AVP/TCP;interleaved=3-3", "RTP/AVP/TCP;interleaved=999-998"],
)
def test_a_transport_that_was_not_asked_for(camera: Any, transport: str) -> None:
    def answer(method: str, headers: dict[str, str]) -> bytes | None:
        if method != "SETUP":
            return None
        head = f"RTSP/1.0 200 OK\r\nCSeq: {headers['cseq']}\r\nSession: 1\r\n"
        return f"{head}Transport: {transport}\r\n\r\n".encode()

    with pytest.raises(ProtocolViolation):
        take(camera(lambda wire: None, answer=answer).url)


def _bad_packets(tools: Any) -> list[bytes]:
    good = tools.rtp(b"\x41\x9a" + bytes(40), seq=9, ts=9, marker=False)
    return [
        b"",
        good[:11],
        b"\x40" + good[1:],  # version 1
        b"\x8f" + good[1:20],  # fifteen contributing sources in eight bytes
        b"\x90" + good[1:12] + b"\0\0\xff\xff",  # an extension longer than the packet
        b"\xa0" + good[1:-1] + b"\0",  # padding of no length
        b"\xa0" + good[1:-1] + b"\xff",  # padding longer than the packet
    ]


def test_broken_packets_are_noted_and_left_out(camera: Any, clip: Any, tools: Any) -> None:
    sent = tools.packetise(clip.units)
    bad = _bad_packets(tools)

    def script(wire: Any) -> None:
        for unit in sent:
            for packet in unit:
                wire.send(packet)
            for packet in bad:
                wire.send(packet)
                wire.send(packet, 1)
            time.sleep(0.01)

    result = take(camera(script).url)
    assert len(result.units) == len(clip.units) and result.units["intact"].all()
    violations = [e.text for e in result.events if e.kind == "violation"]
    assert any("version 1" in v for v in violations)
    assert any("padding" in v for v in violations)
    assert any("longer than the packet" in v for v in violations)


def test_only_broken_packets_are_no_video(camera: Any, tools: Any) -> None:
    bad = _bad_packets(tools)[2]
    with pytest.raises(NoVideo, match="version 1"):
        take(camera(lambda wire: wire.stream([[bad]] * 20)).url)


@pytest.mark.parametrize(
    ("payload", "says"),
    [
        (b"\x7c\x05" + bytes(30), "without its start"),
        (b"\x7c", "without content"),
        (b"\x78\xff\xff\x41", "STAP-A"),
        (b"\x79\0\0\0\3abc", "type 25"),
        (b"\xe1" + bytes(20), "forbidden"),
    ],
)
def test_payloads_that_break_rfc_6184_damage_their_unit_alone(
    camera: Any, clip: Any, tools: Any, payload: bytes, says: str
) -> None:
    units = [list(u) for u in clip.units]
    sent = tools.packetise(units)
    packets: list[list[bytes]] = []
    seq = 5
    for index, unit in enumerate(sent):
        stamp = struct.unpack("!I", unit[0][4:8])[0]
        rows = [p[12:] for p in unit]
        if index == 3:
            rows.insert(0, payload)
        packets.append(
            [tools.rtp(r, seq=seq + k, ts=stamp, marker=k == len(rows) - 1) for k, r in enumerate(rows)]
        )
        seq += len(rows)
    result = take(camera(lambda wire: wire.stream(packets)).url)
    assert [i for i, ok in enumerate(result.units["intact"]) if not ok] == [3]
    assert any(says in e.text for e in result.events if e.kind == "violation")


def test_lengths_that_lie_before_the_first_picture(camera: Any) -> None:
    def script(wire: Any) -> None:
        wire.conn.sendall(b"$\0\0\x05" + bytes(40))

    with pytest.raises(ProtocolViolation, match="neither"):
        take(camera(script).url)


def test_lengths_that_lie_later_cost_the_connection_not_the_capture(
    camera: Any, clip: Any, tools: Any
) -> None:
    def script(wire: Any) -> None:
        wire.stream(tools.packetise(clip.units[:6]))
        if wire.number == 1:
            wire.conn.sendall(b"$\0\0\x05" + bytes(40))

    result = take(camera(script).url, seconds=1.0)
    assert [e.kind for e in result.events if "connected" in e.kind] == [
        "connected",
        "disconnected",
        "reconnected",
    ]
    assert len(result.units) == 12


def test_a_packet_that_never_ends(camera: Any) -> None:
    def script(wire: Any) -> None:
        wire.conn.sendall(b"$\0\xff\xff")
        for _ in range(100):
            wire.conn.sendall(b"x")
            time.sleep(0.02)

    began = time.monotonic()
    with pytest.raises(NoVideo):
        take(camera(script).url)
    assert time.monotonic() - began < 5


def test_a_picture_that_never_ends(camera: Any, clip: Any, tools: Any) -> None:
    def script(wire: Any) -> None:
        wire.stream(tools.packetise(clip.units[:2]), 0)
        for seq in range(2000):
            wire.send(
                tools.rtp(
                    b"\x7c" + (b"\x81" if seq == 0 else b"\x01") + bytes(1000), seq=seq, ts=1, marker=False
                )
            )

    with pytest.raises((LimitExceeded, NoVideo)):
        take(camera(script).url, seconds=20.0)


def test_more_video_than_the_bound(camera: Any, clip: Any, tools: Any) -> None:
    def script(wire: Any) -> None:
        nal = b"\x65\x88" + bytes(50_000)
        wire.stream(tools.packetise([[clip.sps, clip.pps, nal]] * 12, mtu=1200), 0.002)

    with pytest.raises(LimitExceeded, match="400000 bytes of video"):
        take(camera(script).url, seconds=20.0)


def test_packets_of_strangers_are_not_taken(camera: Any, clip: Any, tools: Any) -> None:
    sent = tools.packetise(clip.units)
    stranger = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    stranger.bind(("127.0.0.2", 0))

    def script(wire: Any) -> None:
        for unit in sent:
            stranger.sendto(unit[0], ("127.0.0.1", wire.udp[1]))
            wire.stream([unit])

    with stranger:
        result = take(camera(script).url, transport="udp")
    assert "duplicate" not in [e.kind for e in result.events]
    assert len(result.units) == len(clip.units)


def test_sources_that_alternate_make_no_new_streams(camera: Any, clip: Any, tools: Any) -> None:
    sent = tools.packetise(clip.units)
    mixed = [[q for p in unit for q in (p, p[:8] + b"\xaa\xbb\xcc\xdd" + p[12:])] for unit in sent]
    result = take(camera(lambda wire: wire.stream(mixed)).url)
    assert result.units["intact"].all() and len(result.units) == len(clip.units)


def test_a_flood_of_events_is_counted_not_kept(camera: Any, clip: Any, tools: Any) -> None:
    sent = tools.packetise(clip.units)
    junk = b"\x40" * 30

    def script(wire: Any) -> None:
        for unit in sent:
            wire.stream([unit, [junk] * 50], 0.002)

    result = take(camera(script).url, limits=Limits(first_frame_s=1.0, answer_s=1.0, events=100))
    assert len(result.events) <= 101
    assert "suppressed" in [e.kind for e in result.events]
