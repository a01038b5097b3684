"""``bench doctor --station``: everything that is wrong with a station at once, each with its mend.

The file is read as far as it can be; each instrument is asked who it is, all at the same time and within a bounded
time, so that a mistyped key or a dead address keeps nothing else from being looked at. Nothing is switched, unless
the interim checks are asked for.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

from bench.operator import terminal_operator
from instruments.addresses import device_at
from instruments.capability import Identity
from instruments.drivers import load_driver
from instruments.lease import take_all
from instruments.manual import source_of
from instruments.station import Station, station_leases
from instruments.station_file import MANUAL, Instrument, StationFile
from instruments.station_rules import examine_station
from standards.errors import BadFile, CamcertError

__all__ = ["PATIENCE_S", "Check", "station_checks"]

#: Time in which an instrument must have said who it is, seconds.
PATIENCE_S = 15.0


@dataclass(frozen=True)
class Check:
    """One thing looked at. text: what was seen; where not ok, the mend. warning: ok, and worth knowing."""

    name: str
    ok: bool
    text: str
    warning: bool = False


def station_checks(path: Path, today: date, *, interim: bool = False) -> Iterator[Check]:
    """All checks of a station. today: the day that certificates must be valid on."""
    try:
        examined = examine_station(path)
    except BadFile as error:
        yield Check("station file", False, str(error))
        return
    for problem in examined.problems:
        yield Check("station file", False, str(problem))
    found = examined.file
    if found is None:
        return
    if not examined.problems:
        yield Check("station file", True, f"{path}: every key is known")
    yield from _certificates(path, found, today)
    broken = {problem.key for problem in examined.problems}
    yield from _shared(found)
    before = list(_instruments(path, found, broken))
    yield from before
    yield from _drivers(found, broken)
    if interim:
        sound = not examined.problems and all(check.ok for check in before)
        yield from (
            _interim(path)
            if sound
            else [Check("interim checks", False, "not done. Mend: what is named above")]
        )


def _certificates(path: Path, found: StationFile, today: date) -> Iterator[Check]:
    held, bad = found.certificates(), False
    for holder, key, one in held:
        name = f"certificate of {holder}"
        if not one.valid_on(today):
            bad = True
            problem = (
                f"{one.number} of {one.laboratory} is valid from {one.issued} to {one.due}, not on {today}"
            )
            late = today > one.due
            mend = (
                "recalibrate, then enter the new certificate"
                if late
                else "correct the date, or enter the certificate that counts today"
            )
            yield Check(
                name, False, str(BadFile(path, f"{key}.{'due' if late else 'issued'}", problem, mend))
            )
        elif one.ends_soon(today):
            days = (one.due - today).days
            text = f"{one.number} of {one.laboratory} ends on {one.due}, in {days} days. Mend: have it recalibrated"
            yield Check(name, True, text, warning=True)
    if not bad:
        yield Check("certificates", True, f"all {len(held)} valid on {today}" if held else "none")


def _shared(found: StationFile) -> Iterator[Check]:
    """Two roles at one address: one device may play both, and a mistyped address looks the same."""
    roles: dict[tuple[str, str], str] = {}
    for role, entry in found.instruments.items():
        if entry.driver == MANUAL:
            continue
        first = roles.setdefault((device_at(entry.address), entry.address.partition("#")[2]), role)
        if first != role:
            text = (
                f"has the address of the {first}, {entry.address}. Mend: correct one, unless it is one device"
            )
            yield Check(role, True, text, warning=True)


@dataclass
class _Asked:
    """One instrument that is being asked who it is."""

    role: str
    entry: Instrument
    identity: Identity | None = None
    error: str = ""
    done: threading.Event = field(default_factory=threading.Event)

    def run(self) -> None:
        """Open it, ask, close it; its state stays as it is."""
        try:
            instrument = load_driver(self.entry.driver)(self.entry.address, baud=self.entry.baud)
            try:
                self.identity = instrument.identity()
            finally:
                instrument.close()
        except Exception as error:  # noqa: BLE001 -- a driver that breaks down is one problem among others
            self.error = str(error) if isinstance(error, CamcertError) else f"{type(error).__name__}: {error}"
        self.done.set()


def _instruments(path: Path, found: StationFile, broken: set[str]) -> Iterator[Check]:
    """Who each instrument says it is. broken: keys that are complained of already."""
    driven = []
    for role, entry in found.instruments.items():
        if broken & {f"instruments.{role}.driver", f"instruments.{role}.address"}:
            yield Check(role, False, "not asked. Mend: what is named above")
        elif entry.driver == MANUAL:
            yield _manual(role, entry)
        else:
            driven.append(_Asked(role, entry))
    with ExitStack() as stack:
        try:
            for note in take_all(station_leases(path, found), stack):
                yield Check("lease", True, note, warning=True)
        except CamcertError as error:
            yield Check("lease", False, str(error))
            return
        for each in driven:
            threading.Thread(target=each.run, name=each.role, daemon=True).start()
        deadline = time.monotonic() + PATIENCE_S
        for each in driven:
            each.done.wait(max(0.0, deadline - time.monotonic()))
            yield from _judged(path, each)


def _manual(role: str, entry: Instrument) -> Check:
    try:
        source_of(entry.address, terminal_operator())
        if entry.address != "terminal" and not Path(entry.address).is_file():
            return Check(role, True, f"played by a person; {entry.address} is not there yet", warning=True)
    except CamcertError as error:
        return Check(role, False, str(error))
    return Check(role, True, f"played by a person, by {entry.address}")


def _drivers(found: StationFile, broken: set[str]) -> Iterator[Check]:
    """Which drivers have only ever been run on simulated instruments."""
    for role, entry in found.instruments.items():
        if entry.driver == MANUAL or f"instruments.{role}.driver" in broken:
            continue
        hardware = load_driver(entry.driver).about.hardware
        text = f"seen to work on {hardware}" if hardware else "not verified on hardware"
        yield Check(f"driver {entry.driver}", True, text, warning=not hardware)


def _judged(path: Path, asked: _Asked) -> Iterator[Check]:
    role, entry = asked.role, asked.entry
    if not asked.done.is_set():
        text = f"{entry.address} did not say who it is within {PATIENCE_S:g} s"
        yield Check(
            role, False, str(BadFile(path, f"instruments.{role}.address", text, "check cable and power"))
        )
        return
    if asked.identity is None:
        mend = (
            ""
            if "Mend:" in asked.error
            else ". Mend: check cable, power, and the address in the station file"
        )
        yield Check(role, False, f"{asked.error}{mend}")
        return
    seen = asked.identity
    wrong = list(_differences(path, role, entry, seen))
    yield from wrong
    if not wrong:
        names = " ".join(part for part in (seen.manufacturer, seen.model, seen.serial, seen.firmware) if part)
        yield Check(role, True, f"{names or 'its protocol cannot say who it is'} at {entry.address}")


def _differences(path: Path, role: str, entry: Instrument, seen: Identity) -> Iterator[Check]:
    """Where the instrument says otherwise than the file; what either leaves open is not compared."""
    for name, exact in (("manufacturer", False), ("model", False), ("serial", True)):
        said, written = getattr(seen, name), getattr(entry, name)
        alike = said == written if exact else said.casefold() == written.casefold()
        if said and written and not alike:
            problem = f"is {written!r} in the file, and the instrument at {entry.address} says {said!r}"
            mend = "connect the right one, or correct the file and enter the certificates of this one"
            yield Check(role, False, str(BadFile(path, f"instruments.{role}.{name}", problem, mend)))


def _interim(path: Path) -> Iterator[Check]:
    troubles: list[str] = []
    results = []
    try:
        with Station.open(path, operator=terminal_operator(), report=troubles.append) as station:
            for text in station.set_up():
                yield Check("set point", True, text)
            results = station.interim_checks()
    except CamcertError as error:
        yield Check("interim checks", False, str(error))
    for each in results:
        mend = f". Mend: {each.mend}" if each.mend else ""
        yield Check(f"interim check of {each.role}", each.ok, f"{each.text}{mend}")
    for text in troubles:
        yield Check("safe state", False, text)
