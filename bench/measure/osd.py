"""The time that stands in the picture, against the time at which the picture came."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np
from numpy.typing import NDArray

from bench.measure.osd_glyphs import Box, lines_of
from bench.measure.uncertainty import combine, normal, rectangular
from standards.errors import MeasurementRefused
from standards.quantity import Estimate, Kind

__all__ = ["FORMATS", "Reading", "layout_of", "osd_time_offset", "read_time", "read_times"]

_Luma = NDArray[np.uint8]

#: Patterns of date and time by name; signs that are not known may stand between date and time (a day of the week).
FORMATS: dict[str, str] = {
    "yyyy-mm-dd": r"(?<!\d)(?P<y>\d{4})-(?P<m>\d\d)-(?P<d>\d\d)",
    "yyyy/mm/dd": r"(?<!\d)(?P<y>\d{4})/(?P<m>\d\d)/(?P<d>\d\d)",
    "dd/mm/yyyy": r"(?<!\d)(?P<d>\d\d)/(?P<m>\d\d)/(?P<y>\d{4})",
    "mm/dd/yyyy": r"(?<!\d)(?P<m>\d\d)/(?P<d>\d\d)/(?P<y>\d{4})",
    "dd-mm-yyyy": r"(?<!\d)(?P<d>\d\d)-(?P<m>\d\d)-(?P<y>\d{4})",
    "yyyy年mm月dd日": r"(?<!\d)(?P<y>\d{4})年(?P<m>\d\d)月(?P<d>\d\d)日",
}
_TIME = r"\??\??\??\??(?P<H>\d\d):(?P<M>\d\d):(?P<S>\d\d)(?![\d:])"
_SIZES = (36.0,)  # pixels: heights that digits are brought to before they are read
_FIRST_YEAR, _LAST_YEAR = 1970, 2100
_LEAD = 3  # votes that the best reading of one picture needs for each one of another
_FEWEST, _LEAST_SHARE = 3, 0.6  # pictures that have to be read
_MOST_PICTURES = 400


@dataclass(frozen=True)
class Reading:
    """shown: seconds since 1970 as the text says them, without time zone; box: where, pixels; height: of the digits,
    pixels; votes: readings that agree; like, apart: least correlation and lead of a digit in the best of them."""

    shown: int
    box: Box
    height: float
    votes: int
    like: float
    apart: float


def _parsed(text: str, pattern: re.Pattern[str]) -> tuple[int, slice] | None:
    """Seconds since 1970 of the one date and time in a text, and where it stands; None without or with several."""
    found = list(pattern.finditer(text))
    if len(found) != 1:
        return None
    part = {name: int(value) for name, value in found[0].groupdict().items()}
    if not _FIRST_YEAR <= part["y"] <= _LAST_YEAR:
        return None
    try:
        when = datetime(part["y"], part["m"], part["d"], part["H"], part["M"], part["S"], tzinfo=UTC)
    except ValueError:
        return None
    return int(when.timestamp()), slice(*found[0].span())


def _votes(luma: _Luma, pattern: re.Pattern[str], scale: float) -> list[Reading]:
    """Every reading of date and time in a picture, at one enlargement."""
    found = []
    for line in lines_of(luma, scale):
        if (parsed := _parsed(line.text, pattern)) is not None:
            shown, where = parsed
            like, apart = min(line.likes[where]), min(line.aparts[where])
            found.append(Reading(shown, line.box, line.height, 1, like, apart))
    return found


def _part(luma: _Luma, box: Box, height: float) -> _Luma:
    """The picture around a line."""
    pad = round(0.8 * height)
    top, left = max(box.top - pad, 0), max(box.left - pad, 0)
    return luma[top : box.top + box.height + pad, left : box.left + box.width + pad]


def _elected(votes: list[Reading]) -> Reading | None:
    """The reading that most agree on; None where others have more than a third as many votes."""
    count = Counter(v.shown for v in votes).most_common(2)
    if not count or (len(count) > 1 and count[0][1] < _LEAD * count[1][1]):
        return None
    best = max((v for v in votes if v.shown == count[0][0]), key=lambda v: v.apart)
    return Reading(best.shown, best.box, best.height, count[0][1], best.like, best.apart)


def read_time(
    luma: _Luma, layout: str = "yyyy-mm-dd", *, near: tuple[Box, float] | None = None
) -> Reading | None:
    """Date and time that stand in a picture, once and for certain; None otherwise.

    luma: (rows, columns) uint8; layout: one of FORMATS; near: box and height, pixels, of the line in a picture of the same
    camera, to look there alone. Raises ValueError for an unknown layout.
    """
    if layout not in FORMATS:
        raise ValueError(f"layout {layout!r} is none of {', '.join(FORMATS)}")
    pattern = re.compile(FORMATS[layout] + _TIME)
    if near is None:
        seen = _elected(_votes(luma, pattern, 1.0)) or _elected(_votes(luma, pattern, 2.0))
        if seen is None:
            return None
        near = (seen.box, seen.height)
    box, height = near
    part = _part(luma, box, height)
    found = _elected([v for size in _SIZES for v in _votes(part, pattern, size / height)])
    return None if found is None or found.votes < 2 else Reading(
        found.shown, box, height, found.votes, found.like, found.apart
    )  # fmt: skip


def layout_of(luma: _Luma) -> str:
    """The one layout of FORMATS in which a picture shows date and time.

    luma: (rows, columns) uint8. Raises MeasurementRefused where none is read, or the text fits several (03/04/2026).
    """
    for scale in (1.0, 2.0):
        texts = [line.text for line in lines_of(luma, scale)]
        fit = [
            name for name, date in FORMATS.items() if any(_parsed(t, re.compile(date + _TIME)) for t in texts)
        ]
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
