"""Flicker under lamps of known depth and frequency, through rolling and global shutters of the virtual camera."""

from __future__ import annotations

import math
from functools import cache

import numpy as np
import pytest
from imaging_world import START_NS, imager

from bench.measure.chart_view import ChartView, locate
from bench.measure.flicker import flicker
from fixtures.charts import CHARTS
from fixtures.simulated.picture import Moment
from fixtures.world import World
from standards.errors import MeasurementRefused

Shown = tuple[np.ndarray, np.ndarray, ChartView]


@cache
def shown(
    depth: float, hertz: float, fps: float, *, readout_ms: float = 20.0, exposure_ms: float = 2.0
) -> Shown:
    world = World({"flicker_depth": depth, "flicker_hz": hertz, "illuminance_lx": 330.0})
    camera = imager(
        640, 360, scene={"chart": "camcert-1", "fill": 0.9}, sensor={"readout_ms": readout_ms},
        picture={"noise_sd": 1.0, "seed": 1, "exposure_ms": exposure_ms},
    )  # fmt: skip
    pictures = []
    for index in (37 * run + k for run in range(3) for k in range(8)):
        taken = camera.frame(Moment(index, START_NS + round(index * 1e9 / fps), world, counter=index))
        pictures.append(taken.luma.copy())
    return np.stack(pictures), np.repeat(np.arange(3), 8), locate(pictures[0], CHARTS["camcert-1"])


@pytest.mark.parametrize(
    ("depth", "hertz", "fps", "readout_ms", "exposure_ms"),
    [(0.3, 100.0, 30.0, 20.0, 2.0), (0.05, 120.1, 25.0, 0.0, 4.0)],
)
def test_depth_mains_and_read_out_are_those_of_lamp_and_shutter(
    depth: float, hertz: float, fps: float, readout_ms: float, exposure_ms: float
) -> None:
    pictures, run, view = shown(depth, hertz, fps, readout_ms=readout_ms, exposure_ms=exposure_ms)
    found = flicker(pictures, run, view, frame_rate=fps)
    turns = math.pi * hertz * exposure_ms / 1000
    true = 100 * depth * abs(math.sin(turns) / turns)
    assert found.expanded_uncertainty is not None
    assert float(found.value) == pytest.approx(true, abs=found.expanded_uncertainty)
    assert found.expanded_uncertainty < 0.05 + 0.04 * true
    assert found.details["mains_hz"] == round(hertz / 2)
    assert found.details["readout_ms"] == pytest.approx(readout_ms, abs=0.2)


def test_steady_light_where_both_mains_would_be_seen_is_told_with_its_noise() -> None:
    pictures, run, view = shown(0.0, 100.0, 27.0)
    found = flicker(pictures, run, view, frame_rate=27.0)
    assert found.expanded_uncertainty is not None and float(found.value) <= found.expanded_uncertainty < 0.1
    assert found.details["mains_hz"] is None
    with pytest.raises(MeasurementRefused, match="stands still"):
        flicker(pictures, run, view, frame_rate=25.0)


def test_gain_changes_little() -> None:
    pictures, run, view = shown(0.3, 100.0, 30.0)
    plain = flicker(pictures, run, view, frame_rate=30.0)
    dimmed = np.rint(16 + 0.9 * (pictures.astype(float) - 16)).clip(0, 255).astype(np.uint8)
    again = flicker(dimmed, run, locate(dimmed[0], CHARTS["camcert-1"]), frame_rate=30.0)
    assert float(again.value) == pytest.approx(float(plain.value), rel=0.015)


def test_what_cannot_be_told() -> None:
    pictures, run, view = shown(0.0, 100.0, 27.0)
    with pytest.raises(MeasurementRefused, match="frame rate is not known"):
        flicker(pictures, run, view, frame_rate=math.nan)
    with pytest.raises(MeasurementRefused, match="size"):
        flicker(pictures[:, :10], run, view, frame_rate=27.0)
    with pytest.raises(MeasurementRefused, match="capture longer"):
        flicker(pictures[:4], run[:4], view, frame_rate=27.0)
    with pytest.raises(MeasurementRefused, match="white step"):
        flicker(np.maximum(pictures, 232), run, view, frame_rate=27.0)
