"""Roles that a person plays: the operator is asked, or a readings.csv is read; each value says who typed it and when.

The driver of such a role is 'manual', its address 'terminal' or a file. The bench brings the operator: here is only
what it must be able to do. A readings.csv has the columns quantity, value, unit, who, when (ISO 8601); each row is one
reading, and is used once, in the order of the file.
"""

from __future__ import annotations

import csv
import io
import math
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Protocol

from instruments.capability import Identity
from standards.errors import BadFile, InstrumentError

__all__ = [
    "MANUAL_ROLES", "Answer", "ManualChamber", "ManualInstrument", "ManualLight", "ManualLuxMeter",
    "ManualMultimeter", "Operator", "Source", "TypedValue", "source_of",
]  # fmt: skip

_COLUMNS = ["quantity", "value", "unit", "who", "when"]
_LARGEST = 1 << 20  # bytes of a readings.csv
_OLDEST = timedelta(hours=24)
_AHEAD = timedelta(minutes=2)  # clocks of two desks differ
_ALIKE = 0.02  # a set point and what its dial shows: relative


@dataclass(frozen=True)
class Answer:
    """What a person said. who: their name; when: with time zone."""

    text: str
    who: str
    when: datetime


class Operator(Protocol):
    """Somebody at the station."""

    def ask(self, question: str, refuse: Callable[[str], str] = lambda text: "") -> Answer:
        """Ask until `refuse` has nothing against the answer ('' for none, else why not).

        Raises InstrumentError if nobody answers.
        """

    def tell(self, text: str) -> None:
        """Tell something that needs no answer."""


@dataclass(frozen=True)
class TypedValue:
    """A value that a person typed."""

    quantity: str
    value: float
    unit: str
    who: str
    when: datetime


class Source(Protocol):
    """Where typed values come from."""

    def value(self, quantity: str, unit: str, question: str) -> TypedValue:
        """The next value of a quantity. Raises InstrumentError if there is none."""

    def tell(self, text: str) -> None:
        """Tell the operator."""


class _Asked:
    """The operator at the station."""

    def __init__(self, operator: Operator) -> None:
        self._operator = operator

    def value(self, quantity: str, unit: str, question: str) -> TypedValue:
        answer = self._operator.ask(f"{question} [{unit}]", _no_number)
        return TypedValue(quantity, float(answer.text), unit, answer.who, answer.when)

    def tell(self, text: str) -> None:
        self._operator.tell(text)


def _no_number(text: str) -> str:
    """Why a text is no value, '' if it is one."""
    try:
        if "_" in text or not text.isascii():  # Python would take 1_000, and digits of other scripts
            raise ValueError
        return "" if math.isfinite(float(text)) else "a finite number is needed"
    except ValueError:
        return "a number is needed, e.g. 498.5"


class _Listed:
    """A readings.csv. Each row is used once; it is read anew each time, as rows are added while a run goes on."""

    def __init__(self, path: Path, operator: Operator | None) -> None:
        self._path, self._operator = path, operator
        self._used: Counter[str] = Counter()

    def value(self, quantity: str, unit: str, question: str) -> TypedValue:
        rows = [row for row in _read(self._path) if row.quantity == quantity][self._used[quantity] :]
        if not rows:
            raise InstrumentError(
                f"{self._path} holds no {'further ' if self._used[quantity] else ''}reading of {quantity}. Mend: "
                f"{question}, then add a row {quantity},<value>,{unit},<who>,<when>"
            )
        if rows[0].unit != unit:
            raise InstrumentError(
                f"{self._path}: {quantity} is given in {rows[0].unit!r}. Mend: write it in {unit}"
            )
        _timely(self._path, rows[0])
        self._used[quantity] += 1  # only now: a row that was refused can be corrected and read again
        return rows[0]

    def tell(self, text: str) -> None:
        if self._operator is not None:
            self._operator.tell(text)


def _read(path: Path) -> list[TypedValue]:
    """All rows. Raises BadFile with the row."""
    try:
        with path.open("rb") as file:
            data = file.read(_LARGEST + 1)
        if len(data) > _LARGEST:
            raise BadFile(path, "", "is larger than 1 MiB", "keep the readings of one run in it")
        text = data.decode("utf-8-sig")
    except OSError as error:
        raise BadFile(
            path, "", f"cannot be read ({error.strerror})", "put it beside the station file"
        ) from None
    except UnicodeDecodeError:
        raise BadFile(path, "", "is not UTF-8 text", "save it as UTF-8") from None
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    try:
        head = [name.strip() for name in next(reader, [])]
        if head != _COLUMNS:
            raise BadFile(
                path,
                "row 1",
                f"has the columns {', '.join(head) or 'none'}",
                f"name them {', '.join(_COLUMNS)}",
            )
        return [_row(path, reader.line_num, cells) for cells in reader if any(cell.strip() for cell in cells)]
    except csv.Error as error:
        raise BadFile(path, f"row {reader.line_num}", f"is no CSV ({error})", "mend that row") from None


