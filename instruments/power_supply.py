"""Power supply with the commands of the SCPI-99 instrument class, which most SCPI supplies know."""

from __future__ import annotations

from instruments.capability import Identity
from instruments.drivers import About
from instruments.scpi import ScpiSession
from standards.errors import UsageError

__all__ = ["ScpiPowerSupply"]


class ScpiPowerSupply:
    """A supply with one output, or its selected one. Safe: output off. Opening it changes nothing."""

    about = About(
        role="power_supply",
        models="any supply of the SCPI-99 class",
        protocol="SCPI over VISA",
        source="SCPI Consortium, SCPI-99, vol. 4, 7 (DC power supplies)",
    )

    def __init__(self, address: str, *, baud: int | None = None) -> None:
        """address: VISA resource string. Raises InstrumentError."""
        self._session = ScpiSession(address, what="power supply", baud=baud)
        try:
            self._highest_v = self._session.number("VOLT? MAX")
            self._highest_a = self._session.number("CURR? MAX")
        except BaseException:
            self._session.close()
            raise

    def identity(self) -> Identity:
        """Get who the supply says it is."""
        return self._session.identity()

    def set_voltage(self, volts: float) -> None:
        """Set the output voltage. Raises UsageError beyond the supply's own limit, before anything is sent."""
        if not 0.0 <= volts <= self._highest_v:
            raise UsageError(f"{volts:g} V: the power supply gives 0 to {self._highest_v:g} V")
        self._session.write(f"VOLT {volts:.4f}")

    def set_current_limit(self, amperes: float) -> None:
        """Set the current limit. Raises UsageError beyond the supply's own limit, before anything is sent."""
        if not 0.0 <= amperes <= self._highest_a:
            raise UsageError(f"{amperes:g} A: the power supply gives 0 to {self._highest_a:g} A")
        self._session.write(f"CURR {amperes:.4f}")

    def output(self, on: bool) -> None:
        """Switch the output."""
        self._session.write("OUTP ON" if on else "OUTP OFF")

    def output_is_on(self) -> bool:
        """Get the output's state."""
        return self._session.state("OUTP?")

    def voltage(self) -> float:
        """Measure the voltage at the terminals, V."""
        return self._session.number("MEAS:VOLT?")

    def current(self) -> float:
        """Measure the current, A."""
        return self._session.number("MEAS:CURR?")

    def safe(self) -> None:
        """Switch the output off."""
        self.output(False)

    def close(self) -> None:
        """Release the line; the output stays as it is."""
        self._session.close()
