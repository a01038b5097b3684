"""Day or night told from pictures, and the way through the light that finds where a camera switches: against truth."""

from __future__ import annotations

import numpy as np
import pytest
from dusk import Dusk, Pictured, Sketched, colour_of, drawn_camera, truth_of
from hypothesis import given
from hypothesis import strategies as st
from imaging_world import PERIOD_NS, START_NS, imager, moment

from bench.measure.chart_view import locate
from bench.measure.colour_picture import ColourPicture
from bench.measure.day_night import cells, chart_cells, day_night_mode, tell
from bench.measure.day_night_survey import survey
from bench.measure.switching import Look, search, switching_illuminance, switching_time, turns
from fixtures.charts import CHARTS
from fixtures.simulated.config.day_night import DayNightTable
from fixtures.simulated.picture import Adjustments
from fixtures.world import World
from standards.errors import MeasurementRefused

AUTO = {"mode": "auto", "max_gain_db": 30.0, "tau_s": 0.0}


class Camera:
    """Pictures at any light, day or night, once the exposure has settled."""

    def __init__(self, chart: str, width: int = 320, height: int = 180, **more: object) -> None:
        self._imager = imager(
            width,
            height,
            scene={"chart": chart, "fill": 0.94},
            exposure=AUTO,
            isp={"chroma_noise": 0.5},
            **more,
        )
        self._world, self._index = World(), 0

    def shoot(self, lux: float, *, night: bool, cct_k: float = 6500.0) -> ColourPicture:
        self._imager.adjust(Adjustments(night=night))
        for name, value in (("illuminance_lx", lux), ("cct_k", cct_k)):
            self._world.set(name, value, at_ns=START_NS + self._index * PERIOD_NS)
        for _ in range(5):
            self._index += 1
            frame = self._imager.frame(moment(self._index, self._world))
        return colour_of(frame)


@pytest.mark.parametrize("lux", [1000.0, 20.0, 1.0, 0.2])
def test_the_share_of_the_days_colours_tells_at_any_light(lux: float) -> None:
    camera = Camera("colour", white_balance={"mode": "fixed"})
    day = cells(camera.shoot(500.0, night=False))
    for night in (False, True):
        found = tell(cells(camera.shoot(lux, night=night, cct_k=6500.0 if lux > 10 else 4500.0)), day)
        assert found.night is night and found.confidence > 0.999
        assert (abs(found.share) < 0.05) if night else (0.8 < found.share < 1.7)


def test_a_chart_of_known_colours_needs_no_picture_by_day() -> None:
    camera = Camera("colour", 1280, 720)
    view = locate(camera.shoot(500.0, night=False).luma, CHARTS["colour"])
    for night in (False, True):
        shown = camera.shoot(3.0, night=night)
        assert tell(*chart_cells(shown, view)).night is night
        found = day_night_mode([shown], view)
        assert found.value == ("night" if night else "day") and found.details["by"] == "chart"
    with pytest.raises(MeasurementRefused, match="no whole picture"):
        day_night_mode([ColourPicture(*(np.zeros((4, 4), np.uint8),) * 3)], view)


def test_what_cannot_be_told_is_not() -> None:
    grey, colour = Camera("grey"), Camera("colour")
    shown = grey.shoot(500.0, night=False)
    assert tell(cells(shown), cells(shown)).night is None
    assert "scene without colour" in tell(cells(shown)).reason
    assert tell(cells(colour.shoot(500.0, night=True))).night is None
    assert day_night_mode([colour.shoot(500.0, night=False)]).value == "day"
    with pytest.raises(MeasurementRefused, match="cannot be told"):
        day_night_mode([shown])
    day = cells(colour.shoot(500.0, night=False))
    assert "black or white" in tell(np.zeros_like(day), day).reason
    assert "black or white" in tell(day + (250.0, 0.0, 0.0), day).reason
    assert tell(day, day * (1.0, 0.0, 0.0)).reason == "nothing in view has a colour by day"


def test_full_range_codes_are_the_same_colours() -> None:
    shown = Camera("colour").shoot(500.0, night=False)
    planes = (
        (shown.luma - 16.0) * 255 / 219,
        (shown.blue - 128.0) * 255 / 224 + 128,
        (shown.red - 128.0) * 255 / 224 + 128,
    )
    full = ColourPicture(*(np.clip(np.rint(p), 0, 255).astype(np.uint8) for p in planes), full_range=True)
    assert np.abs(cells(full) - cells(shown)).max() < 0.5


@given(gain=st.floats(0.3, 1.0), kept=st.floats(0.0, 1.5), seed=st.integers(0, 1 << 20))
def test_the_share_knows_no_exposure_and_no_order(gain: float, kept: float, seed: int) -> None:
    draw = np.random.default_rng(seed)
    day = np.column_stack([draw.uniform(30, 190, 80), 20 * draw.standard_normal((80, 2))])
    seen = day * (gain, gain * kept, gain * kept)
    found = tell(seen, day)
    assert found.share == pytest.approx(kept, abs=1e-9)
    order = draw.permutation(80)
    assert tell(seen[order], day[order]).share == pytest.approx(found.share)


