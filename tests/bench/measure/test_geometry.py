"""Distortion of virtual lenses, from grids in perspective, against the closed form of their k1."""

from __future__ import annotations

import math
from functools import cache

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from imaging_world import imager, moment
from numpy.typing import NDArray
from scipy.optimize import brentq

from bench.measure.chart_view import ChartView, locate
from bench.measure.geometry import fit_distortion, geometric_distortion
from bench.measure.lattice import lattice_points
from fixtures.charts import CHARTS
from standards.errors import MeasurementRefused

HFOV_DEG = 60.0


def corner_distortion(k1: float) -> float:
    """% in the corner of a 16 : 9 picture, of OpenCV's k1."""
    corner = math.tan(math.radians(HFOV_DEG / 2)) * math.hypot(16, 9) / 16
    ideal = float(brentq(lambda r: r * (1 + k1 * r * r) - corner, 0.0, 1.6 * corner))
    return 100 * (corner / ideal - 1)


@cache
def seen(chart: str, k1: float, seed: int) -> tuple[NDArray[np.uint8], ChartView]:
    draw = np.random.default_rng(seed)
    scene = {
        "chart": chart, "fill": 0.9, "dx": float(draw.uniform(-4, 4)), "dy": float(draw.uniform(-4, 4)),
        "yaw_deg": float(draw.uniform(-5, 5)), "tilt_deg": float(draw.uniform(-5, 5)),
        "rotation_deg": float(draw.uniform(-2, 2)),
    }  # fmt: skip
    one = imager(
        1280, 720, scene=scene, lens={"k1": k1, "hfov_deg": HFOV_DEG, "vignetting": 0.2},
        picture={"blur_sigma_px": 0.9, "noise_sd": 1.0, "exposure_ms": 9.0, "seed": seed},
    )  # fmt: skip
    picture = one.frame(moment(1)).luma.copy()
    return picture, locate(picture, CHARTS[chart])


@pytest.mark.parametrize(("chart", "k1"), [("grid", -0.22), ("grid", 0.03), ("chess", -0.15)])
def test_distortion_of_a_lens_of_known_k1(chart: str, k1: float) -> None:
    picture, view = seen(chart, k1, 3)
    corner, tv = geometric_distortion([picture], view, flatness_u_mm=0.0)
    truth = corner_distortion(k1)
    assert abs(corner.value - abs(truth)) < 0.1
    assert corner.details["signed"] == pytest.approx(truth, abs=0.1)
    assert corner.details["distortion"][-1] == corner.details["signed"]
    if k1:
        assert corner.notes == (("barrel",) if k1 < 0 else ("pincushion",))
        assert 0.4 < tv.value / corner.value < 0.7


def test_dots_are_found_to_hundredths_of_a_pixel() -> None:
    picture, view = seen("grid", -0.22, 3)
    paper, points = lattice_points([picture], view)
    assert len(paper) > 450
    off = points - view.map.to_picture(paper)
    assert float(np.hypot(*(off - np.median(off, axis=0)).T).max()) < 0.4  # of the map found by sides


def views(
    k1: float, k2: float, seed: int, count: int
) -> list[tuple[NDArray[np.float64], NDArray[np.float64]]]:
    """Exact views of a board through a lens 20 pixels off the middle of 640 x 480."""
    draw = np.random.default_rng(seed)
    board = np.array([[x, y] for y in range(9) for x in range(12)], dtype=float)
    found = []
    for _ in range(count):
        matrix = np.array([[0.125, 0, -0.72], [0, 0.125, -0.52], [0, 0, 1]]) + draw.uniform(-1, 1, (3, 3)) * [
            [4e-3, 4e-3, 0.02], [4e-3, 4e-3, 0.02], [4e-3, 4e-3, 0]
        ]  # fmt: skip
        plane = np.column_stack([board, np.ones(len(board))]) @ matrix.T
        ideal = plane[:, :2] / plane[:, 2:]
        square = (ideal**2).sum(1, keepdims=True)
        off = ideal * (1 + square * (k1 + square * k2))
        found.append((board, off * 400 + (319.5 + 20, 239.5 - 8)))
    return found


@settings(max_examples=5, deadline=None)
@given(k1=st.floats(-0.25, 0.1), k2=st.floats(0.0, 0.05), seed=st.integers(0, 1000))
def test_several_views_of_a_board_give_the_lens_and_its_centre(k1: float, k2: float, seed: int) -> None:
    fit = fit_distortion(views(k1, k2, seed, 3), (480, 640))
    assert (fit.k1, fit.k2) == pytest.approx((k1, k2), abs=2e-3)
    if abs(k1) > 0.05:
        assert fit.centre == pytest.approx((0.05, -0.02), abs=2e-3)


def test_a_mirrored_and_a_turned_picture_have_the_same_distortion() -> None:
    upright = views(-0.2, 0.03, 5, 3)
    first = fit_distortion(upright, (480, 640)).distortion(0.7)
    mirrored = [(paper, points * (-1, 1) + (639, 0)) for paper, points in upright]
    turned = [(paper, points[:, ::-1] * (-1, 1) + (479, 0)) for paper, points in upright]
    assert fit_distortion(mirrored, (480, 640)).distortion(0.7) == pytest.approx(first, abs=1e-4)
    assert fit_distortion(turned, (640, 480)).distortion(0.7) == pytest.approx(first, abs=1e-4)


def test_what_cannot_be_measured_is_refused() -> None:
    picture, view = seen("grid", -0.22, 3)
    with pytest.raises(MeasurementRefused, match="points"):
        geometric_distortion([np.zeros_like(picture)], view)
    with pytest.raises(MeasurementRefused, match="grid"):
        geometric_distortion([], view)
    board, points = views(0.0, 0.0, 1, 1)[0]
    with pytest.raises(MeasurementRefused, match="reaches"):
        fit_distortion([(board, (points - 320) / 4 + 320)], (480, 640))
    with pytest.raises(MeasurementRefused, match="fewer"):
        fit_distortion([(board[:5], points[:5])], (480, 640))
