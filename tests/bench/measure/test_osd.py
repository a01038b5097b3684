"""The text in the picture: what is drawn is read, what is not certain is not; the offset lies within its bounds."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from bench.measure.osd import Reading, Readings, osd_time_offset, read_osd, shows_label, shows_time, times_in
from bench.measure.osd_reader import Box, TextLine, rows_of
from standards.errors import MeasurementRefused

NOON = 1_795_780_800  # 2026-11-27 12:00:00 as shown
BOX = Box(20, 40, 300, 30)


def picture(*texts: str) -> NDArray[np.uint8]:
    """A grey picture with lines of 22 pixels' digits."""
    found = np.full((60 + 60 * len(texts), 480), 90, np.uint8)
    for row, text in enumerate(texts):
        cv2.putText(found, text, (20, 70 + 60 * row), (235,), cv2.FontFace("uni"), 30, 400)
    return found


def readings(*texts: str, score: float = 0.99, layout: str | None = None) -> Readings:
    """What is made of a text a picture, by a reader that reads it so."""
    pictures = [np.full((9, 9), n, np.uint8) for n in range(len(texts))]

    def line(luma: NDArray[np.uint8], box: Box = BOX) -> TextLine:
        return TextLine(texts[int(luma[0, 0])], score, box)

    return read_osd(pictures, layout, lines=lambda luma: (line(luma),), text=line)


def test_time_and_label_are_read_in_drawn_pictures() -> None:
    found = read_osd([picture(f"2026-11-27 星期五 12:00:0{n}", "渝北001 南大门") for n in range(3)])
    assert [one and one.shown for one in found.times] == [NOON, NOON + 1, NOON + 2]
    assert shows_time(found).value is True and shows_time(found).details["layout"] == "yyyy-mm-dd"
    assert shows_label(found, "渝北001南大门").value is True
    for other in ("渝北007南大门", "Gate 12", "渝北00"):
        with pytest.raises(MeasurementRefused, match="was not read in the picture"):
            shows_label(found, other)


def test_a_picture_without_text_shows_none() -> None:
    found = read_osd([np.full((120, 480), 90, np.uint8)])
    assert found.lines == ((),)
    with pytest.raises(MeasurementRefused, match="no date with a time was read"):
        shows_time(found)
    with pytest.raises(MeasurementRefused, match="was not read in the picture"):
        shows_label(found, "Gate 3")
    with pytest.raises(MeasurementRefused, match="no whole picture"):
        read_osd([])
    with pytest.raises(MeasurementRefused, match="3000 x 20"):
        read_osd([np.zeros((20, 3000), np.uint8)])


@pytest.mark.parametrize(
    ("text", "layout", "second"),
    [
        ("2026-11-27 12:00:00", "yyyy-mm-dd", 0),
        ("CAM 7 2026/11/27 Fri 12:00:05 Gate 3", "yyyy/mm/dd", 5),
        ("2026年11月27日 星期五 12：00：00", "yyyy年mm月dd日", 0),
        ("27/11/2026 12:00:00 PM", "dd/mm/yyyy", 0),
        ("2026.11.2712:00:09.250", "yyyy.mm.dd", 9),
        ("11-27-2026 00:00:00", "mm-dd-yyyy", -43200),
        ("2026–11–27 上午 12:00:00", "yyyy-mm-dd", -43200),
        ("2026-11-27 下午 03:11:12", "yyyy-mm-dd", 11472),
        ("2026年11月27日 星期五 晚上08:00:00", "yyyy年mm月dd日", 28800),
        ("27-11-2026 10:00:00 P.M.", "dd-mm-yyyy", 36000),
        ("2026-11-27 CAM 15:00:00", "yyyy-mm-dd", 10800),
    ],
)
def test_layouts_of_date_and_time(text: str, layout: str, second: int) -> None:
    assert times_in(text) == {layout: NOON + second}


@pytest.mark.parametrize(
    "text",
    ["2026-11-27 12:00:73", "2026-13-27 12:00:00", "12026-11-27 12:00:00", "2026-11-27", "12:00:00",
     "2026-11-27 13:00:00 PM", "2026-11-27 12:00:00:7", "2026-11-27 12:00:00 2026-11-27 12:00:00"],
)  # fmt: skip
def test_what_is_no_time_is_not_taken_for_one(text: str) -> None:
    assert times_in(text) == {}


def test_a_date_that_may_be_meant_in_two_ways_needs_a_layout() -> None:
    assert readings("27/11/2026 12:00:00").layout == "dd/mm/yyyy"
    both = readings(*(f"03/04/2026 12:00:0{n}" for n in range(4)))
    assert shows_time(both).value is True
    with pytest.raises(MeasurementRefused, match="dd/mm/yyyy or mm/dd/yyyy"):
        osd_time_offset(both, [NOON + n for n in range(4)])
    assert not readings("05/05/2026 12:00:00").ambiguous
    assert readings("03/04/2026 12:00:00", layout="mm/dd/yyyy").layout == "mm/dd/yyyy"
    # One misread picture does not make a date ambiguous that the others settle.
    assert (
        readings("27/11/2026 12:00:00", "07/11/2026 12:00:00", "27/11/2026 12:00:01").layout == "dd/mm/yyyy"
    )


def test_what_is_not_made_out_or_does_not_run_is_for_an_eye() -> None:
    for texts in (["2O26-I1-27 12:00:00"] * 3, ["2026-11-27 12:00:00"] * 3):
        with pytest.raises(MeasurementRefused, match=r"no date|does not run"):
            shows_time(readings(*texts))
    with pytest.raises(MeasurementRefused, match="no date"):
        shows_time(readings(*(f"2026-11-27 12:00:0{n}" for n in range(3)), score=0.5))


