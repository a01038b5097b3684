"""RTP as it was sent: one timestamp a picture (GB/T 28181-2022, 4.3.6).

Proven from the coded pictures themselves, not from the grouping by timestamp: a picture begins at the slice
whose first macroblock is 0 (H.264, 7.4.3: first_mb_in_slice). What a loss on the way could explain proves
nothing and is left out. Not told apart: the two fields of an interlaced frame, which may share a timestamp,
and two pictures that do. See docs/methods/continuity.md.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from bench.camera.capture import Capture
from standards.errors import MeasurementRefused
from standards.quantity import Estimate, Kind

__all__ = ["first_slices", "timestamp_rule"]

_START = b"\0\0\1"
_SLICES = (1, 5)  # NAL unit types of coded slices without partitions
_MOST_NAMED = 50
_FEWEST = 10


def first_slices(unit: bytes) -> tuple[int, int]:
    """(slices that begin a picture, all slices) of one access unit in Annex B."""
    begin = total = 0
    place = unit.find(_START)
    while place >= 0:
        body = place + len(_START)
        if body + 1 < len(unit) and unit[body] & 0x1F in _SLICES:
            total += 1
            begin += unit[body + 1] >= 0x80  # ue(v) of first_mb_in_slice: a leading one bit is 0
        place = unit.find(_START, body)
    return begin, total


def timestamp_rule(capture: Capture) -> Estimate:
    """True if every picture kept one RTP timestamp and no two pictures shared one (rtp.timestamp_rule).

    details: units, by number, that are the later part of a picture begun under another timestamp or that
    broke off without loss (split), and those that share a timestamp (shared); own: units whose parameter
    sets came under a timestamp of their own, which the clause does not speak of. Raises MeasurementRefused
    if fewer than ten pictures came without loss.
    """
    lossless = _lossless(capture)
    usable = np.flatnonzero(lossless)
    if len(usable) < _FEWEST:
        raise MeasurementRefused(f"{len(usable)} whole pictures are too few to show the timestamp rule")
    split, shared = _offences(capture, lossless)
    own = _own_timestamps(capture)
    notes = []
    if split:
        notes.append(f"{len(split)} pictures changed their timestamp half-way, the first at unit {split[0]}")
    if shared:
        notes.append(f"{len(shared)} pictures share a timestamp, the first at unit {shared[0]}")
    if own:
        notes.append(f"{own} pictures have parameter sets under a timestamp of their own (not judged)")
    return Estimate(
        quantity="rtp.timestamp_rule",
        kind=Kind.NOMINAL,
        value=not split and not shared,
        unit="1",
        exact=True,
        observed_s=capture.seconds,
        details={
            "pictures": len(usable),
            "split": split[:_MOST_NAMED],
            "shared": shared[:_MOST_NAMED],
            "own": own,
        },
        notes=tuple(notes),
    )


def _offences(capture: Capture, lossless: NDArray[np.bool_]) -> tuple[list[int], list[int]]:
    """Units that split a picture, and units that share a timestamp, each ascending."""
    units, stamps = capture.units, capture.units["timestamp"]
    torn = _torn(capture, lossless)
    split: set[int] = set()
    shared = {int(i) for i in np.flatnonzero(np.diff(stamps) == 0) + 1 if lossless[i] and lossless[i - 1]}
    for index in np.flatnonzero(lossless):
        start = int(units["offset"][index])
        begin, total = first_slices(capture.stream[start : start + int(units["size"][index])])
        if (total and begin == 0 and stamps[index] != stamps[index - 1]) or torn[index]:
            split.add(int(index))
        if begin > 1:
            shared.add(int(index))
    return sorted(split), sorted(shared)


def _lossless(capture: Capture) -> NDArray[np.bool_]:
    """Units of which, and next to which, no packet is missing: what is wrong with them the camera sent."""
    count = len(capture.units)
    if count == 0 or len(capture.packets) == 0:
        return capture.units["intact"].astype(np.bool_)
    unit, sequence = capture.packets["unit"], capture.packets["sequence"]
    lowest, highest = np.full(count, np.iinfo(np.int64).max), np.full(count, -1, np.int64)
    np.minimum.at(lowest, unit, sequence)
    np.maximum.at(highest, unit, sequence)
    whole = np.bincount(unit, minlength=count) == highest - lowest + 1
    joined = lowest[1:] == highest[:-1] + 1
    whole[1:] &= joined
    whole[:-1] &= joined
    return np.asarray(whole)


def _torn(capture: Capture, lossless: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Units that do not parse although nothing was lost, and whose last packet bears no marker: the picture
    went on under the next timestamp, in the middle of a NAL unit."""
    unit = capture.packets["unit"]
    ended = np.ones(len(capture.units), dtype=np.bool_)
    ended[unit] = capture.packets["marker"]  # of several packets the last assignment holds
    torn = lossless & ~capture.units["intact"] & ~ended
    torn[-1:] = False
    return np.asarray(torn)


def _own_timestamps(capture: Capture) -> int:
    """Units that hold packets of more than one timestamp."""
    packets = capture.packets
    differs = packets["timestamp"] != capture.units["timestamp"][packets["unit"]]
    return len(np.unique(packets["unit"][differs]))
