"""Limiting resolution and MTF50 by Siemens stars: all directions at once, beside edges and wedges."""

from __future__ import annotations

from bench.live import Live
from bench.measure.star_resolution import star_resolution
from bench.procedures import requirement
from bench.session import Judge
from standards.errors import MeasurementRefused


@requirement("resolution.star_centre", "resolution.star_mtf50", "resolution.star_corner_ratio")
def test_star_resolution(live: Live, judge: Judge) -> None:
    """TV lines at 10 % and at 50 % of modulation in the centre, and the corners' share."""
    bits = live.stream.bits_per_pixel
    found = star_resolution(
        live.frames.pictures, live.view("star"), bits_per_pixel=bits, density_u=live.density_u
    )
    judge(*found)
    if not any(estimate.quantity == "resolution.star_mtf50" for estimate in found):
        raise MeasurementRefused(
            "the star's response falls to 50 % outside the frequencies that it shows: a larger picture, or edges"
        )
