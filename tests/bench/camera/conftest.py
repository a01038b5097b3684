"""A camera written for these tests alone: RTSP, packetiser and faults on raw sockets, a few lines each.

It shares nothing with the receiver under test nor with fixtures/simulated.
"""

from __future__ import annotations

import io
import socket
import struct
import threading
import time
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from fractions import Fraction

import av
import numpy as np
import pytest

CLOCK = 90_000
FRAMES = 24
GOP = 8
WIDTH, HEIGHT = 98, 54  # not multiples of 16: the picture is cropped
PT = 97


@dataclass(frozen=True)
class Clip:
    """units: access units as lists of NAL units without start codes; sps, pps; luma: decoded pictures."""

    units: list[list[bytes]]
    sps: bytes
    pps: bytes
    luma: list[np.ndarray]

    def sdp(self, *, sprop: bool = True) -> bytes:
        import base64

        sets = ",".join(base64.b64encode(x).decode() for x in (self.sps, self.pps))
        fmtp = f"a=fmtp:{PT} packetization-mode=1" + (f";sprop-parameter-sets={sets}" if sprop else "")
        return (
            "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=t\r\nt=0 0\r\na=control:*\r\n"
            "m=audio 0 RTP/AVP 0\r\na=control:track0\r\n"
            f"m=video 0 RTP/AVP {PT}\r\nb=AS:512\r\na=rtpmap:{PT} H264/{CLOCK}\r\n{fmtp}\r\n"
            "a=framerate:25\r\na=control:track1\r\n"
        ).encode()


def _split(annexb: bytes) -> list[bytes]:
    parts = annexb.replace(b"\0\0\0\1", b"\0\0\1").split(b"\0\0\1")
    return [p for p in parts if p]


@pytest.fixture(scope="session")
def clip() -> Clip:
    context = av.CodecContext.create("libx264", "w")
    context.width, context.height, context.pix_fmt = WIDTH, HEIGHT, "yuv420p"
    context.framerate = Fraction(25)
    context.gop_size = GOP
    context.options = {
        "preset": "veryfast",
        "tune": "zerolatency",
        "x264-params": "slices=2:scenecut=0:cabac=0",
    }
    rng = np.random.default_rng(5)
    base = rng.integers(20, 230, (HEIGHT + 64, WIDTH + 64), dtype=np.uint8)
    packets: list[bytes] = []
    for i in range(FRAMES):
        frame = av.VideoFrame(WIDTH, HEIGHT, "yuv420p")
        for plane, fill in zip(frame.planes, (None, 128, 128), strict=True):
            rows = np.full((plane.height, plane.line_size), 128, np.uint8)
            if fill is None:
                rows[:, :WIDTH] = base[i : i + HEIGHT, 2 * i : 2 * i + WIDTH]
            plane.update(rows.tobytes())
        frame.pts = i
        packets += [bytes(p) for p in context.encode(frame)]
    packets += [bytes(p) for p in context.encode(None)]
    assert len(packets) == FRAMES
    luma = []
    with av.open(io.BytesIO(b"".join(packets)), mode="r", format="h264") as container:
        luma = [f.to_ndarray()[:HEIGHT] for f in container.decode(video=0)]  # yuv420p: luma rows first
    units = [_split(p) for p in packets]
    sets = {n[0] & 31: n for n in units[0]}
    units = [[n for n in unit if n[0] & 31 not in (6, 7, 8, 9)] for unit in units]
    assert all(len(unit) == 2 for unit in units)
    return Clip(units, sets[7], sets[8], luma)


