"""Date, time and label that stand in the picture: whether they are there, and how far the time is off."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import numpy as np
from numpy.typing import NDArray

from bench.measure.osd_reader import Box, TextLine, lines_in, text_in
from bench.measure.uncertainty import combine, normal, rectangular
from standards.errors import MeasurementRefused
from standards.quantity import Estimate, Kind
from standards.view import LAYOUTS

__all__ = ["Reading", "Readings", "osd_time_offset", "read_osd", "shows_label", "shows_time", "times_in"]

_Luma = NDArray[np.uint8]

_TIME = r"(?P<H>\d{1,2}) ?: ?(?P<M>\d{2}) ?: ?(?P<S>\d{2})(?:\.\d{1,3})?(?![\d:])(?P<after>\s*(?:[ap]\.?m\b|上午|下午))?"
#: What may stand between date and time: a day of the week, a half of the day, a label.
_BETWEEN = r"(?P<between>[^\d:]{0,16}?)"
_BEFORE_NOON = re.compile(r"上午|凌晨|早上|早晨|(?<![a-z])a\.?m(?![a-z])")
_AFTER_NOON = re.compile(r"下午|中午|傍晚|晚上|(?<![a-z])p\.?m(?![a-z])")
_FIRST_YEAR, _LAST_YEAR = 1970, 2100
_SURE = 0.80  # least score of a text that is believed
_FEWEST, _LEAST_SHARE = 3, 0.6  # pictures that have to be read
_AGREE = 0.9  # of these, that have to agree within a second: a clock that is set, or runs wrongly, loses more of 2.4 s
_LEAST_S = 1.0  # from the first picture to the last: in less no clock need tick
_LOOK = 3  # pictures that are searched as a whole
_MOST_PICTURES = 400
_SAME_PLACE = 0.5  # of two boxes' common area, from which they are one line's
_DASHES = str.maketrans("\u2010\u2011\u2012\u2013\u2014\u2212", "------")
#: Signs that a person cannot tell apart either; before case is dropped.
_ALIKE = str.maketrans("oOIl|", "00111")


@dataclass(frozen=True)
class Reading:
    """shown: seconds since 1970 as the text says them, without time zone; score: the reader's confidence, 0 to 1; height:
    of the line, pixels."""

    shown: int
    score: float
    height: int


@dataclass(frozen=True)
class Readings:
    """What was read in pictures of one camera. times: a Reading a picture, None where none was certain; lines: those of the
    few pictures that were searched as a whole; layout: of the time that was found; None where none was; ambiguous: layouts
    by which the date would be another day."""

    times: tuple[Reading | None, ...]
    lines: tuple[tuple[TextLine, ...], ...]
    layout: str | None
    ambiguous: tuple[str, ...] = ()


def _folded(text: str) -> str:
    """Full-width signs as plain ones, every dash the same, small letters, one space where several are."""
    return re.sub(r"\s+", " ", unicodedata.normalize("NFKC", text).translate(_DASHES)).lower()


def _plain(text: str) -> str:
    """A text as labels are compared: folded, with one sign for those that look the same."""
    return _folded(unicodedata.normalize("NFKC", text).translate(_ALIKE))


def _but_the_time(text: str) -> str:
    """A text without its date and time, whose figures are no label's; what stood between them stays."""
    text = unicodedata.normalize("NFKC", text).translate(_DASHES)
    for pattern in _PATTERNS.values():
        text = pattern.sub(lambda found: f"\n{found['between']}\n", text)
    return text


def _holds(text: str, label: str) -> bool:
    """Whether a text holds a label that no letter, figure or Chinese sign adjoins: CAM 1 does not stand in CAM 12."""
    spaced = r"\s*".join(re.escape(sign) for sign in label if not sign.isspace())
    return re.search(rf"(?<!\w){spaced}(?!\w)", text) is not None


def _pattern(layout: str) -> re.Pattern[str]:
    date = ""
    for run in re.findall(r"y+|m+|d+|[^ymd]", layout):
        digits = r"\d{4}" if run[0] == "y" else r"\d{1,2}"
        date += f"(?P<{run[0]}>{digits})" if run[0] in "ymd" else f" ?{re.escape(run)} ?"
    return re.compile(r"(?<!\d)" + date + _BETWEEN + _TIME, re.IGNORECASE)


_PATTERNS: dict[str, re.Pattern[str]] = {layout: _pattern(layout) for layout in LAYOUTS}


def _seconds(parts: dict[str, str | None]) -> int | None:
    """Seconds since 1970; None where there is no such time."""
    year, month, day, hour, minute, second = (int(parts[key] or 0) for key in "ymdHMS")
    said = f"{parts['between'] or ''} {parts['after'] or ''}"
    early, late = _BEFORE_NOON.search(said) is not None, _AFTER_NOON.search(said) is not None
    if early or late:
        if early == late or not 1 <= hour <= 12 or ("晚上" in said and hour == 12):
            return None
        hour = hour % 12 + 12 * late
    try:
        when = datetime(year, month, day, hour, minute, second, tzinfo=UTC)
    except ValueError:
        return None
    return int(when.timestamp()) if _FIRST_YEAR <= year <= _LAST_YEAR else None


