"""Light box that is set in lux, with SCPI."""

from __future__ import annotations

from instruments.capability import Identity
from instruments.drivers import About
from instruments.scpi import ScpiSession
from standards.errors import UsageError

__all__ = ["ScpiLightBox"]


class ScpiLightBox:
    """An illuminator with SOURce:ILLuminance and OUTPut. Safe: dark. Opening it changes nothing."""

    about = About(
        role="light_box",
        models="any light source with SOURce:ILLuminance and OUTPut",
        protocol="SCPI over VISA",
        source="docs/instruments.md, generic light box (SCPI-99 has no class for light sources)",
    )

    def __init__(self, address: str, *, baud: int | None = None) -> None:
        """address: VISA resource string. Raises InstrumentError."""
        self._session = ScpiSession(address, what="light box", baud=baud)
        try:
            self._highest = self._session.number("SOUR:ILL? MAX")
        except BaseException:
            self._session.close()
            raise

    def identity(self) -> Identity:
        """Get who the light box says it is."""
        return self._session.identity()

    def set_illuminance(self, lux: float) -> None:
        """Set the illuminance at the chart plane; 0 switches the light off.

        Raises UsageError beyond the box's own limit, before anything is sent.
        """
        if not 0.0 <= lux <= self._highest:
            raise UsageError(f"{lux:g} lx: the light box gives 0 to {self._highest:g} lx")
        self._session.write(f"SOUR:ILL {lux:.4f}")
        self._session.write("OUTP ON" if lux else "OUTP OFF")

    def illuminance_set(self) -> float:
        """Get the set value back from the box, lux; 0 while it is off."""
        return self._session.number("SOUR:ILL?") if self._session.state("OUTP?") else 0.0

    def safe(self) -> None:
        """Switch the light off."""
        self._session.write("OUTP OFF")

    def close(self) -> None:
        """Release the line; the light stays as it is."""
        self._session.close()
