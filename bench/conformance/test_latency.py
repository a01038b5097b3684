"""Latency: from light in the scene to the picture at the bench, by a lamp."""

from __future__ import annotations

from bench.live import Live
from bench.measure import latency
from bench.procedures import requirement
from bench.session import Judge


@requirement("latency.camera", "latency.to_centre", "latency.to_user", needs=("flash_lamp",))
def test_lamp_latency(live: Live, judge: Judge) -> None:
    """Scene to picture, over many flashes at random phase (GA/T 1128-2013, 3.1.4; GB/T 28181-2022, 5.3)."""
    chain = latency.lamp_latency(
        live.frames, live.flashes, delay_s=live.lamp_delay_s, delay_u_s=live.lamp_delay_u_s
    )
    judge(*latency.clauses(chain, display_s=live.display_delay_s, display_u_s=live.display_delay_u_s))
