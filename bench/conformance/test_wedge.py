"""Limiting resolution by hyperbolic wedges: a second way beside slanted edges, for whoever reads lines."""

from __future__ import annotations

from bench.live import Live
from bench.measure.wedge import wedge_resolution
from bench.procedures import requirement
from bench.session import Judge


@requirement("resolution.wedge_centre", "resolution.wedge_corner_ratio", version="2")
def test_wedge_resolution(live: Live, judge: Judge) -> None:
    """TV lines at 10 % of modulation, centre and corners."""
    bits = live.stream.bits_per_pixel
    judge(
        *wedge_resolution(
            live.frames.pictures, live.view("wedge"), bits_per_pixel=bits, density_u=live.density_u
        )
    )
