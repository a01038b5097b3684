"""One run: lease, preflight, capture, measure, judge, restore, seal; every step journalled before the next.

The session knows nothing of pytest. The plugin hands it plan items and the test bodies to measure with;
after a SIGKILL it is opened again on the same directory and goes on from the journal.
"""

from __future__ import annotations

import platform
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

from bench.camera.address import CameraUrl, Secret
from bench.captures import LIVE, Captures
from bench.dut import Dut, same_camera
from bench.judge import Judge
from bench.lease import camera_lease
from bench.live import Live, LiveSource
from bench.observer import Observer
from bench.plan import fields_that_differ
from bench.procedures import procedures
from bench.reasons import REASON_ZH
from bench.stage import Stage
from bench.surroundings import Surroundings
from instruments.manual import Operator
from instruments.station import Station
from reports.evidence import Evidence
from reports.folder import JOURNAL, PLAN, read_plan, write_plan
from reports.journal import Journal
from reports.record import EventKind, Intrusiveness, JudgedEvent, Plan, PlanItem
from reports.seal import seal
from standards.decision import Execution, decide
from standards.errors import (
    BenchError,
    CamcertError,
    CameraDenied,
    CameraError,
    CameraUnreachable,
    CaptureFault,
    ConsentMissing,
    MeasurementRefused,
    NoVideo,
    PlanMismatch,
    UsageError,
)
from standards.quantity import Estimate, Finding, Origin, Subject

__all__ = ["Judge", "Session"]


