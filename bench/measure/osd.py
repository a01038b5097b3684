"""Date, time and label that stand in the picture: whether they are there, and how far the time is off."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from difflib import SequenceMatcher

import numpy as np
from numpy.typing import NDArray

from bench.measure.osd_reader import Box, TextLine, lines_in, text_in
from bench.measure.uncertainty import combine, normal, rectangular
from standards.errors import MeasurementRefused
from standards.quantity import Estimate, Kind
from standards.view import LAYOUTS

__all__ = ["Reading", "Readings", "osd_time_offset", "read_osd", "shows_label", "shows_time", "times_in"]

_Luma = NDArray[np.uint8]

_TIME = (
    r"(?P<H>\d{1,2}) ?: ?(?P<M>\d{2}) ?: ?(?P<S>\d{2})(?:\.\d{1,3})?\s*(?P<half>am|pm|上午|下午)?(?![\d:])"
)
#: What may stand between date and time, or before the time: a day of the week, in Chinese or English.
_BETWEEN = r"[^\d:]{0,16}?"
_FIRST_YEAR, _LAST_YEAR = 1970, 2100
_SURE = 0.80  # least score of a text that is believed
_FEWEST, _LEAST_SHARE = 3, 0.6  # pictures that have to be read; of these, that have to agree
_LOOK = 3  # pictures that are searched as a whole
_MOST_PICTURES = 400
_DIGITS = 4  # so many in one line may be a date or a time that was not made out
_UNLIKE = 0.5  # likeness below which a text is another one; above and not equal, somebody has to look
_DASHES = str.maketrans("\u2010\u2011\u2012\u2013\u2014\u2212", "------")
_ALIKE = str.maketrans("oOIl|", "00111")  # signs that a person cannot tell apart either


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
    few pictures that were searched as a whole; layout: of the time that was found; None where none was."""

    times: tuple[Reading | None, ...]
    lines: tuple[tuple[TextLine, ...], ...]
    layout: str | None


def _folded(text: str) -> str:
    """Full-width signs as plain ones, every dash the same, small letters, one space where several are."""
    return re.sub(r"\s+", " ", unicodedata.normalize("NFKC", text).translate(_DASHES)).lower()


def _bare(text: str) -> str:
    """A folded text without spaces, and with one sign for those that look the same."""
    return _folded(text).replace(" ", "").translate(_ALIKE)


def _but_the_time(text: str) -> str:
    """A text without its date and time, whose figures are no label's."""
    text = _folded(text)
    for pattern in _PATTERNS.values():
        text = pattern.sub("\n", text)
    return text


def _pattern(layout: str) -> re.Pattern[str]:
    date = ""
    for run in re.findall(r"y+|m+|d+|[^ymd]", layout):
        digits = r"\d{4}" if run[0] == "y" else r"\d{1,2}"
        date += f"(?P<{run[0]}>{digits})" if run[0] in "ymd" else f" ?{re.escape(run)} ?"
    return re.compile(r"(?<!\d)" + date + _BETWEEN + _TIME)


_PATTERNS: dict[str, re.Pattern[str]] = {layout: _pattern(layout) for layout in LAYOUTS}


