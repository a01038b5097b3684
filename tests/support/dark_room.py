"""The station of a dark room: a light box and a certified lux meter, simulated, at addresses of the environment."""

from __future__ import annotations

from collections.abc import Sequence

__all__ = ["dark_room"]

_STATION = """
[station]
name = "dark room"
laboratory = "L"
origin = "simulated"

[instruments.light_box]
driver = "light_box"
address = "$LIGHT_BOX"
set_point = {{ illuminance_lx = {start_lx}, settle_s = 0.5 }}

[instruments.lux_meter]
driver = "lux_meter"
address = "$LUX_METER"

[[instruments.lux_meter.calibration]]
number = "C-1"
laboratory = "L"
quantity = "illuminance"
unit = "lx"
gives = "correction"
points = {points}
issued = 2026-01-10
due = 2036-01-09
"""


def dark_room(points: Sequence[Sequence[float]], *, start_lx: float) -> str:
    """A station file. points: of the meter's certificate: illuminance, correction and expanded uncertainty, lx, and k;
    start_lx: what the light box is set to at first."""
    return _STATION.format(points=[list(point) for point in points], start_lx=start_lx)
