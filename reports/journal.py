"""The journal: the one truth of a run. Append-only JSON lines, fsynced one by one, chained by SHA-256.

A line is the canonical JSON of ``{seq, time_ns, kind, data, prev, sum}``: ``prev`` is the SHA-256 of the
bytes of the line before (its newline included), ``sum`` that of the line itself without ``sum``, so that
damage in the last line, which nothing follows yet, shows as well. A write that was cut off leaves bytes
without a newline: the torn tail. `Journal.open` drops it and journals that it did, but never once the
record is being sealed.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from reports.folder import sync_folder
from reports.record import EventKind, canonical, digest_of
from standards.errors import RecordError

__all__ = ["FIRST", "Event", "Journal", "head_of", "replay"]

#: What `prev` of the first line holds, and the head of an empty journal.
FIRST = "0" * 64
_KEYS = {"seq", "time_ns", "kind", "data", "prev", "sum"}


@dataclass(frozen=True)
class Event:
    """One line. seq counts from 0; time_ns: realtime clock of the host; prev: digest of the line before."""

    seq: int
    time_ns: int
    kind: EventKind
    data: dict[str, Any]
    prev: str

    def line(self) -> bytes:
        """The line as it is written, newline included."""
        body = {
            "seq": self.seq,
            "time_ns": self.time_ns,
            "kind": self.kind,
            "data": self.data,
            "prev": self.prev,
        }
        return canonical({**body, "sum": digest_of(body)}) + b"\n"


@dataclass(frozen=True)
class _Scan:
    """What a journal's bytes hold. good: bytes of whole lines; torn: bytes after the last newline."""

    events: tuple[Event, ...]
    head: str
    good: int
    torn: int


def _event(line: bytes, number: int, seq: int, prev: str) -> Event:
    """One whole line, checked in every byte. Raises RecordError naming its number (from 1)."""
    where = f"journal line {number}"
    try:
        value = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise RecordError(f"{where} is damaged: not JSON") from error
    if not isinstance(value, dict) or set(value) != _KEYS or not isinstance(value["data"], dict):
        raise RecordError(f"{where} is damaged: not an event")
    known = isinstance(value["kind"], str) and value["kind"] in set(EventKind)
    if not known or type(value["seq"]) is not int or type(value["time_ns"]) is not int:
        raise RecordError(f"{where} is damaged: not an event this version knows")
    event = Event(value["seq"], value["time_ns"], EventKind(value["kind"]), value["data"], str(value["prev"]))
    if event.seq != seq or event.prev != prev:
        raise RecordError(f"{where} does not follow the line before it: a line was altered, added or removed")
    try:
        exact = event.line() == line
    except (ValueError, RecursionError):
        exact = False
    if not exact:
        raise RecordError(f"{where} is damaged: its digest does not fit its bytes")
    return event


def _scan(content: bytes) -> _Scan:
    """All whole lines of a journal. Raises RecordError for any that is damaged or out of the chain."""
    events: list[Event] = []
    head, good = FIRST, 0
    # The last piece is what follows the last newline: nothing, or the torn tail.
    for number, piece in enumerate(content.split(b"\n")[:-1], 1):
        line = piece + b"\n"
        if events and events[-1].kind is EventKind.SEALING:
            raise RecordError(f"journal line {number} follows the sealing of the record")
        events.append(_event(line, number, len(events), head))
        head = hashlib.sha256(line).hexdigest()
        good += len(line)
    return _Scan(tuple(events), head, good, len(content) - good)


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise RecordError(f"{path}: no journal can be read: {error.strerror}") from error


def replay(path: Path) -> tuple[Event, ...]:
    """All events of a journal, read only.

    Raises RecordError naming the line that is damaged, out of the chain, or torn.
    """
    scan = _scan(_read(path))
    if scan.torn:
        number = len(scan.events) + 1
        raise RecordError(
            f"journal line {number} is torn ({scan.torn} bytes without an end): resume repairs it"
        )
    return scan.events


def head_of(events: tuple[Event, ...]) -> str:
    """The chain's head: digest of the last line, FIRST for no events."""
    return hashlib.sha256(events[-1].line()).hexdigest() if events else FIRST


