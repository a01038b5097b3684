"""Oscilloscopes: one shot of the World's light through the photodiode, as the World's own closed form has it."""

from __future__ import annotations

import math
import time
from pathlib import Path

import numpy as np
import pytest
from instrument_world import OSCILLOSCOPES, Bench, Case, bench_of, eventually, once, over_transports

from fixtures.simulated.config.instruments import InstrumentErrors
from fixtures.simulated.instruments.photodiode import FilteredSignal, Photodiode
from fixtures.world import Change, World
from instruments.capability import Oscilloscope, Waveform
from standards.errors import InstrumentError, UsageError


def shot(bench: Bench, *, seconds: float = 0.02, level: float = 1.0, rising: bool = True) -> Waveform:
    """One record of the lamp's edge."""
    scope: Oscilloscope = bench.instrument
    scope.set_timebase(seconds)
    scope.set_scale(1, 8.0)
    scope.arm(1, level, rising=rising)
    assert not scope.triggered()
    bench.world.set("lamp", 1.0 if rising else 0.0, by="test")
    assert eventually(scope.triggered)
    return scope.waveform(1)


@pytest.mark.parametrize(("case", "transport"), over_transports(OSCILLOSCOPES))
def test_the_lamp_s_edge_is_at_the_trigger(case: Case, transport: str, tmp_path: Path) -> None:
    """1000 lx at 2 mV/lx is 2 V; a low pass of 1 kHz passes 1 V after ln(2)/(2 pi 1000 Hz)."""
    settings = {"bandwidth_hz": 1000.0}
    with bench_of(
        case, transport, tmp_path, world=World({"illuminance_lx": 0.0}), settings=settings
    ) as bench:
        trace = shot(bench)
        change = next(fact for fact in bench.facts("world") if fact["quantity"] == "lamp")
        times = trace.start_s + trace.step_s * np.arange(len(trace.volts))
        assert len(trace.volts) * trace.step_s >= 0.02 * 0.999
        delay = math.log(2) / (2 * math.pi * 1000.0)
        expected = 2.0 * (1 - np.exp(-(times + delay).clip(0) * 2 * math.pi * 1000.0))
        assert np.abs(trace.volts - expected).max() < 0.03, "one code is 31 or 40 mV"
        trigger = bench.facts("oscilloscope")[-1]["trigger_ns"]
        assert (trigger - change["at_ns"]) / 1e9 == pytest.approx(delay, abs=1e-8)


@pytest.mark.parametrize(("case", "transport"), once(OSCILLOSCOPES))
def test_a_falling_edge(case: Case, transport: str, tmp_path: Path) -> None:
    world = World({"illuminance_lx": 0.0, "lamp": 1.0})
    with bench_of(case, transport, tmp_path, world=world) as bench:
        trace = shot(bench, rising=False)
        assert trace.volts[0] == pytest.approx(2.0, abs=0.04) and trace.volts[-1] == pytest.approx(
            0, abs=0.04
        )


@pytest.mark.parametrize(("case", "transport"), once(OSCILLOSCOPES))
def test_flicker_is_seen_at_its_frequency_and_depth(case: Case, transport: str, tmp_path: Path) -> None:
    world = World({"illuminance_lx": 500.0, "flicker_hz": 100.0, "flicker_depth": 0.4})
    with bench_of(case, transport, tmp_path, world=world) as bench:
        scope = bench.instrument
        scope.set_timebase(0.1)
        scope.set_scale(1, 4.0)
        scope.arm(1, 1.0)
        assert eventually(scope.triggered)
        trace = scope.waveform(1)
        times = trace.start_s + trace.step_s * np.arange(len(trace.volts))
        assert np.abs(trace.volts - (1.0 + 0.4 * np.sin(2 * np.pi * 100 * times))).max() < 0.03


@pytest.mark.parametrize(("case", "transport"), once(OSCILLOSCOPES))
def test_a_short_record_of_a_lively_signal(case: Case, transport: str, tmp_path: Path) -> None:
    world = World({"illuminance_lx": 500.0, "flicker_hz": 5000.0, "flicker_depth": 0.4})
    with bench_of(case, transport, tmp_path, world=world, settings={"bandwidth_hz": 1e6}) as bench:
        bench.instrument.set_timebase(0.001)
        bench.instrument.set_scale(1, 4.0)
        bench.instrument.arm(1, 1.0)
        assert eventually(bench.instrument.triggered)
        volts = bench.instrument.waveform(1).volts
        assert volts.max() - volts.min() == pytest.approx(0.8, abs=0.06)


