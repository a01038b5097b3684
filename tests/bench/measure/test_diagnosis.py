"""Image diagnosis on scenes whose truth is known, its invariants, and hostile pictures."""

from __future__ import annotations

import math

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from bench.measure.colour_picture import ColourPicture
from bench.measure.diagnosis import bands, detail, grain, hidden, levels, view
from bench.measure.diagnosis import time as motion
from bench.measure.diagnosis.reference import Reference
from standards.errors import MeasurementRefused
from standards.quantity import Estimate
from standards.thresholds.diagnosis import faults, faulty, thresholds

Codes = NDArray[np.float64]


def scene(seed: int = 0, size: tuple[int, int] = (360, 640)) -> Codes:
    """Boxes of plain grey: dead leaves with sharp edges."""
    draw = np.random.default_rng(seed)
    picture = np.full(size, 120.0)
    for _ in range(150):
        top, left = draw.integers(0, size[0]), draw.integers(0, size[1])
        picture[top : top + draw.integers(10, 90), left : left + draw.integers(10, 90)] = draw.uniform(
            40, 220
        )
    return np.asarray(cv2.GaussianBlur(picture, (0, 0), 0.7))


def stack(base: Codes, count: int = 8, noise: float = 1.0, seed: int = 1) -> NDArray[np.uint8]:
    draw = np.random.default_rng(seed)
    return np.stack([codes(base + noise * draw.standard_normal(base.shape)) for _ in range(count)])


def codes(picture: Codes) -> NDArray[np.uint8]:
    return np.clip(np.rint(picture), 0, 255).astype(np.uint8)


def value(estimate: Estimate) -> float:
    assert isinstance(estimate.value, float)
    return estimate.value


RUN = np.repeat([0, 1], 4)


@pytest.mark.parametrize("sigma", [2.0, 3.5, 5.0])
def test_blur_is_the_gaussian_of_the_lens(sigma: float) -> None:
    soft = cv2.GaussianBlur(scene(), (0, 0), sigma)
    found = 6.4 * value(detail.blur(stack(soft, 3, noise=0.3)))
    assert found == pytest.approx(math.hypot(sigma, 0.7), rel=0.25)
    assert value(detail.blur(stack(scene(), 3))) < 0.15


@pytest.mark.parametrize("sd", [1.0, 4.0, 12.0])
def test_noise_is_its_deviation(sd: float) -> None:
    assert value(grain.noise(stack(scene(), noise=sd), RUN)) == pytest.approx(sd, rel=0.15)


def test_texture_that_stands_still_is_no_noise_and_motion_is_none() -> None:
    grass = 120 + 25 * np.random.default_rng(3).standard_normal((360, 640))
    assert value(grain.noise(stack(grass), RUN)) < 1.3
    moving = np.stack([codes(np.roll(scene(), 9 * i, axis=1)) for i in range(8)])
    assert value(grain.noise(moving, RUN)) < 1.3


@pytest.mark.parametrize("turned", [False, True])
def test_stripes_have_their_amplitude(turned: bool) -> None:
    band = 6.0 * np.random.default_rng(5).standard_normal(640 if turned else 360)
    striped = scene() + (band[None, :] if turned else band[:, None])
    estimate = bands.stripes(stack(striped, 2))
    assert value(estimate) == pytest.approx(6.0, rel=0.3)
    assert estimate.details["columns" if turned else "rows"] == value(estimate)
    assert value(bands.stripes(stack(scene(), 2))) < 0.5


def test_levels_of_black_white_and_grey() -> None:
    for code, share in ((16, 0.0), (235, 100.0), (126, 100 * 110 / 219)):
        bright, mean = levels.levels(np.full((2, 90, 160), code, np.uint8))
        assert value(bright) == pytest.approx(share) and value(mean) == pytest.approx(share)


def test_a_colour_that_clips_in_one_channel_alone_is_clipped() -> None:
    red = np.zeros((90, 160, 3))
    red[:, :64] = [1.0, 0.4, 0.3]
    red[:, 64:] = [0.6, 0.6, 0.6]
    luma = red @ [0.2126, 0.7152, 0.0722]
    blue, other = ((red[..., i] - luma) / k for i, k in ((2, 1.8556), (0, 1.5748)))
    small = [codes(128 + 224 * d[::2, ::2]) for d in (blue, other)]
    picture = ColourPicture(codes(16 + 219 * luma), small[0], small[1], "bt709", False, True)
    assert int(picture.luma.max()) < 160
    assert value(levels.clipped([picture])) == pytest.approx(40.0, abs=1.5)


