"""Finding cameras: a WS-Discovery probe on every interface, bounded in time, size and number."""

from __future__ import annotations

import fcntl
import re
import select
import socket
import struct
import time
import uuid
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote, urlsplit

from defusedxml import ElementTree
from defusedxml.common import DefusedXmlException

__all__ = ["Found", "discover", "parse_answer"]

_GROUP, _PORT = "239.255.255.250", 3702
_MOST_BYTES = 32 * 1024
_MOST_OF_ONE, _MOST_FOUND = 32, 4096
_REPEAT_S = 0.4
_DISCOVERY = "{http://schemas.xmlsoap.org/ws/2005/04/discovery}"
_ADDRESSING = "{http://schemas.xmlsoap.org/ws/2004/08/addressing}"
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
    """Probe for video transmitters and gather answers for that long; each endpoint once, in order of address.

    The probe goes out of every interface with an IPv4 address, twice, since datagrams get lost (SOAP over
    UDP 1.1, appendix I). At most 32 answers of one sender are read and 4096 devices kept, so that a flood
    hides nobody and ends in time.
    """
    message_id = f"urn:uuid:{uuid.uuid4()}"
    sockets = _open(_own_addresses())
    try:
        found = _gather(sockets, _probe(message_id), message_id, seconds)
    finally:
        for one in sockets:
            one.close()
    return tuple(sorted(found.values(), key=lambda f: f.url))


def _open(addresses: list[str]) -> list[socket.socket]:
    sockets = []
    for address in addresses:
        one = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        try:
            one.bind((address, 0))
            one.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, socket.inet_aton(address))
            one.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_TTL, 1)
        except OSError:  # an interface without multicast
            one.close()
            continue
        one.setblocking(False)
        sockets.append(one)
    return sockets


def _gather(sockets: list[socket.socket], probe: bytes, message_id: str, seconds: float) -> dict[str, Found]:
    found: dict[str, Found] = {}
    read: Counter[str] = Counter()
    now = time.monotonic()
    deadline, sendings = now + seconds, [now + _REPEAT_S, now]
    while (now := time.monotonic()) < deadline and len(found) < _MOST_FOUND:
        if sendings and now >= sendings[-1]:
            sendings.pop()
            for one in sockets:
                with suppress(OSError):  # the interface went down, or has no route for multicast
                    one.sendto(probe, (_GROUP, _PORT))
        until = min([deadline, *sendings])
        ready, _, _ = select.select(sockets, [], [], max(0.0, until - now))
        for one in ready:
            with suppress(OSError):
                data, (sender, _) = one.recvfrom(_MOST_BYTES + 1)
                read[sender] += 1
                if read[sender] > _MOST_OF_ONE or len(data) > _MOST_BYTES:
                    continue
                device = parse_answer(data, message_id)
                if device is not None:
                    found.setdefault(device.endpoint, device)
    return found


def parse_answer(data: bytes, message_id: str | None = None) -> Found | None:
    """A ProbeMatches message as a device; None for anything that is not one or is hostile.

    message_id: of the probe; an answer that relates to another one is none. Devices that leave RelatesTo
    out are let through.
    """
    try:
        root = ElementTree.fromstring(data, forbid_dtd=True)
    except (ElementTree.ParseError, DefusedXmlException, ValueError, LookupError):
        return None
    relates = (root.findtext(f".//{_ADDRESSING}RelatesTo") or "").strip()
    if message_id is not None and relates and relates.rpartition(":")[2] != message_id.rpartition(":")[2]:
        return None
    match = root.find(f".//{_DISCOVERY}ProbeMatch")
    if match is None:
        return None
    xaddrs = tuple((match.findtext(f"{_DISCOVERY}XAddrs") or "").split()[:16])
    scopes = tuple(_clean(s) for s in (match.findtext(f"{_DISCOVERY}Scopes") or "").split()[:64])
    url = next((u for u in map(_camera_url, xaddrs) if u), None)
    if url is None:
        return None
    endpoint = _clean(match.findtext(f".//{_ADDRESSING}Address") or url)
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
    found = next((s.removeprefix(prefix) for s in scopes if s.startswith(prefix)), "")
    return _clean(unquote(found))  # cleaned after decoding: %1B is an escape sequence in disguise


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


def _probe(message_id: str) -> bytes:
    return (
        '<?xml version="1.0" encoding="UTF-8"?><e:Envelope xmlns:e="http://www.w3.org/2003/05/soap-envelope" '
        'xmlns:w="http://schemas.xmlsoap.org/ws/2004/08/addressing" '
        'xmlns:d="http://schemas.xmlsoap.org/ws/2005/04/discovery" '
        'xmlns:dn="http://www.onvif.org/ver10/network/wsdl"><e:Header>'
        f"<w:MessageID>{message_id}</w:MessageID><w:To>urn:schemas-xmlsoap-org:ws:2005:04:discovery</w:To>"
        "<w:Action>http://schemas.xmlsoap.org/ws/2005/04/discovery/Probe</w:Action></e:Header><e:Body>"
        "<d:Probe><d:Types>dn:NetworkVideoTransmitter</d:Types></d:Probe></e:Body></e:Envelope>"
    ).encode()
