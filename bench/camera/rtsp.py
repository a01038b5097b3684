"""One RTSP 1.0 session with a camera (RFC 2326): from OPTIONS to TEARDOWN, over interleaved TCP or UDP."""

from __future__ import annotations

import re
import select
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal
from urllib.parse import unquote, urlsplit

from bench.camera.digest import Authorizer, parse_challenges
from bench.camera.limits import Limits
from bench.camera.rtsp_message import Message, write_request, write_response
from bench.camera.sdp import Video, parse_sdp
from bench.camera.wire import ConnectionLost, Frame, Stamps, UdpPair, Wire
from standards.errors import (
    CameraDenied,
    CameraUnreachable,
    LimitExceeded,
    NoVideo,
    ProtocolViolation,
    UsageError,
)

__all__ = ["RTCP_CHANNEL", "RTP_CHANNEL", "RtspAddress", "RtspSession"]

RTP_CHANNEL, RTCP_CHANNEL = 0, 1
_AGENT = "camcert"
_MOST_UNASKED = 64
_LONGEST_KEEPALIVE_S = 25.0


@dataclass(frozen=True)
class RtspAddress:
    """Where a stream is: host, port, and the URL as sent (never with user or password in it)."""

    host: str
    port: int
    url: str

    @classmethod
    def parse(cls, url: str) -> tuple[RtspAddress, str | None]:
        """The address and the user named in it. Raises UsageError for anything but rtsp://host…"""
        if any(c.isspace() or not c.isprintable() for c in url):
            raise UsageError("the camera's URL holds blanks or control characters: write them as %20 …")
        try:
            parts = urlsplit(url)
            host, port = parts.hostname, parts.port or 554
        except ValueError as error:
            raise UsageError(f"not a camera URL: {error}") from error
        if parts.scheme.lower() != "rtsp" or not host:
            raise UsageError(f"not a camera URL of the form rtsp://host[:port]/path: scheme {parts.scheme!r}")
        place = parts.netloc.rpartition("@")[2]
        bare = f"rtsp://{place}{parts.path}" + (f"?{parts.query}" if parts.query else "")
        return cls(host, port, bare), unquote(parts.username) if parts.username else None


def _join(base: str, control: str) -> str:
    """RFC 2326, C.1.1, as cameras mean it: a relative control is put behind the base, path and all."""
    if control in ("", "*"):
        return base
    if control.lower().startswith("rtsp://"):
        return control
    return base + ("" if base.endswith("/") else "/") + control.lstrip("/")