class Journal:
    """An open journal. One process at a time (advisory lock); use as a context manager, or close it."""

    def __init__(self, path: Path, handle: int, scan: _Scan) -> None:
        """Use `Journal.create` or `Journal.open`."""
        self._path, self._handle = path, handle
        self._events, self._head = list(scan.events), scan.head
        self._guard = threading.RLock()
        self._broken = False
        self._unsure = False  # True from before a write until what is kept of it is kept

    @classmethod
    def create(cls, path: Path) -> Journal:
        """Start a journal in an existing folder. Raises RecordError if the file is there already."""
        try:
            handle = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_EXCL, 0o644)
        except OSError as error:
            raise RecordError(f"{path}: no journal can be started: {error.strerror}") from error
        _lock(handle, path)
        os.fsync(handle)
        sync_folder(path.parent)
        return cls(path, handle, _Scan((), FIRST, 0, 0))

    @classmethod
    def open(cls, path: Path) -> Journal:
        """Continue a journal: replay it, check the chain, drop a torn tail and journal that.

        Raises RecordError for damage anywhere else, for a torn tail behind the sealing, and if another
        process is writing.
        """
        try:
            handle = os.open(path, os.O_WRONLY | os.O_APPEND)
        except OSError as error:
            raise RecordError(f"{path}: no journal can be opened: {error.strerror}") from error
        _lock(handle, path)
        try:
            content = _read(path)
            scan = _scan(content)
            if scan.torn:
                fresh, scan = _repaired(path, content, scan)
                os.close(handle)
                handle = fresh
        except RecordError:
            os.close(handle)
            raise
        return cls(path, handle, scan)

    @property
    def events(self) -> tuple[Event, ...]:
        """Everything journalled so far, in order. Raises RecordError as `append` does for a damaged file."""
        with self._guard:
            self._catch_up()
            return tuple(self._events)

    @property
    def head(self) -> str:
        """SHA-256 (hex) of the last line's bytes; FIRST while there is none."""
        with self._guard:
            self._catch_up()
            return self._head

    @property
    def sealing(self) -> bool:
        """True once SEALING stands in it: nothing may follow."""
        with self._guard:
            self._catch_up()
            return bool(self._events) and self._events[-1].kind is EventKind.SEALING

    def append(self, kind: EventKind, data: Mapping[str, Any]) -> Event:
        """Write one event and return when it is on the disk.

        data: JSON values only (ValueError otherwise). Raises RecordError after SEALING, after close, or
        when the disk refuses; a journal whose write failed takes no more, since its tail may be torn.
        """
        with self._guard:
            if self._broken or self._handle < 0:
                raise RecordError(f"{self._path}: the journal is closed")
            if self.sealing:
                raise RecordError(f"{self._path}: the record is sealed, nothing may be added")
            # Through JSON and back, so that what is kept in memory is what a replay gives.
            plain: dict[str, Any] = json.loads(canonical(dict(data)))
            event = Event(len(self._events), time.time_ns(), kind, plain, self._head)
            line = event.line()
            self._unsure = True
            try:
                _write(self._handle, line)
            except OSError as error:
                self._broken = True
                raise RecordError(f"{self._path}: the journal cannot be written: {error.strerror}") from error
            self._events.append(event)
            self._head = hashlib.sha256(line).hexdigest()
            self._unsure = False
            return event

    def _catch_up(self) -> None:
        """After Ctrl-C within a write, ask the file how much of the line is there: memory cannot know it.

        Without this the next line would not follow the one before it. A torn line is dropped and journalled,
        as by `open`. Raises RecordError for damage anywhere else.
        """
        if not self._unsure or self._broken or self._handle < 0:
            return
        content = _read(self._path)
        scan = _scan(content)
        if scan.torn:
            fresh, scan = _repaired(self._path, content, scan)
            os.close(self._handle)
            self._handle = fresh
        self._events, self._head = list(scan.events), scan.head
        self._unsure = False

    def close(self) -> None:
        """Release the file and its lock. Twice is harmless."""
        with self._guard:
            if self._handle >= 0:
                os.close(self._handle)
                self._handle = -1

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def _write(handle: int, line: bytes) -> None:
    rest = memoryview(line)
    while rest:
        rest = rest[os.write(handle, rest) :]
    os.fsync(handle)


def _lock(handle: int, path: Path) -> None:
    """Take the writer's lock, or close the file and say who has it."""
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        os.close(handle)
        raise RecordError(f"{path}: another process is writing this journal") from error


def _repaired(path: Path, content: bytes, scan: _Scan) -> tuple[int, _Scan]:
    """Replace the file by one without the torn tail that says so. One rename, so that a kill in between
    loses nothing; the new file is locked before it takes the name. Returns its handle and scan."""
    if scan.events and scan.events[-1].kind is EventKind.SEALING:
        raise RecordError(f"{path}: {scan.torn} bytes follow the sealing of the record")
    dropped = {"dropped_bytes": scan.torn}
    event = Event(len(scan.events), time.time_ns(), EventKind.REPAIRED, dropped, scan.head)
    line = event.line()
    partial = path.with_name(f".{path.name}.partial")
    try:
        fresh = os.open(partial, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_TRUNC, 0o644)
        _lock(fresh, path)
        _write(fresh, content[: scan.good] + line)
        partial.replace(path)
        sync_folder(path.parent)
    except OSError as error:
        raise RecordError(f"{path}: the torn end cannot be repaired: {error.strerror}") from error
    head = hashlib.sha256(line).hexdigest()
    return fresh, _Scan((*scan.events, event), head, scan.good + len(line), 0)
