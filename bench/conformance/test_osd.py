"""Text in the picture: date and time, how far they are off, and the camera's label."""

from __future__ import annotations

from bench.judge import Judge
from bench.live import Live
from bench.measure.osd import osd_time_offset, shows_label, shows_time
from bench.procedures import requirement
from standards.errors import MeasurementRefused

#: A picture comes so much later than its text was drawn at most, seconds: latency of more is judged by clauses of its own.
_LATENCY_S = 0.5


@requirement("recording.shows_time", "picture.osd_time_offset")
def test_osd_time(live: Live, judge: Judge) -> None:
    """Date and time in the main stream, which is what a recorder of it keeps (GB 50395-2007, 5.0.7(3)), and how far they are
    off the bench's clock."""
    readings, times = live.osd
    judge(shows_time(readings))
    zone = live.osd_declared.utc_offset_min
    judge(osd_time_offset(readings, times, utc_offset_min=zone, delay_most=_LATENCY_S))


@requirement("recording.shows_identity")
def test_osd_label(live: Live, judge: Judge) -> None:
    """The camera's label in the main stream, as declared (GB 50395-2007, 5.0.7(3))."""
    label = live.osd_declared.label
    if label is None:
        raise MeasurementRefused('no label is declared: write label = "..." under [osd] of the declaration')
    judge(shows_label(live.osd[0], label))
