"""UDP through the relay: a port whose senders each get a way to the camera and back, and pairs for RTP."""

from __future__ import annotations

import selectors
import socket
from collections import OrderedDict
from contextlib import suppress

from instruments.network_relay.loop import Loop

__all__ = ["Address", "MediaPair", "UdpPort", "udp_socket"]

Address = tuple[str, int]

_LARGEST = 65_536
_ROUND = 64  # datagrams of one socket before the others have their turn
_SENDERS = 64
_BUFFER = 2 * 1024 * 1024


def udp_socket(address: Address) -> socket.socket:
    """A bound socket with room for a picture's burst. Raises OSError."""
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    try:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _BUFFER)
        sock.setblocking(False)
        sock.bind(address)
    except BaseException:
        sock.close()
        raise
    return sock


class _To:
    """Sends to one address from one socket."""

    def __init__(self, sock: socket.socket, address: Address | None) -> None:
        self.sock, self.address = sock, address

    def deliver(self, data: bytes) -> bool:
        """Send a datagram; False if the system would not take it or nobody is known yet."""
        if self.address is None or self.sock.fileno() < 0:
            return False
        try:
            self.sock.sendto(data, self.address)
        except OSError:
            return False
        return True


def _datagrams(sock: socket.socket) -> list[tuple[bytes, Address]]:
    """Those that wait, up to a bound."""
    out: list[tuple[bytes, Address]] = []
    for _ in range(_ROUND):
        try:
            data, sender = sock.recvfrom(_LARGEST)
        except BlockingIOError:
            break
        except OSError:
            continue  # an earlier datagram was refused by its port: the next read has the next datagram
        out.append((data, (sender[0], sender[1])))
    return out


class UdpPort:
    """Datagrams to a port of the relay go to the camera; each sender's answers go back to that sender."""

    def __init__(self, loop: Loop, listen: Address, target: Address) -> None:
        """Raises OSError if the port cannot be had."""
        self._loop, self._target = loop, target
        self._sock = udp_socket(listen)
        self.address: Address = self._sock.getsockname()
        self._senders: OrderedDict[Address, _To] = OrderedDict()
        loop.watch(self._sock, selectors.EVENT_READ, self._from_bench)

    def _from_bench(self, _: int) -> None:
        for data, sender in _datagrams(self._sock):
            flow = f"udp:{sender[0]}:{sender[1]}"
            self._loop.send("to_camera", flow, self._way(sender), data)

    def _way(self, sender: Address) -> _To:
        """The sender's own socket towards the camera; the one used longest ago makes room for a new one."""
        way = self._senders.pop(sender, None)
        if way is None:
            if len(self._senders) >= _SENDERS:
                _, oldest = self._senders.popitem(last=False)
                self._loop.watch(oldest.sock, 0, lambda _: None)
                oldest.sock.close()
            way = _To(udp_socket(("", 0)), self._target)
            back, sock = _To(self._sock, sender), way.sock
            self._loop.watch(sock, selectors.EVENT_READ, lambda _: self._from_camera(sock, back))
        self._senders[sender] = way
        return way

    def _from_camera(self, sock: socket.socket, back: _To) -> None:
        for data, sender in _datagrams(sock):
            if sender == self._target and back.address:
                flow = f"udp:{back.address[0]}:{back.address[1]}"
                self._loop.send("to_bench", flow, back, data)


class MediaPair:
    """RTP and RTCP of one SETUP: an even and an odd port towards the camera, and two towards the bench."""

    def __init__(
        self, loop: Loop, *, camera_side: str, bench_side: str, camera: str, bench: tuple[Address, Address]
    ) -> None:
        """camera_side, bench_side: the relay's own addresses; camera: the camera's; bench: where the bench wants
        RTP and RTCP. Datagrams from other hosts are ignored. Raises OSError if no ports are free.
        """
        self._loop = loop
        near, far = _even_pair(bench_side), _even_pair(camera_side)
        self.to_camera = [_To(sock, None) for sock in far]
        self.to_bench = [_To(sock, address) for sock, address in zip(near, bench, strict=True)]
        self.camera_port: int = far[0].getsockname()[1]
        self.bench_port: int = near[0].getsockname()[1]
        for index, name in enumerate(("rtp", "rtcp")):
            self._join(far[index], camera, self.to_bench[index], "to_bench", name)
            self._join(near[index], bench[index][0], self.to_camera[index], "to_camera", name)

    def camera_at(self, host: str, rtp: int, rtcp: int) -> None:
        """Say where the camera takes RTP and RTCP, as its answer told."""
        self.to_camera[0].address, self.to_camera[1].address = (host, rtp), (host, rtcp)

    def _join(self, sock: socket.socket, sender: str, onward: _To, direction: str, flow: str) -> None:
        def ready(_: int) -> None:
            for data, (host, _port) in _datagrams(sock):
                if host == sender:
                    self._loop.send(direction, flow, onward, data)

        self._loop.watch(sock, selectors.EVENT_READ, ready)

    def close(self) -> None:
        """Give the ports back; what is on its way is lost."""
        for way in (*self.to_camera, *self.to_bench):
            self._loop.watch(way.sock, 0, lambda _: None)
            with suppress(OSError):
                way.sock.close()


def _even_pair(host: str) -> tuple[socket.socket, socket.socket]:
    """Two sockets on an even port and the next (RFC 3550, 11). Raises OSError after 64 tries."""
    for _ in range(64):
        first = udp_socket((host, 0))
        port = first.getsockname()[1]
        if port % 2 == 0:
            try:
                return first, udp_socket((host, port + 1))
            except OSError:
                pass
        first.close()
    raise OSError(f"no pair of neighbouring UDP ports is free on {host}")
