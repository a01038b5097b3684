"""Lux meter with SCPI."""

from __future__ import annotations

from instruments.capability import Identity
from instruments.drivers import About
from instruments.scpi import ScpiSession

__all__ = ["ScpiLuxMeter"]


class ScpiLuxMeter:
    """A meter with MEASure:ILLuminance?. Safe: as it is."""

    about = About(
        role="lux_meter",
        models="any lux meter with MEASure:ILLuminance?",
        protocol="SCPI over VISA",
        source="docs/instruments.md, generic lux meter (SCPI-99 has no class for lux meters)",
    )

    def __init__(self, address: str, *, baud: int | None = None) -> None:
        """address: VISA resource string. Raises InstrumentError."""
        self._session = ScpiSession(address, what="lux meter", baud=baud)

    def identity(self) -> Identity:
        """Get who the meter says it is."""
        return self._session.identity()

    def illuminance(self) -> float:
        """Measure once, lux. Raises InstrumentError, also for an overload."""
        return self._session.number("MEAS:ILL?")

    def safe(self) -> None:
        """Nothing is to be made safe."""

    def close(self) -> None:
        """Release the line."""
        self._session.close()
