"""A line to an instrument that speaks no SCPI: bytes over a serial port or a TCP socket, bounded and in words."""

from __future__ import annotations

import re
import termios
import threading
import time
from collections.abc import Generator
from contextlib import contextmanager, suppress
from typing import Any

import serial

from standards.errors import InstrumentError

__all__ = ["ANSWER_S", "LineSession"]

ANSWER_S = 2.0  # time for an answer where a driver says nothing else, seconds
_QUIET_S = 0.1  # silence after which nothing more comes of an exchange that broke off
_LATEST_S = 1.0  # how long that silence is waited for

#: What pyserial lets through when a device goes away.
_TROUBLE = (serial.SerialException, OSError, ValueError, TypeError, termios.error)
_RESOURCE = re.compile(r"ASRL(?P<device>/.+?)(::INSTR)?|TCPIP\d*::(?P<host>[^:]+)::(?P<port>\d+)::SOCKET")


class LineSession:
    """Bytes to and from one instrument; any thread may use it, one exchange at a time.

    what: the instrument in words. timeout_s: for each answer, seconds. Settings of the serial port: one stop bit,
    `bits` data bits, parity 'N', 'E' or 'O'. A port that has no framing of its own (USB that ends in the instrument,
    a pseudo-terminal) refuses 7 bits or a parity: it is then taken as it is. sent_ns, done_ns: when the bytes sent
    last were handed over: just before, and when that returned; nanoseconds of the host's realtime clock.
    """

    def __init__(
        self,
        address: str,
        *,
        what: str,
        baud: int = 9600,
        timeout_s: float | None = None,
        parity: str = "N",
        bits: int = 8,
    ) -> None:
        """address: /dev/ttyUSB0, ASRL/dev/ttyUSB0::INSTR or TCPIP::host::port::SOCKET.

        Raises InstrumentError with the mend if it cannot be opened.
        """
        self.address, self.what, self._timeout_s = address, what, timeout_s or ANSWER_S
        self._lock = threading.RLock()
        self.sent_ns = self.done_ns = 0
        self._broken_off = False
        match = _RESOURCE.fullmatch(address)
        url, exclusive = address, True
        if match and match["host"]:
            url, exclusive = f"socket://{match['host']}:{match['port']}", False
        elif match:
            url = match["device"]
        options: dict[str, Any] = {"timeout": self._timeout_s, "write_timeout": self._timeout_s}
        options |= {"exclusive": True} if exclusive else {}  # a second reader would take our answers
        try:
            try:
                self._line = serial.serial_for_url(url, baud, parity=parity, bytesize=bits, **options)
            except termios.error:
                self._line = serial.serial_for_url(url, baud, **options)
            if exclusive:
                self._line.reset_input_buffer()
        except _TROUBLE as error:
            raise self.error(f"cannot be opened ({error}). Mend: check the cable, the address in the station "
                             "file, and that no other program holds the line") from None  # fmt: skip

    def error(self, words: str) -> InstrumentError:
        """An InstrumentError that names the instrument and its address."""
        return InstrumentError(f"{self.what} at {self.address} {words}")

    def send(self, data: bytes) -> None:
        """Hand bytes to the line. Raises InstrumentError if it fails."""
        with self._lock:
            try:
                self.sent_ns = time.time_ns()
                self._line.write(data)
                self._line.flush()
                self.done_ns = time.time_ns()
            except _TROUBLE as error:
                raise self.error(f"has lost its line: {error}") from None

    def ask(self, data: bytes, *, end: bytes = b"\n", limit: int = 256) -> bytes:
        """Send bytes; the answer up to `end`, without it. limit: bytes.

        What lay on the line before is thrown away: it answers nothing that was asked here. Raises InstrumentError
        if nothing, or no end, comes within the time.
        """
        with self._exchange():
            self.send(data)
            answer = self._read(limit, end)
            if not answer.endswith(end):
                raise self._unanswered(data, answer)
            return answer[: -len(end)]

    def ask_exactly(self, data: bytes, count: int) -> bytes:
        """Send bytes; the answer of a known length. Raises InstrumentError if it does not come in time."""
        with self._exchange():
            self.send(data)
            answer = self._read(count, b"")
            if len(answer) < count:
                raise self._unanswered(data, answer)
            return answer

    def ask_until_quiet(self, data: bytes, *, quiet_s: float = 0.1, limit: int = 256) -> bytes:
        """Send bytes; the answer of a protocol without an end: it is over when the line is quiet."""
        with self._exchange():
            answer = self.ask_exactly(data, 1)
            try:
                self._line.timeout = quiet_s
                answer += self._read(limit, b"")
            finally:
                self._line.timeout = self._timeout_s
            return answer

    def close(self) -> None:
        """Release the line; never raises."""
        wire = getattr(self._line, "_socket", None)  # pyserial leaves it open if the other end has hung up
        with suppress(*_TROUBLE):
            self._line.close()
        with suppress(OSError):
            if wire is not None:
                wire.close()

    @contextmanager
    def _exchange(self) -> Generator[None]:
        """One exchange at a time, on a line that is empty before. An interrupt (Ctrl-C) breaks it off, too."""
        with self._lock:
            self._forget()
            try:
                yield
            except BaseException:
                self._broken_off = True
                raise

    def _forget(self) -> None:
        """Throw away what lies on the line; after an exchange that broke off, also what is still to come of it.

        Raises InstrumentError for a line that never rests: pyserial's own way to empty it would follow it for ever.
        """
        begun = rested = time.monotonic()
        quiet_s = _QUIET_S if self._broken_off else 0.0
        try:
            while (now := time.monotonic()) - begun < _LATEST_S:
                if waiting := self._line.in_waiting:
                    self._line.read(waiting)
                    rested = now
                elif now - rested >= quiet_s:
                    self._broken_off = False
                    return
                else:
                    time.sleep(0.002)
        except _TROUBLE as error:
            raise self.error(f"has lost its line: {error}") from None
        raise self.error("talks without being asked, and never rests")

    def _read(self, limit: int, end: bytes) -> bytes:
        """Byte for byte until `end`, the limit, silence, or the deadline that no dripping line can stretch."""
        found, deadline = bytearray(), time.monotonic() + 2 * self._timeout_s
        try:
            while len(found) < limit and time.monotonic() < deadline:
                part = self._line.read(1)
                found += part
                if not part or (end and found.endswith(end)):
                    break
        except _TROUBLE as error:
            raise self.error(f"has lost its line: {error}") from None
        return bytes(found)

    def _unanswered(self, asked: bytes, got: bytes) -> InstrumentError:
        return self.error(f"gives no answer to {asked!r} within {self._timeout_s:g} s (got {got[:60]!r})")

    def __repr__(self) -> str:
        return f"LineSession({self.what!r}, {self.address!r})"
