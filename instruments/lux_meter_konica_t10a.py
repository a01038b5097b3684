"""Konica Minolta T-10A: an illuminance meter that measures on and on."""

from __future__ import annotations

import time

from instruments.capability import Identity
from instruments.drivers import About
from instruments.konica_minolta import KonicaSession

__all__ = ["KonicaT10A"]

_UPDATE_S = 0.5  # the meter has a new value that often
_READ = b"00100200"  # run, no colour correction factor, automatic range


class KonicaT10A:
    """One receptor head, number 00. The protocol has no way to say model or serial number. Safe: as it is."""

    about = About(
        role="lux_meter",
        models="Konica Minolta T-10A, T-10MA (one receptor head)",
        protocol="frames with block check, serial 9600 baud 7E1 or USB",
        source="Konica Minolta, T-10A Communication Specifications (T-10-E), 2 to 5, as published software quotes it",
    )

    def __init__(self, address: str, *, baud: int | None = None) -> None:
        """address: serial device. Raises InstrumentError."""
        self._session = KonicaSession(address, what="lux meter", baud=baud)

    def identity(self) -> Identity:
        """Get that it answers as a T-10A does. Raises InstrumentError if it does not."""
        self._session.ask(_READ)
        return Identity("Konica Minolta", "T-10A")

    def illuminance(self) -> float:
        """Measure once, lux: a value that began after the call. Raises InstrumentError, also beyond its range."""
        time.sleep(_UPDATE_S)
        return self._session.illuminance(self._session.ask(_READ))

    def safe(self) -> None:
        """Nothing is to be made safe."""

    def close(self) -> None:
        """Release the line."""
        self._session.line.close()
