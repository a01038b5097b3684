"""results.json and junit.xml: derived from plan and journal, each clause in its place."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from xml.etree import ElementTree

import pytest

from reports.folder import JOURNAL, JUNIT, RESULTS, read_plan, write_plan
from reports.journal import Journal, replay
from reports.record import EventKind, Plan
from reports.results import results_from, write_derived
from standards.decision import Execution, Verdict
from standards.errors import PlanMismatch, RecordError

Make = Callable[..., Path]


def _derive(folder: Path) -> dict[str, tuple[Execution, Verdict | None]]:
    results = results_from(read_plan(folder), replay(folder / JOURNAL))
    return {entry.row: (entry.execution, entry.conformity) for entry in results.items}


def test_every_item_has_its_end_in_the_plans_order(make_record: Make, make_plan: Callable[..., Plan]) -> None:
    ends = _derive(make_record())
    assert list(ends) == [item.clause.row for item in make_plan().items]
    assert ends["LAW-230-19-7"] == (Execution.DONE, Verdict.PASS)
    assert ends["LAW-230-19-6"] == (Execution.NOT_RUN, None)
    assert ends["NET-07.class3"] == (Execution.NOT_APPLICABLE, None)
    assert ends["IMG-08"] == (Execution.DONE, Verdict.FAIL)
    assert ends["CAM-11.resolution"] == (Execution.DONE, Verdict.UNDECIDED)


def test_one_measurement_serves_every_clause_of_its_quantity(make_record: Make) -> None:
    folder = make_record()
    results = results_from(read_plan(folder), replay(folder / JOURNAL))
    values = {entry.row: entry.value for entry in results.items}
    assert values["IMG-03"] == values["CAM-11.resolution"] == 655.27


def test_the_law_and_recommendations_are_concluded_apart(make_record: Make) -> None:
    folder = make_record()
    results = results_from(read_plan(folder), replay(folder / JOURNAL))
    assert (results.overall, results.recommended) == ("conforms", "not_met")


def test_a_refused_quantity_is_a_bench_fault_of_its_clauses(make_record: Make) -> None:
    folder = make_record(drop=("resolution.centre",), sealed=False)
    results = write_derived(folder)
    faults = {entry.row: entry for entry in results.items if entry.execution is Execution.BENCH_FAULT}
    assert set(faults) == {"IMG-03", "CAM-11.resolution"}
    assert faults["IMG-03"].reason == "the chart is not in the picture"
    assert faults["IMG-03"].value is None


def test_a_run_that_ended_early_leaves_items_not_run(make_record: Make) -> None:
    folder = make_record(sealed=False)
    events = [event for event in replay(folder / JOURNAL) if event.kind is not EventKind.JUDGED]
    results = results_from(read_plan(folder), events)
    assert results.overall == "inconclusive"
    planned = {item.clause.row for item in read_plan(folder).items if item.applicability == "run"}
    for entry in results.items:
        if entry.row in planned:
            assert (entry.execution, entry.reason) == (Execution.NOT_RUN, "the run ended before it")


def test_results_json_holds_the_contracts_keys(make_record: Make) -> None:
    folder = make_record()
    value = json.loads((folder / RESULTS).read_bytes())
    assert value["schema"] == "camcert/results/1"
    assert value["run"]["camera"]["model"] == "SIM-C1"
    assert value["run"]["plan_sha256"] == read_plan(folder).sha256()
    latency = next(item for item in value["items"] if item["row"] == "NET-01")
    assert latency["clause"] == "GB/T 28181-2022:5.3 a"
    assert latency["limit"] == {"lower": None, "upper": 2.0, "equals": None}
    assert latency["expanded_uncertainty"] == pytest.approx(latency["coverage_factor"] * 0.0020379)
    assert latency["conformity"] == "pass"


def test_junit_counts_and_reasons(make_record: Make) -> None:
    folder = make_record(drop=("rtp.timestamp_rule",))
    suite = ElementTree.fromstring((folder / JUNIT).read_bytes())[0]
    kinds = {case.get("name"): [child.tag for child in case if child.tag != "properties"] for case in suite}
    assert kinds["IMG-08"] == ["failure"]
    assert kinds["NET-4.3.6"] == ["error"]
    assert kinds["NET-03"] == kinds["CAM-11.resolution"] == ["skipped"]
    assert kinds["NET-01"] == []
    assert (suite.get("tests"), suite.get("failures"), suite.get("errors"), suite.get("skipped")) == (
        "12", "1", "1", "5",
    )  # fmt: skip
    skipped = suite.find("./testcase[@name='NET-03']/skipped")
    assert skipped is not None and skipped.get("message") == "no procedure"


def test_words_of_a_camera_cannot_break_the_xml(make_record: Make) -> None:
    folder = make_record(sealed=False)
    with Journal.open(folder / JOURNAL) as journal:
        kept = [event for event in journal.events if event.data.get("item") != "NET-01"]
    (folder / JOURNAL).unlink()
    with Journal.create(folder / JOURNAL) as journal:
        for event in kept:
            journal.append(event.kind, event.data)
        end = {"item": "NET-01", "execution": "bench_fault", "reason": "it said \x00\x1b[2J<&>\uffff"}
        journal.append(EventKind.JUDGED, end)
    write_derived(folder)
    error = ElementTree.fromstring((folder / JUNIT).read_bytes()).find(".//testcase[@name='NET-01']/error")
    assert error is not None and error.get("message") == "it said \ufffd\ufffd[2J<&>\ufffd"


@pytest.mark.parametrize(
    ("change", "match"),
    [
        ({"item": "XX-1", "execution": "not_run"}, "what the plan lacks"),
        ({"item": "NET-01", "execution": "not_run"}, "nothing is done twice"),
        ({"item": "NET-03", "execution": "done", "conformity": {"verdict": "pass"}}, "planned as not_run"),
        ({"item": "NET-03", "execution": "perhaps"}, "does not fit its schema"),
        ({"item": "NET-03", "execution": "not_run", "conformity": {"verdict": "pass"}}, "has a verdict"),
    ],
)
def test_a_journal_that_contradicts_its_plan_is_refused(
    make_record: Make, change: dict[str, object], match: str
) -> None:
    folder = make_record(sealed=False)
    with Journal.open(folder / JOURNAL) as journal:
        journal.append(EventKind.JUDGED, change)
    with pytest.raises(RecordError, match=match):
        write_derived(folder)


def test_another_plan_in_the_folder_is_refused(make_record: Make, make_plan: Callable[..., Plan]) -> None:
    with pytest.raises(PlanMismatch, match="holds plan"):
        write_plan(make_record(sealed=False), make_plan(interruption_s=3.0))
