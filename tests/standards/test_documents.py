"""What a paper shows: a value read off it, two dates of a retention, or a paper that is not there."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from standards.catalogue import load
from standards.clause import Clause
from standards.decision import Rule, Verdict, decide
from standards.documents import Claim, DocumentEntry, estimate_of
from standards.duration import IMMATURE
from standards.quantity import Bound, Estimate, Kind

READ_ON = date(2026, 6, 1)
READ: dict[str, Any] = {"file": "paper.pdf", "by": "Li Ming", "on": READ_ON}
SHOWN = [clause for clause in load().clauses if clause.by.by_person and clause.limit.known]
IMPORTANT = next(c for c in SHOWN if c.measurand.quantity == "recording.retention_important")


def entry(quantity: str, *, there: bool = True, **more: Any) -> DocumentEntry:
    return DocumentEntry(quantity=quantity, sha256="0" * 64 if there else "", **(READ | more))


def shown(quantity: str, *, there: bool = True, **more: Any) -> Estimate:
    return estimate_of(entry(quantity, there=there, **more), load().quantity(quantity))


def verdict(clause: Clause, estimate: Estimate) -> Verdict:
    return decide(estimate, clause, Rule.GUARDED).verdict


def meeting(clause: Clause) -> bool | float | str:
    """A value that meets the clause."""
    limit = clause.limit
    if limit.equals is not None:
        return limit.equals
    side = limit.lower if limit.lower is not None else limit.upper
    assert side is not None
    return float(side)


def test_a_value_is_taken_as_read_and_says_by_whom() -> None:
    assert shown("works.trial_run", value=30.5, note="trial log, p. 3") == Estimate(
        quantity="works.trial_run",
        kind=Kind.RATIO,
        value=30.5,
        unit="d",
        exact=True,
        notes=("read by Li Ming on 2026-06-01", "trial log, p. 3"),
    )
    assert shown("sign.visible", value=True).notes == ("read by Li Ming on 2026-06-01",)


@pytest.mark.parametrize("clause", SHOWN, ids=lambda clause: clause.row)
def test_every_clause_of_a_paper_can_be_met_broken_and_left_absent(clause: Clause) -> None:
    quantity = clause.measurand.quantity
    good = meeting(clause)
    assert verdict(clause, shown(quantity, value=good)) is Verdict.PASS
    if isinstance(good, float):
        bad: bool | float | str = good - 1 if clause.limit.lower is not None else good + 1
    else:
        bad = not good if isinstance(good, bool) else f"not {good}"
    assert verdict(clause, shown(quantity, value=bad)) is Verdict.FAIL
    absent = shown(quantity, there=False, value=good)
    assert (absent.value, absent.absent, absent.unit) == (False, True, clause.measurand.unit)
    assert decide(absent, clause, Rule.SIMPLE).reason == "declared, and not there"
    assert verdict(clause, absent) is Verdict.FAIL


def test_an_absent_paper_decides_nothing_where_the_limit_is_unknown() -> None:
    unknown = load().clause("ACC-13.inspection_report")
    assert not unknown.limit.known
    assert (
        verdict(unknown, shown("submission.inspection_report", there=False, value=True)) is Verdict.UNDECIDED
    )


def test_an_absent_paper_with_two_dates_is_absent_too() -> None:
    days = {"oldest": date(2020, 1, 1), "started": date(2020, 1, 1)}
    absent = shown("recording.retention_important", there=False, **days)
    assert absent.absent and absent.bound is None
    assert verdict(IMPORTANT, absent) is Verdict.FAIL


@pytest.mark.parametrize(
    ("oldest", "value", "found"),
    [
        (date(2024, 6, 1), 2.0, Verdict.PASS),
        (date(2024, 6, 2), 2 - 1 / 365, Verdict.FAIL),
        (date(2022, 6, 1), 4.0, Verdict.PASS),
    ],
)
def test_a_retention_is_counted_from_its_oldest_recording(oldest: date, value: float, found: Verdict) -> None:
    kept = shown("recording.retention_important", oldest=oldest, started=date(2021, 1, 1))
    assert kept.value == pytest.approx(value) and kept.unit == "calendar_year" and kept.bound is None
    assert kept.notes == ("read by Li Ming on 2026-06-01",)
    assert verdict(IMPORTANT, kept) is found


def test_a_young_system_neither_fails_nor_passes_by_its_youth() -> None:
    young = shown("recording.retention_important", oldest=date(2026, 5, 1), started=date(2026, 5, 1))
    assert (young.bound, young.bound_reason) == (Bound.LOWER, IMMATURE)
    assert verdict(IMPORTANT, young) is Verdict.UNDECIDED
    grown = shown("recording.retention_important", oldest=date(2024, 5, 1), started=date(2024, 5, 1))
    assert verdict(IMPORTANT, grown) is Verdict.PASS


@given(st.integers(0, 2000), st.integers(0, 2000))
@settings(deadline=None)
def test_days_kept_are_days_between_dates(kept: int, before: int) -> None:
    oldest = READ_ON - timedelta(days=kept)
    found = shown("works.trial_run", oldest=oldest, started=oldest - timedelta(days=before))
    assert found.value == float(kept)
    assert (found.bound is Bound.LOWER) == (before == 0)


@pytest.mark.parametrize(
    ("quantity", "more", "words"),
    [
        ("works.trial_run", {"value": True}, "a ratio needs a number, got True"),
        ("works.trial_run", {"value": False}, "a ratio needs a number, got False"),
        ("works.trial_run", {"value": "30 days"}, "a ratio needs a number, got '30 days'"),
        ("completion_file.copies", {"value": "3"}, "a count needs a number"),
        (
            "acceptance.experts_share",
            {"oldest": date(2026, 1, 1), "started": date(2026, 1, 1)},
            "acceptance.experts_share is in %: give value, not oldest and started",
        ),
        (
            "works.trial_run",
            {"oldest": date(2026, 4, 1), "started": date(2026, 5, 1)},
            "the oldest recording is of 2026-04-01, before recording began on 2026-05-01",
        ),
        (
            "works.trial_run",
            {"oldest": date(2026, 6, 2), "started": date(2026, 5, 1)},
            "2026-06-01 comes before 2026-06-02",
        ),
    ],
)
def test_a_value_of_the_wrong_kind_or_unit(quantity: str, more: dict[str, Any], words: str) -> None:
    with pytest.raises(ValueError) as caught:
        shown(quantity, **more)
    assert words in str(caught.value)


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({}, "give value, or oldest and started"),
        ({"oldest": date(2026, 1, 1)}, "oldest and started belong together"),
        ({"started": date(2026, 1, 1)}, "oldest and started belong together"),
        ({"oldest": date(2026, 1, 1), "value": 3.0}, "oldest and started belong together"),
        (
            {"oldest": date(2026, 1, 1), "started": date(2026, 1, 1), "value": 151.0},
            "give either value, or oldest and started",
        ),
        ({"oldest": date(2026, 1, 1), "started": date(2026, 1, 1), "value": False}, "give either value"),
        ({"value": float("inf")}, "finite"),
        ({"value": True, "by": ""}, "at least 1 character"),
        ({"value": True, "file": ""}, "at least 1 character"),
        ({"value": True, "when": 3}, "Extra inputs"),
    ],
)
def test_a_claim_that_cannot_be(more: dict[str, Any], words: str) -> None:
    with pytest.raises(ValidationError, match=words):
        Claim.model_validate({"quantity": "works.trial_run", **READ, **more})


@pytest.mark.parametrize("value", [True, False, "GB/T 2828.1-2012", 0.0, 1.0])
def test_a_value_keeps_its_type(value: bool | float | str) -> None:
    kept = Claim.model_validate({"quantity": "works.trial_run", **READ, "value": value}).value
    assert (type(kept), kept) == (type(value), value)


def test_a_whole_number_is_a_number_and_no_yes() -> None:
    kept = Claim.model_validate({"quantity": "works.trial_run", **READ, "value": 1}).value
    assert type(kept) is float and kept == 1.0
