"""Privacy masks: drawn over a scene, too small, shifted, showing through, absent; and scenes that look like one."""

from __future__ import annotations

from functools import cache
from typing import Any

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from skimage import data

from bench.measure.privacy_mask import Region, mask_border, mask_coverage, see_masks
from standards.errors import MeasurementRefused
from standards.thresholds.privacy_mask import mask_limits

ROWS, COLUMNS = 180, 320
DECLARED = (100, 40, 200, 120)  # left, top, right, bottom, pixels


def region(left: float, top: float, right: float, bottom: float) -> Region:
    across, down = (left / COLUMNS, right / COLUMNS), (top / ROWS, bottom / ROWS)
    return Region(
        "window", ((across[0], down[0]), (across[1], down[0]), (across[1], down[1]), (across[0], down[1]))
    )


@cache
def scene() -> NDArray[np.float64]:
    luma = cv2.cvtColor(data.astronaut(), cv2.COLOR_RGB2GRAY)[:288]
    return np.asarray(cv2.resize(luma, (COLUMNS, ROWS)), np.float64)


def pictures(
    mask: tuple[int, int, int, int] | None, *, opacity: float = 1.0, colour: float = 16.0, codes: Any = None
) -> NDArray[np.uint8]:
    """Six pictures with noise of two codes, the mask over them."""
    chance = np.random.default_rng(5)
    seen = (scene() if codes is None else codes) + chance.normal(0, 2, (6, ROWS, COLUMNS))
    if mask is not None:
        left, top, right, bottom = mask
        part = seen[:, top:bottom, left:right]
        part[:] = (1 - opacity) * part + opacity * colour
    return np.asarray(np.clip(np.rint(seen), 0, 255), np.uint8)


def see(taken: NDArray[np.uint8], *regions: Region) -> Any:
    return see_masks(taken, regions or (region(*DECLARED),), mask_limits())


@pytest.mark.parametrize(
    ("mask", "colour", "percent", "off"),
    [
        ((100, 40, 200, 120), 16.0, 100.0, 0.0),
        ((92, 36, 204, 126), 235.0, 100.0, 8.0),
        ((100, 40, 180, 120), 128.0, 80.0, 20.0),
        ((120, 50, 220, 130), 60.0, 70.0, 20.0),
    ],
)
def test_a_mask_is_measured(
    mask: tuple[int, int, int, int], colour: float, percent: float, off: float
) -> None:
    seen = see(pictures(mask, colour=colour))
    covered, border = mask_coverage(seen), mask_border(seen)
    low, high = covered.interval or (0.0, 0.0)
    assert low - 0.01 <= percent <= high + 0.01 and high - low < 3
    assert float(border.value) == pytest.approx(off, abs=0.5) and border.u is not None and border.u < 0.6


@pytest.mark.parametrize(
    "part", [(140, 75, 160, 85), (136, 68, 166, 92), (104, 44, 120, 60), (150, 40, 156, 120)]
)
def test_what_opens_a_mask_is_refused_or_counted(part: tuple[int, int, int, int]) -> None:
    left, top, right, bottom = part
    taken, bare = pictures(DECLARED), pictures(None)
    taken[:, top:bottom, left:right] = bare[:, top:bottom, left:right]
    truth = 100 - (right - left) * (bottom - top) / 80
    try:
        low, high = mask_coverage(see(taken)).interval or (0.0, 0.0)
    except MeasurementRefused as refused:
        assert "a hole or a second mask" in str(refused) or "a wall or a dark window" in str(refused)
    else:
        assert low - 0.01 <= truth <= high + 0.01


def test_an_open_region_decides_whatever_another_is() -> None:
    codes = scene().copy()
    codes[20:150, 80:230] = 180
    taken = np.repeat(np.rint(cv2.GaussianBlur(codes, (0, 0), 4))[None], 6, 0).astype(np.uint8)
    wall, window = region(*DECLARED), region(240, 20, 310, 160)
    with pytest.raises(MeasurementRefused, match="sharper than a lens"):
        see(taken, wall)
    assert mask_coverage(see(taken, wall, window)).value == 0.0