class RtspSession:
    """A session that plays one video stream. Packets go to `frame` with RTP_CHANNEL or RTCP_CHANNEL."""

    def __init__(
        self,
        address: RtspAddress,
        authorizer: Authorizer | None,
        transport: Literal["tcp", "udp"],
        limits: Limits,
        frame: Frame,
        stamps: Stamps,
    ) -> None:
        """Connect. Raises CameraUnreachable."""
        self._address = address
        self._authorizer = authorizer
        self._transport = transport
        self._limits = limits
        self._frame = frame
        self._wire = Wire(address.host, address.port, limits, stamps)
        self._stamps = stamps
        self._udp: UdpPair | None = None
        self._poll = select.poll()
        self._channels = (RTP_CHANNEL, RTCP_CHANNEL)
        self._rtcp_port = 0
        self._cseq = 0
        self._unasked = 0
        self._session = ""
        self._base = address.url
        self._play_url = address.url
        self._methods: frozenset[str] = frozenset()
        self._keepalive_s = _LONGEST_KEEPALIVE_S
        self._keepalive: dict[int, str] = {}
        self._next_keepalive = 0.0
        self.server = ""

    @property
    def octets(self) -> int:
        """Bytes received so far on all sockets: whether the camera is alive."""
        return self._wire.octets + (self._udp.octets if self._udp else 0)

    @property
    def strangers(self) -> int:
        """UDP packets from other addresses than the camera's, which were not taken."""
        return self._udp.strangers if self._udp else 0

    @property
    def unanswered(self) -> int:
        """Keep-alive requests that wait for their answer."""
        return len(self._keepalive)

    def count_overflow(self) -> int:
        """Packets that this machine dropped before the bench could read them."""
        return self._udp.count_overflow() if self._udp else 0

    def describe(self) -> Video:
        """OPTIONS and DESCRIBE. Raises CameraDenied, NoVideo, ProtocolViolation, LimitExceeded."""
        options = self._request("OPTIONS", self._address.url)
        self._methods = frozenset(m.strip().upper() for m in (options.get("public") or "").split(","))
        self.server = (options.get("server") or "")[:120]
        answer = self._request("DESCRIBE", self._address.url, [("Accept", "application/sdp")])
        self.server = self.server or (answer.get("server") or "")[:120]
        kind = (answer.get("content-type") or "application/sdp").split(";")[0].strip().lower()
        if kind != "application/sdp":
            raise ProtocolViolation(f"DESCRIBE answered with {kind[:60]!r}, not with SDP")
        base = answer.get("content-base") or answer.get("content-location") or self._address.url
        self._base = base.strip()
        return parse_sdp(answer.body)

    def play(self, video: Video) -> None:
        """SETUP and PLAY. Raises as describe(), and CaptureFault if this machine has no UDP ports."""
        if self._transport == "udp":
            self._udp = UdpPair(self._wire.family, self._wire.own, self._wire.peer, self._stamps)
            for each in (self._udp.rtp, self._udp.rtcp, self._wire):
                self._poll.register(each, select.POLLIN)
            wanted = f"RTP/AVP;unicast;client_port={self._udp.port}-{self._udp.port + 1}"
        else:
            wanted = f"RTP/AVP/TCP;unicast;interleaved={RTP_CHANNEL}-{RTCP_CHANNEL}"
        answer = self._request("SETUP", _join(self._base, video.control), [("Transport", wanted)])
        self._take_transport(answer.get("transport") or "")
        session, _, parameters = (answer.get("session") or "").partition(";")
        self._session = session.strip()
        if not self._session or len(self._session) > 512:
            raise ProtocolViolation("SETUP answered without a usable Session")
        timeout = re.search(r"timeout\s*=\s*(\d{1,6})", parameters, re.IGNORECASE)
        seconds = float(timeout[1]) if timeout else 60.0
        self._keepalive_s = min(max(seconds / 2 - 1, 1.0), _LONGEST_KEEPALIVE_S)
        self._play_url = _join(self._base, video.session_control)
        self._request("PLAY", self._play_url, [("Range", "npt=0.000-")])
        self._next_keepalive = time.monotonic() + self._keepalive_s

    def step(self) -> None:
        """Receive for at most a tick, and keep the session alive."""
        if time.monotonic() >= self._next_keepalive:
            self._send_keepalive()
        message = self._wire.step(self._deliver) if self._udp is None else self._step_udp(self._udp)
        if message is not None:
            self._unsolicited(message)

    def send_report(self, data: bytes) -> None:
        """Send an RTCP packet the way the session's packets go."""
        if self._udp is None:
            self._wire.send(bytes((0x24, self._channels[1])) + len(data).to_bytes(2, "big") + data)
        elif self._rtcp_port:
            self._udp.send_report(data, self._rtcp_port)

    def close(self) -> None:
        """TEARDOWN as far as the camera still listens, and close everything."""
        try:
            if self._session:
                self._frame = lambda channel, data, arrival: None
                self._wire.send(self._encode("TEARDOWN", self._play_url, ()))
                until = time.monotonic() + min(1.0, self._limits.answer_s)
                while time.monotonic() < until:
                    message = self._wire.step(self._deliver)
                    if message is not None and message.cseq == self._cseq:
                        break
        except (CameraUnreachable, ProtocolViolation, LimitExceeded):
            pass  # the session is at its end either way, and the camera may have gone first
        finally:
            self._wire.close()
            if self._udp is not None:
                self._udp.close()

    def _step_udp(self, udp: UdpPair) -> Message | None:
        message = None
        for descriptor, _ in self._poll.poll(100):
            if descriptor == udp.rtp.fileno():
                udp.drain(udp.rtp, RTP_CHANNEL, self._frame)
            elif descriptor == udp.rtcp.fileno():
                udp.drain(udp.rtcp, RTCP_CHANNEL, self._frame)
            else:
                message = self._wire.step(self._deliver)
        return message

    def _deliver(self, channel: int, data: memoryview, arrival: int) -> None:
        if channel == self._channels[0]:
            self._frame(RTP_CHANNEL, data, arrival)
        elif channel == self._channels[1]:
            self._frame(RTCP_CHANNEL, data, arrival)

    def _take_transport(self, text: str) -> None:
        if self._udp is None:
            if text and "tcp" not in text.lower():
                raise ProtocolViolation(f"asked for interleaved TCP, the camera set up {text[:80]!r}")
            channels = re.search(r"interleaved\s*=\s*(\d{1,3})-(\d{1,3})", text, re.IGNORECASE)
            if channels:
                pair = int(channels[1]), int(channels[2])
                if pair[0] == pair[1] or max(pair) > 255:
                    raise ProtocolViolation(f"interleaved channels {pair[0]}-{pair[1]}")
                self._channels = pair
            return
        if "tcp" in text.lower():
            raise ProtocolViolation(f"asked for UDP, the camera set up {text[:80]!r}")
        ports = re.search(r"server_port\s*=\s*(\d{1,5})(?:-(\d{1,5}))?", text, re.IGNORECASE)
        if ports:
            port = int(ports[2]) if ports[2] else int(ports[1]) + 1
            self._rtcp_port = port if 0 < port < 65536 else 0

    def _encode(self, method: str, uri: str, headers: Sequence[tuple[str, str]]) -> bytes:
        self._cseq += 1
        lines = [("CSeq", str(self._cseq)), ("User-Agent", _AGENT), *headers]
        if self._session:
            lines.append(("Session", self._session))
        authorization = self._authorizer.header(method, uri) if self._authorizer else None
        if authorization is not None:
            lines.append(("Authorization", authorization))
        return write_request(method, uri, lines)

    def _request(self, method: str, uri: str, headers: Sequence[tuple[str, str]] = ()) -> Message:
        for _ in range(3):  # plain; with credentials; with a fresh nonce
            sent_credentials = self._authorizer is not None and self._authorizer.challenged
            self._wire.send(self._encode(method, uri, headers))
            answer = self._await(method)
            if answer.status != 401:
                return self._accepted(method, answer)
            self._answer_challenge(answer, sent_credentials)
        raise CameraDenied("the camera keeps asking for a fresh nonce; not tried again")

    def _answer_challenge(self, answer: Message, sent_credentials: bool) -> None:
        if self._authorizer is None:
            raise CameraDenied("the camera asks for a user and password, and none were given")
        challenges = parse_challenges(answer.all("www-authenticate"))
        if sent_credentials and not any(c.stale for c in challenges):
            raise CameraDenied(
                f"the camera refused user {self._authorizer.user!r} or the password (RTSP 401)"
            )
        self._authorizer.take(challenges)

    def _await(self, method: str) -> Message:
        until = time.monotonic() + self._limits.answer_s
        while time.monotonic() < until:
            message = self._wire.step(self._deliver)
            if message is None:
                continue
            # An answer without CSeq breaks RFC 2326, 12.17; it can only be to the one request that waits.
            if message.status and message.cseq in (self._cseq, None):
                return message
            self._unsolicited(message)
        if self._wire.mid_item:
            raise LimitExceeded(f"the answer to {method} took longer than {self._limits.answer_s:g} s")
        raise CameraUnreachable(f"no answer to {method} within {self._limits.answer_s:g} s")

    def _accepted(self, method: str, answer: Message) -> Message:
        status, reason = answer.status, answer.reason[:80]
        if 200 <= status < 300:
            return answer
        if 300 <= status < 400:
            place = (answer.get("location") or "")[:200]
            raise ProtocolViolation(
                f"the camera redirects {method} to {place!r}; not followed, since the password would go "
                "there: give that address if it is the camera"
            )
        if status == 403:
            raise CameraDenied(f"{method} is forbidden to this user (RTSP 403 {reason})")
        if status == 404:
            raise NoVideo(f"no such stream at {self._address.url} (RTSP 404 {reason})")
        if status == 461:
            raise NoVideo(
                f"the camera does not send over {self._transport} (RTSP 461): try the other transport"
            )
        raise NoVideo(f"the camera answered {method} with RTSP {status} {reason}")

    def _send_keepalive(self) -> None:
        method = "GET_PARAMETER" if "GET_PARAMETER" in self._methods else "OPTIONS"
        self._wire.send(self._encode(method, self._play_url, ()))
        self._keepalive[self._cseq] = method
        self._next_keepalive = time.monotonic() + self._keepalive_s

    def _unsolicited(self, message: Message) -> None:
        method = self._keepalive.pop(message.cseq, None) if message.status and message.cseq else None
        if method is not None:
            if message.status == 401:
                self._answer_challenge(message, sent_credentials=True)
            elif message.status == 454:
                raise ConnectionLost("the camera no longer knows the session (RTSP 454)")
            elif message.status >= 400:
                self._methods -= {method}
            return
        self._unasked += 1
        if self._unasked > _MOST_UNASKED:
            raise LimitExceeded(f"more than {_MOST_UNASKED} RTSP messages that nothing asked for")
        if message.method and message.cseq is not None:
            known = message.method == "OPTIONS"
            self._wire.send(
                write_response(200 if known else 501, "OK" if known else "Not Implemented", message.cseq)
            )
