"""Weiss Technik and Votsch Technik chambers with the S!MPAC controller's SimServ interface."""

from __future__ import annotations

from instruments.capability import Identity
from instruments.drivers import About
from instruments.line import LineSession
from standards.errors import UsageError

__all__ = ["WeissSimServ"]

_SIGN = b"\xb6"
_ERRORS = {
    "-5": "it does not know the command",
    "-6": "too few or wrong parameters",
    "-8": "the data could not be read",
}
_INFO, _SET, _ACTUAL, _LOWEST, _HIGHEST, _RUN = 99997, 11001, 11004, 11007, 11009, 14001
_TEMPERATURE = "1"  # number of the control variable
_START = "1"  # number of the digital output that runs the chamber


class WeissSimServ:
    """Control variable 1 is the temperature. Safe: manual mode stopped."""

    about = About(
        role="climate_chamber",
        models="Weiss Technik and Votsch Technik chambers with S!MPAC (ClimeEvent, TempEvent, LabEvent)",
        protocol="SimServ, TCP port 2049",
        source="Weiss Technik, S!MPAC SimServ Communication Protocol, operation manual 64636625 en, 2019.05, 3 and 5, as "
        "published software quotes it",
    )

    def __init__(self, address: str, *, baud: int | None = None) -> None:
        """address: TCPIP::host::2049::SOCKET. Raises InstrumentError if no such chamber answers."""
        self._line = LineSession(address, what="climate chamber")
        try:
            self._lowest = self._number(_LOWEST, _TEMPERATURE)
            self._highest = self._number(_HIGHEST, _TEMPERATURE)
        except BaseException:
            self._line.close()
            raise

    def identity(self) -> Identity:
        """Get type and serial number of the chamber."""
        return Identity("Weiss Technik", self._ask(_INFO, "1"), self._ask(_INFO, "3"))

    def set_temperature(self, celsius: float) -> None:
        """Set the temperature that is controlled to, and let it run.

        Raises UsageError beyond the chamber's own limits, before anything is sent.
        """
        if not self._lowest <= celsius <= self._highest:
            limits = f"{self._lowest:g} to {self._highest:g}"
            raise UsageError(f"{celsius:g} degrees Celsius: the climate chamber holds {limits}")
        self._ask(_SET, _TEMPERATURE, f"{celsius:.2f}")
        self._ask(_RUN, _START, "1")

    def temperature(self) -> float:
        """Measure the air temperature, degrees Celsius."""
        return self._number(_ACTUAL, _TEMPERATURE)

    def safe(self) -> None:
        """Stop manual mode."""
        self._ask(_RUN, _START, "0")

    def close(self) -> None:
        """Release the line; the chamber goes on as it is."""
        self._line.close()

    def _number(self, command: int, *arguments: str) -> float:
        answer = self._ask(command, *arguments)
        try:
            return float(answer)
        except ValueError:
            raise self._line.error(f"answers {answer[:60]!r} to command {command}: no number") from None

    def _ask(self, command: int, *arguments: str) -> str:
        """One command; the data of its answer. Raises InstrumentError with the meaning of the chamber's number."""
        words = [str(command), "1", *arguments]
        answer = self._line.ask(_SIGN.join(word.encode() for word in words) + b"\r", end=b"\r\n")
        code, _, data = answer.partition(_SIGN)
        if code != b"1":
            meaning = _ERRORS.get(code.decode("latin-1"), "no answer that SimServ gives")
            raise self._line.error(f"refused command {command}: {answer[:60]!r} ({meaning})")
        return data.decode("latin-1")
