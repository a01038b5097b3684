"""What `bench standards check` and `diff` find: contradictions of the catalogue, and editions side by side."""

from __future__ import annotations

import tomllib
from collections import Counter
from pathlib import Path

from bench.documents import frozen
from bench.table import limit_text
from standards.catalogue import Catalogue, ClauseFile, QuantityFile, build_clause, load
from standards.clause import Clause, Evidence
from standards.declaration import load_declaration
from standards.errors import BadFile
from standards.files import read_toml
from standards.overlay import laid_over
from standards.quantity import Kind
from standards.scheme import load_scheme, scheme_names

__all__ = ["check_file", "contradictions", "differences"]


def contradictions(known: Catalogue) -> tuple[str, ...]:
    """What the schema cannot see: limits that do not fit their quantity's kind, editions that do not join,
    schemes that name nothing. Raises BadFile for a scheme that cannot be read."""
    wrong: list[str] = []
    names = {clause.standard for clause in known.clauses}
    for clause in known.clauses:
        quantity, limit = known.quantity(clause.measurand.quantity), clause.limit
        if limit.equals is not None and quantity.kind is not Kind.NOMINAL:
            wrong.append(f"{clause.row}: 'equals' on {quantity.key}, which is a {quantity.kind}")
        if (limit.lower is not None or limit.upper is not None) and quantity.kind is Kind.NOMINAL:
            wrong.append(f"{clause.row}: a numeric limit on {quantity.key}, which is nominal")
        if clause.superseded is not None and clause.superseded_by not in names:
            wrong.append(
                f"{clause.row}: superseded by {clause.superseded_by!r}, which is not in the catalogue"
            )
    for name in scheme_names():
        load_scheme(name)
    return tuple(dict.fromkeys(wrong))


def check_file(path: Path) -> str:
    """Read one file of a user's by what it holds, and say what it is. Raises BadFile with line and mend."""
    try:
        keys = set(tomllib.loads(path.read_text("utf-8")))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, RecursionError) as error:
        raise BadFile(path, "", f"is not TOML: {error}", "mend that line") from None
    if "overlay" in keys:
        laid = laid_over(load(), [path]).overlays[0]
        return f"an overlay of {laid.who}, {len(laid.rows)} clauses: well"
    if "rows" in keys or "rule" in keys:
        return f"scheme {load_scheme(path).name}: well"
    if keys & {"camera", "dates", "document"}:
        papers = frozen(load_declaration(path).document, path, load())
        absent = [paper.file for paper in papers if not paper.sha256]
        there = f"{len(papers) - len(absent)} of {len(papers)} documents there"
        return f"a declaration: well, {there}" + (f"; absent: {', '.join(absent)}" if absent else "")
    if keys == {"standard", "clause"}:
        file = read_toml(path, ClauseFile)
        for number, row in enumerate(file.clause, start=1):
            build_clause(path, f"clause[{number}] ({row.row})", row, file.standard, load().quantities)
        return f"{len(file.clause)} clauses: well"
    if keys == {"quantity"}:
        return f"{len(read_toml(path, QuantityFile).quantity)} quantities: well"
    known = "an overlay ([overlay]), a scheme ([[rows]]) or a declaration ([camera], [dates], [[document]])"
    raise BadFile(path, "", f"holds {', '.join(sorted(keys)) or 'nothing'}", f"write {known}")


def _condition(clause: Clause) -> str:
    found = {key: value for key, value in clause.condition.model_dump().items() if value}
    return ", ".join(f"{key} {'/'.join(map(str, value))}" for key, value in found.items())


def differences(known: Catalogue, older: str, newer: str) -> list[dict[str, str]]:
    """Clauses of two editions side by side; what: added, removed, changed, same.

    Put together by quantity and condition, then those left by quantity alone, if each edition has just one.
    """
    sides = [[clause for clause in known.clauses if clause.standard == name] for name in (older, newer)]
    pairs: list[tuple[Clause | None, Clause | None]] = []
    left = list(sides[1])
    alone = {side: Counter(clause.measurand.quantity for clause in sides[side]) for side in (0, 1)}
    for old in sides[0]:
        quantity = old.measurand.quantity
        same = [new for new in left if new.measurand.quantity == quantity and new.condition == old.condition]
        if not same and alone[0][quantity] == alone[1][quantity] == 1:
            same = [new for new in left if new.measurand.quantity == quantity]
        pairs.append((old, same[0] if same else None))
        left = [new for new in left if new not in same[:1]]
    # Of an edition that nobody has read nothing can be said to have gone or come.
    unread = not all(any(clause.limit.known for clause in side) for side in sides)
    return [_side_by_side(old, new, unread=unread) for old, new in [*pairs, *((None, new) for new in left)]]


def _side_by_side(old: Clause | None, new: Clause | None, *, unread: bool) -> dict[str, str]:
    one = new or old
    assert one is not None
    if unread or Evidence.UNKNOWN in {clause.evidence for clause in (old, new) if clause is not None}:
        what = "text required"
    elif old is None or new is None:
        what = "added" if old is None else "removed"
    else:
        alike = (old.limit, old.comparison, old.condition) == (new.limit, new.comparison, new.condition)
        what = "same" if alike else "changed"

    def words(clause: Clause | None) -> str:
        if clause is None:
            return ""
        condition = _condition(clause)
        return f"{clause.row}: {limit_text(clause)}" + (f" ({condition})" if condition else "")

    return {"quantity": one.measurand.quantity, "older": words(old), "newer": words(new), "what": what}
