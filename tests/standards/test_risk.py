"""The risk that decide() takes, against a Monte Carlo of true values."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from standards.clause import Bindingness, Clause, Comparison, Evidence, Limit, Measurand
from standards.decision import Rule, Verdict, decide
from standards.quantity import Bound, Estimate, Kind
from standards.risk import conformance_probability, risk_of


def clause(
    lower: str | None = None, upper: str | None = None, comparison: Comparison = Comparison.FULL
) -> Clause:
    limit = Limit(
        lower=None if lower is None else Decimal(lower), upper=None if upper is None else Decimal(upper)
    )
    return Clause(
        row="X-1", standard="X", standard_title_zh="X", number="1", title_zh="X", title_en="X", requirement_zh="X",
        requirement_en="X", measurand=Measurand(quantity="q", unit="s"), limit=limit, comparison=comparison,
        bindingness=Bindingness.LAW, evidence=Evidence.SEEN_PRIMARY, source="X", in_force=date(2020, 1, 1),
    )  # fmt: skip


def estimate(value: float, u: float | None = 0.1, **more: Any) -> Estimate:
    return Estimate(quantity="q", kind=Kind.RATIO, value=value, unit="s", u=u, **more)


@pytest.mark.parametrize("value", [1.7, 1.9, 2.0, 2.05, 2.3])
@pytest.mark.parametrize("dof", [None, 5.0])
def test_the_probability_is_that_of_a_monte_carlo(value: float, dof: float | None) -> None:
    rng = np.random.default_rng(12)
    draws = rng.standard_normal(400_000) if dof is None else rng.standard_t(dof, 400_000)
    truth = value + 0.1 * draws
    found = conformance_probability(estimate(value, dof=dof), clause(lower="1.8", upper="2.1"))
    assert found == pytest.approx(np.mean((truth >= 1.8) & (truth <= 2.1)), abs=0.004)


def test_the_risk_of_each_verdict() -> None:
    two = clause(upper="2")
    at_limit = risk_of(estimate(2.0), two, Verdict.PASS)
    assert at_limit is not None and at_limit.kind == "false_acceptance"
    assert at_limit.probability == pytest.approx(0.5)
    rejected = risk_of(estimate(2.3), two, Verdict.FAIL)
    assert rejected is not None and rejected.kind == "false_rejection"
    assert rejected.probability == pytest.approx(0.00135, rel=0.01)
    assert risk_of(estimate(2.0), two, Verdict.UNDECIDED) is None


def test_rounded_comparison_accepts_half_a_digit_more() -> None:
    found = conformance_probability(estimate(24.5, 0.001), clause(lower="25", comparison=Comparison.ROUNDED))
    assert found == pytest.approx(0.5)


@pytest.mark.parametrize(
    "unsaid",
    [
        estimate(1.0, None),
        estimate(1.0, None, exact=True),
        estimate(1.0, bound=Bound.LOWER, bound_reason="why"),
        estimate(1.0, interval=(0.9, 1.2)),
        Estimate(quantity="q", kind=Kind.NOMINAL, value=True, unit="s", exact=True),
    ],
)
def test_what_has_no_risk_to_tell(unsaid: Estimate) -> None:
    assert conformance_probability(unsaid, clause(upper="2")) is None


def test_no_limit_no_risk() -> None:
    assert conformance_probability(estimate(1.0), clause()) is None


@given(st.floats(0.0, 4.0), st.floats(0.01, 1.0))
def test_a_guarded_pass_risks_at_most_2_5_percent(value: float, u: float) -> None:
    two = clause(upper="2")
    if decide(estimate(value, u), two, Rule.GUARDED).verdict is Verdict.PASS:
        risk = risk_of(estimate(value, u), two, Verdict.PASS)
        assert risk is not None and risk.probability <= 0.025 + 1e-9


@given(st.floats(-5.0, 5.0), st.floats(0.01, 2.0), st.floats(-3, 3), st.floats(0, 3))
def test_a_probability(value: float, u: float, lower: float, width: float) -> None:
    found = conformance_probability(estimate(value, u), clause(f"{lower:.3f}", f"{lower + width + 0.01:.3f}"))
    assert found is not None and 0.0 <= found <= 1.0
