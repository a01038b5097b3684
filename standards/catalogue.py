"""The catalogue: every quantity and clause the bench knows, read from TOML and validated.

``quantities/*.toml`` hold the quantities, ``clauses/*.toml`` one edition of one text each. Figures and
grades come from the evidence table alone; a limit that the table does not know stays empty.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import cache
from importlib import resources
from importlib.resources.abc import Traversable
from pathlib import Path
from types import MappingProxyType
from typing import Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from standards.clause import Bindingness, Clause, Comparison, Condition, Evidence, Limit, Measurand
from standards.errors import BadFile, UnknownName
from standards.files import read_toml
from standards.quantity import Kind, Quantity
from standards.units import converted

__all__ = ["Catalogue", "ClauseFile", "QuantityFile", "Row", "Standard", "build_clause", "load", "read"]


_FEW = 10  # names that an error may list


class _Strict(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class QuantityFile(_Strict):
    """A file of quantities/."""

    quantity: tuple[Quantity, ...]


class Standard(_Strict):
    """One edition. family: the text whatever its edition; dates_source: where the dates are known from."""

    name: str
    family: str = ""
    title_zh: str
    title_en: str = ""
    dates_source: str = ""
    in_force: date | None = None
    superseded: date | None = None
    superseded_by: str = ""


class Row(_Strict):
    """One [[clause]] of a file. unit: as the text writes its numeric limit, e.g. 'ms' or '%'; a requirement
    that is not worded is worded from the limit."""

    row: str
    number: str = ""
    article: int | None = None
    title_zh: str
    title_en: str
    requirement_zh: str = ""
    requirement_en: str = ""
    quantity: str
    unit: str = ""
    lower: Decimal | None = None
    upper: Decimal | None = None
    equals: bool | str | None = None
    comparison: Comparison = Comparison.FULL
    bindingness: Bindingness
    evidence: Evidence
    source: str
    condition: Condition = Condition()
    if_undeclared: Literal["ask", "not_applicable"] = "ask"
    note_zh: str = ""
    note_en: str = ""


class ClauseFile(_Strict):
    """A file of clauses/: one edition of one text."""

    standard: Standard
    clause: tuple[Row, ...]


@dataclass(frozen=True)
class Catalogue:
    """Clauses in the order of their files, and the quantities they speak of, by key."""

    clauses: tuple[Clause, ...]
    quantities: Mapping[str, Quantity]

    def clause(self, row: str) -> Clause:
        """The clause of this row. Raises UnknownName with the rows that look alike."""
        for clause in self.clauses:
            if clause.row == row:
                return clause
        raise _unknown("clause", row, (c.row for c in self.clauses))

    def quantity(self, key: str) -> Quantity:
        """The quantity of this key. Raises UnknownName with the keys that look alike."""
        if key not in self.quantities:
            raise _unknown("quantity", key, self.quantities)
        return self.quantities[key]

    def in_force(self, on: date) -> tuple[Clause, ...]:
        """The clauses whose text stood on that day, as far as its dates are known."""
        return tuple(clause for clause in self.clauses if clause.in_force_on(on))


@cache
def load() -> Catalogue:
    """The catalogue that comes with camcert, read once. Raises BadFile."""
    return read(resources.files("standards"))


def read(root: Path | Traversable) -> Catalogue:
    """The catalogue in a folder with quantities/ and clauses/. Raises BadFile."""
    quantities = _quantities(root.joinpath("quantities"))
    clauses: dict[str, Clause] = {}
    for path in _toml_files(root.joinpath("clauses")):
        file = read_toml(path, ClauseFile)
        for number, row in enumerate(file.clause, start=1):
            if row.row in clauses:
                raise BadFile(
                    str(path), f"clause[{number}].row", f"{row.row} is there already", "give each its own"
                )
            where = f"clause[{number}] ({row.row})"
            clauses[row.row] = build_clause(path, where, row, file.standard, quantities)
    return Catalogue(clauses=tuple(clauses.values()), quantities=MappingProxyType(quantities))


def _toml_files(folder: Path | Traversable) -> list[Path | Traversable]:
    return sorted((p for p in folder.iterdir() if p.name.endswith(".toml")), key=lambda p: p.name)


def _quantities(folder: Path | Traversable) -> dict[str, Quantity]:
    found: dict[str, Quantity] = {}
    for path in _toml_files(folder):
        for number, quantity in enumerate(read_toml(path, QuantityFile).quantity, start=1):
            if quantity.key in found:
                raise BadFile(
                    str(path),
                    f"quantity[{number}].key",
                    f"{quantity.key} is there already",
                    "give each its own",
                )
            found[quantity.key] = quantity
    return found


def build_clause(
    path: Path | Traversable, where: str, row: Row, standard: Standard, quantities: Mapping[str, Quantity]
) -> Clause:
    """One row as a clause, its limit in the quantity's unit. where: the row's key, e.g. 'clause[3]'.

    Raises BadFile, naming path and key.
    """
    quantity = quantities.get(row.quantity)
    if quantity is None:
        mend = str(_unknown("quantity", row.quantity, quantities))
        raise BadFile(str(path), f"{where}.quantity", f"no quantity {row.quantity!r}", mend)
    limit = _limit(path, where, row, quantity)
    shared = row.model_dump(exclude={"quantity", "unit", "lower", "upper", "equals"}) | {
        "requirement_zh": row.requirement_zh
        or _worded(row, quantity.name_zh, ("不小于", "不大于", "：限值待原文核对")),
        "requirement_en": row.requirement_en
        or _worded(row, quantity.name_en, (" at least ", " at most ", ": limit unknown, text required")),
    }
    try:
        return Clause(
            **shared,
            standard=standard.name,
            standard_title_zh=standard.title_zh,
            family=standard.family or standard.name,
            by=quantity.by,
            measurand=Measurand(quantity=quantity.key, unit=quantity.unit),
            limit=limit,
            in_force=standard.in_force,
            superseded=standard.superseded,
            superseded_by=standard.superseded_by,
        )
    except ValidationError as error:
        raise BadFile(str(path), where, error.errors()[0]["msg"], "mend the row or its dates") from None


def _limit(path: Path | Traversable, where: str, row: Row, quantity: Quantity) -> Limit:
    """The row's limit in the quantity's unit, of the quantity's kind."""
    numeric = row.lower is not None or row.upper is not None
    if numeric and not row.unit:
        raise BadFile(str(path), f"{where}.unit", "is missing", "add the unit that the text writes")
    if numeric and quantity.kind is Kind.NOMINAL:
        raise BadFile(
            str(path), where, f"a number for {quantity.key}, which is yes or no, or a name", "write equals"
        )
    if row.equals is not None and quantity.kind is not Kind.NOMINAL:
        raise BadFile(
            str(path), f"{where}.equals", f"for {quantity.key}, which is a number", "write lower or upper"
        )
    try:
        converted(Decimal(1), row.unit, quantity.unit)
        ends = [
            None if end is None else converted(end, row.unit, quantity.unit) for end in (row.lower, row.upper)
        ]
        return Limit(lower=ends[0], upper=ends[1], equals=row.equals)
    except ValidationError as error:  # a ValueError, too
        raise BadFile(str(path), where, error.errors()[0]["msg"], "mend the limit") from None
    except ValueError as error:
        mend = f"write it in a unit that converts to {quantity.unit!r}"
        raise BadFile(str(path), f"{where}.unit", str(error), mend) from None


def _worded(row: Row, name: str, words: tuple[str, str, str]) -> str:
    """The limit as a phrase, where the row has none. words: for a lower limit, an upper one, and for none."""
    unit = "" if row.unit in ("", "1") else f" {row.unit}"
    sides = [f"{words[0]}{row.lower:f}{unit}"] if row.lower is not None else []
    sides += [f"{words[1]}{row.upper:f}{unit}"] if row.upper is not None else []
    if not sides:
        return name + words[2] if row.equals is None else f"{name}: {row.equals}"
    return name + ", ".join(sides)


def _unknown(what: str, name: str, names: Iterable[str]) -> UnknownName:
    every = sorted(names)
    near = difflib.get_close_matches(name, every, n=3) or (every if len(every) <= _FEW else [])
    return UnknownName(
        f"no {what} {name!r}; there is {', '.join(near)}"
        if near
        else f"no {what} {name!r}, nor any of the {len(every)} there are is like it: see `bench standards list`"
    )
