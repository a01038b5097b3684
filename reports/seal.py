"""The seal of a finished run: every file with its digest, and the head of the journal's chain.

``seal.json`` is written last and whole; `seal` may be killed at any moment and called again.
Documents made later from the sealed record (the report as PDF) are listed in ``documents.json`` beside it,
each with the digest of the record it was made from. The seal shows that a file was altered; that nobody
made a new seal is for a signature to show.
"""

from __future__ import annotations

from contextlib import nullcontext
from pathlib import Path, PurePosixPath
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from reports.evidence import Evidence
from reports.folder import (
    DOCUMENTS,
    JOURNAL,
    JUNIT,
    PLAN,
    RESULTS,
    SEAL,
    file_digest,
    json_text,
    parse_object,
    read_plan,
    write_whole,
)
from reports.journal import Journal
from reports.record import EventKind, Plan, digest_of
from reports.results import derive, run_id
from standards.errors import PlanMismatch, RecordError

__all__ = [
    "DocumentEntry",
    "Documents",
    "FileEntry",
    "Seal",
    "read_documents",
    "read_seal",
    "register",
    "seal",
]


class _Sealed(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True, serialize_by_alias=True)


class FileEntry(_Sealed):
    """One file: SHA-256 (hex) and length in bytes."""

    sha256: str
    bytes: int


class Seal(_Sealed):
    """seal.json. files: by path relative to the folder, '/' between names. digest: of all the rest, the
    record's own digest that documents print."""

    schema_: Literal["camcert/seal/1"] = Field(default="camcert/seal/1", alias="schema")
    run: str
    plan_sha256: str
    chain_head: str
    files: dict[str, FileEntry]
    digest: str = ""


class DocumentEntry(FileEntry):
    """One document made from the record. kind: 'inspection'; software: what made it."""

    kind: str
    software: str


class Documents(_Sealed):
    """documents.json. record: digest of the sealed record; documents: by relative path."""

    schema_: Literal["camcert/documents/1"] = Field(default="camcert/documents/1", alias="schema")
    run: str
    record: str
    documents: dict[str, DocumentEntry] = {}
    digest: str = ""


def _own_digest(value: dict[str, Any]) -> str:
    return digest_of({key: part for key, part in value.items() if key != "digest"})


def _content(value: Seal | Documents) -> bytes:
    """The file's bytes with its digest filled in."""
    plain = value.model_dump(mode="json")
    return json_text({**plain, "digest": _own_digest(plain)})


def _parsed(content: bytes, name: str) -> dict[str, Any]:
    """A file made by `_content`, checked in every byte. Raises RecordError naming it."""
    plain = parse_object(content, name)
    try:
        exact = plain.get("digest") == _own_digest(plain) and json_text(plain) == content
    except (ValueError, RecursionError):
        exact = False
    if not exact:
        raise RecordError(f"{name} was altered: its digest does not fit its bytes")
    return plain


def _file(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except FileNotFoundError as error:
        raise RecordError(
            f"{path.name} is missing: the record is not sealed. Mend: finish the run with `bench run --resume`"
        ) from error
    except OSError as error:
        raise RecordError(f"{path}: cannot be read: {error.strerror}") from error


def read_seal(folder: Path) -> Seal:
    """The seal of a folder. Raises RecordError if it is missing or altered in any byte."""
    plain = _parsed(_file(folder / SEAL), SEAL)
    try:
        return Seal.model_validate(plain)
    except ValidationError as error:
        raise RecordError(f"{SEAL} does not fit its schema") from error


def read_documents(folder: Path) -> Documents | None:
    """The list of documents, None if none was made. Raises RecordError if it was altered."""
    if not (folder / DOCUMENTS).exists():
        return None
    plain = _parsed(_file(folder / DOCUMENTS), DOCUMENTS)
    try:
        return Documents.model_validate(plain)
    except ValidationError as error:
        raise RecordError(f"{DOCUMENTS} does not fit its schema") from error


def _entry(path: Path) -> FileEntry:
    sha, length = file_digest(path)
    return FileEntry(sha256=sha, bytes=length)


def _close(plan: Plan, journal: Journal) -> None:
    """The last event of the journal, once. Raises before it if the record is not fit to be closed."""
    planned = [event for event in journal.events if event.kind is EventKind.PLANNED]
    if not planned or planned[0].data.get("plan_sha256") != plan.sha256():
        raise PlanMismatch(f"{PLAN} is not the plan that this run was started with")
    derive(plan, journal.events)  # a record that cannot be derived must not be closed for good
    if not journal.sealing:
        journal.append(EventKind.SEALING, {})


def seal(folder: Path, journal: Journal | None = None) -> Seal:
    """Seal a run folder and return its seal; a sealed folder keeps the seal it has.

    journal: the folder's journal where the caller has it open; else it is opened here. Appends SEALING
    to it, writes results.json and junit.xml, then seal.json. Raises RecordError for a damaged record,
    PlanMismatch if the plan on disk is not the one the run was started with.
    """
    if (folder / SEAL).exists():
        return read_seal(folder)
    plan = read_plan(folder)
    with nullcontext(journal) if journal is not None else Journal.open(folder / JOURNAL) as opened:
        _close(plan, opened)
        events, head = opened.events, opened.head
    for name, content in derive(plan, events).items():
        write_whole(folder / name, content)
    evidence = Evidence(folder)
    evidence.clear_partial()
    paths = [folder / name for name in (PLAN, JOURNAL, RESULTS, JUNIT)] + list(evidence.files())
    files = {path.relative_to(folder).as_posix(): _entry(path) for path in paths}
    made = Seal(run=run_id(events), plan_sha256=plan.sha256(), chain_head=head, files=files)
    write_whole(folder / SEAL, _content(made))
    return read_seal(folder)


def register(folder: Path, path: Path, *, kind: str, software: str) -> Documents:
    """List a document, which lies inside the sealed folder, in documents.json; again replaces its entry.

    Raises RecordError if the folder is not sealed, or the name belongs to the record itself.
    """
    sealed = read_seal(folder)
    name = path.resolve().relative_to(folder.resolve()).as_posix()
    if name in sealed.files or PurePosixPath(name).name in (SEAL, DOCUMENTS):
        raise RecordError(f"{name} belongs to the record and can be no document")
    present = read_documents(folder)
    entries = dict(present.documents) if present else {}
    sha, length = file_digest(path)
    entries[name] = DocumentEntry(sha256=sha, bytes=length, kind=kind, software=software)
    made = Documents(run=sealed.run, record=sealed.digest, documents=dict(sorted(entries.items())))
    write_whole(folder / DOCUMENTS, _content(made))
    return made
