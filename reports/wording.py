"""How values, limits and verdicts are put into words and digits, on the terminal and on paper.

A value is rounded to the place of the second significant digit of its expanded uncertainty (GUM 7.2.6),
half to even (GB/T 8170-2008, 3.2); never so that the printed value lies on the other side of a limit than
the value that was judged.
"""

from __future__ import annotations

import re
from decimal import ROUND_HALF_EVEN, Decimal

from reports.phrases import translated
from reports.results import Outcome
from standards.clause import Axis, Bindingness, Clause, Comparison, Evidence, Limit
from standards.decision import Execution, Verdict
from standards.quantity import Bound, Estimate

__all__ = [
    "AXIS_ZH", "bindingness_zh", "grade_zh", "number", "punctuated", "remark_zh", "result_zh", "rounded",
    "significant", "unit_zh", "value_text", "verdict_zh",
]  # fmt: skip

#: Headings of the groups of clauses, whose verdicts are never mixed (Article 12).
AXIS_ZH = {
    Axis.MANDATORY: "强制性条款(法规与现行强制性标准)",
    Axis.CONTRACT: "合同约定条款",
    Axis.RECOMMENDED: "推荐性条款及现行效力待核的条款",
}
_BINDINGNESS_ZH = {
    Bindingness.LAW: "法规",
    Bindingness.MANDATORY: "强制性",
    Bindingness.MANDATORY_WHEN_ISSUED: "发布时为强制性,现行效力待核",
    Bindingness.CONTRACT: "合同约定",
    Bindingness.RECOMMENDED: "推荐性",
    Bindingness.INTERNATIONAL: "国际标准,推荐性",
    Bindingness.REFERENCE: "参考",
}
_EVIDENCE_ZH = {
    Evidence.CONFIRMED: "",
    Evidence.SEEN_PRIMARY: "",
    Evidence.SEEN_SECONDARY: "限值引自二手资料",
    Evidence.MEMORY: "限值未见原文,须核对",
    Evidence.MEMORY_UNSURE: "限值未见原文且不确定,须核对",
    Evidence.UNKNOWN: "待取得标准文本",
}
_VERDICT_ZH = {
    Axis.MANDATORY: {
        Verdict.PASS: "合格",
        Verdict.CONDITIONAL_PASS: "有条件合格",
        Verdict.CONDITIONAL_FAIL: "有条件不合格",
        Verdict.FAIL: "不合格",
        Verdict.UNDECIDED: "未判定",
    },
    Axis.CONTRACT: {
        Verdict.PASS: "符合约定",
        Verdict.CONDITIONAL_PASS: "有条件符合约定",
        Verdict.CONDITIONAL_FAIL: "有条件不符合约定",
        Verdict.FAIL: "不符合约定",
        Verdict.UNDECIDED: "未判定",
    },
    Axis.RECOMMENDED: {
        Verdict.PASS: "满足推荐性要求",
        Verdict.CONDITIONAL_PASS: "有条件满足推荐性要求",
        Verdict.CONDITIONAL_FAIL: "有条件未满足推荐性要求",
        Verdict.FAIL: "未满足推荐性要求",
        Verdict.UNDECIDED: "未判定",
    },
}
_STATE_ZH = {
    Execution.NOT_APPLICABLE: "不适用",
    Execution.NOT_RUN: "未检",
    Execution.BENCH_FAULT: "检测设备故障,未得出结果",
}
_UNITS_ZH = {"1/s": "帧/s", "px": "像素"}
_COUNTED_ZH = {"stream.interruptions": "次", "stream.completeness": "幅"}
#: Notes of an estimate that belong into the summary too: without them its value would be misread.
BESIDE = ("by the camera's own clock",)
_HAN = "\u3400-\u9fff\U00020000-\U0003ffff"
_FULL_WIDTH = {",": "\uff0c", ":": "\uff1a", ";": "\uff1b", "?": "\uff1f", "!": "\uff01"}


def punctuated(text: str) -> str:
    """Chinese text with full-width punctuation; what stands between Latin letters and digits is left."""
    brackets = rf"\(([^()]*[{_HAN}][^()]*)\)|(?<=[{_HAN}])\(([^()]*)\)"
    while (
        wider := re.sub(brackets, lambda found: f"\uff08{found[1] or found[2] or ''}\uff09", text)
    ) != text:
        text = wider  # brackets within brackets, from the inside out
    marks = rf"(?<=[{_HAN}\u201d\uff09])[,:;?!]|[,:;?!](?=[{_HAN}])"
    return re.sub(marks, lambda found: _FULL_WIDTH[found.group()], text)


def _place(expanded: Decimal) -> int:
    """Exponent of the second significant digit of U, as it is after rounding U there."""
    place = expanded.adjusted() - 1
    return place + 1 if _at(expanded, place).adjusted() > expanded.adjusted() else place


def _at(value: Decimal, place: int) -> Decimal:
    return value.quantize(Decimal(1).scaleb(place), ROUND_HALF_EVEN)


def _misplaced(shown: Decimal, value: Decimal, limit: Limit) -> bool:
    """The rounded value lies on another side of a limit than the value itself."""
    below = limit.lower is not None and (shown < limit.lower) != (value < limit.lower)
    return below or (limit.upper is not None and (shown > limit.upper) != (value > limit.upper))


def rounded(value: float, expanded: float | None, limit: Limit | None = None) -> tuple[str, str]:
    """Value and expanded uncertainty as digits of the same place; '' where U is not evaluated or zero.

    limit: more digits are given until value and digits lie on the same side of it.
    """
    exact = Decimal(repr(float(value)))
    if not expanded:
        return f"{Decimal(f'{value:.6g}'):f}" if expanded is None else f"{exact.normalize():f}", ""
    guard = Decimal(repr(float(expanded)))
    place = _place(guard)
    while limit is not None and _misplaced(_at(exact, place), exact, limit):
        place -= 1
    return f"{_at(exact, place):f}", f"{_at(guard, place):f}"


