"""From scheme, station, declaration and date to a frozen, explained plan. Touches no camera."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from bench.calendar_day import beijing_today
from bench.camera.address import CameraUrl
from bench.documents import frozen
from bench.procedures import Procedure, procedures
from bench.site_view import frozen_view
from fixtures.charts import CHARTS, certificate_quantities
from instruments.drivers import load_driver
from instruments.station_file import MANUAL, StationFile
from instruments.station_rules import load_station
from reports.record import (
    CaptureSettings,
    Certificate,
    InstrumentEntry,
    Intrusiveness,
    Plan,
    PlanItem,
)
from standards.catalogue import Catalogue, load
from standards.clause import Clause
from standards.declaration import Declaration, applies, governing_date, load_declaration
from standards.editions import editions
from standards.errors import BadFile, PlanMismatch
from standards.overlay import laid_over
from standards.quantity import Origin, Subject
from standards.scheme import CameraDeclaration, Scheme, load_scheme, scheme_names
from standards.view import Osd

__all__ = ["fields_that_differ", "make_plan", "read_plan_file", "software"]


def software() -> str:
    """Name and version of this bench as the record carries it."""
    try:
        return f"camcert {version('camcert')}"
    except PackageNotFoundError:
        return "camcert (not installed)"


def make_plan(
    *,
    scheme: str,
    camera: CameraUrl,
    station: Path | None = None,
    declaration: Path | None = None,
    overlay: Sequence[Path] = (),
    allow: tuple[Intrusiveness, ...] = (),
    on: date | None = None,
    today: date | None = None,
) -> Plan:
    """The plan: every clause of the scheme with why it runs, does not apply, or cannot run.

    on: the governing date if given on the command line; today: the day of the run, where it is not the
    present one (a resumed run keeps its first day). Raises UsageError (BadFile, UnknownName) with
    file, key and mend.
    """
    known, overlays = laid_over(load(), overlay)
    chosen = load_scheme(scheme)
    declared = load_declaration(declaration)
    papers = frozen(declared.document, declaration, known) if declaration is not None else ()
    day, basis, basis_zh = governing_date(chosen, declared, on, today or beijing_today())
    bench = _station(station)
    address = str(camera.without_user())
    given = _Given(
        chosen, declared, day, Subject(camera=address), _instruments(bench), _consent(allow),
        frozenset(paper.quantity for paper in papers),
    )  # fmt: skip
    measured, clauses = procedures(), chosen.clauses(known)
    items = (_item(clause, given, _procedure(clause, given.papers, measured)) for clause in clauses)
    return Plan(
        **_terms(chosen),
        governing_date=day,
        governing_basis=basis,
        governing_basis_zh=basis_zh,
        camera=address,
        declaration=_declared(declared.with_defaults(chosen.defaults), declaration),
        documents=papers,
        overlays=overlays,
        editions=editions(_of_families(known, clauses), day),
        **_of_station(bench),
        capture=_capture(chosen, given.station),
        allow=given.allowed,
        software=software(),
        items=tuple(items),
    )


def _declared(declared: Declaration, file: Path | None) -> dict[str, Any]:
    """What the plan keeps of the declaration; documents have their own place."""
    plain = declared.model_dump(mode="json", include={"camera", "dates"}, exclude_none=True)
    text = {"osd": declared.osd.model_dump(mode="json", exclude_none=True)} if declared.osd != Osd() else {}
    return plain | text | (frozen_view(declared, file) if file is not None else {})


def _station(path: Path | None) -> StationFile | None:
    """The station file; its chart is one that the bench can read, and its certificates are of parts that the chart
    has. Raises BadFile."""
    found = load_station(path) if path is not None else None
    if path is None or found is None or found.chart is None:
        return found
    if found.chart.name not in CHARTS:
        raise BadFile(path, "chart.name", f"no chart {found.chart.name!r}", f"use one of {', '.join(CHARTS)}")
    known = {q.key: q.nominal for q in certificate_quantities(CHARTS[found.chart.name])}
    for number, one in enumerate(found.chart.calibration, 1):
        parts = known.get(one.quantity, {})
        if one.part and one.part not in parts:
            mend = f"use one of {', '.join(parts)}" if parts else "remove the certificate"
            raise BadFile(
                path, f"chart.calibration[{number}].part", f"{found.chart.name} has no {one.part!r}", mend
            )
    return found


def _of_families(known: Catalogue, clauses: Sequence[Clause]) -> list[Clause]:
    """Every clause of the texts that these are of, whatever the edition."""
    families = {clause.family for clause in clauses}
    return [clause for clause in known.clauses if clause.family in families]


def _terms(scheme: Scheme) -> dict[str, Any]:
    """What the plan takes from the scheme as it stands."""
    return {
        "scheme": scheme.name,
        "scheme_title_zh": scheme.title_zh,
        "gate": scheme.gate,
        "rule": scheme.rule,
        "rule_zh": scheme.rule_zh,
        "evidence_accepted": tuple(grade.value for grade in scheme.evidence_accepted),
        "interruption_s": scheme.interruption_s,
    }


def _of_station(bench: StationFile | None) -> dict[str, Any]:
    """What the plan takes from the station: its instruments, its display, and whether it is real."""
    display = bench.display if bench is not None else None
    return {
        "origin": Origin(bench.station.origin) if bench is not None else Origin.REAL,
        "station": _instruments(bench),
        "display_delay_s": display.delay_s if display is not None else None,
        "display_delay_u_s": display.u_s if display is not None else None,
    }


def read_plan_file(
    file: Path,
    camera: CameraUrl | None,
    station: Path | None,
    overlay: Sequence[Path] = (),
    scheme: str | None = None,
) -> Plan:
    """A plan made before, held against what it is now to be run on.

    scheme: its file, where it is none of camcert's. Raises BadFile if it does not fit its schema, PlanMismatch
    if it was made for another camera, station or overlay, or is not what scheme, catalogue and what was
    declared make of it.
    """
    try:
        plan = Plan.model_validate_json(file.read_bytes())
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        key = ".".join(map(str, first["loc"]))
        raise BadFile(file, key, first["msg"], "make it anew with `bench plan`") from None
    if camera is not None and str(camera.without_user()) != plan.camera:
        raise PlanMismatch(
            f"{file} was made for {plan.camera}, not for {camera.without_user()}: make one for it"
        )
    entries = _instruments(load_station(station) if station is not None else None)
    if entries != plan.station:
        raise PlanMismatch(f"{file} was made for another station: give the --station it was made with")
    known, overlays = laid_over(load(), overlay)
    if overlays != plan.overlays:
        wanted = ", ".join(entry.name for entry in plan.overlays) or "none"
        raise PlanMismatch(f"{file} was made with other overlays ({wanted}): give the same --overlay files")
    if scheme is None and plan.scheme not in scheme_names():
        raise PlanMismatch(f"{file}: {plan.scheme!r} is a scheme of yours: give its file with --scheme")
    chosen = load_scheme(scheme or plan.scheme)
    _as_made(file, plan, chosen, known, load_station(station) if station is not None else None)
    return plan


def _as_made(file: Path, plan: Plan, scheme: Scheme, known: Catalogue, bench: StationFile | None) -> None:
    """Raises PlanMismatch if any term or item is not as it is made from scheme, declaration and date."""
    camera = CameraDeclaration.model_validate(plan.declaration.get("camera", {}))
    given = _Given(
        scheme, Declaration(camera=camera), plan.governing_date, Subject(camera=plan.camera), plan.station,
        plan.allow, frozenset(paper.quantity for paper in plan.documents),
    )  # fmt: skip
    measured, clauses = procedures(), scheme.clauses(known)
    items = [_item(clause, given, _procedure(clause, given.papers, measured)) for clause in clauses]
    # What was granted by a default stands as declared in the plan: reasons may differ, nothing else may.
    plain = [item.model_copy(update={"reason": "", "reason_zh": ""}) for item in items]
    if plain != [item.model_copy(update={"reason": "", "reason_zh": ""}) for item in plan.items]:
        ours = {item.key: item for item in plain}
        odd = [
            i.key
            for i in plan.items
            if ours.get(i.key) != i.model_copy(update={"reason": "", "reason_zh": ""})
        ]
        left_out = sorted(set(ours) - {item.key for item in plan.items})
        raise PlanMismatch(
            f"{file}: {', '.join(odd or left_out)[:200]} not as catalogue and scheme have it: make it anew, unedited"
        )
    made = plan.model_copy(
        update={
            **_terms(scheme),
            **_of_station(bench),
            "capture": _capture(scheme, plan.station),
            "editions": editions(_of_families(known, clauses), plan.governing_date),
            "software": software(),
        }
    )
    if made != plan:
        raise PlanMismatch(
            f"{file}: {', '.join(fields_that_differ(made, plan))} not as the scheme has it: make it anew, unedited"
        )


def fields_that_differ(a: Plan, b: Plan) -> list[str]:
    """Names of the plan's fields in which two plans differ."""
    return [name for name in Plan.model_fields if getattr(a, name) != getattr(b, name)]


