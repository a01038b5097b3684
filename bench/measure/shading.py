"""How the light falls off over the picture, told from the chart's even paper together with its grey steps.

The tone curve needs the fall-off (steps lie at different places), and the fall-off needs the tone curve (paper is read in
codes): both are found at once, the fall-off as a polynomial in the square of the radius about the picture's middle.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Protocol

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import least_squares

from bench.measure.tone import Tone
from fixtures.charts import CHARTS
from standards.errors import MeasurementRefused

__all__ = ["Shading", "fit_shading", "paper_places"]

_Floats = NDArray[np.float64]
_ACROSS, _DOWN = 33, 19  # places that paper is looked for at
_CLEAR = 4.0  # mm from anything that is drawn
_FEWEST = 12
_WHILE_SEARCHING = 255.0  # codes: steps contradict each other until the fall-off is right
_STARTS = (0.05, 0.0, -0.05, -0.1, -0.15, -0.2, -0.3, -0.4, -0.55)
_LOWEST, _HIGHEST = np.array([0.1, 0.4]), np.array([1.3, 1.6])
_MOST_LOSS = 0.9  # of the light, at the half diagonal


class ToneAt(Protocol):
    """The tone curve from grey steps whose light falls off so; tolerance: codes by which steps may contradict each other."""

    def __call__(self, shading: Shading, tolerance: float | None = None, /) -> Tone:
        """Raises MeasurementRefused if the steps cannot be told apart, or contradict each other more."""


@dataclass(frozen=True)
class Shading:
    """share of light at a radius r, in half diagonals: 1 + a r^2 + b r^4."""

    a: float = 0.0
    b: float = 0.0

    def at(self, square: _Floats) -> _Floats:
        """Share of the light that is left, at squares of the radius; 1 in the picture's middle."""
        return np.asarray(np.maximum(1 + square * (self.a + square * self.b), 1 - _MOST_LOSS))


@cache
def paper_places(name: str) -> _Floats:
    """(n, 2) places on a chart, mm, with nothing but background for 4 mm around."""
    chart = CHARTS[name]
    x, y = np.meshgrid(
        np.linspace(_CLEAR, chart.width - _CLEAR, _ACROSS), np.linspace(_CLEAR, chart.height - _CLEAR, _DOWN)
    )
    points = np.column_stack([x.ravel(), y.ravel()])
    free = np.ones(len(points), np.bool_)
    boxes = [part.bounds for part in chart.fillings]
    boxes += [pattern.region.bounds for pattern in chart.patterns]
    boxes += [chart.texture.bounds] if chart.texture is not None else []
    boxes += [(*label.at, *label.at) for label in chart.labels]
    for left, top, right, bottom in boxes:
        near = (points[:, 0] > left - _CLEAR) & (points[:, 0] < right + _CLEAR)
        free &= ~(near & (points[:, 1] > top - _CLEAR) & (points[:, 1] < bottom + _CLEAR))
    return points[free]


def fit_shading(paper: _Floats, squares: _Floats, tone_at: ToneAt) -> tuple[Shading, Tone]:
    """The fall-off that makes the paper even, and the tone curve that goes with it.

    paper: (n,) mean codes of background at squares of the radius, (n,) half diagonals; tone_at: the tone curve from grey
    steps whose light falls off so. Even light where there are fewer than 12 places, or none gives a tone curve.
    """
    even = Shading()
    if len(paper) < _FEWEST or float(np.ptp(squares)) < 0.2:
        return even, tone_at(even)
    codes = np.arange(256.0)

    def residual(vector: _Floats) -> _Floats:
        shading = _of(vector)
        try:
            table = tone_at(shading, _WHILE_SEARCHING).table.astype(np.float64)
        except MeasurementRefused:
            return np.full(len(paper), 10.0)
        light = np.interp(paper, codes, table) / shading.at(squares)
        return np.asarray(light / max(float(np.median(light)), 1e-9) - 1)

    # Counted from -1, so that the steps of the derivative are thousandths; begun at the best of a few, as the tone curve's
    # own steps make the way there uneven.
    starts = [np.array([1 + a, 1.0]) for a in _STARTS]
    best = min(starts, key=lambda vector: float(np.abs(residual(vector)).sum()))
    found = least_squares(
        residual,
        best,
        loss="soft_l1",
        f_scale=0.01,
        bounds=(_LOWEST, _HIGHEST),
        max_nfev=25,
        diff_step=np.full(2, 1e-3),
    )
    shading = _of(found.x)
    return shading, tone_at(shading)


def _of(vector: _Floats) -> Shading:
    return Shading(float(vector[0]) - 1, float(vector[1]) - 1)
