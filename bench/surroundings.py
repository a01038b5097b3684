"""The world around the camera as one run sets it and finds it: the station, its checks, its air; all journalled.

Before the first capture: leases, certificates, set points, interim checks. After the last judgement: the interim checks
again, then every instrument safe. A failed check before the run ends it; one after it makes the whole inconclusive,
as nobody knows since when the instrument has been wrong (ISO/IEC 17025:2017, 6.4.9, 6.4.10).
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from bench.calendar_day import beijing_today
from bench.observer import Observer
from instruments.lease import Lease, take_all
from instruments.manual import Answer, Operator
from instruments.station import Station
from reports.record import EventKind
from standards.errors import CamcertError, CheckFailed

__all__ = ["Surroundings"]

_Append = Callable[[EventKind, dict[str, Any]], None]


class Surroundings:
    """The station of one run. station: opened by open(), None before and after."""

    def __init__(
        self,
        file: Path | None,
        *,
        run: Path,
        append: _Append,
        operator: Operator | None = None,
        observer: Observer | None = None,
    ) -> None:
        """file: the station file, None for a bench without instruments; append: writes the journal."""
        self._file, self._run, self._append = file, run, append
        self._operator = _Journalled(operator, append, observer) if operator is not None else None
        self.station: Station | None = None
        self._stack = ExitStack()
        self._checked = False

    def open(self, camera: Lease) -> None:
        """Take the camera's lease, open the station, set it up, check it.

        Raises UsageError, BenchError; what is open then is left to close().
        """
        for note in take_all([camera], self._stack):
            self._append(EventKind.NOTE, {"text": note})
        if self._file is None:
            return
        self.station = Station.open(
            self._file, run=str(self._run.resolve()), operator=self._operator, report=self._fault
        )
        for text in self.station.notes:
            self._append(EventKind.NOTE, {"text": text})
        self.station.check(beijing_today())
        for text in self.station.set_up():
            self._append(EventKind.NOTE, {"text": text})
        failed = self._interim("start")
        if failed:
            raise CheckFailed("; ".join(failed))
        self._checked = True

    def air(self) -> list[dict[str, Any]]:
        """Temperature and humidity now, as JSON values. Raises CheckFailed outside the laboratory's limits."""
        return [reading.facts() for reading in self.station.air()] if self.station is not None else []

    def _interim(self, when: str) -> list[str]:
        """Do the interim checks and journal them. Returns the failed ones in words, with their mends."""
        assert self.station is not None
        failed = []
        for result in self.station.interim_checks():
            self._append(EventKind.CHECKED, {"when": when, **result.facts()})
            if not result.ok:
                failed.append(
                    f"interim check failed: {result.text}" + (f". Mend: {result.mend}" if result.mend else "")
                )
        return failed

    def check_again(self) -> None:
        """The interim checks after the run, if those before it were passed. Failed ones are journalled as faults."""
        if self.station is None or not self._checked:
            return
        self._checked = False
        try:
            failed = self._interim("end")
        except CamcertError as error:
            failed = [f"interim check failed: {error}"]
        for text in failed:
            self._fault(text)

    def close(self) -> None:
        """Leave every instrument safe and closed, and give the camera's lease back. Twice is harmless."""
        station, self.station = self.station, None
        try:
            if station is not None:
                station.close()
        finally:
            self._stack.close()

    def _fault(self, text: str) -> None:
        try:
            self._append(EventKind.FAULT, {"whose": "bench", "text": text})
        except CamcertError:  # the journal is closed or broken: then at least whoever stands there shall know
            sys.stderr.write(f"bench fault: {text}\n")


class _Journalled:
    """An operator whose every question is journalled before it is asked; the live table makes room for it."""

    def __init__(self, operator: Operator, append: _Append, observer: Observer | None) -> None:
        self._operator, self._append, self._observer = operator, append, observer

    def ask(self, question: str, refuse: Callable[[str], str] = lambda text: "") -> Answer:
        self._append(EventKind.NOTE, {"text": f"asked the operator: {question}"})
        if self._observer is None:
            return self._operator.ask(question, refuse)
        with self._observer.aside():
            return self._operator.ask(question, refuse)

    def tell(self, text: str) -> None:
        if self._observer is None:
            self._operator.tell(text)
            return
        with self._observer.aside():
            self._operator.tell(text)
