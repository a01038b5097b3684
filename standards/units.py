"""Limits in other units than their quantity's: exact, with the digits that the text wrote. Pure."""

from __future__ import annotations

import re
from decimal import Decimal
from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pint

__all__ = ["converted"]

#: Units that texts write and pint lacks. Calendar months and years are no number of days: nothing converts.
_OWN_UNITS = (
    "TVL = [line_widths_a_height]",
    "calendar_month = [calendar_time]",
    "calendar_year = 12 * calendar_month",
    "CNY = [currency]",
)
#: Powers of ten that are read without pint, which takes half a second to load: what most texts write.
_DECADES = {("ms", "s"): -3, ("us", "s"): -6, ("kbit/s", "Mbit/s"): -3, ("mm", "m"): -3, ("cm", "m"): -2}


def converted(value: Decimal, written: str, wanted: str) -> Decimal:
    """value in the wanted unit, exact, still written to the same decimal place.

    Raises ValueError, saying why, where one is no unit or the two are of different kinds.
    """
    if written in ("", wanted):
        return value
    if (decades := _DECADES.get((written, wanted))) is not None:
        return value.scaleb(decades)
    if re.search(r"\b(months?|years?|yr|a)\b", written):
        raise ValueError(f"{written!r} is no number of days: write calendar_month or calendar_year")
    import pint

    try:
        units = _units()
        source, target = (units.Unit("" if unit == "1" else unit) for unit in (written, wanted))
        return Decimal(units.Quantity(value, source).to(target).magnitude)
    except (pint.PintError, ArithmeticError, AssertionError) as error:
        raise ValueError(str(error) or f"{written!r} is not a unit") from None


@cache
def _units() -> pint.UnitRegistry[Decimal]:
    """Units with exact decimal factors, so that 200 ms become 0.200 s and keep their digits."""
    import pint

    units: pint.UnitRegistry[Decimal] = pint.UnitRegistry(non_int_type=Decimal)
    for definition in _OWN_UNITS:
        units.define(definition)
    return units
