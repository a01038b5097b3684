"""Tone curve from grey steps: gives light back, in any curve, and refuses what is no curve."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bench.measure.tone import measure_tone
from standards.errors import MeasurementRefused

REFLECTANCES = [10 ** -(0.05 + 0.13 * k) for k in range(12)]


def codes(gamma: float, gain: float = 1.0) -> list[float]:
    return [16 + 219 * min(1.0, (gain * r) ** gamma) for r in REFLECTANCES]


@settings(deadline=None)
@given(st.floats(0.35, 1.0))
def test_light_comes_back_within_half_a_percent(gamma: float) -> None:
    tone = measure_tone(codes(gamma), REFLECTANCES)
    light = np.linspace(0.04, 0.88, 200)
    exact = 16 + 219 * light**gamma
    found = np.interp(exact, np.arange(256.0), tone.table.astype(float))
    assert np.allclose(found, light, rtol=0.006, atol=0.002)


@settings(deadline=None)
@given(st.lists(st.floats(20.0, 235.0), min_size=6, max_size=16), st.permutations(range(6)))
def test_the_table_never_falls_whatever_the_steps(values: list[float], order: list[int]) -> None:
    rising = sorted(values)
    reflectances = np.linspace(0.03, 0.9, len(rising))
    pick = [*order, *range(6, len(rising))]
    try:
        tone = measure_tone([rising[i] for i in pick], [float(reflectances[i]) for i in pick])
    except MeasurementRefused:
        return
    assert (np.diff(tone.table) >= 0).all()


def test_clipped_steps_are_left_out() -> None:
    tone = measure_tone(codes(0.45, gain=2.5), REFLECTANCES)
    assert len(tone.codes) < 12
    assert tone.span[1] == pytest.approx(235.0)


def test_brightness_that_does_not_follow_is_refused() -> None:
    wrong = codes(0.45)
    wrong[3], wrong[7] = wrong[7], wrong[3]
    with pytest.raises(MeasurementRefused, match="do not rise"):
        measure_tone(wrong, REFLECTANCES)


def test_too_few_steps_are_refused() -> None:
    with pytest.raises(MeasurementRefused, match="told apart"):
        measure_tone([20.0] * 9 + [30.0, 40.0, 50.0], sorted(REFLECTANCES))
    with pytest.raises(MeasurementRefused, match="told apart"):
        measure_tone([128.0] * 12, REFLECTANCES)
