"""Keysight InfiniiVision: event registers say when it is armed and when its record is complete."""

from __future__ import annotations

from instruments.drivers import About
from instruments.oscilloscope import ScpiOscilloscope

__all__ = ["KeysightInfiniiVision"]

_RUNNING = 0x08  # bit 3 of the operation status condition register


class KeysightInfiniiVision(ScpiOscilloscope):
    """1000, 2000, 3000 and 4000 X-Series; eight bits a sample, screen points."""

    about = About(
        role="oscilloscope",
        models="Keysight DSOX and EDUX 1000, DSOX and MSOX 2000, 3000, 4000 (A, G, T)",
        protocol="SCPI over VISA: socket 5025, HiSLIP where the model has it",
        source="Keysight Technologies: InfiniiVision 1000 X-Series Oscilloscopes, Programmer's Guide; 2000 X-Series "
        "Programmer's Guide (:WAVeform:PREamble, :AER, :OPERegister:CONDition)",
    )
    models = r"(DSOX|MSOX|EDUX|DSO-X |MSO-X )\s?[1234]\d{3}[AGT]"

    def _start(self) -> None:
        self._session.write(":WAV:UNS 1")
        self._session.write(":WAV:POIN 1000")
        self._session.write(":TRIG:SWE NORM")
        self._session.query(":AER?")  # reading it clears it
        self._session.write(":SING")

    def _waits(self) -> bool:
        return self._session.number(":AER?") == 1

    def triggered(self) -> bool:
        """Get whether the armed record is complete: it has stopped running."""
        return not int(self._session.number(":OPER:COND?")) & _RUNNING
