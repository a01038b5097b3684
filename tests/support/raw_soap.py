"""ONVIF on plain sockets: requests written by hand, answers as the bytes that came. Nothing of the bench is used."""

from __future__ import annotations

import base64
import hashlib
import os
import socket
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime

from lxml import etree

__all__ = ["Answer", "ask", "digest", "envelope", "token"]

_SOAP = "http://www.w3.org/2003/05/soap-envelope"
_WSS = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss"
_DEVICE = "http://www.onvif.org/ver10/device/wsdl"


@dataclass
class Answer:
    """What came. ended: 'closed' by the camera, 'whole' by its own length, 'silent' (nothing more for a time),
    'reset', or 'enough' (more came than was wanted)."""

    status: int = 0
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""
    ended: str = ""
    seconds: float = 0.0

    def xml(self) -> etree._Element:
        """The body as XML. Raises etree.XMLSyntaxError."""
        return etree.fromstring(self.body, etree.XMLParser(resolve_entities=False, no_network=True))


def token(user: str, password: str, *, offset_s: float = 0.0) -> str:
    """A WS-UsernameToken by the OASIS profile 1.1. offset_s: of its time from the host's."""
    moment = datetime.fromtimestamp(time.time() + offset_s, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    nonce = os.urandom(16)
    proof = base64.b64encode(hashlib.sha1(nonce + moment.encode() + password.encode()).digest()).decode()
    return (
        f'<w:Security xmlns:w="{_WSS}-wssecurity-secext-1.0.xsd" xmlns:u="{_WSS}-wssecurity-utility-1.0.xsd">'
        f'<w:UsernameToken><w:Username>{user}</w:Username><w:Password Type="{_WSS}-username-token-profile-1.0#'
        f'PasswordDigest">{proof}</w:Password><w:Nonce>{base64.b64encode(nonce).decode()}</w:Nonce>'
        f"<u:Created>{moment}</u:Created></w:UsernameToken></w:Security>"
    )


def envelope(name: str, inside: str = "", header: str = "", space: str = _DEVICE) -> bytes:
    """A request; 'q:' is its own namespace, 't:' the common schema."""
    return (
        f'<s:Envelope xmlns:s="{_SOAP}" xmlns:q="{space}" xmlns:t="http://www.onvif.org/ver10/schema" '
        'xmlns:n="http://docs.oasis-open.org/wsn/b-2" xmlns:tns1="http://www.onvif.org/ver10/topics">'
        f"<s:Header>{header}</s:Header><s:Body><q:{name}>{inside}</q:{name}></s:Body></s:Envelope>"
    ).encode()


def digest(challenge: str, user: str, password: str, path: str = "/onvif/device_service") -> str:
    """An Authorization header for a Digest challenge with MD5 or SHA-256 (RFC 7616)."""
    fields = dict(part.strip().split("=", 1) for part in challenge.removeprefix("Digest ").split(","))
    fields = {key: value.strip('"') for key, value in fields.items()}
    make = hashlib.sha256 if fields.get("algorithm") == "SHA-256" else hashlib.md5

    def h(text: str) -> str:
        return make(text.encode()).hexdigest()

    client = os.urandom(8).hex()
    secret, what = h(f"{user}:{fields['realm']}:{password}"), h(f"POST:{path}")
    proof = h(f"{secret}:{fields['nonce']}:00000001:{client}:auth:{what}")
    return (
        f'Digest username="{user}", realm="{fields["realm"]}", nonce="{fields["nonce"]}", uri="{path}", '
        f'algorithm={fields.get("algorithm", "MD5")}, qop=auth, nc=00000001, cnonce="{client}", response="{proof}"'
    )


def ask(
    port: int,
    request: bytes,
    *,
    path: str = "/onvif/device_service",
    authorization: str = "",
    patience_s: float = 5.0,
    most: int = 1 << 20,
) -> Answer:
    """Send a request on a connection of its own and take what comes. patience_s: of silence that is waited for."""
    head = f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nContent-Type: application/soap+xml\r\n"
    head += f"Content-Length: {len(request)}\r\n" + (
        f"Authorization: {authorization}\r\n" if authorization else ""
    )
    begun, data, found = time.monotonic(), b"", Answer()
    with socket.create_connection(("127.0.0.1", port), timeout=patience_s) as connection:
        connection.sendall(head.encode() + b"\r\n" + request)
        while not found.ended:
            try:
                part = connection.recv(65536)
            except TimeoutError:
                found.ended = "silent"
            except ConnectionResetError:
                found.ended = "reset"
            else:
                data += part
                found.ended = "closed" if not part else "enough" if len(data) > most else ""
            _read(data, found)
    found.seconds = time.monotonic() - begun
    return found


def _read(data: bytes, found: Answer) -> None:
    """Split what came so far into status, headers and body; a body that has its length ends the answer."""
    head, gap, found.body = data.partition(b"\r\n\r\n")
    if not gap:
        return
    lines = head.decode("latin-1").split("\r\n")
    found.status = int(lines[0].split()[1])
    found.headers = {}
    for line in lines[1:]:
        name, _, value = line.partition(":")
        found.headers.setdefault(name.strip().lower(), value.strip())
    length = found.headers.get("content-length")
    if not found.ended and length is not None and len(found.body) >= int(length):
        found.ended = "whole"
