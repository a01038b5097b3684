"""Sockets of one camera: the RTSP connection with interleaved packets, and the UDP pair of RTP and RTCP.

Every packet is handed on with the time at which the kernel received it, so that a bench that was busy
for a moment does not shift the times it measures.
"""

from __future__ import annotations

import socket
import struct
import time
from collections.abc import Callable

from bench.camera.limits import Limits
from bench.camera.rtsp_message import Message, MessageReader
from standards.errors import CameraUnreachable, CaptureFault, ProtocolViolation

__all__ = ["ConnectionLost", "Frame", "Stamps", "UdpPair", "Wire"]

#: Receives (channel, packet, arrival in ns); the memory is reused after it returns.
Frame = Callable[[int, memoryview, int], None]

_TICK_S = 0.1  # the longest time a read blocks: stop and timers are looked at that often
_SO_TIMESTAMPNS = 35  # Linux, asm-generic/socket.h; Python's socket module names none of these
_SO_RXQ_OVFL = 40
_SO_MEMINFO = 55
_MEMINFO_DROPS = 8
_TIMESPEC = struct.Struct("@qq")
_ANCILLARY = socket.CMSG_SPACE(_TIMESPEC.size) + socket.CMSG_SPACE(4)
_UDP_BUFFER = 16 * 1024 * 1024
_DOLLAR = 0x24


class ConnectionLost(CameraUnreachable):
    """The camera closed or broke the connection."""


class Stamps:
    """How many arrival times came from the kernel, and how many had to be read after the call.

    worst_lag: the longest that a packet lay in the kernel before the bench fetched it, ns. Over TCP the
    kernel may merge segments that lie there, and what was merged bears the time of the last of them.
    """

    def __init__(self) -> None:
        self.kernel = 0
        self.after = 0
        self.worst_lag = 0

    def of(self, ancillary: list[tuple[int, int, bytes]]) -> int:
        """The kernel's receive time in ns, or the time now where it gave none."""
        for level, kind, data in ancillary:
            if level == socket.SOL_SOCKET and kind == _SO_TIMESTAMPNS and len(data) >= _TIMESPEC.size:
                seconds, nanoseconds = _TIMESPEC.unpack_from(data)
                self.kernel += 1
                stamp = int(seconds) * 1_000_000_000 + int(nanoseconds)
                lag = time.time_ns() - stamp
                if lag > self.worst_lag:
                    self.worst_lag = lag
                return stamp
        self.after += 1
        return time.time_ns()


def _timeout(seconds: float) -> bytes:
    return struct.pack("@ll", int(seconds), int(seconds % 1 * 1_000_000))


