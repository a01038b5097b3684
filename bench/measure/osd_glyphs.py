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
_ROWS, _COLUMNS = 24, 28  # of a piece brought to one height
_DRAWN = 72  # pixels: size at which templates are drawn
_LEVELS = (100, 130, 155, 180, 205, 228)  # codes above which ink lies, in turn
_LIKE, _APART = 0.78, 0.04  # least correlation, and least lead over the next sign
_LEAST, _MOST = 7, 90  # pixels high that digits may be
_FEWEST = 10  # digits of like height that make a line
_MOST_PIECES = 4000


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
    like, apart: least correlation and least lead of all digits in it."""

    text: str
    height: float
    box: Box
    like: float
    apart: float
    likes: tuple[float, ...] = ()
    aparts: tuple[float, ...] = ()


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


@cache
def _templates() -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """(n, pixels) templates and the sign each is of, drawn with the fonts that OpenCV carries."""
    found, which = [], []
    for face, weight in _FACES:
        font = cv2.FontFace(face)
        for number, sign in enumerate(_DIGITS + _SIGNS):
            field = np.zeros((3 * _DRAWN, 3 * _DRAWN), np.uint8)
            cv2.putText(field, sign, (_DRAWN, 2 * _DRAWN), (255,), font, _DRAWN, weight)
            rows, columns = np.nonzero(field > 127)
            if not len(rows):
                continue
            piece = field[rows.min() : rows.max() + 1, columns.min() : columns.max() + 1] > 127
            found.append(_brought(piece))
            which.append(number)
    return np.stack(found), np.asarray(which)


def _sign(ink: NDArray[np.bool_]) -> tuple[str, float, float]:
    """The sign that a piece looks like, its correlation and its lead over the next."""
    templates, which = _templates()
    likeness = templates @ _brought(ink)
    best = np.full(len(_DIGITS + _SIGNS), -1.0)
    np.maximum.at(best, which, likeness)
    order = np.argsort(best)
    like, apart = float(best[order[-1]]), float(best[order[-1]] - best[order[-2]])
    sign = (_DIGITS + _SIGNS)[order[-1]] if like >= _LIKE and apart >= _APART else "?"
    return sign, like, apart


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
) -> tuple[str, float, float]:
    """The sign of pieces that stand above each other, with correlation and lead."""
    x0, y0 = stats[pieces, 0].min(), stats[pieces, 1].min()
    x1 = (stats[pieces, 0] + stats[pieces, 2]).max()
    y1 = (stats[pieces, 1] + stats[pieces, 3]).max()
    tall, wide, middle = (y1 - y0) / high, (x1 - x0) / high, ((y0 + y1) / 2 - top) / high
    if len(pieces) == 2 and wide < 0.4 and max(stats[pieces, 3]) < 0.4 * high and tall > 0.35:
        return ":", 1.0, 1.0
    if tall < 0.3 and 0.15 < wide < 0.9 and 0.35 < middle < 0.75 and wide > 1.3 * tall:
        return "-", 1.0, 1.0
    if tall < 0.7:
        return "?", 0.0, 0.0
    return _sign(np.isin(labels[y0:y1, x0:x1], np.asarray(pieces)))


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
    likes, aparts = tuple(s[1] for s in signs), tuple(s[2] for s in signs)
    return Line("".join(s[0] for s in signs), high / scale, box, min(likes), min(aparts), likes, aparts)


def lines_of(luma: _Luma, scale: float = 1.0) -> Iterator[Line]:
    """Lines with ten or more digits of like height in a picture, once a level of ink and colour of ink.

    luma: (rows, columns) uint8; scale: by which it is enlarged before pieces of ink are sought. The same line comes
    several times, perhaps read otherwise: the caller votes.
    """
    large = luma
    if scale != 1.0:
        large = np.asarray(
            cv2.resize(luma, None, fx=scale, fy=scale, interpolation=cv2.INTER_CUBIC), np.uint8
        )
    for light in (True, False):
        field = large if light else np.asarray(255 - large, np.uint8)
        for level in _LEVELS:
            ink = (field > level).astype(np.uint8)
            count, labels, stats, _ = cv2.connectedComponentsWithStats(ink, connectivity=4)
            if count <= _FEWEST:
                continue
            whole = np.asarray(stats, np.int32)
            if count > _MOST_PIECES:
                whole = whole[:_MOST_PIECES]
            for row in _rows_of(whole, scale):
                if (found := _line(np.asarray(labels, np.int32), whole, row, scale)) is not None:
                    yield found
