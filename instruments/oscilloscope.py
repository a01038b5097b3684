"""Oscilloscopes: the commands that most share; what a model says otherwise stands in a subclass."""

from __future__ import annotations

import time

import numpy as np

from instruments.capability import Identity, Waveform
from instruments.drivers import About
from instruments.scpi import ScpiSession
from standards.errors import UsageError

__all__ = ["ScpiOscilloscope"]


class ScpiOscilloscope:
    """No standard names an oscilloscope's commands: these are common to several makers. Safe: stopped."""

    about = About(
        role="oscilloscope",
        models="those with :CHANnel, :TIMebase, :TRIGger:EDGE, :SINGle and ten fields in :WAVeform:PREamble?",
        protocol="SCPI over VISA",
        source="the subset that the manuals cited by keysight_infiniivision and rigol_ds1000z share",
    )
    models = ""  # pattern of the model in the answer to *IDN?
    across, up = 10, 8  # divisions of the picture

    def __init__(self, address: str, *, baud: int | None = None) -> None:
        """address: VISA resource string. Raises InstrumentError."""
        self._session = ScpiSession(address, what="oscilloscope", models=self.models, baud=baud)
        self._seconds = self._ready_at = 0.0
        self._complete = False

    def identity(self) -> Identity:
        """Get who the oscilloscope says it is."""
        return self._session.identity()

    def set_timebase(self, seconds: float) -> None:
        """Set the length of a record, at least; half of it lies before the trigger. Raises UsageError."""
        if not 1e-6 <= seconds <= 100.0:
            raise UsageError(f"a record of {seconds:g} s: the oscilloscope does 1 us to 100 s")
        self._session.write(f":TIM:SCAL {self._step(seconds / self.across):.3E}")

    def set_scale(self, channel: int, volts: float) -> None:
        """Set the full height of a channel's picture, at least; 0 V is its middle. Raises UsageError."""
        if not (1 <= channel <= 4 and 0.01 <= volts <= 40.0):
            raise UsageError(
                f"{volts:g} V on channel {channel}: the oscilloscope does 0.01 to 40 V on 1 to 4"
            )
        for words in ("DISP ON", f"SCAL {self._step(volts / self.up):.3E}", "OFFS 0"):
            self._session.write(f":CHAN{channel}:{words}")

    def arm(self, channel: int, level: float, *, rising: bool = True) -> None:
        """Arm one record; returns when a trigger counts, which is half a record later."""
        slope = "POS" if rising else "NEG"
        for words in ("MODE EDGE", f"EDGE:SOUR CHAN{channel}", f"EDGE:SLOP {slope}", f"EDGE:LEV {level:.4E}"):
            self._session.write(f":TRIG:{words}")
        self._seconds, self._complete = self.across * self._session.number(":TIM:SCAL?"), False
        self._start()
        self._session.until(self._waits, self._seconds + 5.0, "does not come to wait for its trigger")

    def _start(self) -> None:
        self._session.query("*ESR?")  # reading it clears it
        self._session.write(":SING;*OPC")
        self._ready_at = time.monotonic() + self._seconds / 2

    def _waits(self) -> bool:
        return time.monotonic() >= self._ready_at

    def triggered(self) -> bool:
        """Get whether the armed record is complete."""
        self._complete = self._complete or bool(int(self._session.number("*ESR?")) & 1)
        return self._complete

    def waveform(self, channel: int) -> Waveform:
        """Get the record of a channel. Raises InstrumentError without one, or if it leaves the picture."""
        self._session.write(f":WAV:SOUR CHAN{channel}")
        self._session.write(":WAV:FORM BYTE")
        _, _, count, _, step_s, start_s, at, step_v, origin, middle = self._session.numbers(":WAV:PRE?", 10)
        codes = np.frombuffer(self._session.block(":WAV:DATA?", count=int(count)), np.uint8)
        if not codes.size or codes.min() == 0 or codes.max() == 255:
            raise self._session.error("has a trace that leaves its picture. Mend: set a larger scale")
        return Waveform(start_s - at * step_s, step_s, self._volts(codes - middle, step_v, origin))

    def _step(self, wanted: float) -> float:
        """The setting that gives at least what is wanted: any, here."""
        return wanted

    def _volts(self, steps: np.ndarray, step_v: float, origin: float) -> np.ndarray:
        """Volts of steps from the middle; origin: in volts, here."""
        return steps * step_v + origin

    def safe(self) -> None:
        """Stop it."""
        self._session.write(":STOP")

    def close(self) -> None:
        """Release the line."""
        self._session.close()
