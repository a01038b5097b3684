"""Flash lamp on a serial line: ASCII commands, one a line, SCPI-like error queue."""

from __future__ import annotations

import os
import time
from contextlib import suppress
from types import TracebackType

import serial

from instruments.calibration import Calibration
from instruments.capability import Flash, Identity
from instruments.drivers import About
from standards.errors import InstrumentError

__all__ = ["SerialFlashLamp"]

_ANSWER_S = 2.0
_BAUD = 115200
_LONGEST_ANSWER = 256  # bytes
_LONGEST_QUEUE = 32  # entries of the error queue
_NO_ERROR = "0,"


class SerialFlashLamp:
    """A lamp that lights at the newline of ``OUTP ON``. Use as a context manager: it is left dark."""

    about = About(
        role="flash_lamp",
        models="any lamp with OUTP ON, OUTP OFF, *IDN? and SYST:ERR?",
        protocol="ASCII lines on a serial port",
        source="docs/instruments.md",
    )

    def __init__(
        self, address: str, *, baud: int | None = None, calibration: Calibration | None = None
    ) -> None:
        """address: the serial device; calibration: certificate of command_to_light_delay, in seconds.

        Raises InstrumentError if the line cannot be opened or the lamp does not identify itself.
        """
        self._address = address
        self._calibration = calibration
        try:
            self._line = serial.Serial(
                address, baud or _BAUD, timeout=_ANSWER_S, write_timeout=_ANSWER_S, exclusive=True
            )
        except (serial.SerialException, ValueError, OSError) as error:
            raise InstrumentError(
                f"flash lamp on {address}: cannot be opened ({error}). Mend: check the cable, the address in "
                "the station file, and that no other program holds the line"
            ) from None
        try:
            self._line.reset_input_buffer()
            self.identification = self.identify()
            self._clear_errors()
            self.switch(False)
        except BaseException:
            self._line.close()
            raise

    @property
    def delay_s(self) -> float | None:
        """Calibrated time from command to light, seconds; None without a certificate."""
        return self._calibration.value if self._calibration else None

    @property
    def delay_u_s(self) -> float | None:
        """Standard uncertainty of delay_s, seconds."""
        return self._calibration.standard_uncertainty if self._calibration else None

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
        with suppress(OSError):
            self._line.close()

    def switch(self, on: bool) -> Flash:
        """Set the light, then read the error queue.

        Raises InstrumentError if the lamp complains, or does not answer within two seconds.
        """
        command = b"OUTP ON\n" if on else b"OUTP OFF\n"
        sent = time.time_ns()
        self._write(command)
        done = time.time_ns()
        answer = self._ask("SYST:ERR?")
        if not answer.startswith(_NO_ERROR):
            raise InstrumentError(f"flash lamp on {self._address} refused {command!r}: {answer}")
        return Flash(on=on, sent_ns=sent, done_ns=done)

    def _clear_errors(self) -> None:
        """Read away what an earlier session left in the error queue: it is not this session's."""
        for _ in range(_LONGEST_QUEUE):
            if self._ask("SYST:ERR?").startswith(_NO_ERROR):
                return
        raise InstrumentError(f"flash lamp on {self._address}: the error queue does not empty")

    def _write(self, command: bytes) -> None:
        """One write call, so that the newline is handed over with the rest and sent_ns is its time."""
        try:
            self._line.write(command)
            self._line.flush()
        except (serial.SerialException, OSError) as error:
            raise InstrumentError(f"flash lamp on {self._address}: the line failed: {error}") from None

    def _ask(self, query: str) -> str:
        self._write(query.encode() + b"\n")
        try:
            answer = self._line.read_until(b"\n", _LONGEST_ANSWER)
        except (serial.SerialException, OSError) as error:
            raise InstrumentError(f"flash lamp on {self._address}: the line failed: {error}") from None
        if not answer.endswith(b"\n"):
            raise InstrumentError(
                f"flash lamp on {self._address}: no answer to {query} within {_ANSWER_S:g} s "
                f"(got {answer[:60]!r})"
            )
        return str(answer, "ascii", "replace").strip()

    def __enter__(self) -> SerialFlashLamp:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with suppress(InstrumentError):
            self._write(b"OUTP OFF\n")
        self.close()

    def __repr__(self) -> str:
        return f"SerialFlashLamp({os.path.basename(self._address)!r})"
