"""Capture: what came over the wire from one stream in one window, with the times it came.

Pure data. The receiver (rtsp.py, rtp.py) fills it, decode.py looks into its pictures, bench.measure
reads the arrays. Times are nanoseconds of the host's realtime clock (Unix epoch), since that is what the
kernel stamps packets with.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["PACKET", "REPORT", "UNIT", "Capture", "FrameTable", "WireEvent"]

#: One RTP packet. arrival: kernel receive time, ns (for TCP: of the segment that completed it);
#: sequence, timestamp: extended to 64 bit (unwrapped); size: payload bytes; unit: index of its access unit.
PACKET = np.dtype(
    [
        ("arrival", "i8"),
        ("sequence", "i8"),
        ("timestamp", "i8"),
        ("size", "i4"),
        ("payload_type", "u1"),
        ("marker", "?"),
        ("unit", "i4"),
    ]
)
#: One RTCP sender report. ntp: the sender's wall clock, ns since Unix epoch; timestamp: extended ticks.
REPORT = np.dtype(
    [("arrival", "i8"), ("ntp", "i8"), ("timestamp", "i8"), ("packets", "i8"), ("octets", "i8")]
)
#: One access unit (coded picture). offset/size: place in Capture.stream; key: decoding can begin here;
#: intact: no packet of it was lost and its payload parsed; first/last: arrival of first and last packet.
UNIT = np.dtype(
    [
        ("timestamp", "i8"),
        ("first", "i8"),
        ("last", "i8"),
        ("offset", "i8"),
        ("size", "i4"),
        ("key", "?"),
        ("intact", "?"),
    ]
)


@dataclass(frozen=True)
class WireEvent:
    """Something at a time: 'connected', 'disconnected', 'reconnected', 'lost', 'overflow', 'violation' …"""

    time_ns: int
    kind: str
    text: str = ""


@dataclass(frozen=True)
class Capture:
    """One window of one stream. clock_rate: RTP ticks per second. codec: 'h264', 'h265' or 'mjpeg'.

    packets, reports, units: structured arrays (PACKET, REPORT, UNIT). stream: the units' bytes: Annex B
    with parameter sets, or JPEG files. declared: what SDP and ONVIF promised (width, height, fps, codec, bitrate).
    overflow: packets the bench itself lost (socket counters): a bench fault, never the camera's.
    """

    url: str
    transport: str
    codec: str
    clock_rate: int
    started_ns: int
    ended_ns: int
    packets: NDArray[np.void]
    reports: NDArray[np.void]
    units: NDArray[np.void]
    stream: bytes
    declared: dict[str, Any] = field(default_factory=dict)
    events: tuple[WireEvent, ...] = ()
    overflow: int = 0

    @property
    def seconds(self) -> float:
        """Length of the window in seconds."""
        return (self.ended_ns - self.started_ns) / 1e9


@dataclass(frozen=True)
class FrameTable:
    """One row an access unit, in the order of arrival, after one decoding pass.

    timestamp: RTP ticks (i8); arrival: ns of the unit's last packet (i8); decoded: ns when the picture
    was there, i8, 0 where not timed; intact: bool; counter: i8 reading of the content counter, -1 where
    unreadable or absent; lamp: f8 linear light level of the lamp's window, any scale, nan where absent;
    difference: f8 mean absolute luma difference to the previous picture (passive repeat suspicion, 0..255).
    width, height: decoded pixels of each picture (i4). pictures: a few luma arrays (rows, columns) uint8
    for the measurements of the picture, each the last picture of a different GOP where possible.
    errors: (unit index, text) of decoding errors. clock_rate: ticks/s. counter_tick_s: what one step of
    the content counter means, in seconds, from the chart's certificate in the station.
    """

    clock_rate: int
    timestamp: NDArray[np.int64]
    arrival: NDArray[np.int64]
    decoded: NDArray[np.int64]
    intact: NDArray[np.bool_]
    counter: NDArray[np.int64]
    lamp: NDArray[np.float64]
    difference: NDArray[np.float64]
    width: NDArray[np.int32]
    height: NDArray[np.int32]
    pictures: tuple[NDArray[np.uint8], ...] = ()
    errors: tuple[tuple[int, str], ...] = ()
    counter_tick_s: float = 0.01
