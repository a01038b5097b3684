"""Drift of the view: turns of a known size, other light and bodies in the way; other scenes are refused."""

from __future__ import annotations

import math
from typing import Any

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from skimage import data

from bench.measure.view_drift import Match, coverage_shift, direction_shift, match_views
from standards.errors import MeasurementRefused

Luma = NDArray[np.uint8]
ROWS, COLUMNS, HFOV = 270, 480, 60.0
FOCAL = COLUMNS / 2 / math.tan(math.radians(HFOV) / 2)


def scene() -> Luma:
    return np.asarray(cv2.cvtColor(data.astronaut(), cv2.COLOR_RGB2GRAY), np.uint8)


def turned(yaw: float, tilt: float, roll: float = 0.0, light: float = 1.0, noise: float = 1.5) -> Luma:
    """The scene as a camera sees it that was turned, degrees; light: exponent of its codes."""
    wide = cv2.resize(scene(), (640, 640), interpolation=cv2.INTER_CUBIC)
    turn, *_ = cv2.Rodrigues(np.radians([tilt, yaw, roll]))
    camera = np.array([[FOCAL, 0, (COLUMNS - 1) / 2], [0, FOCAL, (ROWS - 1) / 2], [0, 0, 1.0]])
    crop = np.array([[1.0, 0, -80], [0, 1, -180], [0, 0, 1]])
    matrix = camera @ turn @ np.linalg.inv(camera) @ crop
    seen = cv2.warpPerspective(wide, matrix, (COLUMNS, ROWS), flags=cv2.INTER_CUBIC).astype(np.float64)
    grain = np.random.default_rng(1).normal(0, noise, seen.shape)
    return np.asarray(np.clip(255 * (seen / 255) ** light + grain, 0, 255), np.uint8)


@pytest.mark.parametrize(
    ("yaw", "tilt", "light"), [(0.0, 0.0, 1.0), (0.3, 0.0, 1.5), (-2.0, 1.0, 0.7), (4.0, -2.0, 1.0)]
)
def test_a_turn_is_told(yaw: float, tilt: float, light: float) -> None:
    present = turned(yaw, tilt, light=light)
    present[150:240, 60:130] = 40  # somebody stands there now
    match = match_views(turned(0, 0), present)
    found = direction_shift(match, hfov_deg=HFOV, hfov_u=0.0)
    turn, *_ = cv2.Rodrigues(np.radians([tilt, yaw, 0.0]))
    true = math.degrees(math.acos(turn[2, 2]))
    assert found.u is not None and found.u < 0.05
    assert float(found.value) == pytest.approx(true, abs=max(2.5 * found.u, 0.02))
    lost = coverage_shift(match)
    camera = np.array([[FOCAL, 0, (COLUMNS - 1) / 2], [0, FOCAL, (ROWS - 1) / 2], [0, 0, 1.0]])
    back = camera @ turn.T @ np.linalg.inv(camera)
    covered = cv2.warpPerspective(np.ones((ROWS, COLUMNS), np.float32), back, (COLUMNS, ROWS))
    assert float(lost.value) == pytest.approx(100 * (1 - float(covered.mean())), abs=0.3)


@settings(deadline=None, max_examples=3)
@given(st.floats(0.6, 1.0), st.integers(0, 30), st.booleans())
def test_gain_offset_and_mirror_change_nothing(gain: float, offset: int, mirrored: bool) -> None:
    first, second = turned(0, 0), turned(1.0, 0.5)
    plain = direction_shift(match_views(first, second), hfov_deg=HFOV)
    second = np.asarray(np.clip(second * gain + offset, 0, 255), np.uint8)
    if mirrored:
        first, second = (np.ascontiguousarray(p[:, ::-1]) for p in (first, second))
    found = direction_shift(match_views(first, second), hfov_deg=HFOV)
    assert float(found.value) == pytest.approx(float(plain.value), abs=0.04)


def test_an_unmoved_camera_has_not_moved() -> None:
    match = match_views(turned(0, 0), turned(0, 0))
    assert float(coverage_shift(match).value) < 0.01
    assert match.inliers > 100 and isinstance(match, Match)


@pytest.mark.parametrize(
    ("reference", "present", "words"),
    [
        (scene(), np.asarray(data.camera(), np.uint8), "not the same view"),
        (scene(), np.zeros((512, 512), np.uint8), "too little"),
        (np.full((512, 512), 255, np.uint8), scene(), "too little"),
        (scene(), np.random.default_rng(3).integers(0, 255, (512, 512), dtype=np.uint8), r"not the same|too little"),
        (scene()[:200], scene(), "aspect"),
        (scene()[:20, :20], scene(), "at least 64"),
    ],
)  # fmt: skip
def test_what_cannot_be_matched_is_refused(reference: Any, present: Any, words: str) -> None:
    with pytest.raises(MeasurementRefused, match=words):
        match_views(np.ascontiguousarray(reference), np.ascontiguousarray(present))


def test_a_field_of_view_is_one() -> None:
    match = Match(np.eye(3), np.eye(3)[None], (ROWS, COLUMNS), 30, 30, 0.1)
    with pytest.raises(ValueError, match="field of view"):
        direction_shift(match, hfov_deg=0.0)
