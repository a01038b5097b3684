"""The print's certified modulation transfer in the resolution: a soft print before a sharp camera, in closed form."""

from __future__ import annotations

import math

import numpy as np
import pytest
from drawn_scene import Scene
from numpy.typing import NDArray

from bench.measure.chart_mtf import ASSUMED, ChartMtf, pixels_per_mm
from bench.measure.chart_view import ChartView, locate
from bench.measure.resolution import resolution
from fixtures.charts import CHARTS

CAMERA_PX, PRINT_PX = 0.8, 0.5  # standard deviations of two Gaussians, pixels
U = 0.02


def _pictures(sigma: float) -> list[NDArray[np.uint8]]:
    scene = Scene(width=1280, height=720, blur_sigma_px=sigma, noise_sd=0.5, tone="bt709", seed=5)
    return [scene.render(counter=4 * i, lamp=0.0) for i in range(2)]


def _certificate(view: ChartView, highest: float = 6.0) -> ChartMtf:
    scale = pixels_per_mm(view, next(s for s in view.chart.squares if s.name == "edge.centre"))
    frequency = np.linspace(0.0, highest, 61)
    mtf = np.exp(-2 * (math.pi * PRINT_PX * frequency / scale) ** 2)
    return ChartMtf("MTF-1", tuple(frequency), tuple(mtf), (U,) * 61)


@pytest.fixture(scope="module")
def soft() -> list[NDArray[np.uint8]]:
    return _pictures(math.hypot(CAMERA_PX, PRINT_PX))


def test_the_camera_is_seen_through_the_print(soft: list[NDArray[np.uint8]]) -> None:
    view = locate(soft[0], CHARTS["camcert-1"])
    (plain, _), (true, ratio) = resolution(soft, view), resolution(soft, view, chart_mtf=_certificate(view))
    sharp = _pictures(CAMERA_PX)
    (camera, _) = resolution(sharp, locate(sharp[0], CHARTS["camcert-1"]))
    assert (
        isinstance(plain.value, float) and isinstance(true.value, float) and isinstance(camera.value, float)
    )
    assert plain.value < 0.9 * camera.value, "the print hides a tenth of the camera's resolution"
    assert true.value == pytest.approx(camera.value, rel=0.01)
    assert ratio.value == pytest.approx(100.0, abs=2.0)
    assert ASSUMED in plain.notes and ASSUMED not in true.notes


def test_its_uncertainty_stands_in_the_budget(soft: list[NDArray[np.uint8]]) -> None:
    """u(f) = u(M) 0.1 / (M_print |d(M_camera)/df|), of the camera's response exp(-2 (pi s f)^2) sinc(f)."""
    view = locate(soft[0], CHARTS["camcert-1"])
    chart = _certificate(view)
    centre, ratio = resolution(soft, view, chart_mtf=chart)
    (line,) = [c for c in centre.budget if c.name.startswith("chart:")]
    assert line.method == "B" and line.source == "certificate" and "MTF-1" in line.name
    f = np.linspace(0.05, 0.9, 5000)
    response = np.exp(-2 * (math.pi * CAMERA_PX * f) ** 2) * np.sinc(f)
    k = int(np.argmax(response < 0.1))
    slope = abs(float(np.gradient(response, f)[k]))
    scale = pixels_per_mm(view, next(s for s in view.chart.squares if s.name == "edge.centre"))
    expected = 2 * 720 * 0.1 / slope * U / float(chart.at(np.array([f[k] * scale]))[0])
    assert line.u == pytest.approx(expected, rel=0.2), "the slope is taken of the measured curve"
    beside = [c.u for c in ratio.budget if c.name.startswith("chart:")]
    assert sum(beside) < 0.2, "one certificate for all: in the ratio it cancels (of 100 %)"


def test_a_certificate_that_ends_too_soon_changes_nothing(soft: list[NDArray[np.uint8]]) -> None:
    view = locate(soft[0], CHARTS["camcert-1"])
    plain, _ = resolution(soft, view)
    short, _ = resolution(soft, view, chart_mtf=_certificate(view, highest=0.2))
    assert short.value == plain.value and short.u == plain.u
    assert "chart MTF certified from 0 to 0.2 1/mm only: assumed 1, not evaluated" in short.notes


def test_between_points_the_larger_uncertainty() -> None:
    chart = ChartMtf("M", (0.0, 1.0, 2.0), (1.0, 0.9, 0.7), (0.01, 0.03, 0.02))
    assert [chart.u_at(f) for f in (0.5, 1.5, 2.5)] == [0.03, 0.03, 0.03]
    assert chart.at(np.array([0.5, 9.0])).tolist() == pytest.approx([0.95, 0.7])
