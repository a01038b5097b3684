"""What a conformance test calls with what it found."""

from __future__ import annotations

from typing import Protocol

from standards.quantity import Estimate, Origin

__all__ = ["Journals", "Judge"]


class Journals(Protocol):
    """A run that journals estimates as findings."""

    def measured(
        self, estimate: Estimate, origin: Origin | None = None, evidence: tuple[str, ...] | None = None
    ) -> None:
        """Journal one estimate; without origin and evidence it is about the run's live capture."""


class Judge:
    """What a conformance test calls with its estimates: ``judge(estimate, …)``."""

    def __init__(self, session: Journals) -> None:
        self._session = session

    def __call__(self, *estimates: Estimate) -> None:
        """Journal the estimates as findings about the run's subject."""
        for estimate in estimates:
            self._session.measured(estimate)

    def about(self, evidence: tuple[str, ...], *estimates: Estimate) -> None:
        """Journal estimates from captures of their own, with the digests of these."""
        for estimate in estimates:
            self._session.measured(estimate, None, evidence)

    def typed(self, estimate: Estimate, evidence: tuple[str, ...]) -> None:
        """Journal what a person read off a document, with the digest of the document."""
        self._session.measured(estimate, Origin.TYPED, evidence)
