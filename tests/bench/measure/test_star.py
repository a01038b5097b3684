"""Siemens stars against the closed form of lens and pixel: right, to the noise, and honest beyond Nyquist."""

from __future__ import annotations

import math
from functools import cache
from typing import Literal

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from imaging_world import imager, moment
from numpy.typing import NDArray

from bench.measure.chart_view import locate
from bench.measure.star import StarSfr, star_sfr
from bench.measure.star_resolution import star_resolution
from fixtures.charts import CHARTS
from fixtures.simulated.picture.lens import falls_to, true_mtf
from standards.errors import MeasurementRefused

CYCLES, SIZE, CENTRE = 72, 240, (119.3, 120.6)


def drawn(
    sigma: float, noise: float = 0.0, wave: Literal["sine", "square"] = "sine", seed: int = 1
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """A star in the picture: each wave taken down by lens and pixel at its own frequency. Light, angle, frequency."""
    y, x = np.mgrid[0:SIZE, 0:SIZE].astype(float)
    dx, dy = x - CENTRE[0], y - CENTRE[1]
    radius, angle = np.hypot(dx, dy), np.arctan2(dy, dx)
    inside = (radius > 10) & (radius < 115)
    radius, angle = radius[inside], angle[inside]
    frequency = CYCLES / (2 * np.pi * radius)
    waves = [(1, 1.0)] if wave == "sine" else [(n, 4 / math.pi / n * (-1) ** (n // 2)) for n in (1, 3, 5, 7)]
    light = np.full(len(radius), 0.4)
    for n, height in waves:
        f = n * frequency
        turned = angle + math.pi / 2
        taken = (
            np.exp(-2 * (math.pi * sigma * f) ** 2)
            * np.sinc(f * np.cos(turned))
            * np.sinc(f * np.sin(turned))
        )
        light += 0.3 * height * taken * np.cos(n * CYCLES * angle)
    return light + np.random.default_rng(seed).normal(0, noise, len(light)), angle, frequency


def found(
    sigma: float,
    noise: float = 0.0,
    seed: int = 1,
    wave: Literal["sine", "square"] = "sine",
    moved: float = 0.0,
) -> StarSfr:
    light, angle, frequency = drawn(sigma, noise, wave, seed)
    if moved:
        radius = CYCLES / (2 * np.pi * frequency)
        angle = np.arctan2(radius * np.sin(angle) - moved, radius * np.cos(angle) + moved)
    return star_sfr(light, angle, frequency, cycles=CYCLES, modulation=0.75, wave=wave)


def true(sigma: float, level: float) -> float:
    return falls_to(level, lambda f: true_mtf(f, sigma, 22.5))


@pytest.mark.parametrize("wave", ["sine", "square"])
@pytest.mark.parametrize("sigma", [0.75, 1.0, 1.4])
def test_the_three_limits_of_a_sine_and_of_a_binary_star(
    sigma: float, wave: Literal["sine", "square"]
) -> None:
    star = found(sigma, wave=wave)
    assert star.mtf50 == pytest.approx(true(sigma, 0.5), rel=0.005)
    assert star.f10 == pytest.approx(true(sigma, 0.1), rel=0.005)
    assert star.f05 == pytest.approx(true(sigma, 0.05), rel=0.015)
    assert star.segments == pytest.approx(np.full(8, star.f10), rel=0.01)


def test_the_scatter_is_as_stated_at_thirty_decibels() -> None:
    runs = [found(1.0, 0.019, seed) for seed in range(16)]
    errors = np.array([(r.mtf50 - true(1.0, 0.5), r.f10 - true(1.0, 0.1)) for r in runs])
    stated = np.array([(r.mtf50_u, r.f10_u) for r in runs]).mean(0)
    ratio = errors.std(0) / stated
    assert ((ratio > 0.5) & (ratio < 1.5)).all()
    assert (np.abs(errors.mean(0)) < stated).all()


def test_a_star_that_lies_off_is_followed() -> None:
    star = found(1.0, moved=0.5)
    assert star.f10 == pytest.approx(true(1.0, 0.1), rel=0.01)
    assert np.hypot(*star.offset) == pytest.approx(0.5 * math.sqrt(2), rel=0.05)


def test_sharper_than_the_pixels_is_nyquist_limited() -> None:
    star = found(0.35)
    assert star.nyquist_limited and math.isnan(star.f05)


@cache
def plain() -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    return drawn(1.0, 0.01)


@settings(deadline=None, max_examples=6)
@given(st.floats(0.01, 1000), st.sampled_from([0, 1, 2, 3]), st.booleans())
def test_gain_turns_by_a_quarter_and_mirrors_change_nothing(
    gain: float, quarters: int, mirrored: bool
) -> None:
    light, angle, frequency = plain()
    straight = star_sfr(light, angle, frequency, cycles=CYCLES, modulation=0.75)
    other = (-angle if mirrored else angle) + quarters * math.pi / 2
    turned = star_sfr(gain * light, other, frequency, cycles=CYCLES, modulation=0.75)
    assert turned.f10 == pytest.approx(straight.f10, rel=1e-6)
    assert turned.mtf50 == pytest.approx(straight.mtf50, rel=1e-6)


def test_what_is_no_star_is_refused() -> None:
    light, angle, frequency = plain()
    with pytest.raises(MeasurementRefused, match="no contrast"):
        star_sfr(np.full_like(light, 0.4), angle, frequency, cycles=CYCLES, modulation=0.75)
    with pytest.raises(MeasurementRefused, match="too small"):
        star_sfr(light[:40], angle[:40], frequency[:40] + 5, cycles=CYCLES, modulation=0.75)
    with pytest.raises(ValueError, match="8 to 1000"):
        star_sfr(light, angle, frequency, cycles=2, modulation=0.75)


def test_the_chart_before_the_camera() -> None:
    scene = {"chart": "star", "fill": 0.92, "dx": 2.0, "yaw_deg": 3.0, "tilt_deg": -2.0, "rotation_deg": 1.0}
    one = imager(
        1280, 720, scene=scene, lens={"k1": -0.08, "vignetting": 0.25, "glare": 0.01},
        picture={"blur_sigma_px": 0.8, "noise_sd": 1.1},
    )  # fmt: skip
    picture = one.frame(moment(1)).luma
    view = locate(picture, CHARTS["star"])
    limit, half, ratio = star_resolution([picture], view)
    for estimate, expected in ((limit, 1440 * true(0.8, 0.1)), (half, 1440 * true(0.8, 0.5)), (ratio, 100.0)):
        assert estimate.expanded_uncertainty is not None
        assert estimate.value == pytest.approx(expected, rel=0.01)
        assert abs(estimate.value - expected) <= estimate.expanded_uncertainty
    hidden = picture.copy()
    corners = view.corners(CHARTS["star"].patterns[0].region).astype(int)
    (x0, y0), (x1, y1) = corners.min(0), corners.max(0)
    hidden[y0:y1, x0:x1] = 120
    with pytest.raises(MeasurementRefused, match=r"star\.centre: the star"):
        star_resolution([hidden], view)
