"""RTSP through the relay: the UDP ports that SETUP agrees on are led through ports of the relay (RFC 2326, 12.39).

Only the Transport header is rewritten; bodies, interleaved frames and all else pass as they are. What does not look
like RTSP, or has headers beyond all bounds, is passed on unread from there on: the relay spoils packets, never
protocols.
"""

from __future__ import annotations

import re
import socket
from dataclasses import dataclass

from instruments.network_relay.loop import Loop
from instruments.network_relay.udp import MediaPair

__all__ = ["Framer", "Piece", "RtspPorts"]

_LONGEST_HEAD = 16_384
_LONGEST_BODY = 1_048_576
_PAIRS = 4  # of one connection
_CLIENT = re.compile(rb"client_port=(\d{1,5})(?:-(\d{1,5}))?")
_SERVER = re.compile(rb"server_port=(\d{1,5})(?:-(\d{1,5}))?")
_ADDRESS = re.compile(rb";(?:source|destination)=[^;,\r\n]*")
_LENGTH = re.compile(rb"\r\ncontent-length *: *(\d{1,9}) *\r\n", re.IGNORECASE)
_SEQUENCE = re.compile(rb"\r\ncseq *: *(\d{1,9}) *\r\n", re.IGNORECASE)
_TRANSPORT = re.compile(rb"(\r\ntransport *:)([^\r\n]*)", re.IGNORECASE)


@dataclass(frozen=True)
class Piece:
    """One unit of the stream. head: whether it is a message, whose headers may be rewritten; else raw bytes."""

    data: bytes
    head: bool


class Framer:
    """Cuts one direction of an RTSP connection into messages and all else."""

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._raw = False

    def feed(self, data: bytes) -> list[Piece]:
        """Bytes as they came, none at the end; returns what is complete, in order, nothing added, nothing lost."""
        self._buffer += data
        self._raw = self._raw or not data
        out: list[Piece] = []
        while self._buffer and (piece := self._next()) is not None:
            out.append(piece)
        return out

    def _next(self) -> Piece | None:
        if self._raw:
            return self._take(len(self._buffer), head=False)
        if self._buffer[0] == 0x24:  # an interleaved frame (RFC 2326, 10.12)
            size = 4 + int.from_bytes(self._buffer[2:4], "big")
            return self._take(size, head=False) if len(self._buffer) >= max(size, 4) else None
        end = self._buffer.find(b"\r\n\r\n", 0, _LONGEST_HEAD)
        if end < 0:
            if len(self._buffer) < _LONGEST_HEAD:
                return None
            self._raw = True
            return self._next()
        length = _LENGTH.search(self._buffer, 0, end + 4)
        body = int(length.group(1)) if length else 0
        if body > _LONGEST_BODY:
            self._raw = True
            return self._next()
        return self._take(end + 4 + body, head=True) if len(self._buffer) >= end + 4 + body else None

    def _take(self, size: int, *, head: bool) -> Piece:
        data = bytes(self._buffer[:size])
        del self._buffer[:size]
        return Piece(data, head)


class RtspPorts:
    """The pairs of UDP ports of one RTSP connection."""

    def __init__(self, loop: Loop, *, bench: socket.socket, camera: socket.socket, camera_host: str) -> None:
        """bench, camera: the two ends; camera_host: numeric address that datagrams of the camera come from."""
        self._loop, self._bench, self._camera, self._host = loop, bench, camera, camera_host
        self._requests, self._answers = Framer(), Framer()
        self._asked: dict[bytes, tuple[MediaPair, bytes]] = {}
        self._pairs: list[MediaPair] = []

    def request(self, data: bytes) -> list[bytes]:
        """What the bench sends, with the relay's ports in the place of its own; ends with b"" where it ends."""
        pieces = [self._setup(p.data) if p.head else p.data for p in self._requests.feed(data)]
        return pieces if data else [*pieces, b""]

    def answer(self, data: bytes) -> list[bytes]:
        """What the camera answers, with the relay's ports in the place of the camera's; b"" as above."""
        pieces = [self._agreed(p.data) if p.head else p.data for p in self._answers.feed(data)]
        return pieces if data else [*pieces, b""]

    def close(self) -> None:
        """Give all ports back."""
        for pair in (*self._pairs, *(pair for pair, _ in self._asked.values())):
            pair.close()
        self._pairs.clear()
        self._asked.clear()

    def _setup(self, message: bytes) -> bytes:
        transport, sequence = _TRANSPORT.search(message), _SEQUENCE.search(message)
        wanted = _CLIENT.search(transport.group(2)) if transport else None
        if not message.startswith(b"SETUP ") or not (transport and sequence and wanted):
            return message
        if len(self._pairs) + len(self._asked) >= _PAIRS:
            return message
        first = int(wanted.group(1))
        second = int(wanted.group(2) or first + 1)
        host = self._bench.getpeername()[0]
        try:
            pair = MediaPair(
                self._loop,
                camera_side=self._camera.getsockname()[0],
                bench_side=self._bench.getsockname()[0],
                camera=self._host,
                bench=((host, first), (host, second)),
            )
        except OSError:
            return message
        self._asked[sequence.group(1)] = (pair, wanted.group(0))
        ours = b"client_port=%d-%d" % (pair.camera_port, pair.camera_port + 1)
        return _with_transport(message, transport, _CLIENT.sub(ours, transport.group(2)))

    def _agreed(self, message: bytes) -> bytes:
        sequence, transport = _SEQUENCE.search(message), _TRANSPORT.search(message)
        if sequence is None or sequence.group(1) not in self._asked:
            return message
        if message.startswith(b"RTSP/1.0 1"):  # 1xx: the answer proper is still to come
            return message
        pair, wanted = self._asked.pop(sequence.group(1))
        theirs = _SERVER.search(transport.group(2)) if transport else None
        if not message.startswith(b"RTSP/1.0 2") or transport is None:
            pair.close()
            return message
        self._pairs.append(pair)
        if theirs:
            first = int(theirs.group(1))
            pair.camera_at(self._host, first, int(theirs.group(2) or first + 1))
        value = _SERVER.sub(b"server_port=%d-%d" % (pair.bench_port, pair.bench_port + 1), transport.group(2))
        value = _ADDRESS.sub(b"", _CLIENT.sub(wanted, value))
        return _with_transport(message, transport, value)


def _with_transport(message: bytes, found: re.Match[bytes], value: bytes) -> bytes:
    """The message with another value of its Transport header."""
    return message[: found.start(2)] + value + message[found.end(2) :]
