"""Power supplies: what is set is there, what cannot be is refused, and at 0 V the camera has no power."""

from __future__ import annotations

from pathlib import Path

import pytest
from instrument_world import POWER_SUPPLIES, Case, bench_of, eventually, once, over_transports

from fixtures.simulated.config.instruments import InstrumentErrors
from instruments.capability import PowerSupply
from instruments.drivers import load_driver
from standards.errors import InstrumentError, UsageError


@pytest.mark.parametrize(("case", "transport"), over_transports(POWER_SUPPLIES))
def test_what_is_set_comes_to_the_camera_and_back(case: Case, transport: str, tmp_path: Path) -> None:
    with bench_of(case, transport, tmp_path, settings={"rise_s": 0.0}) as bench:
        supply: PowerSupply = bench.instrument
        assert supply.output_is_on(), "the camera had power before the supply was asked for anything"
        supply.set_current_limit(1.0)
        supply.set_voltage(9.5)
        assert bench.world.value("supply_v") == pytest.approx(9.5, abs=0.001)
        assert supply.voltage() == pytest.approx(9.5, abs=0.01)
        assert supply.current() == pytest.approx(9.5 / 24.0, abs=0.001)
        supply.output(False)
        assert not supply.output_is_on()
        assert bench.world.value("supply_v") == 0.0
        assert supply.voltage() == pytest.approx(0.0, abs=0.005)
        supply.output(True)
        assert supply.output_is_on()
        assert bench.world.value("supply_v") == pytest.approx(9.5, abs=0.001)
        changes = [fact for fact in bench.facts("world") if fact["quantity"] == "supply_v"]
        assert changes and {fact["by"] for fact in changes} == {"power_supply"}


@pytest.mark.parametrize(("case", "transport"), once(POWER_SUPPLIES))
def test_impossible_values_are_refused_before_anything_is_sent(
    case: Case, transport: str, tmp_path: Path
) -> None:
    with bench_of(case, transport, tmp_path) as bench:
        before = bench.heard()
        for volts in (-0.1, 90.0, float("nan")):
            with pytest.raises(UsageError, match="V"):
                bench.instrument.set_voltage(volts)
        for amperes in (-0.1, 90.0, float("inf")):
            with pytest.raises(UsageError, match="A"):
                bench.instrument.set_current_limit(amperes)
        assert bench.heard() == before


@pytest.mark.parametrize(("case", "transport"), over_transports(POWER_SUPPLIES))
def test_what_the_supply_refuses_is_told_in_its_words(case: Case, transport: str, tmp_path: Path) -> None:
    with bench_of(case, transport, tmp_path) as bench:
        most = bench.device.stage.outputs[bench.device.stage._settings.camera_output - 1]  # type: ignore[attr-defined]
        most.highest_v = 6.0  # the supply has come to know another limit than the driver was told
        words = "did not take" if case.driver == "korad_ka3005p" else "-222"
        if case.driver == "power_supply":
            bench.device.engine._commands[0][1].parameters[0].__dict__["high"] = 6.0  # type: ignore[attr-defined]
        with pytest.raises(InstrumentError, match=words) as told:
            bench.instrument.set_voltage(20.0)
        assert bench.resource in str(told.value)
        bench.instrument.set_voltage(5.0)


@pytest.mark.parametrize(("case", "transport"), once(POWER_SUPPLIES))
def test_the_current_limit_takes_the_voltage_down(case: Case, transport: str, tmp_path: Path) -> None:
    with bench_of(case, transport, tmp_path, settings={"rise_s": 0.0, "load_ohm": 24.0}) as bench:
        bench.instrument.set_voltage(12.0)
        bench.instrument.set_current_limit(0.25)
        assert bench.world.value("supply_v") == pytest.approx(6.0, abs=0.01)
        assert bench.instrument.voltage() == pytest.approx(6.0, abs=0.01)
        assert bench.instrument.current() == pytest.approx(0.25, abs=0.001)


@pytest.mark.parametrize(("case", "transport"), once(POWER_SUPPLIES))
def test_the_voltage_rises_and_falls_as_declared(case: Case, transport: str, tmp_path: Path) -> None:
    with bench_of(case, transport, tmp_path, settings={"rise_s": 0.1}) as bench:
        bench.instrument.safe()
        change = next(f for f in reversed(bench.facts("world")) if f["quantity"] == "supply_v")
        assert change["target"] == 0.0 and change["tau_s"] == 0.1
        after = change["at_ns"] + 100_000_000
        assert bench.world.value("supply_v", after) == pytest.approx(12.0 / 2.71828, rel=1e-3)
        assert eventually(lambda: bench.instrument.voltage() < 0.1)


@pytest.mark.parametrize(("case", "transport"), once(POWER_SUPPLIES))
def test_its_meter_errs_as_declared(case: Case, transport: str, tmp_path: Path) -> None:
    errors = InstrumentErrors(gain=0.02, offset=0.05, noise=0.02, seed=7)
    with bench_of(case, transport, tmp_path, errors=errors, settings={"rise_s": 0.0}) as bench:
        bench.instrument.set_voltage(5.0)
        shown = [bench.instrument.voltage() for _ in range(60)]
        mean = sum(shown) / len(shown)
        spread = (sum((s - mean) ** 2 for s in shown) / (len(shown) - 1)) ** 0.5
        assert mean == pytest.approx(5.0 * 1.02 + 0.05, abs=4 * 0.02 / 60**0.5 + 0.005)
        assert spread == pytest.approx(0.02, rel=0.4)
        readings = [fact for fact in bench.facts("reading") if fact["what"].endswith("V")]
        assert all(fact["true"] == pytest.approx(5.0) for fact in readings[-60:])


@pytest.mark.parametrize(("case", "transport"), over_transports(POWER_SUPPLIES))
def test_safe_is_output_off_and_closing_leaves_it(case: Case, transport: str, tmp_path: Path) -> None:
    with bench_of(case, transport, tmp_path, settings={"rise_s": 0.0}) as bench:
        bench.instrument.close()
        assert bench.world.value("supply_v") == 12.0
        again = type(bench.instrument)(bench.address)
        again.safe()
        again.close()
        assert bench.world.value("supply_v") == 0.0


@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize("driver", ["keysight_e36300", "rigol_dp800"])
def test_outputs_are_apart(driver: str, tmp_path: Path) -> None:
    case = next(c for c in POWER_SUPPLIES if c.driver == driver)
    with bench_of(case, "socket", tmp_path, settings={"rise_s": 0.0, "camera_output": 1}) as bench:
        other = type(bench.instrument)(bench.resource + "#2")
        other.set_voltage(3.0)
        other.output(True)
        assert other.voltage() == pytest.approx(3.0, abs=0.001)
        assert other.current() == 0.0
        bench.instrument.safe()
        other.close()
        with pytest.raises(InstrumentError, match=r"-11\d|-22\d"):
            type(bench.instrument)(bench.resource + "#7")
        with pytest.raises(UsageError, match="channel"):
            type(bench.instrument)(bench.resource + "#two")


def test_a_driver_does_not_drive_another_model(tmp_path: Path) -> None:
    _, keysight, rigol, _ = POWER_SUPPLIES
    refused = pytest.raises(InstrumentError, match="RIGOL TECHNOLOGIES DP832, not the model")
    with bench_of(rigol, "socket", tmp_path, opened=False) as bench, refused:
        load_driver(keysight.driver)(bench.address)