def test_shake_is_the_root_mean_square_and_a_pan_is_none() -> None:
    def view_at(dx: float) -> Codes:
        move = np.array([[1, 0, dx], [0, 1, 0]], dtype=np.float64)
        return np.asarray(cv2.warpAffine(scene(), move, (640, 360), borderMode=cv2.BORDER_REFLECT))

    swing = 6.0 * np.sin(2 * np.pi * np.arange(8) / 4 + 0.4)
    shaken = np.stack([codes(view_at(d)) for d in swing])
    found = value(motion.shake(shaken, np.zeros(8, np.int64)))
    assert 6.4 * found == pytest.approx(6.0 / math.sqrt(2), rel=0.25)
    panned = np.stack([codes(view_at(1.5 * i)) for i in range(8)])
    assert 6.4 * value(motion.shake(panned, np.zeros(8, np.int64))) < 0.4


def test_a_picture_that_stands_still_is_suspected() -> None:
    assert value(motion.standstill(np.repeat(stack(scene(), 1), 8, axis=0), RUN)) == 100.0
    assert value(motion.standstill(stack(scene(), 8, noise=2.0), RUN)) == 0.0


ONE = np.zeros(1, np.int64)


def test_what_is_hidden_is_told_from_another_exposure() -> None:
    reference = Reference(stack(scene(), 1)[0])
    darker = codes(16 + 0.7 * (scene() - 16))[None]
    assert value(hidden.occlusion(darker, ONE, reference)) < 5
    assert value(view.agreement(darker, ONE, reference)) > 90
    covered = darker.copy()
    covered[:, :, :256] = 50
    assert value(hidden.occlusion(covered, ONE, reference)) == pytest.approx(40, abs=8)
    assert value(view.agreement(codes(scene(9))[None], ONE, reference)) < 20


def _plain(seed: int) -> Codes:
    """A view with hardly any contrast: boxes a few codes apart."""
    return np.asarray(120 + (scene(seed) - 120) / 12)


def _with_bodies(base: Codes, aside: int) -> Codes:
    """Two bodies of high contrast, which go on by `aside` pixels: 8 % of the picture."""
    picture = base.copy()
    picture[60:170, 100 + aside : 185 + aside] = 40
    picture[210:320, 400 - aside : 485 - aside] = 220
    return picture


def test_bodies_before_a_plain_view_leave_it_the_same() -> None:
    reference = Reference(codes(_plain(0)))
    passed = np.stack([codes(_with_bodies(_plain(0), 2 * i)) for i in range(8)])
    run = np.zeros(8, np.int64)
    assert value(view.agreement(passed, run, reference)) > 80
    other = np.stack([codes(_with_bodies(_plain(5), 2 * i)) for i in range(8)])
    assert value(view.agreement(other, run, reference)) < 30
    assert 6.4 * value(motion.shake(passed, run)) < 0.3  # pixels, of 640


def test_text_that_goes_on_is_not_the_view() -> None:
    """A clock burnt in is most of what a plain view shows, and says nothing of it."""
    dark = codes(_plain(0) - 60)
    first, later = dark.copy(), dark.copy()
    cv2.putText(first, "2026-11-26 10:00:03", (10, 30), cv2.FONT_HERSHEY_PLAIN, 1.6, 235, 2)
    cv2.putText(later, "2027-04-17 21:38:59", (10, 30), cv2.FONT_HERSHEY_PLAIN, 1.6, 235, 2)
    found = view.agreement(later[None], ONE, Reference(first))
    assert value(found) > 90


def test_one_picture_drawn_aside_by_a_body_is_no_shake_and_a_slow_swing_is_one() -> None:
    once = np.zeros((8, 2))
    once[7] = 3.0, -4.0
    swing = 3 * np.sin(2 * np.pi * 2.5 * np.arange(8) / 25 + 0.4)
    slow = np.stack([swing, 0.7 * swing], axis=1)
    assert motion._about_line(once) < 1e-9
    time = np.arange(8)
    plain = [swing - np.polyval(np.polyfit(time, swing, 1), time)]
    assert motion._about_line(slow) == pytest.approx(1.49 * float(np.square(plain).sum()) / 6, rel=0.05)


def test_what_passes_by_hides_nothing_and_is_not_in_the_reference() -> None:
    pictures = np.repeat(stack(scene(), 1), 3, axis=0)
    for i in range(3):
        pictures[i, :, 160 * i : 160 * i + 160] = 50  # a quarter of the view, each time another
    runs = np.arange(3)
    reference = Reference.taken(pictures, runs)
    assert value(hidden.occlusion(pictures, runs, reference)) < 3
    assert value(hidden.occlusion(pictures[:1], ONE, reference)) == pytest.approx(25, abs=5)


def test_the_counter_decides_what_is_frozen() -> None:
    run = np.repeat([0, 1], 5)
    assert value(motion.frozen(np.arange(10) * 4, run)) == 0.0
    assert value(motion.frozen(np.full(10, 7), run)) == 100.0
    assert value(motion.frozen(np.array([0, 4, 4, 8, -1, 0, 4, 8, 12, 16]), run)) == pytest.approx(100 / 7)
    with pytest.raises(MeasurementRefused, match="show the counter"):
        motion.frozen(np.full(10, -1), run)


