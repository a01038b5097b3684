"""Latency: from light in the scene to the picture's arrival at the bench, by a lamp flashed at random phase.

The lamp ties the camera's time base (RTP) to the host's clock (bench.measure.lamp_fit); the latency of each
picture is its arrival less the middle of its exposure. See docs/methods/latency.md.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from bench.camera.capture import FrameTable
from bench.measure.lamp_fit import Edges, Fit, Floats, Series, fit_lamp, picture_series
from bench.measure.uncertainty import combine, normal, rectangular, type_a
from instruments.capability import Flash
from standards.errors import MeasurementRefused
from standards.quantity import Bound, Contribution, Estimate, Kind

__all__ = ["Chain", "clauses", "lamp_latency"]

_UNCALIBRATED_S = (0.0, 0.020)  # lamp delay where no certificate states it
_FOLLOWS_S = 0.004  # scatter of the switches up to which the timestamps are taken to follow the capture
_STAMP_S = 0.0002  # half-width of the kernel's receive time against the packet's true arrival
_TONE = 0.03  # half-width of what linearisation leaves of the level, share of full light


@dataclass(frozen=True)
class Chain:
    """Latency from mid-exposure to arrival. mean_s: mean over all intact pictures; u, dof: its standard
    uncertainty (s) and degrees of freedom (None: infinite); details: JSON values; notes: for the report."""

    mean_s: float
    u: float
    dof: float | None
    budget: tuple[Contribution, ...]
    details: dict[str, Any]
    notes: tuple[str, ...] = ()


def lamp_latency(
    frames: FrameTable, flashes: Sequence[Flash], *, delay_s: float | None, delay_u_s: float | None
) -> Chain:
    """Latency from mid-exposure to the arrival of the picture's last packet, over all intact pictures.

    delay_s, delay_u_s: the lamp's calibrated delay from command to light and its standard uncertainty; if
    either is None, 0 to 20 ms is assumed and noted. Where the RTP timestamps do not follow the capture the
    arrivals take their place: wider, and noted. Raises MeasurementRefused if the flashes cannot be told in
    the pictures: fewer than 5 of them, too little contrast, or no single delay that fits.
    """
    if delay_s is not None and delay_u_s is not None:
        delay, lamp = delay_s, normal("lamp delay", delay_u_s, source="certificate")
        notes: tuple[str, ...] = ()
    else:
        delay, half = sum(_UNCALIBRATED_S) / 2, (_UNCALIBRATED_S[1] - _UNCALIBRATED_S[0]) / 2
        lamp = rectangular("lamp delay", half, source="not calibrated: 0 to 20 ms")
        notes = ("lamp delay not calibrated: 10 ms taken, 0 to 20 ms allowed for",)
    series, edges, fit, by_arrival = _tie(frames, flashes, delay)
    latency = series.arrival - fit.offset - series.camera * (1 + fit.drift)
    if by_arrival:
        notes = (
            *notes,
            "the RTP timestamps do not follow the capture: arrivals took their place, U is wider",
        )
    hand_over = float(np.median([f.done_ns - f.sent_ns for f in flashes])) / 1e9
    budget = (lamp, *_budget(latency, edges, fit, hand_over))
    u, dof = combine(budget)
    window = [int(frames.arrival[frames.intact].min()), int(frames.arrival[frames.intact].max())]
    details = _details(latency, edges, fit, window)
    if by_arrival:
        details |= {"p95_s": None, "max_s": None, "median_s": None, "histogram": None}
    return Chain(float(latency.mean()), u, dof, budget, details, notes)


def clauses(
    chain: Chain, *, display_s: float | None, display_u_s: float | None
) -> tuple[Estimate, Estimate, Estimate]:
    """Estimates of latency.camera, latency.to_centre and latency.to_user, all in seconds.

    All three include display by definition. display_s: its stated delay, which is added; without it the
    values are lower bounds. A display_s without display_u_s leaves u not evaluated. The way to the user is
    always a lower bound: no platform is in the path.
    """
    value, u, dof, budget = chain.mean_s, chain.u, chain.dof, chain.budget
    own = Estimate(quantity="latency.camera", kind=Kind.RATIO, value=value, unit="s", u=u, dof=dof)
    details = {**chain.details, "chain_s": value, "chain_expanded_uncertainty_s": own.expanded_uncertainty}
    notes = (*_spread_note(chain.details), *chain.notes)
    evaluated: float | None = u
    if display_s is not None:
        value += display_s
        details["display_s"] = display_s
        if display_u_s is None:
            evaluated, dof = None, None
            notes = (*notes, "the display's delay is stated without uncertainty")
        else:
            budget = (*budget, normal("display", display_u_s, source="stated by the station"))
            evaluated, dof = combine(budget)
    missing = "" if display_s is not None else "arrival only: the display's delay is not stated"
    no_platform = "no platform in the path" + ("; " + missing if missing else "")
    first, last = details["window_ns"]

    def estimate(quantity: str, reason: str) -> Estimate:
        """The chain's latency as this quantity; a reason makes it a lower bound."""
        return Estimate(
            quantity=quantity,
            kind=Kind.RATIO,
            value=value,
            unit="s",
            u=evaluated,
            dof=dof,
            bound=Bound.LOWER if reason else None,
            bound_reason=reason,
            observed_s=(last - first) / 1e9,
            budget=budget,
            details=details,
            notes=notes,
        )

    return (
        estimate("latency.camera", missing),
        estimate("latency.to_centre", missing),
        estimate("latency.to_user", no_platform),
    )


