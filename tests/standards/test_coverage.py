"""What becomes of each clause today, and that nothing is lost in the counting."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from standards.catalogue import load
from standards.clause import Clause
from standards.coverage import Proof, State, Tally, state_of, tally
from standards.quantity import Basis

ORDER_230 = "重庆市人民政府令第230号"
CLAUSES = load().clauses
PROOFS = st.dictionaries(st.sampled_from(sorted(load().quantities)), st.sampled_from(Proof), max_size=40)
LISTS = st.lists(st.sampled_from(CLAUSES), max_size=30)


def state(row: str, proof: Proof | None = None) -> State:
    clause = load().clause(row)
    return state_of(clause, {} if proof is None else {clause.measurand.quantity: proof})


@pytest.mark.parametrize(
    ("row", "without", "unproven", "validated"),
    [
        ("NET-07", State.NO_PROCEDURE, State.UNPROVEN, State.MEASURED),
        ("NET-10.sip_udp", State.NO_PROCEDURE, State.UNPROVEN, State.MEASURED),
        ("LAW-230-10a", State.DOCUMENTED, State.DOCUMENTED, State.DOCUMENTED),
        ("ENG-04.trial_run", State.DOCUMENTED, State.DOCUMENTED, State.DOCUMENTED),
        ("CAM-11.resolution", State.TEXT_REQUIRED, State.TEXT_REQUIRED, State.TEXT_REQUIRED),
        ("ACC-13.inspection_report", State.TEXT_REQUIRED, State.TEXT_REQUIRED, State.TEXT_REQUIRED),
        ("LAW-230-19-6", State.QUALITATIVE, State.QUALITATIVE, State.QUALITATIVE),
        ("ENG-02", State.QUALITATIVE, State.QUALITATIVE, State.QUALITATIVE),
        ("ACC-02.lot", State.REFERENCE, State.REFERENCE, State.REFERENCE),
        ("CAM-11.security_grades", State.REFERENCE, State.REFERENCE, State.REFERENCE),
    ],
)
def test_the_state_of_a_clause(row: str, without: State, unproven: State, validated: State) -> None:
    assert state(row) is without
    assert state(row, Proof.UNPROVEN) is unproven
    assert state(row, Proof.VALIDATED) is validated


def test_the_proof_of_another_quantity_proves_nothing() -> None:
    assert state_of(load().clause("NET-07"), {"frame_rate.recorded": Proof.VALIDATED}) is State.NO_PROCEDURE


@pytest.mark.parametrize("basis", [Basis.DOCUMENT, Basis.PHOTOGRAPH, Basis.DECLARATION])
def test_whatever_a_person_reads_is_documented(basis: Basis) -> None:
    clause = load().clause("NET-07").model_copy(update={"by": basis})
    assert state_of(clause, {"frame_rate.live": Proof.VALIDATED}) is State.DOCUMENTED


@settings(deadline=None, max_examples=50)
@given(LISTS, PROOFS, st.sampled_from(["", ORDER_230, "GB/T 28181-2022", "no such text"]))
def test_every_clause_is_counted_once(clauses: list[Clause], proofs: dict[str, Proof], articles: str) -> None:
    made = tally(clauses, proofs, articles)
    assert sum(sum(one.counts.values()) for one in made) == len(clauses)
    assert sorted(row for one in made for row in one.rows) == sorted(clause.row for clause in clauses)
    for one in made:
        assert list(one.counts) == list(State) and sum(one.counts.values()) == len(one.rows) > 0
        for each in State:
            rows = [row for row in one.rows if state_of(load().clause(row), proofs) is each]
            assert one.counts[each] == len(rows)


@settings(deadline=None, max_examples=50)
@given(LISTS, PROOFS)
def test_texts_come_in_the_order_of_their_first_clause(
    clauses: list[Clause], proofs: dict[str, Proof]
) -> None:
    made = tally(clauses, proofs)
    assert [one.name for one in made] == list(dict.fromkeys(clause.standard for clause in clauses))
    assert {one.article for one in made} <= {None}


@settings(deadline=None, max_examples=20)
@given(PROOFS)
def test_a_proof_adds_to_the_measured_and_takes_from_nothing_else(proofs: dict[str, Proof]) -> None:
    counts = [
        {each: sum(one.counts[each] for one in tally(CLAUSES, found)) for each in State}
        for found in ({}, proofs, dict.fromkeys(proofs, Proof.VALIDATED))
    ]
    of_procedures = (State.MEASURED, State.UNPROVEN, State.NO_PROCEDURE)
    assert [{k: n for k, n in c.items() if k not in of_procedures} for c in counts] == [
        {k: n for k, n in counts[0].items() if k not in of_procedures}
    ] * 3
    assert counts[0][State.MEASURED] == counts[0][State.UNPROVEN] == counts[2][State.UNPROVEN] == 0
    assert counts[1][State.MEASURED] <= counts[2][State.MEASURED]
    assert len({sum(c[k] for k in of_procedures) for c in counts}) == 1


def test_only_the_text_asked_for_is_taken_apart_by_article() -> None:
    made = tally(CLAUSES, {}, ORDER_230)
    order = [one for one in made if one.name == ORDER_230]
    assert {one.article for one in made if one.name != ORDER_230} == {None}
    assert set(range(7, 21)) <= {one.article for one in order}
    for one in order:
        rows = [c.row for c in CLAUSES if c.standard == ORDER_230 and c.article == one.article]
        assert list(one.rows) == rows
        assert one.title_zh == load().clause(rows[0]).standard_title_zh


def test_one_tally_whole() -> None:
    clauses = [load().clause(row) for row in ("NET-07", "NET-03", "NET-01")]
    proofs = {"frame_rate.live": Proof.VALIDATED, "latency.to_centre": Proof.UNPROVEN}
    counts = dict.fromkeys(State, 0) | {State.MEASURED: 1, State.NO_PROCEDURE: 1, State.UNPROVEN: 1}
    assert tally(clauses, proofs) == (
        Tally(
            name="GB/T 28181-2022",
            title_zh=clauses[0].standard_title_zh,
            counts=counts,
            rows=("NET-07", "NET-03", "NET-01"),
        ),
    )
    assert tally([], proofs) == ()
