"""The least-squares spline: meets a cubic exactly, its slope is its derivative, empty knots hold."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from bench.measure.spline import fit_spline

COEFFICIENT = st.floats(-3, 3)


@settings(deadline=None, max_examples=40)
@given(COEFFICIENT, COEFFICIENT, COEFFICIENT, COEFFICIENT, st.integers(0, 1000))
def test_a_cubic_is_met_exactly(a: float, b: float, c: float, d: float, seed: int) -> None:
    x = np.random.default_rng(seed).uniform(-4, 4, 800)
    spline = fit_spline(x, a + b * x + c * x**2 + d * x**3, half=4.0, pitch=0.5, penalty=1e-12)
    at = np.linspace(-3.9, 3.9, 50)
    assert np.allclose(spline(at), a + b * at + c * at**2 + d * at**3, atol=1e-6)
    assert np.allclose(spline.derivative(at), b + 2 * c * at + 3 * d * at**2, atol=1e-5)


def test_knots_without_samples_are_bridged() -> None:
    x = np.concatenate([np.linspace(-4, -1, 100), np.linspace(1, 3.9, 100)])
    spline = fit_spline(x, 2 + 3 * x, half=4.0, pitch=0.25, penalty=1e-3)
    assert np.allclose(spline(np.linspace(-1, 1, 9)), 2 + 3 * np.linspace(-1, 1, 9), atol=1e-6)


def test_samples_outside_are_left_out() -> None:
    x = np.linspace(-4, 3.9, 200)
    inside = fit_spline(x, x**2, half=4.0, pitch=0.25, penalty=1e-3)
    more = fit_spline(
        np.append(x, [9.0, -8.0]), np.append(x**2, [1e6, -1e6]), half=4.0, pitch=0.25, penalty=1e-3
    )
    assert np.allclose(inside.coefficients, more.coefficients)
