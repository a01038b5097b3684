"""Every missing, repeated, damaged picture and gap is named, none invented."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests_frames import make_frames

from bench.camera.capture import PACKET, REPORT, UNIT, Capture, FrameTable, WireEvent
from bench.measure import continuity
from bench.measure.sequence import number_pictures
from standards.quantity import Bound

Make = Callable[..., FrameTable]


def capture_of(frames: FrameTable, events: tuple[WireEvent, ...] = (), tail_s: float = 0.0) -> Capture:
    return Capture(
        url="rtsp://127.0.0.1/main",
        transport="tcp",
        codec="h264",
        clock_rate=90000,
        started_ns=int(frames.arrival[0]),
        ended_ns=int(frames.arrival[-1]) + int(tail_s * 1e9),
        packets=np.zeros(0, PACKET),
        reports=np.zeros(0, REPORT),
        units=np.zeros(0, UNIT),
        stream=b"",
        events=events,
    )


def test_a_clean_stream_is_clean(frames_of: Make) -> None:
    frames = frames_of(seconds=60, jitter_s=0.02)
    found = continuity.timeline(frames, capture_of(frames), interruption_s=1.0)
    assert continuity.completeness(found).value == 0.0
    assert continuity.interruptions(found).value == 0.0
    assert continuity.interruptions(found).observed_s == pytest.approx(60, abs=0.1)


@settings(max_examples=40, deadline=None)
@given(data=st.data())
def test_every_fault_is_named_none_invented(data: st.DataObject) -> None:
    numbers = data.draw(st.lists(st.integers(2, 740), unique=True, max_size=30))
    spaced = [n for i, n in enumerate(sorted(numbers)) if i == 0 or n - sorted(numbers)[i - 1] > 2]
    kinds = [data.draw(st.sampled_from(["drop", "repeat", "damage"])) for _ in spaced]
    of = {
        k: [n for n, kind in zip(spaced, kinds, strict=True) if kind == k]
        for k in ("drop", "repeat", "damage")
    }
    frames = make_frames(dropped=of["drop"], repeated=of["repeat"], damaged=of["damage"], seed=len(spaced))
    found = continuity.timeline(frames, capture_of(frames), interruption_s=1.0)
    assert [m.place for m in found.missing] == of["drop"]
    assert [m.place for m in found.repeated] == of["repeat"]
    assert [m.place for m in found.damaged] == of["damage"]
    assert found.skipped == () and found.gaps == ()
    assert number_pictures(frames.timestamp).place[-1] == 749


def test_a_gap_is_one_interruption_with_its_time(frames_of: Make) -> None:
    frames = frames_of(gap=(8.0, 3.0))
    found = continuity.timeline(frames, capture_of(frames), interruption_s=1.0)
    (gap,) = found.gaps
    assert gap.start_s == pytest.approx(8.0, abs=0.1) and gap.seconds == pytest.approx(3.0, abs=0.1)
    assert len(found.missing) == 75


def test_a_stream_that_ends_early_is_interrupted(frames_of: Make) -> None:
    frames = frames_of(seconds=10)
    found = continuity.timeline(frames, capture_of(frames, tail_s=5.0), interruption_s=1.0)
    assert [g.cause for g in found.gaps] == ["stream ended"]


def test_a_lost_connection_counts_once(frames_of: Make) -> None:
    frames = frames_of(gap=(8.0, 3.0))
    during = WireEvent(int(frames.arrival[0]) + 9 * 10**9, "disconnected", "reset")
    apart = WireEvent(int(frames.arrival[0]) + 20 * 10**9, "disconnected", "reset")
    found = continuity.timeline(frames, capture_of(frames, (during, apart)), interruption_s=1.0)
    assert [g.cause for g in found.gaps] == ["pictures missing", "connection lost"]


def test_content_that_jumps_without_a_hole_is_named(frames_of: Make) -> None:
    frames = frames_of()
    frames.counter[300:] += 8  # two pictures' content is gone, the timestamps go on
    found = continuity.timeline(frames, capture_of(frames), interruption_s=1.0)
    assert [s.place for s in found.skipped] == [300]


def test_without_a_counter_completeness_is_a_lower_bound(frames_of: Make) -> None:
    frames = frames_of(counter=False, repeated=[100])
    found = continuity.completeness(continuity.timeline(frames, capture_of(frames), interruption_s=1.0))
    assert found.bound is Bound.LOWER and found.value == 0.0


def test_damage_that_the_decoder_conceals_is_no_repeat(frames_of: Make) -> None:
    """A damaged picture shows the one before it; the next jumps: one picture is wrong, not three."""
    frames = frames_of(damaged=[200])
    frames.counter[200] = frames.counter[199]
    found = continuity.timeline(frames, capture_of(frames), interruption_s=1.0)
    assert [d.place for d in found.damaged] == [200] and found.repeated == () and found.skipped == ()
    assert continuity.completeness(found).value == 1.0


def test_the_names_are_bounded_the_total_is_not(frames_of: Make) -> None:
    frames = frames_of(seconds=60, dropped=range(1, 1499, 3))
    found = continuity.completeness(continuity.timeline(frames, capture_of(frames), interruption_s=1.0))
    assert found.value == found.details["totals"]["missing"] == len(range(1, 1499, 3))
    assert len(found.details["missing"]) == 200


def test_reconnections_are_listed(frames_of: Make) -> None:
    frames = frames_of()
    event = WireEvent(int(frames.arrival[0]) + 7 * 10**9, "reconnected", "tcp, playing")
    found = continuity.timeline(frames, capture_of(frames, (event,)), interruption_s=1.0)
    assert len(found.reconnected_s) == 1 and found.reconnected_s[0] == pytest.approx(7.0)
    assert continuity.interruptions(found).details["reconnected_s"] == [pytest.approx(7.0)]


def test_silence_on_the_wire_is_an_interruption_though_no_picture_is_missing(frames_of: Make) -> None:
    frames = frames_of(seconds=20)
    held = (frames.arrival > frames.arrival[200]) & (frames.arrival < frames.arrival[200] + 2 * 10**9)
    frames.arrival[held] = frames.arrival[200] + 2 * 10**9
    found = continuity.timeline(frames, capture_of(frames), interruption_s=1.0)
    assert [g.cause for g in found.gaps] == ["wire silent"] and found.missing == ()


@settings(max_examples=25, deadline=None)
@given(shift=st.integers(-(10**17), 10**17), ticks=st.integers(0, 2**40), count=st.integers(0, 65535))
def test_epochs_and_wraps_do_not_matter(shift: int, ticks: int, count: int) -> None:
    frames = make_frames(dropped=[50, 51], repeated=[90], damaged=[130], gap=(8.0, 3.0))
    plain = continuity.timeline(frames, capture_of(frames), interruption_s=1.0)
    frames.arrival[:] += shift
    frames.timestamp[:] += ticks
    frames.counter[:] = (frames.counter + count) % 65536
    moved = continuity.timeline(frames, capture_of(frames), interruption_s=1.0)
    for kind in ("missing", "repeated", "damaged", "skipped"):
        assert [p.place for p in getattr(moved, kind)] == [p.place for p in getattr(plain, kind)]
    assert moved.gaps == plain.gaps
