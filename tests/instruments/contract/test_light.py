"""Light boxes and lux meters: what is set and shown against the world's truth, and what they refuse."""

from __future__ import annotations

import math
import statistics
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from instrument_world import CASES, Case, bench_of, once, over_transports
from role_cases import LED, graded

from fixtures.simulated.config.instruments import InstrumentErrors
from fixtures.simulated.instruments.lux_meters import _number
from fixtures.world import World
from instruments.calibration import Calibration
from instruments.grading import QUANTITY, Points, give_points, lux_at, setting_for
from instruments.konica_minolta import _NUMBER
from instruments.scpi import ScpiSession
from standards.errors import InstrumentError, UsageError

LIGHT = {case.driver: case for case in CASES["light_box"]}
FULL = {"thorlabs_dc2200": 100.0, "mightex_slc": 1000.0}


@pytest.mark.parametrize(("case", "transport"), over_transports(CASES["light_box"]))
def test_the_world_is_as_light_as_was_asked(case: Case, transport: str, tmp_path: Path) -> None:
    errors = InstrumentErrors(gain=0.03, offset=2.0)
    with bench_of(case, transport, tmp_path, errors=errors) as bench:
        if case.driver in FULL:
            graded(bench.instrument, FULL[case.driver])
        for lux in (LED[0][1], 1500.0, 3000.0):
            bench.instrument.set_illuminance(lux)
            # Between its points an LED is not straight, and a current has steps of 1 mA: 1 %.
            assert bench.world.value("illuminance_lx") == pytest.approx(lux * 1.03 + 2.0, rel=0.01)
            assert bench.instrument.illuminance_set() == pytest.approx(lux, rel=0.005)
        bench.instrument.safe()
        assert bench.world.value("illuminance_lx") == 0.0
        assert bench.instrument.illuminance_set() == 0.0
        bench.instrument.set_illuminance(500.0)
        bench.instrument.set_illuminance(0.0)
        assert bench.world.value("illuminance_lx") == 0.0


@pytest.mark.parametrize(("case", "transport"), once(CASES["light_box"]))
def test_light_out_of_range_is_refused_before_anything_is_sent(
    case: Case, transport: str, tmp_path: Path
) -> None:
    with bench_of(case, transport, tmp_path) as bench:
        if case.driver in FULL:
            graded(bench.instrument, FULL[case.driver])
        before = bench.heard()
        for lux in (-1.0, 1e6, math.nan):
            with pytest.raises(UsageError, match=r"gives? 0 to"):
                bench.instrument.set_illuminance(lux)
        assert bench.heard() == before


@pytest.mark.parametrize("driver", FULL)
def test_a_source_without_points_says_what_is_missing(driver: str, tmp_path: Path) -> None:
    case = LIGHT[driver]
    with bench_of(case, case.transports[0], tmp_path) as bench:
        before = bench.heard()
        with pytest.raises(UsageError, match=QUANTITY):
            bench.instrument.set_illuminance(100.0)
        assert bench.heard() == before
        bench.instrument.points = ((10.0, 50.0), (20.0, 40.0))
        with pytest.raises(UsageError, match="do not rise"):
            bench.instrument.set_illuminance(10.0)


def test_the_illuminator_itself_refuses_too(tmp_path: Path) -> None:
    case = LIGHT["light_box"]
    with bench_of(case, "socket", tmp_path, opened=False) as bench:
        session = ScpiSession(bench.address, what="light box")
        for command, code in (("SOUR:ILL 1E9", "-222"), ("SOUR:ILL 5 KG", "-131"), ("ILL:FOO 3", "-113")):
            with pytest.raises(InstrumentError, match=code):
                session.write(command)
        session.close()


def test_the_led_driver_refuses_what_is_not_its_state(tmp_path: Path) -> None:
    case = LIGHT["thorlabs_dc2200"]
    with bench_of(case, "socket", tmp_path) as bench:
        graded(bench.instrument, 100.0)
        bench.instrument.set_illuminance(100.0)
        session = bench.instrument._session
        for command, code in (
            ("SOURCE1:MODE CC", "-221"),
            ("SOURCE1:CBRIGHTNESS:BRIGHTNESS 101", "-222"),
            ("OUTPUT2:STATE ON", "-114"),
            ("SOURCE1:MODE GLOW", "-224"),
        ):
            with pytest.raises(InstrumentError, match=code):
                session.write(command)


