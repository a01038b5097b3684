"""Quantities, estimates of them with uncertainty, and findings about a subject (GUM, JCGM 100:2008).

``Estimate`` is what a measuring function returns: a value of a quantity, and how well it is known.
``Finding`` is an estimate tied to a subject (camera, channel, stream), an origin and its evidence.
"""

from __future__ import annotations

import math
from enum import StrEnum
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, model_validator

__all__ = [
    "Basis", "Bound", "Contribution", "Estimate", "Finding", "Kind", "Origin", "Quantity", "Subject",
]  # fmt: skip


class Kind(StrEnum):
    """How values of a quantity may be compared."""

    RATIO = "ratio"
    COUNT = "count"
    ORDINAL = "ordinal"
    NOMINAL = "nominal"


class Basis(StrEnum):
    """What a value of the quantity is taken from.

    MEASURED: a measuring procedure; DOCUMENT, PHOTOGRAPH, DECLARATION: a person's look at what was handed
    in; REFERENCE: nothing, the row is a definition, a method, a programme target or another sector's figure.
    """

    MEASURED = "measured"
    DOCUMENT = "document"
    PHOTOGRAPH = "photograph"
    DECLARATION = "declaration"
    REFERENCE = "reference"

    @property
    def by_person(self) -> bool:
        """True where a person reads the value off what was handed in."""
        return self in (Basis.DOCUMENT, Basis.PHOTOGRAPH, Basis.DECLARATION)


class Origin(StrEnum):
    """Where a value came from; it follows the value to the last page."""

    REAL = "real"
    SIMULATED = "simulated"
    REPLAYED = "replayed"
    TYPED = "typed"


class Bound(StrEnum):
    """The value bounds the clause's quantity from one side instead of estimating it.

    LOWER: the quantity is at least the value (a delay without its display term, interruptions seen in
    a run that was too short). UPPER: it is at most the value (a frame rate that may hold repeats).
    A bound can break a limit but can never meet the limit on its open side.
    """

    LOWER = "lower"
    UPPER = "upper"


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class Quantity(_Frozen):
    """One quantity. unit: '1' where it is a plain number; definition: in our own words; by: what a value is
    taken from; method: how, in a line, or the page of docs/methods that tells."""

    key: str
    name_zh: str
    name_en: str
    kind: Kind
    unit: str
    definition: str
    by: Basis = Basis.MEASURED
    method: str = ""
    source: str = ""


class Contribution(_Frozen):
    """One line of an uncertainty budget, already in the unit of the result.

    u: standard uncertainty times sensitivity; dof: degrees of freedom, None for infinite;
    method: GUM type A (statistics) or B (other knowledge); source: where the figure comes from.
    """

    name: str
    u: float = Field(ge=0)
    dof: float | None = None
    method: Annotated[str, Field(pattern="^[AB]$")] = "B"
    source: str = ""


class Estimate(_Frozen):
    """A value of one quantity with what is known about its accuracy.

    u: standard uncertainty in `unit`; None means *not evaluated*, never zero. exact: the value was
    counted or read and carries no measurement uncertainty. absent: what was declared is not there; the value
    is then False, whatever the kind. dof: effective degrees of freedom, None for
    infinite. interval: 95 % coverage interval where it is not symmetric. bound: see `Bound`.
    observed_s: seconds of observation behind it, held against a scheme's minimum. details: named
    side results and the series behind the curve in the report (JSON values only). notes: remarks
    that belong beside the value on every page.
    """

    quantity: str
    kind: Kind
    value: float | bool | str
    unit: str
    u: float | None = Field(default=None, ge=0)
    dof: float | None = Field(default=None, gt=0)
    exact: bool = False
    absent: bool = False
    interval: tuple[float, float] | None = None
    bound: Bound | None = None
    bound_reason: str = ""
    observed_s: float | None = Field(default=None, ge=0)
    budget: tuple[Contribution, ...] = ()
    details: dict[str, Any] = {}
    notes: tuple[str, ...] = ()

    @model_validator(mode="after")
    def _consistent(self) -> Estimate:
        if self.absent and self.value is not False:
            raise ValueError(f"{self.quantity}: what is absent has the value False")
        numeric = self.absent or (isinstance(self.value, float) and not isinstance(self.value, bool))
        if self.kind in (Kind.RATIO, Kind.COUNT) and not numeric:
            raise ValueError(f"{self.quantity}: a {self.kind} needs a number, got {self.value!r}")
        if self.interval is not None and numeric:
            low, high = self.interval
            if not low <= float(self.value) <= high:
                raise ValueError(f"{self.quantity}: {self.value} lies outside its interval {self.interval}")
        if self.exact and self.u is not None:
            raise ValueError(f"{self.quantity}: an exact value has no u")
        if self.bound is not None and not self.bound_reason:
            raise ValueError(f"{self.quantity}: a bound needs its reason")
        return self

    @property
    def coverage_factor(self) -> float | None:
        """k for 95 % coverage: Student's t for the effective degrees of freedom; None without u."""
        if self.u is None:
            return None
        from GTC.reporting import (
            k_factor,  # takes most of a second, which those who only name origins are spared
        )

        return float(k_factor(df=self.dof if self.dof is not None else math.inf, p=95))

    @property
    def expanded_uncertainty(self) -> float | None:
        """U = k u at 95 % coverage in `unit`; 0.0 for an exact value, None if not evaluated."""
        if self.exact:
            return 0.0
        k = self.coverage_factor
        return None if self.u is None or k is None else k * self.u


class Subject(_Frozen):
    """What was measured: camera (address without credentials), channel (from 1), stream name."""

    camera: str
    channel: int = 1
    stream: str = "main"


class Finding(_Frozen):
    """An estimate about a subject, with its origin, procedure and evidence (digests 'sha256:…')."""

    estimate: Estimate
    subject: Subject
    origin: Origin
    procedure: str
    procedure_version: str
    evidence: tuple[str, ...] = ()
