"""decide() and combine(): properties that hold for every value, and the cases that the clauses live by."""

from __future__ import annotations

import itertools
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from standards.clause import Axis, Bindingness, Clause, Comparison, Evidence, Limit, Measurand
from standards.decision import Conformity, Execution, Judged, Rule, Verdict, combine, decide
from standards.quantity import Bound, Estimate, Kind

BEST_FIRST = [
    Verdict.PASS,
    Verdict.CONDITIONAL_PASS,
    Verdict.UNDECIDED,
    Verdict.CONDITIONAL_FAIL,
    Verdict.FAIL,
]
MET = {Verdict.PASS, Verdict.CONDITIONAL_PASS}
BROKEN = {Verdict.FAIL, Verdict.CONDITIONAL_FAIL}

values = st.floats(-1e6, 1e6)
limits = st.decimals("-1000", "1000", places=2)
spreads = st.floats(0, 1e3)
rules = st.sampled_from(list(Rule))
comparisons = st.sampled_from(list(Comparison))


def clause(comparison: Comparison = Comparison.FULL, evidence: str = "seen-P", **limit: Any) -> Clause:
    return Clause(
        row="TEST-1",
        standard="TEST",
        standard_title_zh="",
        number="1",
        title_zh="",
        title_en="",
        requirement_zh="",
        requirement_en="",
        measurand=Measurand(quantity="q", unit="s"),
        limit=Limit(**limit),
        comparison=comparison,
        bindingness=Bindingness.RECOMMENDED,
        evidence=Evidence(evidence),
        source="",
    )


def found(value: float | bool | str, **more: Any) -> Estimate:
    kind = Kind.RATIO if isinstance(value, float) else Kind.NOMINAL
    return Estimate(quantity="q", unit="s", kind=kind, value=value, **more)


def verdict(estimate: Estimate, held_against: Clause, rule: Rule = Rule.SIMPLE, **more: Any) -> Verdict:
    return decide(estimate, held_against, rule, **more).verdict


# numeric limits ------------------------------------------------------------------------------------


@given(values, values, limits, spreads, rules, comparisons)
def test_a_larger_value_is_never_worse_for_a_lower_limit(
    a: float, b: float, limit: Decimal, u: float, rule: Rule, comparison: Comparison
) -> None:
    small, large = sorted((a, b))
    against = clause(comparison, lower=limit)
    ranks = [BEST_FIRST.index(verdict(found(v, u=u), against, rule)) for v in (small, large)]
    assert ranks[0] >= ranks[1]


@given(values, limits, spreads, rules, comparisons)
def test_both_sides_are_treated_alike(
    value: float, limit: Decimal, u: float, rule: Rule, comparison: Comparison
) -> None:
    mirrored = verdict(found(-value, u=u), clause(comparison, upper=-limit), rule)
    assert verdict(found(value, u=u), clause(comparison, lower=limit), rule) is mirrored


@given(values, limits, spreads, comparisons)
def test_the_guard_band_only_splits_the_simple_verdict(
    value: float, limit: Decimal, u: float, comparison: Comparison
) -> None:
    against = clause(comparison, lower=limit)
    simple = verdict(found(value, u=u), against)
    guarded = verdict(found(value, u=u), against, Rule.GUARDED)
    assert guarded in (MET if simple is Verdict.PASS else BROKEN)


@given(values, limits, comparisons)
def test_an_exact_value_has_no_guard_band(value: float, limit: Decimal, comparison: Comparison) -> None:
    against = clause(comparison, upper=limit)
    exact = found(value, exact=True)
    assert verdict(exact, against, Rule.GUARDED) is verdict(exact, against, Rule.SIMPLE)


@given(values, limits, limits, spreads, rules)
def test_two_limits_are_as_strict_as_the_stricter(
    value: float, a: Decimal, b: Decimal, u: float, rule: Rule
) -> None:
    lower, upper = sorted((a, b))
    estimate = found(value, u=u)
    sides = [verdict(estimate, clause(lower=lower), rule), verdict(estimate, clause(upper=upper), rule)]
    assert verdict(estimate, clause(lower=lower, upper=upper), rule) is max(sides, key=BEST_FIRST.index)


def test_a_wide_interval_over_a_narrow_tolerance_does_not_fail_outright() -> None:
    estimate = found(0.9, u=10.0)
    assert verdict(estimate, clause(lower=1, upper=2), Rule.GUARDED) is Verdict.CONDITIONAL_FAIL


def test_the_stated_interval_is_the_guard_band_where_it_is_not_symmetric() -> None:
    against = clause(upper=2)
    assert verdict(found(1.9, u=1.0, interval=(0.5, 1.95)), against, Rule.GUARDED) is Verdict.PASS
    assert (
        verdict(found(1.9, u=0.001, interval=(1.8, 2.4)), against, Rule.GUARDED) is Verdict.CONDITIONAL_PASS
    )
    assert verdict(found(1.9, interval=(1.8, 1.95)), against, Rule.GUARDED) is Verdict.PASS


