"""Overlays: limits of who owns the text, clauses of a contract, and every way such a file can be wrong."""

from __future__ import annotations

import hashlib
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from standards.catalogue import Catalogue, load
from standards.clause import Axis, Bindingness, Clause, Evidence, Limit
from standards.decision import Conformity, Rule, Verdict, decide
from standards.errors import BadFile
from standards.overlay import Applied, OverlayEntry, laid_over
from standards.quantity import Basis, Estimate
from standards.scheme import load_scheme, scheme_names

#: Five lines; what follows begins on line 6.
HEAD = """[overlay]
name = "lab"
who = "Lab 7"
text = "GA/T 1127-2025, copy 17"
on = 2026-03-02
"""
RESOLUTION = """[[limit]]
row = "CAM-11.resolution"
unit = "TVL"
lower = 1000
"""
RAISED = """[[contract]]
row = "NET-07"
reason_zh = "合同第3条"
"""
CONTRACT = """[[quantity]]
key = "spares.kept"
name_zh = "备件数量"
name_en = "Spare cameras kept"
kind = "count"
unit = "1"
definition = "Cameras of the same type kept in store."
by = "document"

[[standard]]
name = "Contract 2026-17"
title_zh = "2026-17号合同"
in_force = 2026-01-05

[[standard.clause]]
row = "C17-3"
number = "3"
title_zh = "备件"
title_en = "Spares"
quantity = "spares.kept"
unit = "1"
lower = 4
bindingness = "contract"
evidence = "confirmed"
source = "Contract 2026-17"

[[standard.clause]]
row = "C17-4"
number = "4.1"
title_zh = "帧率"
title_en = "Frame rate"
quantity = "frame_rate.live"
unit = "1/s"
lower = 50
comparison = "rounded"
bindingness = "contract"
evidence = "memory?"
source = "Contract 2026-17"
condition = { definition = ["uhd"] }
"""
FREE = [
    clause.row
    for clause in load().clauses
    if clause.bindingness is Bindingness.RECOMMENDED and clause.by is not Basis.REFERENCE
]
ANY_TMP = settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


def overlay(folder: Path, body: str, name: str = "lab") -> Path:
    path = folder / f"{name}.toml"
    path.write_text(HEAD.replace('"lab"', f'"{name}"') + body, encoding="utf-8")
    return path


def laid(folder: Path, body: str) -> Catalogue:
    return laid_over(load(), [overlay(folder, body)]).catalogue


def judged(clause: Clause, value: float, known: Catalogue) -> Conformity:
    measurand = clause.measurand
    kind = known.quantity(measurand.quantity).kind
    estimate = Estimate(quantity=measurand.quantity, kind=kind, value=value, unit=measurand.unit, exact=True)
    return decide(estimate, clause, Rule.GUARDED)


def test_nothing_laid_over_changes_nothing() -> None:
    assert laid_over(load(), []) == Applied(load(), ())


def test_a_limit_turns_unknown_into_judged(tmp_path: Path) -> None:
    old, known = load().clause("CAM-11.resolution"), laid(tmp_path, RESOLUTION)
    new = known.clause("CAM-11.resolution")
    assert (old.evidence, old.limit.known) == (Evidence.UNKNOWN, False)
    assert judged(old, 1000.0, known).verdict is Verdict.UNDECIDED
    assert [judged(new, value, known).verdict for value in (1000.0, 999.9)] == [Verdict.PASS, Verdict.FAIL]
    quantity = known.quantity("resolution.centre")
    changed = {
        "limit": Limit(lower=Decimal(1000)),
        "evidence": Evidence.CONFIRMED,
        "source": "Lab 7: GA/T 1127-2025, copy 17 (2026-03-02)",
        "requirement_zh": f"{quantity.name_zh}不小于1000 TVL",
        "requirement_en": f"{quantity.name_en} at least 1000 TVL",
        "overlay": "lab",
    }
    assert new == old.model_copy(update=changed)


def test_a_limit_may_bring_its_number_and_wording(tmp_path: Path) -> None:
    more = 'number = "5.2"\nrequirement_zh = "不低于1000线"\nrequirement_en = "1000 lines"\ncomparison = "rounded"\n'
    clause = laid(tmp_path, RESOLUTION + more).clause("CAM-11.resolution")
    assert clause.id == "GA/T 1127-2025:5.2"
    assert (clause.requirement_zh, clause.requirement_en) == ("不低于1000线", "1000 lines")
    assert clause.comparison == "rounded" and clause.in_force == date(2026, 2, 1)


