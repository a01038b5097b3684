"""The path between camera and bench, spoilt on purpose by a relay process; `tc_netem` has the kernel do it.

A path's delay is one-way and holds in each direction.
"""

from __future__ import annotations

import json
from dataclasses import asdict

from instruments.capability import Identity, NetworkPath
from instruments.drivers import About
from instruments.line import LineSession
from instruments.network_relay.control import LIMITS
from standards.errors import UsageError

__all__ = ["NetworkRelay", "check_path"]

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
        models="the user-space relay of this project (instruments.network_relay), which is software alone",
        protocol="JSON lines over TCP",
        source="docs/instruments.md, network relay",
    )

    def __init__(self, address: str, *, baud: int | None = None) -> None:
        """address: TCPIP::host::port::SOCKET, the control address that the relay's first line tells.

        Raises InstrumentError if it is not there.
        """
        self._line = LineSession(address, what="network relay")
        try:
            self.identity()
        except BaseException:
            self.close()
            raise

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
            raise self._line.error(f"answers {answer!r} where its path was asked for")
        return NetworkPath(**answer)

    def safe(self) -> None:
        """Make it transparent."""
        self.apply(NetworkPath())

    def close(self) -> None:
        """Release the line; the relay runs on as it is."""
        self._line.close()

    def _ask(self, request: dict[str, object]) -> dict[str, object]:
        """One request and its answer. Raises InstrumentError with the relay's own words."""
        line = self._line.ask(json.dumps(request).encode() + b"\n", limit=_LONGEST_ANSWER)
        try:
            answer = json.loads(line)
        except (ValueError, RecursionError):
            raise self._line.error(f"answers {line[:60]!r} to {request['do']}: no JSON") from None
        if not isinstance(answer, dict) or answer.get("ok") is not True:
            refusal = answer.get("error") if isinstance(answer, dict) else answer
            raise self._line.error(f"refused {request['do']}: {refusal}")
        return answer
