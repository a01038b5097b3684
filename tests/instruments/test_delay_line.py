"""The path's model, without sockets or clock: statistics, order and invariants."""

from __future__ import annotations

import math
import statistics
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from instruments.capability import NetworkPath
from instruments.network_relay.delay_line import MEMORY_BYTES, QUEUE_BYTES, DelayLine, Entry

MS = 1_000_000


def through(
    path: NetworkPath, times: list[int], *, size: int = 1000, stream: bool = False, seed: str = "1"
) -> tuple[list[Entry[int]], dict[int, str]]:
    """Entries in the order in which they leave, and the fate of those that do not. Items are numbers."""
    line: DelayLine[int] = DelayLine(seed)
    line.set(path)
    left: list[Entry[int]] = []
    lost: dict[int, str] = {}
    for number, when in enumerate(times):
        left += line.due(when)
        if fate := line.put(number, size, when, stream=stream):
            lost[number] = fate
    while (when := line.next_due()) is not None:
        left += line.due(when)
    assert line.bytes_inside == 0
    return left, lost


@pytest.mark.parametrize("share", [0.003, 0.05, 0.5])
def test_the_share_of_lost_packets_lies_within_binomial_bounds(share: float) -> None:
    count = 20_000
    left, lost = through(NetworkPath(loss=share), [n * MS for n in range(count)])
    assert len(left) + len(lost) == count and set(lost.values()) == {"loss"}
    assert abs(len(lost) - count * share) < 4.5 * math.sqrt(count * share * (1 - share))


def test_losses_follow_from_the_seed_alone() -> None:
    times = [n * MS for n in range(500)]
    first = through(NetworkPath(loss=0.1), times)[1]
    assert through(NetworkPath(loss=0.1, delay_ms=30, jitter_ms=9, duplicate=0.3), times)[1] == first
    assert through(NetworkPath(loss=0.1), times, seed="2")[1] != first


@pytest.mark.parametrize("share", [0.01, 0.2, 0.5])
def test_the_share_of_overtaken_packets_is_what_was_asked(share: float) -> None:
    count = 20_000
    left, _ = through(NetworkPath(delay_ms=20, reorder=share), [n * MS for n in range(count)])
    order = [entry.item for entry in left]
    overtaken = sum(1 for before, after in pairwise(order) if after < before)
    assert sum(entry.reordered for entry in left) == overtaken
    assert overtaken == pytest.approx(count * share, abs=4.5 * math.sqrt(count * share) + 1)
    assert sorted(order) == list(range(count))


def test_a_held_packet_without_successor_goes_by_itself() -> None:
    left, _ = through(NetworkPath(delay_ms=5, reorder=0.5), [0])
    assert len(left) == 1 and left[0].leaves_ns <= 105 * MS and not left[0].reordered


def test_duplicates_and_delay() -> None:
    left, _ = through(NetworkPath(delay_ms=40, duplicate=0.25), [n * MS for n in range(8000)])
    assert {entry.leaves_ns - entry.arrived_ns for entry in left} == {40 * MS}
    doubled = sum(entry.copies == 2 for entry in left)
    assert doubled == pytest.approx(2000, abs=175)


def test_jitter_has_its_deviation_and_keeps_a_burst_together() -> None:
    times = [picture * 40 * MS + packet * 10_000 for picture in range(2000) for packet in range(5)]
    left, _ = through(NetworkPath(delay_ms=50, jitter_ms=4), times)
    delays = [(entry.leaves_ns - entry.arrived_ns) / MS for entry in left]
    assert statistics.mean(delays) == pytest.approx(50, abs=0.4)
    assert statistics.pstdev(delays) == pytest.approx(4, rel=0.06)
    assert [entry.item for entry in left] == list(range(len(times)))
    for first in range(0, len(left), 5):
        assert len({entry.leaves_ns - entry.arrived_ns for entry in left[first : first + 5]}) == 1


def test_the_bottleneck_passes_its_rate_and_drops_at_its_tail() -> None:
    times = [n * 100_000 for n in range(20_000)]  # 80 Mbit/s for two seconds
    left, lost = through(NetworkPath(rate_kbit=8000), times)
    seconds = (left[-1].leaves_ns - left[0].leaves_ns) / 1e9
    assert (len(left) - 1) * 1000 * 8 / seconds == pytest.approx(8e6, rel=0.001)
    assert set(lost.values()) == {"overflow"}
    waited = max(entry.leaves_ns - entry.arrived_ns for entry in left) / 1e9
    assert waited == pytest.approx(QUEUE_BYTES * 8 / 8e6, rel=0.02)


def test_a_new_rate_counts_from_now() -> None:
    line: DelayLine[int] = DelayLine("1")
    line.set(NetworkPath(rate_kbit=1))
    line.put(0, 1000, 0)
    line.set(NetworkPath(rate_kbit=8000))
    line.put(1, 1000, 0)
    assert line.next_due() == 8000 * MS, "order is kept"
    line.set(NetworkPath())
    assert [entry.item for entry in line.due(8000 * MS)] == [0, 1]


def test_memory_is_bounded_for_datagrams_and_streams_are_never_dropped() -> None:
    line: DelayLine[int] = DelayLine("1")
    line.set(NetworkPath(delay_ms=60_000, loss=1.0, up=False))
    assert line.put(0, 1000, 0, stream=True) == ""
    line.set(NetworkPath(delay_ms=60_000))
    fates = [line.put(n, 65_000, 0) for n in range(MEMORY_BYTES // 65_000 + 5)]
    assert fates.count("overflow") == 5 and line.bytes_inside <= MEMORY_BYTES


paths = st.builds(
    NetworkPath,
    delay_ms=st.floats(0, 100),
    jitter_ms=st.floats(0, 30),
    loss=st.floats(0, 1),
    reorder=st.floats(0, 0.5),
    duplicate=st.floats(0, 1),
    rate_kbit=st.one_of(st.just(0.0), st.floats(100, 1e5)),
    up=st.booleans(),
)


@given(path=paths, gaps=st.lists(st.integers(0, 30 * MS), max_size=60), stream=st.booleans())
def test_every_packet_leaves_once_or_is_lost_with_a_reason(
    path: NetworkPath, gaps: list[int], stream: bool
) -> None:
    times = [sum(gaps[: n + 1]) for n in range(len(gaps))]
    left, lost = through(path, times, stream=stream)
    assert sorted([entry.item for entry in left] + list(lost)) == list(range(len(gaps)))
    assert all(entry.leaves_ns >= entry.arrived_ns for entry in left)
    assert all(a.leaves_ns <= b.leaves_ns for a, b in pairwise(left))
    if stream:
        assert not lost
    if stream or not path.reorder:
        assert [entry.item for entry in left] == sorted(entry.item for entry in left)
