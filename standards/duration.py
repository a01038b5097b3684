"""Durations as a law counts them: calendar days, months and years, and a history that is still too short. Pure.

30 days are 30 dates; 2 years and 6 months end on the same day of the month (the last one where the month is
shorter). Nothing here asks what day it is.
"""

from __future__ import annotations

import calendar
from datetime import date
from typing import Literal

from standards.quantity import Bound, Estimate, Kind

__all__ = ["IMMATURE", "Unit", "elapsed", "later", "retention"]

Unit = Literal["d", "calendar_month", "calendar_year"]
_MONTHS = {"calendar_month": 1, "calendar_year": 12}
#: Why a short history is no verdict: nothing has been deleted yet, so nothing can have been deleted too early.
IMMATURE = "not yet mature: nothing recorded has been deleted yet"


def later(day: date, months: int) -> date:
    """The same day so many calendar months later; the month's last day where it has no such day."""
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    return date(year, month + 1, min(day.day, calendar.monthrange(year, month + 1)[1]))


def elapsed(start: date, end: date, unit: Unit) -> float:
    """Calendar units from start to end, whole ones and the part of the one begun.

    Raises ValueError if the end comes before the start.
    """
    if end < start:
        raise ValueError(f"{end} comes before {start}")
    if unit == "d":
        return float((end - start).days)
    step = _MONTHS[unit]
    whole = ((end.year - start.year) * 12 + end.month - start.month) // step
    if later(start, whole * step) > end:
        whole -= 1
    reached, following = later(start, whole * step), later(start, (whole + 1) * step)
    return whole + (end - reached).days / (following - reached).days


def retention(quantity: str, *, oldest: date, started: date, today: date, unit: Unit) -> Estimate:
    """How long recordings are kept, from the oldest one that can still be fetched.

    started: the day recording began. Where the oldest recording is of that day nothing has been deleted: the
    value is then a lower bound, which may meet a lower limit and is else *not yet mature*, never a failure.
    Raises ValueError for days out of order.
    """
    if oldest < started:
        raise ValueError(f"the oldest recording is of {oldest}, before recording began on {started}")
    young = oldest == started
    return Estimate(
        quantity=quantity,
        kind=Kind.RATIO,
        value=elapsed(oldest, today, unit),
        unit=unit,
        exact=True,
        bound=Bound.LOWER if young else None,
        bound_reason=IMMATURE if young else "",
    )
