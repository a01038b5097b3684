"""HTTP under the SOAP client, bounded in time and size: a camera is an untrusted computer.

The bound sits in the socket, beneath every HTTP parser: whatever part of an answer is slow, endless or
lying (head, chunk sizes, body), no byte is read after the deadline and none beyond the budget.
"""

from __future__ import annotations

import socket
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import requests
from lxml import etree
from requests.adapters import HTTPAdapter
from requests.structures import CaseInsensitiveDict
from urllib3 import HTTPConnectionPool
from urllib3.connection import HTTPConnection
from urllib3.exceptions import HTTPError
from zeep.transports import Transport

from bench.camera.address import Secret
from bench.camera.digest import Authorizer, parse_challenges
from standards.errors import CameraDenied, CameraUnreachable, LimitExceeded, ProtocolViolation

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer, WriteableBuffer

__all__ = ["Answer", "BoundedTransport"]

_CHUNK = 16384
_MOST_HEAD = 64 * 1024
_TOKEN = b"UsernameToken"
_MEND = "Mend: check address, port, cable and VLAN"


@dataclass(frozen=True)
class Answer:
    """What zeep reads of an HTTP response."""

    status_code: int
    headers: CaseInsensitiveDict[str]
    content: bytes
    encoding: str | None = "utf-8"

    @property
    def text(self) -> str:
        """The body as text, for zeep's error messages."""
        return self.content[:2000].decode("utf-8", "replace")


@dataclass
class _Exchange:
    """The bounds and the times of one exchange. until: monotonic seconds; sent_ns, received_ns: host's
    realtime clock before the first byte left and after the first byte came."""

    address: str
    until: float
    budget: int
    sent_ns: int = 0
    received_ns: int = 0
    received: int = 0


class _BoundedSocket(socket.socket):
    """A connected socket that stops reading at the deadline and at the budget of its exchange."""

    def __init__(self, connected: socket.socket, exchange: _Exchange) -> None:
        super().__init__(fileno=connected.detach())
        self._exchange = exchange

    def _allow(self) -> None:
        exchange = self._exchange
        left = exchange.until - time.monotonic()
        if left <= 0:
            raise self._late()
        self.settimeout(left)

    def _late(self) -> Exception:
        exchange = self._exchange
        if exchange.received:
            return LimitExceeded(
                f"{exchange.address} did not finish its answer in time ({exchange.received} bytes so far)"
            )
        return CameraUnreachable(f"{exchange.address} takes connections but does not answer. {_MEND}")

    def sendall(self, data: ReadableBuffer, flags: int = 0, /) -> None:
        self._allow()
        self._exchange.sent_ns = self._exchange.sent_ns or time.time_ns()
        try:
            super().sendall(data, flags)
        except TimeoutError:
            raise self._late() from None

    def recv_into(self, buffer: WriteableBuffer, nbytes: int = 0, flags: int = 0) -> int:
        """Read as a socket does, within the exchange's bounds of time and size; notes when the answer came."""
        self._allow()
        try:
            count = super().recv_into(buffer, nbytes, flags)
        except TimeoutError:
            raise self._late() from None
        exchange = self._exchange
        exchange.received_ns = exchange.received_ns or time.time_ns()
        exchange.received += count
        if exchange.received > exchange.budget:
            raise LimitExceeded(f"{exchange.address} sent more than {exchange.budget} bytes")
        return count


def _pool_of(exchange: _Exchange) -> HTTPConnectionPool:
    class Connection(HTTPConnection):
        def _new_conn(self) -> socket.socket:
            return _BoundedSocket(super()._new_conn(), exchange)

    class Pool(HTTPConnectionPool):
        ConnectionCls = Connection

    parts = urlsplit(exchange.address)
    timeout = max(0.001, exchange.until - time.monotonic())
    return Pool(parts.hostname or "", parts.port or 80, timeout=timeout, retries=False, maxsize=1)


class _Adapter(HTTPAdapter):
    """requests, with one bounded connection for one exchange."""

    def __init__(self, exchange: _Exchange) -> None:
        super().__init__()
        self._pool = _pool_of(exchange)

    def get_connection_with_tls_context(self, *_: Any, **__: Any) -> HTTPConnectionPool:
        return self._pool

    def close(self) -> None:
        self._pool.close()
        super().close()


