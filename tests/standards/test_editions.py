"""Which edition governs a date, to the day, and the reasons that name it."""

from __future__ import annotations

from datetime import date, timedelta
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from standards.catalogue import load
from standards.clause import Clause
from standards.editions import Edition, editions

ORDER_196, ORDER_230, ORDER_799 = "重庆市人民政府令第196号", "重庆市人民政府令第230号", "国务院令第799号"
#: Editions that follow each other, and the first day of the later one.
TURNS = [
    ("GB/T 28181-2016", "GB/T 28181-2022", date(2023, 7, 1)),
    ("GA/T 1127-2013", "GA/T 1127-2025", date(2026, 2, 1)),
    ("GB 50348-2004", "GB 50348-2018", date(2018, 12, 1)),
    (ORDER_196, ORDER_230, date(2009, 12, 11)),
]


def on(day: date) -> dict[str, Edition]:
    return {edition.name: edition for edition in editions(load().clauses, day)}


def dated(name: str, in_force: date | None = None, superseded: date | None = None, **more: str) -> Clause:
    changes = {"standard": name, "in_force": in_force, "superseded": superseded, "superseded_by": "", **more}
    return load().clause("NET-01").model_copy(update=changes)


@pytest.mark.parametrize(
    ("day", "name", "governs", "reason", "reason_zh"),
    [
        (date(2020, 6, 1), "GB/T 28181-2016", True, "first day not known, until 2023-07-01",
         "实施日期未查明，至2023-07-01被代替"),
        (date(2020, 6, 1), "GB/T 28181-2022", False, "in force only from 2023-07-01",
         "2023-07-01起实施，2020-06-01尚未实施"),
        (date(2020, 6, 1), "GA/T 1127-2013", True, "first day not known, until 2026-02-01",
         "实施日期未查明，至2026-02-01被代替"),
        (date(2020, 6, 1), ORDER_230, True, "in force since 2009-12-11, no later edition known",
         "2009-12-11起实施，未见代替文本"),
        (date(2020, 6, 1), ORDER_799, False, "in force only from 2025-04-01",
         "2025-04-01起实施，2020-06-01尚未实施"),
        (date(2020, 6, 1), ORDER_196, False, f"superseded by {ORDER_230} on 2009-12-11",
         f"已于2009-12-11被{ORDER_230}代替"),
        (date(2024, 6, 1), "GB/T 28181-2016", False, "superseded by GB/T 28181-2022 on 2023-07-01",
         "已于2023-07-01被GB/T 28181-2022代替"),
        (date(2024, 6, 1), "GB/T 28181-2022", True, "in force since 2023-07-01, no later edition known",
         "2023-07-01起实施，未见代替文本"),
        (date(2024, 6, 1), "GA/T 1127-2025", False, "in force only from 2026-02-01",
         "2026-02-01起实施，2024-06-01尚未实施"),
        (date(2024, 6, 1), ORDER_799, False, "in force only from 2025-04-01",
         "2025-04-01起实施，2024-06-01尚未实施"),
        (date(2026, 6, 1), "GA/T 1127-2013", False, "superseded by GA/T 1127-2025 on 2026-02-01",
         "已于2026-02-01被GA/T 1127-2025代替"),
        (date(2026, 6, 1), "GA/T 1128-2013", False, "superseded by GA/T 1127-2025 on 2026-02-01",
         "已于2026-02-01被GA/T 1127-2025代替"),
        (date(2026, 6, 1), ORDER_799, True, "in force since 2025-04-01, no later edition known",
         "2025-04-01起实施，未见代替文本"),
    ],
)  # fmt: skip
def test_the_edition_of_a_date_and_why(
    day: date, name: str, governs: bool, reason: str, reason_zh: str
) -> None:
    found = on(day)[name]
    assert (found.governs, found.reason, found.reason_zh) == (governs, reason, reason_zh)