def times_in(text: str, layouts: Iterable[str] = LAYOUTS) -> dict[str, int]:
    """Date and time that a text shows once, by each layout that fits: seconds since 1970, without time zone."""
    found: dict[str, int] = {}
    folded = _folded(text)
    for layout in layouts:
        seen = list(_PATTERNS[layout].finditer(folded))
        shown = _seconds(seen[0].groupdict()) if len(seen) == 1 else None
        if shown is not None:
            found[layout] = shown
    return found


def read_osd(
    pictures: Sequence[_Luma],
    layout: str | None = None,
    *,
    lines: Callable[[_Luma], tuple[TextLine, ...]] = lines_in,
    text: Callable[[_Luma, Box], TextLine] = text_in,
) -> Readings:
    """Read date, time and everything else that stands in pictures of one camera.

    pictures: (rows, columns) uint8 luma each; layout: one of LAYOUTS, found where None; lines, text: the reader. Three
    pictures are searched as a whole, in all others the line of the time alone is read. Raises MeasurementRefused where no
    picture is there.
    """
    if not pictures:
        raise MeasurementRefused("no whole picture was captured: capture longer, mend the network")
    pictures = pictures[:_MOST_PICTURES]
    places = sorted({round(p) for p in np.linspace(0, len(pictures) - 1, _LOOK).tolist()})
    searched = tuple(lines(pictures[place]) for place in places)
    allowed: tuple[str, ...] = (layout,) if layout is not None else LAYOUTS
    box = _place(searched, allowed)
    if box is None:
        return Readings((None,) * len(pictures), searched, None)
    read = [text(picture, box) for picture in pictures]
    shown = [times_in(one.text, allowed) if one.score >= _SURE else {} for one in read]
    fitting = [name for name in allowed if any(name in times for times in shown)]
    if not fitting:
        return Readings((None,) * len(pictures), searched, None)
    # A layout that the dates of all pictures allow stays; 27/11 is no month, and takes mm/dd away.
    whole = [name for name in fitting if all(name in times for times in shown if times)] or fitting[:1]
    differ = any(len({times[name] for name in whole if name in times}) > 1 for times in shown)
    times = tuple(
        Reading(seen[whole[0]], one.score, box.height) if whole[0] in seen else None
        for seen, one in zip(shown, read, strict=True)
    )
    return Readings(times, searched, whole[0], tuple(whole) if differ else ())


def _place(searched: Sequence[Sequence[TextLine]], allowed: Sequence[str]) -> Box | None:
    """Where a time stands that runs; if none does, where one stands that does not (a poster, a clock that is frozen)."""
    found: list[tuple[Box, set[int], int]] = []
    for line in (line for seen in searched for line in seen):
        shown = set(times_in(line.text, allowed).values())
        if not shown:
            continue
        same = next((n for n, (box, _, _) in enumerate(found) if box.overlap(line.box) > _SAME_PLACE), None)
        if same is None:
            found.append((line.box, shown, 1))
        else:
            box, before, count = found[same]
            found[same] = (box, before | shown, count + 1)
    return max(found, key=lambda one: (min(len(one[1]), _LOOK), one[2]))[0] if found else None


