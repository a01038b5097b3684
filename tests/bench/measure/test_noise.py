"""Noise and dynamic range against the imager's own electrons, and what must not change them."""

from __future__ import annotations

import math
from functools import cache
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from imaging_world import START_NS, imager, moment
from numpy.typing import NDArray

from bench.measure.chart_view import locate
from bench.measure.dynamic_range import LitSteps, dynamic_range
from bench.measure.noise import Coding, GreyStep, grey_steps, snr
from bench.measure.patch_noise import PatchNoise, patch_noise
from fixtures.charts import CHARTS
from fixtures.world import World
from standards.errors import MeasurementRefused
from standards.quantity import Bound

#: Slope of BT.709's curve at a reflectance of 18 %, codes a neper: white fills the scale at 500 lx.
SLOPE = 219 * 1.099 * 0.45 * 0.18**0.45
LUMA = math.sqrt(0.2126**2 + 0.7152**2 + 0.0722**2)  # noise of luma, of the three colours' own noise each
Stack = NDArray[np.uint8]


def shot(count: int = 12, **tables: Any) -> Stack:
    one = imager(
        1280, 720, scene={"chart": "grey", "fill": 0.92, "yaw_deg": 3.0}, lens={"k1": -0.1}, **tables
    )
    return np.stack([one.frame(moment(i)).luma for i in range(count)])


def measured(stack: Stack) -> Any:
    run = np.zeros(len(stack), np.int64)
    return snr(grey_steps(stack, run, locate(stack[0], CHARTS["grey"])), Coding("raw"))


@pytest.mark.parametrize("noise_sd", [0.7, 1.0, 2.5])
def test_temporal_noise_within_two_tenths_of_a_decibel(noise_sd: float) -> None:
    found = measured(shot(picture={"noise_sd": noise_sd, "blur_sigma_px": 0.7}))
    true = 20 * math.log10(SLOPE / noise_sd)
    assert found.value == pytest.approx(true, abs=0.2)
    assert abs(found.value - true) <= found.expanded_uncertainty < 0.4
    assert found.quantity == "picture.snr"


def test_fixed_pattern_is_told_apart() -> None:
    stack = shot(16, picture={"noise_sd": 1.0}, sensor={"prnu": 0.02})
    steps = grey_steps(stack, np.zeros(16, np.int64), locate(stack[0], CHARTS["grey"]))
    near = min(steps, key=lambda step: abs(step.density + math.log10(0.18)))
    assert math.sqrt(near.noise.temporal) == pytest.approx(1.0, rel=0.03)
    # Two per cent of the light of a pixel, of all its colours alike.
    assert math.sqrt(near.noise.fixed) == pytest.approx(0.02 * near.slope, rel=0.08)


@cache
def even(seed: int, sd: float, rows: int = 48, columns: int = 40, n: int = 10) -> NDArray[np.float64]:
    draw = np.random.default_rng(seed)
    fixed = draw.normal(0, 0.5 * sd, (rows, columns))
    return np.asarray(100.3 + fixed + draw.normal(0, sd, (n, rows, columns)))


WHOLE = (slice(None), slice(None))


def codes(light: NDArray[np.float64]) -> Stack:
    return np.clip(np.round(light), 0, 255).astype(np.uint8)


@settings(deadline=None, max_examples=12)
@given(st.integers(0, 50), st.floats(-3, 3), st.floats(-3, 3), st.integers(-60, 60))
def test_shading_and_offset_change_nothing(seed: int, across: float, down: float, offset: int) -> None:
    light = even(seed, 2.0)
    y, x = np.mgrid[-1:1:48j, -1:1:40j]
    run = np.zeros(10, np.int64)
    plain = patch_noise(codes(light), run, [WHOLE])[0]
    shaded = patch_noise(codes(light + across * x + down * y + offset), run, [WHOLE])[0]
    assert shaded.temporal == pytest.approx(plain.temporal, rel=0.03)
    assert shaded.fixed == pytest.approx(plain.fixed, rel=0.1)
    assert shaded.mean == pytest.approx(plain.mean + offset, abs=0.05)


@settings(deadline=None, max_examples=12)
@given(st.integers(0, 50), st.booleans(), st.booleans(), st.floats(0.7, 3.0))
def test_turning_changes_nothing_and_gain_scales(
    seed: int, turned: bool, mirrored: bool, gain: float
) -> None:
    light = even(seed, 2.0)
    other = light[:, :, ::-1] if mirrored else light
    other = np.rot90(other, axes=(1, 2)) if turned else other
    run = np.zeros(10, np.int64)
    plain = patch_noise(codes(light), run, [WHOLE])[0]
    same = patch_noise(codes(other), run, [WHOLE])[0]
    assert (same.temporal, same.fixed) == pytest.approx((plain.temporal, plain.fixed), rel=1e-9)
    scaled = patch_noise(codes(100 + gain * (light - 100)), run, [WHOLE])[0]
    assert scaled.temporal == pytest.approx(gain**2 * plain.temporal, rel=0.05)


@pytest.mark.parametrize("sd", [0.6, 1.0, 4.0])
def test_quantisation_is_taken_off(sd: float) -> None:
    found = [patch_noise(codes(even(s, sd, n=12)), np.zeros(12, np.int64), [WHOLE])[0] for s in range(6)]
    assert np.mean([f.temporal for f in found]) == pytest.approx(sd**2, rel=0.03)
    assert np.mean([f.fixed for f in found]) == pytest.approx((0.5 * sd) ** 2, rel=0.12)


