"""One decoding pass over a capture: which picture came out of which access unit, and what is seen in it.

PyAV (libavcodec) decodes; it is given one access unit at a time with the unit's index as its time, so
that every picture is tied to its unit exactly, whatever delay or reordering the decoder has.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

import av
import cv2
import numpy as np
from av.video.codeccontext import VideoCodecContext
from av.video.frame import VideoFrame
from numpy.typing import NDArray

from bench.camera.capture import Capture, FrameTable
from bench.camera.codecs import DECODERS
from bench.measure.reading import Reading
from standards.errors import ProtocolViolation

__all__ = ["Luma", "broken_on_the_wire", "decode_units", "first_pictures", "luma_of", "read_frames"]

#: Luma plane, (rows, columns) uint8, as decoded: no conversion of range or colour, cropped to the visible.
Luma = NDArray[np.uint8]

_MOST_ERRORS = 1000
_MOST_PIXELS = 8192 * 8192
_FIRST_STRIDE = 4
_EIGHT_BIT = frozenset({"yuv420p", "yuvj420p", "yuv422p", "yuvj422p", "yuv444p", "yuvj444p", "nv12", "gray"})
_DEEPER = {"10le": 2, "12le": 4, "14le": 6}


def _open_decoder(codec: str) -> VideoCodecContext:
    context = av.CodecContext.create(DECODERS[codec], "r")
    assert isinstance(context, VideoCodecContext)
    # One thread: a decoder with several frames in hand blames errors on the wrong one. Damaged pictures are
    # put out too (they are marked), and order follows the standard instead of a guess that may drop pictures.
    # "aggressive" means: a slice that ends before its data is damaged: with CAVLC all of 75 damaged packets
    # were found by it, 69 without. With CABAC one in ten decodes to wrong pixels without an offence.
    context.thread_count = 1
    context.thread_type = "NONE"
    context.options = {
        "flags": "+output_corrupt",
        "err_detect": "+crccheck+bitstream+buffer+aggressive",
        "strict": "strict",
        "max_pixels": str(_MOST_PIXELS),
    }
    return context


def luma_of(frame: VideoFrame) -> Luma:
    """The luma plane. Its memory belongs to the frame. Raises ProtocolViolation for an unknown layout."""
    plane = frame.planes[0]
    name = frame.format.name
    if name in _EIGHT_BIT:
        rows: Luma = np.frombuffer(memoryview(plane), np.uint8).reshape(-1, plane.line_size)
        return rows[: frame.height, : frame.width]
    shift = next((bits for ending, bits in _DEEPER.items() if name.endswith(ending)), None)
    if shift is None:
        raise ProtocolViolation(f"decoded pictures of pixel format {name}")
    deep = np.frombuffer(memoryview(plane), np.dtype("<u2")).reshape(-1, plane.line_size // 2)
    luma: Luma = (deep[: frame.height, : frame.width] >> shift).astype(np.uint8)
    return luma


def decode_units(
    capture: Capture, errors: list[tuple[int, str]], units: range | None = None
) -> Iterator[tuple[int, VideoFrame]]:
    """(unit index, picture) in the order of display; what the decoder complains of goes to errors.

    units: only these, the first of them a key frame; all where it is left out.
    """
    context = _open_decoder(capture.codec)
    stream = memoryview(capture.stream)

    def fail(index: int, text: str) -> None:
        if len(errors) < _MOST_ERRORS:
            errors.append((index, text))

    chosen = range(len(capture.units)) if units is None else units
    offsets, sizes = capture.units["offset"].tolist(), capture.units["size"].tolist()
    for index in chosen:
        offset, size = offsets[index], sizes[index]
        if not size:  # its beginning was lost; an empty packet would tell the decoder that the stream ends
            continue
        packet = av.Packet(bytes(stream[offset : offset + size]))
        packet.pts = packet.dts = index
        try:
            for frame in context.decode(packet):
                if frame.pts is not None:
                    yield frame.pts, frame
        except av.error.FFmpegError as error:
            fail(index, f"{type(error).__name__}: {error.strerror}")
    try:
        for frame in context.decode(None):
            if frame.pts is not None:
                yield frame.pts, frame
    except av.error.FFmpegError as error:
        fail(chosen[-1] if len(chosen) else 0, f"{type(error).__name__}: {error.strerror}")


def broken_on_the_wire(capture: Capture) -> NDArray[np.bool_]:
    """Units that lost packets, or before which packets (so perhaps whole pictures) are missing."""
    count = len(capture.units)
    broken = ~capture.units["intact"].astype(np.bool_)
    if count == 0 or len(capture.packets) == 0:
        return broken
    lowest = np.full(count, np.iinfo(np.int64).max)
    highest = np.full(count, np.iinfo(np.int64).min)
    np.minimum.at(lowest, capture.packets["unit"], capture.packets["sequence"])
    np.maximum.at(highest, capture.packets["unit"], capture.packets["sequence"])
    broken[1:] |= lowest[1:] != highest[:-1] + 1
    return broken


class _Pictures:
    """Keeps one picture for each of `keep` stretches of the capture: the last intact end of a GOP in it."""

    def __init__(self, capture: Capture, keep: int) -> None:
        count = len(capture.units)
        ends = np.flatnonzero(capture.units["key"])[1:] - 1
        if len(ends) < 2:  # one or two GOPs: their ends say nothing about the time between
            ends = (
                np.unique(np.linspace(count / (keep + 1), count - 1, keep).astype(np.int64))
                if count
                else ends
            )
        groups = np.arange(len(ends)) * min(keep, len(ends)) // max(1, len(ends))
        self._group = dict(zip(ends.tolist(), groups.tolist(), strict=True))
        self._kept: dict[int, tuple[int, Luma]] = {}

    def offer(self, index: int, luma: Luma) -> None:
        group = self._group.get(index)
        if group is not None:
            self._kept[group] = (index, luma.copy())

    def sorted(self) -> tuple[Luma, ...]:
        return tuple(luma for _, luma in sorted(self._kept.values(), key=lambda pair: pair[0]))


def _empty(capture: Capture) -> FrameTable:
    count = len(capture.units)
    return FrameTable(
        clock_rate=capture.clock_rate,
        timestamp=capture.units["timestamp"].astype(np.int64),
        arrival=capture.units["last"].astype(np.int64),
        decoded=np.zeros(count, np.int64),
        intact=np.zeros(count, np.bool_),
        counter=np.full(count, -1, np.int64),
        lamp=np.full(count, np.nan),
        difference=np.full(count, np.nan),
        width=np.zeros(count, np.int32),
        height=np.zeros(count, np.int32),
    )


def read_frames(
    capture: Capture,
    *,
    look: Callable[[Luma], Reading] | None,
    keep: int = 8,
    progress: Callable[[float], None] | None = None,
) -> FrameTable:
    """Decode every access unit once and read what its picture shows.

    look: reads counter and lamp of one picture; keep: how many pictures to keep, each the last of a
    different GOP, spread over the capture; progress: called with the share done, 0 to 1.

    difference is the mean absolute difference to the picture shown before, in code values over all pixels;
    nan for the first picture, after a change of size and where no picture came. A unit without a picture
    has width and height 0 and an entry in errors. intact is False for a unit that lost packets, that the
    decoder complained of, or whose references were damaged: up to the next key frame that is whole.
    Raises nothing for a damaged stream.
    """
    table = _empty(capture)
    count = len(capture.units)
    errors: list[tuple[int, str]] = []
    faulty = broken_on_the_wire(capture)
    chain = _Chain(capture.units["key"].tolist(), faulty)
    pictures = _Pictures(capture, keep)
    before: tuple[VideoFrame, Luma] | None = None
    for index, frame in decode_units(capture, errors):
        try:
            luma = luma_of(frame)
        except ProtocolViolation as violation:
            errors.append((index, str(violation)))
            continue
        table.height[index], table.width[index] = luma.shape
        if frame.is_corrupt:
            chain.damage(index)
            errors.append((index, "the decoder repaired a damaged picture"))
        if before is not None and before[1].shape == luma.shape:
            table.difference[index] = cv2.norm(luma, before[1], cv2.NORM_L1) / luma.size
        before = (frame, luma)
        if look is not None:
            reading = look(luma)
            table.counter[index], table.lamp[index] = reading.counter, reading.lamp
        if chain.whole(index):
            pictures.offer(index, luma)
        if progress is not None and index % 10 == 0:
            progress(index / count)
    table.intact[:] = _settle(capture, table, faulty | chain.damaged, errors)
    if progress is not None:
        progress(1.0)
    return replace(table, pictures=pictures.sorted(), errors=tuple(sorted(errors)[:_MOST_ERRORS]))


class _Chain:
    """Whether a unit and all it may refer to, back to its key frame, are whole, as known so far."""

    def __init__(self, keys: list[bool], faulty: NDArray[np.bool_]) -> None:
        self._start = np.maximum.accumulate(np.where(keys, np.arange(len(keys)), 0))
        self.damaged = faulty.copy()

    def damage(self, index: int) -> None:
        self.damaged[index] = True

    def whole(self, index: int) -> bool:
        return not self.damaged[self._start[index] : index + 1].any()


def _settle(
    capture: Capture, table: FrameTable, damaged: NDArray[np.bool_], errors: list[tuple[int, str]]
) -> NDArray[np.bool_]:
    """intact of every unit, once all is known; units without a picture are added to errors."""
    missing = table.width == 0
    told = {index for index, _ in errors}
    errors.extend((int(i), "no picture came out") for i in np.flatnonzero(missing) if int(i) not in told)
    damaged = damaged | missing
    damaged[[index for index, _ in errors]] = True
    keys = capture.units["key"]
    intact = np.empty(len(damaged), np.bool_)
    whole = False
    for index, (bad, key) in enumerate(zip(damaged.tolist(), keys.tolist(), strict=True)):
        whole = not bad and (whole or key)
        intact[index] = whole
    return intact


def first_pictures(capture: Capture, count: int) -> tuple[Luma, ...]:
    """The first undamaged pictures, four frames apart, to find the chart in; fewer if there are fewer."""
    errors: list[tuple[int, str]] = []
    faulty = broken_on_the_wire(capture)
    found: list[Luma] = []
    for place, (index, frame) in enumerate(decode_units(capture, errors)):
        if len(found) >= count:
            break
        if place % _FIRST_STRIDE == 0 and not frame.is_corrupt and not faulty[index]:
            found.append(luma_of(frame).copy())
    return tuple(found)
