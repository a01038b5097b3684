"""Frame rate against known truth."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests_frames import make_frames

from bench.camera.capture import FrameTable
from bench.measure import frame_rate
from bench.measure.sequence import number_pictures
from standards.errors import MeasurementRefused
from standards.quantity import Bound

Make = Callable[..., FrameTable]


@pytest.mark.parametrize("fps", [Fraction(25), Fraction(25, 2), Fraction(30000, 1001)])
@pytest.mark.parametrize("ppm", [-100.0, 0.0, 100.0])
def test_three_rates_within_a_hundredth(frames_of: Make, fps: Fraction, ppm: float) -> None:
    frames = frames_of(seconds=60, fps=fps, ppm=ppm)
    true = float(fps) * (1 + ppm * 1e-6)
    base, came, fresh = (
        frame_rate.time_base(frames),
        frame_rate.arrival(frames),
        frame_rate.unique(frames, interruption_s=1.0),
    )
    assert base.value == pytest.approx(float(fps), abs=1e-4)
    for found in (came, fresh):
        assert abs(float(found.value) - true) < 0.01
        assert found.expanded_uncertainty is not None and found.expanded_uncertainty < 0.01
    assert fresh.bound is None and fresh.details["repeated"] == 0


def test_stated_uncertainty_covers_truth(frames_of: Make) -> None:
    """Arrival: at least 90 of 100 runs within U (host clock term included, so close to all)."""
    covered = 0
    for seed in range(100):
        ppm = float(np.random.default_rng(seed).uniform(-100, 100))
        found = frame_rate.arrival(frames_of(seconds=20, ppm=ppm, seed=seed))
        covered += abs(float(found.value) - 25 * (1 + ppm * 1e-6)) <= (found.expanded_uncertainty or 0)
    assert covered >= 90


def test_repeats_lower_the_unique_rate_only(frames_of: Make) -> None:
    frames = frames_of(seconds=30, repeated=range(49, 750, 50))
    assert frame_rate.time_base(frames).value == pytest.approx(25.0, abs=1e-3)
    found = frame_rate.unique(frames, interruption_s=1.0)
    assert 24.45 <= float(found.value) <= 24.55
    assert found.details["repeated"] == 15


def test_holes_count_as_places_without_a_picture(frames_of: Make) -> None:
    found = frame_rate.unique(frames_of(seconds=60, dropped=range(59, 1500, 60)), interruption_s=1.0)
    assert float(found.value) == pytest.approx(25 * 59 / 60, abs=0.03)


def test_an_interruption_is_left_out(frames_of: Make) -> None:
    found = frame_rate.unique(frames_of(gap=(8.0, 3.0)), interruption_s=1.0)
    assert float(found.value) == pytest.approx(25.0, abs=0.01)
    assert found.details["interruptions_left_out"] == 1 and found.notes


def test_without_a_counter_it_is_an_upper_bound(frames_of: Make) -> None:
    found = frame_rate.unique(frames_of(counter=False, repeated=[100, 200]), interruption_s=1.0)
    assert found.bound is Bound.UPPER and "counter" in found.bound_reason
    assert float(found.value) == pytest.approx(25.0, abs=0.01)


def test_refuses_too_few_pictures_and_a_dead_clock(frames_of: Make) -> None:
    with pytest.raises(MeasurementRefused, match="few"):
        frame_rate.time_base(frames_of(seconds=0.2))
    with pytest.raises(MeasurementRefused, match="advance"):
        number_pictures(np.full(50, 7, np.int64))


@given(
    period=st.sampled_from([1800, 3000, 3003, 3600, 6000, 7200]),
    steps=st.lists(st.sampled_from([1, 1, 1, 1, 1, 2, 3, 40]), min_size=20, max_size=120),
    start=st.integers(0, 2**40),
)
def test_numbering_survives_any_holes(period: int, steps: list[int], start: int) -> None:
    """Whatever is missing, the places that came are numbered right as long as most steps are single."""
    if steps.count(1) <= len(steps) // 2:
        return
    place = np.concatenate(([0], np.cumsum(steps)))
    found = number_pictures((start + place * period).astype(np.int64))
    assert found.place.tolist() == place.tolist()
    assert found.period_ticks == pytest.approx(period, rel=1e-9)


def test_one_in_fifty_at_any_phase(frames_of: Make) -> None:
    """The window cuts the pattern of repeats anywhere: 24.5 stays within U and within 0.05."""
    for phase in range(0, 50, 7):
        found = frame_rate.unique(frames_of(repeated=range(2 + phase, 750, 50)), interruption_s=1.0)
        assert abs(float(found.value) - 24.5) <= min(0.05, found.expanded_uncertainty or 0.0)


def test_a_time_base_that_begins_anew_does_not_bend_the_rate(frames_of: Make) -> None:
    frames = frames_of(seconds=60, gap=(20.0, 2.0))
    late = np.flatnonzero(np.diff(frames.timestamp) > 100_000)[0] + 1
    frames.timestamp[late:] += 1500  # 0.4 of a period
    for found in (frame_rate.time_base(frames), frame_rate.arrival(frames)):
        assert float(found.value) == pytest.approx(25.0, abs=0.002)
        assert abs(float(found.value) - 25.0) <= (found.expanded_uncertainty or 0.0)


def test_damaged_pictures_widen_the_unique_rate(frames_of: Make) -> None:
    frames = frames_of(damaged=range(100, 150), repeated=range(49, 750, 50))
    frames.counter[100:150] = -1
    found = frame_rate.unique(frames, interruption_s=1.0)
    assert found.details["untold"] == 51
    assert abs(float(found.value) - 24.5) < 0.05
    assert 0.5 < (found.expanded_uncertainty or 0.0) < 2.0


def test_late_pictures_hardly_bend_the_line(frames_of: Make) -> None:
    frames = frames_of(seconds=60)
    frames.arrival[-40:-35] += 800_000_000
    found = frame_rate.arrival(frames)
    assert abs(float(found.value) - 25.0) <= min(0.01, found.expanded_uncertainty or 0.0)


def test_a_counter_slower_than_the_pictures_is_refused(frames_of: Make) -> None:
    with pytest.raises(MeasurementRefused, match="faster counter"):
        frame_rate.unique(frames_of(fps=120, seconds=10), interruption_s=1.0)


@settings(max_examples=25, deadline=None)
@given(
    shift=st.integers(-(10**17), 10**17),
    ticks=st.integers(0, 2**40),
    stretch=st.sampled_from([0.5, 1.0, 3.0]),
)
def test_epochs_do_not_matter_and_units_scale(shift: int, ticks: int, stretch: float) -> None:
    frames = make_frames(seconds=20, repeated=[90], dropped=[200])
    plain = [
        float(frame_rate.arrival(frames).value),
        float(frame_rate.unique(frames, interruption_s=1.0).value),
    ]
    since = frames.arrival - frames.arrival[0]
    frames.arrival[:] = frames.arrival[0] + shift + np.rint(since * stretch).astype(np.int64)
    frames.timestamp[:] += ticks
    moved = [
        float(frame_rate.arrival(frames).value),
        float(frame_rate.unique(frames, interruption_s=1.0).value),
    ]
    assert moved == pytest.approx([rate / stretch for rate in plain], rel=1e-7)
