"""Keysight Truevolt multimeters: set up once a function, then read; ten power line cycles a reading."""

from __future__ import annotations

from instruments.drivers import About
from instruments.multimeter import ScpiMultimeter

__all__ = ["KeysightTruevolt"]


class KeysightTruevolt(ScpiMultimeter):
    """34460A, 34461A, 34465A or 34470A; the current input is the 3 A one."""

    about = About(
        role="multimeter",
        models="Keysight 34460A, 34461A, 34465A, 34470A",
        protocol="SCPI over VISA: socket 5025, HiSLIP",
        source="Keysight Technologies: Truevolt Series Digital Multimeters, Operating and Service Guide "
        "(SCPI Programming Reference: CONFigure, SENSe, READ?)",
    )
    models = r"344(60|61|65|70)A"
    volts = ("CONF:VOLT:DC AUTO", "VOLT:DC:NPLC 10", "READ?")
    amperes = ("CONF:CURR:DC AUTO", "CURR:DC:NPLC 10", "READ?")
