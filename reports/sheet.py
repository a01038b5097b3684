"""What a document says, before it is set: plain values, all text final. The template only places them."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any

from reports.wording import punctuated

__all__ = ["BLANK", "Detail", "Field", "Figure", "Group", "Row", "Sheet", "Table"]


#: Stands in a cell that has nothing to say; no cell is empty.
BLANK = "/"


@dataclass(frozen=True)
class Field:
    """A label with its value; '/' stands for a blank."""

    label: str
    value: str


@dataclass(frozen=True)
class Row:
    """One line of 检验项目汇总表, in the order of its seven columns."""

    serial: int
    item: str
    clause: str
    requirement: str
    result: str
    conclusion: str
    remark: str

    def cells(self) -> tuple[str, ...]:
        """The seven cells as text."""
        return (
            str(self.serial), self.item, self.clause, self.requirement, self.result,
            self.conclusion, self.remark,
        )  # fmt: skip


@dataclass(frozen=True)
class Group:
    """Clauses of one force under their heading."""

    title: str
    rows: tuple[Row, ...]


@dataclass(frozen=True)
class Table:
    """A plain table. widths: shares of the text's width."""

    title: str
    head: tuple[str, ...]
    widths: tuple[float, ...]
    rows: tuple[tuple[str, ...], ...]


@dataclass(frozen=True)
class Figure:
    """A drawing of data. kind: 'plot' or 'timeline'; axes hold min, max, ticks (place, text) and label;
    bars are (x0, x1, y); lines are series of (x, y) with a name; marks are (x, text); lanes name events."""

    kind: str
    caption: str
    x: dict[str, Any]
    y: dict[str, Any] = field(default_factory=dict)
    bars: tuple[tuple[float, float, float], ...] = ()
    lines: tuple[dict[str, Any], ...] = ()
    marks: tuple[tuple[float, str], ...] = ()
    lanes: tuple[dict[str, Any], ...] = ()


@dataclass(frozen=True)
class Detail:
    """One measured quantity: its figures, what they are made of, and the drawing behind them."""

    title: str
    fields: tuple[Field, ...]
    figure: Figure | None
    figure_note: str
    tables: tuple[Table, ...]
    notes: tuple[str, ...]


@dataclass(frozen=True)
class Sheet:
    """An inspection report. simulated: every page says so, with the words of `banner`. front: short fields
    of the first page, in pairs; front_wide: long ones, a line each. basis: (standard, title, remark)."""

    number: str
    simulated: bool
    banner: str
    cover: tuple[Field, ...]
    statement: tuple[str, ...]
    front: tuple[Field, ...]
    front_wide: tuple[Field, ...]
    conclusion: tuple[str, ...]
    unjudged: tuple[str, ...]
    signatures: tuple[str, ...]
    groups: tuple[Group, ...]
    basis: tuple[tuple[str, str, str], ...]
    details: tuple[Detail, ...]
    tables: tuple[Table, ...]
    deviations: tuple[str, ...]

    def plain(self) -> dict[str, Any]:
        """JSON values for the template, with the punctuation of Chinese text."""
        value: dict[str, Any] = _punctuated(asdict(self))
        return value


def _punctuated(value: Any) -> Any:
    if isinstance(value, str):
        return punctuated(value)
    if isinstance(value, dict):
        return {key: _punctuated(part) for key, part in value.items()}
    return [_punctuated(part) for part in value] if isinstance(value, (list, tuple)) else value
