"""What the camera makes of its light: little of it (box and certified lux meter say how far), and pulses."""

from __future__ import annotations

from bench.camera import decode
from bench.judge import Judge
from bench.live import Live
from bench.measure import maximum_illumination as brightest
from bench.measure.flicker import flicker
from bench.measure.minimum_illumination import Level, contrast, minimum_illumination, search
from bench.procedures import requirement
from bench.stage import Stage
from standards.errors import UsageError

#: Charts whose grey steps tell the tone curve.
CHARTS = ("camcert-1", "edges", "wedge", "grey")


@requirement("picture.minimum_illumination", needs=("light_box", "lux_meter"))
def test_minimum_illumination(stage: Stage, judge: Judge) -> None:
    """The illuminance at which white and black of the chart differ by 30 % of the full signal."""
    before = stage.illuminance_set
    view = stage.chart(stage.lit("start", before))

    def look(step: str, lux: float) -> Level:
        lit = stage.lit(step, lux)
        difference, u = contrast(decode.read_frames(lit.capture, look=None).pictures, view)
        return Level(lit.illuminance, lit.u, difference, u)

    try:
        levels = search(look, before)
    finally:
        stage.restore(before)
    judge.about(stage.evidence, minimum_illumination(levels, exposure=stage.exposure))


@requirement("picture.maximum_illumination", needs=("light_box", "lux_meter"))
def test_maximum_illumination(stage: Stage, judge: Judge) -> None:
    """The highest illuminance at which the chart's two lightest grey steps are still told apart."""
    before = stage.illuminance_set
    view = stage.chart(stage.lit("bright.start", before))

    def look(step: str, lux: float) -> brightest.White | None:
        try:
            lit = stage.lit(f"bright.{step}", lux)
        except UsageError:  # more than the light box gives
            return None
        shown = decode.read_frames(lit.capture, look=None).pictures
        return brightest.White(lit.illuminance, lit.u, *brightest.apart(shown, view))

    try:
        whites = brightest.search(look, before)
    finally:
        stage.restore(before)
    judge.about(stage.evidence, brightest.maximum_illumination(whites, exposure=stage.exposure))


@requirement("picture.flicker")
def test_flicker(live: Live, judge: Judge) -> None:
    """Modulation of the picture by lamps on the mains, and of which mains."""
    judge(flicker(live.stack.pictures, live.stack.run, live.view(*CHARTS), frame_rate=live.frame_rate))
