"""Fluke 8845A and 8846A: must be taken to remote control before they obey on a socket or a serial line."""

from __future__ import annotations

from instruments.drivers import About
from instruments.multimeter import ScpiMultimeter

__all__ = ["Fluke8845A"]


class Fluke8845A(ScpiMultimeter):
    """8845A or 8846A in its native command set."""

    about = About(
        role="multimeter",
        models="Fluke 8845A, 8846A",
        protocol="SCPI over VISA: socket 3490, serial",
        source="Fluke: 8845A/8846A Digital Multimeter, Programmers Manual, September 2006, Rev. 2, 6/08",
    )
    models = r"884[56]A"
    greeting = ("SYST:REM",)
    volts = ("CONF:VOLT:DC DEF", "VOLT:DC:NPLC 10", "READ?")
    amperes = ("CONF:CURR:DC DEF", "CURR:DC:NPLC 10", "READ?")
