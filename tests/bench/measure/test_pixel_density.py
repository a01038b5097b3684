"""Pixel density of a board in random poses before a lens that distorts, against the pose's own geometry."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from imaging_world import imager, moment

from bench.measure.pixel_density import Board, pixel_density
from standards.errors import MeasurementRefused

WIDTH, HEIGHT = 1280, 720
BOARD = Board(280.0, 0.05)


def seen(
    hfov: float = 60.0, k1: float = 0.0, noise: float = 1.0, chart: str = "board", **pose: float
) -> tuple[Any, float]:
    world = imager(
        WIDTH, HEIGHT, scene={"chart": chart, **pose}, lens={"hfov_deg": hfov, "k1": k1},
        picture={"noise_sd": noise, "blur_sigma_px": 0.8},
    )  # fmt: skip
    return world.frame(moment(1)).luma.copy(), float(world.truth["lens"]["focal_px"])


def truth(fill: float, focal: float, k1: float, dx: float, dy: float) -> tuple[float, float]:
    """Pixels a metre across and down, square to the line of sight, at the board's middle."""
    x, y = dx / focal, dy / focal
    scale = 1000 * fill * WIDTH / 320
    sight = np.array([x, y, 1.0]) / math.sqrt(1 + x * x + y * y)
    across = np.array([sight[2], 0, -sight[0]]) / math.hypot(sight[0], sight[2])
    found = []
    for way in (across, np.cross(sight, across)):
        ends = []
        for sign in (1e-5, -1e-5):
            u = np.array([x, y, 1.0]) + sign * way
            u = u[:2] / u[2]
            ends.append(u * (1 + k1 * float(u @ u)))
        found.append(scale * float(np.hypot(*(ends[0] - ends[1]))) / 2e-5)
    return found[0], found[1]


@pytest.mark.parametrize(
    ("fill", "hfov", "k1", "dx", "dy", "yaw", "tilt", "noise"),
    [
        (0.05, 60, 0.0, 100, -60, 10, -8, 1.0),
        (0.08, 80, -0.15, -300, 120, -10, 10, 1.5),
        (0.15, 45, 0.0, 100, 50, -25, 5, 2.0),
        (0.25, 70, -0.2, 40, 20, 12, -20, 1.0),
    ],
)
def test_density_in_any_pose(
    fill: float, hfov: float, k1: float, dx: float, dy: float, yaw: float, tilt: float, noise: float
) -> None:
    picture, focal = seen(hfov, k1, noise, fill=fill, dx=dx, dy=dy, yaw_deg=yaw, tilt_deg=tilt)
    for found, true in zip(
        pixel_density([picture], BOARD, hfov_deg=hfov), truth(fill, focal, k1, dx, dy), strict=True
    ):
        assert found.u is not None
        assert float(found.value) == pytest.approx(true, abs=2.5 * found.u)
        assert float(found.value) == pytest.approx(true, rel=0.01 if fill < 0.1 else 0.005)
        assert 2 * found.u < 0.025 * true


def test_a_larger_print_of_the_same_look_has_fewer_pixels_a_metre() -> None:
    picture, _ = seen(fill=0.08)
    small, _ = pixel_density([picture], BOARD, hfov_deg=60)
    large, _ = pixel_density([picture], Board(560.0, 0.1), hfov_deg=60)
    assert float(large.value) == pytest.approx(float(small.value) / 2)


@settings(deadline=None, max_examples=2)
@given(st.floats(0.5, 1.0), st.integers(0, 20), st.integers(-10, 10))
def test_gain_offset_and_shift_change_little(gain: float, offset: int, shift: int) -> None:
    picture, _ = seen(fill=0.06)
    plain, _ = pixel_density([picture], BOARD, hfov_deg=60)
    moved = np.roll(np.clip(picture * gain + offset, 0, 255).astype(np.uint8), shift, axis=1)
    found, _ = pixel_density([moved], BOARD, hfov_deg=60)
    assert float(found.value) == pytest.approx(float(plain.value), rel=0.006)


@pytest.mark.parametrize(
    ("picture", "words"),
    [
        (np.zeros((HEIGHT, WIDTH), np.uint8), "not found"),
        (np.full((40, 40), 255, np.uint8), "not found"),
        (np.zeros((4, 4), np.uint8), "at least 32"),
        (np.random.default_rng(0).integers(0, 255, (360, 640), dtype=np.uint8), "not found"),
    ],
)
def test_hostile_pictures_are_refused(picture: Any, words: str) -> None:
    with pytest.raises(MeasurementRefused, match=words):
        pixel_density([picture], BOARD)


def test_too_small_another_chart_and_no_size_are_refused() -> None:
    with pytest.raises(MeasurementRefused, match=r"not found|are needed|too small"):
        pixel_density([seen(fill=0.018)[0]], BOARD)
    with pytest.raises(MeasurementRefused, match="not found"):
        pixel_density([seen(chart="grey", fill=0.5)[0]], BOARD)
    with pytest.raises(MeasurementRefused, match="certificate"):
        pixel_density([seen(fill=0.2)[0]], Board(math.nan, 0.1))
    with pytest.raises(MeasurementRefused, match="nothing to look"):
        pixel_density([], BOARD)
