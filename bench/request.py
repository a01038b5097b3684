"""What a person asks for with ``bench run`` or with pytest's options: one value for both ways in."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path

from bench.camera.address import CameraUrl, password_for
from bench.plan import make_plan
from bench.session import Observer, Session
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
    out: Path | None = None
    allow: tuple[Intrusiveness, ...] = ()
    resume: bool = False
    on: date | None = None
    plan_file: Path | None = None

    def plan(self) -> Plan:
        """The frozen plan. Touches no camera; raises UsageError with the mend."""
        if self.plan_file is not None:
            return Plan.model_validate_json(self.plan_file.read_bytes())
        return make_plan(
            scheme=self.scheme,
            camera=CameraUrl.parse(self.camera),
            station=self.station,
            declaration=self.declaration,
            allow=self.allow,
            on=self.on,
        )

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
        )
