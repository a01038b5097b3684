"""Sampling efficiency and oversharpening of edges sharpened by a known mask."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bench.measure.edge import EdgeSfr, edge_sfr
from bench.measure.sharpness import sharpness
from fixtures.simulated.picture.lens import edge_profile, true_mtf
from standards.quantity import Estimate

ANGLES = (4.0, 7.0, 11.0)


def edges(sigma: float, amount: float, mask: float, noise: float = 0.0, seed: int = 0) -> list[list[EdgeSfr]]:
    """Three edges in two pictures: E + amount (E - E blurred by `mask` pixels), whose response is known."""
    draw, found = np.random.default_rng(seed), []
    for angle in ANGLES:
        t = math.radians(angle)
        y, x = np.arange(128)[:, None] - 63.5, np.arange(96)[None, :] - 47.5
        distance, normal = x * math.cos(t) + y * math.sin(t), (math.cos(t), math.sin(t))
        soft = edge_profile(distance, math.hypot(sigma, mask), normal)
        light = 0.2 + 0.5 * ((1 + amount) * edge_profile(distance, sigma, normal) - amount * soft)
        noisy = [light + noise * draw.standard_normal(light.shape) for _ in range(2)]
        found.append([edge_sfr(one, normalisation="wide") for one in noisy])
    return found


def truth(sigma: float, amount: float, mask: float) -> tuple[float, float]:
    """Sampling efficiency and oversharpening, %, mean over the angles."""
    f = np.linspace(0, 0.999, 4001)
    falls, peaks = [], []
    for angle in ANGLES:
        gain = 1 + amount * (1 - np.exp(-2 * (math.pi * mask * f) ** 2))
        response = true_mtf(f, sigma, angle) * gain
        falls.append(f[np.argmax(response < 0.1)])
        peaks.append(response[f <= 0.5].max())
    return min(200 * float(np.mean(falls)), 100.0), 100 * (float(np.mean(peaks)) - 1)


def value(estimate: Estimate) -> float:
    assert isinstance(estimate.value, float)
    return estimate.value


@pytest.mark.parametrize(
    ("sigma", "amount", "mask"), [(0.9, 0.0, 1.0), (1.2, 0.8, 1.5), (0.9, 2.0, 1.0), (1.5, 1.5, 2.0)]
)
def test_both_are_those_of_the_known_response(sigma: float, amount: float, mask: float) -> None:
    efficiency, over = truth(sigma, amount, mask)
    found = sharpness(edges(sigma, amount, mask), tone_u=(0.0, 0.0))
    assert value(found[0]) == pytest.approx(efficiency, rel=5e-3)
    assert value(found[1]) == pytest.approx(over, abs=found[1].expanded_uncertainty or 0.1)


def test_noise_is_within_what_is_stated() -> None:
    inside = []
    for seed in range(16):
        found = sharpness(edges(1.0, 1.0, 1.2, noise=0.5 / 10 ** (36 / 20), seed=seed), tone_u=(0.0, 0.0))
        for estimate, true in zip(found, truth(1.0, 1.0, 1.2), strict=True):
            assert estimate.expanded_uncertainty is not None
            inside.append(abs(value(estimate) - true) <= estimate.expanded_uncertainty)
    assert np.mean(inside) >= 0.85


def test_a_lens_that_outresolves_the_pixels_is_nyquist_limited() -> None:
    efficiency, over = sharpness(edges(0.3, 0.0, 1.0), tone_u=(0.0, 0.0))
    assert value(efficiency) == 100.0 and "Nyquist limited" in efficiency.notes[0]
    assert value(over) == pytest.approx(0.0, abs=0.1)
    assert 0.5 < 2 * over.u < 3  # nothing rises: known no better than coding lets it be, and not exactly


@settings(max_examples=5)
@given(st.floats(0.1, 50.0), st.floats(-3.0, 3.0), st.booleans())
def test_gain_offset_and_mirror_change_nothing(gain: float, offset: float, mirrored: bool) -> None:
    t = math.radians(6.0)
    y, x = np.arange(64)[:, None] - 31.5, np.arange(56)[None, :] - 27.5
    light = edge_profile(x * math.cos(t) + y * math.sin(t), 0.9, (math.cos(t), math.sin(t)))
    changed = gain * (light + offset)
    changed = changed[:, ::-1] if mirrored else changed
    both = (sharpness([[edge_sfr(one)]], tone_u=(0.0, 0.0)) for one in (light, changed))
    for plain, other in zip(*both, strict=True):
        assert value(other) == pytest.approx(value(plain), abs=0.05)
