"""What must not change figures of light: its unit, the order of steps, gain and offset of codes, mirror and turn."""

from __future__ import annotations

import math
from dataclasses import replace
from functools import cache

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from imaging_world import imager, moment
from numpy.typing import NDArray

from bench.measure.chart_view import ChartView, locate
from bench.measure.dynamic_range import LitSteps, dynamic_range
from bench.measure.fall_off import corner_illumination
from bench.measure.minimum_illumination import CRITERION, Level, contrast, minimum_illumination
from bench.measure.noise import GreyStep
from bench.measure.patch_noise import PatchNoise
from bench.measure.resolution import resolution
from bench.measure.tone import measure_tone
from bench.measure.tone_error import edge_errors
from fixtures.charts import CHARTS
from fixtures.simulated.picture.lens import edge_profile


def _step(density: float, light: float, gain: float, constant: float, share: float) -> GreyStep:
    """A linear camera's grey step; light as a share of what saturates, codes `gain` times it."""
    temporal = 0.0 if light >= 1 else gain**2 * (constant + share * light)
    noise = PatchNoise(
        mean=16 + gain * min(light, 1.0), u_mean=0.01, temporal=temporal, fixed=0.0, total=temporal,
        u_temporal=0.02 * temporal, u_fixed=0.0, u_total=0.02 * temporal, drift=0.0, clipped=0.0, pixels=1000, pictures=12,
    )  # fmt: skip
    return GreyStep(density, noise, 0.0 if light >= 1 else gain * light, 0.01)


def _series(
    unit: float = 1.0, gain: float = 219.0, constant: float = 1e-5, share: float = 1e-3
) -> list[LitSteps]:
    return [
        LitSteps(
            unit * lux, 0.01,
            [_step(0.1 * i, lux / 500 * 10 ** (-0.1 * i), gain, constant, share) for i in range(24)],
        )
        for lux in (1500.0, 500.0, 150.0, 50.0)
    ]  # fmt: skip


@settings(max_examples=15)
@given(st.floats(0.01, 100), st.permutations(range(4)), st.floats(-5, -3.5), st.floats(-4, -2.5))
def test_dynamic_range_knows_no_unit_of_light_and_no_order(
    unit: float, order: list[int], constant: float, share: float
) -> None:
    plain = _series(constant=10**constant, share=10**share)
    found = dynamic_range(plain, stream="raw")
    other = [_series(unit, constant=10**constant, share=10**share)[i] for i in order]
    assert dynamic_range(other, stream="raw").value == pytest.approx(found.value, abs=1e-6)
    floor = (10**share + math.sqrt(10 ** (2 * share) + 4 * 10**constant)) / 2
    assert found.value == pytest.approx(-20 * math.log10(floor), abs=0.5)


@settings(max_examples=10)
@given(st.floats(150, 235))
def test_dynamic_range_does_not_follow_the_gain_of_codes(gain: float) -> None:
    found = dynamic_range(_series(gain=gain), stream="raw").value
    assert found == pytest.approx(dynamic_range(_series(), stream="raw").value, abs=0.1)


LEVELS = [Level(lux, 0.01 * lux, 0.28 * math.log10(lux / 0.1), 0.002) for lux in (30.0, 10.0, 3.0, 1.1, 1.0)]


@settings(max_examples=20)
@given(st.permutations(LEVELS), st.floats(0.01, 100))
def test_minimum_illumination_knows_no_order_and_scales_with_the_light(
    levels: list[Level], unit: float
) -> None:
    found = minimum_illumination(levels, exposure="")
    true = 0.1 * 10 ** (CRITERION / 0.28)
    assert found.value == pytest.approx(true, rel=0.01)
    scaled = [replace(level, illuminance=unit * level.illuminance, u=unit * level.u) for level in levels]
    other = minimum_illumination(scaled, exposure="")
    assert found.u is not None
    assert (other.value, other.u) == pytest.approx((unit * true, unit * found.u), rel=0.01)


@cache
def _chart() -> tuple[NDArray[np.uint8], ChartView]:
    one = imager(1280, 720, scene={"chart": "camcert-1", "fill": 0.9}, picture={"noise_sd": 1.0})
    drawn = one.frame(moment(1)).luma
    return drawn, locate(drawn, CHARTS["camcert-1"])


@settings(max_examples=8)
@given(st.integers(-12, 12), st.floats(0.6, 1.0))
def test_contrast_of_white_and_black_ignores_offset_and_follows_gain(offset: int, gain: float) -> None:
    drawn, view = _chart()
    plain, _ = contrast([drawn], view)
    changed = np.clip(np.rint(gain * drawn.astype(np.float64) + 12 + offset), 0, 255).astype(np.uint8)
    assert contrast([changed], view)[0] == pytest.approx(gain * plain, abs=0.01)


def _edge() -> NDArray[np.uint8]:
    y, x = np.mgrid[-40:40, -50:50].astype(np.float64)
    turn = math.radians(6.0)
    away = x * math.cos(turn) + y * math.sin(turn)
    light = 0.15 + 0.45 * edge_profile(away, 0.9, (math.cos(turn), math.sin(turn)))
    noisy = 255 * light ** (1 / 2.2) + np.random.default_rng(2).normal(0, 0.6, light.shape)
    return np.clip(np.rint(noisy), 0, 255).astype(np.uint8)


def test_errors_of_the_steps_grow_with_their_uncertainty_and_do_not_care_how_an_edge_lies() -> None:
    steps = [0.9 * 10 ** (-0.15 * i) for i in range(12)]
    tone = measure_tone([255 * r ** (1 / 2.2) for r in steps], steps)
    edge = _edge()
    small, large = (edge_errors(tone, [edge], u)[:, 0] for u in (0.0025, 0.01))
    assert 3 < float(large.std()) / float(small.std()) < 5
    assert float(np.abs(edge_errors(tone, [edge], 0.0)).max()) == 0.0
    turned = edge_errors(tone, [edge, edge[:, ::-1], np.rot90(edge)], 0.005)
    assert np.ptp(turned, axis=1).max() < 0.15 * float(turned.std()) + 1e-4


@pytest.mark.parametrize(("gain", "offset", "step"), [(0.85, 14.0, 1), (1.0, 8.0, 1), (1.0, 0.0, 2)])
def test_resolution_and_fall_off_do_not_follow_gain_and_offset_of_codes_or_their_depth(
    gain: float, offset: float, step: int
) -> None:
    """The chart's own steps say what the codes mean; a gain, or seven bits, round them anew, which is new noise."""
    drawn, view = _chart()
    changed = (
        np.clip(np.rint(gain * drawn.astype(np.float64) + offset), 0, 255).astype(np.uint8) // step * step
    )
    other = locate(changed, CHARTS["camcert-1"])
    for plain, after in zip(
        (*resolution([drawn], view, density_u=0.0), corner_illumination([drawn], view, density_u=0.0)),
        (*resolution([changed], other, density_u=0.0), corner_illumination([changed], other, density_u=0.0)),
        strict=True,
    ):
        assert after.value == pytest.approx(plain.value, rel=0.01 if gain < 1 or step > 1 else 0.002), (
            plain.quantity
        )