@pytest.mark.parametrize(("case", "transport"), once(OSCILLOSCOPES))
def test_errors_are_as_declared(case: Case, transport: str, tmp_path: Path) -> None:
    errors = InstrumentErrors(gain=0.05, offset=0.1, noise=0.05, seed=2)
    with bench_of(case, transport, tmp_path, world=World({"illuminance_lx": 0.0}), errors=errors) as bench:
        trace = shot(bench)
        late = trace.volts[-len(trace.volts) // 4 :]
        assert late.mean() == pytest.approx(2.0 * 1.05 + 0.1, abs=0.01)
        assert late.std() == pytest.approx(math.hypot(0.05, 0.0), rel=0.2)


@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize(("case", "transport"), once(OSCILLOSCOPES))
def test_without_an_edge_there_is_no_record(case: Case, transport: str, tmp_path: Path) -> None:
    with bench_of(case, transport, tmp_path) as bench:
        scope = bench.instrument
        with pytest.raises(InstrumentError, match="-2"):
            scope.waveform(1)
        scope.set_timebase(0.01)
        scope.set_scale(1, 8.0)
        scope.arm(1, 2.0)
        time.sleep(0.05)
        assert not scope.triggered()
        scope.safe()
        with pytest.raises(InstrumentError, match="-230"):
            scope.waveform(1)


@pytest.mark.parametrize(("case", "transport"), once(OSCILLOSCOPES))
def test_a_trace_that_leaves_the_picture_is_no_measurement(
    case: Case, transport: str, tmp_path: Path
) -> None:
    settings = {"lamp_lux": 5000.0}
    with (
        bench_of(case, transport, tmp_path, settings=settings) as bench,
        pytest.raises(InstrumentError, match="larger scale"),
    ):
        shot(bench, level=1.5)


@pytest.mark.parametrize(("case", "transport"), once(OSCILLOSCOPES))
def test_impossible_settings(case: Case, transport: str, tmp_path: Path) -> None:
    with bench_of(case, transport, tmp_path) as bench:
        before = bench.heard()
        for seconds in (0.0, 1e9, float("nan")):
            with pytest.raises(UsageError):
                bench.instrument.set_timebase(seconds)
        for channel, volts in ((0, 1.0), (5, 1.0), (1, 0.0), (1, 1e4)):
            with pytest.raises(UsageError):
                bench.instrument.set_scale(channel, volts)
        assert bench.heard() == before
        bench.instrument.set_scale(1, 0.1)
        with pytest.raises(InstrumentError, match="-222"):
            bench.instrument.arm(1, 5.0)


@pytest.mark.parametrize(
    "change", [{}, {"tau_s": 0.003}, {"tau_s": 0.01}, {"rate": 120.0}], ids=["step", "slow", "same", "ramp"]
)
def test_the_low_pass_is_that_of_the_differential_equation(change: dict[str, float]) -> None:
    tau, start = 0.01, 10**18
    world, signal = World({"illuminance_lx": 1.0}), FilteredSignal("illuminance_lx", 1.0, tau)
    for at, target in ((0, 4.0), (20, 2.0)):
        found = Change("illuminance_lx", start + at * 10**6, target, **change)
        world.apply(found)
        signal.apply(found)
    y, step = 1.0, 10_000
    for n in range(8000):
        when = start + n * step
        if n % 400 == 0:
            assert signal.value(when) == pytest.approx(y, abs=2e-3)
        y += (world.value("illuminance_lx", when + step // 2) - y) * -math.expm1(-step / 1e9 / tau)


def test_a_crossing_is_found_to_the_nanosecond() -> None:
    world = World({"illuminance_lx": 0.0})
    diode = Photodiode(world, volts_per_lux=0.001, lamp_lux=1000.0, bandwidth_hz=1000.0)
    now = time.time_ns()
    for n in range(40):
        world.set("lamp", float(n % 2 == 0), at_ns=now + n * 10**7)
    first = diode.crossing(now - 10**9, now + 10**9, 0.5, rising=True)
    second = diode.crossing(now + 5 * 10**6, now + 10**9, 0.5, rising=True)
    delay = math.log(2) / (2 * math.pi * 1000) * 1e9
    assert first is not None and second is not None
    assert first - now == pytest.approx(delay, abs=2)
    assert second - now == pytest.approx(2 * 10**7 + delay, abs=2)
    assert diode.crossing(now - 10**9, now, 0.5, rising=True) is None
    assert diode.crossing(now - 10**9, now + 10**9, 1.5, rising=True) is None
