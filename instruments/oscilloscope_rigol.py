"""Rigol DS1000Z: twelve divisions, scales in steps of 1, 2 and 5, an origin in codes."""

from __future__ import annotations

import math
import time

import numpy as np

from instruments.drivers import About
from instruments.oscilloscope import ScpiOscilloscope

__all__ = ["RigolDS1000Z"]


class RigolDS1000Z(ScpiOscilloscope):
    """DS1054Z to DS1104Z and their Plus and MSO variants; the record is the screen's 1200 points."""

    about = About(
        role="oscilloscope",
        models="Rigol DS1054Z, DS1074Z, DS1104Z, MSO1074Z, MSO1104Z",
        protocol="SCPI over VISA: socket 5555",
        source="Rigol Technologies: MSO1000Z/DS1000Z Series Digital Oscilloscope, Programming Guide, chapter 2 "
        "(:TRIGger:STATus?, :WAVeform:PREamble?, :WAVeform:DATA?)",
    )
    models = r"(DS|MSO)1(05|07|10)4Z.*"
    across, up = 12, 8

    def _start(self) -> None:
        self._session.write(":WAV:MODE NORM")
        self._session.write(":SING")
        self._ready_at = time.monotonic() + self._seconds / 2

    def _waits(self) -> bool:
        state = self._session.query(":TRIG:STAT?")
        # A short record of a lively signal may be over before it was seen to wait.
        return state in ("WAIT", "TD") or (state == "STOP" and time.monotonic() > self._ready_at + 0.1)

    def triggered(self) -> bool:
        """Get whether the armed record is complete."""
        return self._session.query(":TRIG:STAT?") == "STOP"

    def _step(self, wanted: float) -> float:
        """The next of 1, 2, 5 times a power of ten: others are rounded by the instrument, also down."""
        decade = 10.0 ** math.floor(math.log10(wanted))
        return next(m * decade for m in (1.0, 2.0, 5.0, 10.0) if m * decade >= wanted * (1 - 1e-9))

    def _volts(self, steps: np.ndarray, step_v: float, origin: float) -> np.ndarray:
        """Volts of steps from the middle; origin: in codes."""
        return (steps - origin) * step_v
