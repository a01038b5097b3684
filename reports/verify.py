"""Verification of a record without hardware: every byte accounted for, every verdict judged again."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from pydantic import ValidationError

from reports.evidence import Evidence
from reports.folder import DOCUMENTS, JOURNAL, OBJECTS, PLAN, RESULTS, SEAL, file_digest, read_plan
from reports.journal import Event, head_of, replay
from reports.record import EventKind, Plan
from reports.results import derive, outcomes, run_id
from reports.seal import Documents, FileEntry, Seal, read_documents, read_seal
from standards.decision import decide
from standards.errors import RecordError

__all__ = ["NOT_SEALED", "Problem", "verify"]

#: Text of the one problem of an unsealed record that has no other.
NOT_SEALED = "not sealed: a cut at the journal's end would not show"


@dataclass(frozen=True)
class Problem:
    """What is wrong with which file. file: path relative to the folder, '/' between names."""

    file: str
    text: str

    def __str__(self) -> str:
        return f"{self.file}: {self.text}"


def verify(folder: Path) -> list[Problem]:
    """Everything that is wrong with a run folder; an empty list for a sealed record that holds.

    Checks that each file is accounted for and has its digest, the seal's own bytes, the journal's chain,
    the plan's digest, that the evidence named is there, that decide() gives the verdicts again from the
    plan's clauses and the journalled findings, and that results.json and junit.xml are what plus journal
    give, to the byte.
    """
    if not folder.is_dir():
        return [Problem(".", f"{folder} is not a folder")]
    if not any((folder / name).exists() for name in (PLAN, JOURNAL, SEAL)):
        return [Problem(".", f"{folder} is no record: it holds neither {PLAN} nor {JOURNAL}")]
    problems: list[Problem] = []
    sealed = _sealed(folder, problems)
    documents = _documents(folder, sealed, problems)
    _files(folder, sealed, documents, problems)
    plan = _plan(folder, problems)
    events = _events(folder, problems)
    if plan is not None and events is not None:
        _planned(plan, events, sealed, problems)
        _evidence_named(folder, events, problems)
        _judged_again(plan, events, problems)
        _derived(folder, plan, events, problems)
    return list(dict.fromkeys(problems))


def _sealed(folder: Path, problems: list[Problem]) -> Seal | None:
    if not (folder / SEAL).exists():
        problems.append(Problem(SEAL, NOT_SEALED))
        return None
    try:
        return read_seal(folder)
    except RecordError as error:
        problems.append(Problem(SEAL, str(error)))
        return None


def _documents(folder: Path, sealed: Seal | None, problems: list[Problem]) -> Documents | None:
    try:
        documents = read_documents(folder)
    except RecordError as error:
        problems.append(Problem(DOCUMENTS, str(error)))
        return None
    if documents and sealed and (documents.record != sealed.digest or documents.run != sealed.run):
        problems.append(Problem(DOCUMENTS, "lists documents of another record"))
    return documents


def _files(folder: Path, sealed: Seal | None, documents: Documents | None, problems: list[Problem]) -> None:
    """Every file that is listed is there unaltered, and none is there that is not listed."""
    listed: dict[str, FileEntry] = dict(sealed.files) if sealed else {}
    if documents:
        listed |= documents.documents
    present = {path.relative_to(folder).as_posix(): path for path in folder.rglob("*") if not path.is_dir()}
    for name, entry in listed.items():
        path = present.get(name)
        if path is None:
            problems.append(Problem(name, "is missing"))
        elif not path.is_symlink() and file_digest(path) != (entry.sha256, entry.bytes):
            problems.append(Problem(name, "was altered: its digest is not the one listed"))
    own = {SEAL, DOCUMENTS} if sealed else {SEAL, DOCUMENTS, PLAN, JOURNAL, RESULTS, "junit.xml"}
    for name, path in present.items():
        if path.is_symlink() or not path.is_file():
            problems.append(Problem(name, "is not a plain file"))
        elif name not in listed and name not in own and (sealed or not name.startswith(f"{OBJECTS}/")):
            problems.append(Problem(name, "does not belong to the record"))
    for path, text in Evidence(folder).verify():
        problems.append(Problem(path.relative_to(folder).as_posix(), text))


def _plan(folder: Path, problems: list[Problem]) -> Plan | None:
    try:
        return read_plan(folder)
    except RecordError as error:
        problems.append(Problem(PLAN, str(error)))
        return None


def _events(folder: Path, problems: list[Problem]) -> tuple[Event, ...] | None:
    try:
        return replay(folder / JOURNAL)
    except RecordError as error:
        problems.append(Problem(JOURNAL, str(error)))
        return None


def _planned(plan: Plan, events: tuple[Event, ...], sealed: Seal | None, problems: list[Problem]) -> None:
    """Plan, journal and seal speak of the same run."""
    digest = plan.sha256()
    planned = [event for event in events if event.kind is EventKind.PLANNED]
    if len(planned) != 1 or planned[0].seq != 0:
        problems.append(Problem(JOURNAL, "does not start with one plan"))
        return
    if planned[0].data.get("plan_sha256") != digest:
        problems.append(Problem(PLAN, "is not the plan that the journal was started with"))
    if sealed is None:
        return
    if sealed.plan_sha256 != digest:
        problems.append(Problem(PLAN, "is not the plan that was sealed"))
    if sealed.chain_head != head_of(events) or events[-1].kind is not EventKind.SEALING:
        problems.append(Problem(JOURNAL, "does not end where it was sealed"))
    if sealed.run != run_id(events):
        problems.append(Problem(SEAL, "seals another run"))


def _named(event: Event) -> Iterable[str]:
    """Evidence digests that an event names."""
    if event.kind is EventKind.CAPTURED:
        evidence = event.data.get("evidence")
        yield from (str(digest) for digest in (evidence.values() if isinstance(evidence, dict) else ()))
    elif event.kind is EventKind.MEASURED:
        finding = event.data.get("finding")
        yield from (str(d) for d in (finding.get("evidence", ()) if isinstance(finding, dict) else ()))


def _evidence_named(folder: Path, events: tuple[Event, ...], problems: list[Problem]) -> None:
    """Each object that the journal names is there; its bytes were checked with the files."""
    evidence = Evidence(folder)
    for event in events:
        for digest in _named(event):
            try:
                path = evidence.path(digest)
            except RecordError as error:
                problems.append(Problem(JOURNAL, f"line {event.seq + 1}: {error}"))
                continue
            if not path.is_file():
                name = path.relative_to(folder).as_posix()
                problems.append(Problem(name, f"is missing: journal line {event.seq + 1} names it"))


def _judged_again(plan: Plan, events: tuple[Event, ...], problems: list[Problem]) -> None:
    """decide() from plan and findings gives what was journalled."""
    try:
        ends = outcomes(plan, events)
    except RecordError as error:
        problems.append(Problem(JOURNAL, str(error)))
        return
    for end in ends:
        if end.finding is None:
            continue
        item = end.item
        try:
            again = decide(end.finding.estimate, item.clause, item.rule, minimum_s=item.minimum_s)
        except ValueError as error:
            problems.append(Problem(JOURNAL, f"{item.key} cannot be judged: {error}"))
            continue
        if again != end.end.conformity:
            text = f"{item.key} is journalled as {end.verdict}, the plan and the finding give {again.verdict}"
            problems.append(Problem(JOURNAL, text))


def _derived(folder: Path, plan: Plan, events: tuple[Event, ...], problems: list[Problem]) -> None:
    """results.json and junit.xml are what plan and journal give; before sealing they may be absent."""
    try:
        wanted = derive(plan, events)
    except (RecordError, ValidationError) as error:
        problems.append(Problem(RESULTS, f"cannot be derived: {error}"))
        return
    sealed = (folder / SEAL).exists()
    for name, content in wanted.items():
        path = folder / name
        if not path.exists():
            if sealed:
                problems.append(Problem(name, "is missing"))
        elif sealed and path.read_bytes() != content:
            problems.append(Problem(name, "is not what plan and journal give"))
