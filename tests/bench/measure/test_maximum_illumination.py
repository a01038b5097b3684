"""Maximum illumination against closed forms: tone curve, shortest shutter, and the steps of the chart."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from imaging_world import PERIOD_NS, START_NS, imager, moment

from bench.measure.chart_view import locate
from bench.measure.maximum_illumination import White, apart, maximum_illumination, search
from fixtures.charts import CHARTS
from fixtures.world import World
from standards.errors import MeasurementRefused
from standards.quantity import Bound

FULL_LX = 10_000.0  # white fills the scale
STEPS = (0.891, 0.661)


def code(light: float) -> float:
    """ITU-R BT.709-6, 1.2, in codes over black."""
    return 219 * (4.5 * light if light < 0.018 else 1.099 * min(light, 1.0) ** 0.45 - 0.099)


def true_lux(second: float, full: float) -> float:
    """Where the second step is one code below white."""
    return full / second * (((1 - 1 / 219) + 0.099) / 1.099) ** (1 / 0.45)


def white(lux: float, gain: float = 1.0, u: float = 0.01, noise: float = 0.0) -> White:
    first, second = (
        code(min(0.7, lux / FULL_LX) * r if lux < 0.7 * FULL_LX else lux / FULL_LX * r) for r in STEPS
    )
    return White(lux * gain, u * lux, first - second - 1 + noise, 0.05, 16 + first)


def test_coverage_over_drawn_meters_and_starts() -> None:
    draw, true = np.random.default_rng(8), true_lux(STEPS[1], FULL_LX)
    errors, stated = [], []
    for _ in range(200):
        gain = 1 + 0.01 * draw.standard_normal()
        found = maximum_illumination(
            search(lambda step, lux, g=gain: white(lux, g), draw.uniform(100, 1000)), exposure="auto"
        )
        assert found.expanded_uncertainty is not None
        errors.append(abs(float(found.value) - true))
        stated.append(found.expanded_uncertainty)
    assert np.count_nonzero(np.array(errors) <= stated) >= 181
    assert np.median(stated) <= 1.5 * np.quantile(errors, 0.95)


@given(scale=st.floats(0.01, 100.0), seed=st.integers(0, 1 << 20))
def test_it_knows_no_order_and_scales_with_the_light(scale: float, seed: int) -> None:
    whites = search(lambda step, lux: white(lux), 300.0)
    found = maximum_illumination(whites, exposure="")
    order = np.random.default_rng(seed).permutation(len(whites))
    brighter = [
        replace(whites[i], illuminance=scale * whites[i].illuminance, u=scale * whites[i].u) for i in order
    ]
    other = maximum_illumination(brighter, exposure="")
    assert other.u is not None and found.u is not None
    assert float(other.value) == pytest.approx(scale * float(found.value))
    assert other.u == pytest.approx(scale * found.u)


def limited(most: float) -> Callable[[str, float], White | None]:
    return lambda step, lux: white(lux) if lux <= most else None


def test_a_light_box_that_ends_before_gives_a_lower_bound_close_to_its_end() -> None:
    whites = search(limited(9000.0), 500.0)
    found = maximum_illumination(whites, exposure="")
    assert found.bound is Bound.LOWER and 9000 / 1.03 <= float(found.value) <= 9000
    assert float(maximum_illumination(search(limited(2e4), 500.0), exposure="").value) > 9000


def test_what_cannot_be_told() -> None:
    with pytest.raises(MeasurementRefused, match="less light"):
        maximum_illumination(search(limited(1e9), 40_000.0), exposure="")
    with pytest.raises(MeasurementRefused, match="let the exposure settle"):
        maximum_illumination(
            [White(100.0, 1.0, -1.0, 0.1, 235.0), White(200.0, 1.0, 5.0, 0.1, 200.0)], exposure=""
        )
    shown = imager(640, 360, scene={"chart": "camcert-1"}).frame(moment()).luma.copy()
    view = locate(shown, CHARTS["camcert-1"])
    with pytest.raises(MeasurementRefused, match="whole picture"):
        apart([shown[:10]], view)


@pytest.mark.parametrize(("shortest_ms", "tone"), [(0.5, "bt709"), (1.7, "gamma22")])
def test_through_the_eye_of_the_virtual_camera(shortest_ms: float, tone: str) -> None:
    """White of reflectance 1 at 500 lx and 10 ms fills the scale at 0 dB."""
    camera = imager(
        960, 540, scene={"chart": "camcert-1"}, picture={"noise_sd": 0.5, "tone": tone},
        exposure={"mode": "auto", "min_ms": shortest_ms, "max_gain_db": 20.0, "tau_s": 0.0},
    )  # fmt: skip
    world, place = World(), iter(range(10_000))
    view = locate(camera.frame(moment(next(place), world)).luma, CHARTS["camcert-1"])

    def look(step: str, lux: float) -> White:
        world.set("illuminance_lx", lux, at_ns=START_NS + (next(place)) * PERIOD_NS)
        shown = [camera.frame(moment(next(place), world)).luma.copy() for _ in range(5)][-3:]
        return White(lux, 0.005 * lux, *apart(shown, view))

    found = maximum_illumination(search(look, 500.0), exposure="auto")
    full = 500.0 * 10.0 / shortest_ms
    second = sorted((g.reflectance or 0.0 for g in CHARTS["camcert-1"].greys), reverse=True)[1]
    light = (1 - 1 / 219) ** 2.2 if tone == "gamma22" else true_lux(1.0, 1.0)
    assert found.expanded_uncertainty is not None
    assert float(found.value) == pytest.approx(full / second * light, abs=found.expanded_uncertainty)
    assert found.expanded_uncertainty < 0.03 * float(found.value)
    assert math.isclose(max(found.details["lightest_code"]), 235.0, abs_tol=0.5)
