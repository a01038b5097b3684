"""The person at the station: asked on the terminal now; a page can answer the same questions later.

The terminal is opened by its own name, as a run's standard streams may be captured or redirected.
"""

from __future__ import annotations

import getpass
import os
import select
import time
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime

from instruments.manual import Answer
from standards.errors import InstrumentError

__all__ = ["Terminal", "terminal_operator"]

_PATIENCE_S = 1800.0
_LONGEST = 400  # bytes of an answer
_MOST_TRIES = 10


class Terminal:
    """The operator at a terminal. Who it is, is asked once."""

    def __init__(self, path: str = "/dev/tty", *, patience_s: float = _PATIENCE_S) -> None:
        """patience_s: how long an answer is waited for."""
        self._path, self._patience_s = path, patience_s
        self._who = ""

    def ask(self, question: str, refuse: Callable[[str], str] = lambda text: "") -> Answer:
        """Ask until the answer is not refused. Raises InstrumentError if nobody answers, or never well."""
        with self._opened() as line:
            if not self._who:
                user = _user()
                self._who = line.answer(f"Who is at the station? [{user}]") or user
            for _ in range(_MOST_TRIES):
                text = line.answer(question)
                against = refuse(text) if text else "an answer is needed"
                if not against:
                    return Answer(text, self._who, datetime.now(UTC).astimezone())
                line.write(f"  {against}\n")
        raise InstrumentError(f"no usable answer to {question!r} in {_MOST_TRIES} tries. Mend: run again")

    def tell(self, text: str) -> None:
        """Write a line; silent where the terminal is gone."""
        with suppress(InstrumentError, OSError), self._opened() as line:
            line.write(f"operator: {text}\n")

    def _opened(self) -> _Line:
        try:
            return _Line(os.open(self._path, os.O_RDWR | os.O_NOCTTY), self._patience_s)
        except OSError as error:
            raise InstrumentError(
                f"the operator cannot be asked: {self._path} cannot be opened ({error.strerror}). Mend: run in a "
                "terminal, or give the manual role a readings.csv as its address"
            ) from None


class _Line:
    """An open terminal: whole lines in and out, within a time."""

    def __init__(self, handle: int, patience_s: float) -> None:
        self._handle, self._patience_s = handle, patience_s

    def write(self, text: str) -> None:
        os.write(self._handle, text.encode())

    def answer(self, question: str) -> str:
        """One line, stripped. Raises InstrumentError at the end of input, when time is over, or for a line too long."""
        self.write(f"{question}: ")
        deadline, data = time.monotonic() + self._patience_s, b""
        while not data.endswith(b"\n"):
            ready, _, _ = select.select([self._handle], [], [], max(0.0, deadline - time.monotonic()))
            piece = os.read(self._handle, 256) if ready else b""
            if not piece or len(data) > _LONGEST:
                why = "nobody answered in time" if not ready else "the terminal gave no usable line"
                raise InstrumentError(f"{question}: {why}. Mend: be there, then run again")
            data += piece
        return data.decode("utf-8", "replace").strip()

    def __enter__(self) -> _Line:
        return self

    def __exit__(self, *exc: object) -> None:
        os.close(self._handle)


def _user() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError):
        return str(os.getuid())


def terminal_operator() -> Terminal | None:
    """The operator at this process's terminal; None where there is none."""
    try:
        os.close(os.open("/dev/tty", os.O_RDWR | os.O_NOCTTY))
    except OSError:
        return None
    return Terminal()