def _tie(frames: FrameTable, flashes: Sequence[Flash], delay_s: float) -> tuple[Series, Edges, Fit, bool]:
    """The series tied to the host's clock by its timestamps, or (True) by arrivals if those fit better."""
    stamped: tuple[Series, Edges, Fit] | None = None
    refused: MeasurementRefused | None = None
    try:
        series = picture_series(frames)
        stamped = (series, *fit_lamp(series, flashes, delay_s=delay_s))
        if stamped[2].scatter < _FOLLOWS_S:
            return *stamped, False
    except MeasurementRefused as error:
        refused = error
    try:
        series = picture_series(frames, by_arrival=True)
        arrived = (series, *fit_lamp(series, flashes, delay_s=delay_s))
    except MeasurementRefused:
        if stamped is None:
            raise refused or MeasurementRefused("the flashes cannot be told in the pictures") from None
        return *stamped, False
    if stamped is not None and stamped[2].scatter < 2 * arrived[2].scatter:
        return *stamped, False
    return *arrived, True


def _budget(latency: Floats, edges: Edges, fit: Fit, hand_over: float) -> tuple[Contribution, ...]:
    """All but the lamp's delay, seconds. hand_over: time the host took to give a command to the line."""
    count = len(edges.light)
    return (
        normal("fit of the flashes", fit.u, dof=float(count - 3), source=f"{count} switches of the lamp"),
        rectangular("lamp switching", fit.scatter, source="its mean delay on the day, within its scatter"),
        rectangular("command time", hand_over, source="host: hand-over of a command to the line"),
        rectangular("arrival time", _STAMP_S, source="kernel receive time"),
        rectangular(
            "tone", _TONE * fit.exposure * max(edges.imbalance, 0.2), source="level not quite linear"
        ),
        type_a(latency, "mean over the pictures"),
    )


def _details(latency: Floats, edges: Edges, fit: Fit, window_ns: list[int]) -> dict[str, Any]:
    milliseconds = latency * 1e3
    low, high = float(np.floor(milliseconds.min())), float(np.ceil(milliseconds.max()))
    bins = int(min(60, max(1, math.ceil((high - low) * 4))))
    counts, bounds = np.histogram(milliseconds, bins=bins, range=(low, max(high, low + 1)))
    return {
        "end_point": "arrival",
        "statistic": "mean",
        "pictures": len(latency),
        "p95_s": float(np.percentile(latency, 95)),
        "max_s": float(latency.max()),
        "median_s": float(np.median(latency)),
        "exposure_s": fit.exposure,
        "drift_ppm": fit.drift * 1e6,
        "switch_scatter_s": fit.scatter,
        "flashes": int(edges.rising.sum()),
        "switches": len(edges.light),
        "partials": edges.partials,
        "window_ns": window_ns,
        "histogram": {"edges_ms": [round(float(b), 3) for b in bounds], "counts": counts.tolist()},
    }


def _spread_note(details: dict[str, Any]) -> tuple[str, ...]:
    if details["p95_s"] is None:
        return ("the spread of single pictures is not known",)
    return (
        f"to arrival: 95 % of the pictures within {details['p95_s']:.4f} s, maximum {details['max_s']:.4f} s",
    )
