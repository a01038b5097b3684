"""Finding the chart: right to a fraction of a pixel, or a refusal that says why."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from drawn_scene import Placement, Scene
from imaging_world import imager, moment
from numpy.typing import NDArray

from bench.measure.chart_view import locate
from fixtures.charts import CHARTS
from standards.errors import MeasurementRefused

CHART = CHARTS["camcert-1"]


def picture(width: int = 1280, height: int = 720, sigma: float = 0.7, **placing: float) -> NDArray[np.uint8]:
    scene = Scene(
        width=width, height=height, blur_sigma_px=sigma, noise_sd=1.0, tone="bt709",
        placement=Placement(**placing),
    )  # fmt: skip
    return scene.render(counter=1, lamp=0.0)


@pytest.mark.parametrize(("width", "height"), [(640, 360), (1280, 720), (704, 576)])
@pytest.mark.parametrize("sigma", [0.4, 2.0])
def test_regions_are_found_within_half_a_pixel(width: int, height: int, sigma: float) -> None:
    placing = Placement(dx=1.3, dy=-0.7, rotation_deg=0.4)
    scene = Scene(
        width=width, height=height, blur_sigma_px=sigma, noise_sd=1.0, tone="bt709", placement=placing
    )
    view = locate(scene.render(counter=1, lamp=0.0), CHART)
    for edge in CHART.edges:
        assert np.allclose(view.corners(edge.roi), scene.truth["edges"][edge.name]["corners"], atol=0.5)


def test_the_lamp_row_is_a_share_of_the_height() -> None:
    assert locate(picture(), CHART).lamp_row == pytest.approx(0.5, abs=0.002)


def test_tone_is_measured_from_the_pictures_given() -> None:
    view = locate(picture(), CHART)
    dim = (view.picture // 2).astype(np.uint8)
    assert view.tone([dim]).span[1] < view.tone().span[1]


def test_no_chart() -> None:
    with pytest.raises(MeasurementRefused, match="not found"):
        locate(np.full((360, 640), 90, np.uint8), CHART)


def test_a_cut_off_chart_names_the_markers() -> None:
    with pytest.raises(MeasurementRefused, match="top right, bottom right is cut off"):
        locate(picture(dx=60.0), CHART)


def test_a_region_outside_is_named() -> None:
    with pytest.raises(MeasurementRefused, match="too small"):
        locate(picture(width=640, height=360, fill=0.6), CHART)


def test_a_turned_chart_is_refused() -> None:
    with pytest.raises(MeasurementRefused, match=r"turned by 1\d"):
        locate(picture(fill=0.75, rotation_deg=12.0), CHART)


def test_a_chart_put_together_wrongly_is_refused() -> None:
    bent = picture()
    bent[628:700, 1188:1260] = np.rot90(bent[628:700, 1188:1260])
    with pytest.raises(MeasurementRefused, match="off a flat chart"):
        locate(bent, CHART)


def test_only_luma_is_taken() -> None:
    with pytest.raises(ValueError, match="luma"):
        locate(np.zeros((360, 640, 3), np.uint8), CHART)


def test_copies_of_a_step_whose_certificates_differ_are_one_step() -> None:
    """A chart has each step at several places; a certificate gives each place its own density, some thousandths apart."""
    one = imager(1280, 720, scene={"chart": "edges", "fill": 0.92}, lens={"vignetting": 0.3})
    shown = one.frame(moment(1)).luma
    view = locate(shown, CHARTS["edges"])
    draw = np.random.default_rng(3)
    greys = tuple(
        replace(g, reflectance=(g.reflectance or 1.0) * 10 ** (-0.005 * float(draw.standard_normal())))
        for g in view.chart.greys
    )
    assert len({g.reflectance for g in greys}) > len({g.reflectance for g in view.chart.greys})
    certified = replace(view, chart=replace(view.chart, greys=greys))
    assert len(certified.tone().codes) == len(view.tone().codes)
    assert certified.shading().at(np.ones(1)) == pytest.approx(view.shading().at(np.ones(1)), abs=0.04)
