"""At which illuminance a camera goes to night and back to day, and how long it takes (docs/methods/day_night.md).

The light is stepped down by 2 until the camera goes to night, then the gap is halved until it is narrow; and the same
upwards. Going back and forth has hysteresis: before a trial on the far side the camera is brought back to where it came
from.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from bench.measure.uncertainty import combine, normal, rectangular
from standards.errors import MeasurementRefused
from standards.quantity import Contribution, Estimate, Kind

__all__ = [
    "Look",
    "Turn",
    "hysteresis",
    "only_turn",
    "search",
    "switching_illuminance",
    "switching_time",
    "turns",
]

_STEP, _NARROW, _MOST = 2.0, 1.06, 40
_IN_A_ROW = 3  # pictures of a mode before it counts
_PAGE = "docs/methods/day_night.md"
#: Of the picture until it came, seconds: taken off by its middle where nobody measured it.
_LATENCY_S = 0.5


@dataclass(frozen=True)
class Look:
    """One step. illuminance and its standard uncertainty, lux; night: in which mode the camera was after its time."""

    illuminance: float
    u: float
    night: bool


def search(look: Callable[[str, float], Look], start: float, end: float) -> list[Look]:
    """Looks on the way from one mode into the other. look: sets a nominal illuminance, waits, reads it, tells the mode.

    start, end: lux at which the camera is known to be in the mode it comes from, and in the other one. Raises
    MeasurementRefused where it is not in the first mode at the start, or not in the other by the end.
    """
    looks: list[Look] = []

    def at(lux: float) -> bool:
        looks.append(look(f"{'down' if end < start else 'up'}.{len(looks):02d}", lux))
        return looks[-1].night

    came = end > start  # the mode it comes from: night on the way up

    def back() -> None:
        if at(start) is not came:
            raise MeasurementRefused(
                f"the camera does not come back to {'night' if came else 'day'} at {start:.3g} lx: "
                "longer wait, steadier light"
            )

    step = _STEP if end > start else 1 / _STEP
    back()
    near, far = start, 0.0
    while not far:
        lux = near * step
        lux = min(lux, end) if end > start else max(lux, end)
        if at(lux) is not came:
            far = lux
        elif lux == end:
            raise MeasurementRefused(f"the camera stays in {'night' if came else 'day'} mode at {end:.3g} lx")
        else:
            near = lux
    there = True
    while max(near / far, far / near) > _NARROW and len(looks) < _MOST:
        if there:
            back()
        middle = math.sqrt(near * far)
        there = at(middle) is not came
        near, far = (near, middle) if there else (middle, far)
    return looks


def switching_illuminance(looks: Sequence[Look], *, night: bool) -> Estimate:
    """`picture.to_night_illuminance`, or of going back `picture.to_day_illuminance`, lux: between the two steps either side.

    looks: of one way, in any order. Raises MeasurementRefused where there are none either side, or they overlap: then the
    camera does not go by the illuminance alone.
    """
    below = [one for one in looks if one.night]
    above = [one for one in looks if not one.night]
    if not below or not above:
        raise MeasurementRefused("the camera was seen in one mode only: no illuminance at which it switches")
    # What it comes from also holds beyond the other threshold: only the nearest of each side say where it goes.
    low, high = max(below, key=lambda one: one.illuminance), min(above, key=lambda one: one.illuminance)
    if low.illuminance >= high.illuminance:
        raise MeasurementRefused(
            f"night at {low.illuminance:.3g} lx and day at {high.illuminance:.3g} lx: the camera does not switch at one "
            "illuminance. Longer wait, steadier light, its own lamp off the meter"
        )
    value = math.sqrt(low.illuminance * high.illuminance)
    width = math.log(high.illuminance / low.illuminance)
    meter = max(low.u / low.illuminance, high.u / high.illuminance)
    budget = (
        normal("lux meter: certificate and scatter", value * meter, source="certificate"),
        rectangular("width of the step", value * width / 2, "this search"),
    )
    u, dof = combine(budget)
    details = {
        "illuminance_lx": [round(one.illuminance, 5) for one in looks],
        "night": [one.night for one in looks],
        "step_lx": [round(low.illuminance, 5), round(high.illuminance, 5)],
    }
    key = "picture.to_night_illuminance" if night else "picture.to_day_illuminance"
    return Estimate(
        quantity=key, kind=Kind.RATIO, value=value, unit="lx", u=u, dof=dof, budget=budget, details=details
    )


def hysteresis(to_night: Estimate, to_day: Estimate) -> Estimate:
    """`picture.day_night_hysteresis`: illuminance of going back to day over that of going to night.

    The meter's error counts at both as if they were independent, since a certificate does not say how far they go together.
    """
    ratio = float(to_day.value) / float(to_night.value)
    budget = tuple(
        Contribution(
            name=name, u=ratio * (one.u or 0.0) / float(one.value), dof=one.dof, source="this search"
        )
        for name, one in (
            ("illuminance of going to night", to_night),
            ("illuminance of going to day", to_day),
        )
    )
    u, dof = combine(budget)
    return Estimate(
        quantity="picture.day_night_hysteresis", kind=Kind.RATIO, value=ratio, unit="1", u=u, dof=dof, budget=budget,
        details={"difference_lx": round(float(to_day.value) - float(to_night.value), 5)},
    )  # fmt: skip


@dataclass(frozen=True)
class Turn:
    """A change of mode in a series of pictures. night: what it became; before, at: seconds of the last picture that was
    surely in the old mode and of the first that was surely in the new one."""

    night: bool
    before: float
    at: float


def turns(times: Sequence[float], nights: Sequence[bool | None], *, began: bool) -> list[Turn]:
    """Changes of mode. times: of each picture, seconds, growing; nights: its mode, None where it cannot be told (too dark,
    white): those say nothing; began: the mode before the first. A mode counts from the first of three told pictures of it
    on."""
    told = [(t, night) for t, night in zip(times, nights, strict=True) if night is not None]
    found: list[Turn] = []
    mode, last = began, times[0] if len(times) else 0.0
    for place, (t, night) in enumerate(told):
        coming = told[place : place + _IN_A_ROW]
        if night is not mode and len(coming) == _IN_A_ROW and all(n is night for _, n in coming):
            found.append(Turn(night, last, t))
            mode = night
        if night is mode:
            last = t
    return found


def only_turn(found: Sequence[Turn], *, night: bool, set_s: float, lux: float) -> Turn | None:
    """The turn into a mode after the light was set to `lux`; None if there is none.

    Raises MeasurementRefused if the camera turns again under the same light: it hunts.
    """
    ours = [turn for turn in found if turn.at > set_s]
    if len(ours) > 1:
        raise MeasurementRefused(
            f"the camera changes its mode {len(ours)} times under steady {lux:.3g} lx: it hunts between day and night"
        )
    return ours[0] if ours and ours[0].night is night else None


def switching_time(
    found: Sequence[Turn], *, night: bool, set_s: float, settle_s: float, lux: float
) -> Estimate:
    """`picture.to_night_time` or `picture.to_day_time`: from the light's change to the first picture in the new mode, s.

    found: turns, those after it count; set_s: when the light was set, on the clock of the turns; settle_s: in which it
    may have come to where it counts; lux: what it was set to. Raises MeasurementRefused without a turn into the mode, or
    if the camera turns again (it hunts).
    """
    into = "night" if night else "day"
    turn = only_turn(found, night=night, set_s=set_s, lux=lux)
    if turn is None:
        raise MeasurementRefused(f"the camera was not seen to go to {into} at {lux:.3g} lx")
    before = max(turn.before, set_s)
    value = (before + turn.at) / 2 - set_s - settle_s / 2 - _LATENCY_S / 2
    budget = (
        rectangular("between two pictures", (turn.at - before) / 2, "time of the pictures"),
        rectangular("settling of the light", settle_s / 2, "light box"),
        rectangular("delay until the picture came", _LATENCY_S / 2, _PAGE),
    )
    u, dof = combine(budget)
    return Estimate(
        quantity=f"picture.to_{into}_time", kind=Kind.RATIO, value=max(value, 0.0), unit="s", u=u, dof=dof, budget=budget,
        notes=(f"under {lux:.3g} lx, as set",),
    )  # fmt: skip
