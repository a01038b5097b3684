"""The way through the light that finds when a camera switches between day and night (docs/methods/day_night.md).

Whoever sets the light and looks is a `Scene`; the bench's is a light box, a lux meter and a camera.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from bench.measure.day_night import tell
from bench.measure.switching import (
    Look,
    Turn,
    hysteresis,
    only_turn,
    search,
    switching_illuminance,
    switching_time,
    turns,
)  # fmt: skip
from standards.errors import MeasurementRefused
from standards.quantity import Estimate

__all__ = ["PATIENCE_S", "Scene", "Seen", "Series", "survey"]

_Floats = NDArray[np.float64]

#: How long a camera may take to switch, seconds: longer is taken for never.
PATIENCE_S = 20.0
_DARKER, _LEAST_LUX = 100.0, 0.02
_MOST_STEPS = 4
_BEYOND = 1.5  # a time is taken this far beyond the illuminance of switching
_MORE, _MORE_S = 1.25, 1.0  # a step lasts so much longer than the switching took
_FIRST_WAIT_S = 2.5


@dataclass(frozen=True)
class Seen:
    """One step: illuminance and its standard uncertainty, lux; cells: (n, 3) of the pictures' mean (`day_night.cells`)."""

    illuminance: float
    u: float
    cells: _Floats


@dataclass(frozen=True)
class Series:
    """Pictures while the light changes: times, seconds; cells of each; set_s: when the light was set, on the same clock;
    settle_s: in which the light had come to what it was set to."""

    times: Sequence[float]
    cells: Sequence[_Floats]
    set_s: float
    settle_s: float


class Scene(Protocol):
    """Sets the light before a camera and looks. lux: nominal."""

    def lit(self, step: str, lux: float, wait_s: float) -> Seen:
        """Set the light, wait, read it, look."""

    def watch(self, step: str, lux: float, seconds: float) -> Series:
        """Look for a time, in the beginning of which the light is set."""


def survey(scene: Scene, start: float, *, patience_s: float = PATIENCE_S) -> tuple[Estimate, ...]:
    """Illuminance of going to night and to day, hysteresis, and the time of both.

    start: lux in which the camera is in day mode and something in view has a colour. Raises MeasurementRefused.
    """
    day = scene.lit("start", start, _FIRST_WAIT_S).cells
    if tell(day).night is not False:
        raise MeasurementRefused(
            f"no colour in view at {start:.3g} lx, or too little: more light, the colour chart before the camera, "
            "IrCutFilter set to AUTO"
        )
    dark, fell_s = _darkness(scene, day, start, patience_s)
    rose_s = _after(scene, "bright", start, patience_s, day, night=False)
    if rose_s is None:
        raise MeasurementRefused(f"the camera does not go back to day at {start:.3g} lx in {patience_s:g} s")
    wait_s = _MORE * max(fell_s, rose_s) + _MORE_S

    def look(step: str, lux: float) -> Look:
        seen = scene.lit(step, lux, wait_s)
        mode = tell(seen.cells, day)
        if mode.night is None:
            raise MeasurementRefused(
                f"day or night cannot be told at {seen.illuminance:.3g} lx: {mode.reason}"
            )
        return Look(seen.illuminance, seen.u, mode.night)

    down = switching_illuminance(search(look, start, dark), night=True)
    up = switching_illuminance(search(look, dark, start), night=False)
    lower, upper = float(down.value) / _BEYOND, min(float(up.value) * _BEYOND, start)
    scene.lit("ready", upper, wait_s)  # from near: the light passes the threshold while it settles
    times = [
        _time(scene, f"to_{'night' if night else 'day'}", lux, 2 * wait_s, day, night=night)
        for lux, night in ((lower, True), (upper, False))
    ]
    scene.lit("night_picture", lower, wait_s)
    return down, up, hysteresis(down, up), *times


def _darkness(scene: Scene, day: _Floats, start: float, patience_s: float) -> tuple[float, float]:
    """Nominal lux in which the camera goes to night, and the seconds that it takes. Raises MeasurementRefused."""
    lux = start
    for number in range(_MOST_STEPS):
        lux = max(lux / _DARKER, _LEAST_LUX)
        seconds = _after(scene, f"dark.{number}", lux, patience_s, day, night=True)
        if seconds is not None:
            return lux, seconds
        if lux == _LEAST_LUX:
            break
    raise MeasurementRefused(
        f"the camera was not seen to go to night down to {lux:.3g} lx in {patience_s:g} s: IrCutFilter set to AUTO, its "
        "lamp on, light enough to tell"
    )


def _turns(series: Series, day: _Floats, *, night: bool) -> list[Turn]:
    """Changes of mode; before the light was set the camera was in the other mode."""
    return turns(series.times, [tell(cells, day).night for cells in series.cells], began=not night)


def _after(scene: Scene, step: str, lux: float, seconds: float, day: _Floats, *, night: bool) -> float | None:
    """Seconds from the light's change to the mode; None if it did not come. Raises MeasurementRefused if it hunts."""
    series = scene.watch(step, lux, seconds)
    turn = only_turn(_turns(series, day, night=night), night=night, set_s=series.set_s, lux=lux)
    return turn.at - series.set_s if turn is not None else None


def _time(scene: Scene, step: str, lux: float, seconds: float, day: _Floats, *, night: bool) -> Estimate:
    series = scene.watch(step, lux, seconds)
    found = _turns(series, day, night=night)
    return switching_time(found, night=night, set_s=series.set_s, settle_s=series.settle_s, lux=lux)
