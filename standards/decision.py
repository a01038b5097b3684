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

from standards.clause import Axis, Clause, Comparison
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
    """What combine() needs of one item: which conclusion it counts for, is it inside the scope, how did it
    end."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    axis: Axis
    in_scope: bool
    execution: Execution
    verdict: Verdict | None = None


class Overall(BaseModel):
    """conformity, of the mandatory clauses: 'conforms', 'does_not_conform', 'inconclusive'; recommended:
    'met', 'not_met', 'inconclusive'; contract: the same, or 'none' where nothing that was agreed applies."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    conformity: str
    recommended: str
    contract: str = "none"


#: From best to worst, as the sides of one clause are put together.
_ORDER = (
    Verdict.PASS,
    Verdict.CONDITIONAL_PASS,
    Verdict.UNDECIDED,
    Verdict.CONDITIONAL_FAIL,
    Verdict.FAIL,
)
_MET = (Verdict.PASS, Verdict.CONDITIONAL_PASS)
_BROKEN = (Verdict.FAIL, Verdict.CONDITIONAL_FAIL)


def decide(estimate: Estimate, clause: Clause, rule: Rule, *, minimum_s: float | None = None) -> Conformity:
    """Hold one estimate against one clause.

    minimum_s: shortest observation, in seconds, after which the scheme lets the clause pass; a shorter
    one may fail the clause but never passes it. The unit of the estimate must be the clause's: limits
    are converted when the catalogue is loaded. Raises ValueError for a unit, a quantity or a type of
    value that differs.
    """
    _same_measurand(estimate, clause)
    if not clause.limit.known:
        return Conformity(verdict=Verdict.UNDECIDED, reason="limit unknown: text required")
    if estimate.absent:
        return Conformity(verdict=Verdict.FAIL, reason="declared, and not there")
    if clause.limit.equals is not None:
        conformity = Conformity(verdict=_attribute(estimate, clause, clause.limit.equals))
    else:
        conformity = _numeric(estimate, clause, rule)
    observed_s = estimate.observed_s or 0.0
    if minimum_s is None or conformity.verdict not in _MET:
        return conformity
    reason = f"observed {observed_s:g} s, the scheme asks for {minimum_s:g} s"
    verdict = conformity.verdict if observed_s >= minimum_s else Verdict.UNDECIDED
    return Conformity(verdict=verdict, reason="; ".join(filter(None, (conformity.reason, reason))))


def _same_measurand(estimate: Estimate, clause: Clause) -> None:
    measurand = clause.measurand
    if (estimate.quantity, estimate.unit) != (measurand.quantity, measurand.unit):
        raise ValueError(
            f"{clause.row} wants {measurand.quantity} in {measurand.unit}, "
            f"got {estimate.quantity} in {estimate.unit}"
        )


def _attribute(estimate: Estimate, clause: Clause, wanted: bool | str) -> Verdict:
    """Yes/no and nominal properties: an attribute rule, which needs no uncertainty."""
    if type(estimate.value) is not type(wanted):
        raise ValueError(f"{clause.row}: {wanted!r} is asked for, {estimate.value!r} was found")
    return Verdict.PASS if estimate.value == wanted else Verdict.FAIL


def _numeric(estimate: Estimate, clause: Clause, rule: Rule) -> Conformity:
    """Each side of the limit by itself; the worse one counts."""
    if isinstance(estimate.value, (bool, str)):
        raise ValueError(f"{clause.row}: a numeric limit against {estimate.value!r}")
    value = _decimal(estimate.value)
    span = (value, value) if rule is Rule.SIMPLE else _coverage(estimate, value)
    if span is None:
        return Conformity(verdict=Verdict.UNDECIDED, reason="uncertainty not evaluated; the rule needs it")
    rounded = clause.comparison is Comparison.ROUNDED
    sides: list[Verdict] = []
    if clause.limit.lower is not None:
        side = _side(clause.limit.lower, value, worst=span[0], best=span[1], sign=1, rounded=rounded)
        sides.append(_of_bound(side, runs_towards=estimate.bound is Bound.UPPER, bound=estimate.bound))
    if clause.limit.upper is not None:
        side = _side(clause.limit.upper, value, worst=span[1], best=span[0], sign=-1, rounded=rounded)
        sides.append(_of_bound(side, runs_towards=estimate.bound is Bound.LOWER, bound=estimate.bound))
    return Conformity(verdict=max(sides, key=_ORDER.index), reason=estimate.bound_reason)


