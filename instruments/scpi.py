"""One SCPI session: every command is followed by a look into the instrument's error queue.

What the instrument refuses becomes an InstrumentError with its own words and its address. Nothing is retried in
silence: after an answer that did not come or made no sense, the line is cleared before the next command, so that
a late answer is never taken for that of another question.
"""

from __future__ import annotations

import math
import re
import threading
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager

from instruments.capability import Identity
from instruments.visa import InstrumentSilent, VisaLine
from standards.errors import InstrumentError, UsageError

__all__ = ["ANSWER_S", "ScpiSession", "parse_identity", "with_channel"]

ANSWER_S = 2.0  # time for an answer where a driver says nothing else, seconds
_LAST_WORDS_S = 0.5  # time for the error queue after a silence, seconds
_LONGEST_QUEUE = 64  # entries that are read of one error queue
_LONGEST_BLOCK = 64 << 20  # bytes of one binary block
_OVERLOAD = 9.9e37  # SCPI-99, vol. 1, 7.2.1.4: stands for infinity and for "not a number"
#: Number, then words in quotes (which some models leave out); SCPI-99, vol. 2, 21.8.
_ENTRY = re.compile(r"\s*([+-]?\d{1,5})\s*,\s*(\S.*)", re.DOTALL)


def with_channel(address: str) -> tuple[str, int]:
    """Resource string and channel of an address such as 'TCPIP::10.0.0.5::5025::SOCKET#2'; 1 where none is given.

    Raises UsageError for a channel that is no number.
    """
    resource, mark, channel = address.partition("#")
    if mark and not re.fullmatch(r"[1-9]\d?", channel):
        raise UsageError(f"{address}: {channel!r} is no channel. Mend: write the channel's number behind '#'")
    return resource, int(channel or 1)


def parse_identity(answer: str, *, who: str) -> Identity:
    """The answer to *IDN?: four fields (IEEE 488.2-1992, 10.14). who: for the message of InstrumentError."""
    words = [word.strip() for word in answer.split(",")]
    if len(words) < 4 or not answer.isprintable() or not words[0] or not words[1]:
        raise InstrumentError(
            f"{who}: {answer[:80]!r} is no identity (maker, model, serial number, firmware)"
        )
    return Identity(words[0], words[1], words[2], ",".join(words[3:]))


