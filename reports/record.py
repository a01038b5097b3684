"""The schema of a run's record: the plan, the journal's events, the results (versioned).

``plan.json`` is frozen and hashed before anything is touched; ``journal.jsonl`` is the one truth of
what happened; ``results.json`` is derived from both and can be derived again.
"""

from __future__ import annotations

import hashlib
import json
from datetime import date
from enum import StrEnum
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from standards.clause import Clause
from standards.decision import Conformity, Execution, Rule, Verdict
from standards.documents import DocumentEntry
from standards.editions import Edition
from standards.overlay import OverlayEntry
from standards.quantity import Finding, Origin, Subject
from standards.risk import Risk

__all__ = [
    "CameraIdentity", "CaptureSettings", "Certificate", "EventKind", "InstrumentEntry", "Intrusiveness",
    "JudgedEvent", "LimitEntry", "Plan", "PlanItem", "ResultItem", "Results", "RunInfo", "canonical",
    "digest_of",
]  # fmt: skip


class _Record(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True, serialize_by_alias=True)


class Intrusiveness(StrEnum):
    """What an item does to the camera: looks, changes settings, or interrupts its service."""

    PASSIVE = "passive"
    INTRUSIVE = "intrusive"
    DISRUPTIVE = "disruptive"


class Certificate(_Record):
    """A calibration certificate. quantity: key of what was calibrated; part: of which part, '' for all. Either value
    with expanded_uncertainty (k = 2 unless stated) in unit, or points: (reading or argument, true value or correction,
    U, k), `gives` says which. range, drift: as instruments.calibration has them. Simulated instruments say so in
    `laboratory`."""

    number: str
    laboratory: str
    quantity: str
    part: str = ""
    unit: str
    value: float | None = None
    expanded_uncertainty: float | None = None
    coverage_factor: float = 2.0
    gives: Literal["true_value", "correction"] | None = None
    points: tuple[tuple[float, float, float, float], ...] = ()
    argument: str = ""
    argument_unit: str = ""
    range: tuple[float, float] | None = None
    drift: float = 0.0
    issued: date
    due: date


class InstrumentEntry(_Record):
    """One instrument of the station as the report lists it. address holds no secret. hardware: the device that the
    driver has been seen to work on, '' for a driver never run on hardware, None where there is no driver."""

    role: str
    driver: str
    hardware: str | None = None
    manufacturer: str = ""
    model: str = ""
    serial: str = ""
    address: str = ""
    origin: Origin = Origin.REAL
    certificates: tuple[Certificate, ...] = ()


class CaptureSettings(_Record):
    """How the live stream is captured. seconds: window; transport: 'tcp' or 'udp'; flashes: how many
    lamp flashes are asked for (0 without a lamp); prepare: 'as_found', or 'maximum' (intrusive)."""

    seconds: float
    transport: Literal["tcp", "udp"] = "tcp"
    flashes: int = 0
    prepare: Literal["as_found", "maximum"] = "as_found"


class PlanItem(_Record):
    """One clause for one subject, decided on before anything is touched, with the reason.

    applicability: 'run', 'not_applicable' or 'not_run' (no procedure, instrument absent, no consent).
    rule, minimum_s, in_scope: as the scheme sets them for this clause. reason_zh goes into the report.
    """

    key: str
    clause: Clause
    subject: Subject
    applicability: Literal["run", "not_applicable", "not_run"]
    reason: str = ""
    reason_zh: str = ""
    procedure: str = ""
    procedure_version: str = ""
    intrusiveness: Intrusiveness = Intrusiveness.PASSIVE
    rule: Rule = Rule.SIMPLE
    minimum_s: float | None = None
    in_scope: bool = True


class Plan(_Record):
    """Everything that a verdict depends on, frozen. Holds no run id and no time of day, so that the same
    command gives the same digest. declaration, scheme_text, display: as resolved from their files."""

    schema_: Literal["camcert/plan/3"] = Field(default="camcert/plan/3", alias="schema")
    scheme: str
    scheme_title_zh: str
    gate: tuple[str, ...]
    rule: Rule
    rule_zh: str
    evidence_accepted: tuple[str, ...]
    governing_date: date
    governing_basis: str
    governing_basis_zh: str
    camera: str
    declaration: dict[str, Any]
    origin: Origin
    station: tuple[InstrumentEntry, ...] = ()
    display_delay_s: float | None = None
    display_delay_u_s: float | None = None
    interruption_s: float
    capture: CaptureSettings
    allow: tuple[Intrusiveness, ...] = (Intrusiveness.PASSIVE,)
    documents: tuple[DocumentEntry, ...] = ()
    overlays: tuple[OverlayEntry, ...] = ()
    editions: tuple[Edition, ...] = ()
    software: str
    items: tuple[PlanItem, ...]

    def sha256(self) -> str:
        """Digest of the canonical form, hex."""
        return digest_of(self.model_dump(mode="json"))


