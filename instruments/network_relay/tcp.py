"""TCP through the relay: each connection of the bench is joined to one of the relay's to the camera."""

from __future__ import annotations

import errno
import selectors
import socket
from collections.abc import Callable
from contextlib import suppress

from instruments.network_relay.loop import Loop
from instruments.network_relay.rtsp import RtspPorts
from instruments.network_relay.udp import Address

__all__ = ["TcpPort"]

_CONNECTIONS = 32
_PIECE = 65_536
_PIECE_SLOW = 1_448  # what one packet of Ethernet carries: so that a bottleneck passes a stream, not lumps
_HELD_BYTES = 1024 * 1024  # of one direction of one connection; the sender is then left waiting
_BACKLOG = 16


class _Half:
    """One end of a connection: reads from it go on their way, and what arrives for it is written to it."""

    def __init__(self, pair: _Connection, sock: socket.socket, direction: str) -> None:
        """direction: of what is read from this end."""
        self.pair, self.sock, self.direction = pair, sock, direction
        self.out = bytearray()  # arrived for this end, not yet taken by its kernel
        self.reading, self.connected, self.ended = True, True, False
        self.on_the_way = 0  # bytes read from this end that have not arrived at the other

    def deliver(self, data: bytes) -> bool:
        """Arrive at this end; empty data is the end of the stream."""
        if not self.pair.is_open:
            return False
        other = self.pair.other(self)
        other.on_the_way -= len(data)
        if data:
            self.out += data
        else:
            self.ended = True
        self.pair.attend(self)
        self.pair.attend(other)  # there is room again for what it sends
        return True


class _Connection:
    """Two ends and what is between them."""

    def __init__(
        self, loop: Loop, port: TcpPort, bench: socket.socket, camera: socket.socket, name: str
    ) -> None:
        self._loop, self._port, self._name = loop, port, name
        self.bench, self.camera = _Half(self, bench, "to_camera"), _Half(self, camera, "to_bench")
        self.camera.connected = False
        self.is_open = True
        self._ports: RtspPorts | None = None
        if port.rtsp:
            self._ports = RtspPorts(loop, bench=bench, camera=camera, camera_host=port.target[0])
        for half in (self.bench, self.camera):
            self.attend(half)

    def other(self, half: _Half) -> _Half:
        """The opposite end."""
        return self.camera if half is self.bench else self.bench

    def attend(self, half: _Half) -> None:
        """Write what there is, and watch for what comes next. A cut path moves nothing and loses nothing."""
        if not self.is_open:
            return
        up = self._loop.lines[self.other(half).direction].path.up
        try:
            if half.connected and up and half.out:
                del half.out[: half.sock.send(half.out)]
            if half.connected and up and half.ended and not half.out:
                half.ended = False
                half.sock.shutdown(socket.SHUT_WR)
                half.pair.finished()
        except BlockingIOError:
            pass
        except OSError:
            self.close()
        if not self.is_open:
            return
        may_read = half.reading and half.connected and self._loop.lines[half.direction].path.up
        may_read = may_read and half.on_the_way + len(self.other(half).out) < _HELD_BYTES
        events = selectors.EVENT_READ if may_read else 0
        events |= selectors.EVENT_WRITE if (half.out and up) or not half.connected else 0
        self._loop.watch(half.sock, events, self._ready(half))

    def finished(self) -> None:
        """Close when both streams have ended and arrived."""
        ends = (self.bench, self.camera)
        if not any(half.reading or half.out or half.on_the_way or half.ended for half in ends):
            self.close()

    def _ready(self, half: _Half) -> Callable[[int], None]:
        def ready(events: int) -> None:
            if not self.is_open:  # closed by what was ready before it
                return
            if not half.connected:
                self._connected(half)
            elif events & selectors.EVENT_READ:
                self._read(half)
            self.attend(half)
            self.attend(self.other(half))

        return ready

    def _connected(self, half: _Half) -> None:
        if half.sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR):
            self.close()
        else:
            half.connected = True

    def _read(self, half: _Half) -> None:
        slow = self._loop.lines[half.direction].path.rate_kbit > 0
        try:
            data = half.sock.recv(_PIECE_SLOW if slow else _PIECE)
        except BlockingIOError:
            return
        except OSError:
            self.close()
            return
        half.reading = bool(data)
        pieces = [data]
        if self._ports is not None:
            rewrite = self._ports.request if half is self.bench else self._ports.answer
            pieces = rewrite(data)
        for piece in pieces:
            half.on_the_way += len(piece)
            self._loop.send(half.direction, self._name, self.other(half), piece, stream=True)

    def close(self) -> None:
        """End both ends at once."""
        if not self.is_open:
            return
        self.is_open = False
        if self._ports is not None:
            self._ports.close()
        for half in (self.bench, self.camera):
            self._loop.watch(half.sock, 0, lambda _: None)
            with suppress(OSError):
                half.sock.close()
        self._port.forget(self)


class TcpPort:
    """Connections to a port of the relay are continued to the camera."""

    def __init__(self, loop: Loop, listen: Address, target: Address, *, rtsp: bool = False) -> None:
        """rtsp: the port carries RTSP, whose UDP ports are to be led through the relay. Raises OSError."""
        self._loop, self.target, self.rtsp = loop, target, rtsp
        self._connections: set[_Connection] = set()
        self._sock = socket.create_server(listen, backlog=_BACKLOG)
        self._sock.setblocking(False)
        self.address: Address = self._sock.getsockname()
        loop.watch(self._sock, selectors.EVENT_READ, self._accept)

    def attend(self) -> None:
        """Look after every connection again: the path has changed. A cut path leaves callers waiting."""
        up = all(line.path.up for line in self._loop.lines.values())
        self._loop.watch(self._sock, selectors.EVENT_READ if up else 0, self._accept)
        for connection in list(self._connections):
            connection.attend(connection.bench)
            connection.attend(connection.camera)

    def forget(self, connection: _Connection) -> None:
        """A connection has ended."""
        self._connections.discard(connection)

    def _accept(self, _: int) -> None:
        with suppress(OSError):
            bench, peer = self._sock.accept()
            if len(self._connections) >= _CONNECTIONS:
                bench.close()
                return
            camera = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
            for sock in (bench, camera):
                sock.setblocking(False)
                sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if camera.connect_ex(self.target) not in (0, errno.EINPROGRESS):
                bench.close()
                camera.close()
                return
            self._connections.add(_Connection(self._loop, self, bench, camera, f"tcp:{peer[0]}:{peer[1]}"))