def significant(value: float) -> str:
    """An uncertainty as two significant digits, zeros kept, no exponent: 0.0003 is '0.00030'."""
    exact = Decimal(repr(float(value)))
    return f"{_at(exact, _place(exact)):f}" if value else "0"


def number(value: float, digits: int = 4) -> str:
    """A side result as digits: so many significant ones, no exponent between 1e-6 and 1e9."""
    if value == 0:
        return "0"
    if not 1e-6 <= abs(value) < 1e9:
        return f"{value:.{digits - 1}e}"
    return f"{Decimal(f'{value:.{digits}g}'):f}"


def value_text(estimate: Estimate) -> str:
    """Value, U and unit in one line for the terminal, e.g. '24.9995 ± 0.0022 1/s'."""
    if isinstance(estimate.value, bool):
        return "yes" if estimate.value else "no"
    if isinstance(estimate.value, str):
        return estimate.value
    value, expanded = rounded(estimate.value, estimate.expanded_uncertainty)
    sign = {None: "", Bound.LOWER: "≥ ", Bound.UPPER: "≤ "}[estimate.bound]
    unit = "" if estimate.unit == "1" else f" {estimate.unit}"
    return f"{sign}{value} ± {expanded}{unit}" if expanded else f"{sign}{value}{unit}"


def unit_zh(quantity: str, unit: str) -> str:
    """The unit as the report prints it; '' for a plain number."""
    if unit == "1":
        return _COUNTED_ZH.get(quantity, "")
    return _UNITS_ZH.get(unit, unit)


def result_zh(estimate: Estimate, limit: Limit | None = None) -> str:
    """检验结果: value ± U and unit, then k. A bound shows its direction."""
    if isinstance(estimate.value, bool):
        return "符合" if estimate.value else "不符合"
    if isinstance(estimate.value, str):
        return estimate.value
    value, expanded = rounded(estimate.value, estimate.expanded_uncertainty, limit)
    sign = {None: "", Bound.LOWER: "≥ ", Bound.UPPER: "≤ "}[estimate.bound]
    unit = unit_zh(estimate.quantity, estimate.unit)
    gap = " " if unit else ""
    k = estimate.coverage_factor
    if expanded and k is not None:
        return f"{sign}({value} ± {expanded}){gap}{unit}\nk = {k:.2f}"
    tail = "" if estimate.exact else "\n不确定度未评定"
    return f"{sign}{value}{gap}{unit}{tail}"


def bindingness_zh(clause: Clause) -> str:
    """Force of the clause in a word or two."""
    return _BINDINGNESS_ZH[clause.bindingness]


def grade_zh(clause: Clause) -> str:
    """How well the limit is known, '' where the text itself was seen."""
    return _EVIDENCE_ZH[clause.evidence]


def verdict_zh(outcome: Outcome) -> str:
    """单项结论: '/' where nothing was judged (ISO/IEC 17025: no conclusion without a result)."""
    if outcome.verdict is None or not outcome.item.clause.limit.known:
        return "/"
    words = _VERDICT_ZH[outcome.item.clause.bindingness.axis][outcome.verdict]
    if outcome.item.clause.bindingness is Bindingness.MANDATORY_WHEN_ISSUED:
        return words.replace("推荐性要求", "本条要求")
    return words


def _observed(outcome: Outcome) -> list[str]:
    """Remarks of an item that has a result."""
    clause, finding, conformity = outcome.item.clause, outcome.finding, outcome.end.conformity
    if finding is None or conformity is None:
        return []
    estimate = finding.estimate
    remarks: list[str] = []
    if clause.limit.known and (conformity.verdict is Verdict.UNDECIDED or outcome.item.minimum_s):
        remarks.extend(filter(None, [translated(conformity.reason)]))
    remarks.extend(translated(note) for note in estimate.notes if note in BESIDE)
    if estimate.bound is not None:
        side = "测得值为下限" if estimate.bound is Bound.LOWER else "测得值为上限"
        reason = translated(estimate.bound_reason)
        remarks.append(side if reason in remarks else f"{side}:{reason}")
    rounds = clause.comparison is Comparison.ROUNDED and conformity.verdict is Verdict.PASS
    if rounds and not isinstance(estimate.value, (bool, str)) and _outside(estimate.value, clause.limit):
        remarks.append("按GB/T 8170修约到限值的位数后比较")
    return remarks


def _outside(value: float, limit: Limit) -> bool:
    """The value as measured, not rounded, is outside the limits."""
    exact = Decimal(repr(value))
    below = limit.lower is not None and exact < limit.lower
    return below or (limit.upper is not None and exact > limit.upper)


def remark_zh(outcome: Outcome) -> str:
    """备注: why there is no result or verdict, what bounds the value, how well the limit is known."""
    remarks = _observed(outcome)
    state = _STATE_ZH.get(outcome.end.execution)
    if state is not None:
        reason = outcome.end.reason_zh or translated(outcome.end.reason)
        remarks.append(reason if not reason or state.split(",")[0] in reason else f"{state}:{reason}")
        remarks = [remark or state for remark in remarks]
    grade = grade_zh(outcome.item.clause)
    said = any(grade[:4] in remark for remark in remarks)  # a reason that waits for the text says as much
    if grade and not said and outcome.end.execution is not Execution.NOT_APPLICABLE:
        remarks.append(grade)
    if outcome.item.clause.bindingness is Bindingness.MANDATORY_WHEN_ISSUED:
        remarks.append(bindingness_zh(outcome.item.clause))
    return punctuated(";".join(remarks)) if remarks else "/"
