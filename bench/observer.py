"""Who watches a run: the live table, or nobody."""

from __future__ import annotations

from contextlib import AbstractContextManager
from typing import Any, Protocol

from reports.record import EventKind

__all__ = ["Observer"]


class Observer(Protocol):
    """Somebody who watches a run: the live table, or nobody."""

    def event(self, kind: EventKind, data: dict[str, Any]) -> None:
        """A journal event was written."""

    def progress(self, what: str, share: float) -> None:
        """Long work goes on: what, and how much of it is done (0..1)."""

    def aside(self) -> AbstractContextManager[None]:
        """Make room on the screen while somebody is asked."""
