"""What a laboratory, a tender or a contract adds to the catalogue, in a file of its own.

An overlay says who vouches for it, by which text, since when. It supplies limits whose text its author owns
(grade *confirmed*), raises clauses to *contract*, and adds clauses of a contract, tender or design. The files
that come with camcert are never touched; the plan embeds what it judges by, so an overlay is in its hash.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from datetime import date
from decimal import Decimal
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple

from pydantic import BaseModel, ConfigDict, Field

from standards.catalogue import Catalogue, Row, Standard, build_clause
from standards.clause import Bindingness, Clause, Comparison, Evidence
from standards.errors import BadFile, UnknownName
from standards.files import read_toml
from standards.quantity import Basis, Quantity

__all__ = ["Applied", "Overlay", "OverlayEntry", "laid_over"]


#: What an overlay may add. Laws and mandatory standards come from their texts alone.
_ADDED = (Bindingness.CONTRACT, Bindingness.RECOMMENDED)


class _Strict(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class _Head(_Strict):
    """who vouches; text: what was read, as one would cite it; on: the day it was checked."""

    name: str = Field(pattern=r"^[\w.-]+$")
    who: str = Field(min_length=1)
    text: str = Field(min_length=1)
    on: date


class _LimitFor(_Strict):
    """A limit for a row that has none, or another than the text that comes with camcert says."""

    row: str
    number: str = ""
    unit: str = ""
    lower: Decimal | None = None
    upper: Decimal | None = None
    equals: bool | str | None = None
    comparison: Comparison | None = None
    requirement_zh: str = ""
    requirement_en: str = ""
    replaces: bool = False


class _Raise(_Strict):
    """A recommended clause that the contract makes binding between the parties."""

    row: str
    reason_zh: str = Field(min_length=1)


class _Group(Standard):
    """A contract, tender or design with its clauses."""

    clause: tuple[Row, ...]


class Overlay(_Strict):
    """An overlay file."""

    overlay: _Head
    quantity: tuple[Quantity, ...] = ()
    limit: tuple[_LimitFor, ...] = ()
    contract: tuple[_Raise, ...] = ()
    standard: tuple[_Group, ...] = ()


class OverlayEntry(_Strict):
    """An overlay as the plan and the report name it. rows: those it changed or added; sha256: of the file."""

    name: str
    who: str
    text: str
    on: date
    sha256: str
    rows: tuple[str, ...]


class Applied(NamedTuple):
    """The catalogue with overlays laid over it, and what they were."""

    catalogue: Catalogue
    overlays: tuple[OverlayEntry, ...]


def laid_over(known: Catalogue, files: Sequence[Path]) -> Applied:
    """The catalogue with these overlay files laid over it, in their order.

    Raises BadFile for a row that is not there, a limit that is known already (unless `replaces = true`), a
    clause raised that is none to raise, and two overlays of one name.
    """
    entries: list[OverlayEntry] = []
    for path in files:
        overlay = read_toml(path, Overlay)
        if any(entry.name == overlay.overlay.name for entry in entries):
            raise BadFile(
                path, "overlay.name", f"{overlay.overlay.name} was laid already", "give each its own"
            )
        known, rows = _one(known, overlay, path)
        entries.append(
            OverlayEntry(
                **overlay.overlay.model_dump(),
                sha256=hashlib.sha256(path.read_bytes()).hexdigest(),
                rows=rows,
            )
        )
    return Applied(known, tuple(entries))


def _one(known: Catalogue, overlay: Overlay, path: Path) -> tuple[Catalogue, tuple[str, ...]]:
    """One overlay laid over a catalogue, and the rows it touched."""
    quantities = dict(known.quantities)
    for number, quantity in enumerate(overlay.quantity, start=1):
        if quantity.key in quantities:
            raise BadFile(path, f"quantity[{number}].key", f"{quantity.key} is there already", "use that one")
        quantities[quantity.key] = quantity
    clauses = {clause.row: clause for clause in known.clauses}
    touched: list[str] = []
    for number, limit in enumerate(overlay.limit, start=1):
        where = f"limit[{number}]"
        old = _row(known, limit.row, path, where, touched)
        clauses[old.row] = _limited(old, limit, overlay, path, where, quantities[old.measurand.quantity])
        touched.append(old.row)
    raised_before: list[str] = []
    for number, raised in enumerate(overlay.contract, start=1):
        where = f"contract[{number}]"
        old = clauses[_row(known, raised.row, path, where, raised_before).row]
        if old.bindingness.binding or old.by is Basis.REFERENCE:
            why = (
                f"is {old.bindingness}"
                if old.bindingness.binding
                else "is a reference: nothing is judged by it"
            )
            raise BadFile(path, f"{where}.row", f"{old.row} {why}", "leave it out")
        note = "；".join(filter(None, (old.note_zh, raised.reason_zh)))
        change = {"bindingness": Bindingness.CONTRACT, "note_zh": note, "overlay": overlay.overlay.name}
        clauses[old.row] = old.model_copy(update=change)
        raised_before.append(old.row)
    touched += raised_before
    for number, group in enumerate(overlay.standard, start=1):
        added = _added(known, group, overlay, path, f"standard[{number}]", quantities)
        for place, clause in enumerate(added, start=1):
            if clause.row in clauses:
                key = f"standard[{number}].clause[{place}].row"
                raise BadFile(path, key, f"{clause.row} is there already", "rename it")
            clauses[clause.row] = clause
            touched.append(clause.row)
    changed = Catalogue(tuple(clauses.values()), MappingProxyType(quantities))
    return changed, tuple(dict.fromkeys(touched))


def _added(
    known: Catalogue, group: _Group, overlay: Overlay, path: Path, where: str, quantities: dict[str, Quantity]
) -> Iterator[Clause]:
    """The clauses of one contract or design. What its author read is confirmed, whatever else keeps its grade."""
    if any(clause.standard == group.name for clause in known.clauses):
        problem = f"{group.name} is a text of the catalogue"
        raise BadFile(path, f"{where}.name", problem, "name your contract or design")
    for number, row in enumerate(group.clause, start=1):
        key = f"{where}.clause[{number}]"
        if any(clause.row == row.row for clause in known.clauses):
            raise BadFile(path, f"{key}.row", f"{row.row} is there already", "rename it")
        if row.bindingness not in _ADDED:
            problem = f"no overlay makes {row.bindingness}"
            raise BadFile(path, f"{key}.bindingness", problem, f"write {', '.join(_ADDED)}")
        made = build_clause(path, key, row, group, quantities)
        grade = Evidence.CONFIRMED if row.evidence is Evidence.SEEN_PRIMARY else row.evidence
        yield made.model_copy(update={"overlay": overlay.overlay.name, "evidence": grade})


def _row(known: Catalogue, row: str, path: Path, where: str, before: Sequence[str]) -> Clause:
    """The clause of a row that is named once."""
    if row in before:
        raise BadFile(path, f"{where}.row", f"{row} stands twice", "keep one")
    try:
        return known.clause(row)
    except UnknownName as error:
        raise BadFile(path, f"{where}.row", str(error), "see `bench standards list`") from None


def _limited(
    old: Clause, given: _LimitFor, overlay: Overlay, path: Path, where: str, quantity: Quantity
) -> Clause:
    """The clause with the limit that the overlay's author read in the text."""
    if old.limit.known and not given.replaces:
        raise BadFile(
            path,
            f"{where}.row",
            f"{old.row} has a limit already (grade {old.evidence})",
            "add replaces = true if the text in hand says otherwise, or confirms it",
        )
    if given.lower is None and given.upper is None and given.equals is None:
        raise BadFile(path, where, "sets no limit", "add lower, upper or equals")
    head = overlay.overlay
    plain = Row(
        row=old.row,
        number=given.number or old.number,
        article=old.article,
        title_zh=old.title_zh,
        title_en=old.title_en,
        requirement_zh=given.requirement_zh,
        requirement_en=given.requirement_en,
        quantity=quantity.key,
        unit=given.unit,
        lower=given.lower,
        upper=given.upper,
        equals=given.equals,
        comparison=given.comparison or old.comparison,
        bindingness=old.bindingness,
        evidence=Evidence.CONFIRMED,
        source=f"{head.who}: {head.text} ({head.on})",
        condition=old.condition,
        if_undeclared=old.if_undeclared,
    )
    title = Standard(name=old.standard, title_zh=old.standard_title_zh)
    made = build_clause(path, where, plain, title, {quantity.key: quantity})
    kept = ("family", "in_force", "superseded", "superseded_by", "note_zh", "note_en")
    return made.model_copy(update={name: getattr(old, name) for name in kept} | {"overlay": head.name})
