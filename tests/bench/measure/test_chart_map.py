"""Any chart, seen at an angle through a lens that distorts: regions right to a fraction of a pixel."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from imaging_world import imager, moment

from bench.measure.chart_map import ChartMap, fit_corners
from bench.measure.chart_view import locate, which_chart
from fixtures.charts import CHARTS
from standards.errors import MeasurementRefused

#: Worst corner of any region, pixels, over random poses: those with few sides over the field are held less well.
WITHIN = {"uniform": 0.9, "timecode": 1.2, "chess": 0.9}


@pytest.mark.parametrize("name", sorted(CHARTS))
def test_regions_are_where_they_are(name: str) -> None:
    draw = np.random.default_rng([7, len(name)])
    tables: dict[str, Any] = {
        "scene": {
            "chart": name, "fill": float(draw.uniform(0.82, 0.95)), "yaw_deg": float(draw.uniform(-6, 6)),
            "tilt_deg": float(draw.uniform(-6, 6)), "rotation_deg": float(draw.uniform(-2, 2)),
        },
        "lens": {"k1": float(draw.uniform(-0.22, 0.03)), "vignetting": 0.3},
        "picture": {"blur_sigma_px": float(draw.uniform(0.5, 1.3)), "noise_sd": 1.0},
    }  # fmt: skip
    world = imager(1280, 720, **tables)
    picture = world.frame(moment(1)).luma
    chart = which_chart(picture)
    assert chart.name == name
    truth = world.truth["regions"]
    view = locate(picture, chart)
    off = np.concatenate([view.corners(r) - np.array(truth[k]["corners"]) for k, r in chart.regions.items()])
    assert np.hypot(*off.T).max() < WITHIN.get(name, 0.5)
    assert view.misfit < 0.9


def test_two_charts_and_none_are_refused() -> None:
    one = imager(640, 360, scene={"chart": "grey"}).frame(moment(1)).luma
    other = imager(640, 360, scene={"chart": "colour"}).frame(moment(1)).luma
    with pytest.raises(MeasurementRefused, match="at once"):
        which_chart(np.vstack([one, other]))
    with pytest.raises(MeasurementRefused, match="no chart"):
        which_chart(np.full((360, 640), 90, np.uint8))


def test_a_mirrored_and_an_upside_down_chart_are_refused() -> None:
    picture = imager(640, 360).frame(moment(1)).luma
    with pytest.raises(MeasurementRefused):
        locate(np.ascontiguousarray(picture[:, ::-1]), CHARTS["camcert-1"])
    with pytest.raises(MeasurementRefused, match="turned"):
        locate(np.ascontiguousarray(picture[::-1, ::-1]), CHARTS["camcert-1"])


@settings(deadline=None, max_examples=40)
@given(
    st.floats(-0.2, 0.1), st.floats(-0.02, 0.05), st.floats(-0.0001, 0.0001), st.floats(-0.0001, 0.0001),
    st.floats(-0.1, 0.1),
)  # fmt: skip
def test_there_and_back(k1: float, k2: float, p: float, q: float, turn: float) -> None:
    matrix = np.array([[4.0, -turn, 20.0], [turn, 4.0, 10.0], [p, q, 1.0]])
    of = ChartMap(matrix, k1, k2, (720, 1280))
    points = np.array([[10.0, 10.0], [160.0, 90.0], [300.0, 170.0], [20.0, 160.0]])
    assert np.allclose(of.to_chart(of.to_picture(points)), points, atol=0.05)
    x, y = of.jacobian((160.0, 90.0)) @ np.array([0.5, -0.5])
    a, b = of.to_picture(np.array([[160.25, 89.75], [159.75, 90.25]]))
    assert np.allclose(a - b, [x, y], atol=1e-3)


def test_points_on_a_line_have_no_map() -> None:
    line = np.column_stack([np.arange(8.0), np.arange(8.0)])
    assert fit_corners(line, line * 4, (720, 1280)) is None
