"""The receiving side of the farm's benchmark: opens every stream, drains it cheaply, says what arrived and when.

    python tools/farm_receiver.py RTSP_BASE STREAMS PASSWORD --transport udp --seconds 20

Prints one JSON line. Arrival is compared with the RTP timestamps, stream by stream: how much later than the
promptest picture of the same stream each picture was complete.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import re
import select
import socket
import struct
import time
from urllib.parse import urlsplit

_SOL_UDP, _UDP_GRO = 17, 104  # linux/udp.h: many packets in one read
_PACKET = 1400
_BUFFER = memoryview(bytearray(1 << 18))


class Stream:
    """One stream: its RTSP connection, and its socket pair over UDP."""

    def __init__(self, base: str, number: int, password: str, transport: str) -> None:
        parts = urlsplit(base)
        self.user, self.password = parts.username or "admin", password
        self.url = f"rtsp://{parts.hostname}:{parts.port}/{number}"
        self.control = socket.create_connection((str(parts.hostname), int(parts.port or 554)), timeout=20.0)
        self.transport, self.session, self.challenge, self.sequence = transport, "", "", 0
        self.transits: list[float] = []
        self.next: int | None = None
        self.lost = self.octets = 0
        self.rest = b""
        self.data = self.control
        self.rtcp: socket.socket | None = None
        self._request("DESCRIBE")
        wanted = "RTP/AVP/TCP;unicast;interleaved=0-1"
        if transport == "udp":
            self.data, self.rtcp = (socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(2))
            for one in (self.data, self.rtcp):
                one.bind((str(parts.hostname), 0))
            self.data.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
            self.data.setsockopt(_SOL_UDP, _UDP_GRO, 1)
            ports = f"{self.data.getsockname()[1]}-{self.rtcp.getsockname()[1]}"
            wanted = f"RTP/AVP;unicast;client_port={ports}"
        self._request("SETUP", Transport=wanted)

    def play(self) -> None:
        """Ask for pictures."""
        self._request("PLAY")
        self.data.setblocking(False)

    def close(self) -> None:
        """Close the sockets."""
        for one in (self.control, self.data, self.rtcp):
            if one is not None:
                one.close()

    def _request(self, method: str, **headers: str) -> None:
        for _ in range(2):
            self.sequence += 1
            lines = [f"{method} {self.url} RTSP/1.0", f"CSeq: {self.sequence}"]
            lines += [f"{name}: {value}" for name, value in headers.items()]
            lines += [f"Session: {self.session}"] if self.session else []
            lines += [self._credentials(method)] if self.challenge else []
            self.control.sendall(("\r\n".join(lines) + "\r\n\r\n").encode())
            reply = b""
            while b"\r\n\r\n" not in reply:
                reply += self.control.recv(1)  # no byte of the pictures behind it
            head = reply.decode()
            if found := re.search(r"Content-Length: (\d+)", head):
                self.control.recv(int(found[1]), socket.MSG_WAITALL)
            if found := re.search(r"Session: ([^;\r]+)", head):
                self.session = found[1]
            if " 401 " not in head.split("\r\n")[0]:
                break
            self.challenge = next(line for line in head.split("\r\n") if "MD5" in line)
        if " 200 " not in head.split("\r\n")[0]:
            raise SystemExit(f"{method} {self.url}: {head}")

    def _credentials(self, method: str) -> str:
        realm, nonce = (re.search(f'{key}="([^"]+)"', self.challenge)[1] for key in ("realm", "nonce"))  # type: ignore[index]

        def h(text: str) -> str:
            return hashlib.md5(text.encode()).hexdigest()  # noqa: S324

        answer = h(f"{h(f'{self.user}:{realm}:{self.password}')}:{nonce}:{h(f'{method}:{self.url}')}")
        return (
            f'Authorization: Digest username="{self.user}", realm="{realm}", nonce="{nonce}", '
            f'uri="{self.url}", response="{answer}"'
        )

    def drain(self) -> bool:
        """Read all there is; False where the farm has closed."""
        while True:
            try:
                size = self.data.recv_into(_BUFFER)
            except BlockingIOError:
                return True
            now = time.monotonic_ns()
            if size == 0:
                return False
            self.octets += size
            if self.transport == "udp":
                last = (size - 1) // _PACKET * _PACKET
                self._packets(now, size, last)
            else:
                self._frames(now, bytes(_BUFFER[:size]))
                if size < len(_BUFFER):
                    return True

    def _packets(self, now: int, size: int, last: int) -> None:
        """First and last packet of one read: their numbers tell what was lost, the marker what is complete."""
        first = struct.unpack_from("!H", _BUFFER, 2)[0]
        _, flags, sequence, clock = struct.unpack_from("!BBHI", _BUFFER, last)
        self._number(first)
        self.next = (sequence + 1) & 0xFFFF
        if flags & 0x80:
            self._whole(now, clock)

    def _frames(self, now: int, data: bytes) -> None:
        data = self.rest + data
        at = 0
        while at + 12 <= len(data):
            _, channel, size = struct.unpack_from("!BBH", data, at)
            if at + 4 + size > len(data):
                break
            if channel == 0:
                _, flags, sequence, clock = struct.unpack_from("!BBHI", data, at + 4)
                self._number(sequence)
                self.next = (sequence + 1) & 0xFFFF
                if flags & 0x80:
                    self._whole(now, clock)
            at += 4 + size
        self.rest = data[at:]

    def _number(self, sequence: int) -> None:
        if self.next is not None and sequence != self.next:
            self.lost += (sequence - self.next) & 0xFFFF

    def _whole(self, now: int, clock: int) -> None:
        """A picture is complete; its transit time, up to a constant of the stream."""
        self.transits.append(now / 1e6 - clock / 90)


def receive(streams: list[Stream], seconds: float) -> None:
    """Drain all streams for so long."""
    epoll = select.epoll()
    by_descriptor = {one.data.fileno(): one for one in streams}
    for descriptor in by_descriptor:
        epoll.register(descriptor, select.EPOLLIN)
    ends = time.monotonic() + seconds
    while time.monotonic() < ends:
        for descriptor, _ in epoll.poll(0.2, 64):
            if not by_descriptor[descriptor].drain():
                epoll.unregister(descriptor)
    epoll.close()


def main() -> None:
    """Open, drain, report."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("base")
    parser.add_argument("streams", type=int)
    parser.add_argument("password")
    parser.add_argument("--transport", choices=["udp", "tcp"], default="udp")
    parser.add_argument("--seconds", type=float, default=20.0)
    options = parser.parse_args()
    streams = [Stream(options.base, n, options.password, options.transport) for n in range(options.streams)]
    for one in streams:
        one.play()
    receive(streams, options.seconds)
    late = sorted(t - min(one.transits) for one in streams for t in one.transits if one.transits)
    facts = {
        "streams_seen": sum(bool(one.transits) for one in streams),
        "pictures": len(late),
        "packets_lost": sum(one.lost for one in streams),
        "mbit_s": round(sum(one.octets for one in streams) * 8 / options.seconds / 1e6, 1),
        "arrival_p99_ms": late[int(len(late) * 0.99)] if late else None,
        "arrival_max_ms": late[-1] if late else None,
        "cpu_s": time.process_time(),
    }
    print(json.dumps(facts))
    for one in streams:
        one.close()


if __name__ == "__main__":
    main()
