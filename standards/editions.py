"""Which edition of each text governs a date, and why. Pure.

An edition governs from its first day in force to the day before it was superseded; a date that is not known
does not exclude it (the evidence table leaves some open), which the reason then says.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

from pydantic import BaseModel, ConfigDict

from standards.clause import Clause

__all__ = ["Edition", "editions"]


class Edition(BaseModel):
    """One edition of a text on the governing date. governs: its clauses are held against the camera."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    family: str
    name: str
    governs: bool
    reason: str
    reason_zh: str


def editions(clauses: Iterable[Clause], governing: date) -> tuple[Edition, ...]:
    """The editions that these clauses are of, in the order of their first clause, families together."""
    families: dict[str, dict[str, Clause]] = {}
    for clause in clauses:
        families.setdefault(clause.family or clause.standard, {}).setdefault(clause.standard, clause)
    return tuple(
        _edition(family, clause, governing) for family, every in families.items() for clause in every.values()
    )


def _edition(family: str, clause: Clause, governing: date) -> Edition:
    begins, ends = clause.in_force, clause.superseded
    if begins is not None and governing < begins:
        why = f"in force only from {begins}", f"{begins}起实施，{governing}尚未实施"
    elif ends is not None and governing >= ends:
        by_en, by_zh = (
            (f" by {clause.superseded_by}", f"被{clause.superseded_by}")
            if clause.superseded_by
            else ("", "被")
        )
        why = f"superseded{by_en} on {ends}", f"已于{ends}{by_zh}代替"
    else:
        since = (
            (f"in force since {begins}", f"{begins}起实施")
            if begins
            else ("first day not known", "实施日期未查明")
        )
        until = (f"until {ends}", f"至{ends}被代替") if ends else ("no later edition known", "未见代替文本")
        why = f"{since[0]}, {until[0]}", f"{since[1]}，{until[1]}"
    return Edition(
        family=family,
        name=clause.standard,
        governs=clause.in_force_on(governing),
        reason=why[0],
        reason_zh=why[1],
    )