def test_coverage_over_drawn_thresholds_times_and_meters() -> None:
    """Truth lies within U, and U is not too large, of each quantity over 50 drawn cameras."""
    errors: dict[str, list[tuple[float, float]]] = {}
    for seed in range(50):
        table, around = drawn_camera([seed, 7], longest_s=3.0)
        scene = Dusk(Sketched(np.random.default_rng(seed)), table, fps=10.0, **around)
        for found in survey(scene, 100.0, patience_s=4.5):
            assert found.expanded_uncertainty is not None
            true = truth_of(table)[found.quantity]
            errors.setdefault(found.quantity, []).append(
                (abs(float(found.value) - true), found.expanded_uncertainty)
            )
    assert set(errors) == set(truth_of(DayNightTable()))
    for quantity, pairs in errors.items():
        error, u = np.array(pairs).T
        assert np.count_nonzero(error <= u) >= 44, quantity
        assert np.quantile(error / u, 0.95) > 0.4, f"{quantity}: U is far too large"


def test_a_survey_of_pictures_finds_what_the_camera_does() -> None:
    table = DayNightTable(
        night_lx=2.0, day_lx=6.0, night_after_s=2.0, day_after_s=1.0, lamp="infrared", lamp_lx=30.0
    )
    scene = Dusk(Pictured(table, (192, 108)), table, fps=8.0)
    for found in survey(scene, 100.0, patience_s=6.0):
        assert found.expanded_uncertainty is not None
        assert float(found.value) == pytest.approx(
            truth_of(table)[found.quantity], abs=found.expanded_uncertainty
        )
    assert len(scene.true_s["night_picture"]) == 1


def test_cameras_that_do_not_switch_or_hunt_are_refused() -> None:
    draw = np.random.default_rng(3)
    hunts = DayNightTable(lamp="infrared", lamp_lx=40.0, lamp_seen=0.5, night_after_s=0.5, day_after_s=0.5)
    with pytest.raises(MeasurementRefused, match="hunts between day and night"):
        survey(Dusk(Sketched(draw), hunts), 100.0, patience_s=5.0)
    slow = DayNightTable(night_after_s=60.0)
    with pytest.raises(MeasurementRefused, match="was not seen to go to night down to"):
        survey(Dusk(Sketched(draw), slow), 100.0, patience_s=5.0)
    stays = DayNightTable(night_lx=2.0, day_lx=5.0, day_after_s=60.0)
    with pytest.raises(MeasurementRefused, match="does not go back to day at 100 lx"):
        survey(Dusk(Sketched(draw), stays), 100.0, patience_s=5.0)
    dark = DayNightTable(night_lx=150.0, day_lx=200.0)
    with pytest.raises(MeasurementRefused, match="no colour in view"):
        survey(Dusk(Sketched(draw), dark), 100.0, patience_s=5.0)


def test_the_search_narrows_and_refuses_what_is_not_one_illuminance() -> None:
    mode = {"night": False}

    def look(step: str, lux: float) -> Look:
        mode["night"] = lux <= 3.0 if not mode["night"] else lux < 7.0
        return Look(lux, 0.01 * lux, mode["night"])

    down = search(look, 100.0, 0.1)
    found = switching_illuminance(down, night=True)
    assert found.details["step_lx"][0] <= 3.0 <= found.details["step_lx"][1] <= 3.0 * 1.06
    assert len(down) <= 20
    with pytest.raises(MeasurementRefused, match="stays in day"):
        search(lambda step, lux: Look(lux, 0.1, False), 100.0, 1.0)
    with pytest.raises(MeasurementRefused, match="one mode only"):
        switching_illuminance([Look(3.0, 0.1, True)], night=True)
    with pytest.raises(MeasurementRefused, match="not switch at one"):
        switching_illuminance([Look(3.0, 0.1, True), Look(2.0, 0.1, False)], night=True)


def test_turns_need_three_pictures_and_say_between_which_they_lie() -> None:
    nights = [False, False, True, False, None, None, True, True, True, False, False, False]
    found = turns([float(i) for i in range(12)], nights, began=False)
    assert [(turn.night, turn.before, turn.at) for turn in found] == [(True, 3.0, 6.0), (False, 8.0, 9.0)]
    with pytest.raises(MeasurementRefused, match="hunts"):
        switching_time(found, night=True, set_s=0.0, settle_s=0.5, lux=1.0)
    value = switching_time(found[:1], night=True, set_s=0.0, settle_s=0.5, lux=1.0)
    assert float(value.value) == pytest.approx(4.5 - 0.5) and value.expanded_uncertainty is not None
    with pytest.raises(MeasurementRefused, match="not seen to go to day"):
        switching_time(found[:1], night=False, set_s=0.0, settle_s=0.5, lux=1.0)