def _row(path: Path, number: int, cells: list[str]) -> TypedValue:
    where = f"row {number}"
    if len(cells) != len(_COLUMNS):
        raise BadFile(path, where, f"has {len(cells)} cells", f"write {', '.join(_COLUMNS)}")
    quantity, value, unit, who, when = (cell.strip() for cell in cells)
    if _no_number(value):
        raise BadFile(path, f"{where}, value", f"is {value[:40]!r}", _no_number(value))
    if not quantity or not unit or not who:
        raise BadFile(
            path, where, "lacks quantity, unit or who", "a reading says what it is of and who read it"
        )
    if not (quantity + unit + who).isprintable():
        raise BadFile(
            path, where, "holds what cannot be printed", "write quantity, unit and who as plain text"
        )
    try:
        moment = datetime.fromisoformat(when).astimezone()
    except (ValueError, OverflowError, OSError):  # also a year that no time zone can be applied to
        raise BadFile(path, f"{where}, when", f"is {when[:40]!r}", "write e.g. 2026-11-25T14:05") from None
    return TypedValue(quantity, float(value), unit, who, moment)


def _timely(path: Path, row: TypedValue) -> None:
    """A reading of another day says nothing about this run."""
    age = datetime.now(UTC) - row.when
    if not -_AHEAD <= age <= _OLDEST:
        raise InstrumentError(
            f"{path}: {row.quantity} was read at {row.when:%Y-%m-%d %H:%M}, which is not within the last 24 h. "
            "Mend: read it again, and write when"
        )


def source_of(address: str, operator: Operator | None) -> Source:
    """Where the values of a manual role come from. address: 'terminal', or the path of a readings.csv.

    Raises InstrumentError for the terminal where nobody can be asked.
    """
    if address != "terminal":
        return _Listed(Path(address), operator)
    if operator is None:
        raise InstrumentError(
            "a manual role needs somebody to ask, and this run has no terminal. Mend: run it in a terminal, or give a "
            "readings.csv as its address"
        )
    return _Asked(operator)


class ManualInstrument:
    """What manual instruments share. last: the value that was typed last."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self.last: TypedValue | None = None

    def identity(self) -> Identity:
        """Nobody but the station file says who it is."""
        return Identity()

    def safe(self) -> None:
        """As it is: only a person can change it."""

    def close(self) -> None:
        """Nothing to release."""

    def _typed(self, quantity: str, unit: str, question: str) -> float:
        self.last = self._source.value(quantity, unit, question)
        return self.last.value

    def _set(self, quantity: str, wanted: float, unit: str, question: str) -> float:
        shown = self._typed(quantity, unit, f"{question}, wait until it is steady, then type what it shows")
        if abs(shown - wanted) > max(_ALIKE * abs(wanted), 1e-9):
            raise InstrumentError(
                f"{quantity} was to be set to {wanted:g} {unit}, the operator reports {shown:g}. Mend: set it, run again"
            )
        return shown


class ManualLuxMeter(ManualInstrument):
    """A lux meter that a person reads."""

    def illuminance(self) -> float:
        """Ask for the illuminance at the chart plane, lux."""
        return self._typed("illuminance", "lx", "read the lux meter at the chart plane")


class ManualMultimeter(ManualInstrument):
    """A multimeter that a person reads."""

    def dc_voltage(self) -> float:
        """Ask for the direct voltage at the camera's terminals, V."""
        return self._typed("dc_voltage", "V", "read the direct voltage at the camera's terminals")

    def dc_current(self) -> float:
        """Ask for the direct current into the camera, A."""
        return self._typed("dc_current", "A", "read the direct current into the camera")


class ManualChamber(ManualInstrument):
    """A climate chamber that a person sets, or a thermometer that a person reads."""

    _running = False

    def set_temperature(self, celsius: float) -> None:
        """Ask for the chamber to be set, degrees Celsius."""
        self._running = True
        self._set("temperature_set", celsius, "degC", f"set the chamber to {celsius:g} degC")

    def temperature(self) -> float:
        """Ask for the temperature of the air around the camera, degrees Celsius."""
        return self._typed("temperature", "degC", "read the thermometer beside the camera")

    def safe(self) -> None:
        """Tell the operator to switch it off, if it was switched on."""
        if self._running:
            self._source.tell("switch the climate chamber off")
            self._running = False


class ManualLight(ManualInstrument):
    """A light box that a person sets."""

    _lux: float | None = None

    def set_illuminance(self, lux: float) -> None:
        """Ask for the light to be set, lux at the chart plane."""
        self._lux = self._set(
            "illuminance_set", lux, "lx", f"set the light box to {lux:g} lx at the chart plane"
        )

    def illuminance_set(self) -> float:
        """Get what the operator said it is set to, lux; asks if it was never set."""
        if self._lux is None:
            self._lux = self._typed("illuminance_set", "lx", "what is the light box set to")
        return self._lux

    def safe(self) -> None:
        """Tell the operator to switch it off, if it was set to light."""
        if self._lux:
            self._source.tell("switch the light box off")
            self._lux = None


#: Role -> what plays it by hand.
MANUAL_ROLES: Mapping[str, type[ManualInstrument]] = {
    "lux_meter": ManualLuxMeter,
    "multimeter": ManualMultimeter,
    "climate_chamber": ManualChamber,
    "light_box": ManualLight,
}
