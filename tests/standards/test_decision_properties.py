"""What no verdict may depend on, and the risk that the guarded rule promises."""

from __future__ import annotations

import math
from decimal import Decimal
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from standards.clause import Axis, Bindingness, Clause, Comparison, Evidence, Limit, Measurand
from standards.decision import Execution, Judged, Rule, Verdict, combine, decide
from standards.quantity import Estimate, Kind

MET = (Verdict.PASS, Verdict.CONDITIONAL_PASS)


def clause(unit: str = "s", comparison: Comparison = Comparison.FULL, **limit: Any) -> Clause:
    return Clause(
        row="X", standard="X", standard_title_zh="", number="", title_zh="", title_en="", requirement_zh="",
        requirement_en="", measurand=Measurand(quantity="q", unit=unit), limit=Limit(**limit),
        comparison=comparison, bindingness=Bindingness.LAW, evidence=Evidence.SEEN_PRIMARY, source="",
    )  # fmt: skip


def found(value: float, unit: str = "s", **more: Any) -> Estimate:
    return Estimate(quantity="q", kind=Kind.RATIO, value=value, unit=unit, **more)


@given(
    st.integers(0, 40_000), st.integers(0, 40), st.integers(1, 500),
    st.sampled_from(list(Rule)), st.sampled_from(list(Comparison)), st.booleans(),
)  # fmt: skip
def test_a_change_of_unit_changes_nothing(
    value: int, limit: int, u: int, rule: Rule, comparison: Comparison, upper: bool
) -> None:
    """Tenths of a millisecond against a limit in milliseconds, and the same in seconds with its digits."""
    side = "upper" if upper else "lower"
    in_ms = decide(
        found(value / 10, "ms", u=u / 10), clause("ms", comparison, **{side: Decimal(limit * 100)}), rule
    )
    in_s = decide(
        found(value / 10_000, u=u / 10_000),
        clause("s", comparison, **{side: Decimal(limit * 100).scaleb(-3)}),
        rule,
    )
    assert in_ms.verdict is in_s.verdict


@given(
    st.floats(-1e3, 1e3), st.floats(1e-6, 100), st.floats(1, 100), st.decimals("-100", "100", places=1),
    st.sampled_from(list(Rule)), st.sampled_from(list(Comparison)), st.sampled_from(["lower", "upper"]),
)  # fmt: skip
def test_a_larger_uncertainty_never_makes_a_pass(
    value: float, u: float, times: float, limit: Decimal, rule: Rule, comparison: Comparison, side: str
) -> None:
    against = clause(comparison=comparison, **{side: limit})
    small, large = (decide(found(value, u=w), against, rule).verdict for w in (u, u * times))
    if small is not Verdict.PASS:
        assert large is not Verdict.PASS
    if small not in MET:
        assert large not in MET


@pytest.mark.parametrize("dof", [None, 4.0])
@pytest.mark.parametrize("beyond", [0.0, 0.01, 0.05])
def test_the_guarded_rule_accepts_falsely_in_2_5_percent_at_most(dof: float | None, beyond: float) -> None:
    """A true value at the limit or beyond, measured 20,000 times with normal errors and the u they have."""
    rng = np.random.default_rng(17025)
    count, against = 20_000, clause(upper=Decimal(2))
    errors = rng.standard_normal(count) if dof is None else rng.standard_t(dof, count)
    passed = sum(
        decide(found(float(2.0 + beyond + 0.1 * e), u=0.1, dof=dof), against, Rule.GUARDED).verdict
        is Verdict.PASS
        for e in errors
    )
    assert passed / count <= 0.025 + 4 * math.sqrt(0.025 * 0.975 / count)
    if beyond == 0.0:
        assert passed / count >= 0.025 - 4 * math.sqrt(0.025 * 0.975 / count), (
            "the band is no wider than stated"
        )


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
def test_what_is_no_number_is_refused(bad: float) -> None:
    with pytest.raises(ValidationError, match="finite number"):
        found(bad)
    with pytest.raises(ValidationError, match="finite number"):
        found(1.0, u=abs(bad))
    with pytest.raises(ValidationError):
        Limit(upper=Decimal(str(bad)))


def test_mixed_units_are_refused() -> None:
    with pytest.raises(ValueError, match="wants q in s, got q in ms"):
        decide(found(1.0, "ms"), clause(upper=Decimal(2)), Rule.SIMPLE)


def test_what_was_declared_and_is_absent_fails() -> None:
    absent = Estimate(quantity="q", kind=Kind.RATIO, value=False, unit="s", exact=True, absent=True)
    for rule in Rule:
        conformity = decide(absent, clause(lower=Decimal(3)), rule)
        assert (conformity.verdict, conformity.reason) == (Verdict.FAIL, "declared, and not there")
    with pytest.raises(ValidationError, match="absent has the value False"):
        Estimate(quantity="q", kind=Kind.RATIO, value=1.0, unit="s", exact=True, absent=True)


def judged(axis: Axis, verdict: Verdict | None, execution: Execution = Execution.DONE) -> Judged:
    return Judged(axis=axis, in_scope=True, execution=execution, verdict=verdict)


def test_a_contract_has_a_conclusion_of_its_own() -> None:
    law = judged(Axis.MANDATORY, Verdict.PASS)
    assert combine([law]).contract == "none"
    assert combine([law, judged(Axis.CONTRACT, Verdict.PASS)]).contract == "met"
    broken = combine([law, judged(Axis.CONTRACT, Verdict.FAIL)])
    assert (broken.conformity, broken.contract) == ("conforms", "not_met")
    assert combine([judged(Axis.CONTRACT, None, Execution.NOT_RUN)]).contract == "inconclusive"


BETTER = [Verdict.PASS, Verdict.UNDECIDED, Verdict.FAIL]
GOOD = {"conforms": 0, "met": 0, "inconclusive": 1, "does_not_conform": 2, "not_met": 2, "none": 0}


@given(
    st.lists(st.tuples(st.sampled_from(list(Axis)), st.sampled_from(BETTER)), min_size=1, max_size=8),
    st.data(),
)
def test_a_worse_verdict_never_betters_a_conclusion(
    items: list[tuple[Axis, Verdict]], data: st.DataObject
) -> None:
    place = data.draw(st.integers(0, len(items) - 1))
    axis, verdict = items[place]
    worse = data.draw(st.sampled_from(BETTER[BETTER.index(verdict) :]))
    before = combine(judged(*item) for item in items)
    after = combine(judged(*item) for item in [*items[:place], (axis, worse), *items[place + 1 :]])
    for name in ("conformity", "recommended", "contract"):
        assert GOOD[getattr(after, name)] >= GOOD[getattr(before, name)]


def test_a_contract_that_does_not_apply_is_none() -> None:
    away = judged(Axis.CONTRACT, None, Execution.NOT_APPLICABLE)
    assert combine([judged(Axis.MANDATORY, Verdict.PASS), away]).contract == "none"
    assert combine([away, judged(Axis.CONTRACT, Verdict.PASS)]).contract == "met"


@pytest.mark.parametrize("interval", [(31.0, 20.0), (40.0, 50.0), (1.0, 2.0)])
def test_an_interval_that_does_not_hold_its_value_is_refused(interval: tuple[float, float]) -> None:
    with pytest.raises(ValidationError, match="outside its interval"):
        found(30.0, interval=interval)
