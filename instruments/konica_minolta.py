"""Frames and status of Konica Minolta's illuminance meters: what the T-10A and the CL-200A have in common."""

from __future__ import annotations

import re
from functools import reduce

from instruments.line import LineSession

__all__ = ["KonicaSession"]

_NORMAL = " 7"
_ERRORS = {
    "1": "the receptor head has no power; switch the meter off and on",
    "2": "EEPROM error 1; switch the meter off and on",
    "3": "EEPROM error 2; switch the meter off and on",
    "5": "the light is beyond the meter's range",
}
_NUMBER = re.compile(r"([+\-= ])([ \d]{3}\d)(\d)")


def _framed(body: bytes) -> bytes:
    """STX, body, ETX, block check characters (exclusive or of body and ETX), CR LF."""
    return b"\x02" + body + b"\x03" + b"%02X" % reduce(lambda a, b: a ^ b, body + b"\x03") + b"\r\n"


class KonicaSession:
    """Frames to receptor head 00, answers checked. 9600 baud, 7 data bits, even parity."""

    def __init__(self, address: str, *, what: str, baud: int | None) -> None:
        """address: serial device. Sets PC connection mode. Raises InstrumentError if no such meter answers."""
        self.line = LineSession(address, what=what, baud=baud or 9600, parity="E", bits=7)
        try:
            self.ask(b"00541   ")
        except BaseException:
            self.line.close()
            raise

    def send(self, body: bytes) -> None:
        """A command that is not answered."""
        self.line.send(_framed(body))

    def ask(self, body: bytes) -> str:
        """One command; what stands behind head and command number in its answer.

        Raises InstrumentError for a wrong check, another command's answer, or an error that the meter reports.
        """
        got = self.line.ask(_framed(body), end=b"\r\n", limit=64) + b"\r\n"
        inner = got[1:-5]
        if got != _framed(inner) or inner[:4] != body[:4]:
            raise self.line.error(
                f"answers {got[:40]!r} to command {body[2:4].decode()}: a damaged or foreign frame"
            )
        text = inner[4:].decode("ascii", "replace")
        if len(text) > 4:  # the long format: hold, error, range, battery, three numbers
            self._check(text)
        return text

    def illuminance(self, text: str) -> float:
        """The first number of a long answer: sign, four digits, exponent. Raises InstrumentError if there is none."""
        found = _NUMBER.fullmatch(text[4:10])
        if len(text) != 22 or found is None:
            raise self.line.error(f"answers {text!r}: no illuminance")
        value = float(found[2]) * 10.0 ** (int(found[3]) - 4)
        return -value if found[1] == "-" else value

    def _check(self, text: str) -> None:
        if text[1] not in _NORMAL:
            raise self.line.error(f"reports error {text[1]}: {_ERRORS.get(text[1], 'unknown to its manual')}")
        if text[3] in "13":
            raise self.line.error(
                "reports a low battery, so its values do not count. Mend: change it, or plug it in"
            )
