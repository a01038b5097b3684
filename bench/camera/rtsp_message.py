"""RTSP 1.0 messages (RFC 2326): written out, and read back from bytes within bounds."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from bench.camera.limits import Limits
from standards.errors import LimitExceeded, ProtocolViolation

__all__ = ["Message", "MessageReader", "write_request", "write_response"]

_STATUS_LINE = re.compile(r"RTSP/1\.\d (\d{3})(?: (.*))?")
_REQUEST_LINE = re.compile(r"([A-Z_]{1,32}) (\S{1,2048}) RTSP/1\.\d")
_MOST_HEADERS = 128
_HEAD_END = re.compile(rb"\r?\n\r?\n")


@dataclass(frozen=True)
class Message:
    """One message. status: of an answer, 0 for a request; method: of a request, '' for an answer."""

    status: int
    reason: str
    method: str
    headers: tuple[tuple[str, str], ...]
    body: bytes = b""

    def get(self, name: str) -> str | None:
        """First header of that name, in any case; None if absent."""
        return next((v for k, v in self.headers if k == name.lower()), None)

    def all(self, name: str) -> tuple[str, ...]:
        """Every header of that name."""
        return tuple(v for k, v in self.headers if k == name.lower())

    @property
    def cseq(self) -> int | None:
        """The CSeq number; None if it is absent or not a number."""
        text = (self.get("cseq") or "").strip()
        return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else None


def _parse_headers(lines: Sequence[str]) -> tuple[tuple[str, str], ...]:
    headers: list[tuple[str, str]] = []
    for line in lines:
        if line[:1] in (" ", "\t") and headers:
            name, value = headers[-1]
            headers[-1] = (name, f"{value} {line.strip()}")
            continue
        name, colon, value = line.partition(":")
        if not colon or not name.strip():
            raise ProtocolViolation(f"RTSP header without a name: {line[:60]!r}")
        headers.append((name.strip().lower(), value.strip()))
        if len(headers) > _MOST_HEADERS:
            raise LimitExceeded(f"more than {_MOST_HEADERS} RTSP headers in one message")
    return tuple(headers)


def _parse_head(head: bytes) -> Message:
    lines = head.decode("utf-8", "surrogateescape").replace("\r\n", "\n").split("\n")
    headers = _parse_headers(lines[1:])
    if status := _STATUS_LINE.fullmatch(lines[0]):
        return Message(int(status[1]), status[2] or "", "", headers)
    if request := _REQUEST_LINE.fullmatch(lines[0]):
        return Message(0, "", request[1], headers)
    raise ProtocolViolation(f"not an RTSP 1.0 message: {lines[0][:60]!r}")


class MessageReader:
    """Collects bytes until one whole message is there. Holds at most one head and one body."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._bytes = bytearray()
        self._head: Message | None = None
        self._body_size = 0

    @property
    def empty(self) -> bool:
        """Whether no byte of a next message has come."""
        return not self._bytes and self._head is None

    def feed(self, data: bytes | memoryview) -> Message | None:
        """Add bytes that belong to this message; the message once it is complete, else None.

        Raises ProtocolViolation if this can't be RTSP, LimitExceeded if it is too large. Feed single
        bytes where more than the message may follow: surplus bytes are a ProtocolViolation.
        """
        self._bytes += data
        if self._head is None and not self._find_head(len(data)):
            return None
        if len(self._bytes) < self._body_size:
            return None
        return self._complete()

    @property
    def wants(self) -> int:
        """How many bytes may be fed at once without reading past this message's end (at least 1)."""
        return max(1, self._body_size - len(self._bytes)) if self._head is not None else 1

    def _find_head(self, fresh: int) -> bool:
        while (
            self._bytes and self._bytes[0] in b"\r\n"
        ):  # RFC 2326, 4: empty lines before a message are ignored
            del self._bytes[:1]
        # Only the tail can hold a new end: searching all of it for every byte would cost the square.
        end = _HEAD_END.search(self._bytes, max(0, len(self._bytes) - fresh - 4))
        if end is None:
            if len(self._bytes) > self._limits.header_bytes:
                raise LimitExceeded(f"RTSP header longer than {self._limits.header_bytes} bytes")
            return False
        if end.start() > self._limits.header_bytes:
            raise LimitExceeded(f"RTSP header longer than {self._limits.header_bytes} bytes")
        self._head = _parse_head(bytes(self._bytes[: end.start()]))
        self._body_size = self._content_length(self._head)
        del self._bytes[: end.end()]
        return True

    def _content_length(self, head: Message) -> int:
        lengths = set(head.all("content-length"))
        if not lengths:
            return 0
        text = lengths.pop()
        if lengths or not (text.isascii() and text.isdigit()):
            raise ProtocolViolation(f"Content-Length is not one number: {text[:40]!r}")
        if len(text) > 9 or int(text) > self._limits.body_bytes:
            raise LimitExceeded(f"Content-Length {text[:20]} is over {self._limits.body_bytes} bytes")
        return int(text)

    def _complete(self) -> Message:
        head, body = self._head, bytes(self._bytes)
        assert head is not None
        if len(body) > self._body_size:
            raise ProtocolViolation("bytes after the end of an RTSP message")
        self._head, self._body_size = None, 0
        self._bytes.clear()
        return Message(head.status, head.reason, head.method, head.headers, body)


def _printable(text: str) -> str:
    if any(c in text for c in "\r\n\0"):
        raise ProtocolViolation("a line break inside a header")
    return text


def write_request(method: str, uri: str, headers: Sequence[tuple[str, str]]) -> bytes:
    """One request as bytes. Raises ProtocolViolation for a line break in what the server made us send."""
    if not uri or any(c.isspace() for c in uri):
        raise ProtocolViolation(f"a URI with spaces: {uri[:60]!r}")
    lines = [f"{method} {_printable(uri)} RTSP/1.0", *(f"{k}: {_printable(v)}" for k, v in headers)]
    return ("\r\n".join(lines) + "\r\n\r\n").encode("utf-8", "surrogateescape")


def write_response(status: int, reason: str, cseq: int) -> bytes:
    """An answer without body, for what a server asks of its client."""
    return f"RTSP/1.0 {status} {reason}\r\nCSeq: {cseq}\r\n\r\n".encode("ascii")
