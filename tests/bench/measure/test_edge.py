"""e-SFR against closed-form edges of known response, and what must not change it."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from bench.measure.edge import EdgeSfr, edge_sfr
from fixtures.simulated.picture.lens import edge_profile, true_mtf
from standards.errors import MeasurementRefused

Roi = NDArray[np.float64]


def edge(rows: int, columns: int, angle: float, sigma: float, phase: float, bow: float = 0.0) -> Roi:
    """Edge of 0.2 to 0.8, `angle` degrees off vertical, bowed by so many pixels from end to middle."""
    t = math.radians(angle)
    y = np.arange(rows)[:, None] - (rows - 1) / 2
    x = np.arange(columns)[None, :] - (columns - 1) / 2 - phase + bow * (2 * y / rows) ** 2
    distance = x * math.cos(t) + y * math.sin(t)
    return 0.2 + 0.6 * edge_profile(distance, sigma, (math.cos(t), math.sin(t)))


def crossing(level: float, sigma: float, angle: float) -> float:
    f = np.linspace(0, 0.999, 20001)
    below = true_mtf(f, sigma, angle) - level
    return float(np.interp(0.0, -below, f))


def noisy(roi: Roi, decibels: float, seed: int) -> Roi:
    sd = 0.6 / 10 ** (decibels / 20)
    return roi + sd * np.random.default_rng(seed).standard_normal(roi.shape)


@pytest.mark.parametrize("sigma", [0.3, 0.5, 0.7, 1.0, 1.5, 2.0])
@pytest.mark.parametrize("angle", [2.0, 5.0, 10.0, 15.0])
def test_noise_free_bias(sigma: float, angle: float) -> None:
    found = edge_sfr(edge(128, 96, angle, sigma, 0.21))
    assert found.mtf50 == pytest.approx(crossing(0.5, sigma, angle), rel=1e-3)
    assert found.mtf10 == pytest.approx(crossing(0.1, sigma, angle), rel=2e-3)
    assert found.angle_deg == pytest.approx(angle, abs=0.01)
    assert found.nyquist_limited == (crossing(0.1, sigma, angle) > 0.5)
    assert found.flags == ()


@pytest.mark.parametrize(
    ("rows", "columns", "decibels", "sd", "p95"),
    [(128, 96, 40.0, 0.55, 1.2), (128, 96, 30.0, 1.7, 3.4), (64, 48, 40.0, 0.75, 1.6)],
)
def test_noise_scatter_and_stated_uncertainty(
    rows: int, columns: int, decibels: float, sd: float, p95: float
) -> None:
    """Goals of the metrology notes, with room for a sample of 40 only."""
    errors, stated = [], []
    for seed in range(40):
        angle, sigma = (5.0, 10.0)[seed % 2], (0.5, 0.9)[seed // 2 % 2]
        phase = np.random.default_rng(1000 + seed).uniform(-0.5, 0.5)
        found = edge_sfr(noisy(edge(rows, columns, angle, sigma, phase), decibels, seed))
        errors.append(100 * (found.mtf50 / crossing(0.5, sigma, angle) - 1))
        stated.append(100 * found.mtf50_u / found.mtf50)
    assert abs(np.mean(errors)) < 3 * sd / math.sqrt(40)
    assert np.std(errors) < sd
    assert np.quantile(np.abs(errors), 0.95) < p95
    assert np.std(errors) / np.mean(stated) == pytest.approx(1.1, abs=0.35)


def test_20_decibels_do_not_fail() -> None:
    for seed in range(12):
        found = edge_sfr(noisy(edge(128, 96, 5.0, 0.9, 0.1), 20.0, seed))
        assert found.mtf50 == pytest.approx(crossing(0.5, 0.9, 5.0), rel=0.15)
        assert any("step to noise" in flag for flag in found.flags)


def test_a_curved_edge_is_followed() -> None:
    found = edge_sfr(edge(128, 96, 5.0, 0.7, 0.0, bow=5.0))
    assert found.order >= 2
    assert found.mtf50 == pytest.approx(crossing(0.5, 0.7, 5.0), rel=0.006)


def test_wide_normalisation_keeps_veiling_glare_in() -> None:
    sharp = edge(128, 96, 5.0, 0.7, 0.1)
    glare = 0.92 * sharp + 0.08 * edge(128, 96, 5.0, 12.0, 0.1)
    local, wide = edge_sfr(glare), edge_sfr(glare, normalisation="wide")
    assert wide.mtf50 < 0.993 * local.mtf50
    assert edge_sfr(sharp, normalisation="wide").mtf50 == pytest.approx(edge_sfr(sharp).mtf50, rel=0.005)


def test_contamination_is_flagged() -> None:
    roi = noisy(edge(128, 96, 5.0, 0.9, 0.1), 45.0, 3)
    roi[50:70, 40:56] += 0.25
    assert any("lies across" in flag for flag in edge_sfr(roi).flags)


def same(a: EdgeSfr, b: EdgeSfr, tolerance: float) -> bool:
    """Alike up to the pixel grid's limit; beyond it, the root of what noise leaves magnifies rounding."""
    below = a.frequency <= 0.5
    return bool(np.allclose(a.sfr[below], b.sfr[below], atol=tolerance)) and abs(a.mtf50 - b.mtf50) < 2e-4


