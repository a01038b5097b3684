"""One line a clause, every figure in it: `python tests/standards/golden_catalogue.py > …/golden_catalogue.txt`.

The test holds the catalogue against the file that is committed. Whoever changes a figure changes a line there
too, so that a reviewer sees it beside the evidence table.
"""

from __future__ import annotations

import hashlib
import sys
from pathlib import Path

from standards.catalogue import Catalogue, load

__all__ = ["digests", "lines"]

ROOT = Path(__file__).resolve().parents[2]


def lines(known: Catalogue) -> list[str]:
    """The catalogue, flat: clauses by row, then quantities by key."""
    found = []
    for c in sorted(known.clauses, key=lambda clause: clause.row):
        condition = ";".join(f"{k}={v}" for k, v in c.condition.model_dump().items() if v)
        fields = (
            c.row, c.id, c.family, c.article, c.measurand.quantity, c.limit.lower, c.limit.upper, c.limit.equals,
            c.measurand.unit, c.comparison, c.bindingness, c.evidence, c.source, c.in_force, c.superseded,
            c.superseded_by, condition, c.title_zh, c.title_en, c.requirement_zh, c.requirement_en, c.note_zh, c.note_en,
        )  # fmt: skip
        found.append(" | ".join("" if field is None else str(field) for field in fields))
    for q in sorted(known.quantities.values(), key=lambda quantity: quantity.key):
        found.append(
            " | ".join((q.key, q.kind, q.unit, q.by, q.name_zh, q.name_en, q.definition, q.method, q.source))
        )
    return found


def digests() -> list[str]:
    """SHA-256 of every file, for what no clause carries: titles of texts, where their dates are known from."""
    files = sorted(
        file for folder in ("clauses", "quantities") for file in (ROOT / "standards" / folder).glob("*.toml")
    )
    return [
        f"{file.parent.name}/{file.name} | {hashlib.sha256(file.read_bytes()).hexdigest()}" for file in files
    ]


if __name__ == "__main__":
    sys.stdout.write("\n".join([*lines(load()), *digests()]) + "\n")