def _coverage(estimate: Estimate, value: Decimal) -> tuple[Decimal, Decimal] | None:
    """Ends of the 95 % coverage interval: as stated, else value -U and +U; None if not evaluated."""
    if estimate.interval is not None:
        return _decimal(estimate.interval[0]), _decimal(estimate.interval[1])
    expanded = estimate.expanded_uncertainty
    if expanded is None:
        return None
    return value - _decimal(expanded), value + _decimal(expanded)


def _side(
    limit: Decimal, value: Decimal, *, worst: Decimal, best: Decimal, sign: int, rounded: bool
) -> Verdict:
    """One side of a limit. sign: 1 for a lower limit, -1 for an upper one; worst, best: the ends of the
    coverage interval, the worse one first (both the value itself under the simple rule)."""

    def meets(x: Decimal) -> bool:
        return sign * ((_rounded(x, limit) if rounded else x) - limit) >= 0

    if meets(value):
        return Verdict.PASS if meets(worst) else Verdict.CONDITIONAL_PASS
    return Verdict.CONDITIONAL_FAIL if meets(best) else Verdict.FAIL


def _of_bound(side: Verdict, *, runs_towards: bool, bound: Bound | None) -> Verdict:
    """What one side says when the value only bounds the quantity.

    The quantity lies beyond the value: it may break the limit it runs towards and can never be said to
    meet it; the limit it runs away from it may meet and can never be said to break.
    """
    if bound is None:
        return side
    return side if side in (_BROKEN if runs_towards else _MET) else Verdict.UNDECIDED


def _decimal(value: float) -> Decimal:
    """The shortest decimal that names this float: 24.9995 is compared as it is printed."""
    return Decimal(repr(float(value)))


def _rounded(value: Decimal, limit: Decimal) -> Decimal:
    """value rounded half to even to the digits the limit is written with (GB/T 8170-2008)."""
    place = _last_place(limit)
    if _last_place(value) >= place:
        return value
    return value.quantize(Decimal(1).scaleb(place), ROUND_HALF_EVEN)


def _last_place(number: Decimal) -> int:
    """Power of ten of the last digit written: -3 for 0.200."""
    return int(number.as_tuple().exponent)


def _axis(items: list[Judged], words: tuple[str, str, str]) -> str:
    """One axis of the conclusion; words: for met, broken, open."""
    good, bad, open_ = words
    tested = [item for item in items if item.execution is Execution.DONE]
    if any(item.verdict in _BROKEN for item in tested):
        return bad
    wanted = [i for i in items if i.in_scope and i.execution is not Execution.NOT_APPLICABLE]
    settled = [i for i in wanted if i.execution is Execution.DONE and i.verdict in _MET]
    return good if settled and len(settled) == len(wanted) else open_


def combine(items: Iterable[Judged]) -> Overall:
    """The conclusion over the items tested: mandatory, contract and recommended apart.

    A clause that was tested and broken counts wherever it stands: the conclusion covers all items tested.
    One clause inside the scheme's scope that could not be judged makes its axis inconclusive, and so does
    an axis on which nothing inside the scope was judged. What is outside the scope and was not judged, or
    was met, is listed by the report and does not count.
    """
    by_axis: dict[Axis, list[Judged]] = {axis: [] for axis in Axis}
    for item in items:
        by_axis[item.axis].append(item)
    agreed = [item for item in by_axis[Axis.CONTRACT] if item.execution is not Execution.NOT_APPLICABLE]
    met = ("met", "not_met", "inconclusive")
    return Overall(
        conformity=_axis(by_axis[Axis.MANDATORY], ("conforms", "does_not_conform", "inconclusive")),
        recommended=_axis(by_axis[Axis.RECOMMENDED], met),
        contract=_axis(agreed, met) if agreed else "none",
    )
