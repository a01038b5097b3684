"""What the receiver sees of servers that we did not write, held against ffprobe's and ffmpeg's account."""

from __future__ import annotations

from itertools import pairwise
from typing import Any, Literal

import numpy as np
import pytest

from bench.camera.capture import Capture
from bench.camera.decode import Reading, read_frames
from bench.camera.receiver import capture

SECONDS = (
    4.0  # the first sender report comes within 3.08 s (RFC 3550, 6.3.1: 2.5 s, times 0.5 to 1.5, over 1.218)
)


def _transports(server: Any) -> tuple[Literal["tcp", "udp"], ...]:
    return ("tcp", "udp") if "gstreamer" in server.__name__ else ("tcp",)


def test_capture_equals_ffprobe(server: Any, footage: Any) -> None:
    film = footage(SECONDS + 2)
    for transport in _transports(server):
        taken = _undoubled(server, film, transport)
        units = taken.units
        # These servers begin at the first picture, so unit i is picture i of the file.
        ticks = units["timestamp"] - units["timestamp"][0]
        assert ticks.tolist() == list(film.ticks[: len(units)])
        expected = sum(1 for t in film.ticks if t < SECONDS * 90_000)
        assert abs(len(units) - expected) <= 3, "servers pace by their own timers"
        assert tuple(np.flatnonzero(units["key"])) == tuple(k for k in film.keys if k < len(units))
        assert units["intact"].all()
        assert taken.overflow == 0
        assert not [e for e in taken.events if e.kind in ("lost", "violation", "disconnected")]
        assert len(taken.reports) >= 1
        assert taken.declared["arrival_clock"] == "kernel"
        _pixels_equal(taken, film)


def _undoubled(server: Any, film: Any, transport: Literal["tcp", "udp"]) -> Capture:
    """A capture in which the server sent each picture once (test_bench_on_servers.py tells why one may not)."""
    for _ in range(4):
        with server(film) as url:
            taken = capture(url, user=None, password=None, seconds=SECONDS, transport=transport)
        sent = [taken.stream[u["offset"] : u["offset"] + u["size"]] for u in taken.units]
        if all(a != b for a, b in pairwise(sent)):
            return taken
    pytest.fail("the server sent pictures twice in each of four captures")


def _pixels_equal(taken: Any, film: Any) -> None:
    truth = film.luma(len(taken.units))
    place = iter(range(len(truth)))

    def look(luma: Any) -> Reading:
        return Reading(int((luma == truth[next(place)]).all()), 0.0)

    table = read_frames(taken, look=look)
    assert table.errors == ()
    assert table.intact.all()
    assert set(zip(table.width.tolist(), table.height.tolist(), strict=True)) == {(film.width, film.height)}
    assert table.counter.all(), "a decoded picture differs from ffmpeg's"


def test_a_film_that_ends_is_an_event(server: Any, footage: Any) -> None:
    film = footage(1)
    with server(film) as url:
        taken = capture(url, user=None, password=None, seconds=7.0)
    assert {"bye", "disconnected"} & {e.kind for e in taken.events}
    assert len(taken.units) >= len(film.ticks) - 1
    assert taken.units["intact"].all()


def test_other_codecs_equal_ffprobe_and_ffmpeg(recoded: Any) -> None:
    codec, film, serve = recoded
    transports: tuple[Literal["tcp", "udp"], ...] = ("tcp", "udp")
    for transport in transports:
        with serve(film) as url:
            taken = capture(url, user=None, password=None, seconds=3.0, transport=transport)
        assert taken.codec == codec
        units = taken.units
        ticks = units["timestamp"] - units["timestamp"][0]
        assert ticks.tolist() == list(film.ticks[: len(units)])
        assert tuple(np.flatnonzero(units["key"])) == tuple(k for k in film.keys if k < len(units))
        assert units["intact"].all() and len(units) > 60
        assert not [e for e in taken.events if e.kind in ("lost", "violation", "disconnected")]
        _pixels_equal(taken, film)
