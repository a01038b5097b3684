"""From the journal to ``results.json`` and ``junit.xml``: a pure derivation that can be made again."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar
from xml.etree import ElementTree

from pydantic import ValidationError

from reports.folder import JOURNAL, JUNIT, RESULTS, json_text, read_plan, write_whole
from reports.journal import Event, replay
from reports.record import (
    CameraIdentity,
    EventKind,
    JudgedEvent,
    LimitEntry,
    Plan,
    PlanItem,
    ResultItem,
    Results,
    RunInfo,
)
from standards.clause import Limit
from standards.decision import Execution, Judged, Overall, Verdict, combine
from standards.errors import RecordError
from standards.quantity import Finding, Origin, Subject
from standards.risk import risk_of

__all__ = [
    "Outcome", "derive", "findings_of", "identity", "instruments_in_doubt", "junit_xml", "outcomes", "results_from",
    "results_json", "run_id", "write_derived",
]  # fmt: skip

_K = TypeVar("_K")
_V = TypeVar("_V")

#: Why an item that was to run has no end in the journal.
UNREACHED = "the run ended before it"
UNREACHED_ZH = "检验在该项之前结束"
_FAILED = (Verdict.FAIL, Verdict.CONDITIONAL_FAIL)
_PASSED = (Verdict.PASS, Verdict.CONDITIONAL_PASS)
_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


@dataclass(frozen=True)
class Outcome:
    """How one plan item ended, with the finding it was judged by (None where there was none)."""

    item: PlanItem
    end: JudgedEvent
    finding: Finding | None

    @property
    def verdict(self) -> Verdict | None:
        """The verdict of a finished item, None otherwise."""
        return self.end.conformity.verdict if self.end.conformity else None


def _key(quantity: str, subject: Subject) -> tuple[str, Subject]:
    return quantity, subject


@dataclass(frozen=True)
class _Read:
    """What the journal says, by key."""

    findings: dict[tuple[str, Subject], Finding]
    refusals: dict[tuple[str, Subject], JudgedEvent]
    ends: dict[str, JudgedEvent]


def _read(events: Iterable[Event]) -> _Read:
    """Sort the journal by keys. Raises RecordError for what does not fit or was done twice."""
    read = _Read({}, {}, {})
    for event in events:
        where = f"journal line {event.seq + 1}"
        try:
            if event.kind is EventKind.MEASURED:
                finding = Finding.model_validate(event.data["finding"])
                _once(read.findings, _key(finding.estimate.quantity, finding.subject), finding, where)
            elif event.kind is EventKind.REFUSED:
                data = dict(event.data)
                key = _key(str(data.pop("quantity")), Subject.model_validate(data.pop("subject")))
                read.refusals[key] = JudgedEvent.model_validate({"item": "", **data})
            elif event.kind is EventKind.JUDGED:
                end = JudgedEvent.model_validate(event.data)
                _once(read.ends, end.item, end, where)
        except (ValidationError, KeyError) as error:
            raise RecordError(f"{where}: {event.kind} does not fit its schema") from error
    return read


def _once(table: dict[_K, _V], key: _K, value: _V, where: str) -> None:
    if key in table:
        raise RecordError(f"{where}: {key} stands in the journal already; nothing is done twice")
    table[key] = value


def _unjudged(item: PlanItem, refusals: dict[tuple[str, Subject], JudgedEvent]) -> JudgedEvent:
    """How an item ended that no JUDGED event speaks of: as planned, as refused, or not reached."""
    if item.applicability != "run":
        execution = Execution(item.applicability)
        return JudgedEvent(item=item.key, execution=execution, reason=item.reason, reason_zh=item.reason_zh)
    refused = refusals.get(_key(item.clause.measurand.quantity, item.subject))
    if refused is not None:
        return refused.model_copy(update={"item": item.key})
    return JudgedEvent(item=item.key, execution=Execution.NOT_RUN, reason=UNREACHED, reason_zh=UNREACHED_ZH)


def outcomes(plan: Plan, events: Iterable[Event]) -> tuple[Outcome, ...]:
    """How every item of the plan ended, in the plan's order.

    Raises RecordError if an event does not fit its schema, speaks of an item that the plan lacks,
    stands twice, or says 'done' without a finding or a verdict.
    """
    read = _read(events)
    strange = set(read.ends) - {item.key for item in plan.items}
    if strange:
        raise RecordError(f"the journal judges what the plan lacks: {', '.join(sorted(strange))}")
    found = []
    for item in plan.items:
        end = read.ends.get(item.key) or _unjudged(item, read.refusals)
        finding = read.findings.get(_key(item.clause.measurand.quantity, item.subject))
        if item.applicability != "run" and end.execution is not Execution(item.applicability):
            raise RecordError(f"{item.key} was planned as {item.applicability} and ended as {end.execution}")
        if end.execution is Execution.DONE and (finding is None or end.conformity is None):
            raise RecordError(f"{item.key} is done without a finding and a verdict")
        if end.execution is not Execution.DONE and end.conformity is not None:
            raise RecordError(f"{item.key} has a verdict but ended as {end.execution}")
        found.append(Outcome(item, end, finding if end.execution is Execution.DONE else None))
    return tuple(found)


def _limits(limit: Limit) -> LimitEntry:
    return LimitEntry(
        lower=None if limit.lower is None else float(limit.lower),
        upper=None if limit.upper is None else float(limit.upper),
        equals=limit.equals,
    )


def _entry(outcome: Outcome, plan: Plan) -> ResultItem:
    item, clause, finding = outcome.item, outcome.item.clause, outcome.finding
    estimate = finding.estimate if finding else None
    conformity = outcome.end.conformity
    return ResultItem(
        row=clause.row,
        clause=clause.id,
        quantity=clause.measurand.quantity,
        subject=item.subject,
        origin=finding.origin if finding else plan.origin,
        bindingness=clause.bindingness,
        evidence_grade=clause.evidence,
        in_scope=item.in_scope,
        value=estimate.value if estimate else None,
        unit=clause.measurand.unit,
        expanded_uncertainty=estimate.expanded_uncertainty if estimate else None,
        coverage_factor=estimate.coverage_factor if estimate else None,
        dof=estimate.dof if estimate else None,
        interval=estimate.interval if estimate else None,
        bound=estimate.bound if estimate else None,
        comparison=clause.comparison,
        limit=_limits(clause.limit),
        decision_rule=item.rule,
        conformity=outcome.verdict,
        risk=risk_of(estimate, clause, outcome.verdict) if estimate and outcome.verdict else None,
        execution=outcome.end.execution,
        reason=outcome.end.reason or (conformity.reason if conformity else ""),
        evidence=finding.evidence if finding else (),
    )


def findings_of(events: Iterable[Event]) -> tuple[Finding, ...]:
    """Every finding of the journal in the order it was measured, those that no clause asks for included."""
    return tuple(_read(events).findings.values())


def identity(events: Iterable[Event]) -> CameraIdentity:
    """What the camera said it is when the run started; empty fields if it said nothing."""
    for event in events:
        if event.kind is EventKind.ENVIRONMENT:
            try:
                return CameraIdentity.model_validate(event.data.get("camera") or {})
            except ValidationError as error:
                raise RecordError(
                    f"journal line {event.seq + 1}: the camera's identity is damaged"
                ) from error
    return CameraIdentity()


def run_id(events: Iterable[Event]) -> str:
    """The run's id, from PLANNED. Raises RecordError if the journal lacks it."""
    for event in events:
        if event.kind is EventKind.PLANNED:
            return str(event.data.get("run", ""))
    raise RecordError("the journal does not say what was planned")


