"""Whether a camera is in day or in night mode, from its pictures: at night there is no colour (docs/methods/day_night.md).

The colours of a picture are held against those that the same view has by day, place by place: the share of them that is
there is about 1 by day and 0 at night, however dark the picture. What it has by day comes from a picture taken by day, or
from a chart of known colours. Without either, colour anywhere means day; none means night or a scene without colour.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import cv2
import numpy as np
from numpy.typing import NDArray

from bench.measure.chart_view import ChartView
from bench.measure.colour_picture import ColourPicture
from standards.errors import MeasurementRefused
from standards.quantity import Estimate, Kind

__all__ = ["SURE", "Mode", "cells", "chart_cells", "day_night_mode", "tell"]

_Floats = NDArray[np.float64]

#: Confidence from which a mode counts as told.
SURE = 0.975
_GRID = (32, 18)  # cells across and down
_DARK, _BRIGHT = 6.0, 205.0  # luma over black, codes of 219: beyond, colours are cut off
_LIMIT = 0.2  # share of the day's colours between night and day
_FLOOR_CODE, _FLOOR_SHARE = 0.2, 0.02  # of a cell's mean by coding; of the share
_NEIGHBOURS = 2.0  # cells share coding blocks, and errors of white balance
_FEWEST, _SHARE_SEEN = 4, 0.05  # places; share of the picture that has to be neither black nor white
_COLOURLESS, _COLOURLESS_U = 1.0, 0.25  # colour of a whole picture, codes, between none and some
#: No colour and nothing to hold it against: 1 less the share of scenes without colour, its 95 % bound (the page).
_SCENE = 0.9
_WHITE, _SWING, _OF_BLUE, _OF_RED = 219.0, 224.0, 1.8556, 1.5748
_CORE = 0.6


@dataclass(frozen=True)
class Mode:
    """What was told. night: None where it cannot be told; confidence: that it is right, 0.5 to 1; share: of the day's
    colours, or without a reference the picture's colour in codes; u: its standard uncertainty; reason: why not told."""

    night: bool | None
    confidence: float
    share: float
    u: float
    reason: str = ""


def cells(picture: ColourPicture) -> _Floats:
    """(576, 3) luma over black and the two colour differences about grey of 32 x 18 parts of a picture, codes of 8 bit."""
    black, white, swing = (0.0, 255.0, 255.0) if picture.full_range else (16.0, _WHITE, _SWING)
    planes = [
        cv2.resize(plane.astype(np.float32), _GRID, interpolation=cv2.INTER_AREA).astype(np.float64).ravel()
        for plane in (picture.luma, picture.blue, picture.red)
    ]
    return np.column_stack([
        (planes[0] - black) * (_WHITE / white), *((plane - 128.0) * (_SWING / swing) for plane in planes[1:])
    ])  # fmt: skip


def chart_cells(picture: ColourPicture, view: ChartView) -> tuple[_Floats, _Floats]:
    """(patches, 3) of the chart's coloured patches as seen, and as they are by their nominal colours; as `cells`.

    Raises MeasurementRefused if the chart has no colours.
    """
    patches = view.chart.patches
    if len(patches) < _FEWEST or picture.shape != view.shape:
        raise MeasurementRefused(
            f"chart {view.chart.name} has no colours to tell day from night by: use colour"
        )
    seen = np.array([picture.rgb(view.box(one.inset(_CORE))).mean((0, 1)) for one in patches])
    light = np.clip(np.array([one.linear for one in patches]), 0.0, 1.0)
    return _codes(seen), _codes(np.where(light < 0.018, 4.5 * light, 1.099 * light**0.45 - 0.099))


def _codes(signals: _Floats) -> _Floats:
    """Luma over black and colour differences, codes, of (n, 3) signals R, G, B (ITU-R BT.709-6, 3.2 to 3.4)."""
    luma = signals @ np.array([0.2126, 0.7152, 0.0722])
    blue, red = (signals[:, 2] - luma) / _OF_BLUE, (signals[:, 0] - luma) / _OF_RED
    return np.column_stack([luma * _WHITE, blue * _SWING, red * _SWING])


def tell(seen: _Floats, day: _Floats | None = None) -> Mode:
    """Day or night.

    seen: (n, 3) luma over black and colour differences of places, codes (mean over pictures); day: the same of the same
    places by day, at any exposure. None where not told: too little light, white, or no colour by day either.
    """
    usable = (seen[:, 0] > _DARK) & (seen[:, 0] < _BRIGHT)
    if day is not None:
        usable &= (day[:, 0] > _DARK) & (day[:, 0] < _BRIGHT)
    if np.count_nonzero(usable) < max(_FEWEST, _SHARE_SEEN * len(seen)):
        return Mode(None, 0.5, 0.0, math.inf, "nearly all of the picture is black or white")
    if day is None:
        return _by_scene(seen[usable])
    expected = day[usable, 1:] * (seen[usable, :1] / day[usable, :1])
    energy = float((expected**2).sum())
    if energy <= 0.0:
        return Mode(None, 0.5, 0.0, math.inf, "nothing in view has a colour by day")
    found = seen[usable, 1:]
    share = float((found * expected).sum()) / energy
    left = float(((found - share * expected) ** 2).sum()) / max(found.size - 1, 1)
    u = max(_NEIGHBOURS * math.sqrt((left + _FLOOR_CODE**2) / energy), _FLOOR_SHARE)
    confidence = _normal(abs(share - _LIMIT) / u)
    if confidence < SURE:
        return Mode(None, confidence, share, u, "there is too little colour in view to tell")
    return Mode(share < _LIMIT, confidence, share, u)


def _by_scene(seen: _Floats) -> Mode:
    colour = math.sqrt(float((seen[:, 1:] ** 2).sum(1).mean()))
    confidence = _normal(abs(colour - _COLOURLESS) / _COLOURLESS_U)
    if colour < _COLOURLESS:
        confidence = min(confidence, _SCENE)
        reason = "no colour, and nothing known to have one: night, or a scene without colour"
        return Mode(None, confidence, colour, _COLOURLESS_U, reason)
    if confidence < SURE:
        return Mode(None, confidence, colour, _COLOURLESS_U, "there is too little colour in view to tell")
    return Mode(False, confidence, colour, _COLOURLESS_U)


def _normal(x: float) -> float:
    return 0.5 * (1 + math.erf(x / math.sqrt(2)))


def day_night_mode(pictures: Sequence[ColourPicture], view: ChartView | None = None) -> Estimate:
    """`picture.day_night_mode`: "day" or "night".

    view: the chart, where one with colours is in the picture; without it only day can be told. Raises MeasurementRefused
    where it cannot be told.
    """
    by: Literal["chart", "scene"] = "scene"
    day: _Floats | None = None
    if view is not None and view.chart.patches:
        pairs = [chart_cells(picture, view) for picture in pictures if picture.shape == view.shape]
        if not pairs:
            raise MeasurementRefused("no whole picture of the chart's size")
        seen, day, by = np.mean([pair[0] for pair in pairs], axis=0), pairs[0][1], "chart"
    else:
        seen = np.mean([cells(picture) for picture in pictures], axis=0)
    found = tell(seen, day)
    if found.night is None:
        raise MeasurementRefused(
            f"day or night cannot be told: {found.reason}. Mend: the colour chart in view, lit as the place is"
        )
    return Estimate(
        quantity="picture.day_night_mode", kind=Kind.NOMINAL, value="night" if found.night else "day", unit="1", exact=True,
        details={"confidence": round(found.confidence, 4), "colour": round(found.share, 4), "u": round(found.u, 4),
                 "by": by},
    )  # fmt: skip
