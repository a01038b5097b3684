"""The folder of one run: the names of its files, and how they are written and read.

Every file but the journal is written whole (temporary file, fsync, rename, fsync of the folder), so a
reader never sees half of one, whenever the bench is killed.
"""

from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from reports.record import Plan
from standards.errors import PlanMismatch, RecordError

__all__ = [
    "DOCUMENTS", "JOURNAL", "JUNIT", "OBJECTS", "PLAN", "RESULTS", "SEAL", "file_digest", "json_text",
    "parse_object", "read_plan", "sync_folder", "write_plan", "write_whole",
]  # fmt: skip

PLAN = "plan.json"
JOURNAL = "journal.jsonl"
OBJECTS = "objects"
RESULTS = "results.json"
JUNIT = "junit.xml"
SEAL = "seal.json"
DOCUMENTS = "documents.json"


def sync_folder(folder: Path) -> None:
    """Make the names inside a folder durable (fsync of the folder itself)."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def write_whole(path: Path, content: bytes) -> None:
    """Write a file so that it is either there whole or not at all. The name is hidden until it is done."""
    partial = path.with_name(f".{path.name}.partial")
    with partial.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    partial.replace(path)
    sync_folder(path.parent)


def json_text(value: Any) -> bytes:
    """The form in which JSON files of a record are written: readable, UTF-8, keys in given order, no NaN."""
    return (json.dumps(value, indent=1, ensure_ascii=False, allow_nan=False) + "\n").encode()


def parse_object(content: bytes, name: str) -> dict[str, Any]:
    """One JSON object from bytes. Raises RecordError naming the file if it is anything else."""
    try:
        value = json.loads(content.decode())
        json.dumps(value, ensure_ascii=False).encode()  # half a character can hide behind an escape
    except (ValueError, RecursionError) as error:
        raise RecordError(f"{name}: not JSON: {error}") from error
    if not isinstance(value, dict):
        raise RecordError(f"{name}: a JSON object was expected, got {type(value).__name__}")
    return value


def read_plan(folder: Path) -> Plan:
    """The frozen plan of a run folder. Raises RecordError if it is absent or does not fit its schema."""
    path = folder / PLAN
    try:
        content = path.read_bytes()
    except OSError as error:
        raise RecordError(f"{path}: no plan can be read: {error.strerror}") from error
    plain = parse_object(content, PLAN)
    schema, ours = plain.get("schema"), Plan.model_fields["schema_"].default
    if isinstance(schema, str) and schema.startswith("camcert/plan/") and schema != ours:
        made = str(plain.get("software", "another version"))[:60]
        raise RecordError(
            f"{path} is of schema {schema}, this version reads {ours}. Mend: read it with {made}"
        )
    try:
        return Plan.model_validate(plain)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise RecordError(f"{path}: {where}: {first['msg']}") from error


def write_plan(folder: Path, plan: Plan) -> str:
    """Freeze a plan in a run folder and return its digest. Raises PlanMismatch if another one is there."""
    digest = plan.sha256()
    path = folder / PLAN
    if path.exists():
        present = read_plan(folder).sha256()
        if present != digest:
            raise PlanMismatch(f"{path} holds plan {present[:12]}…, this command makes {digest[:12]}…")
        return digest
    write_whole(path, json_text(plan.model_dump(mode="json")))
    return digest


def file_digest(path: Path) -> tuple[str, int]:
    """SHA-256 (hex) and length in bytes of a file, read in pieces."""
    sha, length = hashlib.sha256(), 0
    with path.open("rb") as file:
        while piece := file.read(1 << 20):
            sha.update(piece)
            length += len(piece)
    return sha.hexdigest(), length