def results_from(plan: Plan, events: Iterable[Event]) -> Results:
    """results.json as a value, items in the plan's order. Raises RecordError as `outcomes` does."""
    events = tuple(events)
    ends = outcomes(plan, events)
    overall = combine(
        Judged(
            axis=end.item.clause.bindingness.axis,
            in_scope=end.item.in_scope,
            execution=end.end.execution,
            verdict=end.verdict,
        )
        for end in ends
    )
    if instruments_in_doubt(events):
        agreed = overall.contract if overall.contract == "none" else "inconclusive"
        overall = Overall(conformity="inconclusive", recommended="inconclusive", contract=agreed)
    return Results(
        run=RunInfo(
            id=run_id(events),
            origin=_origin(plan, ends),
            scheme=plan.scheme,
            plan_sha256=plan.sha256(),
            governing_date=plan.governing_date,
            software=plan.software,
            camera=identity(events),
        ),
        overall=overall.conformity,
        recommended=overall.recommended,
        contract=overall.contract,
        items=tuple(_entry(end, plan) for end in ends),
    )


def instruments_in_doubt(events: Iterable[Event]) -> bool:
    """An instrument failed its interim check after the run: nobody knows since when it has been wrong."""
    return any(
        e.kind is EventKind.CHECKED and e.data.get("when") == "end" and not e.data.get("ok") for e in events
    )