class ScpiSession:
    """A session with one SCPI instrument; any thread may use it, one exchange at a time.

    what: the instrument in words, e.g. 'power supply'. models: pattern that the model in the answer to *IDN? must
    match, so that no other device is ever driven by mistake. timeout_s: for each answer, seconds. errors: the query
    of the error queue; empty where the model has none.
    """

    def __init__(
        self,
        address: str,
        *,
        what: str,
        models: str = "",
        baud: int | None = None,
        timeout_s: float | None = None,
        errors: str = "SYST:ERR?",
    ) -> None:
        """Opens the line, clears the status (*CLS) and asks for the identity.

        Raises InstrumentError if the line cannot be opened, or another device answers.
        """
        self._errors, self._out_of_step = errors, False
        self._lock = threading.RLock()
        self._line = VisaLine(address, what=what, baud=baud, timeout_s=timeout_s or ANSWER_S)
        try:
            # Half a command of an earlier session may wait in a serial instrument: the empty line ends it.
            self._line.send(b"\n*CLS\n" if self._line.is_serial else b"*CLS\n")
            self._check("*CLS")
            found = self.identity()
            if models and not re.fullmatch(models, found.model):
                raise self.error(f"is {found.manufacturer} {found.model}, not the model that its driver is for. "
                                 "Mend: correct driver or address in the station file")  # fmt: skip
        except BaseException:
            self.close()
            raise

    @property
    def address(self) -> str:
        """The resource string, as it was given."""
        return self._line.address

    def error(self, words: str) -> InstrumentError:
        """An InstrumentError that names the instrument and its address."""
        return InstrumentError(f"{self._line.what} at {self._line.address} {words}")

    def identity(self) -> Identity:
        """Get maker, model, serial number and firmware (*IDN?)."""
        with self._exchange():
            return parse_identity(self.query("*IDN?"), who=f"{self._line.what} at {self._line.address}")

    def write(self, command: str) -> None:
        """Send one command, then read the error queue. Raises InstrumentError if the instrument complains."""
        with self._exchange():
            self._line.send(command.encode("ascii") + b"\n")
            self._check(command)

    def query(self, command: str, *, timeout_s: float | None = None) -> str:
        """Send one query; its answer without the newline. timeout_s: in place of the session's own.

        Raises InstrumentError if the instrument complains, or is silent: then with its error queue if it has any.
        """
        with self._exchange():
            self._line.send(command.encode("ascii") + b"\n")
            try:
                answer = self._line.message(timeout_s=timeout_s)
            except InstrumentSilent:
                self._why_silent(command)
                raise
            text = self._text(answer, command)
            self._check(command)
            return text

    def number(self, command: str, *, timeout_s: float | None = None) -> float:
        """Send one query whose answer is a number. Raises InstrumentError if it is none, or an overload."""
        with self._exchange():
            answer = self.query(command, timeout_s=timeout_s)
            try:
                value = float(answer)
            except ValueError:
                raise self.error(f"answers {answer[:60]!r} to {command!r}: no number") from None
            if not math.isfinite(value) or abs(value) >= _OVERLOAD:
                raise self.error(f"answers {answer[:60]!r} to {command!r}: overload, or nothing to measure")
            return value

    def numbers(self, command: str, count: int) -> list[float]:
        """Send one query whose answer is so many numbers with commas between. Raises as number() does."""
        with self._exchange():
            answer = self.query(command)
            try:
                values = [float(field) for field in answer.split(",")]
            except ValueError:
                values = []
            if len(values) != count:
                raise self.error(f"answers {answer[:60]!r} to {command!r}: not {count} numbers")
            return values

    def state(self, command: str) -> bool:
        """Send one query whose answer is 0 or 1, OFF or ON."""
        answer = self.query(command).strip().upper()
        if answer not in ("0", "1", "OFF", "ON"):
            raise self.error(f"answers {answer[:60]!r} to {command!r}: neither 0 nor 1")
        return answer in ("1", "ON")

    def block(self, command: str, *, count: int | None = None, timeout_s: float | None = None) -> bytes:
        """Send one query whose answer is a definite length block (IEEE 488.2-1992, 8.7.9); its bytes.

        count: how many they must be, where that is known. Raises InstrumentError.
        """
        with self._exchange():
            self._line.send(command.encode("ascii") + b"\n")
            try:
                head = self._line.exactly(2, timeout_s=timeout_s)
                if not re.fullmatch(rb"#[1-9]", head):
                    raise self.error(f"answers {head!r}… to {command!r}: no block of definite length")
                digits = self._line.exactly(int(head[1:]))
                if not digits.isdigit() or int(digits) > _LONGEST_BLOCK:
                    raise self.error(f"announces a block of {digits!r} bytes to {command!r}")
                if count is not None and int(digits) != count:
                    raise self.error(
                        f"sends {int(digits)} bytes to {command!r}, where {count} were announced"
                    )
                data = self._line.exactly(int(digits))
                self._line.message(limit=8)  # the newline behind it
            except InstrumentSilent:
                self._why_silent(command)
                raise
            self._check(command)
            return data

    def until(self, condition: Callable[[], bool], seconds: float, words: str) -> None:
        """Ask every 5 ms until a condition holds. Raises InstrumentError with some words if it never does."""
        deadline = time.monotonic() + seconds
        while not condition():
            if time.monotonic() > deadline:
                raise self.error(words)
            time.sleep(0.005)

    def close(self) -> None:
        """Release the line; the instrument's state stays as it is. Never raises."""
        with self._lock:
            self._line.close()

    def _check(self, command: str, *, timeout_s: float | None = None) -> None:
        """Read the error queue empty; what was in it is the refusal of the command."""
        if not self._errors:
            return
        found: list[str] = []
        for _ in range(_LONGEST_QUEUE):
            self._line.send(self._errors.encode("ascii") + b"\n")
            answer = self._text(self._line.message(timeout_s=timeout_s), self._errors)
            entry = _ENTRY.fullmatch(answer)
            if entry is None:
                raise self.error(f"answers {answer[:60]!r} where its error queue was asked for")
            if int(entry.group(1)) == 0:
                break
            found.append(answer.strip())
        else:
            raise self.error(f"has an error queue that does not empty: {'; '.join(found[:3])} …")
        if found:
            raise _Refused(
                f"{self._line.what} at {self._line.address} refused {command!r}: {'; '.join(found)}"
            )

    def _why_silent(self, command: str) -> None:
        """A query that is refused is not answered: its reason stands in the error queue, if it still speaks."""
        try:
            self._line.clear()
            self._check(command, timeout_s=_LAST_WORDS_S)
        except _Refused:
            raise
        except InstrumentError:
            return

    def _text(self, answer: bytes, command: str) -> str:
        text = answer.rstrip(b"\r\n").decode("ascii", "replace")
        if not text.isprintable() or "\ufffd" in text:
            raise self.error(f"answers garbage to {command!r}: {answer[:40]!r}")
        return text

    @contextmanager
    def _exchange(self) -> Generator[None]:
        """One exchange at a time; after one that went wrong the line is cleared first."""
        with self._lock:
            if self._out_of_step:
                self._line.clear()
                self._out_of_step = False
            try:
                yield
            except _Refused:
                raise
            except BaseException:
                self._out_of_step = True
                raise

    def __repr__(self) -> str:
        return f"ScpiSession({self._line.what!r}, {self._line.address!r})"


class _Refused(InstrumentError):
    """The instrument said no, in its error queue: line and session are in order."""
