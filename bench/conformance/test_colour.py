"""Colours of the picture, from the patches of the colour chart."""

from __future__ import annotations

from bench.live import Live
from bench.measure.colour import colour_error, patch_signals, white_balance_error
from bench.procedures import requirement
from bench.session import Judge


@requirement("picture.colour_error", "picture.white_balance_error")
def test_colour_rendition(live: Live, judge: Judge) -> None:
    """Mean CIE 2000 colour difference of the patches, and the greys' distance from grey."""
    seen = patch_signals(live.colour, live.view("colour"))
    certified, lab_u = live.chart_colours, live.colours_u
    judge(
        colour_error(seen, certified=certified, lab_u=lab_u),
        white_balance_error(seen, certified=certified, lab_u=lab_u),
    )
