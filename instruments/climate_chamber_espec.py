"""ESPEC chambers with a P-300 or SCP-220 controller."""

from __future__ import annotations

import re
import time

from instruments.capability import Identity
from instruments.drivers import About
from instruments.line import LineSession
from standards.errors import UsageError

__all__ = ["EspecP300"]

_MEANING = {
    "CMD ERR": "it does not know the command",
    "PARA ERR": "it does not understand a parameter",
    "DATA OUT OF RANGE": "the value is out of its range",
    "PROTECT ON": "its front panel forbids it",
    "INVALID REQ": "it has no such function",
}
_PAUSE_S = 0.1
_NUMBER = r"(-?\d{1,3}(?:\.\d{1,2})?)"


class EspecP300:
    """Constant mode for running, standby for idle. The controller has no serial number to tell. Safe: standby."""

    about = About(
        role="climate_chamber",
        models="ESPEC chambers with P-300 or SCP-220 controller",
        protocol="ASCII lines, RS-232C 19200 baud, or TCP through a gateway",
        source="ESPEC North America, ChamberConnectLibrary (the maker's own), p300 and especinteract, May 2024",
    )

    def __init__(self, address: str, *, baud: int | None = None) -> None:
        """address: serial device, or TCPIP::host::10001::SOCKET. Raises InstrumentError if no such chamber answers."""
        self._line = LineSession(address, what="climate chamber", baud=baud or 19200)
        try:
            self._line.send(b"\r\n")  # half a command of an earlier session may wait
            time.sleep(_PAUSE_S)
            self._highest, self._lowest = self._temperatures()[2:]
        except BaseException:
            self._line.close()
            raise

    def identity(self) -> Identity:
        """Get the controller's type and the version of its ROM."""
        return Identity("ESPEC", self._ask("TYPE?"), "", self._ask("ROM?"))

    def set_temperature(self, celsius: float) -> None:
        """Set the temperature that is controlled to, in steps of 0.1, and let it run.

        Raises UsageError beyond the chamber's own limits, before anything is sent.
        """
        if not self._lowest <= celsius <= self._highest:
            limits = f"{self._lowest:g} to {self._highest:g}"
            raise UsageError(f"{celsius:g} degrees Celsius: the climate chamber holds {limits}")
        self._do(f"TEMP, S{celsius:.1f}")
        if self._ask("MODE?") == "OFF":
            self._do("POWER, ON")
        self._do("MODE, CONSTANT")

    def temperature(self) -> float:
        """Measure the air temperature, degrees Celsius."""
        return self._temperatures()[0]

    def safe(self) -> None:
        """Neither heat nor cool; a chamber that is switched off stays so."""
        if self._ask("MODE?") != "OFF":
            self._do("MODE, STANDBY")

    def close(self) -> None:
        """Release the line; the chamber goes on as it is."""
        self._line.close()

    def _temperatures(self) -> tuple[float, float, float, float]:
        """Measured, set, highest and lowest."""
        answer = self._ask("TEMP?")
        found = re.fullmatch(",".join([_NUMBER] * 4), answer)
        if found is None:
            raise self._line.error(f"answers {answer[:60]!r} to TEMP?: no temperatures")
        measured, wanted, highest, lowest = map(float, found.groups())
        return measured, wanted, highest, lowest

    def _ask(self, command: str) -> str:
        """One command and its answer. Raises InstrumentError with the chamber's own words."""
        answer = self._line.ask(command.encode() + b"\r\n", end=b"\r\n").decode("ascii", "replace")
        if answer.startswith("NA:") or not answer.isprintable():
            words = re.sub(r"-\d+$", "", answer[3:])
            raise self._line.error(
                f"refused {command!r}: {answer[:60]!r} ({_MEANING.get(words, 'not ready')})"
            )
        return answer

    def _do(self, command: str) -> None:
        answer = self._ask(command)
        if answer != f"OK:{command}":
            raise self._line.error(f"answers {answer[:60]!r} to {command!r} instead of an acknowledgement")
