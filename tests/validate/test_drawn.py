"""A taste of the proofs of drawn cases: their truths in closed form, and cases that are kept are not drawn again."""

from __future__ import annotations

import math
import sys
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parent))
import drawn
import likeness
import sharpened
import view
from skimage.metrics import structural_similarity

from fixtures.simulated.picture.lens import true_mtf


def test_the_truth_of_an_edge_without_mask_is_that_of_the_lens() -> None:
    tables = {"picture": {"tone": "bt709"}, "isp": {"sharpen_amount": 0.0, "sharpen_sigma_px": 1.0}}
    frequency, curve = sharpened.response(tables, 0.9, 6.0, 0.18, 0.72)
    below = frequency <= 0.5
    assert np.allclose(curve[below], true_mtf(frequency[below], 0.9, 6.0), atol=2e-3)
    tables["isp"] = {"sharpen_amount": 2.0, "sharpen_sigma_px": 1.6}
    assert sharpened.response(tables, 0.9, 6.0, 0.18, 0.72)[1][below].max() > 1.1


def test_the_truth_of_a_view_that_moved_by_pixels_is_the_area_of_two_strips() -> None:
    moved = np.array([[1.0, 0, 20], [0, 1, -9], [0, 0, 1]])
    assert view.lost(moved, (90, 160)) == pytest.approx(100 * (1 - (140 * 81) / (160 * 90)))
    assert view.lost(np.eye(3), (90, 160)) == pytest.approx(0.0, abs=1e-9)


def test_structural_similarity_is_that_of_the_library() -> None:
    draw = np.random.default_rng(4)
    first = draw.integers(0, 256, (40, 50)).astype(np.uint8)
    second = np.clip(first + draw.normal(0, 9, first.shape), 0, 255).astype(np.uint8)
    assert likeness.ssim(first, second) == pytest.approx(structural_similarity(first, second), abs=1e-6)


def test_cases_are_kept_and_other_scenes_refused(tmp_path: Path) -> None:
    rows = drawn.kept(view.of_seed, range(6, 8), tmp_path, 1)
    assert [r.refused != "" for r in rows] == [False, False, True, True]
    for one in rows[:2]:
        assert one.value is not None and one.truth is not None and one.u95 is not None
        assert abs(one.value - one.truth) <= one.u95 and math.isfinite(one.u95)
    stamp = (tmp_path / "cases.json").stat().st_mtime_ns
    assert drawn.kept(view.of_seed, range(6, 8), tmp_path, 1) == rows
    assert (tmp_path / "cases.json").stat().st_mtime_ns == stamp