class Wire:
    """One TCP connection: RTSP messages, and between them interleaved packets (RFC 2326, 10.12).

    A packet is read with one call that ends at its last byte, so that its time is that of the segment
    which completed it and not of whatever came behind.
    """

    def __init__(self, host: str, port: int, limits: Limits, stamps: Stamps) -> None:
        """Connect. Raises CameraUnreachable."""
        try:
            self._socket = socket.create_connection((host, port), timeout=limits.connect_s)
        except (OSError, UnicodeError) as error:
            raise CameraUnreachable(
                f"no connection to {host} port {port}: {error}. Mend: check address, port, cable and VLAN"
            ) from error
        self._socket.setblocking(True)
        option = self._socket.setsockopt
        option(socket.SOL_SOCKET, socket.SO_RCVTIMEO, _timeout(_TICK_S))
        option(socket.SOL_SOCKET, socket.SO_SNDTIMEO, _timeout(limits.answer_s))
        option(socket.SOL_SOCKET, _SO_TIMESTAMPNS, 1)
        option(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._stamps = stamps
        self._reader = MessageReader(limits)
        self._buffer = bytearray(4 + 0xFFFF)
        self._view = memoryview(self._buffer)
        self._have = 0  # bytes of the item in hand: four of its header, then its payload
        self._size = 0  # where the item ends; 0 while its header is not complete
        self._text = False
        self.octets = 0

    @property
    def family(self) -> socket.AddressFamily:
        """IPv4 or IPv6."""
        return self._socket.family

    @property
    def peer(self) -> str:
        """Address of the camera as connected."""
        return str(self._socket.getpeername()[0])

    @property
    def own(self) -> str:
        """Address of the bench on this connection."""
        return str(self._socket.getsockname()[0])

    @property
    def mid_item(self) -> bool:
        """Whether a message or packet has begun and is not complete."""
        return self._have > 0 or not self._reader.empty

    def fileno(self) -> int:
        """For poll()."""
        return self._socket.fileno()

    def send(self, data: bytes) -> None:
        """Send all of it. Raises ConnectionLost if the camera does not take it in time."""
        try:
            self._socket.sendall(data)
        except OSError as error:
            raise ConnectionLost(f"the connection broke while sending: {error}") from error

    def step(self, frame: Frame) -> Message | None:
        """Read one item, or as much of it as comes within a tick.

        An interleaved packet goes to `frame`; an RTSP message is returned. Raises ConnectionLost,
        ProtocolViolation, LimitExceeded.
        """
        if self._text:
            return self._read_text()
        if self._size == 0:
            if not self._fill(4):
                return None
            if self._buffer[0] != _DOLLAR:
                return self._begin_text()
            self._size = 4 + ((self._buffer[2] << 8) | self._buffer[3])
        arrival = self._fill_stamped(self._size)
        if arrival is None:
            return None
        packet = self._view[4 : self._size]
        channel = self._buffer[1]
        self.octets += self._size
        self._have = self._size = 0
        frame(channel, packet, arrival)
        return None

    def close(self) -> None:
        """Close the connection."""
        self._socket.close()

    def _fill(self, upto: int) -> bool:
        try:
            count = self._socket.recv_into(
                self._view[self._have : upto], upto - self._have, socket.MSG_WAITALL
            )
        except BlockingIOError:
            return False
        except OSError as error:
            raise ConnectionLost(f"the connection broke: {error}") from error
        if count == 0:
            raise ConnectionLost("the camera closed the connection")
        self._have += count
        return self._have == upto

    def _fill_stamped(self, upto: int) -> int | None:
        if self._have == upto:  # a packet without payload: its header was all of it
            return time.time_ns()
        try:
            count, ancillary, _, _ = self._socket.recvmsg_into(
                [self._view[self._have : upto]], _ANCILLARY, socket.MSG_WAITALL
            )
        except BlockingIOError:
            return None
        except OSError as error:
            raise ConnectionLost(f"the connection broke: {error}") from error
        if count == 0:
            raise ConnectionLost("the camera closed the connection inside a packet")
        self._have += count
        return self._stamps.of(ancillary) if self._have == upto else None

    def _begin_text(self) -> Message | None:
        head = bytes(self._view[:4])
        if not all(b in b"\r\n" or 0x20 <= b < 0x7F for b in head):
            raise ProtocolViolation(f"neither an RTSP message nor an interleaved packet: {head.hex(' ')}")
        self._have, self._text = 0, True
        for byte in head:
            if (message := self._reader.feed(bytes((byte,)))) is not None:
                raise ProtocolViolation(f"an RTSP message of four bytes: {message!r}")
        return self._read_text()

    def _read_text(self) -> Message | None:
        # Byte by byte up to the end of its head: what follows may be a packet, whose time must be its own.
        until = (
            time.monotonic() + _TICK_S
        )  # a byte at a time, each before the socket's own timeout, is slow too
        while time.monotonic() < until:
            try:
                data = self._socket.recv(self._reader.wants)
            except BlockingIOError:
                return None
            except OSError as error:
                raise ConnectionLost(f"the connection broke: {error}") from error
            if not data:
                raise ConnectionLost("the camera closed the connection inside a message")
            self.octets += len(data)
            if (message := self._reader.feed(data)) is not None:
                self._text = False
                return message
        return None


class UdpPair:
    """An even UDP port for RTP and the odd one above it for RTCP; only the camera's packets are taken."""

    def __init__(self, family: socket.AddressFamily, own: str, peer: str, stamps: Stamps) -> None:
        """own: address to bind; peer: the only address listened to. Raises CaptureFault without ports."""
        self._peer = peer
        self._stamps = stamps
        self.overflow = 0
        self.strangers = 0
        self.octets = 0
        self._buffer = bytearray(0x10000)
        self._view = memoryview(self._buffer)
        for _ in range(64):
            pair = self._bind(family, own)
            if pair is not None:
                self.rtp, self.rtcp = pair
                return
        raise CaptureFault("no free pair of UDP ports (even, odd) on this machine")

    @staticmethod
    def _bind(family: socket.AddressFamily, own: str) -> tuple[socket.socket, socket.socket] | None:
        rtp = socket.socket(family, socket.SOCK_DGRAM)
        rtcp = socket.socket(family, socket.SOCK_DGRAM)
        try:
            rtp.bind((own, 0))
            port = rtp.getsockname()[1]
            if port % 2:
                raise OSError("an odd port")
            rtcp.bind((own, port + 1))
        except OSError:
            rtp.close()
            rtcp.close()
            return None
        for each in (rtp, rtcp):
            each.setblocking(False)
            each.setsockopt(socket.SOL_SOCKET, _SO_TIMESTAMPNS, 1)
            each.setsockopt(socket.SOL_SOCKET, _SO_RXQ_OVFL, 1)
            # FORCE needs a privilege; without it the kernel gives what net.core.rmem_max allows.
            each.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _UDP_BUFFER)
            try:
                each.setsockopt(socket.SOL_SOCKET, 33, _UDP_BUFFER)  # SO_RCVBUFFORCE
            except PermissionError:
                continue
        return rtp, rtcp

    @property
    def port(self) -> int:
        """The RTP port; RTCP is the next one."""
        return int(self.rtp.getsockname()[1])

    def drain(self, which: socket.socket, channel: int, frame: Frame) -> None:
        """Hand on what has arrived on rtp or rtcp, up to 256 packets."""
        for _ in range(256):
            try:
                size, ancillary, _, source = which.recvmsg_into([self._view], _ANCILLARY)
            except BlockingIOError:
                return
            except ConnectionRefusedError:
                continue  # an ICMP answer to a receiver report: the camera does not listen for them
            if source[0] != self._peer:
                self.strangers += 1
                continue
            self.octets += size
            frame(channel, self._view[:size], self._stamps.of(ancillary))

    def send_report(self, data: bytes, port: int) -> None:
        """Send an RTCP packet to the camera; one that can't be sent is left, as any RTCP may be lost."""
        try:
            self.rtcp.sendto(data, (self._peer, port))
        except OSError:
            return

    def count_overflow(self) -> int:
        """Packets that the kernel dropped here because the bench did not fetch them in time."""
        dropped = 0
        for each in (self.rtp, self.rtcp):
            memory = each.getsockopt(socket.SOL_SOCKET, _SO_MEMINFO, 4 * (_MEMINFO_DROPS + 1))
            dropped += struct.unpack_from("@I", memory, 4 * _MEMINFO_DROPS)[0]
        self.overflow = dropped
        return dropped

    def close(self) -> None:
        """Close both sockets."""
        self.rtp.close()
        self.rtcp.close()
