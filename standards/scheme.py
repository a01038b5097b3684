"""A scheme: which clauses are held against a camera, by which rule, after how long an observation.

``schemes/*.toml`` come with camcert; a path to a file of one's own does as well.
"""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from fnmatch import fnmatchcase
from importlib import resources
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Literal, NamedTuple

from pydantic import BaseModel, ConfigDict, Field

from standards import catalogue
from standards.catalogue import Catalogue
from standards.clause import Axis, CameraKind, Clause, Definition, Evidence, Order799, PointClass, Site
from standards.decision import Rule
from standards.errors import BadFile, UnknownName
from standards.files import read_toml
from standards.quantity import Basis
from standards.sampling import SamplingRule

__all__ = [
    "RULE_ZH",
    "CameraDeclaration",
    "CaptureRule",
    "Governing",
    "RowSetting",
    "Scheme",
    "load_scheme",
    "scheme_names",
]  # fmt: skip

Governing = Literal["design", "contract", "completion", "test"]

#: The decision rules as a report words them.
RULE_ZH: Mapping[Rule, str] = {
    Rule.SIMPLE: "简单接受判定（保护带w=0，ILAC-G8：09/2019 4.2.1）",
    Rule.GUARDED: "保护带判定（w=U，包含概率95 %，ILAC-G8：09/2019 4.2.3：合格、有条件合格、有条件不合格、不合格）",
}


class _Strict(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class CameraDeclaration(_Strict):
    """What conditions of clauses ask about a camera or its system; None: not declared.

    point_class: class of the video point (GB/T 28181-2022); definition: class of GA/T 1127-2013; card, ptz,
    audio: fitted; platform: joined to a platform; high_risk: guards a high-risk object; outsourced: run by
    another; existing: in use before the law that asks; order_799: the article of State Council Order 799
    that the system falls under, 7 or 9.
    """

    point_class: PointClass | None = None
    kind: CameraKind | None = None
    definition: Definition | None = None
    site: Site | None = None
    card: bool | None = None
    ptz: bool | None = None
    audio: bool | None = None
    platform: bool | None = None
    high_risk: bool | None = None
    outsourced: bool | None = None
    existing: bool | None = None
    order_799: Order799 | None = None


class CaptureRule(_Strict):
    """How the live stream is captured; the fields of the record's CaptureSettings. seconds: the window, kept
    in memory, so a quarter of an hour at the most;
    flashes: of the lamp, where there is one; prepare 'maximum' changes the camera (intrusive)."""

    seconds: float = Field(gt=0, le=900)
    transport: Literal["tcp", "udp"] = "tcp"
    flashes: int = Field(default=0, ge=0, strict=True)
    prepare: Literal["as_found", "maximum"] = "as_found"


class _Pattern(_Strict):
    """One [[rows]]: clauses whose row matches, and whose value is taken `by` one of these where given, are in
    the scheme, so set; a later match overrides."""

    match: str = Field(min_length=1)
    by: tuple[Basis, ...] = ()
    in_scope: bool | None = None
    minimum_s: float | None = Field(default=None, gt=0)
    rule: Rule | None = None

    def takes(self, clause: Clause) -> bool:
        """True if this speaks of the clause."""
        return fnmatchcase(clause.row, self.match) and (not self.by or clause.by in self.by)


class RowSetting(NamedTuple):
    """How the scheme treats one clause. in_scope: it must be judged, or its axis stays inconclusive;
    minimum_s: shortest observation that may pass it, seconds; None: any."""

    in_scope: bool
    minimum_s: float | None
    rule: Rule


class Scheme(_Strict):
    """One scheme. gate: the axes that decide the exit code; governed_by: the date of the declaration that
    decides which editions apply; interruption_s: silence of the stream that counts as an interruption;
    defaults: what a camera is taken for where its declaration is silent; sampling: how many of many."""

    name: str = Field(pattern=r"^[A-Za-z0-9_.-]+$")
    title_zh: str
    title_en: str
    rule: Rule
    evidence_accepted: tuple[Evidence, ...] = Field(min_length=1)
    gate: tuple[Axis, ...] = Field(min_length=1)
    governed_by: Governing
    interruption_s: float = Field(gt=0)
    interruption_reason_zh: str = Field(min_length=1)
    interruption_reason_en: str = Field(min_length=1)
    capture: CaptureRule
    defaults: CameraDeclaration = CameraDeclaration()
    sampling: SamplingRule | None = None
    rows: tuple[_Pattern, ...] = Field(min_length=1)

    @property
    def rule_zh(self) -> str:
        """The decision rule in a report's words."""
        return RULE_ZH[self.rule]

    def accepts(self, clause: Clause) -> bool:
        """True if the scheme judges by a limit known this well."""
        return clause.evidence in self.evidence_accepted

    def setting(self, clause: Clause) -> RowSetting | None:
        """How the scheme treats the clause; None if it is not in the scheme.

        What an overlay added or changed is in every scheme. Each pattern that matches overrides what earlier
        ones set. A clause without a limit, or of a grade that is not accepted, is never in scope: it cannot
        be judged, and must not leave every run inconclusive.
        """
        matching = [row for row in self.rows if row.takes(clause)]
        if not matching and not clause.overlay:
            return None
        in_scope, minimum_s, rule = True, None, self.rule
        for row in matching:
            in_scope = row.in_scope if row.in_scope is not None else in_scope
            minimum_s = row.minimum_s if row.minimum_s is not None else minimum_s
            rule = row.rule or rule
        judged = clause.limit.known and self.accepts(clause)
        return RowSetting(in_scope and judged, minimum_s, rule)

    def clauses(self, known: Catalogue) -> tuple[Clause, ...]:
        """The catalogue's clauses that are in the scheme, in the order of its row patterns."""
        within = [clause for clause in known.clauses if self.setting(clause) is not None]
        return tuple(sorted(within, key=self._place))

    def _place(self, clause: Clause) -> int:
        matching = (i for i, row in enumerate(self.rows) if row.takes(clause))
        return next(matching, len(self.rows))


def scheme_names() -> tuple[str, ...]:
    """Names of the schemes that come with camcert."""
    return tuple(
        sorted(f.name.removesuffix(".toml") for f in _folder().iterdir() if f.name.endswith(".toml"))
    )


def load_scheme(name_or_path: str | Path) -> Scheme:
    """A scheme by its name, or from a .toml file.

    Raises UnknownName, listing the schemes there are, and BadFile; a row pattern that no clause of the
    catalogue matches is an error too, since a misspelt one would leave its clause out unseen.
    """
    text = str(name_or_path)
    if text in scheme_names():
        path: Path | Traversable = _folder().joinpath(f"{text}.toml")
    elif text.endswith(".toml"):
        path = Path(text)
    else:
        near = difflib.get_close_matches(text, scheme_names(), n=1)
        hint = f"; did you mean {near[0]!r}?" if near else "."
        raise UnknownName(
            f"no scheme {text!r}{hint} There is {', '.join(scheme_names())}, or give a .toml file"
        )
    scheme = read_toml(path, Scheme)
    for number, row in enumerate(scheme.rows, start=1):
        if not any(row.takes(clause) for clause in catalogue.load().clauses):
            raise BadFile(
                str(path),
                f"rows[{number}].match",
                f"no clause matches {row.match!r}",
                "see `bench standards list`",
            )
    return scheme


def _folder() -> Traversable:
    return resources.files("standards").joinpath("schemes")
