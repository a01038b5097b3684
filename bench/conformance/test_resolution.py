"""Resolution: pixels decoded, and what the picture resolves of a slanted edge."""

from __future__ import annotations

from bench.live import Live
from bench.measure import picture, resolution
from bench.measure.sharpness import centre_edges, sharpness, tone_uncertainty
from bench.procedures import requirement
from bench.session import Judge


@requirement("picture.width", "picture.height")
def test_picture_size(live: Live, judge: Judge) -> None:
    """Pixels of the decoded pictures, beside those declared by SDP and ONVIF (GB 50395-2007, 5.0.10)."""
    judge(*picture.picture_size(live.frames, live.capture.declared))


@requirement("resolution.centre", "resolution.corner_ratio", version="4")
def test_limiting_resolution(live: Live, judge: Judge) -> None:
    """Limiting resolution of slanted edges at 10 % modulation, centre and corners, in TV lines."""
    found = resolution.resolution(
        live.frames.pictures,
        live.view("camcert-1", "edges"),
        chart_mtf=live.chart_mtf,
        bits_per_pixel=live.stream.bits_per_pixel,
        density_u=live.density_u,
    )
    judge(*found)


@requirement("resolution.sampling_efficiency", "resolution.oversharpening", version="3")
def test_sharpness(live: Live, judge: Judge) -> None:
    """What share of what its pixels can carry the picture resolves, and by how much it is sharpened beyond the lens."""
    pictures, view = live.frames.pictures, live.view("camcert-1", "edges")
    tone_u = tone_uncertainty(pictures, view, density_u=live.density_u)
    judge(*sharpness(centre_edges(pictures, view), tone_u=tone_u))
