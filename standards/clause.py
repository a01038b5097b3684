"""A clause: what one edition of one text requires of one quantity, and how well that is known."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from enum import StrEnum
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from standards.quantity import Basis

__all__ = [
    "Axis", "Bindingness", "CameraKind", "Clause", "Comparison", "Condition", "Definition", "Evidence", "Limit",
    "Measurand", "Order799", "PointClass", "Site",
]  # fmt: skip


def _seven_or_nine(article: int) -> int:
    if article == 8:
        raise ValueError("a system falls under article 7 or 9; article 8 forbids places")
    return article


PointClass = Annotated[int, Field(strict=True, ge=1, le=3)]
CameraKind = Literal["network", "analogue"]
Definition = Literal["sd", "quasi_hd", "hd", "uhd"]
Site = Literal["indoor", "outdoor"]
Order799 = Annotated[int, Field(strict=True, ge=7, le=9), AfterValidator(_seven_or_nine)]


class Axis(StrEnum):
    """Verdicts of different force are never mixed: each axis has a conclusion of its own."""

    MANDATORY = "mandatory"
    CONTRACT = "contract"
    RECOMMENDED = "recommended"


class Bindingness(StrEnum):
    """Force of a clause. Article 12 of Order 230 binds to LAW and MANDATORY alone.

    CONTRACT: what the parties agreed on; only an overlay makes a clause one.
    """

    LAW = "law"
    MANDATORY = "mandatory"
    MANDATORY_WHEN_ISSUED = "mandatory_when_issued"
    RECOMMENDED = "recommended"
    CONTRACT = "contract"
    INTERNATIONAL = "international"
    REFERENCE = "reference"

    @property
    def binding(self) -> bool:
        """True where a breach is a breach of Article 12 (docs/decisions say why M* is not)."""
        return self in (Bindingness.LAW, Bindingness.MANDATORY)

    @property
    def axis(self) -> Axis:
        """The conclusion that a verdict on such a clause counts for."""
        if self.binding:
            return Axis.MANDATORY
        return Axis.CONTRACT if self is Bindingness.CONTRACT else Axis.RECOMMENDED


class Evidence(StrEnum):
    """How the figure is known; grades are never promoted. CONFIRMED: by an overlay of who owns the text."""

    CONFIRMED = "confirmed"
    SEEN_PRIMARY = "seen-P"
    SEEN_SECONDARY = "seen-S"
    MEMORY = "memory"
    MEMORY_UNSURE = "memory?"
    UNKNOWN = "unknown"


class Comparison(StrEnum):
    """GB/T 8170-2008 section 4.3: the full value, or the value rounded to the limit's digits."""

    FULL = "full"
    ROUNDED = "rounded"


class Limit(BaseModel):
    """Lower and upper limit, inclusive, as written (decimals keep their digits); both None: unknown.

    A yes/no requirement is `equals`. The unit is the clause's.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")
    lower: Decimal | None = None
    upper: Decimal | None = None
    equals: bool | str | None = None

    @model_validator(mode="after")
    def _possible(self) -> Limit:
        bounded = self.lower is not None or self.upper is not None
        if bounded and self.equals is not None:
            raise ValueError("a limit is either numeric or 'equals', not both")
        if self.lower is not None and self.upper is not None and self.lower > self.upper:
            raise ValueError(f"the lower limit {self.lower} is above the upper limit {self.upper}")
        return self

    @property
    def known(self) -> bool:
        """False where the text is still required: such a clause is never judged."""
        return self.lower is not None or self.upper is not None or self.equals is not None


class Condition(BaseModel):
    """When the clause applies to a declared camera or system; an empty tuple means any.

    The keys are those of a declaration (CameraDeclaration), each with the values the clause is for.
    order_799: the article of State Council Order 799 that the system falls under, 7 (to be built and filed)
    or 9 (other public places).
    """

    model_config = ConfigDict(frozen=True, extra="forbid")
    point_class: tuple[PointClass, ...] = ()
    kind: tuple[CameraKind, ...] = ()
    definition: tuple[Definition, ...] = ()
    site: tuple[Site, ...] = ()
    card: tuple[bool, ...] = ()
    ptz: tuple[bool, ...] = ()
    audio: tuple[bool, ...] = ()
    platform: tuple[bool, ...] = ()
    high_risk: tuple[bool, ...] = ()
    outsourced: tuple[bool, ...] = ()
    existing: tuple[bool, ...] = ()
    order_799: tuple[Order799, ...] = ()


class Measurand(BaseModel):
    """The quantity a clause speaks of, and the unit of its limit."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    quantity: str
    unit: str


class Clause(BaseModel):
    """One clause of one edition. Titles and requirement texts are our own words.

    row: the id of its row in the evidence table, with '.part' where a row is composite. number: as the
    text numbers it, empty where the evidence table names none; article: of a law, as a number. family: the
    text whatever its edition, e.g. 'GB/T 28181'. measurand.unit: the quantity's own, since the catalogue
    converts limits when it loads them. by: what its value is taken from. if_undeclared: what follows where a
    declaration is silent on its condition: it is asked for, or the clause does not apply. overlay: name of the overlay that
    added or changed it.
    in_force / superseded: first day in force, first day no longer in force (None: open or not known).
    """

    model_config = ConfigDict(frozen=True, extra="forbid")
    row: str
    standard: str
    standard_title_zh: str
    family: str = ""
    number: str
    article: int | None = None
    title_zh: str
    title_en: str
    requirement_zh: str
    requirement_en: str
    measurand: Measurand
    by: Basis = Basis.MEASURED
    limit: Limit = Limit()
    comparison: Comparison = Comparison.FULL
    bindingness: Bindingness
    evidence: Evidence
    source: str
    condition: Condition = Condition()
    if_undeclared: Literal["ask", "not_applicable"] = "ask"
    in_force: date | None = None
    superseded: date | None = None
    superseded_by: str = ""
    note_zh: str = ""
    note_en: str = ""
    overlay: str = ""

    @property
    def id(self) -> str:
        """Standard and clause number, e.g. 'GB/T 28181-2022:5.6'; the standard alone without a number."""
        return f"{self.standard}:{self.number}" if self.number else self.standard

    def in_force_on(self, on: date) -> bool:
        """True from the first day in force to the last one; dates that are not known do not exclude."""
        begun = self.in_force is None or self.in_force <= on
        return begun and (self.superseded is None or on < self.superseded)

    @model_validator(mode="after")
    def _honest(self) -> Clause:
        if self.evidence is Evidence.UNKNOWN and self.limit.known:
            raise ValueError(f"{self.row}: a limit of evidence 'unknown' must stay empty")
        if self.in_force and self.superseded and self.superseded <= self.in_force:
            raise ValueError(f"{self.row}: superseded on {self.superseded}, before it was in force")
        return self
