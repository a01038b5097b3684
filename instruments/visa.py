"""One line to an instrument through VISA, bounded in time and size whatever comes back.

PyVISA with its pure Python backend: TCP socket, HiSLIP and serial lines, no vendor's library. The backend trusts
the instrument: a peer that drips bytes, or hangs up in the middle of a HiSLIP message, can hold it for ever. So
every transaction here has a deadline, after which the sockets beneath are shut.
"""

from __future__ import annotations

import os
import re
import select
import socket
import termios
import threading
import time
import traceback
from collections.abc import Generator, Iterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any

import pyvisa
import serial
from pyvisa.constants import BufferOperation, ResourceAttribute, SerialTermination, StatusCode
from pyvisa.errors import VisaIOError

from standards.errors import InstrumentError

if TYPE_CHECKING:
    from pyvisa.resources import MessageBasedResource

__all__ = ["InstrumentSilent", "VisaLine"]

_CHUNK = 65536  # bytes asked of the backend at once
_GRACE_S = 0.5  # what the backend gets beyond its own timeout before the line is cut
_SLOWEST = 2000  # bytes/s that a block must reach on the whole: 19200 baud
#: What the backend lets through besides its own errors when a peer hangs up, lies about lengths or is cut off.
_TROUBLE = (pyvisa.errors.Error, OSError, ValueError, RuntimeError, AssertionError, MemoryError, OverflowError,
            TypeError, AttributeError, termios.error)  # fmt: skip


class InstrumentSilent(InstrumentError):
    """Nothing, or not all, came within the time allowed."""