class EventKind(StrEnum):
    """Journal events in the order of a run's life; `data` of each is described beside it."""

    PLANNED = "planned"  # {"plan_sha256", "run": id, "software", "origin"}
    OPENED = "opened"  # {"session": n, "resumed": bool}   one a session
    ENVIRONMENT = (
        "environment"  # {"when": "start"|"end", "camera": CameraIdentity, "stream", "host", "air": [Reading]}
    )
    CHECKED = "checked"  # an interim check: {"when", "role", "quantity", "ok", "text", "mend", "reading", …}
    SETTINGS_SAVED = "settings_saved"  # {"settings": {...}}
    SETTINGS_CHANGED = "settings_changed"  # {"from": {...}, "to": {...}}
    SETTINGS_RESTORED = "settings_restored"  # {"difference": {...}}
    CAPTURING = "capturing"  # {"capture": name}          journalled before it starts
    CAPTURED = "captured"  # {"capture": name, "evidence": {role: "sha256:…"}, "summary": {...}}
    MEASURED = "measured"  # {"finding": Finding}
    REFUSED = "refused"  # {"quantity", "subject", "execution", "reason", "reason_zh"}
    JUDGED = "judged"  # JudgedEvent
    NOTE = "note"  # {"text"}
    FAULT = "fault"  # {"whose": "bench"|"camera", "text"}
    REPAIRED = "repaired"  # {"dropped_bytes": n}
    CLOSED = "closed"  # {"session": n}
    DRAWN = (
        "drawn"  # of a sample's journal: {"file", "file_sha256", "rule", "seed", "by", "lots": {model: Lot}}
    )
    INSPECTED = (
        "inspected"  # {"lot", "round", "inspected", "failed": [...], "by", "outcome", "sample": [...]}
    )
    SEALING = "sealing"  # {}   the last event; its hash is the chain's head in seal.json


class CameraIdentity(_Record):
    """What the camera says it is (ONVIF GetDeviceInformation, or empty over plain RTSP)."""

    manufacturer: str = ""
    model: str = ""
    firmware: str = ""
    serial: str = ""
    hardware: str = ""


class JudgedEvent(_Record):
    """The end of one plan item."""

    item: str
    execution: Execution
    conformity: Conformity | None = None
    reason: str = ""
    reason_zh: str = ""


class LimitEntry(_Record):
    """Limits as numbers for readers of results.json."""

    lower: float | None = None
    upper: float | None = None
    equals: bool | str | None = None


class ResultItem(_Record):
    """One line of results.json; see the contract in docs. part: sub-row of a composite row."""

    row: str
    clause: str
    quantity: str
    subject: Subject
    origin: Origin
    bindingness: str
    evidence_grade: str
    in_scope: bool
    value: float | bool | str | None
    unit: str
    expanded_uncertainty: float | None
    coverage_factor: float | None
    dof: float | None
    interval: tuple[float, float] | None
    bound: str | None
    comparison: str
    limit: LimitEntry
    decision_rule: str
    conformity: Verdict | None
    risk: Risk | None = None
    execution: Execution
    reason: str
    evidence: tuple[str, ...]


class RunInfo(_Record):
    """Head of results.json."""

    id: str
    origin: Origin
    scheme: str
    plan_sha256: str
    governing_date: date
    software: str
    camera: CameraIdentity


class Results(_Record):
    """results.json, schema camcert/results/1."""

    schema_: Literal["camcert/results/1"] = Field(default="camcert/results/1", alias="schema")
    run: RunInfo
    overall: str
    recommended: str
    contract: str = "none"
    items: tuple[ResultItem, ...]


def canonical(value: Any) -> bytes:
    """The one JSON form that digests are taken of: sorted keys, no spaces, UTF-8, no NaN."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
    return text.encode()


def digest_of(value: Any) -> str:
    """SHA-256 of the canonical form, hex."""
    return hashlib.sha256(canonical(value)).hexdigest()


_ = Finding  # part of the MEASURED event's contract
