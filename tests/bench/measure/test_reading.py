"""Counter and lamp of single pictures: never a wrong number, light in linear units."""

from __future__ import annotations

import math

import numpy as np
import pytest
from drawn_scene import Scene
from hypothesis import given, settings
from hypothesis import strategies as st

from bench.measure.chart_view import locate
from bench.measure.reading import Reader
from fixtures.charts import CHARTS

CHART = CHARTS["camcert-1"]


@pytest.fixture(scope="module")
def scene() -> Scene:
    return Scene(width=640, height=360, blur_sigma_px=1.0, noise_sd=2.0, tone="bt709")


@pytest.fixture(scope="module")
def reader(scene: Scene) -> Reader:
    return locate(scene.render(counter=0, lamp=0.0), CHART).reader()


@settings(deadline=None, max_examples=60)
@given(number=st.integers(0, 2**16 - 1), lamp=st.floats(0.0, 1.0))
def test_number_and_light_are_read_back(scene: Scene, reader: Reader, number: int, lamp: float) -> None:
    reading = reader(scene.render(counter=number, lamp=lamp))
    assert reading.counter == number
    dark = CHART.lamp.reflectance or 0.0
    assert reading.lamp == pytest.approx(dark + lamp * (CHART.light - dark), abs=0.004)


@settings(deadline=None, max_examples=40)
@given(number=st.integers(0, 2**16 - 2), share=st.floats(0.0, 1.0), noise=st.integers(0, 99))
def test_a_picture_between_two_numbers_reads_as_one_of_them(
    scene: Scene, reader: Reader, number: int, share: float, noise: int
) -> None:
    before, after = (scene.render(counter=n, lamp=0.0).astype(float) for n in (number, number + 1))
    speckle = np.random.default_rng(noise).normal(0, 8, before.shape)
    mixed = np.clip((1 - share) * before + share * after + speckle, 0, 255).astype(np.uint8)
    assert reader(mixed).counter in (number, number + 1)


@settings(deadline=None, max_examples=40)
@given(number=st.integers(0, 2**16 - 1), cell=st.integers(1, 17), level=st.integers(0, 255))
def test_one_painted_cell_never_gives_a_wrong_number(
    scene: Scene, reader: Reader, number: int, cell: int, level: int
) -> None:
    spoiled = scene.render(counter=number, lamp=0.0)
    spoiled[reader.cells[cell]] = level
    assert reader(spoiled).counter in (-1, number)


def test_a_dark_or_covered_panel_is_unreadable(scene: Scene, reader: Reader) -> None:
    covered = scene.render(counter=77, lamp=0.0)
    for box in reader.cells:
        covered[box] = 120
    assert reader(covered).counter == -1


def test_another_size_reads_nothing(reader: Reader) -> None:
    reading = reader(np.zeros((720, 1280), np.uint8))
    assert reading.counter == -1
    assert math.isnan(reading.lamp)


def test_without_grey_steps_the_lamp_is_unknown_but_the_counter_stands(scene: Scene) -> None:
    picture = scene.render(counter=4711, lamp=1.0)
    view = locate(picture, CHART)
    for box in view.grey_boxes:
        picture[box] = 128
    reading = locate(picture, CHART).reader()(picture)
    assert reading.counter == 4711
    assert math.isnan(reading.lamp)
