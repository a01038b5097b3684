"""Evidence: the bytes behind every value, stored once under the name of their own digest."""

from __future__ import annotations

import hashlib
import os
import re
import uuid
from collections.abc import Iterator
from pathlib import Path

from reports.folder import OBJECTS, file_digest, sync_folder
from standards.errors import RecordError

__all__ = ["Evidence"]

_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")


class Evidence:
    """The objects of one run folder: ``objects/sha256/ab/cdef…``."""

    def __init__(self, folder: Path) -> None:
        """folder: the run's folder; nothing is created before the first `put`."""
        self._root = folder / OBJECTS
        self._partial = self._root / "partial"

    def path(self, digest: str) -> Path:
        """Where an object lies, present or not. Raises RecordError if it is no 'sha256:…' digest."""
        if not _DIGEST.fullmatch(digest):
            raise RecordError(f"not an evidence digest: {digest[:80]!r}")
        name = digest.removeprefix("sha256:")
        return self._root / "sha256" / name[:2] / name[2:]

    def put(self, content: bytes) -> str:
        """Store bytes durably and return their digest. Storing the same again changes nothing.

        Raises RecordError if an object of that name is there with other bytes, or the disk refuses.
        """
        digest = f"sha256:{hashlib.sha256(content).hexdigest()}"
        path = self.path(digest)
        try:
            if path.exists():
                self._check(digest)
                return digest
            self._partial.mkdir(parents=True, exist_ok=True)
            path.parent.mkdir(parents=True, exist_ok=True)
            partial = self._partial / uuid.uuid4().hex
            with partial.open("xb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            partial.replace(path)
            for folder in (path.parent, path.parent.parent, self._root, self._root.parent):
                sync_folder(folder)
        except OSError as error:
            raise RecordError(f"{path}: evidence cannot be stored: {error.strerror}") from error
        return digest

    def get(self, digest: str) -> bytes:
        """The bytes of an object. Raises RecordError if it is missing or was altered."""
        path = self.path(digest)
        try:
            content = path.read_bytes()
        except OSError as error:
            raise RecordError(f"{digest}: evidence is missing") from error
        if f"sha256:{hashlib.sha256(content).hexdigest()}" != digest:
            raise RecordError(f"{digest}: evidence was altered")
        return content

    def files(self) -> Iterator[Path]:
        """Every finished object, in the order of their digests."""
        yield from sorted(path for path in (self._root / "sha256").rglob("*") if path.is_file())

    def verify(self) -> list[tuple[Path, str]]:
        """Objects whose bytes do not fit their name, each with what is wrong."""
        wrong = []
        for path in self.files():
            digest = f"sha256:{path.parent.name}{path.name}"
            if not _DIGEST.fullmatch(digest) or self.path(digest) != path:
                wrong.append((path, "not an evidence object"))
            elif file_digest(path)[0] != digest.removeprefix("sha256:"):
                wrong.append((path, "evidence was altered: its bytes do not fit its name"))
        return wrong

    def clear_partial(self) -> None:
        """Remove what a killed `put` left behind."""
        if self._partial.is_dir():
            for path in self._partial.iterdir():
                path.unlink()
            self._partial.rmdir()

    def _check(self, digest: str) -> None:
        if file_digest(self.path(digest))[0] != digest.removeprefix("sha256:"):
            raise RecordError(f"{digest}: evidence was altered")
