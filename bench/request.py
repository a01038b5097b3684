"""What a person asks for with ``bench run`` or with pytest's options: one value for both ways in."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path

from bench.camera.address import CameraUrl, password_for
from bench.observer import Observer
from bench.operator import terminal_operator
from bench.plan import make_plan, read_plan_file
from bench.session import Session
from reports.folder import PLAN, read_plan
from reports.record import Intrusiveness, Plan
from standards.errors import UsageError

__all__ = ["RunRequest"]


@dataclass(frozen=True)
class RunRequest:
    """Arguments of a run. plan_file: a plan made before by ``bench plan``, instead of a scheme."""

    camera: str
    scheme: str = "acceptance"
    station: Path | None = None
    declaration: Path | None = None
    overlay: tuple[Path, ...] = ()
    out: Path | None = None
    allow: tuple[Intrusiveness, ...] = ()
    resume: bool = False
    on: date | None = None
    plan_file: Path | None = None

    def plan(self) -> Plan:
        """The frozen plan. Touches no camera; raises UsageError with the mend."""
        if self.plan_file is not None:
            camera = CameraUrl.parse(self.camera) if self.camera else None
            return read_plan_file(
                self.plan_file,
                camera,
                self.station,
                self.overlay,
                self.scheme if self.scheme.endswith(".toml") else None,
            )
        return make_plan(
            scheme=self.scheme,
            camera=CameraUrl.parse(self.camera),
            station=self.station,
            declaration=self.declaration,
            overlay=self.overlay,
            allow=self.allow,
            on=self.on,
            today=self._first_day(),
        )

    def _first_day(self) -> date | None:
        """A resumed run keeps the day that governed it when it began, also after midnight."""
        if not self.resume or self.out is None or not (self.out / PLAN).exists():
            return None
        return read_plan(self.out).governing_date

    def directory(self) -> Path:
        """Where the record goes: --out, or a new folder named by the time under out/."""
        if self.out is not None:
            return self.out
        if self.resume:
            raise UsageError("--resume needs --out: which record shall go on?")
        return Path("out") / f"run-{datetime.now():%Y%m%d-%H%M%S}"

    def session(self, plan: Plan, observer: Observer | None = None) -> Session:
        """Open the session: freezes the plan on disk, touches no camera yet."""
        camera = CameraUrl.parse(self.camera or plan.camera)
        return Session(
            plan,
            self.directory(),
            resume=self.resume,
            camera=camera,
            password=lambda: password_for(camera),
            station=self.station,
            observer=observer,
            operator=terminal_operator(),
        )
