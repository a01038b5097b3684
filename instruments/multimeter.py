"""Digital multimeters that speak SCPI: the generic one here, models with habits of their own as subclasses."""

from __future__ import annotations

from typing import ClassVar

from instruments.capability import Identity
from instruments.drivers import About
from instruments.scpi import ScpiSession

__all__ = ["ScpiMultimeter"]

_READING_S = 10.0  # time for one reading: a new function, autorange and the integration


class ScpiMultimeter:
    """A multimeter on autorange. Safe: as it is."""

    about = About(
        role="multimeter",
        models="any multimeter of the SCPI-99 class",
        protocol="SCPI over VISA",
        source="SCPI Consortium: SCPI-1999, vol. 3 (MEASure) and vol. 4, 5 (digital meters)",
    )
    models: ClassVar[str] = ""  # pattern of the model in the answer to *IDN?
    greeting: ClassVar[tuple[str, ...]] = ()  # what is said once, when the line is open
    volts: ClassVar[tuple[str, ...]] = ("MEAS:VOLT:DC?",)  # commands, the last one a query
    amperes: ClassVar[tuple[str, ...]] = ("MEAS:CURR:DC?",)

    def __init__(self, address: str, *, baud: int | None = None) -> None:
        """address: VISA resource string. Raises InstrumentError."""
        self._session = ScpiSession(address, what="multimeter", models=self.models, baud=baud)
        self._function: tuple[str, ...] = ()
        try:
            for command in self.greeting:
                self._session.write(command)
        except BaseException:
            self._session.close()
            raise

    def identity(self) -> Identity:
        """Get who the multimeter says it is."""
        return self._session.identity()

    def dc_voltage(self) -> float:
        """Measure a direct voltage, V. Raises InstrumentError on overload."""
        return self._measure(self.volts)

    def dc_current(self) -> float:
        """Measure a direct current, A. Raises InstrumentError on overload."""
        return self._measure(self.amperes)

    def _measure(self, words: tuple[str, ...]) -> float:
        if words != self._function:
            self._function = ()  # set again after a failure half-way
            for command in words[:-1]:
                self._session.write(command)
            self._function = words
        return self._session.number(words[-1], timeout_s=_READING_S)

    def safe(self) -> None:
        """Nothing: it only measures."""

    def close(self) -> None:
        """Release the line."""
        self._session.close()
