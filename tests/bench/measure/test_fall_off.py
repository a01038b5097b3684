"""Fall-off of light of lenses that lose a known share in the corner, before the eye of the virtual camera."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from imaging_world import imager, moment

from bench.measure.chart_view import locate
from bench.measure.fall_off import corner_illumination
from fixtures.charts import CHARTS
from standards.errors import MeasurementRefused


def pictures(loss: float, seed: int = 1, chart: str = "camcert-1", **scene: float) -> list[np.ndarray]:
    world = imager(
        1280, 720, scene={"chart": chart, "fill": 0.94, **scene}, lens={"vignetting": loss},
        picture={"noise_sd": 1.0, "seed": seed, "blur_sigma_px": 0.7},
    )  # fmt: skip
    return [world.frame(moment(i)).luma.copy() for i in (1, 2)]


@pytest.mark.parametrize("loss", [0.0, 0.12, 0.35])
def test_the_share_in_the_corner_is_that_of_the_lens(loss: float) -> None:
    shown = pictures(loss, rotation_deg=1.0)
    found = corner_illumination(shown, locate(shown[0], CHARTS["camcert-1"]), light_u=0.0, density_u=0.0)
    assert found.expanded_uncertainty is not None
    assert float(found.value) == pytest.approx(100 * (1 - loss), abs=found.expanded_uncertainty)
    assert found.expanded_uncertainty < 2.5


def test_whole_codes_matter_where_the_paper_spans_few() -> None:
    def term(loss: float) -> float:
        shown = pictures(loss)
        found = corner_illumination(shown, locate(shown[0], CHARTS["camcert-1"]))
        return next(part.u for part in found.budget if part.name == "whole codes of the paper")

    assert term(0.008) > 2 * term(0.3)


def test_densities_that_err_twice_as_much_cost_twice() -> None:
    shown = pictures(0.3)
    view = locate(shown[0], CHARTS["camcert-1"])
    once, twice = (
        next(p.u for p in corner_illumination(shown, view, density_u=u).budget if "nominal" in p.name)
        for u in (0.0025, 0.005)
    )
    assert once > 0.2
    assert twice == pytest.approx(2 * once, rel=0.3)


def test_gain_changes_little() -> None:
    shown = pictures(0.2)
    view = locate(shown[0], CHARTS["camcert-1"])
    plain = float(corner_illumination(shown, view).value)
    darker = [np.clip(16 + 0.9 * (p.astype(float) - 16), 0, 255).astype(np.uint8) for p in shown]
    dimmed = float(corner_illumination(darker, locate(darker[0], CHARTS["camcert-1"])).value)
    assert dimmed == pytest.approx(plain, abs=1.0)


def test_a_chart_without_grey_steps_and_no_picture_are_refused() -> None:
    shown = pictures(0.1)
    view = locate(shown[0], CHARTS["camcert-1"])
    with pytest.raises(MeasurementRefused, match="no grey steps"):
        corner_illumination(shown, replace(view, chart=replace(view.chart, greys=())))
    with pytest.raises(MeasurementRefused, match="no intact picture"):
        corner_illumination([np.zeros((10, 10), np.uint8)], view)
