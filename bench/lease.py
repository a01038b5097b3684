"""Advisory locks that the kernel drops with the process: two runs never share a camera or a directory."""

from __future__ import annotations

import fcntl
import hashlib
import os
import socket
import tempfile
from pathlib import Path

from bench.camera.address import CameraUrl
from standards.errors import UsageError

__all__ = ["lease", "lease_file"]


def lease_file(camera: CameraUrl) -> Path:
    """The lock file of one camera on this machine, whatever name, port or protocol it is reached by.

    On loopback the port belongs to it: there virtual cameras stand side by side.
    """
    try:
        address = socket.gethostbyname(camera.host)
    except (OSError, UnicodeError):
        address = camera.host
    alone = not address.startswith("127.")
    name = hashlib.sha256((address if alone else f"{address}:{camera.port}").encode()).hexdigest()[:24]
    folder = Path(tempfile.gettempdir()) / f"camcert-leases-{os.getuid()}"
    folder.mkdir(exist_ok=True, mode=0o700)
    return folder / name


class lease:
    """Context manager: holds an exclusive lock on `path`; `what` names it when somebody else has it."""

    def __init__(self, path: Path, what: str) -> None:
        self._path, self._what = path, what

    def __enter__(self) -> lease:
        self._file = self._path.open("ab")
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            self._file.close()
            raise UsageError(
                f"{self._what} is in use by another bench run: wait for it, or stop it"
            ) from None
        return self

    def __exit__(self, *exc: object) -> None:
        self._file.close()