@given(st.integers(1, 10**7))
@ANY_TMP
def test_a_limit_is_converted_exactly(tmp_path: Path, milliseconds: int) -> None:
    known = laid(tmp_path, f'[[limit]]\nrow = "CAM-11.latency"\nunit = "ms"\nupper = {milliseconds}\n')
    clause = known.clause("CAM-11.latency")
    assert clause.limit == Limit(upper=Decimal(milliseconds) / 1000) and clause.measurand.unit == "s"
    assert judged(clause, milliseconds / 1000, known).verdict is Verdict.PASS
    assert judged(clause, (milliseconds + 1) / 1000, known).verdict is Verdict.FAIL


def test_a_limit_keeps_the_digits_it_is_written_with(tmp_path: Path) -> None:
    known = laid(tmp_path, '[[limit]]\nrow = "CAM-11.latency"\nunit = "ms"\nupper = 300.0\n')
    assert str(known.clause("CAM-11.latency").limit.upper) == "0.3000"


def test_a_text_in_hand_may_replace_or_confirm(tmp_path: Path) -> None:
    body = '[[limit]]\nrow = "NET-07"\nunit = "1/s"\nlower = 30\nreplaces = true\n'
    old, new = load().clause("NET-07"), laid(tmp_path, body).clause("NET-07")
    assert (old.limit, new.limit) == (Limit(lower=Decimal(25)), Limit(lower=Decimal(30)))
    assert (old.evidence, new.evidence) == (Evidence.SEEN_PRIMARY, Evidence.CONFIRMED)
    assert (new.condition, new.note_zh, new.comparison) == (old.condition, old.note_zh, old.comparison)


def test_a_raised_clause_is_of_the_contract_axis_and_says_why(tmp_path: Path) -> None:
    old, new = load().clause("NET-07"), laid(tmp_path, RAISED).clause("NET-07")
    assert (old.bindingness.axis, new.bindingness.axis) == (Axis.RECOMMENDED, Axis.CONTRACT)
    assert new == old.model_copy(
        update={
            "bindingness": Bindingness.CONTRACT,
            "note_zh": f"{old.note_zh}；合同第3条",
            "overlay": "lab",
        }
    )


def test_a_clause_without_a_note_has_the_reason_alone(tmp_path: Path) -> None:
    assert load().clause("NET-03").note_zh == ""
    assert laid(tmp_path, RAISED.replace("NET-07", "NET-03")).clause("NET-03").note_zh == "合同第3条"


@given(st.lists(st.sampled_from(FREE), unique=True, min_size=1, max_size=5))
@ANY_TMP
def test_those_named_are_raised_and_no_others(tmp_path: Path, rows: list[str]) -> None:
    body = "".join(RAISED.replace("NET-07", row) for row in rows)
    known, (entry,) = laid_over(load(), [overlay(tmp_path, body)])
    assert entry.rows == tuple(rows)
    assert [c.row for c in known.clauses] == [c.row for c in load().clauses]
    assert {c.row for c in known.clauses if c.bindingness.axis is Axis.CONTRACT} == set(rows) | {
        c.row for c in load().clauses if c.bindingness.axis is Axis.CONTRACT
    }
    assert [c for c in known.clauses if c.row not in rows] == [c for c in load().clauses if c.row not in rows]


def test_a_contract_brings_clauses_and_quantities(tmp_path: Path) -> None:
    known = laid(tmp_path, CONTRACT)
    assert known.clauses[: len(load().clauses)] == load().clauses
    spares, rate = known.clauses[len(load().clauses) :]
    assert (spares.id, rate.id) == ("Contract 2026-17:3", "Contract 2026-17:4.1")
    assert spares.by is Basis.DOCUMENT and spares.limit == Limit(lower=Decimal(4))
    assert (spares.requirement_zh, spares.requirement_en) == (
        "备件数量不小于4",
        "Spare cameras kept at least 4",
    )
    assert [judged(spares, n, known).verdict for n in (4.0, 3.0)] == [Verdict.PASS, Verdict.FAIL]
    assert rate.bindingness.axis is Axis.CONTRACT and rate.condition.definition == ("uhd",)
    assert {c.in_force for c in (spares, rate)} == {date(2026, 1, 5)}
    assert {c.overlay for c in (spares, rate)} == {"lab"}
    assert {c.family for c in (spares, rate)} == {"Contract 2026-17"}


