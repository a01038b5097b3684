"""Calendar days, months and years, and histories too short to judge."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from standards.catalogue import load
from standards.decision import Rule, Verdict, decide
from standards.duration import IMMATURE, elapsed, later, retention

DAYS = st.dates(date(1990, 1, 1), date(2090, 12, 31))


@pytest.mark.parametrize(
    ("start", "end", "unit", "value"),
    [
        (date(2026, 1, 31), date(2026, 2, 28), "calendar_month", 1.0),
        (date(2024, 2, 29), date(2026, 2, 28), "calendar_year", 2.0),
        (date(2024, 2, 29), date(2026, 2, 27), "calendar_year", 1 + 364 / 365),
        (date(2024, 6, 1), date(2026, 5, 31), "calendar_year", 1 + 364 / 365),
        (date(2024, 6, 1), date(2026, 6, 1), "calendar_year", 2.0),
        (date(2026, 1, 15), date(2026, 7, 15), "calendar_month", 6.0),
        (date(2026, 2, 1), date(2026, 3, 3), "d", 30.0),
        (date(2026, 2, 1), date(2026, 2, 1), "calendar_year", 0.0),
    ],
)
def test_calendar_units(start: date, end: date, unit: str, value: float) -> None:
    assert elapsed(start, end, unit) == pytest.approx(value)  # type: ignore[arg-type]


@given(DAYS, DAYS, st.sampled_from(["d", "calendar_month", "calendar_year"]))
def test_elapsed_grows_with_every_day(a: date, b: date, unit: str) -> None:
    start, end = sorted((a, b))
    now = elapsed(start, end, unit)  # type: ignore[arg-type]
    assert now >= 0
    assert elapsed(start, end + timedelta(days=1), unit) > now - 1e-12  # type: ignore[arg-type]


@given(DAYS, st.integers(0, 240))
def test_later_is_whole_months(day: date, months: int) -> None:
    assert elapsed(day, later(day, months), "calendar_month") == months


def test_time_does_not_run_backwards() -> None:
    with pytest.raises(ValueError, match="comes before"):
        elapsed(date(2026, 1, 2), date(2026, 1, 1), "d")
    with pytest.raises(ValueError, match="before recording began"):
        retention(
            "recording.retention",
            oldest=date(2026, 1, 1),
            started=date(2026, 1, 2),
            today=date(2026, 3, 1),
            unit="d",
        )


@pytest.mark.parametrize(
    ("oldest", "started", "verdict", "reason"),
    [
        (date(2026, 10, 25), date(2026, 1, 1), Verdict.PASS, ""),
        (date(2026, 10, 26), date(2026, 1, 1), Verdict.FAIL, ""),
        (date(2026, 11, 12), date(2026, 11, 12), Verdict.UNDECIDED, IMMATURE),
        (date(2026, 10, 20), date(2026, 10, 20), Verdict.PASS, IMMATURE),
    ],
)
def test_thirty_days(oldest: date, started: date, verdict: Verdict, reason: str) -> None:
    clause = load().clause("LAW-230-19-8a")
    assert clause.limit.lower == Decimal(30)
    estimate = retention(
        "recording.retention", oldest=oldest, started=started, today=date(2026, 11, 24), unit="d"
    )
    conformity = decide(estimate, clause, Rule.SIMPLE)
    assert (conformity.verdict, conformity.reason) == (verdict, reason)
