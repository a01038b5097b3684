"""Digits of a line of text in a picture: pieces of ink of like height in a row, each held against drawn templates.

Nothing is guessed: a piece that looks like no digit, or like two, is told as '?'. Source: docs/methods/osd.md.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

import cv2
import numpy as np
from numpy.typing import NDArray

__all__ = ["Box", "Line", "lines_of"]

_Luma = NDArray[np.uint8]
_DIGITS, _SIGNS = "0123456789", "/年月日"
_FACES = (
    ("sans", 200),
    ("sans", 400),
    ("sans", 600),
    ("sans", 800),
    ("uni", 300),
    ("uni", 400),
    ("uni", 700),
)
_STROKES = ((cv2.FONT_HERSHEY_SIMPLEX, 4), (cv2.FONT_HERSHEY_SIMPLEX, 8), (cv2.FONT_HERSHEY_SIMPLEX, 13),
            (cv2.FONT_HERSHEY_COMPLEX, 6))  # fmt: skip
_WIDTHS = (0.82, 1.0, 1.2)  # by which a template is stretched: fonts are narrow or wide
_ROWS, _COLUMNS = 24, 28  # of a piece brought to one height
_DRAWN = 72  # pixels: size at which templates are drawn
_LEVELS = (100, 130, 155, 180, 205, 228)  # codes above which ink lies, in turn
_FINE_LEVELS = tuple(range(80, 236, 12))  # of a part of the picture in which a line is known to stand
_LIKE, _APART = 0.78, 0.04  # least correlation, and least lead over the next sign
_LEAST, _MOST = 7, 90  # pixels high that digits may be
_FEWEST = 10  # digits of like height that make a line
_MOST_PIECES = 4000
_NOTHING = np.full(len(_DIGITS + _SIGNS), -1.0)


@dataclass(frozen=True)
class Box:
    """left, top, width, height: pixels."""

    left: int
    top: int
    width: int
    height: int


@dataclass(frozen=True)
class Line:
    """text: what stands there without spaces, '?' where unknown; height: of its digits, pixels; box: where, pixels;
    likeness: (signs of the text, digits and signs that are known) correlations, -1 where a sign is told by its shape."""

    text: str
    height: float
    box: Box
    likeness: NDArray[np.float64]


def _brought(ink: NDArray[np.bool_]) -> NDArray[np.float32]:
    """A piece of ink at one height, in the middle of one width, without mean and of length one."""
    rows, columns = ink.shape
    wide = int(np.clip(round(columns * _ROWS / rows), 1, _COLUMNS))
    small = cv2.resize(ink.astype(np.float32), (wide, _ROWS), interpolation=cv2.INTER_AREA)
    field = np.zeros((_ROWS, _COLUMNS), np.float32)
    left = (_COLUMNS - wide) // 2
    field[:, left : left + wide] = small
    field = cv2.GaussianBlur(field, (0, 0), 0.8).astype(np.float32)
    field -= field.mean()
    return np.asarray(field / max(float(np.linalg.norm(field)), 1e-6), np.float32).ravel()


def _drawings(sign: str) -> Iterator[NDArray[np.uint8]]:
    """A sign in every face and weight; a zero also with the dot or the bar that many fonts for machines give it."""
    for face, weight in _FACES:
        field = np.zeros((3 * _DRAWN, 3 * _DRAWN), np.uint8)
        cv2.putText(field, sign, (_DRAWN, 2 * _DRAWN), (255,), cv2.FontFace(face), _DRAWN, weight)
        yield field
    for stroke, thick in _STROKES if sign in _DIGITS + "/" else ():
        field = np.zeros((3 * _DRAWN, 3 * _DRAWN), np.uint8)
        cv2.putText(field, sign, (_DRAWN, 2 * _DRAWN), stroke, _DRAWN / 30, (255,), thick, cv2.LINE_AA)
        yield field


def _marked(zero: NDArray[np.bool_]) -> Iterator[NDArray[np.bool_]]:
    """A zero with a dot, and with a bar, in its middle."""
    rows, columns = zero.shape
    dotted = zero.astype(np.uint8)
    cv2.ellipse(dotted, (columns // 2, rows // 2), (columns // 8, rows // 9), 0, 0, 360, (1,), -1)
    yield dotted > 0
    barred = zero.astype(np.uint8)
    low, high = (columns // 4, 3 * rows // 4), (columns - columns // 4, rows // 4)
    cv2.line(barred, low, high, (1,), max(rows // 10, 1))
    yield barred > 0


@cache
def _templates() -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """(n, pixels) templates and the sign each is of, drawn with the fonts that OpenCV carries."""
    found, which = [], []
    for number, sign in enumerate(_DIGITS + _SIGNS):
        for field in _drawings(sign):
            rows, columns = np.nonzero(field > 127)
            if not len(rows):
                continue
            piece = field[rows.min() : rows.max() + 1, columns.min() : columns.max() + 1] > 127
            for form in [piece, *_marked(piece)] if sign == "0" else [piece]:
                for width in _WIDTHS:
                    wide = (max(round(form.shape[1] * width), 1), form.shape[0])
                    found.append(_brought(cv2.resize(form.astype(np.float32), wide) > 0.5))
                    which.append(number)
    return np.stack(found), np.asarray(which)


def _likeness(ink: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Correlation of a piece with each sign, the best of its templates."""
    templates, which = _templates()
    best = np.full(len(_DIGITS + _SIGNS), -1.0)
    np.maximum.at(best, which, templates @ _brought(ink))
    return best


