"""Processor time and error of edge responses, ours and other people's, on the same closed-form edges in the same run."""

from __future__ import annotations

import contextlib
import importlib
import io
import math
import statistics
import sys
import time
import warnings
from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bench.measure.edge import edge_sfr
from bench.measure.edge_iso import edge_sfr_iso
from fixtures.simulated.picture.lens import edge_profile, true_mtf

__all__ = ["edge_figures"]

Roi = NDArray[np.float64]
YARDSTICKS = Path(sys.prefix) / "yardsticks"
_ANGLES, _SIGMAS, _NOISE = (3.0, 5.0, 10.0), (0.5, 0.7, 1.0), 0.006  # 40 dB
_RUNS = 4


def _edges(rows: int, columns: int) -> list[tuple[Roi, float]]:
    """Noisy edges of 0.2 to 0.8 and their true MTF50, cycles a pixel."""
    draw = np.random.default_rng(20261126)
    found = []
    for angle in _ANGLES:
        for sigma in _SIGMAS:
            t = math.radians(angle)
            y = np.arange(rows)[:, None] - (rows - 1) / 2
            x = np.arange(columns)[None, :] - (columns - 1) / 2 - draw.uniform(-0.5, 0.5)
            normal = (math.cos(t), math.sin(t))
            roi = 0.2 + 0.6 * edge_profile(x * normal[0] + y * normal[1], sigma, normal)
            f = np.linspace(0, 0.999, 20001)
            true = float(np.interp(0.0, -(true_mtf(f, sigma, angle) - 0.5), f))
            found.append((roi + _NOISE * draw.standard_normal(roi.shape), true))
    return found


def _crossing(frequency: Roi, response: Roi) -> float:
    below = int(np.argmax(response < 0.5))
    share = (response[below - 1] - 0.5) / (response[below - 1] - response[below])
    return float(frequency[below - 1] + share * (frequency[below] - frequency[below - 1]))


def _quick_mtf() -> Callable[[Roi], float]:
    """quickMTF's slanted edge (after C. Asplund)."""
    calculator = importlib.import_module("quickMTF.SFR_MTF").sfr_mtfcal()

    def mtf50(roi: Roi) -> float:
        response, _ = calculator.calc_sfr(roi, oversampling=4)
        return _crossing(response[:, 0], response[:, 1])

    return mtf50


def _pylinac() -> Callable[[Roi], float]:
    """pylinac's edge spread functions, one a row: it has no slanted edge, and no sampling finer than a pixel."""
    method = importlib.import_module("pylinac.core.mtf").EdgeSpreadFunctionMTF

    def mtf50(roi: Roi) -> float:
        found = method(list(roi))
        return _crossing(found.freq, found.mtf)

    return mtf50


def _figures(mtf50: Callable[[Roi], float], edges: list[tuple[Roi, float]]) -> dict[str, float]:
    """Processor milliseconds an edge, and errors of MTF50 in %."""
    errors, took = [], []
    mtf50(edges[0][0])
    for _ in range(_RUNS):
        for roi, true in edges:
            start = time.process_time()
            value = mtf50(roi)
            took.append((time.process_time() - start) * 1e3)
            errors.append(100 * (value / true - 1))
    return {
        "cpu_ms": statistics.median(took),
        "bias_%": statistics.fmean(errors),
        "worst_%": max(map(abs, errors)),
    }


def edge_figures() -> dict[str, dict[str, float]]:
    """A row a method and size. Other people's packages stand in .venv/yardsticks, which `make benchmark` installs."""
    sys.path.append(str(YARDSTICKS))
    ways: dict[str, Callable[[Roi], float]] = {
        "edge, robust mode": lambda roi: edge_sfr(roi).mtf50,
        "edge, ISO mode": lambda roi: edge_sfr_iso(roi).mtf50,
        "edge, quickMTF": _quick_mtf(),
        "edge, pylinac (rows)": _pylinac(),
    }
    table = {}
    with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
        warnings.simplefilter("ignore")  # theirs; ours are errors in the tests
        for rows, columns in ((128, 96), (64, 48)):
            edges = _edges(rows, columns)
            for name, way in ways.items():
                table[f"{name}, {columns} x {rows}"] = _figures(way, edges)
    return table


if __name__ == "__main__":
    for name, row in edge_figures().items():
        sys.stdout.write(f"{name:34} " + "  ".join(f"{k} {v:8.2f}" for k, v in row.items()) + "\n")