@dataclass(frozen=True)
class _Given:
    """What every item is decided from."""

    scheme: Scheme
    declared: Declaration
    day: date
    subject: Subject
    station: tuple[InstrumentEntry, ...]
    allowed: tuple[Intrusiveness, ...]
    papers: frozenset[str]


def _consent(allow: tuple[Intrusiveness, ...]) -> tuple[Intrusiveness, ...]:
    """What may be done to the camera; looking always may."""
    return (Intrusiveness.PASSIVE, *sorted(set(allow) - {Intrusiveness.PASSIVE}))


def _capture(scheme: Scheme, station: tuple[InstrumentEntry, ...]) -> CaptureSettings:
    """The scheme's capture; without a lamp nothing flashes."""
    lamp = any(entry.role == "flash_lamp" for entry in station)
    return CaptureSettings(**(scheme.capture.model_dump() | ({} if lamp else {"flashes": 0})))


def _procedure(clause: Clause, papers: frozenset[str], measured: dict[str, Procedure]) -> Procedure | None:
    """What measures the clause's quantity; a declared document is read by the procedure for documents."""
    key = clause.measurand.quantity
    if key in papers or (clause.by.by_person and key not in measured):
        return next(procedure for procedure in measured.values() if procedure.reads_documents)
    return measured.get(key)