def _named(likeness: NDArray[np.float64]) -> str:
    """The sign that is likely; '?' where none is or two are."""
    order = np.argsort(likeness)
    like, apart = likeness[order[-1]], likeness[order[-1]] - likeness[order[-2]]
    return (_DIGITS + _SIGNS)[order[-1]] if like >= _LIKE and apart >= _APART else "?"


def _rows_of(stats: NDArray[np.int32], scale: float) -> Iterator[NDArray[np.int64]]:
    """Numbers of the pieces of each row of like pieces, longest first, each row once."""
    top, high, wide = stats[:, 1], stats[:, 3], stats[:, 2]
    able = (high >= _LEAST * scale) & (high <= _MOST * scale) & (wide <= 1.1 * high) & (6 * wide >= high)
    rows: list[NDArray[np.int64]] = []
    left = np.flatnonzero(able)
    while len(left) >= _FEWEST:
        reach = 0.1 * high[left] + 1.5
        near = (np.abs(top[left, None] - top[left]) <= reach[:, None]) & (
            np.abs(high[left, None] - high[left]) <= reach[:, None]
        )
        most = int(near.sum(1).argmax())
        row = left[near[most]]
        if len(row) < _FEWEST:
            return
        rows.append(row)
        yield row
        left = left[~near[most]]
        if len(rows) >= 3:
            return


def _merged(boxes: NDArray[np.int64]) -> list[list[int]]:
    """Numbers of pieces that stand above each other, from left to right. boxes: (n, 4) left, top, width, height."""
    groups: list[list[int]] = []
    end = -1.0
    for number in np.argsort(boxes[:, 0]).tolist():
        left, wide = float(boxes[number, 0]), float(boxes[number, 2])
        if groups and left < end - 0.3 * min(wide, end - left if end > left else wide) - 0.5:
            groups[-1].append(number)
        else:
            groups.append([number])
        end = max(end, left + wide)
    return groups


