"""Climate chamber with SCPI."""

from __future__ import annotations

from instruments.capability import Identity
from instruments.drivers import About
from instruments.scpi import ScpiSession
from standards.errors import UsageError

__all__ = ["ScpiClimateChamber"]


class ScpiClimateChamber:
    """A chamber with SOURce:TEMPerature, MEASure:TEMPerature? and OUTPut. Safe: idle. Opening it changes nothing."""

    about = About(
        role="climate_chamber",
        models="any chamber with SOURce:TEMPerature, MEASure:TEMPerature? and OUTPut",
        protocol="SCPI over VISA",
        source="docs/instruments.md, generic climate chamber (SCPI-99 has no class for chambers)",
    )

    def __init__(self, address: str, *, baud: int | None = None) -> None:
        """address: VISA resource string. Raises InstrumentError."""
        self._session = ScpiSession(address, what="climate chamber", baud=baud)
        try:
            self._lowest = self._session.number("SOUR:TEMP? MIN")
            self._highest = self._session.number("SOUR:TEMP? MAX")
        except BaseException:
            self._session.close()
            raise

    def identity(self) -> Identity:
        """Get who the chamber says it is."""
        return self._session.identity()

    def set_temperature(self, celsius: float) -> None:
        """Set the temperature that is controlled to, and let it run.

        Raises UsageError beyond the chamber's own limits, before anything is sent.
        """
        if not self._lowest <= celsius <= self._highest:
            limits = f"{self._lowest:g} to {self._highest:g}"
            raise UsageError(f"{celsius:g} degrees Celsius: the climate chamber holds {limits}")
        self._session.write(f"SOUR:TEMP {celsius:.2f}")
        self._session.write("OUTP ON")

    def temperature(self) -> float:
        """Measure the air temperature, degrees Celsius."""
        return self._session.number("MEAS:TEMP?")

    def safe(self) -> None:
        """Neither heat nor cool."""
        self._session.write("OUTP OFF")

    def close(self) -> None:
        """Release the line; the chamber goes on as it is."""
        self._session.close()
