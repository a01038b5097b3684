"""PSNR and SSIM: an encoder loop on the virtual camera, closed forms, and refusal of what is not aligned."""

from __future__ import annotations

import math

import cv2
import numpy as np
import pytest
from coding_loop import through_h264
from grey_camera import GreyCamera
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from bench.measure.similarity import no_reference, similarity
from standards.errors import MeasurementRefused
from standards.quantity import Bound

Luma = NDArray[np.uint8]


def scene(seed: int = 0, rows: int = 120, columns: int = 160) -> Luma:
    noise = np.random.default_rng(seed).normal(size=(rows, columns))
    soft = cv2.GaussianBlur(noise, (0, 0), 3.0)
    return np.asarray(np.clip(120 + 35 * soft / soft.std(), 4, 250), dtype=np.uint8)


def noisy(reference: Luma, sd: float, seed: int) -> Luma:
    draw = np.random.default_rng([seed, 77]).normal(0, sd, reference.shape)
    return np.clip(np.rint(reference + draw), 0, 255).astype(np.uint8)


def test_encoder_loop_of_the_virtual_camera() -> None:
    camera = GreyCamera(640, 360, picture={"noise_sd": 2.0})
    planes = [camera.planes() for _ in range(8)]
    source = [p[:360] for p in planes]
    found = {
        rate: similarity(through_h264(planes, rate), source, stream=f"h264, {rate}")
        for rate in (500_000, 8_000_000)
    }
    (low, low_ssim), (high, high_ssim) = found[500_000], found[8_000_000]
    assert (low.quantity, low_ssim.quantity, low.unit) == ("picture.psnr", "picture.ssim", "dB")
    for estimate in (low, high):
        true = 10 * math.log10(255**2 / np.mean(estimate.details["mean_squared_error"]))
        assert estimate.value == pytest.approx(true, abs=1e-3)
    assert isinstance(low.value, float) and isinstance(high.value, float)
    assert isinstance(low_ssim.value, float) and isinstance(high_ssim.value, float)
    assert 30 < low.value < high.value - 1
    assert low_ssim.value < high_ssim.value <= 1
    assert high.u is not None and high.u < 1.0


@settings(deadline=None, max_examples=12)
@given(st.floats(1.0, 8.0), st.integers(0, 20))
def test_white_noise_gives_its_closed_form(sd: float, seed: int) -> None:
    reference = scene(seed)
    psnr, _ = similarity([noisy(reference, sd, k) for k in range(5)], [reference] * 5, stream="none")
    true = 10 * math.log10(255**2 / (sd**2 + 1 / 12))
    assert psnr.value == pytest.approx(true, abs=0.2)


@settings(deadline=None, max_examples=12)
@given(st.integers(0, 20), st.booleans(), st.integers(0, 3))
def test_mirror_and_quarter_turns_of_both_change_nothing(seed: int, mirrored: bool, turns: int) -> None:
    def changed(p: Luma) -> Luma:
        return np.ascontiguousarray(np.rot90(np.fliplr(p) if mirrored else p, turns))

    reference = scene(seed)
    picture = noisy(reference, 3.0, seed + 1)
    plain = similarity([picture], [reference], stream="none")
    other = similarity([changed(picture)], [changed(reference)], stream="none")
    for a, b in zip(plain, other, strict=True):
        assert a.value == pytest.approx(b.value, rel=1e-9)


@pytest.mark.parametrize("shift", [0.2, 0.5, 1.0, 7.0])
def test_what_lies_off_is_refused(shift: float) -> None:
    reference = scene(3)
    to = np.array([[1.0, 0.0, shift], [0.0, 1.0, 0.0]])
    moved = cv2.warpAffine(reference, to, (160, 120), flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REFLECT)
    with pytest.raises(MeasurementRefused, match="pixels off"):
        similarity([moved.astype(np.uint8)], [reference], stream="none")


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda p: p + np.uint8(3), "brightness"),
        (lambda p: np.rint((p - p.mean()) * 0.9 + p.mean()).astype(np.uint8), "contrast"),
        (lambda p: p[:60], "size"),
        (lambda p: np.full_like(p, 120), "even picture"),
    ],
)
def test_what_is_no_reference_is_refused(change: object, reason: str) -> None:
    assert callable(change)
    reference = scene(5)
    with pytest.raises(MeasurementRefused, match=reason):
        similarity([change(reference)], [reference], stream="none")


def test_no_reference_says_why_and_same_pictures_bound_it() -> None:
    with pytest.raises(MeasurementRefused, match="not measurable here: no aligned reference"):
        no_reference()
    with pytest.raises(MeasurementRefused, match="no aligned reference"):
        similarity([scene()], [], stream="none")
    with pytest.raises(MeasurementRefused, match="each needs its own"):
        similarity([scene()], [scene()] * 2, stream="none")
    with pytest.raises(MeasurementRefused, match="too small"):
        similarity([scene(0, 16, 16)], [scene(0, 16, 16)], stream="none")
    psnr, ssim = similarity([scene()], [scene()], stream="none")
    assert (psnr.bound, psnr.u) == (Bound.LOWER, None)
    assert ssim.value == pytest.approx(1.0)
