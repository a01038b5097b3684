"""What of the catalogue is measured, shown by a document, waits for a text, or has no procedure yet. Pure.

A clause counts as measured only where its quantity's procedure was held against known truth, in its present
version: a procedure alone proves nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from enum import StrEnum

from pydantic import BaseModel, ConfigDict

from standards.clause import Clause, Evidence
from standards.quantity import Basis

__all__ = ["Proof", "State", "Tally", "state_of", "tally"]


class Proof(StrEnum):
    """How far a quantity's procedure is proven."""

    VALIDATED = "validated"
    UNPROVEN = "unproven"


class State(StrEnum):
    """What becomes of a clause today."""

    MEASURED = "measured"
    UNPROVEN = "unproven"
    DOCUMENTED = "documented"
    NO_PROCEDURE = "no_procedure"
    TEXT_REQUIRED = "text_required"
    QUALITATIVE = "qualitative"
    REFERENCE = "reference"


class Tally(BaseModel):
    """Clauses of one text, or one article of it, by state."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    name: str
    title_zh: str
    article: int | None = None
    counts: dict[State, int]
    rows: tuple[str, ...]


def state_of(clause: Clause, proofs: Mapping[str, Proof]) -> State:
    """What becomes of one clause. proofs: of every quantity that a procedure measures."""
    if clause.by is Basis.REFERENCE:
        return State.REFERENCE
    if not clause.limit.known:
        return State.TEXT_REQUIRED if clause.evidence is Evidence.UNKNOWN else State.QUALITATIVE
    if clause.by.by_person:
        return State.DOCUMENTED
    proof = proofs.get(clause.measurand.quantity)
    if proof is None:
        return State.NO_PROCEDURE
    return State.MEASURED if proof is Proof.VALIDATED else State.UNPROVEN


def tally(clauses: Iterable[Clause], proofs: Mapping[str, Proof], by_article: str = "") -> tuple[Tally, ...]:
    """Clauses counted by text, in the order of the catalogue; those of the text `by_article` by article."""
    groups: dict[tuple[str, int | None], list[Clause]] = {}
    for clause in clauses:
        article = clause.article if clause.standard == by_article else None
        groups.setdefault((clause.standard, article), []).append(clause)
    made = []
    for (name, article), every in groups.items():
        states = [state_of(clause, proofs) for clause in every]
        made.append(
            Tally(
                name=name,
                title_zh=every[0].standard_title_zh,
                article=article,
                counts={state: states.count(state) for state in State},
                rows=tuple(clause.row for clause in every),
            )
        )
    return tuple(made)
