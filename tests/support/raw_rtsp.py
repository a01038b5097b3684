"""A raw RTSP client on a socket, for tests of the virtual camera: it shows every byte and hides nothing."""

from __future__ import annotations

import hashlib
import re
import socket
import struct
import time
from dataclasses import dataclass
from types import TracebackType
from urllib.parse import urlsplit

_HASHES = {"MD5": hashlib.md5, "SHA-256": hashlib.sha256}


@dataclass(frozen=True)
class Reply:
    """One RTSP answer; headers in lower case, several of one name as a list."""

    status: int
    headers: dict[str, list[str]]
    body: str


@dataclass(frozen=True)
class Rtp:
    """One RTP packet."""

    sequence: int
    timestamp: int
    marker: bool
    payload: bytes
    kind: int = 96
    ssrc: int = 0


@dataclass(frozen=True)
class Report:
    """One RTCP sender report; ntp_ns: Unix nanoseconds."""

    ntp_ns: int
    timestamp: int
    packets: int
    octets: int
    ssrc: int = 0


class RawRtsp:
    """One RTSP connection. url: its user is left out; algorithm: which challenge to answer."""

    def __init__(
        self, url: str, password: str = "camcert-sim", algorithm: str = "MD5", user: str = "admin"
    ) -> None:
        parts = urlsplit(url)
        self.url = f"rtsp://{parts.hostname}:{parts.port}{parts.path}"
        self.socket = socket.create_connection((str(parts.hostname), int(parts.port or 554)), timeout=10.0)
        self.session = ""
        self.reports: list[Report] = []
        self.byes = 0
        self._user, self._password, self._algorithm = user, password, algorithm
        self._challenge: dict[str, str] = {}
        self._buffer = b""
        self._cseq = 0

    def __enter__(self) -> RawRtsp:
        return self

    def __exit__(self, kind: type[BaseException] | None, value: object, trace: TracebackType | None) -> None:
        self.socket.close()

    def request(self, method: str, url: str = "", headers: dict[str, str] | None = None) -> Reply:
        """One request; a challenge is answered once."""
        reply = self._once(method, url or self.url, headers or {})
        if reply.status == 401:
            for value in reply.headers["www-authenticate"]:
                fields = dict(re.findall(r'(\w+)="?([^",]+)', value))
                if fields["algorithm"] == self._algorithm:
                    self._challenge = fields
                    return self._once(method, url or self.url, headers or {})
        return reply

    def setup(self, transport: str = "RTP/AVP/TCP;unicast;interleaved=0-1") -> Reply:
        """SETUP of the video track; keeps the session."""
        reply = self.request("SETUP", self.url + "/video", {"Transport": transport})
        if reply.status == 200:
            self.session = reply.headers["session"][0].split(";")[0]
        return reply

    def play(self, transport: str = "RTP/AVP/TCP;unicast;interleaved=0-1") -> Reply:
        """DESCRIBE, SETUP, PLAY."""
        assert self.request("DESCRIBE").status == 200
        assert self.setup(transport).status == 200
        return self.request("PLAY")

    def pictures(self, count: int, seconds: float = 20.0) -> list[list[Rtp]]:
        """The RTP packets of the next access units; reports and byes are collected on the way."""
        out: list[list[Rtp]] = [[]]
        deadline = time.monotonic() + seconds
        while len(out) <= count:
            assert time.monotonic() < deadline, f"{len(out) - 1} of {count} pictures in {seconds} s"
            packet = self.packet()
            if packet is None:
                continue
            if out[-1] and out[-1][-1].timestamp != packet.timestamp:
                out.append([])
            out[-1].append(packet)
        return out[:count]

    def packet(self) -> Rtp | None:
        """The next interleaved frame: an RTP packet, or None for RTCP."""
        frame = self._frame()
        assert frame is not None, "an answer nobody asked for"
        channel, data = frame
        if channel == 1:
            self._rtcp(data)
            return None
        flags, kind, sequence, timestamp, ssrc = struct.unpack("!BBHII", data[:12])
        assert flags == 0x80
        return Rtp(sequence, timestamp, bool(kind & 0x80), data[12:], kind & 0x7F, ssrc)

    def _rtcp(self, data: bytes) -> None:
        while data:
            kind, words = data[1], int.from_bytes(data[2:4], "big") + 1
            if kind == 200:
                ntp, timestamp, packets, octets = struct.unpack("!QIII", data[8:28])
                ns = round((ntp / 2**32 - 2_208_988_800) * 1e9)
                ssrc = int.from_bytes(data[4:8], "big")
                self.reports.append(Report(ns, timestamp, packets, octets, ssrc))
            self.byes += kind == 203
            data = data[4 * words :]

    def _once(self, method: str, url: str, headers: dict[str, str]) -> Reply:
        self._cseq += 1
        lines = [f"{method} {url} RTSP/1.0", f"CSeq: {self._cseq}"]
        lines += [f"{name}: {value}" for name, value in headers.items()]
        if self.session and "Session" not in headers:
            lines.append(f"Session: {self.session}")
        if self._challenge:
            lines.append("Authorization: " + self._credentials(method, url))
        self.socket.sendall(("\r\n".join(lines) + "\r\n\r\n").encode())
        reply = self.reply()
        assert reply.headers["cseq"] == [str(self._cseq)]
        return reply

    def _credentials(self, method: str, url: str) -> str:
        realm, nonce = self._challenge["realm"], self._challenge["nonce"]

        def h(text: str) -> str:
            return _HASHES[self._algorithm](text.encode()).hexdigest()

        first, second = h(f"{self._user}:{realm}:{self._password}"), h(f"{method}:{url}")
        response = h(f"{first}:{nonce}:00000001:abc:auth:{second}")
        return (
            f'Digest username="{self._user}", realm="{realm}", nonce="{nonce}", uri="{url}", qop=auth, '
            f'nc=00000001, cnonce="abc", algorithm={self._algorithm}, response="{response}"'
        )

    def reply(self) -> Reply:
        """The next answer; interleaved frames before it are passed over, RTCP noted."""
        while (frame := self._frame()) is not None:
            if frame[0] == 1:
                self._rtcp(frame[1])
        while b"\r\n\r\n" not in self._buffer:
            self._more()
        head, self._buffer = self._buffer.split(b"\r\n\r\n", 1)
        first, *lines = head.decode().split("\r\n")
        headers: dict[str, list[str]] = {}
        for line in lines:
            name, _, value = line.partition(":")
            headers.setdefault(name.strip().lower(), []).append(value.strip())
        body = self._take(int(headers.get("content-length", ["0"])[0])).decode()
        return Reply(int(first.split()[1]), headers, body)

    def _frame(self) -> tuple[int, bytes] | None:
        """The interleaved frame that stands next, None where an answer does."""
        if not self._buffer:
            self._more()
        if self._buffer[:1] != b"$":
            return None
        _, channel, size = struct.unpack("!BBH", self._take(4))
        return channel, self._take(size)

    def _take(self, count: int) -> bytes:
        while len(self._buffer) < count:
            self._more()
        taken, self._buffer = self._buffer[:count], self._buffer[count:]
        return taken

    def _more(self) -> None:
        data = self.socket.recv(1 << 18)
        if not data:
            raise ConnectionError("the camera closed the connection")
        self._buffer += data