def _group(
    labels: NDArray[np.int32], stats: NDArray[np.int32], pieces: list[int], high: float, top: float
) -> tuple[str, NDArray[np.float64]]:
    """The sign of pieces that stand above each other, and the correlation with each sign."""
    x0, y0 = stats[pieces, 0].min(), stats[pieces, 1].min()
    x1 = (stats[pieces, 0] + stats[pieces, 2]).max()
    y1 = (stats[pieces, 1] + stats[pieces, 3]).max()
    tall, wide, middle = (y1 - y0) / high, (x1 - x0) / high, ((y0 + y1) / 2 - top) / high
    if len(pieces) == 2 and wide < 0.4 and max(stats[pieces, 3]) < 0.4 * high and tall > 0.35:
        return ":", _NOTHING
    if len(pieces) == 1 and wide < 0.32 and 0.42 < tall < 0.84 and 0.4 < middle < 0.75:
        return ":", _NOTHING  # its two points run into each other
    if tall < 0.3 and 0.15 < wide < 0.9 and 0.35 < middle < 0.75 and wide > 1.3 * tall:
        return "-", _NOTHING
    if tall < 0.7:
        return "?", _NOTHING
    found = _likeness(np.isin(labels[y0:y1, x0:x1], np.asarray(pieces)))
    return _named(found), found


def _line(
    labels: NDArray[np.int32], stats: NDArray[np.int32], row: NDArray[np.int64], scale: float
) -> Line | None:
    """What stands in a row of pieces, with the small ones between them."""
    high, top = float(np.median(stats[row, 3])), float(np.median(stats[row, 1]))
    left, right = stats[row, 0].min() - 2 * high, (stats[row, 0] + stats[row, 2]).max() + 2 * high
    middle = stats[:, 1] + stats[:, 3] / 2
    inside = (middle > top - 0.1 * high) & (middle < top + 1.1 * high) & (stats[:, 3] <= 1.5 * high)
    inside &= (stats[:, 0] >= left) & (stats[:, 0] <= right) & (stats[:, 4] >= 0.004 * high * high)
    inside &= stats[:, 2] <= 3 * high
    inside[0] = False
    numbers = np.flatnonzero(inside)
    if not _FEWEST <= len(numbers) <= 200:
        return None
    groups = [numbers[g].tolist() for g in _merged(stats[numbers].astype(np.int64))]
    signs = [_group(labels, stats, pieces, high, top) for pieces in groups]
    box = Box(int(left / scale), int(top / scale), int((right - left) / scale), int(high / scale + 1))
    return Line("".join(s[0] for s in signs), high / scale, box, np.stack([s[1] for s in signs]))


def lines_of(luma: _Luma, scale: float = 1.0, *, soft: float = 0.0, fine: bool = False) -> Iterator[Line]:
    """Lines with ten or more digits of like height in a picture, once a level of ink and colour of ink.

    luma: (rows, columns) uint8; scale: by which it is enlarged before pieces of ink are sought; soft: sigma of a Gaussian
    over the enlarged picture, pixels, against noise; fine: more levels. The same line comes several times, perhaps read
    otherwise: the caller weighs.
    """
    large = luma
    if scale != 1.0:
        large = np.asarray(
            cv2.resize(luma, None, fx=scale, fy=scale, interpolation=cv2.INTER_CUBIC), np.uint8
        )
    if soft > 0:
        large = np.asarray(cv2.GaussianBlur(large, (0, 0), soft), np.uint8)
    for light in (True, False):
        field = large if light else np.asarray(255 - large, np.uint8)
        for level in _FINE_LEVELS if fine else _LEVELS:
            yield from _lines_at(field, level, scale)


def _lines_at(field: _Luma, level: int, scale: float) -> Iterator[Line]:
    """Lines of ink above a level."""
    count, labels, stats, _ = cv2.connectedComponentsWithStats(
        (field > level).astype(np.uint8), connectivity=4
    )
    if count <= _FEWEST:
        return
    whole = np.asarray(stats, np.int32)[:_MOST_PIECES]
    for row in _rows_of(whole, scale):
        if (found := _line(np.asarray(labels, np.int32), whole, row, scale)) is not None:
            yield found