def test_four_verdicts_of_the_guarded_rule() -> None:
    against = clause(upper=2)
    seen = [verdict(found(v, u=0.05), against, Rule.GUARDED) for v in (1.8, 1.95, 2.0, 2.05, 2.2)]
    assert seen == [
        Verdict.PASS,
        Verdict.CONDITIONAL_PASS,
        Verdict.CONDITIONAL_PASS,
        Verdict.CONDITIONAL_FAIL,
        Verdict.FAIL,
    ]


@given(values, limits)
def test_without_uncertainty_the_guarded_rule_refuses(value: float, limit: Decimal) -> None:
    assert verdict(found(value), clause(lower=limit), Rule.GUARDED) is Verdict.UNDECIDED
    assert verdict(found(value), clause(lower=limit), Rule.SIMPLE) is not Verdict.UNDECIDED


# rounding ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "limit", "rounded", "full"),
    [
        (24.9995, "25", Verdict.PASS, Verdict.FAIL),  # a clock that is 20 ppm slow
        (24.45, "25", Verdict.FAIL, Verdict.FAIL),
        (24.5, "25", Verdict.FAIL, Verdict.FAIL),  # a tie goes to the even 24
        (24.51, "25", Verdict.PASS, Verdict.FAIL),
        (25.5, "26", Verdict.PASS, Verdict.FAIL),  # a tie goes to the even 26
        (25.0, "25", Verdict.PASS, Verdict.PASS),
        (24.9995, "25.0", Verdict.PASS, Verdict.FAIL),  # the limit's digits, not its value
        (24.94, "25.0", Verdict.FAIL, Verdict.FAIL),
        (0.1996, "0.200", Verdict.PASS, Verdict.FAIL),
        (1e30, "25", Verdict.PASS, Verdict.PASS),
        (5e-324, "25", Verdict.FAIL, Verdict.FAIL),
    ],
)
def test_rounding_to_the_limits_digits(value: float, limit: str, rounded: Verdict, full: Verdict) -> None:
    lower = Decimal(limit)
    assert verdict(found(value), clause(Comparison.ROUNDED, lower=lower)) is rounded
    assert verdict(found(value), clause(Comparison.FULL, lower=lower)) is full


@given(values, limits)
def test_rounding_moves_the_limit_by_half_a_digit_at_most(value: float, limit: Decimal) -> None:
    rounded = verdict(found(value), clause(Comparison.ROUNDED, lower=limit)) is Verdict.PASS
    if Decimal(repr(value)) >= limit:
        assert rounded
    if Decimal(repr(value)) < limit - Decimal("0.005"):
        assert not rounded


# bounds and short observations ---------------------------------------------------------------------


@given(values, limits, st.sampled_from(list(Bound)), rules, comparisons)
def test_a_bound_never_meets_its_open_side_nor_breaks_the_other(
    value: float, limit: Decimal, bound: Bound, rule: Rule, comparison: Comparison
) -> None:
    estimate = found(value, u=0.1, bound=bound, bound_reason="half of the chain")
    sides = [clause(comparison, upper=limit), clause(comparison, lower=limit)]
    towards, away = sides if bound is Bound.LOWER else reversed(sides)
    assert verdict(estimate, towards, rule) not in MET
    assert verdict(estimate, away, rule) not in BROKEN


def test_a_delay_without_its_display_may_break_the_limit_and_says_why() -> None:
    against = clause(upper=2)
    short, long = (found(v, u=0.001, bound=Bound.LOWER, bound_reason="no display") for v in (0.1, 2.5))
    assert decide(short, against, Rule.SIMPLE) == Conformity(verdict=Verdict.UNDECIDED, reason="no display")
    assert verdict(long, against) is Verdict.FAIL


def test_a_bound_above_the_lower_limit_meets_it_and_below_it_stays_open() -> None:
    at_least = {"bound": Bound.LOWER, "bound_reason": "counted in part"}
    assert verdict(found(26.0, **at_least), clause(lower=25)) is Verdict.PASS
    assert verdict(found(20.0, **at_least), clause(lower=25)) is Verdict.UNDECIDED


@given(values, limits, st.floats(0, 99.9), rules)
def test_a_short_observation_never_passes_and_still_fails(
    value: float, limit: Decimal, observed: float, rule: Rule
) -> None:
    against = clause(upper=limit)
    unhurried = verdict(found(value, u=0.1), against, rule)
    hurried = verdict(found(value, u=0.1, observed_s=observed), against, rule, minimum_s=100.0)
    assert hurried is (Verdict.UNDECIDED if unhurried in MET else unhurried)
    enough = found(value, u=0.1, observed_s=100.0)
    assert verdict(enough, against, rule, minimum_s=100.0) is unhurried


def test_an_observation_of_unknown_length_counts_as_none() -> None:
    conformity = decide(found(0.0), clause(upper=0), Rule.SIMPLE, minimum_s=20)
    assert conformity.verdict is Verdict.UNDECIDED
    assert conformity.reason == "observed 0 s, the scheme asks for 20 s"


# attributes, unknown limits, misuse ----------------------------------------------------------------


