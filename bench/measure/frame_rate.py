"""Frame rate, three figures: the camera's time base, the arrival, and the pictures that are no repeats.

Source of the definition: GA/T 1128-2013, 3.1.3 (known from a secondary page; the clause text was not read):
the number of non-repeated frames per unit time. See docs/methods/frame_rate.md.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from bench.camera.capture import FrameTable
from bench.measure.sequence import (
    Sequence,
    about_mean,
    counter_readable,
    number_pictures,
    repeats,
    untold,
)
from bench.measure.uncertainty import combine, normal, rectangular
from standards.errors import MeasurementRefused
from standards.quantity import Bound, Contribution, Estimate, Kind

__all__ = ["HOST_CLOCK_PPM", "arrival", "time_base", "unique"]

#: Half-width of the host clock's rate error, parts per million, where no better is stated (crystal, no NTP).
HOST_CLOCK_PPM = 50.0


def time_base(frames: FrameTable) -> Estimate:
    """Pictures per second of the camera's own clock, holes filled: what it claims its rhythm to be.

    From the RTP timestamps alone. u: scatter of the timestamps about a straight line, at least their
    rounding to a tick. Raises MeasurementRefused below ten pictures.
    """
    sequence = number_pictures(frames.timestamp)
    rate = frames.clock_rate / sequence.period_ticks
    scatter = max(float(np.std(sequence.residual_ticks)), 1 / np.sqrt(12))
    u_rate = rate * scatter / _leverage(sequence) / sequence.period_ticks
    dof = float(max(len(sequence.place) - 2, 1))
    budget = (normal("RTP timestamps", u_rate, dof=dof, source="scatter about a line"),)
    details = {"period_ticks": sequence.period_ticks}
    notes = ("by the camera's own clock",)
    return _estimate("frame_rate.time_base", rate, budget, frames, details, notes=notes)


def arrival(frames: FrameTable, *, host_clock_ppm: float = HOST_CLOCK_PPM) -> Estimate:
    """Pictures per second of the host's clock at which the camera's rhythm arrives, holes filled.

    Robust straight line of arrival time over picture number. u: residuals with their autocorrelation, and
    the host clock's rate (rectangular, host_clock_ppm). Raises MeasurementRefused below ten pictures.
    """
    rate, budget, _ = _arrival(frames, host_clock_ppm)
    gaps = np.diff(frames.arrival) / 1e6
    return _estimate("frame_rate.arrival", rate, budget, frames, {"histogram": _histogram(gaps)})


def unique(frames: FrameTable, *, interruption_s: float, host_clock_ppm: float = HOST_CLOCK_PPM) -> Estimate:
    """Non-repeated pictures per second of the host's clock, while the stream runs (quantity frame_rate.live).

    The rate at which the rhythm arrives, times the share of its places that hold a new picture. Silence
    longer than interruption_s is left out here and judged as an interruption. Pictures whose count cannot
    be read (damaged ones) are taken to be new as often as the rest, which widens u. Without a content
    counter in view repeats cannot be told: the value is then an upper bound. Raises MeasurementRefused
    below ten pictures, or if the counter is too slow to tell two pictures apart.
    """
    rate, budget, sequence = _arrival(frames, host_clock_ppm)
    seen = counter_readable(frames)
    if seen and rate * frames.counter_tick_s >= 1:
        raise MeasurementRefused(
            f"the counter steps every {frames.counter_tick_s:g} s, the pictures come at {rate:.1f} 1/s: "
            "use a faster counter"
        )
    share, more, details = _share(frames, sequence, rate, interruption_s, seen=seen)
    notes = ("interruptions are left out here and judged by themselves",)
    return _estimate(
        "frame_rate.live",
        rate * share,
        (*budget, *more),
        frames,
        details,
        bound=None if seen else Bound.UPPER,
        bound_reason="" if seen else "no content counter in view: repeats cannot be ruled out",
        notes=notes if details["interruptions_left_out"] else (),
    )


def _share(
    frames: FrameTable, sequence: Sequence, rate: float, interruption_s: float, *, seen: bool
) -> tuple[float, list[Contribution], dict[str, Any]]:
    """Share of the rhythm's places with a new picture, what is uncertain about it, and the details."""
    steps = sequence.steps
    running = steps * (1 / rate) <= interruption_s
    places = int(steps[running].sum())
    if places == 0:
        raise MeasurementRefused("no two pictures came within one interruption of each other")
    again = repeats(frames)[1:] | (steps == 0)
    doubtful = untold(frames)[1:] & ~again if seen else np.zeros_like(again)
    told_fresh, doubts = int((running & ~again & ~doubtful).sum()), int((running & doubtful).sum())
    fresh = told_fresh + doubts * (told_fresh / max(1, int((running & ~doubtful).sum())))
    more: list[Contribution] = []
    if fresh != places:
        # The window's ends may cut the pattern of repeats and holes anywhere: one picture more or less.
        more.append(rectangular("ends of the window", rate / places, source="one picture in the window"))
    if doubts:
        half = rate * doubts / places / 2
        more.append(rectangular("counts not read", half, source=f"{doubts} pictures, new or not"))
    details = {
        "places": places,
        "fresh": told_fresh,
        "repeated": int((again & running).sum()),
        "untold": doubts,
        "interruptions_left_out": int((~running).sum()),
        "counter_seen": seen,
        "suspected_repeats": int((frames.difference[1:] == 0.0).sum()),
        "histogram": _histogram(np.diff(frames.arrival) / 1e6),
    }
    return fresh / places, more, details


