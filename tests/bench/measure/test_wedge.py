"""Wedges against the closed form of lens and pixel: right, to the noise, and honest beyond Nyquist."""

from __future__ import annotations

import math
from functools import cache
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from imaging_world import imager, moment
from numpy.typing import NDArray

from bench.measure.chart_view import ChartView, locate
from bench.measure.wedge import WedgeLimit, wedge_limit, wedge_resolution
from fixtures.charts import CHARTS
from fixtures.simulated.picture.lens import falls_to, true_mtf
from standards.errors import MeasurementRefused

ROWS = 720


def seen(sigma: float, noise_sd: float, seed: int, **lens: Any) -> tuple[NDArray[np.uint8], ChartView]:
    draw = np.random.default_rng(seed)
    scene = {
        "chart": "wedge", "fill": 0.92, "dx": float(draw.uniform(-3, 3)), "dy": float(draw.uniform(-3, 3)),
        "yaw_deg": float(draw.uniform(-4, 4)), "tilt_deg": float(draw.uniform(-4, 4)),
        "rotation_deg": float(draw.uniform(-1.5, 1.5)),
    }  # fmt: skip
    lens = {"k1": float(draw.uniform(-0.15, 0.02)), "vignetting": 0.25, "glare": 0.01, **lens}
    one = imager(1280, ROWS, scene=scene, lens=lens, picture={"blur_sigma_px": sigma, "noise_sd": noise_sd})
    picture = one.frame(moment(1)).luma
    return picture, locate(picture, CHARTS["wedge"])


def limit(
    picture: NDArray[np.uint8], view: ChartView, place: str = "centre", way: str = "horizontal"
) -> WedgeLimit:
    return wedge_limit([picture], view, view.tone([picture]), place, way)


def true(sigma: float, level: float = 0.1) -> float:
    return falls_to(level, lambda f: true_mtf(f, sigma, 0.0))


@pytest.mark.parametrize("sigma", [0.8, 1.1, 1.6])
def test_within_one_percent_at_forty_decibels(sigma: float) -> None:
    picture, view = seen(sigma, 1.1, int(10 * sigma))
    for place in ("centre", "top_left", "bottom_right"):
        for way in ("horizontal", "vertical"):
            found = limit(picture, view, place, way)
            assert found.f10 == pytest.approx(true(sigma), rel=0.01)
            assert found.f05 == pytest.approx(true(sigma, 0.05), rel=0.02)
            assert not found.nyquist_limited


def test_within_three_percent_at_twenty_decibels_and_the_scatter_as_stated() -> None:
    errors, stated = [], []
    for seed in range(3):
        picture, view = seen(1.0, 11.0, seed)
        for place in ("centre", "top_left", "top_right", "bottom_left"):
            found = limit(picture, view, place)
            errors.append(found.f10 / true(1.0) - 1)
            stated.append(found.u10 / true(1.0))
    assert abs(np.mean(errors)) < 0.02
    assert np.std(errors) < 0.03
    assert 0.5 < np.std(errors) / np.mean(stated) < 1.5


def test_a_picture_sharper_than_its_pixels_is_nyquist_limited() -> None:
    picture, view = seen(0.4, 1.0, 3)
    assert true(0.4) > 0.46
    found = limit(picture, view)
    assert found.nyquist_limited
    centre, _ = wedge_resolution([picture], view)
    assert centre.value >= 2 * 0.46 * ROWS
    assert any("Nyquist" in note for note in centre.notes)


def test_soft_corners_show_in_the_ratio() -> None:
    picture, view = seen(0.9, 1.0, 5, field_sigma_px=1.6)
    centre, ratio = wedge_resolution([picture], view)
    assert centre.value == pytest.approx(2 * ROWS * true(0.9), rel=0.02)
    # Of the corners' wedges: where they lie, the Gaussian added is 1.6 px by the square of the radius.
    half = math.hypot(1280, ROWS) / 2
    spots = [
        view.corners(r.region).mean(0) - view.map.centre
        for r in CHARTS["wedge"].patterns
        if "horizontal" in r.name
    ]
    radii = [float(np.hypot(*s)) / half for s in spots if np.hypot(*s) > 0.4 * half]
    expected = np.mean([true(math.hypot(0.9, 1.6 * r * r)) for r in radii]) / true(0.9)
    assert ratio.value == pytest.approx(100 * expected, rel=0.08)
    assert ratio.u is not None and centre.u is not None


@cache
def still() -> tuple[NDArray[np.uint8], ChartView]:
    return seen(1.1, 0.5, 2)


@settings(deadline=None, max_examples=6)
@given(st.sampled_from([0.7, 1.05]), st.integers(-12, 12), st.booleans())
def test_gain_and_offset_of_the_codes_change_nothing(gain: float, offset: int, deeper: bool) -> None:
    picture, view = still()
    plain = limit(picture, view).f10
    other = np.clip(np.round(gain * (picture.astype(float) - 16) + 30 + offset), 0, 255).astype(np.uint8)
    other = (other // 2 * 2).astype(np.uint8) if deeper else other
    # Of 7 bits and 0.7 of the contrast a step is three codes: the faintest lines are rounded.
    assert limit(other, view).f10 == pytest.approx(plain, rel=0.02 if deeper else 0.012)


def test_both_directions_of_a_round_lens_are_alike() -> None:
    picture, view = seen(1.1, 0.5, 8)
    ways = [limit(picture, view, "centre", way).f10 for way in ("horizontal", "vertical")]
    assert ways[0] == pytest.approx(ways[1], rel=0.01)


def test_what_shows_no_lines_is_refused() -> None:
    picture, view = seen(1.0, 0.5, 1)
    corners = view.corners(
        next(p for p in view.chart.patterns if p.name == "wedge.centre.horizontal.low").region
    )
    covered = picture.copy()
    (x0, y0), (x1, y1) = corners.min(0).astype(int) - 3, corners.max(0).astype(int) + 40
    covered[y0:y1, x0 : x1 + 90] = 120
    with pytest.raises(MeasurementRefused, match="no contrast"):
        limit(covered, view)
    grey = imager(1280, 720, scene={"chart": "grey", "fill": 0.9}).frame(moment(1)).luma
    with pytest.raises(MeasurementRefused, match="wedge chart"):
        wedge_resolution([grey], locate(grey, CHARTS["grey"]))
