"""Continuous recording: every missing, repeated and damaged picture and every gap, named by place and time.

Holes show in the RTP timestamps, repeats and skipped content in the content counter, damage on the wire
and in the decoder. See docs/methods/continuity.md.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from bench.camera.capture import Capture, FrameTable
from bench.measure.sequence import COUNTER_MODULUS, Sequence, counter_readable, number_pictures, repeats
from standards.quantity import Bound, Estimate, Kind

__all__ = ["Gap", "Named", "Timeline", "completeness", "interruptions", "timeline"]

_MOST_NAMED = 200


@dataclass(frozen=True)
class Named:
    """One picture. place: its number in the camera's rhythm from the first picture of the capture;
    time_s: seconds after that picture, by the camera's clock; capture_ticks: its RTP time (extended)."""

    place: int
    time_s: float
    capture_ticks: int


@dataclass(frozen=True)
class Gap:
    """One interruption. start_s: seconds after the first picture; seconds: how long; cause: what was seen."""

    start_s: float
    seconds: float
    cause: str


@dataclass(frozen=True)
class Timeline:
    """What happened to the picture sequence of one capture. skipped: pictures whose content jumped although
    the timestamps show no hole. observed_s: length of the window; reconnected_s: when the bench connected
    anew, seconds after the first picture."""

    observed_s: float
    pictures: int
    counter_seen: bool
    first_ticks: int
    last_ticks: int
    missing: tuple[Named, ...]
    repeated: tuple[Named, ...]
    damaged: tuple[Named, ...]
    skipped: tuple[Named, ...]
    gaps: tuple[Gap, ...]
    reconnected_s: tuple[float, ...] = ()

    @property
    def wrong(self) -> int:
        """Pictures missing, repeated, skipped or damaged, each counted once."""
        came = {(p.place, p.capture_ticks) for p in (*self.repeated, *self.damaged, *self.skipped)}
        return len(self.missing) + len(came)


def timeline(frames: FrameTable, capture: Capture, *, interruption_s: float) -> Timeline:
    """Name everything that is wrong with the sequence; late arrival alone is not.

    interruption_s: silence, by capture time or on the wire, that is an interruption. Raises
    MeasurementRefused below ten pictures.
    """
    sequence = number_pictures(frames.timestamp)
    seen = counter_readable(frames)
    again = repeats(frames) if seen else np.zeros(len(frames.counter), dtype=np.bool_)
    return Timeline(
        observed_s=capture.seconds,
        pictures=len(frames.timestamp),
        counter_seen=seen,
        first_ticks=int(frames.timestamp[0]),
        last_ticks=int(frames.timestamp[-1]),
        missing=_missing(frames, sequence),
        repeated=tuple(_named(frames, sequence, int(i)) for i in np.flatnonzero(again)),
        damaged=tuple(_named(frames, sequence, int(i)) for i in np.flatnonzero(~frames.intact)),
        skipped=_skipped(frames, sequence) if seen else (),
        gaps=_gaps(frames, capture, interruption_s),
        reconnected_s=tuple(
            (event.time_ns - int(frames.arrival[0])) / 1e9
            for event in capture.events
            if event.kind == "reconnected"
        ),
    )


def interruptions(found: Timeline) -> Estimate:
    """Number of interruptions in the window (quantity stream.interruptions), exact."""
    return Estimate(
        quantity="stream.interruptions",
        kind=Kind.COUNT,
        value=float(len(found.gaps)),
        unit="1",
        exact=True,
        observed_s=found.observed_s,
        details=_details(found),
    )


def completeness(found: Timeline) -> Estimate:
    """Pictures missing, repeated, skipped or damaged (quantity stream.completeness), exact.

    Without a content counter repeats stay unseen: the number is then a lower bound.
    """
    reason = "" if found.counter_seen else "no content counter in view: repeated pictures stay unseen"
    return Estimate(
        quantity="stream.completeness",
        kind=Kind.COUNT,
        value=float(found.wrong),
        unit="1",
        exact=True,
        bound=None if found.counter_seen else Bound.LOWER,
        bound_reason=reason,
        observed_s=found.observed_s,
        details=_details(found),
    )