def test_a_slanting_mask_is_measured() -> None:
    corners = np.array([[150, 30], [220, 75], [165, 150], [95, 95]], np.float32)
    over = np.zeros((ROWS, COLUMNS), np.uint8)
    cv2.fillConvexPoly(over, corners.astype(np.int32), (1,))
    taken = pictures(None)
    taken[:, over > 0] = 16
    shares = tuple((float(x) / COLUMNS, float(y) / ROWS) for x, y in corners + 0.5)
    seen = see(taken, Region("gable", shares))
    assert seen[0].covered > 97 and all(abs(offset) < 1 for offset, _ in seen[0].offsets)


@pytest.mark.parametrize("opacity", [0.0, 0.5, 0.8, 0.9])
def test_what_shows_through_covers_nothing(opacity: float) -> None:
    assert mask_coverage(see(pictures(DECLARED, opacity=opacity))).value == 0.0


@pytest.mark.parametrize("tile", [10, 20])
def test_a_mosaic_covers_nothing(tile: int) -> None:
    taken = pictures(None)
    left, top, right, bottom = DECLARED
    part = scene()[top:bottom, left:right]
    small = cv2.resize(part, ((right - left) // tile, (bottom - top) // tile), interpolation=cv2.INTER_AREA)
    taken[:, top:bottom, left:right] = np.rint(np.kron(small, np.ones((tile, tile)))).astype(np.uint8)
    assert mask_coverage(see(taken)).value == 0.0


def test_a_mask_that_comes_and_goes_covers_nothing() -> None:
    taken = pictures(DECLARED)
    taken[2] = pictures(None)[2]
    seen = see(taken)
    assert mask_coverage(seen).value == 0.0
    with pytest.raises(MeasurementRefused, match="no mask with sides like"):
        mask_border(seen)


def test_a_body_that_shines_through_is_seen() -> None:
    taken = pictures(DECLARED)
    taken[3, 60:80, 120:140] += 12
    covered = mask_coverage(see(taken))
    assert float(covered.value) == pytest.approx(100 * (1 - 20 * 20 / 8000), abs=1)


def test_a_region_in_which_all_moves_has_no_mask() -> None:
    taken = pictures(None)
    taken[::2] = np.clip(taken[::2].astype(int) + 60, 0, 255).astype(np.uint8)
    taken[1::2] //= 2
    covered = mask_coverage(see(taken))
    assert covered.value == 0.0 and covered.details["regions"][0]["seen"] == "all of it moves"


def test_a_plain_wall_is_no_mask() -> None:
    codes = scene().copy()
    codes[20:150, 80:230] = 180
    blurred = cv2.GaussianBlur(codes, (0, 0), 4)
    still = np.repeat(np.rint(blurred)[None], 6, 0).astype(np.uint8)
    with pytest.raises(MeasurementRefused, match="sharper than a lens"):
        see(still)


def test_a_dark_window_behind_a_lens_is_no_mask() -> None:
    codes = scene().copy()
    codes[40:120, 100:200] = 16
    still = np.repeat(np.rint(cv2.GaussianBlur(codes, (0, 0), 0.7))[None], 6, 0).astype(np.uint8)
    with pytest.raises(MeasurementRefused, match="window look like that"):
        see(still)


def test_a_plain_scene_around_does_not_tell_opaque_from_not() -> None:
    with pytest.raises(MeasurementRefused, match="varies by"):
        see(pictures(DECLARED, codes=np.full((ROWS, COLUMNS), 120.0)))


def test_the_worst_of_two_regions_counts() -> None:
    taken = pictures(DECLARED)
    covered = mask_coverage(see(taken, region(*DECLARED), region(20, 20, 80, 80)))
    assert covered.value == 0.0
    assert [one["covered_percent"] for one in covered.details["regions"]] == pytest.approx([100, 0], abs=0.5)


def test_what_cannot_be_told_is_refused() -> None:
    with pytest.raises(MeasurementRefused, match="all border"):
        see(pictures(None), region(10, 10, 30, 90))
    with pytest.raises(MeasurementRefused, match="needs 5 pictures"):
        see(pictures(DECLARED)[:3])
    with pytest.raises(MeasurementRefused, match="no region"):
        see_masks(pictures(None), (), mask_limits())
