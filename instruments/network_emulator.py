"""The path between camera and bench, spoilt on purpose by a relay process; `tc_netem` has the kernel do it.

A path's delay is one-way and holds in each direction.
"""

from __future__ import annotations

import json
import socket
import time
from contextlib import suppress
from dataclasses import asdict

from instruments.capability import Identity, NetworkPath
from instruments.drivers import About
from instruments.network_relay.control import LIMITS
from standards.errors import InstrumentError, UsageError

__all__ = ["NetworkRelay", "check_path"]

_ANSWER_S = 2.0
_LONGEST_ANSWER = 4096


def check_path(path: NetworkPath) -> None:
    """Raise UsageError for a path that no network has."""
    for name, largest in LIMITS.items():
        value = getattr(path, name)
        if not 0 <= value <= largest:  # also refuses NaN
            raise UsageError(f"network path: {name} = {value!r}. Mend: give a value from 0 to {largest:g}")


class NetworkRelay:
    """A relay started by ``python -m instruments.network_relay``, over its control socket. Safe: transparent."""

    about = About(
        role="network_emulator",
        models="the user-space relay of this project (instruments.network_relay)",
        protocol="JSON lines over TCP or a Unix socket",
        source="docs/instruments.md, network relay",
        hardware="is software itself: proven against its own packet log in tests/instruments/test_network_relay.py",
    )

    def __init__(self, address: str, *, baud: int | None = None) -> None:
        """address: HOST:PORT or unix:PATH of its control socket. Raises InstrumentError."""
        self._address = address
        try:
            self._line = self._connected(address)
        except (OSError, ValueError) as error:
            raise InstrumentError(
                f"network relay at {address}: cannot be reached ({error}). Mend: start it (python -m "
                "instruments.network_relay), and give the control address that its first line tells"
            ) from None
        try:
            self.identity()
        except BaseException:
            self.close()
            raise

    @staticmethod
    def _connected(address: str) -> socket.socket:
        if address.startswith("unix:"):
            line = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
            line.settimeout(_ANSWER_S)
            try:
                line.connect(address.removeprefix("unix:"))
            except BaseException:
                line.close()
                raise
            return line
        host, _, port = address.rpartition(":")
        return socket.create_connection((host, int(port)), _ANSWER_S)

    def identity(self) -> Identity:
        """Get who the relay says it is."""
        answer = self._ask({"do": "identify"})
        return Identity(
            *(str(answer.get(name, "")) for name in ("manufacturer", "model", "serial", "firmware"))
        )

    def apply(self, path: NetworkPath, *, direction: str = "both") -> None:
        """Impose a path. direction: "both", "to_bench" or "to_camera". Raises UsageError, InstrumentError."""
        check_path(path)
        self._ask({"do": "apply", "direction": direction, "path": asdict(path)})

    def path(self, *, direction: str = "to_bench") -> NetworkPath:
        """Get what is imposed on one direction now."""
        answer = self._ask({"do": "path", "direction": direction}).get("path")
        if not isinstance(answer, dict) or set(answer) != set(asdict(NetworkPath())):
            raise InstrumentError(f"network relay at {self._address}: not a path: {answer!r}")
        return NetworkPath(**answer)

    def safe(self) -> None:
        """Make it transparent."""
        self.apply(NetworkPath())

    def close(self) -> None:
        """Release the line; the relay runs on as it is."""
        with suppress(OSError):
            self._line.close()

    def _ask(self, request: dict[str, object]) -> dict[str, object]:
        """One request and its answer, within two seconds. Raises InstrumentError with the relay's own words."""
        deadline, line = time.monotonic() + _ANSWER_S, b""
        try:
            self._line.sendall(json.dumps(request).encode() + b"\n")
            while not line.endswith(b"\n") and len(line) < _LONGEST_ANSWER:
                self._line.settimeout(max(0.001, deadline - time.monotonic()))
                data = self._line.recv(_LONGEST_ANSWER)
                if not data:
                    raise ConnectionError("it closed the line")
                line += data
            answer = json.loads(line)
        except (OSError, ValueError) as error:
            self.close()
            raise InstrumentError(
                f"network relay at {self._address}: no answer to {request['do']} ({error or 'not JSON'})"
            ) from None
        if not isinstance(answer, dict) or answer.get("ok") is not True:
            refusal = answer.get("error") if isinstance(answer, dict) else answer
            raise InstrumentError(f"network relay at {self._address} refused {request['do']}: {refusal}")
        return answer
