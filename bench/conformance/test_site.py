"""On site: what a target of certified length, held where the subject will stand, measures in the picture."""

from __future__ import annotations

from bench.judge import Judge
from bench.live import Live
from bench.measure.pixel_density import pixel_density
from bench.procedures import requirement


@requirement("picture.pixel_density", "picture.pixel_density_vertical")
def test_pixel_density(live: Live, judge: Judge) -> None:
    """Pixels a metre at the board (IEC 62676-4), across and down."""
    judge(*pixel_density(live.frames.pictures, live.board))