def _origin(plan: Plan, ends: Iterable[Outcome]) -> Origin:
    """The run's origin: the plan's, unless a value says that it came from a simulation."""
    simulated = any(end.finding is not None and end.finding.origin is Origin.SIMULATED for end in ends)
    return Origin.SIMULATED if simulated else plan.origin


def results_json(results: Results) -> bytes:
    """The bytes of results.json."""
    return json_text(results.model_dump(mode="json"))


def _xml_text(text: str) -> str:
    """What XML 1.0 may not hold is replaced, since a camera's words can end up here."""
    return _NOT_XML.sub("\ufffd", text)


def _case(suite: ElementTree.Element, key: str, entry: ResultItem) -> None:
    """One testcase: fail is a failure, a bench fault an error, whatever has no verdict is skipped."""
    attributes = {"classname": _xml_text(entry.clause), "name": _xml_text(key)}
    case = ElementTree.SubElement(suite, "testcase", attributes)
    properties = ElementTree.SubElement(case, "properties")
    shown = {
        "row": entry.row,
        "quantity": entry.quantity,
        "origin": entry.origin,
        "bindingness": entry.bindingness,
        "value": entry.value,
        "unit": entry.unit,
        "expanded_uncertainty": entry.expanded_uncertainty,
        "verdict": entry.conformity,
        "execution": entry.execution,
    }
    for name, value in shown.items():
        if value is not None:
            ElementTree.SubElement(properties, "property", name=name, value=_xml_text(str(value)))
    message = _xml_text(entry.reason or str(entry.conformity or entry.execution))
    if entry.execution is Execution.BENCH_FAULT:
        ElementTree.SubElement(case, "error", message=message)
    elif entry.conformity in _FAILED:
        ElementTree.SubElement(case, "failure", message=message, type=str(entry.conformity))
    elif entry.conformity not in _PASSED:
        ElementTree.SubElement(case, "skipped", message=message)


def junit_xml(plan: Plan, results: Results) -> bytes:
    """junit.xml: one testcase a plan item, named by its key, classed by its clause."""
    root = ElementTree.Element("testsuites", name="camcert")
    suite = ElementTree.SubElement(root, "testsuite", name=_xml_text(results.run.scheme))
    for item, entry in zip(plan.items, results.items, strict=True):
        _case(suite, item.key, entry)
    for tag, name in (("failure", "failures"), ("error", "errors"), ("skipped", "skipped")):
        suite.set(name, str(len(suite.findall(f"./testcase/{tag}"))))
    suite.set("tests", str(len(results.items)))
    ElementTree.indent(root)
    content: bytes = ElementTree.tostring(root, encoding="utf-8", xml_declaration=True)
    return content + b"\n"


def derive(plan: Plan, events: Iterable[Event]) -> dict[str, bytes]:
    """The derived files of a record by name: what they must hold, to the byte."""
    results = results_from(plan, events)
    return {RESULTS: results_json(results), JUNIT: junit_xml(plan, results)}


def write_derived(folder: Path) -> Results:
    """Write results.json and junit.xml of a run folder from its plan and journal."""
    plan, events = read_plan(folder), replay(folder / JOURNAL)
    for name, content in derive(plan, events).items():
        write_whole(folder / name, content)
    return results_from(plan, events)