def test_the_entry_names_who_what_when_and_the_file(tmp_path: Path) -> None:
    path = overlay(tmp_path, RESOLUTION + RAISED + RAISED.replace("NET-07", "CAM-11.resolution") + CONTRACT)
    known, entries = laid_over(load(), [path])
    assert entries == (
        OverlayEntry(
            name="lab",
            who="Lab 7",
            text="GA/T 1127-2025, copy 17",
            on=date(2026, 3, 2),
            sha256=hashlib.sha256(path.read_bytes()).hexdigest(),
            rows=("CAM-11.resolution", "NET-07", "C17-3", "C17-4"),
        ),
    )
    assert {c.row for c in known.clauses if c.overlay} == set(entries[0].rows)
    both = known.clause("CAM-11.resolution")
    assert both.bindingness is Bindingness.CONTRACT and both.evidence is Evidence.CONFIRMED


def test_the_catalogue_that_comes_with_camcert_is_untouched(tmp_path: Path) -> None:
    before = load()
    clauses, quantities = tuple(c.model_dump_json() for c in before.clauses), dict(before.quantities)
    known = laid(tmp_path, RESOLUTION + RAISED + CONTRACT)
    assert known.clauses != before.clauses and "spares.kept" in known.quantities
    assert load() is before
    assert tuple(c.model_dump_json() for c in load().clauses) == clauses
    assert dict(load().quantities) == quantities


def test_overlays_are_laid_in_their_order(tmp_path: Path) -> None:
    first = overlay(tmp_path, RESOLUTION + CONTRACT, "first")
    raise_own = '[[limit]]\nrow = "C17-3"\nunit = "1"\nlower = 6\nreplaces = true\n'
    second = overlay(tmp_path, RESOLUTION.replace("1000", "1100") + "replaces = true\n" + raise_own, "second")
    known, entries = laid_over(load(), [first, second])
    assert [entry.name for entry in entries] == ["first", "second"]
    assert [entry.rows for entry in entries] == [
        ("CAM-11.resolution", "C17-3", "C17-4"),
        ("CAM-11.resolution", "C17-3"),
    ]
    assert known.clause("CAM-11.resolution").limit.lower == 1100
    assert known.clause("C17-3").limit.lower == 6
    assert [known.clause(row).overlay for row in ("C17-3", "C17-4")] == ["second", "first"]
    with pytest.raises(BadFile, match="no clause 'C17-3'"):
        laid_over(load(), [second, first])


def test_what_one_overlay_limited_the_next_may_not_limit_unsaid(tmp_path: Path) -> None:
    files = [overlay(tmp_path, RESOLUTION, name) for name in ("first", "second")]
    with pytest.raises(
        BadFile, match=r"second\.toml:7: limit\[1\]\.row: .* limit already \(grade confirmed\)"
    ):
        laid_over(load(), files)


def test_two_overlays_of_one_name(tmp_path: Path) -> None:
    one, two = overlay(tmp_path, RESOLUTION), tmp_path / "other.toml"
    two.write_text(HEAD + RAISED, encoding="utf-8")
    with pytest.raises(
        BadFile, match=r"other\.toml:2: overlay\.name: lab was laid already\. Mend: give each"
    ):
        laid_over(load(), [one, two])


@pytest.mark.parametrize("name", scheme_names())
def test_every_scheme_takes_in_what_an_overlay_touched(tmp_path: Path, name: str) -> None:
    scheme, known = load_scheme(name), laid(tmp_path, RESOLUTION + CONTRACT)
    spares, rate = known.clause("C17-3"), known.clause("C17-4")
    assert scheme.setting(spares) == (True, None, scheme.rule)
    assert scheme.setting(spares.model_copy(update={"overlay": ""})) is None
    unsure = scheme.setting(rate)
    assert unsure is not None and not unsure.in_scope, "no scheme judges by what is known as 'memory?'"
    assert {"C17-3", "C17-4", "CAM-11.resolution"} <= {c.row for c in scheme.clauses(known)}
    settings = [scheme.setting(k.clause("CAM-11.resolution")) for k in (load(), known)]
    assert [s is not None and s.in_scope for s in settings] == [False, True]


