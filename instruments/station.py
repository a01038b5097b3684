"""The station: opens the instruments of a station file in order, and leaves each of them safe, whatever happens.

Opening: leases, the supervisor, then the instruments, what others depend on first. Closing, on every way out: each
instrument is made safe, in the order of safety, none kept from it by the failure of another; then their lines are
closed, last opened first; then the supervisor hears goodbye, with the names of those that could not be made safe, and
tries these by its own connection. A bench that is killed says no goodbye: then the supervisor does all of it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import ExitStack, suppress
from datetime import UTC, date, datetime
from pathlib import Path
from types import TracebackType
from typing import Any

from instruments.addresses import device_at
from instruments.calibration import find_certificate
from instruments.capability import (
    ClimateChamber,
    FlashLamp,
    LightSource,
    LuxMeter,
    Multimeter,
    NetworkEmulator,
    Oscilloscope,
    PowerSupply,
    RelayBoard,
)
from instruments.drivers import load_driver
from instruments.grading import give_points
from instruments.interim import CheckResult, apply_set_point, perform_check
from instruments.lease import Lease, lease_path, take_all
from instruments.manual import MANUAL_ROLES, ManualInstrument, Operator, Source, source_of
from instruments.order import opening_order, safety_order
from instruments.readings import LAMP_DELAY, READINGS, Reading
from instruments.safety import make_safe
from instruments.signals import held, terminable
from instruments.station_file import MANUAL, Instrument, StationFile, Surrounding
from instruments.station_rules import load_station
from instruments.watch import Supervised, Watch
from standards.errors import CamcertError, CheckFailed
from standards.quantity import Origin

__all__ = ["LAMP_DELAY", "Station", "StationFile", "load_station", "station_leases"]

_AIR = {"temperature": ("degC", "read the thermometer beside the camera"),
        "humidity": ("%", "read the hygrometer beside the camera")}  # fmt: skip


def station_leases(path: Path, found: StationFile, run: str = "") -> list[Lease]:
    """The leases of a station and of each of its instruments, to be taken by `take_all`."""
    lines: dict[str, str] = {}
    for role, entry in found.instruments.items():
        if entry.driver != MANUAL:
            lines.setdefault(device_at(entry.address), f"the {role} at {entry.address}")
    whole = Lease(lease_path("station", str(path.resolve()), *sorted(lines)), f"the station {path}", run=run)
    return [whole, *(Lease(lease_path("instrument", line), what, run=run) for line, what in lines.items())]


class Station:
    """An opened station. Use as a context manager: every instrument is left safe and closed.

    notes: what happened in opening that a record should hold (a lease taken over).
    """

    def __init__(
        self,
        path: Path,
        *,
        run: str = "",
        operator: Operator | None = None,
        report: Callable[[str], None] = lambda text: None,
    ) -> None:
        """Open every instrument. run: the run's folder, for others to read in the lease; operator: who plays the
        manual roles; report: is told each failure to make an instrument safe, when it happens.

        Raises BadFile, UsageError (somebody else has the station), InstrumentError, BenchError.
        """
        self.path, self.file = path, load_station(path)
        self._run, self._operator, self._report = run, operator, report
        self._open: dict[str, Any] = {}
        self._unsafe: set[str] = set()
        self._sources: dict[str, Source] = {}
        entries = dict(self.file.instruments.items())
        with ExitStack() as stack:
            stack.enter_context(terminable())
            leases = station_leases(path, self.file, run)
            self.notes = take_all(leases, stack)
            watch = self._supervised(leases, entries, stack)
            stack.callback(self._close_all)
            for role in opening_order({role: entry.after for role, entry in entries.items()}):
                self._open[role] = self._opened(role, entries[role])
            if watch is not None:
                watch.await_ready()
            self._stack = stack.pop_all()

    @classmethod
    def open(
        cls,
        path: Path,
        *,
        run: str = "",
        operator: Operator | None = None,
        report: Callable[[str], None] = lambda text: None,
    ) -> Station:
        """Open the station of a file."""
        return cls(path, run=run, operator=operator, report=report)

    def _supervised(
        self, leases: Sequence[Lease], entries: dict[str, Instrument], stack: ExitStack
    ) -> Watch | None:
        """Start the supervisor over what is driven; none where nothing is."""
        driven = [role for role, entry in entries.items() if entry.driver != MANUAL]
        if not driven:
            return None
        order = safety_order(
            [r for r in opening_order({r: e.after for r, e in entries.items()}) if r in driven],
            self.file.safety.order,
        )
        watch = Watch(
            [Supervised(r, entries[r].driver, entries[r].address, entries[r].baud) for r in order],
            leases=[lease.fileno() for lease in leases],
            log=leases[0].path.with_suffix(".log"),
            within_s=self.file.safety.within_s,
        )
        stack.callback(self._goodbye, watch)
        return watch

    def _opened(self, role: str, entry: Instrument) -> Any:
        if entry.driver == MANUAL:
            return MANUAL_ROLES[role](self._source(entry.address))
        # From here on an interrupt in the middle of opening leaves it to the supervisor.
        self._unsafe.add(role)
        try:
            found = load_driver(entry.driver)(entry.address, baud=entry.baud)
            try:
                give_points(found, entry.calibration)
            except Exception:
                found.close()
                raise
        except Exception:
            self._unsafe.discard(role)  # it is not ours, and was not touched
            raise
        return found

    def _source(self, address: str) -> Source:
        if address not in self._sources:
            self._sources[address] = source_of(address, self._operator)
        return self._sources[address]

    # closing ---------------------------------------------------------------------------------------

    def _close_all(self) -> None:
        """Make everything safe, then close every line; no failure keeps the next from it."""
        with held():
            for role in safety_order(list(self._open), self.file.safety.order):
                try:
                    make_safe(role, self._open[role])
                    self._unsafe.discard(role)
                except Exception as error:  # noqa: BLE001 -- whatever it is, the next one must become safe
                    self._tell(f"{role} could not be made safe: {error}")
            for role in reversed(self._open):
                try:
                    self._open[role].close()
                except Exception as error:  # noqa: BLE001 -- the other lines are closed all the same
                    self._tell(f"{role} could not be closed: {error}")
            self._open.clear()

    def _goodbye(self, watch: Watch) -> None:
        with held():
            wrong = watch.goodbye(sorted(self._unsafe))
            if wrong:
                self._tell(wrong)

    def _tell(self, text: str) -> None:
        with suppress(Exception):  # a full disk must not keep an instrument from its safe state
            self._report(text)

    def close(self) -> None:
        """Leave every instrument safe and closed. Twice is harmless."""
        self._stack.close()

    def __enter__(self) -> Station:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    # what it holds ---------------------------------------------------------------------------------

    @property
    def flash_lamp(self) -> FlashLamp | None:
        """The lamp in the camera's view."""
        return self._open.get("flash_lamp")

    @property
    def light_box(self) -> LightSource | None:
        """The light before the chart."""
        return self._open.get("light_box")

    @property
    def lux_meter(self) -> LuxMeter | None:
        """The meter at the chart plane; `reading` gives what it shows, corrected."""
        return self._open.get("lux_meter")

    @property
    def power_supply(self) -> PowerSupply | None:
        """The camera's supply."""
        return self._open.get("power_supply")

    @property
    def climate_chamber(self) -> ClimateChamber | None:
        """The chamber around the camera."""
        return self._open.get("climate_chamber")

    @property
    def multimeter(self) -> Multimeter | None:
        """The meter at the camera's terminals."""
        return self._open.get("multimeter")

    @property
    def oscilloscope(self) -> Oscilloscope | None:
        """The oscilloscope with its photodiode."""
        return self._open.get("oscilloscope")

    @property
    def relay_board(self) -> RelayBoard | None:
        """The relays in the camera's lines."""
        return self._open.get("relay_board")

    @property
    def network_emulator(self) -> NetworkEmulator | None:
        """The path between camera and bench."""
        return self._open.get("network_emulator")

    def check(self, day: date) -> None:
        """Raise CalibrationExpired if a certificate of the station is not valid on `day`."""
        for holder, _, certificate in self.file.certificates():
            certificate.check(day, holder)

    # reading ---------------------------------------------------------------------------------------

    def reading(self, role: str, quantity: str) -> Reading:
        """Read a quantity off a role, corrected by its certificate, u: by the certificate alone.

        Raises InstrumentError if it refuses, is silent, or reads outside its certificate's range; KeyError for a
        role that the station lacks.
        """
        instrument, by = self._open[role], READINGS[role][quantity]
        entry: Instrument = getattr(self.file.instruments, role)
        raw = float(getattr(instrument, by.method)())
        value, u, number = raw, None, ""
        certificate = find_certificate(entry.calibration, quantity, raw)
        if certificate is not None:
            (value, u), number = certificate.corrected(raw), certificate.number
        at, who, origin = datetime.now(UTC), "", Origin(self.file.station.origin)
        if isinstance(instrument, ManualInstrument) and instrument.last is not None:
            at, who, origin = instrument.last.when, instrument.last.who, Origin.TYPED
        return Reading(
            role, quantity, value, by.unit, raw, origin, at.isoformat(timespec="seconds"), u, number, who
        )

    def air(self) -> list[Reading]:
        """Temperature and humidity as the station file says where to have them from.

        Raises CheckFailed if one lies outside the limits between which the laboratory measures.
        """
        return [self._air(name, entry) for name, entry in self.file.environment.items()]

    def _air(self, name: str, entry: Surrounding) -> Reading:
        unit, question = _AIR[name]
        if entry.instrument:
            found = self.reading(entry.instrument, name)
        elif entry.ask:
            typed = self._source(entry.ask).value(name, unit, question)
            found = self._of_person(name, entry, typed.value, typed.who, typed.when)
        else:
            assert entry.value is not None and entry.when is not None
            found = self._of_person(name, entry, entry.value, entry.who, entry.when)
        low, high = entry.lower, entry.upper
        if (low is not None and found.value < low) or (high is not None and found.value > high):
            span = f"{'-∞' if low is None else f'{low:g}'} to {'∞' if high is None else f'{high:g}'} {unit}"
            raise CheckFailed(
                f"{name} is {found.value:g} {unit}, the laboratory measures from {span}. Mend: wait for the air, run again"
            )
        return found

    @staticmethod
    def _of_person(name: str, entry: Surrounding, raw: float, who: str, when: datetime) -> Reading:
        certificate = find_certificate(entry.calibration, name, raw)
        value, u = certificate.corrected(raw) if certificate is not None else (raw, None)
        number = certificate.number if certificate is not None else ""
        at = when.isoformat(timespec="seconds")
        return Reading("environment", name, value, _AIR[name][0], raw, Origin.TYPED, at, u, number, who)

    # before and after a run ------------------------------------------------------------------------

    def set_up(self) -> list[str]:
        """Bring every instrument to its set point, in the order of opening. Returns what was set, in words."""
        done = []
        for role, instrument in self._open.items():
            point = getattr(self.file.instruments, role).set_point
            if point is not None:
                done.append(apply_set_point(role, instrument, point))
        return done

    def interim_checks(self) -> list[CheckResult]:
        """Do all interim checks, failed or not; each instrument is then back at its set point.

        A failed one is told by its result, not by an error.
        """
        found = []
        for role, instrument in self._open.items():
            entry: Instrument = getattr(self.file.instruments, role)
            for check in entry.interim_check:
                found.append(perform_check(role, entry, check, instrument, self.reading))
                if check.at is not None and entry.set_point is not None:
                    with suppress(CamcertError):  # what cannot be set back has failed its check already
                        apply_set_point(role, instrument, entry.set_point)
        return found
