"""Finding cameras: a WS-Discovery probe on every interface, bounded in time, size and number."""

from __future__ import annotations

import fcntl
import re
import select
import socket
import struct
import time
import uuid
from contextlib import suppress
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote, urlsplit

from defusedxml import ElementTree
from defusedxml.common import DefusedXmlException

__all__ = ["Found", "discover", "parse_answer"]

_GROUP, _PORT = "239.255.255.250", 3702
_MOST_BYTES, _MOST_ANSWERS = 65535, 4096
_DISCOVERY = "{http://schemas.xmlsoap.org/ws/2005/04/discovery}"
_ADDRESS = "{http://schemas.xmlsoap.org/ws/2004/08/addressing}Address"
_SIOCGIFADDR = 0x8915


@dataclass(frozen=True)
class Found:
    """One device that answered. url: to give to --camera; xaddrs: its service addresses as reported."""

    url: str
    name: str
    hardware: str
    endpoint: str
    xaddrs: tuple[str, ...]
    scopes: tuple[str, ...]

    def as_json(self) -> dict[str, Any]:
        """Plain values for --json."""
        return {
            "url": self.url,
            "name": self.name,
            "hardware": self.hardware,
            "endpoint": self.endpoint,
            "xaddrs": list(self.xaddrs),
            "scopes": list(self.scopes),
        }


def discover(seconds: float = 3.0) -> tuple[Found, ...]:
    """Probe for video transmitters and gather answers for that long; each endpoint once, in order of address."""
    probe = _probe()
    sockets = []
    for address in _own_addresses():
        one = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        try:
            one.bind((address, 0))
            one.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, socket.inet_aton(address))
            one.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_TTL, 1)
            one.sendto(probe, (_GROUP, _PORT))
        except OSError:  # an interface without multicast
            one.close()
            continue
        one.setblocking(False)
        sockets.append(one)
    try:
        found = _gather(sockets, seconds)
    finally:
        for one in sockets:
            one.close()
    return tuple(sorted(found.values(), key=lambda f: f.url))


def _gather(sockets: list[socket.socket], seconds: float) -> dict[str, Found]:
    found: dict[str, Found] = {}
    deadline = time.monotonic() + seconds
    answers = 0
    while answers < _MOST_ANSWERS and (left := deadline - time.monotonic()) > 0:
        ready, _, _ = select.select(sockets, [], [], left)
        for one in ready:
            with suppress(OSError):
                data = one.recv(_MOST_BYTES)
                answers += 1
                device = parse_answer(data)
                if device is not None:
                    found.setdefault(device.endpoint, device)
    return found


def parse_answer(data: bytes) -> Found | None:
    """A ProbeMatches message as a device; None for anything that is not one or is hostile."""
    try:
        root = ElementTree.fromstring(data)
    except (ElementTree.ParseError, DefusedXmlException, ValueError, LookupError):
        return None
    match = root.find(f".//{_DISCOVERY}ProbeMatch")
    if match is None:
        return None
    xaddrs = tuple((match.findtext(f"{_DISCOVERY}XAddrs") or "").split()[:16])
    scopes = tuple(_clean(s) for s in (match.findtext(f"{_DISCOVERY}Scopes") or "").split()[:64])
    url = next((u for u in map(_camera_url, xaddrs) if u), None)
    if url is None:
        return None
    endpoint = _clean(match.findtext(f".//{_ADDRESS}") or url)
    return Found(
        url, _scope(scopes, "name"), _scope(scopes, "hardware"), endpoint, tuple(map(_clean, xaddrs)), scopes
    )


def _camera_url(xaddr: str) -> str | None:
    try:
        parts = urlsplit(xaddr)
        host, port = parts.hostname, parts.port or 80
    except ValueError:
        return None
    if parts.scheme != "http" or not host or not re.fullmatch(r"[0-9A-Za-z.:_-]+", host):
        return None
    return f"onvif://[{host}]:{port}" if ":" in host else f"onvif://{host}:{port}"


def _scope(scopes: tuple[str, ...], what: str) -> str:
    prefix = f"onvif://www.onvif.org/{what}/"
    return next((unquote(s.removeprefix(prefix)) for s in scopes if s.startswith(prefix)), "")


def _clean(text: str) -> str:
    return "".join(c for c in text.strip()[:512] if c.isprintable())


def _own_addresses() -> list[str]:
    """IPv4 address of every interface of this machine (Linux: SIOCGIFADDR)."""
    found = []
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asker:
        for _, name in socket.if_nameindex():
            with suppress(OSError):  # no IPv4 address on it
                answer = fcntl.ioctl(asker.fileno(), _SIOCGIFADDR, struct.pack("256s", name.encode()[:15]))
                found.append(socket.inet_ntoa(answer[20:24]))
    return found


def _probe() -> bytes:
    return (
        '<?xml version="1.0" encoding="UTF-8"?><e:Envelope xmlns:e="http://www.w3.org/2003/05/soap-envelope" '
        'xmlns:w="http://schemas.xmlsoap.org/ws/2004/08/addressing" xmlns:d="http://schemas.xmlsoap.org/ws/2005/04/discovery" '
        'xmlns:dn="http://www.onvif.org/ver10/network/wsdl"><e:Header>'
        f"<w:MessageID>uuid:{uuid.uuid4()}</w:MessageID><w:To>urn:schemas-xmlsoap-org:ws:2005:04:discovery</w:To>"
        "<w:Action>http://schemas.xmlsoap.org/ws/2005/04/discovery/Probe</w:Action></e:Header><e:Body>"
        "<d:Probe><d:Types>dn:NetworkVideoTransmitter</d:Types></d:Probe></e:Body></e:Envelope>"
    ).encode()