def test_certification_accepts_what_a_laboratory_confirmed(tmp_path: Path) -> None:
    certification, known = load_scheme("certification"), laid(tmp_path, CONTRACT)
    assert certification.accepts(known.clause("C17-3"))
    assert not certification.accepts(known.clause("C17-4"))
    confirmed = RAISED.replace("NET-07", "IMG-03")
    assert not certification.accepts(laid(tmp_path, confirmed).clause("IMG-03")), "raising confirms no figure"


@pytest.mark.parametrize(
    ("body", "place", "words"),
    [
        (RESOLUTION.replace("CAM-11", "CAM-12"), ":7: limit[1].row: ", "there is CAM-11.resolution"),
        (RAISED.replace("NET-07", "NET-7"), ":7: contract[1].row: ", "there is NET-07"),
        (RESOLUTION.replace("CAM-11.resolution", "NET-07"), ":7: limit[1].row: ", "(grade seen-P)"),
        (RESOLUTION.replace("CAM-11.resolution", "NET-07"), ":7: limit[1].row: ", "add replaces = true"),
        (RESOLUTION.replace("lower = 1000", ""), ":6: limit[1]: ", "sets no limit. Mend: add lower, upper"),
        (
            RESOLUTION + RAISED.replace("NET-07", "LAW-230-10a"),
            ":11: contract[1].row: ",
            "is law",
        ),
        (RAISED + RAISED.replace("NET-07", "LAW-230-10a"), ":10: contract[2].row: ", "Mend: leave it out"),
        (RAISED.replace("NET-07", "ENG-01.retention"), ":7: contract[1].row: ", "is mandatory"),
        (RAISED.replace("合同第3条", ""), ":8: contract[1].reason_zh: ", "at least 1 character"),
        (
            RESOLUTION.replace("unit", "units"),
            ":8: limit[1].units: ",
            "unknown key. Mend: did you mean 'unit'?",
        ),
        (RESOLUTION + "[scope]\n", ":10: scope: ", "unknown key"),
        (CONTRACT.replace("spares.kept", "frame_rate.live"), ":7: quantity[1].key: ", "is there already"),
        (
            CONTRACT.replace('"C17-3"', '"NET-07"'),
            "clause[1].row: ",
            "NET-07 is there already. Mend: rename it",
        ),
        (CONTRACT.replace('"C17-4"', '"C17-3"'), "clause[2].row: ", "C17-3 is there already"),
        (CONTRACT.replace('"frame_rate.live"', '"frame_rate.life"'), "lab.toml", "there is frame_rate.live"),
        (CONTRACT.replace('"memory?"', '"unknown"'), "lab.toml", "must stay empty"),
        (RESOLUTION.replace("TVL", "px"), "lab.toml", "a unit that converts to 'TVL'"),
        (RESOLUTION.replace('unit = "TVL"', ""), "lab.toml", "add the unit that the text writes"),
        (
            RESOLUTION + "upper = 999\n",
            "lab.toml",
            "the lower limit 1000 is above the upper limit 999",
        ),
        (RESOLUTION + "equals = true\n", "lab.toml", "which is a number"),
    ],
)
def test_what_is_wrong_is_named(tmp_path: Path, body: str, place: str, words: str) -> None:
    with pytest.raises(BadFile) as caught:
        laid(tmp_path, body)
    text = str(caught.value)
    assert text.startswith(str(tmp_path / "lab.toml")) and place in text and words in text
    assert caught.value.mend


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ('who = "Lab 7"\n', "", "overlay.who: is missing"),
        ('who = "Lab 7"', 'who = ""', ":3: overlay.who: "),
        ("on = 2026-03-02", 'on = "spring"', ":5: overlay.on: "),
        ('name = "lab"', 'name = "my lab"', ":2: overlay.name: "),
        ("text =", "test =", "did you mean 'text'?"),
    ],
)
def test_nobody_vouches_by_halves(tmp_path: Path, old: str, new: str, words: str) -> None:
    path = tmp_path / "lab.toml"
    assert old in HEAD
    path.write_text(HEAD.replace(old, new) + RESOLUTION, encoding="utf-8")
    with pytest.raises(BadFile) as caught:
        laid_over(load(), [path])
    assert words in str(caught.value)
