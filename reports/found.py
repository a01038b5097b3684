"""What a sealed record holds, read once for the documents: nothing that is not in it gets onto paper."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

from reports.folder import JOURNAL, read_plan
from reports.journal import Event, replay
from reports.record import CameraIdentity, EventKind, Plan, Results
from reports.results import Outcome, findings_of, identity, outcomes, results_from
from reports.seal import Seal, read_seal
from standards.quantity import Finding, Origin

__all__ = ["BEIJING", "Found", "read_found"]

#: Documents for Chinese authorities bear Beijing time, wherever the bench stood.
BEIJING = timezone(timedelta(hours=8), "UTC+8")


@dataclass(frozen=True)
class Found:
    """A sealed run: plan, journal, seal, and what was derived of them."""

    folder: Path
    plan: Plan
    events: tuple[Event, ...]
    seal: Seal
    results: Results
    outcomes: tuple[Outcome, ...]
    findings: tuple[Finding, ...]
    camera: CameraIdentity

    @property
    def simulated(self) -> bool:
        """True unless everything in the record is real: the plan, the run and each finding."""
        stated = [event.data.get("origin") for event in self.of(EventKind.PLANNED)]
        origins = {self.plan.origin.value, *stated, *(f.origin.value for f in self.findings)}
        return origins - {Origin.TYPED.value} != {Origin.REAL.value}

    def of(self, kind: EventKind) -> list[Event]:
        """The events of one kind, in order."""
        return [event for event in self.events if event.kind is kind]

    def time(self, event: Event) -> datetime:
        """When an event was journalled, Beijing time."""
        return datetime.fromtimestamp(event.time_ns / 1e9, tz=BEIJING)

    @property
    def sealed_at(self) -> datetime:
        """When the record was closed, Beijing time; the date of every document made of it."""
        return self.time(self.events[-1])

    def environments(self) -> tuple[dict[str, Any], dict[str, Any]]:
        """Data of the first ENVIRONMENT at a start and the last at an end; empty where there is none."""
        seen = [event.data for event in self.of(EventKind.ENVIRONMENT)]
        start = next((data for data in seen if data.get("when") == "start"), {})
        end: dict[str, Any] = next((data for data in reversed(seen) if data.get("when") == "end"), {})
        return start, end


def read_found(folder: Path) -> Found:
    """Read a sealed run folder. Raises RecordError if it is not sealed or damaged."""
    seal, plan, events = read_seal(folder), read_plan(folder), replay(folder / JOURNAL)
    return Found(
        folder=folder,
        plan=plan,
        events=events,
        seal=seal,
        results=results_from(plan, events),
        outcomes=outcomes(plan, events),
        findings=findings_of(events),
        camera=identity(events),
    )
