"""Flash lamp on a serial line: ASCII commands, one a line, SCPI-like error queue."""

from __future__ import annotations

from contextlib import suppress
from types import TracebackType

from instruments.capability import Flash, Identity
from instruments.drivers import About
from instruments.line import LineSession
from standards.errors import InstrumentError

__all__ = ["SerialFlashLamp"]

_BAUD = 115200
_LONGEST_QUEUE = 32  # entries of the error queue
_NO_ERROR = "0,"


class SerialFlashLamp:
    """A lamp that lights at the newline of ``OUTP ON``. As a context manager it is left dark."""

    about = About(
        role="flash_lamp",
        models="any lamp with OUTP ON, OUTP OFF, *IDN? and SYST:ERR?",
        protocol="ASCII lines on a serial port",
        source="docs/instruments.md, generic flash lamp",
    )

    def __init__(self, address: str, *, baud: int | None = None) -> None:
        """address: the serial device. Opening it leaves it dark.

        Raises InstrumentError if the line cannot be opened or the lamp does not identify itself.
        """
        self._line = LineSession(address, what="flash lamp", baud=baud or _BAUD)
        try:
            self._line.send(b"\n")  # half a command of an earlier session may wait
            self.identification = self.identify()
            self._clear_errors()
            self.switch(False)
        except BaseException:
            self._line.close()
            raise

    def identify(self) -> str:
        """Get manufacturer, model, serial number and firmware."""
        return self._ask("*IDN?")

    def identity(self) -> Identity:
        """Get who the lamp says it is."""
        words = [*(word.strip() for word in self.identify().split(",")), "", "", "", ""]
        return Identity(*words[:4])

    def safe(self) -> None:
        """Set it dark."""
        self.switch(False)

    def close(self) -> None:
        """Release the line."""
        self._line.close()

    def switch(self, on: bool) -> Flash:
        """Set the light, then read the error queue.

        The command is handed over in one piece, so that sent_ns is the time of its newline. Raises InstrumentError if
        the lamp complains, or does not answer in time.
        """
        command = b"OUTP ON\n" if on else b"OUTP OFF\n"
        self._line.send(command)
        flash = Flash(on=on, sent_ns=self._line.sent_ns, done_ns=self._line.done_ns)
        answer = self._ask("SYST:ERR?")
        if not answer.startswith(_NO_ERROR):
            raise self._line.error(f"refused {command!r}: {answer}")
        return flash

    def _clear_errors(self) -> None:
        """Read away what an earlier session left in the error queue: it is not this session's."""
        for _ in range(_LONGEST_QUEUE):
            if self._ask("SYST:ERR?").startswith(_NO_ERROR):
                return
        raise self._line.error("has an error queue that does not empty")

    def _ask(self, query: str) -> str:
        answer = self._line.ask(query.encode() + b"\n").decode("ascii", "replace").strip()
        if not answer.isprintable() or "\ufffd" in answer:
            raise self._line.error(f"answers garbage to {query}: {answer[:40]!r}")
        return answer

    def __enter__(self) -> SerialFlashLamp:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with suppress(InstrumentError):
            self._line.send(b"OUTP OFF\n")
        self.close()
