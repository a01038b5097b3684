"""The relay's control socket: JSON lines, one request and one answer at a time, strict.

Requests: ``{"do": "identify"}``, ``{"do": "path", "direction": D}``, ``{"do": "counters"}`` and
``{"do": "apply", "direction": D, "path": {...}}`` with D "to_camera", "to_bench" or, for apply, "both". Answers:
``{"ok": true, ...}`` or ``{"ok": false, "error": "..."}``. A request that is wrong in any way changes nothing.
"""

from __future__ import annotations

import json
import selectors
import socket
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import asdict, fields

from instruments.capability import NetworkPath
from instruments.network_relay.loop import DIRECTIONS, Loop

__all__ = ["LIMITS", "Control", "RequestRefused", "path_from"]

_LONGEST_LINE = 4_096
_CONNECTIONS = 8

#: Property of a path -> its largest value; each begins at 0.
LIMITS: Mapping[str, float] = {
    "delay_ms": 60_000.0,
    "jitter_ms": 10_000.0,
    "loss": 1.0,
    "reorder": 0.5,
    "duplicate": 1.0,
    "rate_kbit": 10_000_000.0,
}


class RequestRefused(Exception):
    """A request that was not understood; its text is the answer."""


def path_from(value: object) -> NetworkPath:
    """A path from JSON; what is not named has its default. Raises RequestRefused."""
    if not isinstance(value, dict):
        raise RequestRefused("path must be an object")
    known = {field.name for field in fields(NetworkPath)}
    if unknown := set(value) - known:
        raise RequestRefused(f"unknown key in path: {', '.join(sorted(map(str, unknown)))}")
    if not isinstance(value.get("up", True), bool):
        raise RequestRefused("up must be true or false")
    for name, largest in LIMITS.items():
        number = value.get(name, 0.0)
        if isinstance(number, bool) or not isinstance(number, (int, float)) or not 0 <= number <= largest:
            raise RequestRefused(f"{name} must be a number from 0 to {largest:g}")
    return NetworkPath(**value)


class Control:
    """Serves the control socket within the relay's loop."""

    def __init__(self, loop: Loop, listener: socket.socket, serial: str, changed: Callable[[], None]) -> None:
        """listener: a listening socket; serial: what it calls itself; changed: told after apply."""
        self._loop, self._serial, self._changed = loop, serial, changed
        self._listener, self._open = listener, 0
        listener.setblocking(False)
        loop.watch(listener, selectors.EVENT_READ, self._accept)

    def _accept(self, _: int) -> None:
        with suppress(OSError):
            sock, _peer = self._listener.accept()
            sock.setblocking(False)
            if self._open >= _CONNECTIONS:
                sock.close()
                return
            self._open += 1
            pending = bytearray()
            self._loop.watch(sock, selectors.EVENT_READ, lambda _: self._read(sock, pending))

    def _read(self, sock: socket.socket, pending: bytearray) -> None:
        try:
            data = sock.recv(_LONGEST_LINE)
            pending += data
            while (end := pending.find(b"\n")) >= 0:
                line = bytes(pending[:end])
                del pending[: end + 1]
                sock.send(json.dumps(self._answer(line)).encode() + b"\n")
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if not data or len(pending) > _LONGEST_LINE:
            self._loop.watch(sock, 0, lambda _: None)
            sock.close()
            self._open -= 1

    def _answer(self, line: bytes) -> dict[str, object]:
        try:
            return {"ok": True, **self._done(line)}
        except RequestRefused as refused:
            return {"ok": False, "error": str(refused)}

    def _done(self, line: bytes) -> dict[str, object]:
        try:
            request = json.loads(line)
        except (ValueError, RecursionError):
            raise RequestRefused("not a line of JSON") from None
        if not isinstance(request, dict):
            raise RequestRefused("a request is an object")
        do = request.pop("do", None)
        if do == "identify" and not request:
            return {
                "manufacturer": "camcert",
                "model": "network relay",
                "serial": self._serial,
                "firmware": "1",
            }
        if do == "counters" and not request:
            return {"counters": self._loop.counts}
        if do == "path" and set(request) == {"direction"}:
            return {"path": asdict(self._loop.lines[_direction(request["direction"])].path)}
        if do == "apply" and set(request) == {"direction", "path"}:
            path = path_from(request["path"])
            both = request["direction"] == "both"
            for direction in DIRECTIONS if both else (_direction(request["direction"]),):
                self._loop.set(direction, path)
            self._changed()
            return {}
        raise RequestRefused("do must be identify, counters, path (direction) or apply (direction, path)")


def _direction(value: object) -> str:
    if value not in DIRECTIONS:
        raise RequestRefused(f"direction must be one of {', '.join(DIRECTIONS)}")
    return str(value)