def test_the_led_controller_refuses_in_its_own_words(tmp_path: Path) -> None:
    case = LIGHT["mightex_slc"]
    with bench_of(case, "pty", tmp_path) as bench:
        session = bench.instrument._session
        for command, words in (
            ("NORMAL 1 100 200", "did not execute"),
            ("MODE 5 1", "wrong argument"),
            ("MODE 1", "wrong argument"),
            ("GLOW 1", "not defined"),
        ):
            with pytest.raises(InstrumentError, match=words):
                session.do(command)


def _certificate(**changes: object) -> Calibration:
    row = {
        "number": "C1", "laboratory": "L", "quantity": QUANTITY, "unit": "lx", "gives": "true_value",
        "argument": "brightness", "argument_unit": "%", "points": [(10.0, 90.0, 1.0, 2.0), (100.0, 900.0, 9.0, 2.0)],
        "issued": "2026-01-01", "due": "2027-01-01",
    }  # fmt: skip
    return Calibration.model_validate({**row, **changes})


def test_points_come_from_the_certificate_for_the_sources_unit(tmp_path: Path) -> None:
    case = LIGHT["thorlabs_dc2200"]
    with bench_of(case, "socket", tmp_path) as bench:
        give_points(bench.instrument, [_certificate(argument_unit="mA"), _certificate(unit="cd/m2")])
        assert bench.instrument.points == ()
        give_points(bench.instrument, [_certificate()])
        assert bench.instrument.points == ((10.0, 90.0), (100.0, 900.0))
    give_points(object(), [_certificate()])


@given(st.lists(st.tuples(st.floats(0.1, 50), st.floats(0.1, 5000)), min_size=1, max_size=8), st.floats(0, 1))
def test_setting_and_light_are_each_others_inverse(steps: list[tuple[float, float]], share: float) -> None:
    points: Points = [
        (sum(s for s, _ in steps[: n + 1]), sum(x for _, x in steps[: n + 1])) for n in range(len(steps))
    ]
    lux = share * points[-1][1]
    setting = setting_for(lux, points, "lamp")
    assert 0.0 <= setting <= points[-1][0] * (1 + 1e-9)
    assert lux_at(setting, points, "lamp") == pytest.approx(lux, rel=1e-6, abs=1e-6)


@pytest.mark.parametrize(("case", "transport"), over_transports(CASES["lux_meter"]))
def test_readings_are_the_truth_within_the_declared_errors(
    case: Case, transport: str, tmp_path: Path
) -> None:
    errors = InstrumentErrors(gain=-0.02, offset=1.5, noise=0.8, seed=3)
    with bench_of(case, transport, tmp_path, errors=errors, world=World({"illuminance_lx": 640.0})) as bench:
        readings = [bench.instrument.illuminance() for _ in range(12)]
        expected = 640.0 * 0.98 + 1.5
        assert abs(statistics.mean(readings) - expected) < 4 * 0.8 / math.sqrt(12) + 0.05
        assert all(abs(reading - expected) < 5 * 0.8 for reading in readings) and len(set(readings)) > 3
        truth = bench.facts("reading")
        assert {fact["true"] for fact in truth} == {640.0}
        for reading, fact in zip(readings, truth[-12:], strict=True):
            assert reading == pytest.approx(fact["shown"], rel=5e-4), "four digits"


@pytest.mark.parametrize(("case", "transport"), once(CASES["lux_meter"]))
def test_the_dark_and_too_much_light(case: Case, transport: str, tmp_path: Path) -> None:
    world = World({"illuminance_lx": 0.0})
    with bench_of(case, transport, tmp_path, world=world, settings={"highest_lx": 20_000.0}) as bench:
        assert bench.instrument.illuminance() == 0.0
        world.set("illuminance_lx", 19_990.0)
        assert bench.instrument.illuminance() == pytest.approx(19_990.0, rel=1e-3)
        world.set("illuminance_lx", 30_000.0)
        with pytest.raises(InstrumentError, match=r"beyond the meter's range|-230"):
            bench.instrument.illuminance()


@given(st.floats(0.0, 299_900.0))
def test_numbers_of_four_digits_go_both_ways(value: float) -> None:
    found = _NUMBER.fullmatch(_number(value).decode())
    assert found is not None
    back = float(found[2]) * 10.0 ** (int(found[3]) - 4)
    assert back == pytest.approx(value, rel=5.1e-4, abs=1e-4)
