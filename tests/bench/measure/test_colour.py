"""Colour differences against published pairs, and patches of a virtual camera against what its gains make of them."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from imaging_world import imager, moment
from numpy.typing import NDArray

from bench.measure.chart_view import ChartView, locate
from bench.measure.colour import (
    PatchSignals,
    colour_error,
    delta_e_2000,
    lab_of_signals,
    patch_signals,
    white_balance_error,
)
from bench.measure.colour_picture import ColourPicture
from fixtures.charts import CHARTS
from fixtures.charts.colour import NOMINAL_LAB, linear_srgb
from standards.errors import MeasurementRefused

NOMINAL = np.array([lab for _, lab in NOMINAL_LAB])
#: L1, a1, b1, L2, a2, b2, dE00: G. Sharma, W. Wu, E. N. Dalal, Color Res. Appl. 30 (2005) 21, table 1.
SHARMA = (
    (50.0, 2.6772, -79.7751, 50.0, 0.0, -82.7485, 2.0425),
    (50.0, 3.1571, -77.2803, 50.0, 0.0, -82.7485, 2.8615),
    (50.0, 2.8361, -74.02, 50.0, 0.0, -82.7485, 3.4412),
    (50.0, -1.3802, -84.2814, 50.0, 0.0, -82.7485, 1.0),
    (50.0, -1.1848, -84.8006, 50.0, 0.0, -82.7485, 1.0),
    (50.0, -0.9009, -85.5211, 50.0, 0.0, -82.7485, 1.0),
    (50.0, 0.0, 0.0, 50.0, -1.0, 2.0, 2.3669),
    (50.0, -1.0, 2.0, 50.0, 0.0, 0.0, 2.3669),
    (50.0, 2.49, -0.001, 50.0, -2.49, 0.0009, 7.1792),
    (50.0, 2.49, -0.001, 50.0, -2.49, 0.001, 7.1792),
    (50.0, 2.49, -0.001, 50.0, -2.49, 0.0011, 7.2195),
    (50.0, 2.49, -0.001, 50.0, -2.49, 0.0012, 7.2195),
    (50.0, -0.001, 2.49, 50.0, 0.0009, -2.49, 4.8045),
    (50.0, -0.001, 2.49, 50.0, 0.001, -2.49, 4.8045),
    (50.0, -0.001, 2.49, 50.0, 0.0011, -2.49, 4.7461),
    (50.0, 2.5, 0.0, 50.0, 0.0, -2.5, 4.3065),
    (50.0, 2.5, 0.0, 73.0, 25.0, -18.0, 27.1492),
    (50.0, 2.5, 0.0, 61.0, -5.0, 29.0, 22.8977),
    (50.0, 2.5, 0.0, 56.0, -27.0, -3.0, 31.903),
    (50.0, 2.5, 0.0, 58.0, 24.0, 15.0, 19.4535),
    (50.0, 2.5, 0.0, 50.0, 3.1736, 0.5854, 1.0),
    (50.0, 2.5, 0.0, 50.0, 3.2972, 0.0, 1.0),
    (50.0, 2.5, 0.0, 50.0, 1.8634, 0.5757, 1.0),
    (50.0, 2.5, 0.0, 50.0, 3.2592, 0.335, 1.0),
    (60.2574, -34.0099, 36.2677, 60.4626, -34.1751, 39.4387, 1.2644),
    (63.0109, -31.0961, -5.8663, 62.8187, -29.7946, -4.0864, 1.263),
    (61.2901, 3.7196, -5.3901, 61.4292, 2.248, -4.962, 1.8731),
    (35.0831, -44.1164, 3.7933, 35.0232, -40.0716, 1.5901, 1.8645),
    (22.7233, 20.0904, -46.694, 23.0331, 14.973, -42.5619, 2.0373),
    (36.4612, 47.858, 18.3852, 36.2715, 50.5065, 21.2231, 1.4146),
    (90.8027, -2.0831, 1.441, 91.1528, -1.6435, 0.0447, 1.4441),
    (90.9257, -0.5406, -0.9208, 88.6381, -0.8985, -0.7239, 1.5381),
    (6.7747, -0.2908, -2.4247, 5.8714, -0.0985, -2.2286, 0.6377),
    (2.0776, 0.0795, -1.135, 0.9033, -0.0636, -0.5514, 0.9082),
)  # fmt: skip


def encoded(light: NDArray[np.float64]) -> NDArray[np.float64]:
    """Signals of linear light by ITU-R BT.709-6 item 1.2, below 0 mirrored."""
    size = np.abs(light)
    return np.sign(light) * np.where(size < 0.018, 4.5 * size, 1.099 * size**0.45 - 0.099)


def perfect(*, light: float = 1.0, gains: tuple[float, float, float] = (1.0, 1.0, 1.0)) -> PatchSignals:
    signals = encoded(linear_srgb(NOMINAL) * light * np.asarray(gains))
    return PatchSignals(signals, np.full((24, 3), 0.001), np.zeros(24, np.bool_), 1)


@cache
def seen(red: float, blue: float, vignetting: float = 0.0) -> tuple[ColourPicture, ChartView]:
    one = imager(
        1280, 720, scene={"chart": "colour", "fill": 0.92, "yaw_deg": 2.0}, lens={"k1": -0.05, "vignetting": vignetting},
        white_balance={"red": red, "blue": blue}, picture={"exposure_ms": 9.0, "blur_sigma_px": 0.8, "noise_sd": 1.0},
        world={"initial": {"illuminance_lx": 450.0}},
    )  # fmt: skip
    planes = one.frame(moment(1)).planes
    luma, rest = planes[:720], planes.reshape(-1)[720 * 1280 :]
    blue_plane, red_plane = (rest[i * 230400 : (i + 1) * 230400].reshape(360, 640) for i in (0, 1))
    return ColourPicture(luma, blue_plane, red_plane), locate(luma.copy(), CHARTS["colour"])


def test_the_formula_gives_the_published_pairs() -> None:
    pairs = np.array(SHARMA)
    assert len(pairs) == 34
    assert np.abs(delta_e_2000(pairs[:, :3], pairs[:, 3:6]) - pairs[:, 6]).max() < 1e-4


def test_a_camera_without_error_has_none() -> None:
    found = lab_of_signals(perfect().signals, NOMINAL)
    assert np.abs(found - NOMINAL).max() < 0.03  # D50 to four digits in one, five in the other
    estimate = colour_error(perfect(), lab_u=0.0, light_u=0.0)
    assert estimate.value < 0.05
    assert white_balance_error(perfect(), lab_u=0.0).value < 5e-5


@settings(max_examples=10, deadline=None)
@given(light=st.floats(0.3, 1.5))
def test_exposure_changes_nothing(light: float) -> None:
    gains = (1.08, 1.0, 0.95)
    first = colour_error(perfect(gains=gains))
    second = colour_error(perfect(light=light, gains=gains))
    # The tone curve's decimals make it not quite a power: 0.02 remain.
    assert second.value == pytest.approx(first.value, abs=0.02)
    assert white_balance_error(perfect(light=light, gains=gains)).value == pytest.approx(
        white_balance_error(perfect(gains=gains)).value, abs=2e-4
    )


@pytest.mark.parametrize("gains", [(1.0, 1.0), (1.1, 0.92)], ids=["right", "cast"])
def test_a_camera_reads_as_its_gains_make_it(gains: tuple[float, float]) -> None:
    picture, view = seen(*gains)
    read = patch_signals([picture], view)
    error = colour_error(read, lab_u=0.0, light_u=0.0)
    # The same from what the gains make of the light: 450 lx of the 500 that fill the scale.
    clipped = np.clip(linear_srgb(NOMINAL) * 0.9, None, 1.0) * (gains[0], 1.0, gains[1])
    lab = lab_of_signals(encoded(np.clip(clipped, 0.0, 1.0)), NOMINAL)
    truth = float(delta_e_2000(lab, NOMINAL).mean())
    assert abs(error.value - truth) < min(error.expanded_uncertainty or 0.0, 0.25)
    assert abs(error.details["as_read"] - truth) < 0.35


def test_a_cast_is_told_with_its_direction() -> None:
    warm = white_balance_error(patch_signals([seen(1.1, 0.92)[0]], seen(1.1, 0.92)[1]), lab_u=0.0)
    even = white_balance_error(patch_signals([seen(1.0, 1.0)[0]], seen(1.0, 1.0)[1]), lab_u=0.0)
    assert even.value < 0.001 < 0.006 < warm.value
    assert warm.details["du"] > 0 and warm.details["dv"] > 0
    assert warm.u is not None and warm.u < 0.0005


def test_a_certificate_moves_the_figure_and_has_to_be_whole() -> None:
    names = {f"patch.{n}.{axis}": NOMINAL[n - 1, i] for n in range(1, 25) for i, axis in enumerate("Lab")}
    shifted = {key: value + (3.0 if key.endswith("a") else 0.0) for key, value in names.items()}
    assert colour_error(perfect(), certified=names).value < 0.05
    assert colour_error(perfect(), certified=shifted, lab_u=0.1, light_u=0.0).value > 1.0
    del shifted["patch.7.b"]
    with pytest.raises(MeasurementRefused, match=r"patch\.7\.b"):
        colour_error(perfect(), certified=shifted)


@pytest.mark.parametrize("level", [0.0, 1.0], ids=["black", "white"])
def test_nothing_is_told_of_pictures_without_patches(level: float) -> None:
    empty = PatchSignals(np.full((24, 3), level), np.full((24, 3), 0.001), np.full(24, level > 0), 1)
    with pytest.raises(MeasurementRefused):
        colour_error(empty)
    with pytest.raises(MeasurementRefused):
        white_balance_error(empty)


def test_pictures_of_another_size_are_not_of_the_chart() -> None:
    picture, view = seen(1.0, 1.0)
    small = ColourPicture(picture.luma[:100, :100], picture.blue[:50, :50], picture.red[:50, :50])
    with pytest.raises(MeasurementRefused, match="colour"):
        patch_signals([small], view)