@given(rules)
def test_yes_and_no(rule: Rule) -> None:
    assert verdict(found(True), clause(equals=True), rule) is Verdict.PASS
    assert verdict(found(False), clause(equals=True), rule) is Verdict.FAIL
    assert verdict(found("h264"), clause(equals="h264"), rule) is Verdict.PASS
    assert verdict(found(True), clause(equals=True), rule, minimum_s=1) is Verdict.UNDECIDED
    assert verdict(found(False), clause(equals=True), rule, minimum_s=1) is Verdict.FAIL


def test_a_number_is_no_answer_to_yes_or_no() -> None:
    with pytest.raises(ValueError, match="True is asked for"):
        decide(found(1.0), clause(equals=True), Rule.SIMPLE)
    with pytest.raises(ValueError, match="numeric limit"):
        decide(found("many"), clause(upper=1), Rule.SIMPLE)


@given(values, rules, st.sampled_from(["seen-P", "unknown"]))
def test_an_unknown_limit_is_never_judged(value: float, rule: Rule, evidence: str) -> None:
    assert verdict(found(value, u=0.0), clause(evidence=evidence), rule) is Verdict.UNDECIDED


@pytest.mark.parametrize("other", [{"unit": "ms"}, {"quantity": "r"}])
def test_another_unit_or_quantity_is_refused(other: dict[str, str]) -> None:
    with pytest.raises(ValueError, match="TEST-1 wants q in s"):
        decide(found(1.0).model_copy(update=other), clause(upper=1), Rule.SIMPLE)


def test_limits_that_cannot_be_are_refused() -> None:
    for impossible in ({"lower": 2, "upper": 1}, {"lower": 2, "equals": True}, {"upper": Decimal("NaN")}):
        with pytest.raises(ValueError):
            Limit(**impossible)
    with pytest.raises(ValueError, match="must stay empty"):
        clause(evidence="unknown", lower=1)


# the conclusion ------------------------------------------------------------------------------------

judged_items = st.lists(
    st.builds(
        Judged,
        axis=st.sampled_from(list(Axis)),
        in_scope=st.booleans(),
        execution=st.sampled_from(list(Execution)),
        verdict=st.sampled_from(list(Verdict)),
    ),
    max_size=6,
)


def one(verdict_: Verdict | None, *, binding: bool = True, in_scope: bool = True, **more: Any) -> Judged:
    execution = more.get("execution", Execution.DONE)
    return Judged(
        axis=Axis.MANDATORY if binding else Axis.RECOMMENDED,
        in_scope=in_scope,
        execution=execution,
        verdict=verdict_,
    )


@given(judged_items)
def test_the_axes_do_not_touch(items: list[Judged]) -> None:
    whole = combine(items)
    alone = {axis: combine(i for i in items if i.axis is axis) for axis in Axis}
    assert alone[Axis.MANDATORY].conformity == whole.conformity
    assert alone[Axis.CONTRACT].contract == whole.contract
    assert alone[Axis.RECOMMENDED].recommended == whole.recommended


@given(judged_items, st.randoms())
def test_order_does_not_matter(items: list[Judged], random: Any) -> None:
    shuffled = items.copy()
    random.shuffle(shuffled)
    assert combine(shuffled) == combine(items)


@given(judged_items)
def test_it_conforms_only_if_everything_in_scope_was_met(items: list[Judged]) -> None:
    binding = [i for i in items if i.axis is Axis.MANDATORY]
    broken = any(i.execution is Execution.DONE and i.verdict in BROKEN for i in binding)
    scope = [i for i in binding if i.in_scope and i.execution is not Execution.NOT_APPLICABLE]
    met = [i for i in scope if i.execution is Execution.DONE and i.verdict in MET]
    expected = "does_not_conform" if broken else "conforms" if scope and met == scope else "inconclusive"
    assert combine(items).conformity == expected


def test_a_recommended_breach_is_no_breach_of_article_12() -> None:
    overall = combine([one(Verdict.PASS), one(Verdict.FAIL, binding=False)])
    assert (overall.conformity, overall.recommended) == ("conforms", "not_met")


@pytest.mark.parametrize("execution", [Execution.BENCH_FAULT, Execution.NOT_RUN])
def test_what_could_not_be_judged_counts_inside_the_scope_alone(execution: Execution) -> None:
    inside, outside = (one(None, execution=execution, in_scope=scope) for scope in (True, False))
    assert combine([one(Verdict.PASS), inside]).conformity == "inconclusive"
    assert combine([one(Verdict.PASS), outside]).conformity == "conforms"


def test_nothing_judged_is_inconclusive_and_a_pass_outside_the_scope_is_not_enough() -> None:
    assert combine([]).conformity == "inconclusive"
    assert combine([one(Verdict.PASS, in_scope=False)]).conformity == "inconclusive"
    assert combine([one(Verdict.FAIL, in_scope=False)]).conformity == "does_not_conform"


def test_when_issued_mandatory_does_not_bind() -> None:
    assert [b for b in Bindingness if b.binding] == [Bindingness.LAW, Bindingness.MANDATORY]


def test_verdict_order_is_total() -> None:
    assert sorted(map(str, itertools.chain(BEST_FIRST))) == sorted(map(str, Verdict))
