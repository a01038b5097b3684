"""One session with a Mightex SLC LED controller: what its light source and its flash lamp have in common."""

from __future__ import annotations

import re

from instruments.capability import Identity
from instruments.line import LineSession

__all__ = ["DARK", "HIGHEST_MA", "LIT", "SOURCE", "MightexSession"]

SOURCE = "Mightex Systems, Sirius SLC Series SDK manual, RS232 command set, pp. 11-14, as published software quotes it"
DARK, LIT = 0, 1  # modes of a channel
HIGHEST_MA = 1000  # of normal mode

_WORDS = {"#!": "it did not execute it", "#?": "wrong argument"}
_INFO = re.compile(r"#?(?P<maker>\S+) LED Driver:(?P<firmware>\S+) Device Module No\.:(?P<model>\S+) "
                   r"Device Serial No\.:(?P<serial>\S+)")  # fmt: skip


class MightexSession:
    """Commands to the controller's first channel. what: the instrument in words."""

    def __init__(self, address: str, *, what: str, baud: int | None) -> None:
        """address: serial device. Raises InstrumentError if no such controller answers."""
        self.line = LineSession(address, what=what, baud=baud or 9600)
        try:
            self.line.ask_until_quiet(b"\n\rECHOOFF\n\r")  # it echoes until it is told not to
            self.identity()
        except BaseException:
            self.line.close()
            raise

    def identity(self) -> Identity:
        """Get maker, model, serial number and firmware."""
        answer = self.data("DEVICEINFO")
        found = _INFO.fullmatch(answer)
        if found is None:
            raise self.line.error(f"answers {answer[:60]!r}: no Mightex SLC")
        return Identity(found["maker"], found["model"], found["serial"], found["firmware"])

    def data(self, command: str) -> str:
        """One query; its data. Raises InstrumentError with the controller's own words if it refuses."""
        answer = self.line.ask(command.encode() + b"\n\r", end=b"\r").decode("ascii", "replace").strip()
        if answer in _WORDS or not answer.startswith("#") or not answer.isprintable():
            raise self.line.error(
                f"refused {command!r}: {answer[:60]!r} ({_WORDS.get(answer, 'unknown command')})"
            )
        return answer

    def do(self, command: str) -> None:
        """One command, which must be acknowledged. Raises InstrumentError."""
        answer = self.data(command)
        if answer != "##":
            raise self.line.error(f"answers {answer[:60]!r} to {command!r} instead of an acknowledgement")

    def current(self) -> int:
        """Set current of the first channel, mA: the last number of its answer."""
        numbers = re.fullmatch(r"#\d+ \d+ \d+ (\d+)", answer := self.data("?CURRENT 1"))
        if numbers is None:
            raise self.line.error(f"answers {answer[:60]!r} where its current was asked for")
        return int(numbers[1])

    def is_lit(self) -> bool:
        """Whether the first channel is not disabled."""
        return self.data("?MODE 1") != f"#{DARK}"