def test_a_time_that_runs_goes_before_a_poster() -> None:
    def lines(luma: NDArray[np.uint8]) -> tuple[TextLine, ...]:
        poster = TextLine("2020-01-01 10:00:00", 0.99, Box(10, 5, 200, 20))
        return poster, TextLine(f"2026-11-27 12:00:0{luma[0, 0]}", 0.99, BOX)

    def text(luma: NDArray[np.uint8], box: Box) -> TextLine:
        return next(line for line in lines(luma) if line.box == box)

    found = read_osd([np.full((9, 9), n, np.uint8) for n in range(3)], lines=lines, text=text)
    assert [one and one.shown for one in found.times] == [NOON, NOON + 1, NOON + 2]


@pytest.mark.parametrize(
    ("shown", "label", "held"),
    [
        ("2026-11-27 12:00:00 Gate 3", "GATE3", True), ("2026-11-27 12:00:00Gate 3", "Gate 3", True),
        ("2026-11-27 南大门 12:00:00", "南大门", True), ("2026-11-27 12:00:00 Gate 3", "11", False),
        ("CAM-O1", "CAM-01", True), ("CAM I1", "CAM 11", True), ("CAM l1 (north)", "CAM 11", True),
        ("GATE L01", "GATE 101", False), ("CAM 12", "CAM 1", False), ("2001", "001", False),
        ("渝北001 南大门12", "渝北001 南大门", False), ("南大门停车场入口", "南大门", False), ("a.b", "a+b", False),
    ],
)  # fmt: skip
def test_a_label_stands_alone(shown: str, label: str, held: bool) -> None:
    found = readings(*[shown] * 3)
    if held:
        assert shows_label(found, label).value is True
        with pytest.raises(MeasurementRefused, match="was not read"):
            shows_label(readings(*[shown] * 3, score=0.5), label)
    else:
        with pytest.raises(MeasurementRefused, match="was not read"):
            shows_label(found, label)
    with pytest.raises(MeasurementRefused, match="is empty"):
        shows_label(found, "  ")


def test_pieces_of_a_row_are_one_line() -> None:
    date, time, far, below = (20, 40, 120, 60), (118, 41, 200, 61), (400, 40, 460, 60), (20, 80, 90, 100)
    assert rows_of([time, below, date, far]) == [
        Box(18, 38, 184, 25), Box(398, 38, 64, 24), Box(18, 78, 74, 24)
    ]  # fmt: skip


def shown(offset: float, times: list[float]) -> Readings:
    """Readings of a clock ahead by so much."""
    return Readings(
        tuple(Reading(int(np.floor(t + offset)) + 28800, 0.99, 20) for t in times), (), "yyyy-mm-dd"
    )


@settings(max_examples=60, deadline=None)
@given(st.floats(-5000, 5000), st.floats(0, 1), st.integers(12, 25), st.integers(-10000, 10000))
def test_the_offset_lies_within_its_bounds_and_shifts_with_the_clock(
    offset: float, phase: float, count: int, shift: int
) -> None:
    times = [NOON + phase + 0.1 * n for n in range(count)]
    found = osd_time_offset(shown(offset, times), times)
    # Doubles of a time of day hold a quarter of a microsecond.
    half = np.sqrt(3) * found.budget[0].u + 1e-5
    assert abs(float(found.value) - offset) <= half <= 0.5 + 2e-5
    moved = osd_time_offset(shown(offset + shift, times), times)
    assert float(moved.value) - float(found.value) == pytest.approx(
        shift, abs=1e-5 + 2 * half * (half > 0.49)
    )


def test_one_misread_picture_is_outvoted() -> None:
    times = [NOON + 0.1 * n for n in range(12)]
    right = shown(0.3, times)
    wrong = Readings((Reading(NOON + 36000, 0.9, 20), *right.times[1:]), (), "yyyy-mm-dd")
    found = osd_time_offset(wrong, times)
    assert abs(float(found.value) - 0.3) < 0.11 and found.details["agree"] == 11


@pytest.mark.parametrize("rate", [0.0, 0.6, 1.4])
def test_a_clock_that_runs_wrongly_is_refused(rate: float) -> None:
    times = [NOON + 0.08 * n for n in range(30)]
    wrong = Readings(
        tuple(Reading(int(NOON + 0.3 + rate * 0.08 * n) + 28800, 0.99, 20) for n in range(30)),
        (),
        "yyyy-mm-dd",
    )
    with pytest.raises(MeasurementRefused, match="does not follow"):
        osd_time_offset(wrong, times)


def test_a_clock_that_is_set_meanwhile_is_refused() -> None:
    times = [NOON + 0.08 * n for n in range(30)]
    early, late = shown(0.2, times).times, shown(3600.2, times).times
    with pytest.raises(MeasurementRefused, match="20 of 30 agree"):
        osd_time_offset(Readings((*early[:20], *late[20:]), (), "yyyy-mm-dd"), times)


def test_a_time_that_stands_still_or_is_not_read_is_refused() -> None:
    times = [NOON + 0.5 * n for n in range(12)]
    still = Readings((shown(0.0, times).times[0],) * 12, (), "yyyy-mm-dd")
    with pytest.raises(MeasurementRefused, match="does not follow"):
        osd_time_offset(still, times)
    few = Readings((*shown(0.0, times).times[:2], *(None,) * 10), (), "yyyy-mm-dd")
    with pytest.raises(MeasurementRefused, match="read in 2 of 12"):
        osd_time_offset(few, times)