def _seconds(parts: dict[str, str | None]) -> int | None:
    """Seconds since 1970; None where there is no such time."""
    year, month, day, hour, minute, second = (int(parts[key] or 0) for key in "ymdHMS")
    half = parts["half"]
    if half is not None:
        if not 1 <= hour <= 12:
            return None
        hour = hour % 12 + 12 * (half in ("pm", "下午"))
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
    picture is there, or the date may be meant in two ways (03/04/2026).
    """
    if not pictures:
        raise MeasurementRefused("no whole picture was captured: capture longer, mend the network")
    pictures = pictures[:_MOST_PICTURES]
    places = sorted({round(p) for p in np.linspace(0, len(pictures) - 1, _LOOK).tolist()})
    searched = tuple(lines(pictures[place]) for place in places)
    allowed: tuple[str, ...] = (layout,) if layout is not None else LAYOUTS
    boxes = [line.box for seen in searched for line in seen if times_in(line.text, allowed)]
    if not boxes:
        return Readings((None,) * len(pictures), searched, None)
    box = max(boxes, key=boxes.count)
    read = [text(picture, box) for picture in pictures]
    shown = [times_in(one.text, allowed) if one.score >= _SURE else {} for one in read]
    fitting = [name for name in allowed if any(name in times for times in shown)]
    # A layout that the dates of all pictures allow stays; 27/11 is no month, and takes mm/dd away.
    whole = [name for name in fitting if all(name in times for times in shown if times)]
    if len(whole) > 1:
        raise MeasurementRefused(
            f"the date may be meant as {' or '.join(whole)}: name the layout under [osd] of the declaration"
        )
    if not fitting:
        return Readings((None,) * len(pictures), searched, None)
    used = (whole or fitting)[0]
    times = tuple(
        Reading(seen[used], one.score, box.height) if used in seen else None
        for seen, one in zip(shown, read, strict=True)
    )
    return Readings(times, searched, used)


def _agreeing(ahead: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Which of the bounds [ahead, ahead + 1] hold the value that most of them allow."""
    most = max(ahead.tolist(), key=lambda low: int(((ahead <= low) & (ahead >= low - 1.0)).sum()))
    return np.asarray((ahead <= most) & (ahead >= most - 1.0))


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
    if len(readings.times) != len(times) or not np.isfinite(np.asarray(times, float)).all():
        raise MeasurementRefused("every picture needs the finite time at which it came")
    read = [(r, t) for r, t in zip(readings.times, times, strict=True) if r is not None]
    if len(read) < max(_FEWEST, _LEAST_SHARE * len(times)):
        raise MeasurementRefused(
            f"date and time are not there, or not legible: read in {len(read)} of {len(times)} pictures; "
            "name the layout that is shown under [osd] of the declaration, or show larger text with a rim"
        )
    ahead = np.array([r.shown - utc_offset_min * 60 - t for r, t in read])
    agree = _agreeing(ahead)
    if agree.sum() < max(_FEWEST, _LEAST_SHARE * len(read)):
        raise MeasurementRefused(
            f"the shown time does not follow the time of the pictures: {int(agree.sum())} of {len(read)} agree within a "
            "second; the clock was set meanwhile or stands still, or digits were misread"
        )
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
    """`recording.shows_time`: whether the pictures carry date and time.

    True where they are read in most pictures, False where no picture holds a line that might be a date or a time. Raises
    MeasurementRefused where something is there and was not made out: that is for an eye to say.
    """
    read = [one for one in readings.times if one is not None]
    every = [line for seen in readings.lines for line in seen]
    if len(read) >= max(1, _LEAST_SHARE * len(readings.times)):
        latest = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=read[-1].shown)
        details = {"text": f"{latest:%Y-%m-%d %H:%M:%S}", "read": len(read), "pictures": len(readings.times),
                   "layout": readings.layout, "confidence": round(min(r.score for r in read), 3)}  # fmt: skip
        return _told("recording.shows_time", True, details)
    unclear = [line for line in every if sum(sign.isdigit() for sign in line.text) >= _DIGITS]
    if read or unclear:
        raise MeasurementRefused(
            f"date and time were not made out for certain ('{_said(unclear)}'): look at the picture in evidence, or show "
            "larger text with a rim"
        )
    return _told("recording.shows_time", False, {"lines": _said(every), "pictures": len(readings.lines)})


def shows_label(readings: Readings, label: str) -> Estimate:
    """`recording.shows_identity`: whether the pictures carry the camera's label.

    label: the text that has to stand there. Spaces, width and case of signs do not count, nor do signs that look the same
    (0 and O). True where a line holds it in most of the searched pictures, False where no line is like it. Raises
    MeasurementRefused for what lies between.
    """
    wanted = _bare(label)
    if not wanted:
        raise MeasurementRefused("the label is empty: write under [osd] what has to stand in the picture")
    held, likest = 0, 0.0
    scores: list[float] = []
    for seen in readings.lines:
        texts = [(_bare(_but_the_time(line.text)), line.score) for line in seen]
        having = [score for text, score in texts if wanted in text]
        held += bool(having)
        scores += having
        likest = max([likest, *(_likeness(wanted, text) for text, _ in texts)])
    every = [line for seen in readings.lines for line in seen]
    details: dict[str, object] = {
        "label": label,
        "held": held,
        "pictures": len(readings.lines),
        "lines": _said(every),
    }
    if held > len(readings.lines) / 2:
        return _told("recording.shows_identity", True, details | {"confidence": round(min(scores), 3)})
    if held or likest >= _UNLIKE:
        raise MeasurementRefused(
            f"the label '{label}' was not made out for certain: '{_said(every)}' was read; look at the picture in evidence"
        )
    return _told("recording.shows_identity", False, details | {"likeness": round(likest, 3)})


def _likeness(wanted: str, text: str) -> float:
    """The greatest likeness of a wanted text with any part of its length, 0 to 1."""
    spans = range(max(len(text) - len(wanted), 0) + 1)
    return max(
        SequenceMatcher(None, wanted, text[at : at + len(wanted)], autojunk=False).ratio() for at in spans
    )


def _told(quantity: str, value: bool, details: dict[str, object]) -> Estimate:
    return Estimate(quantity=quantity, kind=Kind.NOMINAL, value=value, unit="1", exact=True, details=details)
