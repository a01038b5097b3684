"""The time in the picture: what is drawn is read, what is not certain is not; the offset lies within its bounds."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from bench.measure.osd import Reading, layout_of, osd_time_offset, read_time
from bench.measure.osd_glyphs import Box
from standards.errors import MeasurementRefused

NOON = 1_795_780_800  # 2026-11-27 12:00:00 as shown


def drawn(text: str, light: bool = True) -> NDArray[np.uint8]:
    """A grey picture with a text of 22 pixels' digits."""
    picture = np.full((120, 480), 90, np.uint8)
    cv2.putText(picture, text, (20, 70), (235 if light else 12,), cv2.FontFace("sans"), 30, 400)
    return picture


@pytest.mark.parametrize("light", [True, False])
def test_a_drawn_time_is_read(light: bool) -> None:
    found = read_time(drawn("2026-11-27 12:00:00", light))
    assert found is not None and found.shown == NOON and found.votes >= 2


def test_what_is_no_time_is_not_read() -> None:
    assert read_time(drawn("2026-11-27 12:00:73")) is None
    assert read_time(np.random.default_rng(1).integers(0, 255, (120, 480)).astype(np.uint8)) is None
    with pytest.raises(ValueError, match="none of"):
        read_time(drawn(""), "yy")


def test_a_date_that_may_be_meant_in_two_ways_is_refused() -> None:
    assert layout_of(drawn("27/11/2026 12:00:00")) == "dd/mm/yyyy"
    with pytest.raises(MeasurementRefused, match="dd/mm/yyyy or mm/dd/yyyy"):
        layout_of(drawn("03/04/2026 12:00:00"))


def shown(offset: float, times: list[float]) -> list[Reading]:
    """Readings of a clock ahead by so much."""
    return [Reading(int(np.floor(t + offset)) + 28800, Box(0, 0, 9, 9), 20.0, 6, 0.9, 0.1) for t in times]


@settings(max_examples=60, deadline=None)
@given(st.floats(-5000, 5000), st.floats(0, 1), st.integers(3, 20), st.integers(-10000, 10000))
def test_the_offset_lies_within_its_bounds_and_shifts_with_the_clock(
    offset: float, phase: float, count: int, shift: int
) -> None:
    times = [NOON + phase + 0.1 * n for n in range(count)]
    found = osd_time_offset(shown(offset, times), times)
    # Doubles of a time of day hold a quarter of a microsecond.
    half = np.sqrt(3) * found.budget[0].u + 1e-5
    assert abs(float(found.value) - offset) <= half <= 0.5 + 2e-5
    moved = osd_time_offset(shown(offset + shift, times), times)
    assert float(moved.value) - float(found.value) == pytest.approx(
        shift, abs=1e-5 + 2 * half * (half > 0.49)
    )


def test_a_time_that_stands_still_or_is_not_read_is_refused() -> None:
    times = [NOON + 0.5 * n for n in range(6)]
    with pytest.raises(MeasurementRefused, match="does not follow"):
        osd_time_offset([shown(0.0, times)[0]] * 6, times)
    with pytest.raises(MeasurementRefused, match="read for certain in 2 of 6"):
        osd_time_offset([*shown(0.0, times)[:2], None, None, None, None], times)
