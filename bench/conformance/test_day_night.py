"""Day and night: when the camera switches by the light and how long it takes, and in which mode it is where it hangs."""

from __future__ import annotations

import numpy as np

from bench.camera.stills import colour_pictures, colour_series
from bench.judge import Judge
from bench.live import Live
from bench.measure.day_night import cells, day_night_mode
from bench.measure.day_night_survey import Seen, Series, survey
from bench.procedures import requirement
from bench.stage import Stage
from standards.errors import MeasurementRefused

#: In which a light box comes to what it is set to, seconds; the meter is read later than that.
_SETTLE_S = 0.5


class _OnStage:
    """A stage as the survey sees it."""

    def __init__(self, stage: Stage) -> None:
        self._stage = stage

    def lit(self, step: str, lux: float, wait_s: float) -> Seen:
        """Set the light, wait, read it, look."""
        lit = self._stage.lit(f"day_night.{step}", lux, wait_s)
        shown = [cells(picture) for picture in colour_pictures(lit.capture)]
        return Seen(lit.illuminance, lit.u, np.mean(shown, axis=0))

    def watch(self, step: str, lux: float, seconds: float) -> Series:
        """Look for a time, in the beginning of which the light is set."""
        found = self._stage.watch(f"day_night.{step}", lux, seconds)
        shown = [(index, cells(picture)) for index, picture in colour_series(found.capture)]
        first, units = found.capture.started_ns, found.capture.units
        stamps = units["timestamp"].astype(np.float64) / found.capture.clock_rate
        # By the camera's own time base, set by what came soonest: a picture that queued was not taken later.
        when = stamps + ((units["last"] - first) / 1e9 - stamps).min()
        times = [float(when[index]) for index, _ in shown]
        return Series(times, [one for _, one in shown], (found.set_ns - first) / 1e9, _SETTLE_S)


@requirement(
    "picture.to_night_illuminance",
    "picture.to_day_illuminance",
    "picture.day_night_hysteresis",
    "picture.to_night_time",
    "picture.to_day_time",
    needs=("light_box", "lux_meter"),
)
def test_day_night_switching(stage: Stage, judge: Judge) -> None:
    """The illuminance at which the camera goes to night and back to day, the hysteresis, and the time it takes."""
    before, told = stage.illuminance_set, stage.ir_cut_filter
    if told in ("on", "off"):
        raise MeasurementRefused(
            f"the camera's IrCutFilter is {told.upper()}: it does not go by the light. Set it to AUTO"
        )
    try:
        found = survey(_OnStage(stage), before)
    finally:
        stage.restore(before)
    judge.about(stage.evidence, *found)


@requirement("picture.day_night_mode")
def test_day_night_mode(live: Live, judge: Judge) -> None:
    """Whether the camera is in day or in night mode now: the picture is kept as evidence."""
    try:
        view = live.chart
    except MeasurementRefused:
        view = None  # any scene with colours tells day
    judge(day_night_mode(live.colour, view))