def _item(clause: Clause, given: _Given, procedure: Procedure | None) -> PlanItem:
    """One clause, decided on with its reason."""
    applicability, reason, reason_zh = applies(clause, given.declared, given.day, given.scheme)
    touch = _touch(given.scheme, procedure)
    if applicability == "run":
        obstacle = _unshown(clause, given.papers) or _obstacle(procedure, touch, given.station, given.allowed)
        if obstacle is not None:
            applicability, (reason, reason_zh) = "not_run", obstacle
    setting = given.scheme.setting(clause)
    assert setting is not None, f"{clause.row} was chosen by the scheme"
    if applicability == "run" and (setting.minimum_s or 0) > given.scheme.capture.seconds:
        short, short_zh = _too_short(given.scheme.capture.seconds, setting.minimum_s or 0)
        reason, reason_zh = f"{reason}; {short}", f"{reason_zh}；{short_zh}"
    return PlanItem(
        key=clause.row,
        clause=clause,
        subject=given.subject,
        applicability=applicability,
        reason=reason,
        reason_zh=reason_zh,
        procedure=procedure.name if procedure is not None else "",
        procedure_version=procedure.version if procedure is not None else "",
        intrusiveness=touch,
        rule=setting.rule,
        minimum_s=setting.minimum_s,
        in_scope=setting.in_scope,
    )


def _too_short(seconds: float, minimum_s: float) -> tuple[str, str]:
    """What a capture shorter than the clause's minimum can tell, said before it is taken."""
    return (
        f"the capture of {seconds:g} s is shorter than the {minimum_s:g} s asked for: it may fail, not pass",
        f"采集{seconds:g} s，短于方案要求的{minimum_s:g} s，只能判不合格，不能判合格",
    )


def _touch(scheme: Scheme, procedure: Procedure | None) -> Intrusiveness:
    """What the item does to the camera: its procedure's mark, or the scheme's change of the stream."""
    if procedure is None:
        return Intrusiveness.PASSIVE
    changes = scheme.capture.prepare == "maximum" and procedure.intrusiveness is Intrusiveness.PASSIVE
    return Intrusiveness.INTRUSIVE if changes else procedure.intrusiveness


def _unshown(clause: Clause, papers: frozenset[str]) -> tuple[str, str] | None:
    """What is shown by a document needs one, declared; None where it is, or needs none."""
    if not clause.by.by_person or clause.measurand.quantity in papers:
        return None
    key = clause.measurand.quantity
    return f"no document: add [[document]] quantity = {key!r} to the declaration", "未提交相应文件，未检"


def _obstacle(
    procedure: Procedure | None,
    touch: Intrusiveness,
    station: tuple[InstrumentEntry, ...],
    allowed: tuple[Intrusiveness, ...],
) -> tuple[str, str] | None:
    """Why the bench cannot measure it here (English, Chinese); None if it can."""
    if procedure is None:
        return "no procedure", "暂无测量程序，未检"
    roles = {entry.role for entry in station}
    for need in procedure.needs:
        if need not in roles:
            return f"the station has no {need}: give --station", f"检测台未配备所需设备（{need}），未检"
    if touch not in allowed:
        return f"{touch}: needs --allow {touch}", "需改变摄像机设置而未获同意，未检"
    return None


def _instruments(station: StationFile | None) -> tuple[InstrumentEntry, ...]:
    """The station's instruments as the plan and the report list them."""
    if station is None:
        return ()
    origin = Origin(station.station.origin)
    opened = tuple(
        InstrumentEntry(
            role=role,
            driver=instrument.driver,
            hardware=None if instrument.driver == MANUAL else load_driver(instrument.driver).about.hardware,
            manufacturer=instrument.manufacturer,
            model=instrument.model,
            serial=instrument.serial,
            address=instrument.address,
            origin=origin,
            certificates=tuple(Certificate(**c.model_dump()) for c in instrument.calibration),
        )
        for role, instrument in station.instruments.items()
    )
    seen = (
        InstrumentEntry(
            role=role,
            driver="in view" if role not in dict(station.environment.items()) else "read",
            manufacturer=part.manufacturer,
            model=part.model or getattr(part, "name", ""),
            serial=part.serial,
            origin=origin,
            certificates=tuple(Certificate(**c.model_dump()) for c in part.calibration),
        )
        for role, part in station.parts()
        if role not in dict(station.environment.items()) or part.serial or part.calibration
    )
    return (*opened, *seen)