def fragments(nals: list[bytes], mtu: int) -> list[bytes]:
    """RFC 6184 payloads: STAP-A where neighbours fit, FU-A where one does not, else single NAL units."""
    out: list[bytes] = []
    i = 0
    while i < len(nals):
        if len(nals[i]) > mtu:
            head, body = nals[i][0], nals[i][1:]
            pieces = [body[k : k + mtu] for k in range(0, len(body), mtu)]
            for k, piece in enumerate(pieces):
                flags = (128 if k == 0 else 0) | (64 if k == len(pieces) - 1 else 0)
                out.append(bytes([(head & 0xE0) | 28, flags | (head & 31)]) + piece)
            i += 1
            continue
        group = [nals[i]]
        while i + len(group) < len(nals) and sum(len(n) + 2 for n in [*group, nals[i + len(group)]]) < mtu:
            group.append(nals[i + len(group)])
        i += len(group)
        if len(group) == 1:
            out.append(group[0])
        else:
            nri = max(n[0] & 0x60 for n in group)
            out.append(bytes([nri | 24]) + b"".join(struct.pack("!H", len(n)) + n for n in group))
    return out


def rtp(payload: bytes, *, seq: int, ts: int, marker: bool, ssrc: int = 0x1234, pt: int = PT) -> bytes:
    return struct.pack("!BBHII", 0x80, marker << 7 | pt, seq & 0xFFFF, ts & 0xFFFFFFFF, ssrc) + payload


def packetise(
    units: list[list[bytes]], *, seq: int = 65_500, ts: int = 2**32 - 9000, step: int = 3600, mtu: int = 200
) -> list[list[bytes]]:
    """RTP packets of each unit; both numbers wrap soon after the start."""
    out = []
    for i, nals in enumerate(units):
        pieces = fragments(nals, mtu)
        rows = []
        for k, piece in enumerate(pieces):
            rows.append(rtp(piece, seq=seq, ts=ts + i * step, marker=k == len(pieces) - 1))
            seq += 1
        out.append(rows)
    return out


def sender_report(ssrc: int, ntp_s: float, ticks: int, packets: int, octets: int) -> bytes:
    whole = int(ntp_s)
    low = int((ntp_s - whole) * 2**32)
    return struct.pack(
        "!BBHIIIIII", 0x80, 200, 6, ssrc, whole + 2_208_988_800, low, ticks & 0xFFFFFFFF, packets, octets
    )


@dataclass
class Wire:
    """One client as the camera sees it, after PLAY."""

    conn: socket.socket
    peer: tuple[str, int]
    udp: tuple[socket.socket, int] | None = None
    number: int = 0

    def send(self, packet: bytes, channel: int = 0) -> None:
        if self.udp is not None:
            self.udp[0].sendto(packet, (self.peer[0], self.udp[1] + channel))
        else:
            self.conn.sendall(struct.pack("!BBH", 0x24, channel, len(packet)) + packet)

    def stream(self, packets: list[list[bytes]], pace: float = 0.01) -> None:
        for unit in packets:
            for packet in unit:
                self.send(packet)
            time.sleep(pace)


Script = Callable[[Wire], None]
Answer = Callable[[str, dict[str, str]], bytes | None]


