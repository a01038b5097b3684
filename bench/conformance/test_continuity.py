"""Continuous recording: every missing, repeated and damaged picture and every gap, named."""

from __future__ import annotations

from bench.live import Live
from bench.measure import continuity, transport
from bench.procedures import requirement
from bench.session import Judge


@requirement("stream.interruptions", "stream.completeness", version="2")
def test_continuity(live: Live, judge: Judge) -> None:
    """Interruptions and incomplete pictures of the live stream (Order 230, Art. 19(7); GB 50395, 5.0.5)."""
    timeline = continuity.timeline(live.frames, live.capture, interruption_s=live.interruption_s)
    judge(continuity.interruptions(timeline), continuity.completeness(timeline))


@requirement("rtp.timestamp_rule")
def test_timestamp_rule(live: Live, judge: Judge) -> None:
    """One RTP timestamp a picture, another for the next (GB/T 28181-2022, 4.3.6)."""
    judge(transport.timestamp_rule(live.capture))
