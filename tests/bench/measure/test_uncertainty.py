"""Budgets: their combination against closed forms, and what is refused."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.measure.uncertainty import combine, normal, rectangular, type_a
from standards.errors import MeasurementRefused
from standards.quantity import Contribution

_U = st.floats(1e-6, 1e3)
_DOF = st.one_of(st.none(), st.floats(1, 500))


@given(st.lists(st.tuples(_U, _DOF), min_size=1, max_size=8))
def test_combination_is_root_sum_of_squares_and_welch_satterthwaite(
    lines: list[tuple[float, float | None]],
) -> None:
    budget = [normal(f"x{i}", u, dof) for i, (u, dof) in enumerate(lines)]
    u, dof = combine(budget)
    assert u == pytest.approx(math.sqrt(sum(x * x for x, _ in lines)), rel=1e-9)
    inverse = sum(x**4 / v for x, v in lines if v is not None)
    if inverse == 0:
        assert dof is None
    elif dof is not None:
        assert dof == pytest.approx(max(1.0, u**4 / inverse), rel=1e-6)


def test_one_line_is_itself() -> None:
    u, dof = combine([normal("x", 0.25, 9.0)])
    assert u == pytest.approx(0.25) and dof == pytest.approx(9.0)
    assert combine([]) == (0.0, None)
    assert combine([Contribution(name="none", u=0.0)]) == (0.0, None)


def test_example_h1_of_the_gum() -> None:
    """End gauge (JCGM 100:2008, H.1): u = 32 nm, effective degrees of freedom 16."""
    budget = [
        normal("standard", 25.0, 18), normal("repeated", 5.8, 24), normal("random", 3.9, 5),
        normal("systematic", 6.7, 8), normal("expansion", 2.9, 50), normal("temperature", 16.6, 2),
    ]  # fmt: skip
    u, dof = combine(budget)
    assert u == pytest.approx(32, abs=0.5)
    assert dof is not None and math.floor(dof) in (16, 17)


def test_type_a_of_a_mean() -> None:
    values = np.array([1.0, 2.0, 3.0, 4.0])
    found = type_a(values, "mean")
    assert found.u == pytest.approx(np.std(values, ddof=1) / 2) and found.dof == 3.0 and found.method == "A"


@pytest.mark.parametrize("values", [[], [1.0], [1.0, float("nan")]])
def test_type_a_needs_two_finite_values(values: list[float]) -> None:
    with pytest.raises(MeasurementRefused, match="finite"):
        type_a(values, "x")


def test_kinds_of_line() -> None:
    assert rectangular("r", -3.0, "s").u == pytest.approx(math.sqrt(3.0))
    assert rectangular("r", 1.0, "s").method == "B"
    assert (normal("c", 1.0).method, normal("c", 1.0, 4.0).method) == ("B", "A")
