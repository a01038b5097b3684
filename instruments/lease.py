"""Leases: two runs never share a camera, a station, or one instrument of it.

A lease is a small file that its owner keeps locked (flock) and signed: who, where, since when, for which run, and
until when it counts. The kernel drops the lock with the last process that holds it, so a killed run leaves no lease
behind; the signature then says whose it was, and the next owner is told. Where several machines reach one instrument
they share a folder of leases ($BENCH_LEASES): another machine's lock may not reach through it, so its signature counts
until it expires. Whoever holds a lease renews it while it works.
"""

from __future__ import annotations

import fcntl
import getpass
import hashlib
import json
import os
import socket
import stat
import tempfile
import threading
import time
from collections.abc import Sequence
from contextlib import ExitStack, suppress
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType

from standards.errors import UsageError

__all__ = ["EXPIRES_S", "Lease", "Owner", "clear", "lease_folder", "lease_path", "renew", "take_all"]

#: A signature that is not renewed for so long no longer counts, seconds.
EXPIRES_S = 120.0
_LONGEST = 4096  # bytes of a signature


@dataclass(frozen=True)
class Owner:
    """Who holds a lease. since, until: seconds since 1970; run: the run's folder, '' for none."""

    user: str
    pid: int
    host: str
    since: float
    until: float
    run: str = ""
    what: str = ""

    @classmethod
    def here(cls, run: str = "", what: str = "") -> Owner:
        """This process, from now on."""
        try:
            user = getpass.getuser()
        except (OSError, KeyError):  # a user id without a name
            user = str(os.getuid())
        now = time.time()
        return cls(user, os.getpid(), socket.gethostname(), now, now + EXPIRES_S, run, what)

    def __str__(self) -> str:
        run = f", run {self.run}" if self.run else ""
        return f"{self.user}, process {self.pid} on {self.host}, since {_moment(self.since)}{run}"


def _moment(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).astimezone().strftime("%Y-%m-%d %H:%M:%S")


def lease_folder() -> Path:
    """The folder of leases: $BENCH_LEASES, else one that all users of this machine share.

    Raises UsageError if it cannot be made, or is not a folder of its own.
    """
    named = os.environ.get("BENCH_LEASES")
    folder = Path(named) if named else Path(tempfile.gettempdir()) / "camcert-leases"
    try:
        folder.mkdir(parents=True)
        folder.chmod(0o1777)
    except FileExistsError:
        pass
    except OSError as error:
        raise UsageError(f"{folder} cannot be made ({error.strerror}). Mend: set BENCH_LEASES") from None
    if not stat.S_ISDIR(folder.lstat().st_mode) and not named:
        raise UsageError(f"{folder} is no folder. Mend: remove it, or set BENCH_LEASES to a folder")
    return folder


def lease_path(*names: str) -> Path:
    """The lease file of what these names tell apart from all else."""
    return lease_folder() / hashlib.sha256("\0".join(names).encode()).hexdigest()[:24]


class Lease:
    """One lease. Use as a context manager. note: whose it was before, where that one never gave it back."""

    def __init__(self, path: Path, what: str, *, run: str = "") -> None:
        """what: its name in messages, e.g. 'the camera rtsp://…'; run: the folder of the run, for others to read."""
        self.path, self._what, self._run = path, what, run
        self._handle = -1
        self._guard = threading.Lock()
        self.note = ""

    def take(self) -> None:
        """Take it. Raises UsageError with the owner and the mend if somebody has it."""
        handle = self._open()
        try:
            self._lock(handle)
            before = _signature(handle)
            if before is not None and before.host != socket.gethostname() and before.until > time.time():
                raise UsageError(
                    f"{self._what} is in use from another machine: {before}; its lease counts until "
                    f"{_moment(before.until)}. Mend: wait for it, or stop it"
                )
            _sign(handle, Owner.here(self._run, self._what))
        except BaseException:
            os.close(handle)
            raise
        self._handle = handle
        self.note = (
            f"{self._what}: taken over from {before}, which ended without giving it back" if before else ""
        )

    def _open(self) -> int:
        try:
            try:
                return os.open(self.path, os.O_RDWR | os.O_NOFOLLOW)
            except FileNotFoundError:
                handle = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o666)
                os.fchmod(handle, 0o666)  # whatever the umask: other users must be able to wait for it
                return handle
        except OSError as error:
            raise UsageError(
                f"{self._what}: its lease {self.path} cannot be opened ({error.strerror}). Mend: set BENCH_LEASES to "
                "a folder that you may write to"
            ) from None

    def _lock(self, handle: int) -> None:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            owner = _signature(handle)
            raise UsageError(
                f"{self._what} is in use by another bench run{f' ({owner})' if owner else ''}{_after(owner)}"
            ) from None

    def fileno(self) -> int:
        """The locked file, for a process that shall hold the lease as well."""
        return self._handle

    def renew(self) -> None:
        """Say that it is still held."""
        with self._guard:
            if self._handle >= 0:
                renew(self._handle)

    def release(self) -> None:
        """Give it back. Twice is harmless."""
        with self._guard:
            handle, self._handle = self._handle, -1
            if handle >= 0:
                clear(handle)
                os.close(handle)

    def __enter__(self) -> Lease:
        self.take()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.release()


def take_all(leases: Sequence[Lease], stack: ExitStack) -> list[str]:
    """Take several, or none, and renew them until the stack gives them back. Returns the notes of take-overs."""
    with ExitStack() as taken:
        for lease in leases:
            taken.enter_context(lease)
        over = threading.Event()
        thread = threading.Thread(target=_renewing, args=(leases, over), name="leases", daemon=True)
        thread.start()
        taken.callback(thread.join)
        taken.callback(over.set)
        stack.push(taken.pop_all())
    return [lease.note for lease in leases if lease.note]


def _renewing(leases: Sequence[Lease], over: threading.Event) -> None:
    while not over.wait(EXPIRES_S / 4):
        for lease in leases:
            with suppress(OSError):
                lease.renew()


def renew(handle: int, seconds: float = EXPIRES_S) -> None:
    """Let the signature of a held lease count for so long from now."""
    owner = _signature(handle)
    if owner is not None:
        _sign(handle, replace(owner, until=time.time() + seconds))


def clear(handle: int) -> None:
    """Take the signature off a held lease: it was given back."""
    with suppress(OSError):
        os.ftruncate(handle, 0)


def _after(owner: Owner | None) -> str:
    """The mend: wait for a living owner; a dead one has left its supervisor, which needs a moment."""
    if owner is None or owner.host != socket.gethostname() or _lives(owner.pid):
        return ". Mend: wait for it, or stop it"
    return "; that process has died and its instruments are being made safe. Mend: try again in a minute"


def _lives(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True
    return True


def _signature(handle: int) -> Owner | None:
    """What the file says; None where it says nothing that can be read."""
    try:
        plain = json.loads(os.pread(handle, _LONGEST, 0))
        texts = {name: str(plain[name])[:200] for name in ("user", "host", "run", "what")}
        return Owner(pid=int(plain["pid"]), since=float(plain["since"]), until=float(plain["until"]), **texts)
    except (OSError, ValueError, KeyError, TypeError, OverflowError):
        return None


def _sign(handle: int, owner: Owner) -> None:
    text = json.dumps(asdict(owner), ensure_ascii=False).encode()
    os.pwrite(handle, text, 0)
    os.ftruncate(handle, len(text))
