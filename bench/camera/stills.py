"""Pictures of a capture for measurements of the picture: a stack of successive ones, and colour ones.

Both are decoded only when asked for, from the key frame before them, and again from evidence after a resume.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from av.video.frame import VideoFrame
from numpy.typing import NDArray

from bench.camera.capture import Capture
from bench.camera.decode import Luma, broken_on_the_wire, decode_units, luma_of
from bench.camera.jpeg import luma_step
from bench.measure.colour_picture import ColourPicture, Matrix
from bench.measure.noise import Coding
from standards.errors import MeasurementRefused, ProtocolViolation

__all__ = ["Stack", "StreamDescription", "colour_pictures", "colour_series", "describe", "stack", "timed"]

_MOST_STACK_BYTES = 200_000_000
_RUN, _RUNS = 8, 6  # successive pictures from a key frame on, and key frames spread over the capture
_COLOUR_PICTURES = 6
_MATRICES: dict[int, Matrix] = {
    1: "bt709",
    5: "bt601",
    6: "bt601",
    9: "bt2020",
    10: "bt2020",
}  # ITU-T H.273, table 4
_MOST_LATE_S = 0.5  # a picture is late by less, unless the camera's time base jumped
_HEAD_BYTES = 1024  # a JPEG file's tables lie before
_FULL_RANGE = 2  # AVCOL_RANGE_JPEG
_FULL_RANGE_FORMATS = frozenset({"yuvj420p", "yuvj422p", "yuvj444p"})
_SUBSAMPLED = frozenset({"yuv420p", "yuvj420p", "yuv422p", "yuvj422p", "yuv444p", "yuvj444p"})


@dataclass(frozen=True)
class Stack:
    """pictures: (n, rows, columns) uint8 luma; run: (n,) which run of successive pictures each is of, from 0."""

    pictures: NDArray[np.uint8]
    run: NDArray[np.int64]


@dataclass(frozen=True)
class StreamDescription:
    """What a figure of the picture has to be stated with. rate: bit/s as captured; gop: pictures from key to key;
    bits_per_pixel: of a picture, on average; step: of JPEG's quantiser of luma, codes, the coarsest, else None."""

    codec: str
    width: int
    height: int
    rate: float
    gop: float
    bits_per_pixel: float
    step: float | None = None

    @property
    def coding(self) -> Coding:
        """What the noise has to be stated with."""
        return Coding(self.codec, self.rate, self.step, intra=self.gop <= 1.0, said=str(self))

    def __str__(self) -> str:
        steps = f", steps of luma {self.step:.1f} codes" if self.step is not None else ""
        rate = f"{self.rate / 1e6:.2f} Mbit/s, a key frame in {self.gop:.0f}"
        return f"{self.codec}, {self.width} x {self.height}, {rate}{steps}"


def describe(capture: Capture, shape: tuple[int, int]) -> StreamDescription:
    """The stream of a capture. shape: (rows, columns) of its pictures."""
    keys = int(np.count_nonzero(capture.units["key"]))
    rate = 8.0 * float(capture.units["size"].sum()) / max(capture.seconds, 1e-9)
    count = max(len(capture.units), 1)
    bits = 8.0 * float(capture.units["size"].sum()) / count / max(shape[0] * shape[1], 1)
    return StreamDescription(
        capture.codec, shape[1], shape[0], rate, count / max(keys, 1), bits, _coarsest(capture)
    )


def _coarsest(capture: Capture) -> float | None:
    """The largest step of JPEG's quantiser of luma in the capture; None for other codecs, and if one is not told."""
    if capture.codec != "mjpeg":
        return None
    shown = capture.units[capture.units["size"] > 0]  # of a picture whose beginning was lost nothing is there
    heads = (capture.stream[u["offset"] : u["offset"] + min(u["size"], _HEAD_BYTES)] for u in shown)
    steps = [luma_step(head) for head in heads]
    told = [step for step in steps if step is not None]
    return max(told) if told and len(told) == len(steps) else None


def _whole_pictures(capture: Capture, units: range) -> Iterator[tuple[int, VideoFrame]]:
    """Pictures of a run that begins with a key frame, up to the first damaged one."""
    errors: list[tuple[int, str]] = []
    broken = broken_on_the_wire(capture)
    for index, frame in decode_units(capture, errors, units):
        if errors or frame.is_corrupt or broken[units[0] : index + 1].any():
            return
        yield index, frame


def _spread(places: NDArray[np.int64], most: int) -> list[int]:
    """At most so many places, spread over all."""
    pick = np.unique(np.linspace(0, len(places) - 1, min(most, len(places))).round().astype(np.int64))
    return [int(places[i]) for i in pick]


def _apart(keys: NDArray[np.int64]) -> NDArray[np.int64]:
    """Key frames a run's length apart: with short GOPs, or with every picture a key frame, runs would overlap."""
    chosen: list[int] = []
    for key in keys.tolist():
        if not chosen or key - chosen[-1] >= _RUN:
            chosen.append(key)
    return np.asarray(chosen, dtype=np.int64)


