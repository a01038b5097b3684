"""The safe state, and whether it was reached."""

from __future__ import annotations

from instruments.capability import Instrument, PowerSupply, RelayBoard
from standards.errors import InstrumentError

__all__ = ["make_safe"]


def make_safe(role: str, instrument: Instrument) -> None:
    """Bring an instrument to its safe state, and see that it is there where it can be asked.

    Raises InstrumentError if it refuses, is silent, or says that it is not.
    """
    instrument.safe()
    if role == "power_supply" and isinstance(instrument, PowerSupply) and instrument.output_is_on():
        raise InstrumentError("power_supply: the output is still on. Mend: switch it off at the front panel")
    if role == "relay_board" and isinstance(instrument, RelayBoard):
        closed = [str(n) for n in range(1, instrument.channels + 1) if instrument.is_closed(n)]
        if closed:
            raise InstrumentError(
                f"relay_board: channel {', '.join(closed)} is still closed. Mend: cut the board's own supply"
            )
