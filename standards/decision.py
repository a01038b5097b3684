"""From a value to a verdict: decide() for one clause, combine() for a run. Pure.

Rules (ILAC-G8:09/2019): *simple* acceptance, 4.2.1 (guard band w = 0), and *guarded*, 4.2.3 with
w = U at 95 %: pass, conditional pass, conditional fail, fail. Values are compared in full or rounded
to the limit's digits as the clause says (GB/T 8170-2008, 4.3).
"""

from __future__ import annotations

from collections.abc import Iterable
from decimal import ROUND_HALF_EVEN, Decimal
from enum import StrEnum

from pydantic import BaseModel, ConfigDict

from standards.clause import Clause, Comparison
from standards.quantity import Bound, Estimate

__all__ = ["Conformity", "Execution", "Judged", "Overall", "Rule", "Verdict", "combine", "decide"]


class Rule(StrEnum):
    """Decision rule, agreed before the run starts."""

    SIMPLE = "simple"
    GUARDED = "guarded"


class Verdict(StrEnum):
    """What a value says of a clause."""

    PASS = "pass"
    CONDITIONAL_PASS = "conditional_pass"
    CONDITIONAL_FAIL = "conditional_fail"
    FAIL = "fail"
    UNDECIDED = "undecided"


class Execution(StrEnum):
    """How the test of a clause went."""

    DONE = "done"
    NOT_APPLICABLE = "not_applicable"
    BENCH_FAULT = "bench_fault"
    NOT_RUN = "not_run"


class Conformity(BaseModel):
    """A verdict with its reason in a sentence (English; the documents word their own)."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    verdict: Verdict
    reason: str = ""


class Judged(BaseModel):
    """What combine() needs of one item: does the clause bind, is it inside the scope, how did it end."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    binding: bool
    in_scope: bool
    execution: Execution
    verdict: Verdict | None = None


class Overall(BaseModel):
    """conformity: 'conforms', 'does_not_conform', 'inconclusive'; recommended: 'met', 'not_met', …"""

    model_config = ConfigDict(frozen=True, extra="forbid")
    conformity: str
    recommended: str


def _rounded(value: Decimal, limit: Decimal) -> Decimal:
    return value.quantize(Decimal(1).scaleb(int(limit.as_tuple().exponent)), ROUND_HALF_EVEN)


def _within(value: Decimal, clause: Clause) -> bool:
    """value inside the clause's limits, compared as the clause says."""
    for limit, sign in ((clause.limit.lower, 1), (clause.limit.upper, -1)):
        if limit is None:
            continue
        compared = _rounded(value, limit) if clause.comparison is Comparison.ROUNDED else value
        if sign * (compared - limit) < 0:
            return False
    return True


def _two_sided(estimate: Estimate, clause: Clause, rule: Rule) -> Verdict:
    """Verdict of a numeric estimate that is no bound."""
    value = Decimal(repr(float(estimate.value)))
    inside = _within(value, clause)
    if rule is Rule.SIMPLE or estimate.exact:
        return Verdict.PASS if inside else Verdict.FAIL
    guard = Decimal(repr(float(estimate.expanded_uncertainty or 0.0)))
    both = [_within(value + guard, clause), _within(value - guard, clause)]
    if inside:
        return Verdict.PASS if all(both) else Verdict.CONDITIONAL_PASS
    return Verdict.CONDITIONAL_FAIL if any(both) else Verdict.FAIL


def _bounded(verdict: Verdict, estimate: Estimate, clause: Clause, bound: Bound, why: str) -> Conformity:
    """A bound may break the limit it runs towards; it can never meet the limit on its open side."""
    value = Decimal(repr(float(estimate.value)))
    if bound is Bound.LOWER:
        toward, open_side = clause.limit.upper, clause.limit.upper
        broken = toward is not None and not _within(value, clause) and value > toward
    else:
        toward, open_side = clause.limit.lower, clause.limit.lower
        broken = toward is not None and not _within(value, clause) and value < toward
    if broken:
        return Conformity(verdict=verdict, reason=why)
    if open_side is None:
        return Conformity(verdict=verdict, reason=why)
    return Conformity(verdict=Verdict.UNDECIDED, reason=why)


def decide(
    estimate: Estimate, clause: Clause, rule: Rule, *, minimum_s: float | None = None
) -> Conformity:
    """Hold one estimate against one clause.

    minimum_s: shortest observation, in seconds, after which the scheme lets the clause pass; a shorter
    one may fail the clause but never passes it. The unit of the estimate must be the clause's: limits
    are converted when the catalogue is loaded. Raises ValueError for a unit or quantity that differs.
    """
    if estimate.quantity != clause.measurand.quantity or estimate.unit != clause.measurand.unit:
        raise ValueError(
            f"{clause.row} wants {clause.measurand.quantity} in {clause.measurand.unit}, "
            f"got {estimate.quantity} in {estimate.unit}"
        )
    if not clause.limit.known:
        return Conformity(verdict=Verdict.UNDECIDED, reason="limit unknown: text required")
    short = minimum_s is not None and (estimate.observed_s or 0.0) < minimum_s
    why = estimate.bound_reason
    if short:
        why = f"observed {estimate.observed_s or 0.0:g} s, the scheme asks for {minimum_s:g} s"
    if clause.limit.equals is not None:
        verdict = Verdict.PASS if estimate.value == clause.limit.equals else Verdict.FAIL
        if short and verdict is Verdict.PASS:
            return Conformity(verdict=Verdict.UNDECIDED, reason=why)
        return Conformity(verdict=verdict)
    if isinstance(estimate.value, (bool, str)):
        raise ValueError(f"{clause.row}: a numeric limit against {estimate.value!r}")
    if rule is Rule.GUARDED and estimate.expanded_uncertainty is None:
        return Conformity(verdict=Verdict.UNDECIDED, reason="uncertainty not evaluated; the rule needs it")
    verdict = _two_sided(estimate, clause, rule)
    if estimate.bound is not None:
        conformity = _bounded(verdict, estimate, clause, estimate.bound, estimate.bound_reason)
    else:
        conformity = Conformity(verdict=verdict)
    if short and conformity.verdict in (Verdict.PASS, Verdict.CONDITIONAL_PASS):
        return Conformity(verdict=Verdict.UNDECIDED, reason=why)
    return conformity


def _axis(items: list[Judged], words: tuple[str, str, str]) -> str:
    good, bad, open_ = words
    verdicts = [item.verdict for item in items if item.execution is Execution.DONE]
    if any(v in (Verdict.FAIL, Verdict.CONDITIONAL_FAIL) for v in verdicts):
        return bad
    relevant = [i for i in items if i.execution is not Execution.NOT_APPLICABLE]
    settled = (Verdict.PASS, Verdict.CONDITIONAL_PASS)
    if any(i.in_scope and (i.execution is not Execution.DONE or i.verdict not in settled) for i in relevant):
        return open_
    return good if any(v in settled for v in verdicts) else open_


def combine(items: Iterable[Judged]) -> Overall:
    """The conclusion over the items tested: mandatory and recommended apart.

    One binding clause inside the scheme's scope that could not be judged makes the whole inconclusive;
    clauses outside the scope are listed by the report and do not count.
    """
    every = list(items)
    return Overall(
        conformity=_axis([i for i in every if i.binding], ("conforms", "does_not_conform", "inconclusive")),
        recommended=_axis([i for i in every if not i.binding], ("met", "not_met", "inconclusive")),
    )
