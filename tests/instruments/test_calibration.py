"""Certificates: corrections between points, uncertainty by the larger neighbour, refused outside the range."""

from __future__ import annotations

import math
from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from instruments.calibration import Calibration, find_certificate
from standards.errors import CalibrationExpired, InstrumentError

BASE: dict[str, Any] = {
    "number": "C1", "laboratory": "L", "quantity": "illuminance", "unit": "lx",
    "issued": date(2026, 1, 10), "due": date(2027, 1, 9),
}  # fmt: skip
POINTS = [(100.0, 2.0, 4.0, 2.0), (500.0, -5.0, 10.0, 2.0), (1000.0, -8.0, 12.0, 3.0)]


def _certificate(**more: Any) -> Calibration:
    return Calibration.model_validate({**BASE, **more})


def test_a_correction_is_added_and_lies_on_the_line() -> None:
    one = _certificate(gives="correction", points=POINTS)
    assert one.corrected(500.0) == (495.0, 5.0), "at a point its own uncertainty"
    value, u = one.corrected(300.0)
    assert value == pytest.approx(300.0 - 1.5)
    assert u == 5.0, "between two points the larger: 5 lx, not 2 lx"
    assert one.corrected(1000.0) == (992.0, 4.0)


def test_a_true_value_takes_the_readings_place() -> None:
    one = _certificate(gives="true_value", points=[(0.0, 0.1, 0.02, 2.0), (2.0, 2.05, 0.04, 2.0)])
    value, u = one.corrected(1.0)
    assert value == pytest.approx(1.075) and u == 0.02


@pytest.mark.parametrize("reading", [99.9, 1000.1, math.nan])
def test_outside_the_range_nothing_is_known(reading: float) -> None:
    with pytest.raises(InstrumentError, match=r"C1 of L.*outside its range, 100 to 1000.*Mend"):
        _certificate(gives="correction", points=POINTS).corrected(reading)


def test_a_stated_range_is_narrower_than_the_points() -> None:
    one = _certificate(gives="correction", points=POINTS, range=(200.0, 800.0))
    assert one.limits == (200.0, 800.0)
    with pytest.raises(InstrumentError, match="200 to 800"):
        one.corrected(150.0)


def test_one_point_counts_over_its_range() -> None:
    one = _certificate(gives="correction", points=[(500.0, -5.0, 10.0, 2.0)], range=(400.0, 600.0))
    assert one.corrected(420.0) == (415.0, 5.0) and one.corrected(580.0) == (575.0, 5.0)


def test_drift_is_rectangular() -> None:
    one = _certificate(value=0.0019, expanded_uncertainty=0.0006, unit="s", drift=0.0003)
    assert one.standard_uncertainty == pytest.approx(math.hypot(0.0003, 0.0003 / math.sqrt(3)))
    table = _certificate(gives="correction", points=POINTS, drift=3.0)
    assert table.corrected(100.0)[1] == pytest.approx(math.hypot(2.0, math.sqrt(3.0)))


def test_one_value_corrects_no_reading_and_a_table_is_no_value() -> None:
    with pytest.raises(InstrumentError, match="corrects no reading"):
        _certificate(value=500.0, expanded_uncertainty=5.0).corrected(500.0)
    with pytest.raises(InstrumentError, match="is a table"):
        _ = _certificate(gives="correction", points=POINTS).standard_uncertainty


def test_a_curve_over_another_argument() -> None:
    one = _certificate(
        quantity="mtf", unit="1", gives="true_value", argument="frequency", argument_unit="1/mm",
        points=[(0.0, 1.0, 0.01, 2.0), (4.0, 0.8, 0.02, 2.0)],
    )  # fmt: skip
    assert one.corrected(2.0) == (pytest.approx(0.9), 0.01)
    with pytest.raises(InstrumentError, match="frequency 5 1/mm lies outside"):
        one.corrected(5.0)


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({}, "value and expanded_uncertainty, or points"),
        ({"value": 1.0}, "value and expanded_uncertainty, or points"),
        ({"value": 1.0, "expanded_uncertainty": 1.0, "points": POINTS}, "not both"),
        ({"points": POINTS}, "gives: 'true_value' or 'correction'"),
        ({"points": POINTS[::-1], "gives": "correction"}, "must rise"),
        ({"points": POINTS[:1] * 2, "gives": "correction"}, "must rise"),
        ({"points": POINTS[:1], "gives": "correction"}, "needs the range"),
        ({"points": POINTS, "gives": "correction", "range": (0.0, 500.0)}, "beyond the points"),
        ({"points": POINTS, "gives": "correction", "argument": "frequency"}, "leave argument out"),
        ({"points": [(1.0, 2.0, 0.0, 2.0)], "gives": "correction", "range": (0.0, 5.0)}, "greater than 0"),
        ({"points": [(1.0, 2.0, 1.0)], "gives": "correction"}, "points"),
        ({"value": math.inf, "expanded_uncertainty": 1.0}, "finite"),
        ({"value": 1.0, "expanded_uncertainty": 1.0, "due": date(2026, 1, 1)}, "before issued"),
        ({"value": 1.0, "expanded_uncertainty": 1.0, "gives": "correction"}, "belong to points"),
    ],
)
def test_what_is_no_certificate(more: dict[str, Any], words: str) -> None:
    with pytest.raises(ValidationError, match=words):
        _certificate(**more)


_rows = st.lists(
    st.tuples(st.floats(-1e4, 1e4), st.floats(-10, 10), st.floats(0.01, 5), st.floats(1, 4)),
    min_size=2, max_size=8, unique_by=lambda row: round(row[0], 3),
).map(sorted)  # fmt: skip


@given(rows=_rows, share=st.floats(0, 1))
def test_between_neighbours_lies_what_they_say(
    rows: list[tuple[float, float, float, float]], share: float
) -> None:
    one = _certificate(gives="correction", points=rows)
    reading = min(rows[0][0] + share * (rows[-1][0] - rows[0][0]), rows[-1][0])
    value, u = one.corrected(reading)
    corrections = [row[1] for row in rows]
    assert min(corrections) - 1e-6 <= value - reading <= max(corrections) + 1e-6
    assert min(row[2] / row[3] for row in rows) <= u <= max(row[2] / row[3] for row in rows)
    for point in rows:
        assert one.corrected(point[0]) == (point[0] + point[1], pytest.approx(point[2] / point[3]))


def test_the_certificate_whose_range_holds_the_reading() -> None:
    low = _certificate(number="low", gives="correction", points=POINTS[:2])
    high = _certificate(
        number="high", gives="correction", points=[(600.0, 1.0, 1.0, 2.0), (9000.0, 2.0, 1.0, 2.0)]
    )
    assert find_certificate([low, high], "illuminance", 700.0) is high
    assert find_certificate([low, high], "illuminance", 300.0) is low
    assert find_certificate([low, high], "illuminance", 1e6) is low, "and it then refuses"
    assert find_certificate([low], "voltage") is None


def test_days() -> None:
    one = _certificate(value=1.0, expanded_uncertainty=1.0)
    one.check(one.issued, "lamp")
    one.check(one.due, "lamp")
    with pytest.raises(CalibrationExpired, match="Mend"):
        one.check(one.due + timedelta(days=1), "lamp")
    with pytest.raises(CalibrationExpired, match="Mend"):
        one.check(one.issued - timedelta(days=1), "lamp")
    assert one.ends_soon(one.due) and one.ends_soon(one.due - timedelta(days=29))
    assert not one.ends_soon(one.due - timedelta(days=30)) and not one.ends_soon(one.due + timedelta(days=1))