class Session:
    """One run in one directory, until it is sealed. Use as a context manager."""

    def __init__(
        self,
        plan: Plan,
        directory: Path,
        *,
        resume: bool,
        camera: CameraUrl,
        password: Callable[[], Secret | None],
        station: Path | None = None,
        observer: Observer | None = None,
        operator: Operator | None = None,
    ) -> None:
        """Freeze the plan on disk, or hold it against the frozen one. Touches no camera.

        password is called at most once, when the camera is first needed. Raises UsageError if the
        directory holds a run and resume is False, PlanMismatch if its plan differs.
        """
        self.plan = plan
        self.directory = directory
        self._camera, self._password = camera, password
        self._observer = observer
        self._around = Surroundings(
            station, run=directory, append=self._append, operator=operator, observer=observer
        )
        self._dut: Dut | None = None
        self.findings: dict[tuple[str, Subject], Finding] = {}
        self.refused: dict[str, dict[str, str]] = {}
        self.judged: dict[str, JudgedEvent] = {}
        self._unrestored: dict[str, Any] | None = None
        self._sessions = 0
        self._sealing = False
        self.evidence = Evidence(directory)
        self.captures = Captures(plan, self.evidence, self._append, self._progress)
        self.stage = Stage(
            lambda: self._ready()[1],
            lambda step, seconds, during=None: self.captures.files(step, lambda: (self._ready()[0], None), seconds, during),
            self.captures.digests, self._noted, lambda: self._ready()[0],
        )  # fmt: skip
        if resume:
            self._reopen()
        else:
            self._create()
        self._procedures = procedures()
        self.live = Live(plan, LiveSource(self._files, self._progress))
        self.judge = Judge(self)

    # opening and closing ---------------------------------------------------------------------------

    def _create(self) -> None:
        if (self.directory / PLAN).exists():
            raise UsageError(f"{self.directory} holds a run already: add --resume, or give another --out")
        try:
            self.directory.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise UsageError(
                f"{self.directory} cannot be made ({error.strerror}): give another --out"
            ) from None
        write_plan(self.directory, self.plan)
        self._begin()

    def _reopen(self) -> None:
        """Go on where the record ends, wherever a kill left it: a plan without a journal included."""
        if not (self.directory / PLAN).exists():
            raise UsageError(f"{self.directory} holds no run to resume: leave --resume out")
        frozen = read_plan(self.directory)
        if frozen.sha256() != self.plan.sha256():
            raise PlanMismatch(
                f"{self.directory / PLAN} was frozen with another plan; it differs in "
                f"{', '.join(fields_that_differ(frozen, self.plan))}. Mend: give the same arguments, or another --out"
            )
        if not (self.directory / JOURNAL).exists():
            self._begin()
            return
        self.journal = Journal.open(self.directory / JOURNAL)
        self._replay()
        if not self.journal.events:
            self._planned()

    def _begin(self) -> None:
        self.journal = Journal.create(self.directory / JOURNAL)
        self._planned()

    def _planned(self) -> None:
        self._append(
            EventKind.PLANNED,
            {
                "plan_sha256": self.plan.sha256(),
                "run": uuid.uuid4().hex,
                "software": self.plan.software,
                "origin": self.plan.origin.value,
            },
        )

    def _replay(self) -> None:
        for event in self.journal.events:
            self._take(event.kind, event.data)

    def __enter__(self) -> Session:
        if not self._sealing:
            self._sessions += 1
            self._append(EventKind.OPENED, {"session": self._sessions, "resumed": self._sessions > 1})
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    @property
    def complete(self) -> bool:
        """Every plan item has its end, and the camera its settings back."""
        return self._unrestored is None and all(item.key in self.judged for item in self.plan.items)

    def close(self) -> None:
        """Restore the camera's settings, note how it was left, and seal the record if it is complete."""
        try:
            if not self._sealing:
                if self._unrestored is not None:
                    self._restore()
                if self._dut is not None:
                    self._environment("end")
                if not self._work_left():
                    self._around.check_again()
                self._around.close()
                self._append(EventKind.CLOSED, {"session": self._sessions})
            if self.complete:
                seal(self.directory, self.journal)
        finally:
            self._around.close()
            self.journal.close()

    # the camera ------------------------------------------------------------------------------------

    def preflight(self) -> None:
        """Reach the station and the camera, restoring what a killed session left changed.

        Nothing is touched when every item that runs is already journalled.
        """
        if self._sealing or self._dut is not None or not self._work_left():
            return
        self._around.open(camera_lease(self._camera, self.directory))
        self._dut = Dut(self._camera, self._password())
        self._environment("start")
        if self._unrestored is not None:
            self._restore()

    def _work_left(self) -> bool:
        return self._unrestored is not None or any(
            item.applicability == "run" and item.key not in self.judged for item in self.plan.items
        )

    def _environment(self, when: str) -> None:
        assert self._dut is not None
        try:
            data = {"camera": self._dut.identity().model_dump(), "stream": self._dut.stream()}
            # Whoever stops a run is asked nothing more.
            air = self._around.air() if when == "start" or not self._work_left() else []
        except (CameraError, BenchError) as error:
            if when == "start":
                raise
            whose = "camera" if isinstance(error, CameraError) else "bench"
            self._append(EventKind.FAULT, {"whose": whose, "text": f"at the end: {error}"})
            return
        seen = (e.data["camera"] for e in self.journal.events if e.kind is EventKind.ENVIRONMENT)
        same_camera(next(seen, data["camera"]), data["camera"], self._camera)
        host = {"python": platform.python_version(), "system": platform.platform()}
        self._append(EventKind.ENVIRONMENT, {"when": when, **data, "host": host, "air": air})

    def _prepare(self) -> None:
        """Set the stream to what the scheme asks for; the way back is journalled first."""
        assert self._dut is not None
        if self.plan.capture.prepare == "as_found":
            return
        if Intrusiveness.INTRUSIVE not in self.plan.allow:
            raise ConsentMissing("the scheme sets the stream to its maximum: add --allow intrusive")
        if self._unrestored is not None:
            raise CaptureFault(
                f"the camera could not be given back its settings {self._unrestored}: nothing more is changed. "
                "Mend: make it reachable, then --resume"
            )
        saved, wanted = self._dut.settings(), self._dut.maximum()
        self._append(EventKind.SETTINGS_SAVED, {"settings": saved})
        self._append(EventKind.SETTINGS_CHANGED, {"from": saved, "to": wanted})
        self._dut.apply(wanted)

    def _restore(self) -> None:
        assert self._unrestored is not None
        if self._dut is None:
            self._dut = Dut(self._camera, self._password())
        try:
            self._dut.apply(self._unrestored)
            found = self._dut.settings()
        except CameraError as error:
            text = f"the settings could not be restored: {error}. They were {self._unrestored}"
            self._append(EventKind.FAULT, {"whose": "camera", "text": text})
            return
        saved = self._unrestored
        left = {key: [saved[key], found.get(key)] for key in saved if saved[key] != found.get(key)}
        self._append(EventKind.SETTINGS_RESTORED, {"difference": left})

    # capturing, measuring, judging -----------------------------------------------------------------

    def _files(self) -> dict[str, bytes]:
        """The live capture's files: from evidence if it was taken, else taken now."""
        return self.captures.files(LIVE, self._prepared, self.plan.capture.seconds)

    def _ready(self) -> tuple[Dut, Station | None]:
        self.preflight()
        assert self._dut is not None
        return self._dut, self._around.station

    def _prepared(self) -> tuple[Dut, Station | None]:
        """For the live capture: with the stream as the scheme wants it, and the lamp."""
        found = self._ready()
        self._prepare()
        return found

    def _noted(self, step: str, reading: dict[str, Any]) -> None:
        text = f"{step}: {reading['illuminance_lx']:.4g} lx by the lux meter"
        self._append(EventKind.NOTE, {"text": text, "step": step, "reading": reading})

    def features(self) -> dict[str, bool]:
        """What the camera offers of what may be declared of it."""
        self.preflight()
        assert self._dut is not None
        return self._dut.features()

    def measured(
        self, estimate: Estimate, origin: Origin | None = None, evidence: tuple[str, ...] | None = None
    ) -> None:
        """Journal one estimate as a finding; without origin and evidence, about the run's live capture."""
        subject = self.plan.items[0].subject
        if (estimate.quantity, subject) in self.findings:  # journalled before a kill: it stands
            return
        reader = next((p for p in self._procedures.values() if p.reads_documents), None)
        procedure = reader if origin is Origin.TYPED else self._procedures.get(estimate.quantity)
        finding = Finding(
            estimate=estimate,
            subject=subject,
            origin=origin or self._origin(),
            procedure=procedure.name if procedure else "",
            procedure_version=procedure.version if procedure else "",
            evidence=self.captures.digests(LIVE) if evidence is None else evidence,
        )
        self._append(EventKind.MEASURED, {"finding": finding.model_dump(mode="json")})

    def _origin(self) -> Origin:
        simulated = "(simulated)" in str(self.live.capture.declared.get("server", ""))
        return Origin.SIMULATED if simulated else self.plan.origin

    def run_item(self, item: PlanItem, body: Callable[[], None]) -> JudgedEvent:
        """Bring one item to its end: measure unless that is journalled, then judge. Never runs twice.

        Raises CameraUnreachable, CameraDenied and NoVideo: without the camera the run stops and can be resumed.
        """
        if item.key in self.judged:
            return self.judged[item.key]
        if item.applicability != "run":
            return self._end(item, Execution(item.applicability), item.reason, item.reason_zh)
        quantity = item.clause.measurand.quantity
        if (quantity, item.subject) not in self.findings and quantity not in self.refused:
            self._measure(quantity, item, body)
        refused = self.refused.get(quantity)
        if refused is not None:
            return self._end(item, Execution(refused["execution"]), refused["reason"], refused["reason_zh"])
        estimate = self.findings[quantity, item.subject].estimate
        conformity = decide(estimate, item.clause, item.rule, minimum_s=item.minimum_s)
        event = JudgedEvent(item=item.key, execution=Execution.DONE, conformity=conformity)
        self._append(EventKind.JUDGED, event.model_dump(mode="json"))
        return event

    def _measure(self, quantity: str, item: PlanItem, body: Callable[[], None]) -> None:
        try:
            body()
        except (CameraUnreachable, CameraDenied, NoVideo, UsageError):
            raise
        except MeasurementRefused as error:
            if (quantity, item.subject) not in self.findings:  # what was measured before stands
                self._refuse(quantity, item, Execution.NOT_RUN, error, MeasurementRefused)
        except CameraError as error:
            self._append(EventKind.FAULT, {"whose": "camera", "text": str(error)})
            self._refuse(quantity, item, Execution.NOT_RUN, error, CameraError)
        except BenchError as error:
            self._append(EventKind.FAULT, {"whose": "bench", "text": str(error)})
            self._refuse(quantity, item, Execution.BENCH_FAULT, error, BenchError)
        else:
            if (quantity, item.subject) not in self.findings:
                missing = BenchError(f"{item.procedure} gave no value of {quantity}")
                self._refuse(quantity, item, Execution.BENCH_FAULT, missing, BenchError)

    def fault(self, item: PlanItem, error: BaseException) -> JudgedEvent:
        """End an item whose procedure broke down: a defect of the bench, never of the camera."""
        text = f"{type(error).__name__}: {error}"
        self._append(EventKind.FAULT, {"whose": "bench", "text": text})
        return self._end(item, Execution.BENCH_FAULT, text, REASON_ZH[BenchError])

    def _refuse(
        self, quantity: str, item: PlanItem, execution: Execution, error: Exception, kind: type[CamcertError]
    ) -> None:
        data = {
            "quantity": quantity,
            "subject": item.subject.model_dump(),
            "execution": execution.value,
            "reason": str(error),
            "reason_zh": REASON_ZH[kind],
        }
        self._append(EventKind.REFUSED, data)

    def _end(self, item: PlanItem, execution: Execution, reason: str, reason_zh: str) -> JudgedEvent:
        event = JudgedEvent(item=item.key, execution=execution, reason=reason, reason_zh=reason_zh)
        self._append(EventKind.JUDGED, event.model_dump(mode="json"))
        return event

    # the journal -----------------------------------------------------------------------------------

    def _append(self, kind: EventKind, data: dict[str, Any]) -> None:
        self.journal.append(kind, data)
        self._take(kind, data)
        if self._observer is not None:
            self._observer.event(kind, data)

    def _take(self, kind: EventKind, data: dict[str, Any]) -> None:
        """What the session knows is what the journal says, live and replayed alike."""
        if kind is EventKind.OPENED:
            self._sessions = int(data["session"])
        elif kind is EventKind.CAPTURED:
            self.captures.taken[data["capture"]] = dict(data["evidence"])
        elif kind is EventKind.NOTE and "step" in data:
            self.stage.readings[data["step"]] = dict(data["reading"])
        elif kind is EventKind.MEASURED:
            finding = Finding.model_validate(data["finding"])
            self.findings[finding.estimate.quantity, finding.subject] = finding
        elif kind is EventKind.REFUSED:
            self.refused[data["quantity"]] = data
        elif kind is EventKind.JUDGED:
            judged = JudgedEvent.model_validate(data)
            self.judged[judged.item] = judged
        elif kind is EventKind.SETTINGS_CHANGED:
            self._unrestored = dict(data["from"])
        elif kind is EventKind.SETTINGS_RESTORED:
            self._unrestored = None
        elif kind is EventKind.SEALING:
            self._sealing = True

    def _progress(self, what: str, share: float) -> None:
        if self._observer is not None:
            self._observer.progress(what, share)
