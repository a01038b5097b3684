"""Relay board with the commands of the SCPI-99 switch class."""

from __future__ import annotations

from instruments.capability import Identity
from instruments.drivers import About
from instruments.scpi import ScpiSession, with_channel
from standards.errors import UsageError

__all__ = ["ScpiRelayBoard", "check_channel"]

_RELAYS = 8


def check_channel(channel: int, channels: int) -> None:
    """Raise UsageError for a relay that is not there."""
    if not 1 <= channel <= channels:
        raise UsageError(f"relay board: there is no relay {channel}. Mend: give one from 1 to {channels}")


class ScpiRelayBoard:
    """Any number of relays, 8 where the address does not end with another, e.g. '#4'. Safe: all open."""

    about = About(
        role="relay_board",
        models="any switch of the SCPI-99 class whose relays are channels (@1) and up",
        protocol="SCPI over VISA",
        source="SCPI Consortium, SCPI-99, vol. 4, 8 (signal switchers), and vol. 2, 17 (ROUTe)",
    )

    def __init__(self, address: str, *, baud: int | None = None) -> None:
        """address: VISA resource string. Raises InstrumentError."""
        resource, count = with_channel(address)
        self.channels = count if "#" in address else _RELAYS
        self._session = ScpiSession(resource, what="relay board", baud=baud)

    def identity(self) -> Identity:
        """Get who the board says it is."""
        return self._session.identity()

    def switch(self, channel: int, closed: bool) -> None:
        """Close or open one relay. Raises UsageError for one that is not there, before anything is sent."""
        check_channel(channel, self.channels)
        self._session.write(f"ROUT:{'CLOS' if closed else 'OPEN'} (@{channel})")

    def is_closed(self, channel: int) -> bool:
        """Get the state of one relay."""
        check_channel(channel, self.channels)
        return self._session.state(f"ROUT:CLOS? (@{channel})")

    def safe(self) -> None:
        """Open all."""
        self._session.write("ROUT:OPEN:ALL")

    def close(self) -> None:
        """Release the line; the relays stay as they are."""
        self._session.close()
