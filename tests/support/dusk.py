"""A light box, a lux meter and a virtual camera's eye without wire and waiting: time goes as fast as pictures are drawn."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

import numpy as np
from imaging_world import START_NS, imager
from numpy.typing import NDArray

from bench.measure.colour_picture import ColourPicture
from bench.measure.day_night import cells
from bench.measure.day_night_survey import Seen, Series
from fixtures.simulated.config.day_night import DayNightTable
from fixtures.simulated.day_night import DayNight
from fixtures.simulated.picture import Adjustments, Frame, Moment
from fixtures.world import World

EXPOSURE = {"mode": "auto", "max_gain_db": 30.0, "tau_s": 0.15}


def colour_of(frame: Frame) -> ColourPicture:
    """A frame as the decoder would give it."""
    height, width = frame.luma.shape
    flat, quarter = frame.planes.reshape(-1)[height * width :], height * width // 4
    half = (height // 2, width // 2)
    return ColourPicture(
        frame.luma.copy(), flat[:quarter].reshape(half).copy(), flat[quarter:].reshape(half).copy()
    )


class Dusk:
    """A `Scene` (bench.measure.day_night_survey). light_gain: of the light box; meter_gain, meter_u: of the lux meter,
    relative; settle_s: of the light; fps: pictures a second; latency_s: until a picture comes.
    true_s: seconds from the light's change to each change of mode, by step. What pictures show is `Looks`' to say."""

    def __init__(
        self,
        looks: Looks,
        table: DayNightTable,
        *,
        light_gain: float = 1.0,
        meter_gain: float = 1.0,
        meter_u: float = 0.01,
        settle_s: float = 0.5,
        fps: float = 12.5,
        latency_s: float = 0.2,
    ) -> None:
        self._looks, self._eye = looks, DayNight(table)
        self.world = World({"illuminance_lx": 100.0})
        self._light_gain, self._meter = light_gain, (meter_gain, meter_u)
        self._settle_s, self._step_ns, self._latency_s = settle_s, round(1e9 / fps), latency_s
        self._now, self._index, self._step, self._set_ns = START_NS, 0, "", START_NS
        self.true_s: dict[str, list[float]] = {}

    def _pass(self, seconds: float, *, shown_s: float) -> list[tuple[float, NDArray[np.float64]]]:
        """Let time pass; the pictures' cells in the last part of it, and when each came."""
        end, found = self._now + round(seconds * 1e9), []
        while self._now < end:
            self._now += self._step_ns
            self._index += 1
            lux = self.world.value("illuminance_lx", self._now)
            if self._eye.follow("auto", lux, self._now) is not None:
                self.true_s.setdefault(self._step, []).append((self._now - self._set_ns) / 1e9)
            shown = self._now > end - round(shown_s * 1e9)
            seen = self._looks(self._index, self._now, self.world, night=self._eye.night, shown=shown)
            if shown:
                found.append(((self._now - START_NS) / 1e9 + self._latency_s, seen))
        return found

    def _set(self, step: str, lux: float) -> None:
        self._step, self._set_ns = step, self._now
        lux *= self._light_gain
        self.world.set("illuminance_lx", lux, tau_s=self._settle_s / 5, at_ns=self._now)

    def lit(self, step: str, lux: float, wait_s: float) -> Seen:
        """Set the light, wait, read it, look."""
        self._set(step, lux)
        shown = self._pass(wait_s + 0.3, shown_s=0.3)
        gain, u = self._meter
        read = self.world.value("illuminance_lx", self._now) * gain
        return Seen(read, u * read, np.mean([seen for _, seen in shown], axis=0))

    def watch(self, step: str, lux: float, seconds: float) -> Series:
        """Look for a time, in the beginning of which the light is set."""
        before = self._pass(0.2, shown_s=0.2)
        self._set(step, lux)
        set_s = (self._now - START_NS) / 1e9
        shown = [*before, *self._pass(seconds, shown_s=seconds)]
        return Series([t for t, _ in shown], [seen for _, seen in shown], set_s, self._settle_s)


class Looks(Protocol):
    """What a camera's picture looks like, by cells."""

    def __call__(
        self, index: int, now_ns: int, world: World, *, night: bool, shown: bool
    ) -> NDArray[np.float64]: ...


class Sketched:
    """Colours of a drawn scene that vanish at night, under ideal exposure: no picture is drawn."""

    def __init__(self, draw: np.random.Generator) -> None:
        self._draw = draw
        self._day = np.column_stack([draw.uniform(20, 180, 60), 25 * draw.standard_normal((60, 2))])

    def __call__(
        self, index: int, now_ns: int, world: World, *, night: bool, shown: bool
    ) -> NDArray[np.float64]:
        seen = self._day * (1.0, 0.0, 0.0) if night else self._day
        return seen + 0.2 * self._draw.standard_normal(seen.shape)


class Pictured:
    """Pictures of the virtual camera's eye; every fourth where nobody looks, for the exposure."""

    def __init__(self, table: DayNightTable, size: tuple[int, int] = (320, 180), **tables: Any) -> None:
        tables = {"scene": {"chart": "colour"}, "exposure": EXPOSURE, **tables}
        self._imager = imager(*size, day_night=table.model_dump(), **tables)

    def __call__(
        self, index: int, now_ns: int, world: World, *, night: bool, shown: bool
    ) -> NDArray[np.float64]:
        if not shown and index % 4:
            return np.zeros((0, 3))
        self._imager.adjust(Adjustments(night=night))
        frame = self._imager.frame(Moment(index, now_ns, world))
        return cells(colour_of(frame)) if shown else np.zeros((0, 3))


def drawn_camera(seed: Sequence[int], *, longest_s: float) -> tuple[DayNightTable, dict[str, float]]:
    """A drawn camera, and keywords of `Dusk` for what stands around it: a light box 10 % off, a lux meter 1 %, both unknown
    to the survey. longest_s: until it switches."""
    draw = np.random.default_rng(seed)
    night_lx = float(10 ** draw.uniform(-0.3, 1.0))
    lamp = draw.random() < 0.7
    table = DayNightTable(
        night_lx=night_lx, day_lx=min(night_lx * float(draw.uniform(1.3, 5.0)), 60.0),
        night_after_s=float(draw.uniform(0.2, longest_s)), day_after_s=float(draw.uniform(0.2, longest_s)),
        lamp="infrared" if lamp else "none", lamp_lx=float(draw.uniform(10, 100)) if lamp else 0.0,
        infrared=float(draw.uniform(0, 1)),
    )  # fmt: skip
    around = {
        "light_gain": float(draw.uniform(0.9, 1.1)), "meter_gain": 1 + 0.01 * float(draw.standard_normal()),
        "settle_s": float(draw.uniform(0.05, 0.5)), "latency_s": float(draw.uniform(0.02, 0.48)),
    }  # fmt: skip
    return table, around


def truth_of(table: DayNightTable) -> dict[str, float]:
    """By quantity."""
    return {
        "picture.to_night_illuminance": table.night_lx, "picture.to_day_illuminance": table.day_lx,
        "picture.day_night_hysteresis": table.day_lx / table.night_lx, "picture.to_night_time": table.night_after_s,
        "picture.to_day_time": table.day_after_s,
    }  # fmt: skip
