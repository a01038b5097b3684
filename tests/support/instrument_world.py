"""Drivers and their simulated twins, side by side, for the contract tests.

A role adds its cases to CASES: one line a driver. Everything in tests/instruments/contract/test_every_driver.py then
runs on it, over each transport that its twin has; what is the role's own stands in a module of its own.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Generator, Iterable, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from _pytest.mark.structures import ParameterSet
from role_cases import ROWS

from fixtures.simulated.config.instruments import InstrumentEntry, InstrumentErrors, InstrumentFault
from fixtures.simulated.instruments.device import SimulatedInstrument
from fixtures.simulated.instruments.running import start_instruments
from fixtures.simulated.truth import TruthLog
from fixtures.world import World
from instruments.drivers import load_driver

SCPI = ("socket", "hislip", "pty")
SERIAL = ("pty",)


@dataclass(frozen=True)
class Case:
    """One driver before its twin.

    driver: name in instruments.drivers; kind: name in the simulator; ask: an exchange with an answer; act: one
    that changes something; refused: a call that the instrument itself must refuse, and how it says so (None where
    its protocol has no words for it); nonsense: bytes that it must not take; model: in its identity; silence: words
    of the error when it is mute. channel: '#2' behind the address.
    """

    driver: str
    kind: str
    transports: tuple[str, ...]
    ask: Callable[[Any], object]
    act: Callable[[Any], object]
    nonsense: bytes = b"FOO:BAR 1\n"
    refusal: str = "-113"
    model: str = ""
    channel: str = ""
    settings: Mapping[str, Any] = field(default_factory=dict)
    errors: InstrumentErrors = InstrumentErrors()


@dataclass
class Bench:
    """An opened driver, its twin, and the world between them."""

    instrument: Any
    device: SimulatedInstrument
    world: World
    address: str
    truth: Path

    @property
    def resource(self) -> str:
        """The address without its channel."""
        return self.address.partition("#")[0]

    def fault(self, kind: str, **more: Any) -> None:
        """Switch a failure on."""
        self.device.faults.switch_on(InstrumentFault.model_validate({"kind": kind, **more}))

    def facts(self, kind: str) -> list[dict[str, Any]]:
        """Lines of the truth log of one kind."""
        lines = [json.loads(line) for line in self.truth.read_text("utf-8").splitlines()]
        return [line for line in lines if line["kind"] == kind]

    def heard(self) -> list[str]:
        """Commands that the twin has taken or refused, in order."""
        return [str(fact["command"]) for fact in self.facts("instrument")]


def over_transports(cases: Iterable[Case]) -> list[ParameterSet]:
    """Each case over each of its transports."""
    return [
        pytest.param(case, transport, id=f"{case.driver}-{transport}")
        for case in cases
        for transport in case.transports
    ]


def once(cases: Iterable[Case]) -> list[ParameterSet]:
    """Each case over its first transport."""
    return [pytest.param(case, case.transports[0], id=case.driver) for case in cases]


def wide() -> list[ParameterSet]:
    """The first case of each role over all its transports, the others over their first: for slow tests."""
    return [p for cases in CASES.values() for p in (*over_transports(cases[:1]), *once(cases[1:]))]


@contextmanager
def bench_of(
    case: Case,
    transport: str,
    place: Path,
    *,
    world: World | None = None,
    errors: InstrumentErrors | None = None,
    settings: Mapping[str, Any] | None = None,
    faults: tuple[InstrumentFault, ...] = (),
    opened: bool = True,
) -> Generator[Bench]:
    """A world with one instrument and its driver. place: directory of the truth log."""
    world = world or World()
    path = place / "truth.jsonl"
    truth = TruthLog(path)
    world.listen(lambda change: truth.write("world", dict(change.facts())))
    entry = InstrumentEntry(
        kind=case.kind,
        transport=transport,  # type: ignore[arg-type]  # one of the literals
        errors=errors or case.errors,
        faults=faults,
        settings={**case.settings, **(settings or {})},
    )
    role = load_driver(case.driver).about.role
    running = start_instruments({role: entry}, world, truth)
    instrument = None
    try:
        address = running.addresses[role]
        instrument = load_driver(case.driver)(address + case.channel) if opened else None
        yield Bench(instrument, running.devices[role], world, address + case.channel, path)
    finally:
        if instrument is not None:
            instrument.close()
        running.stop()
        truth.close()


def eventually(condition: Callable[[], bool], *, seconds: float = 5.0) -> bool:
    """Whether a condition comes true within a time."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.01)
    return True


def _supply(driver: str, model: str, transports: tuple[str, ...] = SCPI, **more: Any) -> Case:
    return Case(
        driver,
        driver,
        transports,
        ask=lambda supply: supply.voltage(),
        act=lambda supply: supply.set_voltage(5.0),
        model=model,
        **more,
    )


POWER_SUPPLIES = (
    _supply("power_supply", "PS-1"),
    _supply("keysight_e36300", "E36312A", channel="#2"),
    _supply("rigol_dp800", "DP832"),
    _supply("korad_ka3005p", "KA3005P", SERIAL, nonsense=b"FOO1", refusal="ignored"),
)


def _multimeter(driver: str, model: str, transports: tuple[str, ...] = SCPI, **more: Any) -> Case:
    return Case(
        driver,
        driver,
        transports,
        ask=lambda meter: meter.dc_voltage(),
        act=lambda meter: meter.dc_current(),
        model=model,
        **more,
    )


MULTIMETERS = (
    _multimeter("multimeter", "DMM-1"),
    _multimeter("keysight_34461a", "34461A"),
    _multimeter("fluke_8845a", "8846A", ("socket", "pty")),
)


def _oscilloscope(driver: str, model: str, transports: tuple[str, ...] = SCPI) -> Case:
    return Case(
        driver,
        driver,
        transports,
        ask=lambda scope: scope.triggered(),
        act=lambda scope: scope.set_scale(1, 2.0),
        model=model,
    )


OSCILLOSCOPES = (
    _oscilloscope("oscilloscope", "DSO-1"),
    _oscilloscope("keysight_infiniivision", "DSOX1204G"),
    _oscilloscope("rigol_ds1000z", "DS1104Z"),
)

#: All cases, by role.
CASES: Mapping[str, tuple[Case, ...]] = {
    "power_supply": POWER_SUPPLIES,
    "multimeter": MULTIMETERS,
    "oscilloscope": OSCILLOSCOPES,
    **{role: tuple(Case(kind=row["driver"], **row) for row in rows) for role, rows in ROWS.items()},
}

ALL = tuple(case for cases in CASES.values() for case in cases)
