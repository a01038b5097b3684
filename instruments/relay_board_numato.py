"""Relay modules of Numato Lab: a serial line with echo and a prompt, like a terminal's."""

from __future__ import annotations

import re

from instruments.capability import Identity
from instruments.drivers import About
from instruments.line import LineSession
from instruments.relay_board import check_channel

__all__ = ["NumatoRelayBoard"]

_PROMPT = b"\n\r>"
_DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUV"


class NumatoRelayBoard:
    """The module says nothing of a command that it does not know, so each state is read back. Safe: all open."""

    about = About(
        role="relay_board",
        models="Numato Lab USB relay modules with 1 to 32 relays",
        protocol="ASCII with echo and prompt, USB serial port",
        source="Numato Lab, sample code usbrelay_8, usbrelay16_32 (the maker's own)",
    )

    def __init__(self, address: str, *, baud: int | None = None) -> None:
        """address: serial device. The number of relays is read from the module. Raises InstrumentError."""
        self._line = LineSession(address, what="relay board", baud=baud or 19200)
        try:
            self._line.ask(b"\r", end=_PROMPT)  # half a command of an earlier session may wait
            self.channels = min(32, 4 * len(self._ask("relay readall", r"[0-9a-f]{1,8}")))
        except BaseException:
            self._line.close()
            raise

    def identity(self) -> Identity:
        """Get the identifier that was given to the module, and its firmware's version."""
        name = self._ask("id get", r"[ -~]{1,16}")
        return Identity(
            "Numato Lab", f"{self.channels} channel relay module", name, self._ask("ver", r"[ -~]{1,16}")
        )

    def switch(self, channel: int, closed: bool) -> None:
        """Close or open one relay, and see that it did. Raises UsageError, InstrumentError."""
        check_channel(channel, self.channels)
        self._ask(f"relay {'on' if closed else 'off'} {_DIGITS[channel - 1]}", "")
        if self.is_closed(channel) != closed:
            raise self._line.error(f"did not {'close' if closed else 'open'} relay {channel}")

    def is_closed(self, channel: int) -> bool:
        """Get the state of one relay."""
        check_channel(channel, self.channels)
        return self._ask(f"relay read {_DIGITS[channel - 1]}", "on|off") == "on"

    def safe(self) -> None:
        """Open all, and see that they are."""
        zeros = "0" * (self.channels // 4)
        self._ask(f"relay writeall {zeros}", "")
        if self._ask("relay readall", r"[0-9a-f]{1,8}").strip("0"):
            raise self._line.error("did not open all relays")

    def close(self) -> None:
        """Release the line; the relays stay as they are."""
        self._line.close()

    def _ask(self, command: str, pattern: str) -> str:
        """One command; what stands between its echo and the prompt. Raises InstrumentError if that is not as the
        pattern says."""
        answer = self._line.ask(command.encode() + b"\r", end=_PROMPT).decode("ascii", "replace")
        found = re.fullmatch(rf"{re.escape(command)}\s*({pattern})", answer)
        if found is None:
            raise self._line.error(f"answers {answer[:60]!r} to {command!r}")
        return found[1]