def test_of_a_black_picture_nothing_else_is_told() -> None:
    values = {"diagnosis.bright_level": 1.0, "diagnosis.mean_level": 0.5, "diagnosis.hidden": 100.0}
    told = faults(values)
    assert told["black"] is True and {told[kind] for kind in told if kind != "black"} == {None}
    assert faults({**values, "diagnosis.bright_level": 60.0})["occlusion"] is True


def colour(red: float, blue: float) -> ColourPicture:
    """The scene in grey light, red and blue off by these factors; BT.709 codes."""
    light = np.repeat((scene() / 255 / 3)[:, :, None], 3, axis=2) * [red * 1.1, 1.0, blue]
    curve = np.where(light < 0.018, 4.5 * light, 1.099 * light**0.45 - 0.099)
    luma = curve @ [0.2126, 0.7152, 0.0722]
    differences = [(curve[..., i] - luma) / k for i, k in ((2, 1.8556), (0, 1.5748))]
    small = [codes(128 + 224 * d[::2, ::2]) for d in differences]
    return ColourPicture(codes(16 + 219 * luma), small[0], small[1], "bt709", False, True)


@pytest.mark.parametrize(("red", "blue"), [(1.25, 0.8), (0.8, 1.3), (1.0, 1.0)])
def test_a_cast_is_in_stops_of_red_over_blue(red: float, blue: float) -> None:
    known = Reference(colour(1, 1).luma, colour(1, 1))
    assert value(view.cast(colour(red, blue), known)) == pytest.approx(abs(math.log2(red / blue)), abs=0.05)


def test_a_grey_picture_shows_no_cast() -> None:
    grey = ColourPicture(codes(scene()), *(np.full((180, 320), 128, np.uint8),) * 2)
    with pytest.raises(MeasurementRefused, match="grey"):
        view.cast(grey, Reference(grey.luma, grey))
    with pytest.raises(MeasurementRefused, match="reference picture in colour"):
        view.cast(grey, Reference(grey.luma))


@settings(max_examples=6, deadline=None)
@given(st.integers(0, 1000), st.sampled_from(["mirror", "turn", "gain", "offset"]))
def test_blur_noise_and_stripes_do_not_care_how_it_lies(seed: int, change: str) -> None:
    base = stack(scene(seed), 8, noise=3.0)
    changed = {
        "mirror": base[:, :, ::-1],
        "turn": np.rot90(base, 2, axes=(1, 2)),
        "gain": codes(16 + 0.8 * (base.astype(np.float64) - 16)),
        "offset": codes(base.astype(np.float64) - 10),
    }[change]
    changed = np.ascontiguousarray(changed)
    assert value(detail.blur(changed)) == pytest.approx(value(detail.blur(base)), abs=0.05)
    assert value(bands.stripes(changed)) == pytest.approx(value(bands.stripes(base)), abs=0.25)
    scale = 0.8 if change == "gain" else 1.0
    assert value(grain.noise(changed, RUN)) == pytest.approx(scale * value(grain.noise(base, RUN)), rel=0.1)


HOSTILE = [
    np.zeros((8, 90, 160), np.uint8),
    np.full((8, 90, 160), 255, np.uint8),
    np.zeros((8, 2, 2), np.uint8),
    np.zeros((0, 90, 160), np.uint8),
    np.random.default_rng(0).integers(0, 256, (8, 65, 65), dtype=np.uint8),
]


@pytest.mark.parametrize("pictures", HOSTILE, ids=["black", "white", "tiny", "none", "noise"])
def test_hostile_pictures_are_measured_or_refused(pictures: NDArray[np.uint8]) -> None:
    run = np.zeros(len(pictures), np.int64)
    ways = (
        lambda: levels.levels(pictures),
        lambda: detail.blur(pictures),
        lambda: grain.noise(pictures, run),
        lambda: bands.stripes(pictures),
        lambda: motion.standstill(pictures, run),
        lambda: motion.shake(pictures, run),
        lambda: view.agreement(pictures, run, Reference(pictures[-1])),
        lambda: hidden.occlusion(pictures, run, Reference(pictures[-1])),
    )
    for way in ways if len(pictures) else ways[:4]:
        try:
            found = way()
        except MeasurementRefused:
            continue
        for estimate in found if isinstance(found, tuple) else (found,):
            assert math.isfinite(value(estimate))


def test_thresholds_are_data_and_know_both_sides() -> None:
    assert set(thresholds()) == {
        "blur", "occlusion", "freeze", "black", "overexposure", "underexposure", "cast", "noise", "stripes", "shake",
        "view", "suspect_freeze",
    }  # fmt: skip
    assert faulty("black", {"diagnosis.bright_level": 0.5}) is True
    assert faulty("blur", {"diagnosis.blur": 0.01}) is False
    assert faulty("cast", {}) is None
    assert all(limit.why for limit in thresholds().values())