@dataclass
class Camera:
    """A scripted camera. requests: (method, headers) as received; answer may replace any answer."""

    sdp: bytes
    script: Script
    answer: Answer = lambda method, headers: None
    session: str = "77;timeout=60"
    requests: list[tuple[str, dict[str, str]]] = field(default_factory=list)
    received: list[bytes] = field(default_factory=list)
    connections: int = 0
    port: int = 0
    stopped: threading.Event = field(default_factory=threading.Event)

    @property
    def url(self) -> str:
        return f"rtsp://127.0.0.1:{self.port}/live"

    def methods(self) -> list[str]:
        return [m for m, _ in self.requests]

    def _requests(self, conn: socket.socket) -> Iterator[tuple[str, str, dict[str, str]]]:
        data = b""
        while not self.stopped.is_set():
            while data[:1] == b"$" and len(data) >= 4 and len(data) >= 4 + data[2] * 256 + data[3]:
                size = 4 + data[2] * 256 + data[3]
                self.received.append(data[4:size])
                data = data[size:]
            if data[:1] != b"$" and b"\r\n\r\n" in data:
                head, data = data.split(b"\r\n\r\n", 1)
                lines = head.decode().split("\r\n")
                headers = {k.lower(): v for k, v in (line.split(": ", 1) for line in lines[1:])}
                method, uri, _ = lines[0].split(" ")
                self.requests.append((method, headers))
                yield method, uri, headers
                continue
            try:
                more = conn.recv(4096)
            except TimeoutError:
                continue
            if not more:
                return
            data += more

    def serve(self, conn: socket.socket, peer: tuple[str, int]) -> None:
        self.connections += 1
        wire = Wire(conn, peer, number=self.connections)
        conn.settimeout(0.05)
        player: threading.Thread | None = None
        for method, uri, headers in self._requests(conn):
            own = self.answer(method, headers)
            if own is not None:
                conn.sendall(own)
                continue
            extra, body = "", b""
            if method == "OPTIONS":
                extra = (
                    "Public: OPTIONS, DESCRIBE, SETUP, PLAY, GET_PARAMETER, TEARDOWN\r\nServer: test/1\r\n"
                )
            elif method == "DESCRIBE":
                extra, body = "Content-Type: application/sdp\r\n", self.sdp
            elif method == "SETUP":
                assert uri.endswith("/live/track1")
                want = headers["transport"]
                if "client_port=" in want:
                    port = int(want.split("client_port=")[1].split("-")[0])
                    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
                    sock.bind(("127.0.0.1", 0))
                    wire.udp = (sock, port)
                    want += f";server_port={sock.getsockname()[1]}-{sock.getsockname()[1] + 1}"
                extra = f"Session: {self.session}\r\nTransport: {want}\r\n"
            length = f"Content-Length: {len(body)}\r\n" if body else ""
            conn.sendall(f"RTSP/1.0 200 OK\r\nCSeq: {headers['cseq']}\r\n{extra}{length}\r\n".encode() + body)
            if method == "PLAY":
                player = threading.Thread(target=self._play, args=(wire,), daemon=True)
                player.start()
            if method == "TEARDOWN":
                break
        if player is not None:
            player.join(2)
        if wire.udp is not None:
            wire.udp[0].close()

    def _play(self, wire: Wire) -> None:
        try:
            self.script(wire)
        except OSError:
            return


@contextmanager
def listening(serve: Callable[[socket.socket, tuple[str, int]], None]) -> Generator[int]:
    """A TCP server on 127.0.0.1 with one thread a connection; yields its port."""
    server = socket.create_server(("127.0.0.1", 0))
    server.settimeout(0.05)
    end = threading.Event()
    threads: list[threading.Thread] = []

    def one(conn: socket.socket, peer: tuple[str, int]) -> None:
        with conn:
            try:
                serve(conn, peer)
            except OSError:
                return

    def accept() -> None:
        while not end.is_set():
            try:
                conn, peer = server.accept()
            except TimeoutError:
                continue
            threads.append(threading.Thread(target=one, args=(conn, peer), daemon=True))
            threads[-1].start()

    main = threading.Thread(target=accept, daemon=True)
    main.start()
    try:
        yield server.getsockname()[1]
    finally:
        end.set()
        main.join()
        for thread in threads:
            thread.join(3)
        server.close()


@pytest.fixture
def camera(clip: Clip) -> Generator[Callable[..., Camera]]:
    """Makes and starts scripted cameras."""
    from contextlib import ExitStack

    with ExitStack() as stack:

        def make(script: Script, **changes: object) -> Camera:
            made = Camera(**{"sdp": clip.sdp(), "script": script, **changes})  # type: ignore[arg-type]
            made.port = stack.enter_context(listening(made.serve))
            stack.callback(made.stopped.set)
            return made

        yield make


@dataclass(frozen=True)
class Tools:
    """The functions of this file, for tests (importlib mode knows no imports between test files)."""

    rtp: Callable[..., bytes] = staticmethod(rtp)
    fragments: Callable[..., list[bytes]] = staticmethod(fragments)
    packetise: Callable[..., list[list[bytes]]] = staticmethod(packetise)
    sender_report: Callable[..., bytes] = staticmethod(sender_report)
    listening: Callable[..., object] = staticmethod(listening)


@pytest.fixture(scope="session")
def tools() -> Tools:
    return Tools()
