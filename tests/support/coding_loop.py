"""Pictures through libx264 and back, in memory: what coding leaves of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction

import av
import numpy as np
from av.video.codeccontext import VideoCodecContext
from numpy.typing import NDArray

__all__ = ["through_h264"]


def through_h264(
    pictures: Sequence[NDArray[np.uint8]],
    rate: int,
    *,
    gop: int | None = None,
    options: Mapping[str, str] | None = None,
) -> list[NDArray[np.uint8]]:
    """Luma, (rows, columns), of pictures after H.264 at a mean rate.

    pictures: yuv420p planes in one array, (rows * 3 / 2, columns), all alike; rate: bit/s at 25 pictures a second; gop:
    pictures from key to key, libx264's own if None; options: of libx264, preset ultrafast if None. No B pictures.
    """
    rows, columns = pictures[0].shape[0] * 2 // 3, pictures[0].shape[1]
    encoder, decoder = av.CodecContext.create("libx264", "w"), av.CodecContext.create("h264", "r")
    assert isinstance(encoder, VideoCodecContext) and isinstance(decoder, VideoCodecContext)
    encoder.width, encoder.height, encoder.pix_fmt, encoder.max_b_frames = columns, rows, "yuv420p", 0
    encoder.bit_rate, encoder.time_base, encoder.framerate = rate, Fraction(1, 25), Fraction(25)
    encoder.thread_count, encoder.options = 1, dict(options or {"preset": "ultrafast"})
    if gop is not None:
        encoder.gop_size = gop
    packets = []
    for number, planes in enumerate(pictures):
        frame = av.VideoFrame.from_ndarray(planes, "yuv420p")
        frame.pts = number
        packets += encoder.encode(frame)
    packets += encoder.encode(None)
    frames = [frame for packet in [*packets, None] for frame in decoder.decode(packet)]
    return [frame.to_ndarray()[:rows].astype(np.uint8) for frame in frames]
