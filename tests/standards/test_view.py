"""A declared reference picture and privacy masks: what is refused when the file is read."""

from __future__ import annotations

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from standards.declaration import Declaration
from standards.view import MaskRegion

SQUARE = ((0.1, 0.1), (0.3, 0.1), (0.3, 0.4), (0.1, 0.4))


@settings(deadline=None, max_examples=50)
@given(st.integers(3, 64), st.floats(0.05, 0.5), st.booleans())
def test_the_area_is_that_of_the_polygon_whichever_way_it_is_gone_round(
    corners: int, radius: float, back: bool
) -> None:
    ring = [2 * math.pi * n / corners for n in range(corners)]
    points = [
        (0.5 + radius * math.cos(a), 0.5 + radius * math.sin(a)) for a in (ring[::-1] if back else ring)
    ]
    region = MaskRegion(name="a", polygon=tuple(points))
    assert region.area == pytest.approx(corners / 2 * radius**2 * math.sin(2 * math.pi / corners))


@pytest.mark.parametrize(
    ("polygon", "words"),
    [
        ((SQUARE[0], SQUARE[2], SQUARE[1], SQUARE[3]), "crosses itself"),
        (SQUARE[:2], "at least 3"),
        (((0.0, 0.0), (0.01, 0.0), (0.01, 0.01)), "covers less than"),
        ((*SQUARE[:3], (0.1, 1.2)), "less than or equal to 1"),
    ],
)
def test_a_polygon_that_is_none(polygon: tuple[tuple[float, float], ...], words: str) -> None:
    with pytest.raises(ValidationError, match=words):
        MaskRegion(name="a", polygon=polygon)


def test_a_name_stands_once() -> None:
    region = MaskRegion(name="window", polygon=SQUARE)
    with pytest.raises(ValidationError, match="'window' stands twice"):
        Declaration(privacy_mask=(region, region))
    assert Declaration(privacy_mask=(region,)).with_defaults(Declaration().camera).privacy_mask == (region,)
