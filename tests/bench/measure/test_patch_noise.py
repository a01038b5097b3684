"""What noise of patches and its ratio must hold to: parts told apart, coding told, truth held in closed form."""

from __future__ import annotations

import math
from typing import Any

import cv2
import numpy as np
import pytest
from grey_camera import GreyCamera
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from bench.measure.chart_view import locate
from bench.measure.noise import Coding, GreyStep, grey_steps, snr
from bench.measure.patch_noise import PatchNoise, patch_noise, runs_of
from bench.measure.reading import Box
from fixtures.charts import CHARTS
from standards.errors import MeasurementRefused
from standards.quantity import Estimate

Stack = NDArray[np.uint8]
RAW = Coding("raw")
RUNS = [0] * 6 + [1] * 6 + [2] * 6
WHOLE: Box = (slice(0, 64), slice(0, 64))


def flat(
    temporal: float, fixed: float, *, mean: float = 100.3, count: int = 18, side: int = 64, seed: int = 1
) -> Stack:
    """Pictures of one patch with a slope of light across it."""
    random = np.random.default_rng(seed)
    light = mean + np.linspace(-3, 3, side)[:, None] + np.linspace(-1, 1, side)[None]
    pattern = light + fixed * random.standard_normal((side, side))
    noisy = pattern + temporal * random.standard_normal((count, side, side))
    return np.asarray(np.clip(np.rint(noisy), 0, 255), dtype=np.uint8)


def steps(sd: float, gamma: float = 0.45, gain: float = 1.0) -> list[GreyStep]:
    """Steps of a power-law camera with the same noise everywhere."""
    found = []
    for density in (0.05 + 0.1 * k for k in range(24)):
        signal = 219 * gain * 10 ** (-density * gamma)
        noise = PatchNoise(
            mean=16 + signal, u_mean=0.01, temporal=sd**2, fixed=0.0, total=sd**2, u_temporal=0.01 * sd**2,
            u_fixed=0.0, u_total=0.01 * sd**2, drift=0.0, clipped=0.0, pixels=1000, pictures=18,
        )  # fmt: skip
        found.append(GreyStep(density, noise, gamma * signal, 0.01))
    return found


@pytest.mark.parametrize(("temporal", "fixed"), [(1.0, 0.0), (0.6, 0.8), (3.0, 0.5), (0.6, 0.0)])
def test_parts_are_told_apart_and_rounding_taken_off(temporal: float, fixed: float) -> None:
    (found,) = patch_noise(flat(temporal, fixed), RUNS, [WHOLE])
    assert found.temporal == pytest.approx(temporal**2, rel=0.03)
    assert found.fixed == pytest.approx(fixed**2, rel=0.1, abs=0.01)
    assert abs(found.total - temporal**2 - fixed**2) < 3.5 * found.u_total
    assert found.mean == pytest.approx(100.3, abs=0.05)


def test_pictures_tied_together_in_time_do_not_pass_for_a_fixed_pattern() -> None:
    random = np.random.default_rng(4)
    share, frames, before = 0.6, [], np.zeros((64, 64))
    for _ in range(60):
        before = share * before + random.standard_normal((64, 64)) * 2
        frames.append(np.rint(120 + before).astype(np.uint8))
    true = 4 / (1 - share**2)
    (found,) = patch_noise(frames[12:18] + frames[30:36] + frames[54:60], RUNS, [WHOLE])
    assert found.temporal == pytest.approx(true, rel=0.05)
    assert found.fixed < 0.02 * true


def test_light_that_breathes_is_no_noise_of_the_pixels() -> None:
    still = flat(1.0, 0.0, seed=3).astype(int)
    breathing = (still + (np.arange(18) % 3)[:, None, None] * 2).astype(np.uint8)
    (calm,), (found,) = (patch_noise(p, RUNS, [WHOLE]) for p in (still.astype(np.uint8), breathing))
    assert found.total == pytest.approx(calm.total, rel=1e-6)
    assert found.drift > 1.5 > 0.1 > calm.drift


@settings(deadline=None, max_examples=30)
@given(st.floats(0.5, 8.0), st.floats(0.3, 1.0), st.floats(0.4, 1.0))
def test_snr_follows_the_slope_and_the_noise(sd: float, gamma: float, gain: float) -> None:
    found = snr(steps(sd, gamma, gain), RAW)
    assert isinstance(found.value, float)
    assert found.value == pytest.approx(20 * math.log10(219 * gain * gamma * 0.18**gamma / sd), abs=0.03)


