"""Multimeters: the reading is the truth with the declared errors; an overload is an error, not a number."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from instrument_world import MULTIMETERS, Case, bench_of, once, over_transports

from fixtures.simulated.config.instruments import InstrumentErrors
from fixtures.world import World
from instruments.drivers import load_driver
from standards.errors import InstrumentError


@pytest.mark.parametrize(("case", "transport"), over_transports(MULTIMETERS))
def test_the_reading_is_the_truth(case: Case, transport: str, tmp_path: Path) -> None:
    with bench_of(case, transport, tmp_path, world=World({"supply_v": 11.3})) as bench:
        assert bench.instrument.dc_voltage() == pytest.approx(11.3, rel=1e-6)
        assert bench.instrument.dc_current() == pytest.approx(11.3 / 24.0, rel=1e-6)
        assert bench.instrument.dc_voltage() == pytest.approx(11.3, rel=1e-6)
        bench.instrument.safe()
        assert bench.instrument.dc_voltage() == pytest.approx(11.3, rel=1e-6)


@pytest.mark.parametrize(("case", "transport"), once(MULTIMETERS))
def test_the_reading_errs_as_declared(case: Case, transport: str, tmp_path: Path) -> None:
    errors = InstrumentErrors(gain=1e-3, offset=2e-3, noise=1e-3, seed=3)
    with bench_of(case, transport, tmp_path, errors=errors) as bench:
        shown = [bench.instrument.dc_voltage() for _ in range(50)]
        mean = sum(shown) / len(shown)
        assert mean == pytest.approx(12.0 * 1.001 + 0.002, abs=4e-3 / 50**0.5)
        assert len(set(shown)) > 25
        assert bench.facts("reading")[-1]["true"] == pytest.approx(12.0)


def test_a_reading_averages_over_its_time(tmp_path: Path) -> None:
    with bench_of(MULTIMETERS[0], "socket", tmp_path, errors=InstrumentErrors(settle_s=1.0)) as bench:
        bench.world.set("supply_v", 0.0, at_ns=time.time_ns() + 500_000_000)
        shown = bench.instrument.dc_voltage()
        assert 0.5 < shown < 11.5, "part of the averaging time had 12 V, part had none"
        assert shown == pytest.approx(bench.facts("reading")[-1]["true"], abs=1e-4)


@pytest.mark.parametrize(("case", "transport"), once(MULTIMETERS))
def test_an_overload_is_an_error(case: Case, transport: str, tmp_path: Path) -> None:
    with bench_of(case, transport, tmp_path, settings={"load_ohm": 0.1}) as bench:
        with pytest.raises(InstrumentError, match="overload"):
            bench.instrument.dc_current()
        assert bench.instrument.dc_voltage() == pytest.approx(12.0)


@pytest.mark.parametrize(("case", "transport"), once(MULTIMETERS))
def test_a_stuck_meter_shows_the_old_value(case: Case, transport: str, tmp_path: Path) -> None:
    with bench_of(case, transport, tmp_path) as bench:
        before = bench.instrument.dc_voltage()
        bench.fault("stuck")
        bench.world.set("supply_v", 3.0)
        assert bench.instrument.dc_voltage() == before
        assert bench.facts("reading")[-1] | {"at_ns": 0} == {
            "kind": "reading", "role": "multimeter", "at_ns": 0, "what": "V", "true": 3.0, "shown": before,
        }  # fmt: skip


@pytest.mark.usefixtures("impatient")
def test_a_fluke_under_local_control_refuses_in_its_words(tmp_path: Path) -> None:
    fluke = next(case for case in MULTIMETERS if case.driver == "fluke_8845a")
    with bench_of(fluke, "socket", tmp_path) as bench:
        bench.device._remote = False  # type: ignore[attr-defined]  # someone pressed LOCAL
        with pytest.raises(InstrumentError, match="-203"):
            bench.instrument.dc_voltage()
        generic = load_driver("multimeter")(bench.address)
        with pytest.raises(InstrumentError, match="-203"):
            generic.dc_voltage()
        generic.close()
