"""One name for one device, however its address is written: leases and the doctor go by it."""

from __future__ import annotations

import re
import socket
from contextlib import suppress
from pathlib import Path

__all__ = ["device_at"]

_SERIAL = re.compile(r"(?:asrl)?(?P<device>/.+?)(?:::instr)?", re.IGNORECASE)
#: What a VISA address leaves out (VPP-4.3, 4.3.1): board 0, the resource class, VXI-11's device, HiSLIP's port.
_CLASS, _DEVICE, _PORT = "instr", "inst0", ",4880"


def device_at(address: str) -> str:
    """A serial device by its file without links, a host by its number; of a device's channels all are one.

    address: as in a station file. Asks the system for the number of a host that is named.
    """
    resource = address.partition("#")[0]
    serial = _SERIAL.fullmatch(resource)
    if serial:
        return str(Path(serial["device"]).resolve())
    parts = resource.casefold().split("::")
    if len(parts) < 2 or not re.fullmatch(r"tcpip\d*", parts[0]):
        return "::".join(parts)
    host, rest = parts[1], parts[2:]
    with suppress(OSError, UnicodeError):
        host = socket.gethostbyname(host)
    if rest[-1:] != ["socket"]:
        rest = [part for part in rest if part != _CLASS] or [_DEVICE]
        rest = [part + _PORT if re.fullmatch(r"hislip\d+", part) else part for part in rest]
    return "::".join(("tcpip", host, *rest))
