"""Devantech USB-RLY16: eight relays, one byte a command."""

from __future__ import annotations

from instruments.capability import Identity
from instruments.drivers import About
from instruments.line import LineSession
from instruments.relay_board import check_channel

__all__ = ["DevantechRly16"]

_MODULES = {9: "USB-RLY16", 15: "USB-RLY16L"}
_VERSION, _STATES, _SET, _ONE_ON, _ONE_OFF = 0x5A, 0x5B, 0x5C, 0x64, 0x6E


class DevantechRly16:
    """The board acknowledges nothing, so each state is read back. It has no serial number to tell. Safe: all open."""

    about = About(
        role="relay_board",
        models="Devantech USB-RLY16, USB-RLY16L",
        protocol="single bytes, USB serial port",
        source="Devantech Ltd, USB-RLY16 8 Relay Module technical documentation, commands",
    )

    channels = 8

    def __init__(self, address: str, *, baud: int | None = None) -> None:
        """address: serial device. Raises InstrumentError if no such board answers."""
        self._line = LineSession(address, what="relay board", baud=baud or 19200)
        try:
            self.identity()
        except BaseException:
            self._line.close()
            raise

    def identity(self) -> Identity:
        """Get the module's kind and its software's version."""
        module, version = self._line.ask_exactly(bytes((_VERSION,)), 2)
        if module not in _MODULES:
            raise self._line.error(f"has no answer that a USB-RLY16 gives, but module {module}. Mend: correct driver or "
                                   "address in the station file")  # fmt: skip
        return Identity("Devantech", _MODULES[module], "", str(version))

    def switch(self, channel: int, closed: bool) -> None:
        """Close or open one relay, and see that it did. Raises UsageError, InstrumentError."""
        check_channel(channel, self.channels)
        self._line.send(bytes(((_ONE_ON if closed else _ONE_OFF) + channel,)))
        if self.is_closed(channel) != closed:
            raise self._line.error(f"did not {'close' if closed else 'open'} relay {channel}")

    def is_closed(self, channel: int) -> bool:
        """Get the state of one relay."""
        check_channel(channel, self.channels)
        return bool(self._states() >> (channel - 1) & 1)

    def safe(self) -> None:
        """Open all, and see that they are."""
        self._line.send(bytes((_SET, 0)))
        if self._states():
            raise self._line.error("did not open all relays")

    def close(self) -> None:
        """Release the line; the relays stay as they are."""
        self._line.close()

    def _states(self) -> int:
        return self._line.ask_exactly(bytes((_STATES,)), 1)[0]
