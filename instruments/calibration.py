"""Calibration certificates: what was found, how well, by whom, over which range, and until when it counts.

A certificate gives either one value of its quantity (a lamp's delay, a tape's length) or a table of points. A point
is what the instrument showed or was set to, what was true there (or the correction to add), the expanded uncertainty
and its coverage factor. Between points the straight line counts, and the larger uncertainty of the two neighbours
(JCGM 100:2008, F.2.4.5, asks for the correction to be applied; the larger neighbour is the cautious reading of a
certificate that says nothing about the way between). Outside the points, or the stated range, nothing is known.
"""

from __future__ import annotations

import bisect
import math
from collections.abc import Sequence
from datetime import date, timedelta
from itertools import pairwise
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from standards.errors import CalibrationExpired, InstrumentError

__all__ = ["Calibration", "Point", "find_certificate"]

#: A certificate that runs out within this time is worth a warning.
SOON = timedelta(days=30)

#: One row: reading or nominal value, true value or correction, expanded uncertainty, coverage factor.
Point = tuple[float, float, Annotated[float, Field(gt=0)], Annotated[float, Field(gt=0)]]


class Calibration(BaseModel):
    """One certificate.

    quantity: key of what was calibrated, e.g. 'command_to_light_delay'; part: of which part, e.g. a chart's grey step,
    '' for the whole. Either `value` with expanded_uncertainty and
    coverage_factor, in `unit`; or `points` with `gives`: what a point's second number is. argument, argument_unit:
    what the first number is where it is no reading of the quantity itself (a chart's modulation transfer over its
    frequency). range: where the table counts, default: from its first to its last point. drift: largest change
    expected until it is due, in `unit` (rectangular). due: last day of validity.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)
    number: str = Field(min_length=1)
    laboratory: str = Field(min_length=1)
    quantity: str = Field(min_length=1)
    part: str = ""
    unit: str = Field(min_length=1)
    value: float | None = None
    expanded_uncertainty: float | None = Field(default=None, gt=0)
    coverage_factor: float = Field(default=2.0, gt=0)
    gives: Literal["true_value", "correction"] | None = None
    points: tuple[Point, ...] = ()
    argument: str = ""
    argument_unit: str = ""
    range: tuple[float, float] | None = None
    drift: float = Field(default=0.0, ge=0)
    issued: date
    due: date

    @model_validator(mode="after")
    def _whole(self) -> Calibration:
        if self.due < self.issued:
            raise ValueError(f"due {self.due} is before issued {self.issued}")
        if self.points:
            self._check_points()
        elif self.value is None or self.expanded_uncertainty is None:
            raise ValueError("a certificate has value and expanded_uncertainty, or points")
        elif self.gives is not None or self.argument or self.argument_unit:
            raise ValueError("gives, argument and argument_unit belong to points")
        if self.range is not None and not self.range[0] < self.range[1]:
            raise ValueError(f"range {list(self.range)} does not rise")
        return self

    def _check_points(self) -> None:
        if self.value is not None or self.expanded_uncertainty is not None:
            raise ValueError("a certificate has one value or points, not both")
        if self.gives is None:
            raise ValueError(
                "points need gives: 'true_value' or 'correction', the meaning of the second number"
            )
        firsts = [point[0] for point in self.points]
        if any(b <= a for a, b in pairwise(firsts)):
            raise ValueError("the first numbers of the points must rise")
        if self.argument and self.gives == "correction":
            raise ValueError("a correction belongs to a reading of the quantity itself: leave argument out")
        if self.range is not None and len(self.points) > 1 and not self._within_points(self.range):
            raise ValueError(
                f"range {list(self.range)} reaches beyond the points {firsts[0]:g} to {firsts[-1]:g}"
            )
        if self.range is None and len(self.points) == 1:
            raise ValueError("a single point needs the range that it counts for")

    def _within_points(self, limits: tuple[float, float]) -> bool:
        return self.points[0][0] <= limits[0] and limits[1] <= self.points[-1][0]

    @property
    def limits(self) -> tuple[float, float] | None:
        """Lowest and highest reading (or argument) that the certificate counts for; None for a single value."""
        if self.range is not None or not self.points:
            return self.range
        return self.points[0][0], self.points[-1][0]

    @property
    def standard_uncertainty(self) -> float:
        """Standard uncertainty of `value`, drift included, in `unit`. Raises InstrumentError for a table."""
        if self.expanded_uncertainty is None:
            raise InstrumentError(f"certificate {self.number} is a table: ask it at a reading")
        return self._with_drift(self.expanded_uncertainty / self.coverage_factor)

    def corrected(self, reading: float) -> tuple[float, float]:
        """True value at a reading (or argument), and its standard uncertainty without that of the reading.

        Raises InstrumentError outside the range, and for a certificate of one value, which corrects no reading.
        """
        if not self.points:
            raise InstrumentError(
                f"certificate {self.number} gives one value of {self.quantity} and corrects no reading. "
                "Mend: enter the certificate's table as points"
            )
        low, high = self.limits or (math.nan, math.nan)
        if not low <= reading <= high:
            what = self.argument or self.quantity
            raise InstrumentError(
                f"certificate {self.number} of {self.laboratory}: {what} {reading:g} {self.argument_unit or self.unit} "
                f"lies outside its range, {low:g} to {high:g}. Mend: work within the range, or have it calibrated there"
            )
        second, u = self._between(reading)
        true = reading + second if self.gives == "correction" else second
        return true, self._with_drift(u)

    def _between(self, reading: float) -> tuple[float, float]:
        """The second number on the straight line between the neighbours, and the larger of their u."""
        place = bisect.bisect_left([point[0] for point in self.points], reading)
        above = self.points[min(place, len(self.points) - 1)]
        if above[0] == reading or place in (0, len(self.points)):
            return above[1], above[2] / above[3]
        below = self.points[place - 1]
        share = (reading - below[0]) / (above[0] - below[0])
        return below[1] + share * (above[1] - below[1]), max(below[2] / below[3], above[2] / above[3])

    def _with_drift(self, u: float) -> float:
        return math.hypot(u, self.drift / math.sqrt(3))

    def valid_on(self, day: date) -> bool:
        """True from the day of issue to the last day of validity, both included."""
        return self.issued <= day <= self.due

    def ends_soon(self, day: date) -> bool:
        """Valid on that day, and not for 30 days longer."""
        return self.valid_on(day) and self.due - day < SOON

    def check(self, day: date, holder: str) -> None:
        """Raise CalibrationExpired unless the certificate is valid on `day`; holder: whose it is."""
        if not self.valid_on(day):
            raise CalibrationExpired(
                f"{holder}: certificate {self.number} of {self.laboratory} is valid from {self.issued} to "
                f"{self.due}, not on {day}. Mend: recalibrate, then enter the new certificate in the "
                "station file"
            )


def find_certificate(
    certificates: Sequence[Calibration], quantity: str, reading: float | None = None
) -> Calibration | None:
    """The certificate of a quantity; with a reading, the first whose range holds it, else the first. None without."""
    named = [one for one in certificates if one.quantity == quantity]
    if reading is not None:
        for one in named:
            if one.limits is not None and one.limits[0] <= reading <= one.limits[1]:
                return one
    return named[0] if named else None