class VisaLine:
    """Bytes to and from one VISA resource. Not locked: the session above does that.

    address: a VISA resource string such as TCPIP::10.0.0.5::5025::SOCKET, TCPIP::10.0.0.5::hislip0::INSTR,
    TCPIP::10.0.0.5::hislip0,4881::INSTR or ASRL/dev/ttyUSB0::INSTR; a device path alone is a serial line.
    what: the instrument in words, for messages. timeout_s: for each answer, seconds.
    """

    def __init__(self, address: str, *, what: str, baud: int | None = None, timeout_s: float = 2.0) -> None:
        """Opens the line; sends nothing. Raises InstrumentError with the mend."""
        self.address, self.what, self._timeout_s = address, what, timeout_s
        name = f"ASRL{address}::INSTR" if address.startswith("/") else address
        self._cut_off, self._lost = False, ""
        milliseconds = round(timeout_s * 1000)
        try:
            # One manager is shared by all of the process and never closed here: to close it closes every line.
            manager = pyvisa.ResourceManager("@py")
            opened: Any = manager.open_resource(name, open_timeout=milliseconds, timeout=milliseconds)
        except Exception as error:  # noqa: BLE001 -- an unknown host, for one, is a bare Exception of the backend's
            raise self._unopened(_cause(error)) from None
        self._resource: MessageBasedResource = opened
        self._serial = name.startswith("ASRL")
        self._message = name.endswith("::INSTR") and not self._serial  # messages have an end of their own
        try:
            self._set_up(baud)
        except _TROUBLE as error:
            self.close()
            raise self._unopened(_cause(error)) from None

    def _unopened(self, why: str) -> InstrumentError:
        return self._error(
            f"cannot be opened ({why}). Mend: check the cable, the address in the station file, and that no "
            "other program holds the line"
        )

    def _set_up(self, baud: int | None) -> None:
        if not self._serial:
            for wire in self._wires():
                refused = wire.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)  # the backend does not look
                if refused:
                    raise OSError(refused, os.strerror(refused))
                # A command and the look into the error queue are two sends: they must not wait for each other.
                wire.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._termination(True)
            return
        for wire in self._wires():
            wire.exclusive = True  # a second program on the same line would read our answers
        if baud is not None:
            self._resource.set_visa_attribute(ResourceAttribute.asrl_baud_rate, baud)
        self._resource.flush(BufferOperation.discard_read_buffer)

    @property
    def is_serial(self) -> bool:
        """Whether the line is serial: it may hold what an earlier session left."""
        return self._serial

    def send(self, data: bytes) -> None:
        """Hand bytes to the line. Raises InstrumentError."""
        with self._bounded(self._timeout_s):
            _, status = self._resource.visalib.write(self._resource.session, data)
            if status < 0:
                raise self._error(f"takes no data ({status.name})")

    def message(self, *, limit: int = 4096, timeout_s: float | None = None) -> bytes:
        """One answer up to and with its newline, or the end of its message.

        limit: bytes; timeout_s: in place of the line's own. Raises InstrumentSilent; InstrumentError if it is
        longer or the line fails.
        """
        allowed = self._timeout_s if timeout_s is None else timeout_s
        with self._bounded(allowed):
            self._await(allowed)
            data, _ = self._resource.visalib.read(self._resource.session, limit)
        if len(data) >= limit and not data.endswith(b"\n"):
            raise self._error(f"answers more than {limit} bytes, beginning with {bytes(data[:40])!r}")
        return bytes(data)

    def exactly(self, count: int, *, timeout_s: float | None = None) -> bytes:
        """So many bytes, newlines among them included. Raises as message() does."""
        data = bytearray()
        allowed = (self._timeout_s if timeout_s is None else timeout_s) + count / _SLOWEST
        with self._bounded(allowed):
            # Otherwise the backend ends a binary block at its first byte 0x0A on a socket or a serial line.
            self._termination(False)
            self._await(allowed)
            while len(data) < count:
                part, _ = self._resource.visalib.read(self._resource.session, min(_CHUNK, count - len(data)))
                if not part:
                    raise self._error(f"ended its answer after {len(data)} of {count} bytes")
                data += part
            self._termination(True)
        return bytes(data)

    def clear(self) -> None:
        """Throw away what is under way in both directions. Raises InstrumentError."""
        with self._bounded(self._timeout_s):
            if self._serial:
                self._resource.flush(BufferOperation.discard_read_buffer)
            else:
                self._resource.clear()
            self._termination(True)

    def close(self) -> None:
        """Release the line; never raises."""
        wires = self._wires()
        with suppress(*_TROUBLE):
            self._resource.close()
        for wire in wires:
            with suppress(OSError):
                wire.close()

    def _termination(self, on: bool) -> None:
        if self._serial:
            end = SerialTermination.termination_char if on else SerialTermination.none
            self._resource.set_visa_attribute(ResourceAttribute.asrl_end_in, end)
        elif not self._message:
            self._resource.set_visa_attribute(ResourceAttribute.termchar_enabled, on)

    def _error(self, words: str) -> InstrumentError:
        return InstrumentError(f"{self.what} at {self.address} {words}")

    def _wires(self) -> list[Any]:
        """The sockets or the serial port beneath; the backend has no public way to shut them from aside."""
        try:
            session = self._resource.visalib.sessions[self._resource.session]  # type: ignore[attr-defined]
        except (*_TROUBLE, KeyError):
            return []
        wire = getattr(session, "interface", None)
        found = [getattr(wire, "_sync", None), getattr(wire, "_async", None), wire]
        return [w for w in found if isinstance(w, socket.socket | serial.SerialBase)]

    def _cut(self) -> None:
        self._cut_off = True
        for wire in self._wires():
            with suppress(OSError):
                if isinstance(wire, socket.socket):
                    wire.shutdown(socket.SHUT_RDWR)
            with suppress(OSError):
                wire.close()

    def _await(self, seconds: float) -> None:
        """Wait for the first byte on a raw socket: the backend would spin to its deadline on a closed one."""
        session: Any = self._resource.visalib.sessions[self._resource.session]  # type: ignore[attr-defined]
        if self._serial or self._message or bool(getattr(session, "_pending_buffer", b"")):
            return
        if not select.select([session.interface], [], [], seconds)[0]:
            raise self._silent(seconds)
        if self._hung_up():
            raise ConnectionResetError("the other end hung up")

    def _silent(self, seconds: float) -> InstrumentSilent:
        return InstrumentSilent(f"{self.what} at {self.address} gives no answer within {seconds:g} s")

    def _hung_up(self) -> bool:
        """Whether the other end has closed the connection."""
        for wire in self._wires():
            if isinstance(wire, socket.socket):
                try:
                    if select.select([wire], [], [], 0)[0] and wire.recv(1, socket.MSG_PEEK) == b"":
                        return True
                except (OSError, ValueError):
                    return True
        return False

    @contextmanager
    def _bounded(self, seconds: float) -> Generator[None]:
        """A transaction with a deadline; whatever the backend raises becomes an InstrumentError."""
        if self._lost:
            raise self._error(f"has lost its line: {self._lost}. Mend: open it anew")
        timer = threading.Timer(seconds + _GRACE_S, self._cut)
        timer.daemon = True
        timer.start()
        began = time.monotonic()
        try:
            self._resource.timeout = max(1, round(seconds * 1000))
            # That more may follow is known: the number of bytes was ours.
            with self._resource.ignore_warning(StatusCode.success_max_count_read):
                yield
        except InstrumentError:
            raise
        except _TROUBLE as error:
            timer.cancel()
            timed_out = isinstance(error, VisaIOError) and error.error_code == StatusCode.error_timeout
            if self._cut_off:
                self._lost = f"it was cut off after it had held it for {time.monotonic() - began:.1f} s"
            elif not timed_out:
                self._lost = str(error).rstrip(".") or type(error).__name__
            elif self._hung_up():
                self._lost = "the other end hung up"
            else:
                raise self._silent(seconds) from None
            raise self._error(f"has lost its line: {self._lost}") from None
        finally:
            timer.cancel()


def _chain(error: BaseException) -> Iterator[BaseException]:
    """An error and those it came of, the outermost first."""
    found: BaseException | None = error
    for _ in range(10):
        if found is None:
            return
        yield found
        found = found.__cause__ or found.__context__


def _cause(error: BaseException) -> str:
    """The innermost words of a failed opening; closes the sockets that the backend leaves open on it."""
    words = ""
    for link in _chain(error):
        words = str(link) or type(link).__name__
        for frame, _ in traceback.walk_tb(link.__traceback__):
            half_open = frame.f_locals.get("self")
            for name in ("_sync", "_async", "interface"):
                wire = getattr(half_open, name, None)
                if isinstance(wire, socket.socket):
                    wire.close()
    words = words.replace(str(int(StatusCode.error_timeout)), "nobody answers")
    return re.sub(r"\s+", " ", words)[:200]
