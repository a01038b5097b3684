"""Reads a station file and holds it to its rules, those between its tables included.

Unknown keys, roles, drivers and quantities are errors: nothing is guessed, nothing falls back. `load_station` stops at
the first; `examine_station` finds them all, for the doctor.
"""

from __future__ import annotations

import difflib
import os
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from instruments.drivers import DRIVERS, ROLES, load_driver
from instruments.manual import MANUAL_ROLES
from instruments.order import Circle, opening_order
from instruments.readings import CERTIFIED, GRADING, READINGS
from instruments.station_file import MANUAL, Instrument, StationFile
from standards.errors import BadFile
from standards.files import read_toml, read_toml_whole

__all__ = ["SET_POINTS", "Examined", "broken_rules", "examine_station", "load_station"]

#: Role -> keys of its set_point; what an interim check's `at` sets is the first.
SET_POINTS = {
    "light_box": ("illuminance_lx",),
    "power_supply": ("voltage_v", "current_limit_a"),
    "climate_chamber": ("temperature_c",),
    "relay_board": ("closed",),
}
_UNITS = {"temperature": "degC", "humidity": "%"}
_VARIABLE = re.compile(r"\$([A-Za-z_][A-Za-z0-9_]*)")

_Broken = tuple[str, str, str]  # key, problem, mend


@dataclass(frozen=True)
class Examined:
    """What an examination found. file: what is usable of it, None for nothing; problems: all complaints."""

    file: StationFile | None
    problems: tuple[BadFile, ...]


def load_station(path: Path) -> StationFile:
    """Read a station file; opens nothing. Raises BadFile with file, key and mend."""
    found = read_toml(path, StationFile)
    for problem in _problems(path, found):
        raise problem
    return _resolved(path, found)


def examine_station(path: Path) -> Examined:
    """Everything that is wrong with a station file. Raises BadFile only where it is no TOML file at all."""
    found, problems = read_toml_whole(path, StationFile)
    if found is None:
        return Examined(None, problems)
    every = sorted((*problems, *_problems(path, found)), key=lambda problem: problem.line or 0)
    return Examined(_resolved(path, found), tuple(every))


def _problems(path: Path, found: StationFile) -> Iterator[BadFile]:
    for key, problem, mend in broken_rules(found):
        yield BadFile(path, key, problem, mend)
    for role, entry in found.instruments.items():
        for name in _VARIABLE.findall(entry.address):
            if name not in os.environ:
                mend = f"export {name}=/dev/…, or write the device"
                yield BadFile(path, f"instruments.{role}.address", f"the variable {name} is not set", mend)


def _resolved(path: Path, found: StationFile) -> StationFile:
    """Addresses with their '$NAME' replaced; readings files beside the station file."""
    instruments = {
        role: entry.model_copy(update={"address": _address(path, entry.driver, entry.address)})
        for role, entry in found.instruments.items()
    }
    surroundings = {
        name: entry.model_copy(update={"ask": _address(path, MANUAL, entry.ask)})
        for name, entry in found.environment.items()
        if entry.ask
    }
    return found.model_copy(
        update={
            "instruments": found.instruments.model_copy(update=instruments),
            "environment": found.environment.model_copy(update=surroundings),
        }
    )


def _address(path: Path, driver: str, address: str) -> str:
    plain = _VARIABLE.sub(lambda match: os.environ.get(match[1], match[0]), address)
    if driver == MANUAL and plain != "terminal":
        return str(path.resolve().parent / plain)
    return plain


def broken_rules(found: StationFile) -> Iterator[_Broken]:
    """(key, problem, mend) of every rule that the file breaks."""
    for role, entry in found.instruments.items():
        yield from _driver(role, entry)
        yield from _set_point(role, entry)
        yield from _checks(role, entry, found)
        yield from _grading(role, entry)
    yield from _certificates(found)
    yield from _order(found)
    yield from _environment(found)


def _near(name: str, known: Iterable[str], otherwise: str = "") -> str:
    """The mend for a name that is not in its list."""
    names = sorted(known)
    near = difflib.get_close_matches(name, names, n=1)
    return f"did you mean {near[0]!r}?" if near else otherwise or f"use one of {', '.join(names)}"


def _driver(role: str, entry: Instrument) -> Iterator[_Broken]:
    key = f"instruments.{role}.driver"
    if entry.driver == MANUAL:
        if role not in MANUAL_ROLES:
            yield (
                key,
                f"no person can play the {role}",
                f"name a driver; by hand: {', '.join(sorted(MANUAL_ROLES))}",
            )
        return
    if entry.driver not in DRIVERS:
        yield key, f"no driver {entry.driver!r}", _near(entry.driver, [*DRIVERS, MANUAL])
        return
    made_for = load_driver(entry.driver).about.role
    if made_for != role:
        fitting = [name for name in DRIVERS if load_driver(name).about.role == role]
        yield key, f"{entry.driver!r} drives a {made_for}", f"use one of {', '.join(fitting)}"


