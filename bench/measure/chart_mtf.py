"""What the print of a chart takes off the response: its certified modulation transfer, put into the resolution.

The picture shows the product of camera and print. Where the print's modulation transfer is certified, the response is
divided by it before the fall to 10 % is looked for; its uncertainty goes through the slope of the curve there.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bench.measure.chart_view import ChartView
from bench.measure.edge import FREQUENCIES, EdgeSfr
from fixtures.charts import Region

__all__ = ["ASSUMED", "ChartMtf", "PrintEffect", "pixels_per_mm", "print_effect"]

_Floats = NDArray[np.float64]
_LEVEL = 0.1
_NEAR = 4  # samples of the curve to either side that its slope is taken of

#: Stands beside a resolution of a chart without such a certificate.
ASSUMED = "chart MTF assumed 1: not evaluated"


@dataclass(frozen=True)
class ChartMtf:
    """Certified modulation transfer of a print. frequency: cycles a millimetre, rising; mtf, u: at each, the response
    and its standard uncertainty; number: of the certificate."""

    number: str
    frequency: tuple[float, ...]
    mtf: tuple[float, ...]
    u: tuple[float, ...]

    def at(self, frequency: _Floats) -> _Floats:
        """Response at frequencies, cycles a millimetre: straight between the points, level beyond them."""
        return np.asarray(np.interp(frequency, self.frequency, self.mtf))

    def u_at(self, frequency: float) -> float:
        """Standard uncertainty there: the larger of the two neighbours."""
        above = min(int(np.searchsorted(self.frequency, frequency)), len(self.u) - 1)
        return max(self.u[max(above - 1, 0)], self.u[above])


@dataclass(frozen=True)
class PrintEffect:
    """What the print does to the 10 % frequency of one square. factor: true over seen; u: its standard uncertainty;
    note: why neither is known, '' if they are."""

    factor: float
    u: float
    note: str = ""


def pixels_per_mm(view: ChartView, square: Region) -> float:
    """Pixels a millimetre of chart, across the picture, at a square's middle."""
    low, _, high, _ = square.bounds
    corners = view.corners(square)
    return float(np.ptp(corners[:, 0]) / (high - low)) if high > low else math.nan


def print_effect(results: Sequence[EdgeSfr], scale: float, chart: ChartMtf) -> PrintEffect:
    """The effect of the print on the mean response of one square's edges. scale: pixels a millimetre.

    Without effect, and with a note, where the 10 % frequency lies beyond the certificate or is not seen.
    """
    sfr = np.mean([r.sfr for r in results], axis=0)
    seen = _fall(sfr)
    transfer = chart.at(FREQUENCIES * scale)
    true = _fall(sfr / transfer)
    lowest, highest = chart.frequency[0], chart.frequency[-1]
    if math.isnan(seen) or math.isnan(true) or not lowest <= true * scale <= highest:
        return PrintEffect(
            1.0,
            0.0,
            f"chart MTF certified from {lowest:g} to {highest:g} 1/mm only: assumed 1, not evaluated",
        )
    near = slice(max(int(np.searchsorted(FREQUENCIES, true)) - _NEAR, 0), None)
    slope = float(np.polyfit(FREQUENCIES[near][: 2 * _NEAR], (sfr / transfer)[near][: 2 * _NEAR], 1)[0])
    relative = chart.u_at(true * scale) / float(chart.at(np.array([true * scale]))[0])
    return PrintEffect(true / seen, _LEVEL * relative / max(abs(slope), 1e-9) / seen)


def _fall(sfr: _Floats) -> float:
    """First frequency of the fall below 10 %, between the samples; nan if there is none."""
    below = np.flatnonzero(sfr[1:] < _LEVEL)
    if len(below) == 0:
        return math.nan
    k = int(below[0]) + 1
    share = (sfr[k - 1] - _LEVEL) / (sfr[k - 1] - sfr[k])
    return float(FREQUENCIES[k - 1] + share * (FREQUENCIES[k] - FREQUENCIES[k - 1]))
