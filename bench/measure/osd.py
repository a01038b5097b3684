"""The time that stands in the picture, against the time at which the picture came."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np
from numpy.typing import NDArray

from bench.measure.osd_glyphs import Box, Line, lines_of
from bench.measure.uncertainty import combine, normal, rectangular
from standards.errors import MeasurementRefused
from standards.quantity import Estimate, Kind

__all__ = ["FORMATS", "Reading", "layout_of", "osd_time_offset", "read_time", "read_times"]

_Luma = NDArray[np.uint8]

#: Layouts of date and time by name; up to four unknown signs may stand between date and time (a day of the week).
FORMATS = ("yyyy-mm-dd", "yyyy/mm/dd", "dd/mm/yyyy", "mm/dd/yyyy", "dd-mm-yyyy", "yyyy年mm月dd日")
_TIME = r"\?{0,4}(?P<H>[\d?]{2}):(?P<M>[\d?]{2}):(?P<S>[\d?]{2})(?![\d:])"
#: What a sign of a layout may have been taken for.
_LOOSE = {"-": "-", "/": "[/?1]", "年": "[年?]", "月": "[月?]", "日": "[日?8]"}
_PARTS = "ymdHMS"
_SIZE = 36.0  # pixels: height that digits are brought to before they are read
_SOFT = (0.9, 2.0)  # pixels there, sigma of the Gaussian against noise
_LIKE, _APART = 0.72, 0.035  # least mean correlation of a digit, and least lead over the next
_FIRST_YEAR, _LAST_YEAR = 1970, 2100
_VOTES = 4  # readings of one picture that have to be there
_FEWEST, _LEAST_SHARE = 3, 0.6  # pictures that have to be read
_MOST_PICTURES = 400


@dataclass(frozen=True)
class Reading:
    """shown: seconds since 1970 as the text says them, without time zone; box: where, pixels; height: of the digits,
    pixels; votes: readings that were taken together; like, apart: least correlation and lead of a digit in them."""

    shown: int
    box: Box
    height: float
    votes: int
    like: float
    apart: float


@dataclass(frozen=True)
class _Match:
    """A line in which a layout stands. digits: (14, 10) correlation of each of y, m, d, H, M, S with each digit."""

    line: Line
    digits: NDArray[np.float64]

    @property
    def quality(self) -> float:
        """The mean correlation of the digits with what each is most like."""
        return float(self.digits.max(1).mean())


def _pattern(layout: str) -> re.Pattern[str]:
    """What a layout may have been taken for. Raises ValueError for an unknown one."""
    if layout not in FORMATS:
        raise ValueError(f"layout {layout!r} is none of {', '.join(FORMATS)}")
    date = ""
    for run in re.findall(r"y+|m+|d+|[^ymd]", layout):
        date += f"(?P<{run[0]}>[\\d?]{{{len(run)}}})" if run[0] in "ymd" else _LOOSE[run]
    return re.compile(r"(?<!\d)" + date + _TIME)


def _matches(lines: Iterable[Line], pattern: re.Pattern[str]) -> list[_Match]:
    """Every line that holds the layout once."""
    found = []
    for line in lines:
        seen = list(pattern.finditer(line.text))
        if len(seen) == 1:
            places = [n for part in _PARTS for n in range(*seen[0].span(part))]
            found.append(_Match(line, line.likeness[places, :10]))
    return found


def _when(digits: NDArray[np.int64]) -> int | None:
    """Seconds since 1970 of the figures y, m, d, H, M, S; None where there is no such time."""
    text = "".join(map(str, digits.tolist()))
    try:
        when = datetime.strptime(text, "%Y%m%d%H%M%S").replace(tzinfo=UTC)
    except ValueError:
        return None
    return int(when.timestamp()) if _FIRST_YEAR <= when.year <= _LAST_YEAR else None


def _elected(matches: list[_Match], line: Line) -> Reading | None:
    """What the better half of all readings of a line say together; None where one of its digits is not certain."""
    if len(matches) < _VOTES:
        return None
    best = sorted(matches, key=lambda m: -m.quality)[: max(_VOTES, (len(matches) + 1) // 2)]
    mean = np.mean([m.digits for m in best], axis=0)
    two = np.sort(mean, axis=1)[:, -2:]
    like, apart = float(two[:, 1].min()), float((two[:, 1] - two[:, 0]).min())
    shown = _when(mean.argmax(1))
    if shown is None or like < _LIKE or apart < _APART:
        return None
    return Reading(shown, line.box, line.height, len(best), like, apart)


def _part(luma: _Luma, box: Box, height: float) -> _Luma:
    """The picture around a line."""
    pad = round(0.8 * height)
    top, left = max(box.top - pad, 0), max(box.left - pad, 0)
    return luma[top : box.top + box.height + pad, left : box.left + box.width + pad]


def read_time(
    luma: _Luma, layout: str = "yyyy-mm-dd", *, near: tuple[Box, float] | None = None
) -> Reading | None:
    """Date and time that stand in a picture, once and for certain; None otherwise.

    luma: (rows, columns) uint8; layout: one of FORMATS; near: box and height, pixels, of the line in a picture of the same
    camera, to look there alone. Raises ValueError for an unknown layout.
    """
    pattern = _pattern(layout)
    if near is not None:
        return _read_near(luma, pattern, *near)
    for scale in (1.0, 2.0):
        found = sorted(
            _matches(lines_of(luma, scale, soft=0.6 * scale, fine=True), pattern), key=lambda m: -m.quality
        )
        if found and (one := _read_near(luma, pattern, found[0].line.box, found[0].line.height)) is not None:
            return one
    return None


def _read_near(luma: _Luma, pattern: re.Pattern[str], box: Box, height: float) -> Reading | None:
    """Date and time of a line whose place is known."""
    part, found = _part(luma, box, height), list[_Match]()
    for soft in _SOFT:
        found += _matches(lines_of(part, _SIZE / height, soft=soft, fine=True), pattern)
    return _elected(found, Line("", height, box, np.zeros((0, 0))))


def layout_of(luma: _Luma) -> str:
    """The one layout of FORMATS in which a picture shows date and time.

    luma: (rows, columns) uint8. Raises MeasurementRefused where none is read, or the text fits several (03/04/2026).
    """
    for scale in (1.0, 2.0):
        if not any(_matches(lines_of(luma, scale), _pattern(name)) for name in FORMATS):
            continue
        fit = [name for name in FORMATS if read_time(luma, name) is not None]
        if len(fit) == 1:
            return fit[0]
        if fit:
            raise MeasurementRefused(
                f"the date may be meant as {' or '.join(fit)}: show it with the year first"
            )
    raise MeasurementRefused(
        "date and time are not there, or not legible: show them as 2026-11-26 13:45:07 or the like, with a rim"
    )


def read_times(pictures: Sequence[_Luma], layout: str = "yyyy-mm-dd") -> tuple[Reading | None, ...]:
    """`read_time` of several pictures of one camera, whose text stands where the first that is read has it; None for each
    picture that is not read for certain. The whole picture is searched in the first three alone. Raises ValueError for an
    unknown layout."""
    near: tuple[Box, float] | None = None
    found: list[Reading | None] = []
    for number, luma in enumerate(pictures[:_MOST_PICTURES]):
        one = read_time(luma, layout, near=near) if near is not None or number < _FEWEST else None
        if one is not None and near is None:
            near = (one.box, one.height)
        found.append(one)
    return tuple(found)


def osd_time_offset(
    readings: Sequence[Reading | None],
    times: Sequence[float],
    *,
    utc_offset_min: int = 480,
    time_u: float = 0.02,
    delay_most: float = 0.0,
) -> Estimate:
    """Time that the text shows less the time at which the picture came, s: the middle of what all pictures allow.

    readings: of pictures of one camera, as `read_times` gives them; times: seconds since 1970 (UTC) at which each came, of
    standard uncertainty time_u, s; utc_offset_min: minutes that the shown zone is ahead of UTC; delay_most: s, by which a
    picture may at most have come after its text was drawn (the latency), half of which is added.
    A text of whole seconds s was drawn while the clock stood within [s, s + 1): pictures on both sides of a tick tell more.
    Raises MeasurementRefused where too few pictures are read for certain, or the shown seconds do not follow the time.
    Source: docs/methods/osd.md.
    """
    if len(readings) != len(times) or not np.isfinite(np.asarray(times, float)).all():
        raise MeasurementRefused("every picture needs the finite time at which it came")
    if not _FEWEST <= len(readings) <= _MOST_PICTURES:
        raise MeasurementRefused(
            f"{len(readings)} pictures: {_FEWEST} to {_MOST_PICTURES} are needed to read the time by"
        )
    read = [(r, t) for r, t in zip(readings, times, strict=True) if r is not None]
    if len(read) < max(_FEWEST, _LEAST_SHARE * len(readings)):
        raise MeasurementRefused(
            f"date and time are not there, or not legible: read for certain in {len(read)} of {len(readings)} pictures; "
            "give the layout that is shown, or show larger text with a rim"
        )
    ahead = np.array([r.shown - utc_offset_min * 60 - t for r, t in read])
    low, high = float(ahead.max()), float(ahead.min()) + 1.0
    if high < low - 4 * time_u:
        raise MeasurementRefused(
            f"the shown time does not follow the time of the pictures: off by {low - high:.2f} s within "
            f"{read[-1][1] - read[0][1]:.1f} s; the clock was set meanwhile, or a digit was misread"
        )
    value = (low + high) / 2 + delay_most / 2
    budget = (
        rectangular("whole seconds of the text", max(high - low, 0.0) / 2, f"{len(read)} pictures"),
        normal("time of the pictures", time_u, source="arrival of the packets"),
        rectangular("delay until the picture came", delay_most / 2, "latency, as given"),
    )
    u, dof = combine(budget)
    details = {"read": len(read), "pictures": len(readings), "height_px": round(read[0][0].height, 1),
               "least_correlation": round(min(r.like for r, _ in read), 3),
               "least_lead": round(min(r.apart for r, _ in read), 3)}  # fmt: skip
    return Estimate(quantity="site.osd_time_offset", kind=Kind.RATIO, value=value, unit="s", u=u, dof=dof,
                    budget=budget, details=details)  # fmt: skip
