"""Requirements whose evidence is a document, a photograph or a statement: what was handed in, as an estimate.

A person reads the value off the paper and signs for it (`by`, `on`); the paper itself goes into evidence. What
was declared and is not there fails its clause; what was not declared at all is not judged.
"""

from __future__ import annotations

from datetime import date

from pydantic import BaseModel, ConfigDict, Field, model_validator

from standards.duration import retention
from standards.quantity import Estimate, Quantity

__all__ = ["CALENDAR", "Claim", "DocumentEntry", "estimate_of"]

#: Units in which a retention may be given by two dates.
CALENDAR = ("d", "calendar_month", "calendar_year")


class Claim(BaseModel):
    """One [[document]] of a declaration.

    quantity: key of what it shows; file: relative to the declaration; value: as read off it, in the
    quantity's unit (yes/no: true); by, on: who read it, and the day. For a retention instead of value:
    oldest: day of the oldest recording that could be fetched; started: day on which recording began.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)
    quantity: str
    file: str = Field(min_length=1)
    value: bool | float | str | None = None
    oldest: date | None = None
    started: date | None = None
    by: str = Field(min_length=1)
    on: date
    note: str = ""

    @model_validator(mode="after")
    def _one_value(self) -> Claim:
        dated = self.oldest is not None and self.started is not None
        if (self.oldest is None) != (self.started is None):
            raise ValueError("oldest and started belong together")
        if dated and self.value is not None:
            raise ValueError("give either value, or oldest and started")
        if not dated and self.value is None:
            raise ValueError("give value, or oldest and started")
        return self


class DocumentEntry(Claim):
    """A claim as the plan freezes it. sha256: of the file; empty where it was not there."""

    sha256: str = ""


def estimate_of(entry: DocumentEntry, quantity: Quantity) -> Estimate:
    """What the document says, without uncertainty: it was read, not measured.

    Raises ValueError where the value does not fit the quantity's kind or unit.
    """
    notes = (f"read by {entry.by} on {entry.on}", *filter(None, [entry.note]))
    if not entry.sha256:
        return Estimate(
            quantity=quantity.key, kind=quantity.kind, value=False, unit=quantity.unit, exact=True, absent=True,
            notes=notes,
        )  # fmt: skip
    if entry.oldest is not None and entry.started is not None:
        if quantity.unit not in CALENDAR:
            raise ValueError(f"{quantity.key} is in {quantity.unit}: give value, not oldest and started")
        kept = retention(
            quantity.key,
            oldest=entry.oldest,
            started=entry.started,
            today=entry.on,
            unit=quantity.unit,  # type: ignore[arg-type]
        )
        return kept.model_copy(update={"notes": notes})
    assert entry.value is not None, "a claim has a value, or two dates"
    return Estimate(
        quantity=quantity.key,
        kind=quantity.kind,
        value=entry.value,
        unit=quantity.unit,
        exact=True,
        notes=notes,
    )
