"""The captures of a run by name: each taken once, kept as evidence, and found again after a resume."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from bench.dut import Dut
from bench.live import capture_live
from instruments.station import Station
from reports.evidence import Evidence
from reports.record import EventKind, Plan
from standards.errors import BenchError, CameraError

__all__ = ["LIVE", "Captures"]

LIVE = "live"


class Captures:
    """taken: evidence digests by role, by the capture's name; the journal's CAPTURED events fill it."""

    def __init__(
        self,
        plan: Plan,
        evidence: Evidence,
        append: Callable[[EventKind, dict[str, Any]], None],
        progress: Callable[[str, float], None],
    ) -> None:
        self._plan, self._evidence, self._append, self._progress = plan, evidence, append, progress
        self.taken: dict[str, dict[str, str]] = {}
        self._failed: CameraError | BenchError | None = None

    def digests(self, name: str) -> tuple[str, ...]:
        """Evidence of one capture; empty if it was not taken."""
        return tuple(self.taken.get(name, {}).values())

    def files(
        self,
        name: str,
        ready: Callable[[], tuple[Dut, Station | None]],
        seconds: float,
        during: Callable[[], bytes] | None = None,
    ) -> dict[str, bytes]:
        """A capture's files by role: from evidence if it was taken, else taken now. ready: the camera, and the station whose
        lamp is to flash; during: see `capture_live`. One failed live capture is enough: no procedure tries it again."""
        if name in self.taken:
            return {role: self._evidence.get(digest) for role, digest in self.taken[name].items()}
        if name == LIVE and self._failed is not None:
            raise self._failed
        dut, station = ready()
        self._append(EventKind.CAPTURING, {"capture": name, "seconds": seconds})
        settings = self._plan.capture.model_copy(update={"seconds": seconds})
        plan = self._plan.model_copy(update={"capture": settings})
        try:
            files = capture_live(dut, station, plan, self._progress, during)
        except (CameraError, BenchError) as error:
            if name == LIVE:
                self._failed = error
            raise
        digests = {role: self._evidence.put(data) for role, data in files.items()}
        self._append(EventKind.CAPTURED, {"capture": name, "evidence": digests})
        return files
