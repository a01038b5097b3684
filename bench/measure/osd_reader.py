"""Lines of text in pictures, by a text reader that others trained (PP-OCR models, which lie in the wheel of `rapidocr`)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from standards.errors import BenchError, MeasurementRefused

__all__ = ["Box", "TextLine", "lines_in", "text_in"]

_Luma = NDArray[np.uint8]

_ONE_THREAD = {
    "Global.log_level": "critical",
    "EngineConfig.onnxruntime.intra_op_num_threads": 1,
    "EngineConfig.onnxruntime.inter_op_num_threads": 1,
}
_NEAR = 2.0  # heights: pieces of a row that are no further apart belong together
_SAME_ROW = 0.5  # of the lower one's height, which has to be shared
_MARGIN = 0.1  # heights around a line
_MOST_LINES = 40  # of a picture: a scene full of shop signs is not read to its end
_MOST_ASPECT = 8.0  # sides of a picture that is searched: the reader gives up on strips
_LEAST_HEIGHT = 6.0  # pixels: smaller is no text that anyone reads


@dataclass(frozen=True)
class Box:
    """A place in a picture, pixels."""

    left: int
    top: int
    width: int
    height: int

    def overlap(self, other: Box) -> float:
        """Common area over that of both together."""
        wide = min(self.left + self.width, other.left + other.width) - max(self.left, other.left)
        high = min(self.top + self.height, other.top + other.height) - max(self.top, other.top)
        common = max(wide, 0) * max(high, 0)
        return common / (self.width * self.height + other.width * other.height - common)

    def of(self, luma: _Luma) -> _Luma:
        """What lies within, where the picture has it."""
        return luma[max(self.top, 0) : self.top + self.height, max(self.left, 0) : self.left + self.width]


@dataclass(frozen=True)
class TextLine:
    """text: as read; score: the reader's own confidence, 0 to 1; box: where."""

    text: str
    score: float
    box: Box


@cache
def _engine() -> Callable[..., Any]:
    """The reader, loaded when a picture is first read: it takes a second or two, and 150 MB.

    One thread, so that the same picture gives the same text on every machine's number of cores.
    """
    try:
        from rapidocr import RapidOCR  # half a second to import, which no other command should wait for
    except ImportError as error:
        raise BenchError(f"the text reader cannot be loaded ({error}). Mend: make install") from None
    engine: Callable[..., Any] = RapidOCR(params=_ONE_THREAD)
    return engine


def _three(luma: _Luma) -> _Luma:
    return np.ascontiguousarray(np.broadcast_to(luma[..., None], (*luma.shape, 3)))


def _boxes(luma: _Luma) -> list[tuple[float, float, float, float]]:
    """Left, top, right, bottom of pieces of text."""
    found = _engine()(_three(luma), use_det=True, use_cls=False, use_rec=False).boxes
    corners = [np.asarray(one, float) for one in (() if found is None else found)]
    pieces = [(*one.min(0).tolist(), *one.max(0).tolist()) for one in corners]
    return [
        (x0, y0, x1, y1) for x0, y0, x1, y1 in pieces if y1 - y0 >= _LEAST_HEIGHT and x1 - x0 >= _LEAST_HEIGHT
    ]


def rows_of(pieces: Sequence[tuple[float, float, float, float]]) -> list[Box]:
    """Pieces (left, top, right, bottom) of one row, a little apart or overlapping, put together; with a margin."""
    rows: list[list[float]] = []
    for left, top, right, bottom in sorted(pieces):
        for row in rows:
            height = min(bottom - top, row[3] - row[1])
            shared = min(bottom, row[3]) - max(top, row[1])
            if shared >= _SAME_ROW * height and left - row[2] <= _NEAR * height:
                row[1], row[2], row[3] = min(top, row[1]), max(right, row[2]), max(bottom, row[3])
                break
        else:
            rows.append([left, top, right, bottom])
    found = []
    for left, top, right, bottom in rows:
        pad = round(_MARGIN * (bottom - top))
        x, y = max(int(left) - pad, 0), max(int(top) - pad, 0)
        found.append(Box(x, y, int(right) + pad - x, int(bottom) + pad - y))
    return sorted(found, key=lambda box: (box.top, box.left))[:_MOST_LINES]


def text_in(luma: _Luma, box: Box) -> TextLine:
    """What stands in a place of a picture; an empty text with score 0 where nothing is read.

    luma: (rows, columns) uint8.
    """
    part = box.of(luma)
    if min(part.shape, default=0) < _LEAST_HEIGHT:
        return TextLine("", 0.0, box)
    found = _engine()(_three(part), use_det=False, use_cls=False, use_rec=True)
    texts: Sequence[str] = found.txts or ()
    scores: Sequence[float] = found.scores or ()
    read = [TextLine(text.strip(), float(score), box) for text, score in zip(texts, scores, strict=True)]
    return read[0] if read else TextLine("", 0.0, box)


def lines_in(luma: _Luma) -> tuple[TextLine, ...]:
    """Every line of text in a picture, from the top.

    luma: (rows, columns) uint8. About a second of processor time for 1920 x 1080. Raises MeasurementRefused for a picture
    more than eight times as long as it is wide.
    """
    if max(luma.shape) > _MOST_ASPECT * min(luma.shape):
        raise MeasurementRefused(f"a picture of {luma.shape[1]} x {luma.shape[0]} is not searched for text")
    found = (text_in(luma, box) for box in rows_of(_boxes(luma)))
    return tuple(line for line in found if line.text)