def in_view(luma: list[Stack], coding: Coding) -> Estimate:
    return snr(grey_steps(luma, RUNS, locate(luma[0], CHARTS["grey"]), density_u=0.0), coding, density_u=0.0)


@pytest.mark.parametrize(
    "tables",
    [
        {"picture": {"noise_sd": 1.0}, "sensor": {"prnu": 0.008}},
        {"picture": {"noise_sd": 2.0, "tone": "gamma22"}, "isp": {"denoise_sigma_px": 0.5}},
        {"picture": {"noise_sd": 3.0, "tone": "linear"}, "isp": {"sharpen_amount": 0.4}},
    ],
)
def test_camera_within_a_fifth_of_a_decibel(tables: dict[str, Any]) -> None:
    camera = GreyCamera(**tables)
    found = in_view([camera.luma() for _ in RUNS], RAW)
    total, temporal, fixed = camera.snr_db(0.18)
    assert isinstance(found.value, float)
    assert found.expanded_uncertainty is not None
    assert abs(found.value - total) < min(0.2, 1.3 * found.expanded_uncertainty)
    assert found.details["temporal_db"] == pytest.approx(temporal, abs=0.2)
    if math.isfinite(fixed):
        assert found.details["fixed_db"] == pytest.approx(fixed, abs=0.4)


def test_a_camera_that_smooths_in_time_is_no_better_than_it_is() -> None:
    camera = GreyCamera(picture={"noise_sd": 2.0}, isp={"denoise_share": 0.4})
    shown = [camera.luma() for _ in range(50)]
    found = in_view([p for k in (12, 28, 44) for p in shown[k : k + 6]], RAW)
    assert isinstance(found.value, float)
    assert abs(found.value - camera.snr_db(0.18)[0]) < 0.2


def jpeg(luma: Stack, quality: int) -> tuple[Stack, float]:
    """The picture through JPEG, and the root mean square of its quantiser's steps."""
    data = cv2.imencode(".jpg", luma, [cv2.IMWRITE_JPEG_QUALITY, quality])[1].tobytes()
    at = data.index(b"\xff\xdb") + 5
    step = float(np.sqrt(np.mean(np.square(list(data[at : at + 64]), dtype=float))))
    return np.asarray(cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_GRAYSCALE), np.uint8), step


@pytest.mark.parametrize(("quality", "kept"), [(100, True), (98, True), (90, False)])
def test_jpeg_counts_as_the_cameras_noise_only_where_its_steps_are_small(quality: int, kept: bool) -> None:
    camera = GreyCamera(picture={"noise_sd": 4.0})
    coded = [jpeg(camera.luma(), quality) for _ in RUNS]
    found = in_view([p for p, _ in coded], Coding("mjpeg", 5e7, coded[0][1], intra=True))
    assert isinstance(found.value, float)
    assert found.quantity == ("picture.snr" if kept else "picture.snr_encoded")
    if kept:
        assert abs(found.value - camera.snr_db(0.18)[0]) < 0.2


def test_other_codecs_give_another_quantity_with_codec_and_rate() -> None:
    found = snr(steps(1.0), Coding("h264", 4e6, intra=True, said="h264, 4 Mbit/s"))
    assert found.quantity == "picture.snr_encoded"
    assert (found.details["codec"], found.details["bit_rate"]) == ("h264", 4e6)
    assert any("4 Mbit/s" in note for note in found.notes)


def test_densities_that_are_not_known_widen_the_uncertainty() -> None:
    sure, unsure = (snr(steps(1.0), RAW, density_u=u) for u in (0.0, 0.005))
    assert sure.u is not None and unsure.u is not None
    assert sure.u < 0.1 < unsure.u < 0.2


@pytest.mark.parametrize("value", [0, 128, 255])
def test_dead_pictures_are_refused(value: int) -> None:
    camera = GreyCamera()
    view = locate(camera.luma(), CHARTS["grey"])
    with pytest.raises(MeasurementRefused, match="clipped"):
        snr(grey_steps(np.full((4, 720, 1280), value, np.uint8), range(4), view), RAW)
    with pytest.raises(MeasurementRefused, match="size changed"):
        grey_steps(np.full((4, 72, 128), value, np.uint8), range(4), view)


def test_one_run_is_cut_into_pieces() -> None:
    assert runs_of(8).tolist() == [0, 0, 1, 1, 2, 2, 3, 3]
    assert runs_of(2).tolist() == [0, 1]
    (found,) = patch_noise(flat(1.0, 0.6), [0] * 18, [WHOLE])
    assert found.fixed == pytest.approx(0.36, rel=0.1)
