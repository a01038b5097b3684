"""The catalogue against the evidence table: every row, no grade promoted, no figure changed unseen."""

from __future__ import annotations

import csv
import importlib.util
import re
from pathlib import Path
from types import ModuleType

import pytest

from standards import catalogue
from standards.catalogue import Catalogue, read
from standards.clause import Bindingness, Evidence

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
#: From best to worst.
GRADES = ["seen-P", "seen-S", "memory", "memory?", "unknown"]
BIND = {
    "L": "law", "M": "mandatory", "M*": "mandatory_when_issued", "M*/R": "mandatory_when_issued",
    "R": "recommended", "I": "international", "D": "reference", "-": "reference", "": "reference",
}  # fmt: skip
#: Held lower than the table's row, since this part of it comes from elsewhere; its note says from where.
DEMOTED = {"ENG-04.trial_log": "recommended"}


def _golden() -> ModuleType:
    spec = importlib.util.spec_from_file_location("golden_catalogue", HERE / "golden_catalogue.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def _table() -> dict[str, tuple[str, str]]:
    """Rows of the evidence table: bind and grade as they stand there (copied, with its 177 ids)."""
    with (HERE / "evidence_rows.csv").open(encoding="utf-8", newline="") as file:
        return {row["row"]: (row["bind"], row["evidence"]) for row in csv.DictReader(file)}


def _grades(text: str) -> list[str]:
    """The grades that a cell of the table names, e.g. 'seen-S / unknown'."""
    return re.findall(r"seen-P|seen-S|memory\?|memory|unknown", text)


def test_no_row_of_the_table_is_missing_and_none_is_invented() -> None:
    rows = {clause.row.partition(".")[0] for clause in catalogue.load().clauses}
    ours = {
        row for row in rows if row.startswith(("DECL-", "DIAG-"))
    }  # an agreement, figures of the bench: not a text
    assert len(_table()) == 177
    assert rows - ours == set(_table())


def test_no_grade_is_promoted_and_no_force_invented() -> None:
    table = _table()
    for clause in catalogue.load().clauses:
        row = clause.row.partition(".")[0]
        if row.startswith("DIAG-"):  # no text: no limit and no grade
            assert clause.evidence == Evidence.UNKNOWN
            assert (clause.limit.lower, clause.limit.upper, clause.limit.equals) == (None, None, None)
            continue
        if row not in table:
            assert (clause.bindingness, clause.evidence) == (Bindingness.CONTRACT, Evidence.CONFIRMED)
            continue
        bind, grade = table[row]
        best = min(GRADES.index(g) for g in _grades(grade))
        assert GRADES.index(clause.evidence) >= best, (
            f"{clause.row} is {clause.evidence}, the table says {grade}"
        )
        assert clause.bindingness == DEMOTED.get(clause.row, BIND[bind]), clause.row


def test_the_catalogue_is_the_golden_one() -> None:
    golden = (HERE / "golden_catalogue.txt").read_text("utf-8").splitlines()
    assert [*_golden().lines(catalogue.load()), *_golden().digests()] == golden


NUMBER = re.compile(r"^(lower|upper) = (-?[\d.e-]+)$", re.MULTILINE)
FILES = sorted((ROOT / "standards" / "clauses").glob("*.toml"))
NUMBERS = [
    (path, found.start(2), found[2]) for path in FILES for found in NUMBER.finditer(path.read_text("utf-8"))
]


@pytest.mark.parametrize("which", range(0, len(NUMBERS), 9))
def test_another_number_shows(which: int, tmp_path: Path) -> None:
    """Every ninth limit, changed in its last digit: the golden file tells, in one line."""
    path, place, digits = NUMBERS[which]
    other = digits[:-1] + str((int(digits[-1]) + 1) % 10)
    text = path.read_text("utf-8")
    for folder in ("clauses", "quantities"):
        (tmp_path / folder).mkdir()
        for file in (ROOT / "standards" / folder).glob("*.toml"):
            (tmp_path / folder / file.name).symlink_to(file)
    changed = tmp_path / "clauses" / path.name
    changed.unlink()
    changed.write_text(text[:place] + other + text[place + len(digits) :], encoding="utf-8")
    try:
        known: Catalogue = read(tmp_path)
    except Exception as error:  # noqa: BLE001  a number that makes the limit impossible is told by the reader
        assert path.name in str(error)
        return
    golden = _golden().lines(catalogue.load())
    assert sum(a != b for a, b in zip(_golden().lines(known), golden, strict=True)) == 1