@pytest.mark.parametrize(
    ("day", "governing"),
    [
        (date(2020, 6, 1), {"GB/T 28181-2016", "GA/T 1127-2013", "GB 50348-2018", ORDER_230}),
        (date(2024, 6, 1), {"GB/T 28181-2022", "GA/T 1127-2013", "GB 50348-2018", ORDER_230}),
        (date(2026, 6, 1), {"GB/T 28181-2022", "GA/T 1127-2025", "GB 50348-2018", ORDER_230, ORDER_799}),
    ],
)
def test_what_governs_three_systems(day: date, governing: set[str]) -> None:
    asked = {name for older, newer, _ in TURNS for name in (older, newer)} | {ORDER_799}
    assert {name for name in asked if on(day)[name].governs} == governing


@pytest.mark.parametrize(("older", "newer", "first_day"), TURNS)
def test_editions_change_at_midnight(older: str, newer: str, first_day: date) -> None:
    before, after = on(first_day - timedelta(days=1)), on(first_day)
    assert (before[older].governs, before[newer].governs) == (True, False)
    assert (after[older].governs, after[newer].governs) == (False, True)
    assert before[older].family == before[newer].family
    assert f"until {first_day}" in before[older].reason
    assert after[older].reason == f"superseded by {newer} on {first_day}"


@settings(deadline=None)
@given(st.dates(min_value=date(2006, 9, 1)))  # the first day of Order 196, the oldest of these
def test_on_any_day_one_of_two_editions_governs(day: date) -> None:
    found = on(day)
    for older, newer, _ in TURNS:
        assert found[older].governs != found[newer].governs


@settings(deadline=None)
@given(st.dates(), st.none() | st.dates(), st.none() | st.dates())
def test_the_reason_agrees_with_the_clause(day: date, begins: date | None, ends: date | None) -> None:
    if begins is not None and ends is not None and ends <= begins:
        begins, ends = (ends, begins) if ends < begins else (begins, None)
    clause = dated("T 1-2020", begins, ends)
    (found,) = editions([clause], day)
    assert found.governs == clause.in_force_on(day)
    assert found.governs != found.reason.startswith(("in force only", "superseded"))
    if not found.governs:
        turn = begins if begins is not None and day < begins else ends
        assert str(turn) in found.reason and str(turn) in found.reason_zh


@pytest.mark.parametrize("day", [date.min, date(2020, 6, 1), date.max])
def test_a_text_without_dates_is_never_excluded_and_says_so(day: date) -> None:
    found = on(day)["RFC 3550"]
    assert found == Edition(
        family="RFC 3550",
        name="RFC 3550",
        governs=True,
        reason="first day not known, no later edition known",
        reason_zh="实施日期未查明，未见代替文本",
    )


def test_superseded_by_what_is_not_known() -> None:
    (found,) = editions([dated("T 1-2020", superseded=date(2021, 1, 1))], date(2021, 1, 1))
    assert (found.reason, found.reason_zh) == ("superseded on 2021-01-01", "已于2021-01-01被代替")


def test_families_stand_together_each_edition_once() -> None:
    clauses = [
        dated("T 1-2010", family="T 1"),
        dated("T 2", family=""),
        dated("T 1-2020", family="T 1"),
        dated("T 1-2010", family="T 1"),
    ]
    found = editions(clauses, date(2020, 6, 1))
    assert [(e.family, e.name) for e in found] == [("T 1", "T 1-2010"), ("T 1", "T 1-2020"), ("T 2", "T 2")]
    assert editions([], date(2020, 6, 1)) == ()


def test_every_text_of_the_catalogue_is_there_once() -> None:
    found = editions(load().clauses, date(2026, 6, 1))
    names = [edition.name for edition in found]
    assert len(names) == len(set(names)) and set(names) == {c.standard for c in load().clauses}
    turns = sum(one.family != other.family for one, other in pairwise(found))
    assert turns + 1 == len({edition.family for edition in found})
