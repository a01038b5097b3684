"""Light sources that are not set in lux: what illuminance each of their settings gives, from their certificate."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from instruments.calibration import Calibration
from standards.errors import UsageError

__all__ = ["QUANTITY", "Points", "give_points", "lux_at", "setting_for"]

#: Quantity of the certificate whose points (setting, illuminance) a graded source needs.
QUANTITY = "illuminance_per_setting"

#: (setting in the source's own unit, illuminance at the chart plane in lux), both rising.
Points = Sequence[tuple[float, float]]


def give_points(instrument: object, certificates: Sequence[Calibration]) -> None:
    """Give a graded source its points from the certificate for its own unit; nothing to any other instrument.

    A certificate in another unit, or not of true values in lux, is not used: the source then says what is missing.
    """
    unit = getattr(instrument, "setting_unit", None)
    for one in certificates:
        if unit and (one.quantity, one.gives, one.unit, one.argument_unit) == (
            QUANTITY,
            "true_value",
            "lx",
            unit,
        ):
            instrument.points = tuple((point[0], point[1]) for point in one.points)  # type: ignore[attr-defined]


def _checked(points: Points, who: str) -> list[tuple[float, float]]:
    """The points with the dark before them. Raises UsageError with the mend."""
    found = [(0.0, 0.0), *(point for point in points if point[0] > 0.0)]
    if len(found) < 2:
        raise UsageError(
            f"{who} is not set in lux, and nobody has said what light it gives. Mend: measure it at some settings, and "
            f"enter the points in the station file as a certificate: quantity = '{QUANTITY}', gives = 'true_value', "
            "unit = 'lx', argument_unit = that of the setting"
        )
    if any(b[0] <= a[0] or b[1] <= a[1] for a, b in pairwise(found)):
        raise UsageError(
            f"{who}: the points of {QUANTITY} do not rise. Mend: correct them in the station file"
        )
    return found


def setting_for(lux: float, points: Points, who: str) -> float:
    """The setting that gives an illuminance: on the straight line between two points, the first of which is dark.

    who: the source in words. Raises UsageError beyond the brightest point, where nothing is known.
    """
    found = _checked(points, who)
    if not 0.0 <= lux <= found[-1][1]:
        raise UsageError(f"{lux:g} lx: {who} is known to give 0 to {found[-1][1]:g} lx. Mend: ask for less, or measure "
                         f"more points of {QUANTITY}")  # fmt: skip
    low, high = next((a, b) for a, b in pairwise(found) if lux <= b[1])
    return low[0] + (lux - low[1]) / (high[1] - low[1]) * (high[0] - low[0])


def lux_at(setting: float, points: Points, who: str) -> float:
    """The illuminance that a setting gives. Raises UsageError beyond the last point."""
    found = _checked(points, who)
    if not 0.0 <= setting <= found[-1][0] * (1 + 1e-9):
        raise UsageError(f"{who}: nothing is known of a setting of {setting:g}, above {found[-1][0]:g}")
    low, high = next((a, b) for a, b in pairwise(found) if setting <= b[0] * (1 + 1e-9))
    return low[1] + (setting - low[0]) / (high[0] - low[0]) * (high[1] - low[1])