def stack(capture: Capture) -> Stack:
    """Up to 6 runs of 8 successive pictures each, from key frames spread over the capture, none in two runs; fewer
    where they would take more than 200 MB. Raises MeasurementRefused if no two successive whole pictures are there."""
    keys = _apart(np.flatnonzero(capture.units["key"]).astype(np.int64))
    found: list[Luma] = []
    runs: list[int] = []
    for run, key in enumerate(_spread(keys, _RUNS) if len(keys) else []):
        shown = _whole_pictures(capture, range(key, min(key + _RUN, len(capture.units))))
        fresh: list[Luma] = []
        for _, frame in shown:
            luma = luma_of(frame)
            if found and luma.shape != found[0].shape:
                break
            if (len(found) + len(fresh) + 1) * luma.size > _MOST_STACK_BYTES:
                break
            fresh.append(luma.copy())
        if len(fresh) > 1:
            found += fresh
            runs += [run] * len(fresh)
    if not found:
        raise MeasurementRefused(
            "no two successive whole pictures were captured: capture longer, mend the network"
        )
    return Stack(np.stack(found), np.asarray(runs, dtype=np.int64))


def _colour(frame: VideoFrame) -> ColourPicture:
    if frame.format.name not in _SUBSAMPLED:
        raise ProtocolViolation(f"decoded pictures of pixel format {frame.format.name}")
    planes = []
    for plane in frame.planes[:3]:
        data = np.frombuffer(memoryview(plane), np.uint8).reshape(-1, plane.line_size)
        planes.append(data[: plane.height, : plane.width].copy())
    matrix = _MATRICES.get(int(frame.colorspace))
    full = int(frame.color_range) == _FULL_RANGE or frame.format.name in _FULL_RANGE_FORMATS
    return ColourPicture(
        planes[0][: frame.height, : frame.width],
        planes[1],
        planes[2],
        matrix or "bt709",
        full,
        matrix is not None,
    )


def colour_series(capture: Capture) -> Iterator[tuple[int, ColourPicture]]:
    """(unit index, picture) of every whole picture, one at a time; after a damaged one none until the next key frame."""
    errors: list[tuple[int, str]] = []
    broken, keys = broken_on_the_wire(capture), capture.units["key"]
    whole = False
    for index, frame in decode_units(capture, errors):
        damaged = bool(errors) or frame.is_corrupt or bool(broken[index])
        errors.clear()
        whole = not damaged and (whole or bool(keys[index]))
        if whole:
            yield index, _colour(frame)


def colour_pictures(capture: Capture) -> tuple[ColourPicture, ...]:
    """A few colour pictures, each the last of a different GOP where there are several.

    Raises MeasurementRefused if there is none, ProtocolViolation for an unknown pixel layout.
    """
    count = len(capture.units)
    starts = np.flatnonzero(capture.units["key"]).astype(np.int64)
    ends = np.append(starts[1:], count)
    found: list[ColourPicture] = []
    for place in _spread(np.arange(len(starts)), _COLOUR_PICTURES) if len(starts) else []:
        last: ColourPicture | None = None
        units = range(int(starts[place]), int(ends[place]))
        for index, frame in _whole_pictures(capture, units):
            if index == units[-1]:
                last = _colour(frame)
        if last is not None and (not found or last.shape == found[0].shape):
            found.append(last)
    if not found:
        raise MeasurementRefused("no whole group of pictures was captured: capture longer, mend the network")
    return tuple(found)


def timed(capture: Capture, seconds: float, most: int) -> tuple[list[Luma], list[float]]:
    """Up to `most` whole luma pictures, evenly out of the first `seconds` from a key frame on, and when each came, seconds
    since 1970 by the bench's clock: by the camera's own time base, set by what came soonest, since a picture that queued on
    the way was not taken later. Fewer where they would take more than 200 MB."""
    units = capture.units
    keys = np.flatnonzero(units["key"])
    if not len(keys):
        return [], []
    stamps = (units["timestamp"] - units["timestamp"][keys[0]]).astype(np.float64) / capture.clock_rate
    came = units["last"].astype(np.float64) / 1e9
    last = int(np.searchsorted(came, came[keys[0]] + seconds, side="right"))
    used = slice(int(keys[0]), max(last, int(keys[0]) + 1))
    late = (came - stamps)[used]
    if np.ptp(late) > _MOST_LATE_S:  # the time base jumps: only what the bench saw is left
        stamps, begin = came, 0.0
    else:
        begin = float(late.min())
    places = np.arange(used.start, used.stop)
    wanted = set(_spread(places, most))
    pictures: list[Luma] = []
    times: list[float] = []
    for index, frame in _whole_pictures(capture, range(int(keys[0]), max(wanted) + 1)):
        if index not in wanted:
            continue
        luma = luma_of(frame)
        if pictures and luma.shape != pictures[0].shape:
            break
        if not pictures and len(wanted) * luma.size > _MOST_STACK_BYTES:
            wanted = set(_spread(places, max(_MOST_STACK_BYTES // luma.size, 2)))
        pictures.append(luma.copy())
        times.append(begin + float(stamps[index]))
    return pictures, times