class BoundedTransport(Transport):
    """One exchange ends within total_s and holds at most most_bytes, whatever the camera does.

    host: the camera's own, to say so when it reports an address elsewhere. Redirects are refused, since a
    certifier talks to the camera it was given and no other. A 401 after an answered challenge is final, so
    that a wrong password costs one attempt. sent_ns and received_ns: when the last exchange's request left
    and its first byte came, host's clock.
    """

    def __init__(
        self, user: str | None, password: Secret | None, *, host: str, total_s: float, most_bytes: int
    ) -> None:
        super().__init__(session=requests.Session(), operation_timeout=total_s)  # type: ignore[no-untyped-call]
        self._user, self._password, self._host = user, password, host
        self._total_s, self._most = total_s, most_bytes
        self._authorizer: Authorizer | None = None
        self.sent_ns = self.received_ns = 0

    def post(self, address: str, message: bytes, headers: Mapping[str, str]) -> Answer:
        """POST a SOAP envelope. Raises CameraUnreachable, CameraDenied, LimitExceeded, ProtocolViolation.

        A 401 that challenges is answered by HTTP Digest, unless the envelope holds credentials of its own.
        """
        answer = self.exchange(address, message, headers)
        if answer.status_code == 401 and _TOKEN not in message and self._challenged(answer):
            answer = self.exchange(address, message, headers)
        if answer.status_code == 401:
            raise CameraDenied(f"{address} refused the user or the password (HTTP 401)")
        if 300 <= answer.status_code < 400:
            target = answer.headers.get("Location", "?")[:200]
            raise ProtocolViolation(f"{address} redirects to {target!r}: not followed")
        _check_xml(address, answer)
        return answer

    @property
    def digest(self) -> bool:
        """Whether the camera asked for HTTP Digest, so that every request carries it from then on."""
        return self._authorizer is not None

    def _challenged(self, answer: Answer) -> bool:
        """Whether to ask again: the first challenge, or only the nonce has run out (RFC 7616, 3.3: stale)."""
        offered = [
            c
            for c in parse_challenges([answer.headers.get("WWW-Authenticate", "")])
            if c.scheme == "digest"  # Basic would send the password in clear
        ]
        if not offered or self._user is None or self._password is None:
            return False
        if self._authorizer is not None and not any(c.stale for c in offered):
            return False
        authorizer = Authorizer(self._user, self._password.reveal())
        authorizer.take(offered)
        self._authorizer = authorizer
        return True

    def exchange(self, address: str, body: bytes, headers: Mapping[str, str]) -> Answer:
        """One POST, whatever the status of its answer. Raises as post(), but never CameraDenied."""
        request = self._prepared(address, body, headers)
        exchange = _Exchange(address, time.monotonic() + self._total_s, self._most + _MOST_HEAD)
        try:
            return self._send(request, exchange)
        except (requests.RequestException, HTTPError, OSError, ValueError) as error:
            if not exchange.received:
                raise CameraUnreachable(self._silent(address)) from None
            text = f"{type(error).__name__}: {str(error)[:200]}"
            raise ProtocolViolation(f"{address} broke HTTP: {text}") from None
        finally:
            self.sent_ns, self.received_ns = exchange.sent_ns, exchange.received_ns

    def _prepared(self, address: str, body: bytes, headers: Mapping[str, str]) -> requests.PreparedRequest:
        given = {**headers, "Accept-Encoding": "identity", "Connection": "close", "User-Agent": "camcert"}
        try:
            request = requests.Request("POST", address, data=body, headers=given).prepare()
        except (requests.RequestException, ValueError):
            raise ProtocolViolation(f"{self._host} reports {address[:200]!r}, which is no address") from None
        if not address.startswith("http://"):
            raise CameraUnreachable(f"the bench speaks ONVIF over http alone, not at {address[:200]!r}")
        credentials = self._authorizer.header("POST", request.path_url) if self._authorizer else None
        if credentials is not None:
            request.headers["Authorization"] = credentials
        return request

    def _send(self, request: requests.PreparedRequest, exchange: _Exchange) -> Answer:
        adapter, address = _Adapter(exchange), exchange.address
        try:
            response = adapter.send(request, stream=True, timeout=self._total_s)
            coding = response.headers.get("Content-Encoding", "identity").lower()
            if coding != "identity":
                raise ProtocolViolation(f"{address} answers in {coding[:40]!r} though identity was asked for")
            content = bytearray()
            while chunk := response.raw.read(_CHUNK, decode_content=False):
                content += chunk
            if len(content) > self._most:
                raise LimitExceeded(f"{address} sent more than {self._most} bytes")
            return Answer(response.status_code, response.headers, bytes(content))
        finally:
            adapter.close()

    def _silent(self, address: str) -> str:
        text = f"nothing answers at {address}"
        if urlsplit(address).hostname != self._host:
            return f"{text}, which {self._host} reports as its own address (used as reported). {_MEND}"
        return f"{text}. {_MEND}"

    def _load_remote_data(self, url: str) -> bytes:
        """WSDL files come from onvif-zeep, never from the network."""
        raise ProtocolViolation(f"a schema would have to be fetched from {url[:200]!r}: refused")


def _check_xml(address: str, answer: Answer) -> None:
    """Raises ProtocolViolation unless the body is one well-formed XML document without a document type."""
    kind = answer.headers.get("Content-Type", "").lower()
    if kind.startswith("multipart"):
        raise ProtocolViolation(f"{address} answers with attachments (HTTP {answer.status_code}): not ONVIF")
    parser = etree.XMLParser(resolve_entities=False, no_network=True, huge_tree=False)
    try:
        root = etree.fromstring(answer.content, parser)
    except (etree.XMLSyntaxError, ValueError) as error:
        what = f"{address} answers (HTTP {answer.status_code}) with XML that is not well-formed"
        raise ProtocolViolation(f"{what}: {str(error)[:200]}") from None
    if root.getroottree().docinfo.internalDTD is not None:
        raise ProtocolViolation(f"{address} sends a document type, which SOAP forbids")
