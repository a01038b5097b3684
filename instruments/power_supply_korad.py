"""Korad KA3005P and its siblings: a serial line, no SCPI, no line ends, no acknowledgements."""

from __future__ import annotations

import re
import time

from instruments.capability import Identity
from instruments.drivers import About
from instruments.line import LineSession
from standards.errors import UsageError

__all__ = ["KoradKA3005P"]

_GAP_S = 0.05  # the supply takes a pause for the end of a command
_MOST_V, _MOST_A = 31.0, 5.1
_NAME = re.compile(r"(KORAD|TENMA|VELLEMAN|RND)\s?([A-Z]*\d[\w-]*?)\s?V(\d+\.\d+)(?:\s?SN:(\w+))?")


class KoradKA3005P:
    """The one output of the supply. What is set is read back, since the supply never says no. Safe: output off."""

    about = About(
        role="power_supply",
        models="Korad KA3005P; as Velleman PS3005D, Tenma 72-2540, RND 320-KA3005P",
        protocol="ASCII without line ends, serial 9600 baud",
        source="Korad: KA Series Single Channel Remote Control Syntax, V2.0 (as RND 320-KA Series, V3.0)",
    )

    def __init__(self, address: str, *, baud: int | None = None) -> None:
        """address: serial device. Raises InstrumentError if it cannot be opened, or no such supply answers."""
        self._line = LineSession(address, what="power supply", baud=baud or 9600)
        try:
            self.identity()
        except BaseException:
            self._line.close()
            raise

    def identity(self) -> Identity:
        """Get who the supply says it is; older firmware gives no serial number."""
        answer = self._line.ask_until_quiet(b"*IDN?").decode("ascii", "replace").strip()
        match = _NAME.fullmatch(answer)
        if match is None:
            raise self._line.error(f"answers {answer[:40]!r}: no supply of the KA series")
        return Identity(match[1], match[2], match[4] or "", match[3])

    def set_voltage(self, volts: float) -> None:
        """Set the output voltage, in steps of 10 mV. Raises UsageError before anything is sent."""
        if not 0.0 <= volts <= _MOST_V:
            raise UsageError(f"{volts:g} V: the power supply gives 0 to {_MOST_V:g} V")
        self._set("VSET1", f"{volts:05.2f}")

    def set_current_limit(self, amperes: float) -> None:
        """Set the current limit, in steps of 1 mA. Raises UsageError before anything is sent."""
        if not 0.0 <= amperes <= _MOST_A:
            raise UsageError(f"{amperes:g} A: the power supply gives 0 to {_MOST_A:g} A")
        self._set("ISET1", f"{amperes:.3f}")

    def _set(self, what: str, value: str) -> None:
        self._line.send(f"{what}:{value}".encode())
        time.sleep(_GAP_S)
        if self._number(f"{what}?") != float(value):
            raise self._line.error(f"did not take {what}:{value}")

    def output(self, on: bool) -> None:
        """Switch the output."""
        self._line.send(b"OUT1" if on else b"OUT0")
        time.sleep(_GAP_S)
        if self.output_is_on() != on:
            raise self._line.error(f"did not switch its output {'on' if on else 'off'}")

    def output_is_on(self) -> bool:
        """Get the output's state: bit 6 of the status."""
        return bool(self._line.ask_exactly(b"STATUS?", 1)[0] & 0x40)

    def voltage(self) -> float:
        """Measure the voltage at the terminals, V."""
        return self._number("VOUT1?")

    def current(self) -> float:
        """Measure the current, A."""
        return self._number("IOUT1?")

    def _number(self, query: str) -> float:
        answer = self._line.ask_exactly(query.encode(), 5)  # some firmware adds a stray sixth byte to ISET1?
        if not re.fullmatch(rb"\d{1,2}\.\d{2,3}", answer):
            raise self._line.error(f"answers {answer!r} to {query!r}: no number")
        return float(answer)

    def safe(self) -> None:
        """Switch the output off."""
        self.output(False)

    def close(self) -> None:
        """Release the line; the output stays as it is."""
        self._line.close()
