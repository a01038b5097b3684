"""The day it is, for editions, certificates and documents: Beijing's, wherever the bench stands."""

from __future__ import annotations

from datetime import date, datetime

from reports.found import BEIJING

__all__ = ["beijing_today"]


def beijing_today() -> date:
    """Today's date in Beijing, the one that the documents bear."""
    return datetime.now(BEIJING).date()