def _agreeing(ahead: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Which of the bounds [ahead, ahead + 1] hold the value that most of them allow."""
    most = max(ahead.tolist(), key=lambda low: int(((ahead <= low) & (ahead >= low - 1.0)).sum()))
    return np.asarray((ahead <= most) & (ahead >= most - 1.0))


def _running(
    readings: Readings, times: Sequence[float], utc_offset_min: int
) -> tuple[list[tuple[Reading, float]], NDArray[np.float64], NDArray[np.bool_]]:
    """What was read with its times, how far each is ahead at least, and which agree. Raises MeasurementRefused where too few
    are read, the date is ambiguous, or the shown seconds do not follow the time."""
    if len(readings.times) != len(times) or not np.isfinite(np.asarray(times, float)).all():
        raise MeasurementRefused("every picture needs the finite time at which it came")
    if readings.ambiguous:
        raise MeasurementRefused(
            f"the date may be meant as {' or '.join(readings.ambiguous)}: name the layout under [osd] of the declaration"
        )
    read = [(r, t) for r, t in zip(readings.times, times, strict=True) if r is not None]
    if len(read) < max(_FEWEST, _LEAST_SHARE * len(times)):
        raise MeasurementRefused(
            f"date and time are not there, or not legible: read in {len(read)} of {len(times)} pictures; "
            "name the layout that is shown under [osd] of the declaration, or show larger text with a rim"
        )
    ahead = np.array([r.shown - utc_offset_min * 60 - t for r, t in read])
    agree = _agreeing(ahead)
    span = read[-1][1] - read[0][1]
    ticks = len({one.shown for (one, _), good in zip(read, agree.tolist(), strict=True) if good}) > 1
    if agree.sum() < max(_FEWEST, _AGREE * len(read)) or not ticks or span < _LEAST_S:
        raise MeasurementRefused(
            f"the shown time does not follow the time of the pictures: {int(agree.sum())} of {len(read)} agree within a "
            f"second, over {span:.1f} s{'' if ticks else ', and none ticks'}; the clock was set meanwhile, runs wrongly or "
            "stands still, or digits were misread; capture two seconds or more"
        )
    return read, ahead, agree


def osd_time_offset(
    readings: Readings,
    times: Sequence[float],
    *,
    utc_offset_min: int = 480,
    clock_u: float = 0.02,
    delay_most: float = 0.0,
) -> Estimate:
    """`picture.osd_time_offset`: time that the text shows less the time at which the picture was taken, s.

    readings: as `read_osd` gives them; times: seconds since 1970 (UTC) at which each picture came, of standard uncertainty
    clock_u, s; utc_offset_min: minutes that the shown zone is ahead of UTC; delay_most: s, by which a picture may at most
    have come after its text was drawn (the latency), half of which is added.
    A text of whole seconds s was drawn while the clock stood within [s, s + 1): pictures on both sides of a tick tell more.
    Raises MeasurementRefused where too few pictures are read, or the shown seconds do not follow the time.
    Source: docs/methods/osd.md.
    """
    read, ahead, agree = _running(readings, times, utc_offset_min)
    low, high = float(ahead[agree].max()), float(ahead[agree].min()) + 1.0
    value = (low + high) / 2 + delay_most / 2
    budget = (
        rectangular("whole seconds of the text", max(high - low, 0.0) / 2, f"{len(read)} pictures"),
        normal("time of the pictures", clock_u, source="the bench's clock"),
        rectangular("delay until the picture came", delay_most / 2, "latency, at most"),
    )
    u, dof = combine(budget)
    details = {"read": len(read), "agree": int(agree.sum()), "pictures": len(times), "layout": readings.layout,
               "height_px": read[0][0].height, "least_score": round(min(r.score for r, _ in read), 3),
               "zone_min": utc_offset_min}  # fmt: skip
    return Estimate(quantity="picture.osd_time_offset", kind=Kind.RATIO, value=value, unit="s", u=u, dof=dof,
                    budget=budget, details=details)  # fmt: skip


def _said(lines: Iterable[TextLine]) -> str:
    return " | ".join(sorted({line.text for line in lines}))[:200]


def shows_time(readings: Readings) -> Estimate:
    """`recording.shows_time`: that the pictures carry date and time that run.

    Raises MeasurementRefused where that was not read: then somebody has to look, at the picture, and at what the recorder
    keeps beside it, which is not seen here.
    """
    read = [one for one in readings.times if one is not None]
    lines = _said(line for seen in readings.lines for line in seen)
    if len(read) < max(_FEWEST, _LEAST_SHARE * len(readings.times)):
        raise MeasurementRefused(
            f"no date with a time was read in the picture (read: '{lines}'): look at it and at what the recorder keeps "
            "beside it; show larger text with a rim if it is there"
        )
    if len({one.shown for one in read}) < 2:
        raise MeasurementRefused(
            f"the time in the picture does not run (read: '{lines}'): a text of the scene, or a frozen clock"
        )
    latest = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=read[-1].shown)
    return _told("recording.shows_time", {
        "read_text": f"{latest:%Y-%m-%d %H:%M:%S}", "read": len(read), "pictures": len(readings.times),
        "layout": readings.layout, "confidence": round(min(r.score for r in read), 3),
    })  # fmt: skip


def shows_label(readings: Readings, label: str) -> Estimate:
    """`recording.shows_identity`: that the pictures carry the camera's label.

    label: the text that has to stand there, apart from other words. Spaces, width and case of signs do not count, nor do
    signs that look the same (0 and O; 1, I and l). Raises MeasurementRefused where no line holds it in most of the searched
    pictures: then somebody has to look, at the picture, and at what the recorder keeps beside it.
    """
    wanted = _plain(label)
    if not wanted.strip():
        raise MeasurementRefused("the label is empty: write under [osd] what has to stand in the picture")
    held, scores = 0, list[float]()
    for seen in readings.lines:
        having = [
            line.score
            for line in seen
            if line.score >= _SURE and _holds(_plain_lines(_but_the_time(line.text)), wanted)
        ]
        held += bool(having)
        scores += having
    lines = _said(line for seen in readings.lines for line in seen)
    if held <= len(readings.lines) / 2:
        raise MeasurementRefused(
            f"the label '{label}' was not read in the picture (read: '{lines}'): look at it and at what the recorder keeps "
            "beside it"
        )
    return _told("recording.shows_identity", {
        "label": label, "read_text": lines, "held": held, "pictures": len(readings.lines),
        "confidence": round(min(scores), 3),
    })  # fmt: skip


def _plain_lines(text: str) -> str:
    """`_plain` of each line: what a time parted stays apart."""
    return "\n".join(_plain(line) for line in text.split("\n"))


def _told(quantity: str, details: dict[str, object]) -> Estimate:
    return Estimate(quantity=quantity, kind=Kind.NOMINAL, value=True, unit="1", exact=True, details=details)
