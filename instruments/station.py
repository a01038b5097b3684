"""The station: which instruments stand around the camera, where they are reached, how they are calibrated.

One TOML file. Unknown keys, roles and drivers are errors: nothing is guessed, nothing falls back.
"""

from __future__ import annotations

import os
import re
from contextlib import ExitStack
from datetime import date
from pathlib import Path
from types import TracebackType
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from instruments.calibration import Calibration
from instruments.capability import FlashLamp
from instruments.flash_lamp import SerialFlashLamp
from standards.errors import BadFile
from standards.files import read_toml

__all__ = ["ChartEntry", "Display", "Instrument", "Instruments", "Station", "StationFile", "load_station"]

LAMP_DELAY = "command_to_light_delay"  # quantity of a lamp's certificate


class _Table(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class Head(_Table):
    """[station]: who it belongs to. origin: 'simulated' where the instruments are."""

    name: str
    laboratory: str = ""
    origin: Literal["real", "simulated"] = "real"


class Instrument(_Table):
    """One [instruments.ROLE]. address: device or resource; '$NAME' names an environment variable."""

    driver: Literal["flash_lamp"]
    address: str = Field(min_length=1)
    baud: int = Field(default=115200, gt=0)
    manufacturer: str = ""
    model: str = ""
    serial: str = ""
    calibration: tuple[Calibration, ...] = ()


class Instruments(_Table):
    """[instruments]: by role."""

    flash_lamp: Instrument | None = None

    def items(self) -> list[tuple[str, Instrument]]:
        """(role, instrument) of those that are there."""
        return [(role, entry) for role, entry in self if entry is not None]


class Display(_Table):
    """[display]: the display term of glass-to-glass clauses. delay_s: arrival to light; u_s: its standard
    uncertainty, both in seconds."""

    delay_s: float = Field(ge=0)
    u_s: float = Field(gt=0)
    manufacturer: str = ""
    model: str = ""
    serial: str = ""
    calibration: tuple[Calibration, ...] = ()


class ChartEntry(_Table):
    """[chart]: the chart in front of the camera. counter_tick_s: one step of its content counter, seconds."""

    name: str
    serial: str = ""
    counter_tick_s: float = Field(default=0.01, gt=0)
    calibration: tuple[Calibration, ...] = ()


class StationFile(_Table):
    """The station file as written."""

    station: Head
    instruments: Instruments = Instruments()
    display: Display | None = None
    chart: ChartEntry | None = None


def load_station(path: Path) -> StationFile:
    """Read a station file; opens nothing. Raises BadFile with file, key and mend."""
    found = read_toml(path, StationFile)
    _check_units(path, found)
    instruments = {
        role: entry.model_copy(update={"address": _expanded(path, role, entry.address)})
        for role, entry in found.instruments.items()
    }
    return found.model_copy(update={"instruments": found.instruments.model_copy(update=instruments)})


def _check_units(path: Path, found: StationFile) -> None:
    """The lamp's delay counts in seconds: a certificate in ms would be taken a thousandfold."""
    for role, entry in found.instruments.items():
        for index, certificate in enumerate(entry.calibration):
            if certificate.quantity == LAMP_DELAY and certificate.unit != "s":
                key = f"instruments.{role}.calibration[{index + 1}].unit"
                problem = f"{LAMP_DELAY} is given in {certificate.unit!r}"
                raise BadFile(path, key, problem, 'write value and uncertainty in seconds, unit = "s"')


def _expanded(path: Path, role: str, address: str) -> str:
    """An address with its '$NAME' replaced."""

    def value(match: re.Match[str]) -> str:
        name = match.group(1)
        if name not in os.environ:
            key = f"instruments.{role}.address"
            mend = f"export {name}=/dev/…, or write the device"
            raise BadFile(path, key, f"the variable {name} is not set", mend)
        return os.environ[name]

    return re.sub(r"\$([A-Za-z_][A-Za-z0-9_]*)", value, address)


class Station:
    """An opened station. Use as a context manager: every instrument is left safe and closed."""

    def __init__(self, path: Path) -> None:
        """Opens every instrument. Raises BadFile, InstrumentError."""
        self._stack = ExitStack()
        self.file = load_station(path)
        self.flash_lamp: FlashLamp | None = None
        entry = self.file.instruments.flash_lamp
        if entry is not None:
            delay = next((c for c in entry.calibration if c.quantity == LAMP_DELAY), None)
            self.flash_lamp = self._stack.enter_context(
                SerialFlashLamp(entry.address, baud=entry.baud, calibration=delay)
            )

    @classmethod
    def open(cls, path: Path) -> Station:
        """Open the station of a file."""
        return cls(path)

    def check(self, day: date) -> None:
        """Raise CalibrationExpired if a certificate of the station is not valid on `day`."""
        for role, entry in self.file.instruments.items():
            for certificate in entry.calibration:
                certificate.check(day, role)
        for holder, part in (("display", self.file.display), ("chart", self.file.chart)):
            for certificate in part.calibration if part is not None else ():
                certificate.check(day, holder)

    def __enter__(self) -> Station:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.close()
