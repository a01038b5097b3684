"""Limits in other units than their quantity's."""

from __future__ import annotations

from decimal import Decimal

import pint
import pytest
from hypothesis import given
from hypothesis import strategies as st

from standards import units


@given(st.decimals("-1e9", "1e9", places=3), st.sampled_from(sorted(units._DECADES)))
def test_the_powers_of_ten_are_those_of_pint(value: Decimal, pair: tuple[str, str]) -> None:
    registry: pint.UnitRegistry[Decimal] = units._units()
    theirs = Decimal(registry.Quantity(value, registry.Unit(pair[0])).to(registry.Unit(pair[1])).magnitude)
    assert units.converted(value, *pair) == theirs


def test_the_digits_that_a_text_writes_are_kept() -> None:
    assert str(units.converted(Decimal("200"), "ms", "s")) == "0.200"


def test_other_units_go_through_pint() -> None:
    assert units.converted(Decimal("2"), "min", "s") == 120
    assert units.converted(Decimal("7"), "TVL", "TVL") == 7
    for written, why in (("kg", "Cannot convert"), ("year", "write calendar_month"), ("furlongs per", ".")):
        with pytest.raises(ValueError, match=why):
            units.converted(Decimal(1), written, "s")
