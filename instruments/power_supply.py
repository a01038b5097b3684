"""Power supplies that speak SCPI: the generic one here, models with words of their own as subclasses."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from instruments.capability import Identity
from instruments.drivers import About
from instruments.scpi import ScpiSession, with_channel
from standards.errors import UsageError

__all__ = ["ScpiPowerSupply", "SupplyWords"]


@dataclass(frozen=True)
class SupplyWords:
    """How a model says it; {channel} and {value} are filled in. The defaults are those of SCPI-99."""

    set_volts: str = "VOLT {value:.4f}"
    set_amperes: str = "CURR {value:.4f}"
    most_volts: str = "VOLT? MAX"
    most_amperes: str = "CURR? MAX"
    switch: str = "OUTP {value}"
    is_on: str = "OUTP?"
    volts: str = "MEAS:VOLT?"
    amperes: str = "MEAS:CURR?"


class ScpiPowerSupply:
    """One output of a supply. Safe: output off. Opening it changes nothing."""

    about = About(
        role="power_supply",
        models="any supply of the SCPI-99 class with one output",
        protocol="SCPI over VISA",
        source="SCPI Consortium: SCPI-1999, vol. 4, 7 (DC power supplies)",
    )
    models: ClassVar[str] = ""  # pattern of the model in the answer to *IDN?
    words: ClassVar[SupplyWords] = SupplyWords()

    def __init__(self, address: str, *, baud: int | None = None) -> None:
        """address: VISA resource string, with '#2' behind it for output 2. Raises InstrumentError."""
        resource, self._channel = with_channel(address)
        self._session = ScpiSession(resource, what="power supply", models=self.models, baud=baud)
        try:
            self._most_v = self._session.number(self._say(self.words.most_volts))
            self._most_a = self._session.number(self._say(self.words.most_amperes))
        except BaseException:
            self._session.close()
            raise

    def _say(self, words: str, value: float | str = "") -> str:
        return words.format(channel=self._channel, value=value)

    def identity(self) -> Identity:
        """Get who the supply says it is."""
        return self._session.identity()

    def set_voltage(self, volts: float) -> None:
        """Set the output voltage. Raises UsageError beyond the output's own limit, before anything is sent."""
        if not 0.0 <= volts <= self._most_v:
            raise UsageError(
                f"{volts:g} V: output {self._channel} of the supply gives 0 to {self._most_v:g} V"
            )
        self._session.write(self._say(self.words.set_volts, volts))

    def set_current_limit(self, amperes: float) -> None:
        """Set the current limit. Raises UsageError beyond the output's own limit, before anything is sent."""
        if not 0.0 <= amperes <= self._most_a:
            raise UsageError(
                f"{amperes:g} A: output {self._channel} of the supply gives 0 to {self._most_a:g} A"
            )
        self._session.write(self._say(self.words.set_amperes, amperes))

    def output(self, on: bool) -> None:
        """Switch the output."""
        self._session.write(self._say(self.words.switch, "ON" if on else "OFF"))

    def output_is_on(self) -> bool:
        """Get the output's state."""
        return self._session.state(self._say(self.words.is_on))

    def voltage(self) -> float:
        """Measure the voltage at the terminals, V."""
        return self._session.number(self._say(self.words.volts))

    def current(self) -> float:
        """Measure the current, A."""
        return self._session.number(self._say(self.words.amperes))

    def safe(self) -> None:
        """Switch the output off."""
        self.output(False)

    def close(self) -> None:
        """Release the line; the output stays as it is."""
        self._session.close()