def test_noise_that_hangs_together_counts_for_less() -> None:
    draw = np.random.default_rng(1)
    white = draw.normal(0, 3, (12, 60, 60))
    smooth = sum(np.roll(white, (i, j), (1, 2)) for i in range(3) for j in range(3)) / 3
    run = np.zeros(12, np.int64)
    plain = patch_noise(codes(100 + white), run, [WHOLE])[0]
    together = patch_noise(codes(100 + np.asarray(smooth)), run, [WHOLE])[0]
    assert plain.u_temporal == pytest.approx(plain.temporal * math.sqrt(2 / (12 * 3600)), rel=0.5)
    assert together.u_temporal / together.temporal > 1.5 * plain.u_temporal / plain.temporal


def test_a_change_of_light_between_runs_is_no_noise() -> None:
    light = even(3, 1.5)
    run = np.repeat([0, 1], 5)
    stepped = light + np.where(run == 1, 6.0, 0.0)[:, None, None]
    assert patch_noise(codes(stepped), run, [WHOLE])[0].temporal == pytest.approx(1.5**2, rel=0.05)


def test_what_cannot_be_told_is_refused() -> None:
    run = np.zeros(10, np.int64)
    with pytest.raises(MeasurementRefused, match="too small"):
        patch_noise(codes(even(0, 1.0)), run, [(slice(0, 6), slice(0, 6))])
    with pytest.raises(MeasurementRefused, match="two or more"):
        patch_noise(codes(even(0, 1.0))[:1], run[:1], [WHOLE])
    with pytest.raises(MeasurementRefused, match=r"clipped|do not rise"):
        measured(shot(6, exposure={"ev": 4.0}))
    with pytest.raises(MeasurementRefused, match="copies"):
        measured(np.zeros((6, 720, 1280), np.uint8) + shot(1))


def test_noise_below_rounding_gives_a_lower_bound() -> None:
    found = measured(shot(6, picture={"noise_sd": 0.1}))
    assert (found.bound, found.u) == (Bound.LOWER, None)
    assert found.value < 20 * math.log10(SLOPE / 0.1)


def lit(read_noise_e: float, full_well_e: float, levels: tuple[float, ...]) -> list[LitSteps]:
    world = World()
    one = imager(
        1280, 720, scene={"chart": "grey", "fill": 0.95}, picture={"blur_sigma_px": 0.6},
        sensor={"read_noise_e": read_noise_e, "full_well_e": full_well_e},
    )  # fmt: skip
    stacks, index = [], 0
    for level in levels:
        world.set("illuminance_lx", level, at_ns=START_NS + index * 40_000_000)
        index += 5
        stacks.append(np.stack([one.frame(moment(index + i, world)).luma for i in range(10)]))
        index += 20
    view = locate(stacks[-1][0], CHARTS["grey"])  # the least light: nothing is saturated
    run = np.zeros(10, np.int64)
    return [LitSteps(level, 0.0, grey_steps(s, run, view)) for level, s in zip(levels, stacks, strict=True)]


@pytest.mark.parametrize(("read_noise_e", "full_well_e"), [(30.0, 4000.0), (20.0, 2000.0), (8.0, 600.0)])
def test_dynamic_range_within_a_decibel(read_noise_e: float, full_well_e: float) -> None:
    series = lit(read_noise_e, full_well_e, (1500.0, 500.0, 150.0, 50.0))
    found = dynamic_range(series, stream="raw")
    # Luma's noise is LUMA times a colour's: n^2 = LUMA^2 (n + read^2) where light and noise are equal.
    share = LUMA**2
    floor = (share + math.sqrt(share**2 + 4 * share * read_noise_e**2)) / 2
    assert found.bound is None
    assert found.value == pytest.approx(20 * math.log10(full_well_e / floor), abs=1.0)
    assert found.expanded_uncertainty is not None and found.expanded_uncertainty < 2.0


def test_where_the_chart_ends_first_the_range_is_a_bound() -> None:
    found = dynamic_range(lit(3.0, 8000.0, (300.0,)), stream="raw")
    assert found.bound is Bound.LOWER
    assert "not reached" in found.bound_reason
    # The chart's own 2.30 D are 46 dB: no more is claimed.
    assert isinstance(found.value, float)
    assert found.value <= 46.5


def test_noise_that_white_cuts_off_does_not_move_the_floor() -> None:
    """A camera with so much noise that the steps near white lose half of it: 20 dB at white, closed form."""
    constant, share = 4e-4, 8e-3  # of white squared; floor: light^2 = constant + share light
    steps = []
    for i in range(24):
        density = 0.1 * i - 0.3
        light = 10**-density
        variance = constant + share * light
        near_white = light + 2 * math.sqrt(variance) > 1
        temporal = 0.0 if light >= 1 else variance * (0.4 if near_white else 1.0)
        noise = PatchNoise(
            mean=16 + 219 * min(light, 1.0), u_mean=0.01, temporal=219**2 * temporal, fixed=0.0, total=219**2 * temporal,
            u_temporal=0.02 * 219**2 * temporal, u_fixed=0.0, u_total=0.02 * 219**2 * temporal, drift=0.0, clipped=0.0,
            pixels=1000, pictures=12,
        )  # fmt: skip
        steps.append(GreyStep(density, noise, 0.0 if light >= 1 else 219 * light, 0.01))
    found = dynamic_range([LitSteps(1.0, 0.0, steps)], stream="raw")
    floor = (share + math.sqrt(share**2 + 4 * constant)) / 2
    assert found.bound is None
    assert found.value == pytest.approx(-20 * math.log10(floor), abs=0.3)
    assert found.expanded_uncertainty is not None and found.expanded_uncertainty < 1.0
