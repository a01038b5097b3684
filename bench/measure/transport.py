"""RTP as it was sent: one timestamp a picture (GB/T 28181-2022, 4.3.6).

Proven from the coded pictures themselves, not from the grouping by timestamp: a picture begins at the slice
whose first macroblock is 0 (H.264, 7.4.3: first_mb_in_slice).
"""

from __future__ import annotations

import numpy as np

from bench.camera.capture import Capture
from standards.errors import MeasurementRefused
from standards.quantity import Estimate, Kind

__all__ = ["first_slices", "timestamp_rule"]

_START = b"\0\0\1"
_MOST_NAMED = 50


def first_slices(unit: bytes) -> tuple[int, int]:
    """(slices that begin a picture, all slices) of one access unit in Annex B."""
    begin = total = 0
    place = unit.find(_START)
    while place >= 0:
        body = place + len(_START)
        if body + 1 < len(unit) and unit[body] & 0x1F in (1, 5):
            total += 1
            begin += unit[body + 1] >= 0x80  # ue(v) of first_mb_in_slice: a leading one bit is 0
        place = unit.find(_START, body)
    return begin, total


def timestamp_rule(capture: Capture) -> Estimate:
    """True if every picture kept one RTP timestamp and no two pictures shared one (rtp.timestamp_rule).

    Only intact units are looked at: after a loss on the way nothing can be said of the camera. Raises
    MeasurementRefused if fewer than ten intact pictures came.
    """
    units = capture.units
    whole = np.flatnonzero(units["intact"])
    if len(whole) < 10:
        raise MeasurementRefused(f"{len(whole)} intact pictures are too few to show the timestamp rule")
    split: list[int] = []
    shared: list[int] = []
    for index in whole:
        start = int(units["offset"][index])
        begin, total = first_slices(capture.stream[start : start + int(units["size"][index])])
        if total and begin == 0:
            split.append(int(index))  # slices of a picture under another timestamp than its first
        if begin > 1:
            shared.append(int(index))
    same = np.flatnonzero(np.diff(units["timestamp"]) == 0) + 1
    shared += [int(i) for i in same]
    notes = []
    if split:
        notes.append(f"{len(split)} pictures changed their timestamp half-way, the first at unit {split[0]}")
    if shared:
        notes.append(f"{len(shared)} pictures share a timestamp, the first at unit {min(shared)}")
    return Estimate(
        quantity="rtp.timestamp_rule",
        kind=Kind.NOMINAL,
        value=not split and not shared,
        unit="1",
        exact=True,
        observed_s=capture.seconds,
        details={"pictures": len(whole), "split": split[:_MOST_NAMED], "shared": sorted(shared)[:_MOST_NAMED]},
        notes=tuple(notes),
    )