@settings(deadline=None, max_examples=12)
@given(st.floats(0.01, 1000.0), st.floats(-5.0, 5.0), st.integers(0, 99))
def test_gain_and_offset_change_nothing(gain: float, offset: float, seed: int) -> None:
    roi = noisy(edge(64, 48, 6.0, 0.8, 0.3), 40.0, seed)
    assert same(edge_sfr(roi), edge_sfr(gain * (roi + offset)), 1e-4)


@settings(deadline=None, max_examples=10)
@given(st.floats(-6.0, 6.0), st.floats(0.4, 1.6))
def test_shift_changes_nothing(shift: float, sigma: float) -> None:
    a, b = (edge_sfr(edge(96, 80, 5.0, sigma, phase)) for phase in (0.0, shift))
    assert b.mtf50 == pytest.approx(a.mtf50, rel=1e-3)


@settings(deadline=None, max_examples=10)
@given(st.booleans(), st.booleans(), st.booleans(), st.integers(0, 99))
def test_orientation_changes_nothing(turned: bool, flipped: bool, inverse: bool, seed: int) -> None:
    roi = noisy(edge(64, 56, 6.0, 0.8, 0.3), 40.0, seed)
    other = -roi if inverse else roi
    other = other[:, ::-1] if flipped else other
    other = other.T if turned else other
    assert same(edge_sfr(roi), edge_sfr(other), 4e-3)


@settings(deadline=None, max_examples=40)
@given(
    st.integers(1, 70),
    st.integers(1, 70),
    st.integers(0, 10**6),
    st.sampled_from(["noise", "flat", "ramp", "nan"]),
)
def test_rubbish_is_refused_or_measured_but_never_crashes(
    rows: int, columns: int, seed: int, kind: str
) -> None:
    roi = np.random.default_rng(seed).standard_normal((rows, columns))
    if kind == "flat":
        roi[:] = 0.5
    elif kind == "ramp":
        roi = np.linspace(0, 1, columns)[None, :] + 0.01 * roi
    elif kind == "nan":
        roi[rows // 2, columns // 2] = np.nan
    try:
        found = edge_sfr(roi)
    except MeasurementRefused:
        return
    assert np.isfinite(found.sfr).all()


@pytest.mark.parametrize("angle", [0.0, 0.5])
def test_an_edge_along_the_pixels_is_refused(angle: float) -> None:
    with pytest.raises(MeasurementRefused, match="degrees"):
        edge_sfr(edge(128, 96, angle, 0.7, 0.2))


def test_no_edge_is_refused() -> None:
    with pytest.raises(MeasurementRefused, match="no edge"):
        edge_sfr(np.random.default_rng(0).standard_normal((64, 64)))
    with pytest.raises(MeasurementRefused, match="at least 16"):
        edge_sfr(np.zeros((8, 64)))


@pytest.mark.parametrize("angle", [31.0, 40.0, 43.0, 50.0, 58.0, -40.0, 130.0])
def test_a_diagonal_edge_is_as_good(angle: float) -> None:
    sigma = 0.9
    found = edge_sfr(edge(72, 64, angle, sigma, 0.3))
    assert found.mtf50 == pytest.approx(crossing(0.5, sigma, angle), rel=1e-3)
    assert found.mtf10 == pytest.approx(crossing(0.1, sigma, angle), rel=2e-3)
    folded = abs(angle) % 90
    assert found.angle_deg == pytest.approx(min(folded, 90 - folded), abs=0.01)
    assert found.flags == ()


def test_diagonal_edges_that_cannot_be_measured_are_refused_with_the_reason() -> None:
    with pytest.raises(MeasurementRefused, match="turn the chart by 2 degrees"):
        edge_sfr(edge(64, 64, 45.0, 0.9, 0.3))
    with pytest.raises(MeasurementRefused, match="dB above the noise"):
        edge_sfr(noisy(edge(64, 64, 40.0, 0.9, 0.3), 20.0, 1))
    with pytest.raises(MeasurementRefused, match=r"corner|no edge"):
        edge_sfr(edge(64, 64, 40.0, 0.9, 52.0))


@settings(deadline=None, max_examples=12)
@given(st.integers(0, 3), st.booleans(), st.floats(0.01, 100), st.floats(-50, 50))
def test_a_diagonal_edge_turned_mirrored_brighter_is_the_same(
    quarters: int, mirrored: bool, gain: float, offset: float
) -> None:
    roi = noisy(edge(56, 56, 38.0, 0.8, 0.3), 40.0, 5)
    plain = edge_sfr(roi)
    other = np.rot90(roi.T if mirrored else roi, quarters)
    found = edge_sfr(gain * (other + offset))
    assert found.mtf50 == pytest.approx(plain.mtf50, rel=2e-3)
    assert found.mtf10 == pytest.approx(plain.mtf10, rel=2e-3)