def _set_point(role: str, entry: Instrument) -> Iterator[_Broken]:
    if entry.set_point is None:
        return
    known = SET_POINTS.get(role, ())
    given = entry.set_point.model_dump(exclude_none=True, exclude={"settle_s"})
    for name in given:
        if name not in known:
            mend = f"a {role} takes {', '.join(known)}" if known else f"a {role} has no set point: remove it"
            yield f"instruments.{role}.set_point.{name}", f"is nothing that a {role} is set to", mend
    if known and known[0] not in given:
        yield f"instruments.{role}.set_point", f"{known[0]} is missing", "add it"


def _checks(role: str, entry: Instrument, found: StationFile) -> Iterator[_Broken]:
    present = dict(found.instruments.items())
    for number, check in enumerate(entry.interim_check, 1):
        key = f"instruments.{role}.interim_check[{number}]"
        reader = check.read_by or role
        if reader not in present:
            yield f"{key}.read_by", f"the station has no {reader}", _near(reader, present)
        elif check.quantity != "response" and check.quantity not in READINGS.get(reader, {}):
            known = ["response", *READINGS.get(reader, {})]
            yield (
                f"{key}.quantity",
                f"a {reader} does not read {check.quantity!r}",
                _near(check.quantity, known),
            )
        if check.at is not None and (role not in SET_POINTS or role == "relay_board"):
            yield f"{key}.at", f"a {role} is set to nothing", "remove it"


def _grading(role: str, entry: Instrument) -> Iterator[_Broken]:
    """A source that is not set in lux needs its points in its own unit; another needs none."""
    if entry.driver not in DRIVERS:
        return
    unit = getattr(load_driver(entry.driver), "setting_unit", None)
    for number, one in enumerate(entry.calibration, 1):
        if one.quantity != GRADING:
            continue
        key = f"instruments.{role}.calibration[{number}]"
        if unit is None:
            yield f"{key}.quantity", f"{entry.driver!r} is set in lux itself", "remove the certificate"
        elif not one.points:
            yield f"{key}.value", f"{GRADING} is a table of light over setting", "write it as points"
        elif one.argument_unit != unit:
            mend = f'give the settings in {unit}, argument_unit = "{unit}"'
            yield f"{key}.argument_unit", f"{entry.driver!r} is set in {unit}", mend


def _certificates(found: StationFile) -> Iterator[_Broken]:
    for holder, key, one in found.certificates():
        known = CERTIFIED[holder]
        if one.quantity not in known:
            yield (
                f"{key}.quantity",
                f"no certificate of a {holder} is of {one.quantity!r}",
                _near(one.quantity, known),
            )
        elif one.unit != known[one.quantity]:
            wanted = known[one.quantity]
            full = {"s": "seconds"}.get(wanted, wanted)
            mend = f'write value and uncertainty in {full}, unit = "{wanted}"'
            yield f"{key}.unit", f"{one.quantity} is given in {one.unit!r}", mend
        elif not one.points and one.quantity in READINGS.get(holder, {}):
            mend = "write it as points with a range: one value corrects no reading"
            yield f"{key}.value", f"what a {holder} reads needs a table", mend


def _order(found: StationFile) -> Iterator[_Broken]:
    for number, role in enumerate(found.safety.order, 1):
        if role not in ROLES:
            yield f"safety.order[{number}]", f"no role {role!r}", _near(role, ROLES)
    present = dict(found.instruments.items())
    for role, entry in present.items():
        for number, other in enumerate(entry.after, 1):
            if other not in present:
                yield (
                    f"instruments.{role}.after[{number}]",
                    f"the station has no {other}",
                    _near(other, present),
                )
    try:
        opening_order({role: entry.after for role, entry in present.items()})
    except Circle as circle:
        pairs = zip(circle.roles, circle.roles[1:], strict=False)
        asking = next(role for role, other in pairs if other in present[role].after)
        yield f"instruments.{asking}.after", f"goes in a circle: {circle}", "take one of them out"


def _environment(found: StationFile) -> Iterator[_Broken]:
    present = dict(found.instruments.items())
    for name, entry in found.environment.items():
        key = f"environment.{name}"
        if entry.instrument and entry.instrument not in present:
            yield (
                f"{key}.instrument",
                f"the station has no {entry.instrument}",
                _near(entry.instrument, present),
            )
        elif entry.instrument and name not in READINGS.get(entry.instrument, {}):
            mend = 'ask a person: ask = "terminal"'
            yield f"{key}.instrument", f"a {entry.instrument} does not read {name}", mend
        low, high = entry.lower, entry.upper
        if low is not None and high is not None and low >= high:
            yield f"{key}.upper", f"{high:g} is not above lower, {low:g} {_UNITS[name]}", "raise it"
