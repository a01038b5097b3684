"""Climate chambers: the air follows with a ramp and without overshoot, and idles when it is let go."""

from __future__ import annotations

import math
import time
from pathlib import Path

import pytest
from instrument_world import CASES, Case, bench_of, eventually, once, over_transports

from fixtures.simulated.config.instruments import InstrumentErrors
from instruments.scpi import ScpiSession
from standards.errors import InstrumentError, UsageError

CHAMBERS = {case.driver: case for case in CASES["climate_chamber"]}
FAST = {"ramp_k_per_min": 6000.0, "leak_s": 0.1}  # 100 K/s


@pytest.mark.parametrize(("case", "transport"), over_transports(CASES["climate_chamber"]))
def test_the_air_follows_without_overshoot_and_then_idles(case: Case, transport: str, tmp_path: Path) -> None:
    with bench_of(case, transport, tmp_path, settings=FAST) as bench:
        assert bench.instrument.temperature() == pytest.approx(23.0, abs=0.1)
        bench.instrument.set_temperature(55.0)
        seen = [bench.instrument.temperature()]
        until = time.monotonic() + 10.0
        while abs(seen[-1] - 55.0) > 0.05 and time.monotonic() < until:
            seen.append(bench.instrument.temperature())
        seen += [bench.instrument.temperature() for _ in range(10)]
        assert max(seen) <= 55.05 and seen[-1] == pytest.approx(55.0, abs=0.05)
        assert any(24.0 < celsius < 54.0 for celsius in seen), "on its way"
        assert seen == sorted(seen)
        bench.instrument.set_temperature(-10.0)
        assert eventually(lambda: abs(bench.world.value("temperature_c") + 10.0) < 1e-6)
        bench.instrument.safe()
        assert eventually(lambda: abs(bench.world.value("temperature_c") - 23.0) < 0.1)


@pytest.mark.parametrize(("case", "transport"), once(CASES["climate_chamber"]))
def test_the_air_errs_as_its_file_says(case: Case, transport: str, tmp_path: Path) -> None:
    errors = InstrumentErrors(offset=0.7)
    with bench_of(case, transport, tmp_path, settings=FAST, errors=errors) as bench:
        bench.instrument.set_temperature(40.0)
        assert eventually(lambda: bench.world.value("temperature_c") == pytest.approx(40.7))
        assert bench.instrument.temperature() == pytest.approx(40.7, abs=0.06)


@pytest.mark.parametrize(("case", "transport"), once(CASES["climate_chamber"]))
def test_heat_out_of_range_is_refused_before_anything_is_sent(
    case: Case, transport: str, tmp_path: Path
) -> None:
    with bench_of(case, transport, tmp_path, settings={"low_c": -20.0, "high_c": 90.0}) as bench:
        before = bench.heard()
        for celsius in (-21.0, 90.5, math.nan):
            with pytest.raises(UsageError, match="holds -20 to 90"):
                bench.instrument.set_temperature(celsius)
        assert bench.heard() == before
        assert bench.world.value("temperature_c") == 23.0


def test_a_scpi_chamber_refuses_too(tmp_path: Path) -> None:
    with bench_of(CHAMBERS["climate_chamber"], "socket", tmp_path, opened=False) as bench:
        session = ScpiSession(bench.address, what="climate chamber")
        for command, code in (("SOUR:TEMP 500", "-222"), ("TEMP 20 LX", "-131"), ("TEMP", "-109")):
            with pytest.raises(InstrumentError, match=code):
                session.write(command)
        session.close()


def test_an_espec_refuses_in_its_own_words_and_is_switched_on(tmp_path: Path) -> None:
    with bench_of(CHAMBERS["espec_p300"], "pty", tmp_path, settings=FAST) as bench:
        for command, words in (
            ("TEMP, S500.0", "DATA OUT OF RANGE"),
            ("TEMP, 20", "PARA ERR"),
            ("TEMP?, 1", "PARA ERR"),
            ("HEAT, ON", "CMD ERR"),
        ):
            with pytest.raises(InstrumentError, match=words):
                bench.instrument._do(command)
        bench.instrument._do("MODE, OFF")
        with pytest.raises(InstrumentError, match="CHB NOT READY"):
            bench.instrument._do("MODE, CONSTANT")
        bench.instrument.safe()
        assert bench.instrument._ask("MODE?") == "OFF", "what is off stays off"
        bench.instrument.set_temperature(30.0)
        assert bench.instrument._ask("MODE?") == "CONSTANT"
        assert bench.instrument._ask("MON?").endswith(",,CONSTANT,0")


def test_a_weiss_refuses_with_its_own_numbers(tmp_path: Path) -> None:
    with bench_of(CHAMBERS["weiss_simserv"], "socket", tmp_path, settings=FAST) as bench:
        for command, arguments, words in (
            (12345, ("1",), "does not know"),
            (11001, ("1",), "too few"),
            (11001, ("1", "999"), "too few or wrong"),
            (99997, ("9",), "could not be read"),
        ):
            with pytest.raises(InstrumentError, match=words):
                bench.instrument._ask(command, *arguments)
        assert bench.instrument._ask(10012) == "1"
        bench.instrument.set_temperature(30.0)
        assert bench.instrument._ask(10012) == "3" and bench.instrument._ask(14003, "1") == "1"