def _arrival(frames: FrameTable, host_clock_ppm: float) -> tuple[float, tuple[Contribution, ...], Sequence]:
    """Rate of the rhythm in host time, its budget, and the numbering."""
    sequence = number_pictures(frames.timestamp)
    seconds = (frames.arrival - frames.arrival[0]) / 1e9
    slope, residual = _robust_line(sequence, seconds)
    effective = _effective_number(residual)
    u_slope = float(np.std(residual)) * np.sqrt(len(residual) / effective) / _leverage(sequence)
    rate = 1 / slope
    dof = max(effective - 2, 1.0)
    budget = (
        normal("arrival times", rate * u_slope / slope, dof=dof, source="residuals of the line"),
        rectangular("host clock", rate * host_clock_ppm * 1e-6, source=f"rate within {host_clock_ppm:g} ppm"),
    )
    return rate, budget, sequence


def _robust_line(sequence: Sequence, seconds: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
    """Slope and residuals of a line over the places, late pictures weighted down (Huber, 3 rounds)."""
    place, weight = sequence.place.astype(np.float64), np.ones_like(seconds)
    slope, residual = 0.0, seconds
    for _ in range(4):
        x, y = about_mean(place, sequence.stretch, weight), about_mean(seconds, sequence.stretch, weight)
        slope = float((weight * x) @ y) / float((weight * x) @ x)
        residual = y - slope * x
        scale = 1.4826 * float(np.median(np.abs(residual - np.median(residual)))) + 1e-9
        weight = 1 / np.maximum(1.0, np.abs(residual) / (2.5 * scale))
    return slope, residual


def _effective_number(residual: NDArray[np.float64]) -> float:
    """Independent residuals among correlated ones, from the autocorrelation up to its first zero."""
    centred = residual - residual.mean()
    power = float(centred @ centred)
    if power == 0.0:
        return float(len(residual))
    total = 0.0
    for lag in range(1, len(centred) // 4):
        rho = float(centred[:-lag] @ centred[lag:]) / power
        if rho <= 0.05:
            break
        total += rho
    return max(4.0, len(residual) / (1 + 2 * total))


def _leverage(sequence: Sequence) -> float:
    """Root of the places' sum of squares about their means: what a slope's scatter is divided by."""
    centred = about_mean(sequence.place.astype(np.float64), sequence.stretch)
    return float(np.sqrt(centred @ centred))


def _histogram(intervals_ms: NDArray[np.float64]) -> dict[str, Any]:
    """At most 40 bins of the intervals between arrivals, milliseconds; the last bin takes all beyond."""
    top = float(max(np.percentile(intervals_ms, 99.5) * 1.25, 1.0))
    counts, edges = np.histogram(np.minimum(intervals_ms, top), bins=40, range=(0.0, top))
    return {"edges_ms": [round(float(e), 3) for e in edges], "counts": counts.tolist()}


def _estimate(
    quantity: str,
    rate: float,
    budget: tuple[Contribution, ...],
    frames: FrameTable,
    details: dict[str, Any],
    *,
    bound: Bound | None = None,
    bound_reason: str = "",
    notes: tuple[str, ...] = (),
) -> Estimate:
    u, dof = combine(budget)
    return Estimate(
        quantity=quantity,
        kind=Kind.RATIO,
        value=float(rate),
        unit="1/s",
        u=u,
        dof=dof,
        bound=bound,
        bound_reason=bound_reason,
        observed_s=float(frames.arrival[-1] - frames.arrival[0]) / 1e9,
        budget=budget,
        details={"pictures": len(frames.timestamp), **details},
        notes=notes,
    )
