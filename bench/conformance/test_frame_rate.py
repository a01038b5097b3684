"""Frame rate: the camera's time base, the arrival, and the pictures that are not repeats."""

from __future__ import annotations

from bench.live import Live
from bench.measure import frame_rate
from bench.procedures import requirement
from bench.session import Judge


@requirement("frame_rate.time_base", "frame_rate.arrival", "frame_rate.live")
def test_live_frame_rate(live: Live, judge: Judge) -> None:
    """Frames per second by RTP time, by arrival, and of non-repeated pictures (GA/T 1128-2013, 3.1.3)."""
    judge(
        frame_rate.time_base(live.frames),
        frame_rate.arrival(live.frames),
        frame_rate.unique(live.frames, interruption_s=live.interruption_s),
    )
