"""Konica Minolta CL-200A: a chroma meter that measures when it is told to."""

from __future__ import annotations

import time

from instruments.capability import Identity
from instruments.drivers import About
from instruments.konica_minolta import KonicaSession

__all__ = ["KonicaCL200A"]

_MEASURING_S, _SETTLING_S = 0.5, 0.2
_HOLD, _EXTERNAL, _TRIGGER, _READ = b"99551  0", b"004010  ", b"994021  ", b"00021200"


class KonicaCL200A:
    """One receptor head, number 00. The protocol has no way to say model or serial number. Safe: as it is."""

    about = About(
        role="lux_meter",
        models="Konica Minolta CL-200A (one receptor head)",
        protocol="frames with block check, serial 9600 baud 7E1 or USB",
        source="Konica Minolta, CL-200A Communication Specifications, commands 02, 40, 54 and 55, as published "
        "software quotes it",
    )

    def __init__(self, address: str, *, baud: int | None = None) -> None:
        """address: serial device. Sets hold and external mode. Raises InstrumentError."""
        self._session = KonicaSession(address, what="lux meter", baud=baud)
        try:
            self._session.send(_HOLD)
            time.sleep(_SETTLING_S)
            self._session.ask(_EXTERNAL)
        except BaseException:
            self.close()
            raise

    def identity(self) -> Identity:
        """Get that it answers as a CL-200A does. Raises InstrumentError if it does not."""
        self._session.ask(_EXTERNAL)
        return Identity("Konica Minolta", "CL-200A")

    def illuminance(self) -> float:
        """Measure once, lux. Raises InstrumentError, also beyond its range."""
        self._session.send(_TRIGGER)
        time.sleep(_MEASURING_S)
        return self._session.illuminance(self._session.ask(_READ))

    def safe(self) -> None:
        """Nothing is to be made safe."""

    def close(self) -> None:
        """Release the line."""
        self._session.line.close()