def _named(frames: FrameTable, sequence: Sequence, index: int) -> Named:
    ticks = int(frames.timestamp[index])
    seconds = (ticks - int(frames.timestamp[0])) / frames.clock_rate
    return Named(int(sequence.place[index]), seconds, ticks)


def _missing(frames: FrameTable, sequence: Sequence) -> tuple[Named, ...]:
    """The places that no picture came for, each with the time it should have had."""
    found: list[Named] = []
    for index in np.flatnonzero(sequence.steps > 1):
        step = int(sequence.steps[index])
        before, after = int(frames.timestamp[index]), int(frames.timestamp[index + 1])
        for k in range(1, step):
            ticks = before + round((after - before) * k / step)
            seconds = (ticks - int(frames.timestamp[0])) / frames.clock_rate
            found.append(Named(int(sequence.place[index]) + k, seconds, ticks))
    return tuple(found)


def _skipped(frames: FrameTable, sequence: Sequence) -> tuple[Named, ...]:
    """Pictures before which content is lost without a hole in the timestamps.

    Content is compared with time since the last picture that was new, so that the jump after a repeat,
    which only catches up, is none.
    """
    period = sequence.period_ticks / frames.clock_rate
    found: list[Named] = []
    last = -1
    again = repeats(frames)
    for index in range(len(frames.counter)):
        if frames.counter[index] < 0 or again[index] or not frames.intact[index]:
            continue
        if last >= 0:
            advance = int(frames.counter[index] - frames.counter[last]) % COUNTER_MODULUS
            content_s = advance * frames.counter_tick_s
            elapsed_s = int(sequence.place[index] - sequence.place[last]) * period
            if content_s - elapsed_s > 0.6 * period + frames.counter_tick_s:
                found.append(_named(frames, sequence, index))
        last = index
    return tuple(found)


def _gaps(frames: FrameTable, capture: Capture, interruption_s: float) -> tuple[Gap, ...]:
    """Interruptions: holes in capture time, silence on the wire, and lost connections, each counted once."""
    found: list[Gap] = []
    arrival = (frames.arrival - frames.arrival[0]) / 1e9
    captured = (frames.timestamp - frames.timestamp[0]) / frames.clock_rate
    for index in range(len(arrival) - 1):
        hole = float(captured[index + 1] - captured[index])
        silence = float(arrival[index + 1] - arrival[index])
        if max(hole, silence) > interruption_s:
            cause = "pictures missing" if hole > interruption_s else "wire silent"
            found.append(Gap(float(arrival[index]), max(hole, silence), cause))
    tail = (capture.ended_ns - int(frames.arrival[-1])) / 1e9
    if tail > interruption_s:
        found.append(Gap(float(arrival[-1]), tail, "stream ended"))
    for event in capture.events:
        when = (event.time_ns - int(frames.arrival[0])) / 1e9
        inside = any(gap.start_s - 0.5 <= when <= gap.start_s + gap.seconds + 0.5 for gap in found)
        if event.kind == "disconnected" and not inside:
            found.append(Gap(when, 0.0, "connection lost"))
    return tuple(sorted(found, key=lambda gap: gap.start_s))


def _details(found: Timeline) -> dict[str, Any]:
    """The names, at most 200 of a kind; the totals are always whole."""

    def names(pictures: tuple[Named, ...]) -> list[dict[str, Any]]:
        return [
            {"index": p.place, "time_s": round(p.time_s, 6), "capture_ticks": p.capture_ticks}
            for p in pictures[:_MOST_NAMED]
        ]

    return {
        "pictures": found.pictures,
        "seconds": found.observed_s,
        "counter_seen": found.counter_seen,
        "first_ticks": found.first_ticks,
        "last_ticks": found.last_ticks,
        "totals": {
            "missing": len(found.missing),
            "repeated": len(found.repeated),
            "damaged": len(found.damaged),
            "skipped": len(found.skipped),
        },
        "missing": names(found.missing),
        "repeated": names(found.repeated),
        "damaged": names(found.damaged),
        "skipped": names(found.skipped),
        "gaps": [{"start_s": g.start_s, "seconds": g.seconds, "cause": g.cause} for g in found.gaps],
        "reconnected_s": list(found.reconnected_s),
    }
