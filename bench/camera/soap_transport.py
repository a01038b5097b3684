"""HTTP under the SOAP client, bounded in time and size: a camera is an untrusted computer."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass
from queue import Empty, Queue
from typing import Any

import requests
from requests.auth import HTTPDigestAuth
from requests.structures import CaseInsensitiveDict
from zeep.transports import Transport

from bench.camera.address import Secret
from standards.errors import CameraDenied, CameraUnreachable, LimitExceeded, ProtocolViolation

__all__ = ["Answer", "BoundedTransport"]

_CHUNK = 16384


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


class BoundedTransport(Transport):  # type: ignore[misc]  # zeep has no types
    """One exchange ends within total_s and holds at most most_bytes, whatever the camera does.

    HTTP Digest is answered once where the camera asks for it; redirects are refused, since a certifier
    talks to the camera it was given and no other.
    """

    def __init__(self, user: str | None, password: Secret | None, *, total_s: float, most_bytes: int) -> None:
        session = requests.Session()
        session.trust_env = False  # no proxy between the bench and the camera
        if user is not None and password is not None:
            session.auth = HTTPDigestAuth(user, password.reveal())
        super().__init__(session=session, timeout=total_s, operation_timeout=total_s)
        self._total_s = total_s
        self._most = most_bytes

    def post(self, address: str, message: bytes, headers: Mapping[str, str]) -> Answer:
        """POST a SOAP envelope. Raises CameraUnreachable, CameraDenied, LimitExceeded, ProtocolViolation."""
        answer = self.exchange("POST", address, message, headers)
        if answer.status_code == 401:
            raise CameraDenied(f"{address} refused the user or the password (HTTP 401)")
        if 300 <= answer.status_code < 400:
            raise ProtocolViolation(
                f"{address} redirects to {answer.headers.get('Location', '?')[:200]!r}: not followed"
            )
        return answer

    def exchange(self, method: str, address: str, body: bytes, headers: Mapping[str, str]) -> Answer:
        """One HTTP exchange in a thread of its own, so that its end does not depend on the camera."""
        result: Queue[Answer | Exception] = Queue()

        def work() -> None:
            try:
                result.put(self._read(method, address, body, headers))
            except (requests.RequestException, OSError, ValueError, LimitExceeded) as error:
                result.put(error)

        threading.Thread(target=work, name="soap-exchange", daemon=True).start()
        try:
            found = result.get(timeout=self._total_s)
        except Empty:
            self.session.close()
            raise LimitExceeded(f"{address} did not finish its answer within {self._total_s:g} s") from None
        if isinstance(found, Answer):
            return found
        if isinstance(found, LimitExceeded):
            raise found
        if isinstance(found, (requests.ConnectionError, requests.Timeout)) and "IncompleteRead" not in str(
            found
        ):
            reason = "no connection" if isinstance(found, requests.ConnectionError) else "no answer in time"
            raise CameraUnreachable(
                f"nothing answers at {address} ({reason}). Mend: check address, port, cable and VLAN"
            ) from None
        raise ProtocolViolation(f"{address} broke HTTP: {_short(found)}") from None

    def _read(self, method: str, address: str, body: bytes, headers: Mapping[str, str]) -> Answer:
        with self.session.request(
            method,
            address,
            data=body,
            headers=dict(headers),
            timeout=self._total_s,
            stream=True,
            allow_redirects=False,
        ) as response:
            content = bytearray()
            for chunk in response.iter_content(_CHUNK):
                content += chunk
                if len(content) > self._most:
                    raise LimitExceeded(f"{address} sent more than {self._most} bytes")
            return Answer(response.status_code, response.headers, bytes(content))


def _short(error: BaseException | Any) -> str:
    """An error in a line, without object addresses."""
    return f"{type(error).__name__}: {str(error)[:200]}"
