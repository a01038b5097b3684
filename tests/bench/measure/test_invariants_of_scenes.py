"""What must not change figures of pictures: shift, gain, offset, mirror, turn by 90 degrees and depth of bits.

Where an invariant has no sense the method's page says why (docs/methods/invariants.md).
"""

from __future__ import annotations

import math
from functools import cache

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from imaging_world import START_NS, imager
from numpy.typing import NDArray

from bench.camera.capture import FrameTable
from bench.measure.chart_mtf import ChartMtf, print_effect
from bench.measure.chart_view import ChartView, locate
from bench.measure.edge import edge_sfr
from bench.measure.edge_iso import edge_sfr_iso
from bench.measure.flicker import flicker
from bench.measure.osd import read_osd
from bench.measure.picture import picture_size
from bench.measure.sharpness import centre_edges, sharpness, tone_uncertainty
from bench.measure.similarity import similarity
from bench.measure.view_drift import coverage_shift, direction_shift, match_views
from fixtures.charts import CHARTS
from fixtures.simulated.picture import Moment
from fixtures.simulated.picture.lens import edge_profile
from fixtures.world import World
from standards.quantity import Estimate

Luma = NDArray[np.uint8]
CHART = CHARTS["camcert-1"]


def depth_of(picture: Luma, bits: int) -> Luma:
    """As a converter of so few bits would give it."""
    step = 2 ** (8 - bits)
    return (picture // step * step + (step - 1) // 2).astype(np.uint8)


@cache
def lamps() -> tuple[Luma, NDArray[np.int64], ChartView]:
    """Three runs of six pictures under a lamp of 30 % at 100 Hz, 30 a second, through a rolling shutter of 20 ms."""
    world = World({"flicker_depth": 0.3, "flicker_hz": 100.0, "illuminance_lx": 300.0})
    camera = imager(
        640, 360, scene={"chart": "camcert-1", "fill": 0.9}, sensor={"readout_ms": 20.0},
        picture={"noise_sd": 1.0, "seed": 1, "exposure_ms": 2.0},
    )  # fmt: skip
    shown = []
    for index in (37 * run + k for run in range(3) for k in range(6)):
        taken = camera.frame(Moment(index, START_NS + round(index * 1e9 / 30), world, counter=index))
        shown.append(taken.luma.copy())
    return np.stack(shown), np.repeat(np.arange(3), 6), locate(shown[0], CHART)


@cache
def plain_flicker() -> float:
    pictures, run, view = lamps()
    return float(flicker(pictures, run, view, frame_rate=30.0).value)


@settings(max_examples=2, deadline=None)
@given(st.floats(0.85, 1.0), st.integers(0, 12), st.integers(7, 8), st.permutations(range(3)))
def test_flicker_follows_neither_gain_nor_offset_nor_depth_nor_the_order_of_runs(
    gain: float, offset: int, bits: int, order: list[int]
) -> None:
    pictures, run, _ = lamps()
    changed = depth_of(np.clip(np.rint(gain * pictures + offset), 0, 255).astype(np.uint8), bits)
    changed = np.concatenate([changed[run == k] for k in order])
    found = flicker(changed, run, locate(changed[0], CHART), frame_rate=30.0)
    assert float(found.value) == pytest.approx(plain_flicker(), rel=0.015)
    assert found.details["mains_hz"] == 50.0
    assert found.details["readout_ms"] == pytest.approx(20.0, abs=0.3)


def test_flicker_and_its_unit_of_time_scale_together() -> None:
    """The frame rate in force is the only clock: with one that is off by a hundredth of a hertz nothing is lost."""
    pictures, run, view = lamps()
    found = flicker(pictures, run, view, frame_rate=30.003)
    assert float(found.value) == pytest.approx(plain_flicker(), rel=0.005)


def edge(turn_deg: float, shift: float = 0.0) -> NDArray[np.float64]:
    t = math.radians(turn_deg)
    y, x = np.arange(64)[:, None] - 31.5, np.arange(64)[None, :] - 31.5 - shift
    return edge_profile(x * math.cos(t) + y * math.sin(t), 0.8, (math.cos(t), math.sin(t)))


#: An unsharp mask: what a shift or a turn must not change.
def sharpened(light: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(
        1.8 * light - 0.8 * cv2.GaussianBlur(light, (0, 0), 1.2, borderType=cv2.BORDER_REPLICATE)
    )


@settings(max_examples=8, deadline=None)
@given(st.floats(-0.5, 0.5), st.integers(0, 3), st.booleans(), st.integers(10, 16))
def test_sharpness_follows_neither_shift_nor_turn_nor_mirror_nor_depth(
    shift: float, turns: int, mirrored: bool, bits: int
) -> None:
    plain = sharpness([[edge_sfr(sharpened(edge(6.0)), normalisation="wide")]], tone_u=(0.0, 0.0))
    light = np.rint(sharpened(edge(6.0, shift)) * (2**bits - 1)) / (2**bits - 1)
    light = np.ascontiguousarray(np.rot90(light[:, ::-1] if mirrored else light, turns))
    other = sharpness([[edge_sfr(light, normalisation="wide")]], tone_u=(0.0, 0.0))
    for a, b in zip(plain, other, strict=True):
        assert float(b.value) == pytest.approx(float(a.value), abs=0.4), a.quantity


@settings(max_examples=10, deadline=None)
@given(st.floats(3.0, 12.0), st.integers(10, 16))
def test_edges_do_not_follow_the_depth_of_light_beyond_ten_bits(turn: float, bits: int) -> None:
    light = 0.1 + 0.7 * edge(turn)
    stepped = np.rint(light * (2**bits - 1)) / (2**bits - 1)
    for measured in (edge_sfr, edge_sfr_iso):
        plain, other = measured(light), measured(stepped)
        assert (other.mtf50, other.mtf10) == pytest.approx((plain.mtf50, plain.mtf10), rel=0.005)


@pytest.mark.parametrize(("gain", "offset"), [(0.86, 0), (0.93, 5), (1.0, 7)])
def test_sharpness_of_a_chart_does_not_follow_gain_and_offset_of_codes(gain: float, offset: int) -> None:
    """The chart's own steps say what the codes mean; a gain rounds them anew, which is new noise."""
    drawn = sharp_chart()
    changed = np.clip(np.rint(gain * drawn.astype(np.float64) + offset), 0, 255).astype(np.uint8)
    (efficiency, over), after = chart_sharpness(drawn.tobytes()), chart_sharpness(changed.tobytes())
    assert float(after[0].value) == pytest.approx(float(efficiency.value), rel=0.01 if gain < 1 else 1e-9)
    assert float(after[1].value) == pytest.approx(float(over.value), abs=0.15 if gain < 1 else 1e-9)


@cache
def sharp_chart() -> Luma:
    camera = imager(
        1280, 720, scene={"chart": "camcert-1", "fill": 0.92}, picture={"noise_sd": 1.0, "blur_sigma_px": 1.1, "seed": 3},
        isp={"sharpen_amount": 1.0, "sharpen_sigma_px": 1.2},
    )  # fmt: skip
    return camera.frame(Moment(1, START_NS, World(), counter=1)).luma.copy()


@cache
def chart_sharpness(codes: bytes) -> tuple[Estimate, Estimate]:
    picture = np.frombuffer(codes, np.uint8).reshape(720, 1280)
    return sharpness(centre_edges([picture], locate(picture, CHART)), tone_u=(0.0, 0.0))


def test_what_errors_of_the_steps_do_to_sharpness_grows_with_them() -> None:
    picture = sharp_chart()
    view = locate(picture, CHART)
    assert tone_uncertainty([picture], view, density_u=0.0) == (0.0, 0.0)
    small, large = (tone_uncertainty([picture], view, density_u=u) for u in (0.001, 0.004))
    assert small[0] > 0.0005 and small[1] > 0
    for few, many in zip(small, large, strict=True):
        assert 2 < many / few < 6


@settings(max_examples=20, deadline=None)
@given(st.floats(0.05, 20.0), st.floats(0.5, 6.0))
def test_the_effect_of_a_print_knows_no_unit_of_length(unit: float, scale: float) -> None:
    found = [edge_sfr(edge(5.0)), edge_sfr(edge(8.0))]
    frequency = np.linspace(0.0, 6.0, 61)
    mtf = np.exp(-2 * (math.pi * 0.4 * frequency / scale) ** 2)
    plain = print_effect(found, scale, ChartMtf("M", tuple(frequency), tuple(mtf), (0.02,) * 61))
    other = print_effect(
        found, unit * scale, ChartMtf("M", tuple(unit * frequency), tuple(mtf), (0.02,) * 61)
    )
    assert (other.factor, other.u) == pytest.approx((plain.factor, plain.u), rel=1e-6)
    assert (other.note == "") is (plain.note == "")


def texture(seed: int, rows: int = 72, columns: int = 96) -> Luma:
    soft = cv2.GaussianBlur(np.random.default_rng(seed).normal(size=(rows, columns)), (0, 0), 2.5)
    return np.asarray(np.clip(110 + 30 * soft / soft.std(), 30, 190), np.uint8)


@settings(max_examples=10, deadline=None)
@given(st.integers(0, 50), st.integers(-20, 40), st.integers(-9, 9), st.integers(-9, 9))
def test_likeness_follows_neither_offset_nor_shift_of_both(seed: int, offset: int, dx: int, dy: int) -> None:
    """PSNR knows no offset; both moved round by whole pixels stay as alike, and SSIM of the same codes."""
    reference = texture(seed)
    noise = np.random.default_rng(seed + 1).normal(0, 3, reference.shape)
    picture = np.clip(np.rint(reference + noise), 0, 255).astype(np.uint8)
    plain, likeness = similarity([picture], [reference], stream="none")
    lifted = [(p.astype(np.int16) + offset).astype(np.uint8) for p in (picture, reference)]
    assert similarity([lifted[0]], [lifted[1]], stream="none")[0].value == pytest.approx(
        plain.value, rel=1e-9
    )
    moved = [np.roll(p, (dy, dx), (0, 1)) for p in (picture, reference)]
    psnr, ssim = similarity([moved[0]], [moved[1]], stream="none")
    assert psnr.value == pytest.approx(plain.value, rel=1e-9)
    assert float(ssim.value) == pytest.approx(float(likeness.value), abs=0.03)  # windows over the seam


@cache
def stamped() -> Luma:
    picture = np.full((96, 420), 90, np.uint8)
    cv2.putText(picture, "2026-11-27 12:00:00", (16, 60), (225,), cv2.FontFace("sans"), 28, 400)
    return picture


@settings(max_examples=4, deadline=None)
@given(
    st.floats(0.7, 1.1), st.integers(-20, 10), st.integers(-8, 12), st.integers(-12, 20), st.integers(5, 8)
)
def test_the_time_is_read_whatever_shift_gain_offset_and_depth(
    gain: float, offset: int, dx: int, dy: int, bits: int
) -> None:
    moved = np.roll(stamped(), (dy, dx), (0, 1))
    changed = np.clip(np.rint(gain * moved.astype(np.float64) + offset), 0, 255).astype(np.uint8)
    (found,) = read_osd([depth_of(changed, bits)]).times
    assert found is not None and found.shown == 1_795_780_800


@cache
def scenery() -> tuple[Luma, Luma]:
    """A scene of many small things, and the same seen by a camera that turned by a degree and a half."""
    draw = np.random.default_rng(8)
    wide = np.full((420, 420), 128.0)
    for _ in range(500):
        y, x = draw.integers(0, 420, 2)
        height, width = draw.integers(4, 40, 2)
        wide[y : y + height, x : x + width] = draw.uniform(20, 235)
    wide = cv2.GaussianBlur(wide, (0, 0), 0.8)
    focal = 300 / 2 / math.tan(math.radians(30.0))
    turn, _ = cv2.Rodrigues(np.radians([0.7, 1.3, 0.2]))
    camera = np.array([[focal, 0, 149.5], [0, focal, 149.5], [0, 0, 1.0]])
    crop = np.array([[1.0, 0, -60], [0, 1, -60], [0, 0, 1]])
    moved = camera @ turn @ np.linalg.inv(camera) @ crop
    both = (cv2.warpPerspective(wide, m, (300, 300), flags=cv2.INTER_CUBIC) for m in (crop, moved))
    first, second = (np.clip(np.rint(p), 0, 255).astype(np.uint8) for p in both)
    return first, second


@settings(max_examples=4, deadline=None)
@given(st.integers(0, 3), st.booleans(), st.integers(5, 8))
def test_drift_follows_neither_turn_nor_mirror_nor_depth(turns: int, mirrored: bool, bits: int) -> None:
    def changed(p: Luma) -> Luma:
        return np.ascontiguousarray(np.rot90(depth_of(p[:, ::-1] if mirrored else p, bits), turns))

    first, second = scenery()
    plain, other = match_views(first, second), match_views(changed(first), changed(second))
    for figure, within in ((lambda m: direction_shift(m, hfov_deg=60.0), 0.03), (coverage_shift, 0.1)):
        assert float(figure(other).value) == pytest.approx(float(figure(plain).value), abs=within)


@settings(max_examples=20)
@given(st.integers(1, 8000), st.integers(1, 8000), st.integers(1, 6), st.integers(0, 5))
def test_the_size_counts_pixels_whichever_way_round_and_whatever_is_missing(
    width: int, height: int, whole: int, missing: int
) -> None:
    def sizes(w: int, h: int) -> tuple[float, float]:
        n = whole + missing
        at, real = np.zeros(n, np.int64), np.zeros(n)
        across, down = (np.array([0] * missing + [v] * whole, np.int32) for v in (w, h))
        table = FrameTable(90000, at, at, at, np.ones(n, np.bool_), at, real, real, across, down)
        first, second = picture_size(table, {})
        return float(first.value), float(second.value)

    assert sizes(width, height) == (width, height)
    assert sizes(height, width) == (height, width)
