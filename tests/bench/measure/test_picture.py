"""Picture size: what was decoded counts, whatever was declared."""

from __future__ import annotations

import numpy as np
import pytest

from bench.camera.capture import FrameTable
from bench.measure.picture import picture_size
from standards.errors import MeasurementRefused


def table(sizes: list[tuple[int, int]]) -> FrameTable:
    n = len(sizes)
    whole, real = np.zeros(n, np.int64), np.zeros(n)
    width, height = np.array(sizes, np.int32).reshape(n, 2).T
    return FrameTable(90000, whole, whole, whole, np.ones(n, np.bool_), whole, real, real, width, height)


def test_size_is_exact_and_counted() -> None:
    width, height = picture_size(table([(1280, 720)] * 3), {"width": 1280, "height": 720})
    assert (width.value, height.value) == (1280.0, 720.0)
    assert (width.quantity, height.quantity) == ("picture.width", "picture.height")
    assert width.exact
    assert width.unit == "px"
    assert width.notes == ()


def test_a_declaration_that_differs_is_noted() -> None:
    width, height = picture_size(table([(1280, 720)]), {"width": 1920, "height": 1080})
    assert width.value == 1280
    assert height.notes == ("declared 1920 x 1080, decoded 1280 x 720",)


def test_nothing_declared_is_no_remark() -> None:
    assert picture_size(table([(640, 360)]), {})[0].notes == ()


def test_the_smallest_counts_and_units_without_picture_do_not() -> None:
    width, height = picture_size(table([(1920, 1080), (0, 0), (1280, 720), (1920, 1080)]), {})
    assert (width.value, height.value) == (1280.0, 720.0)
    assert "1920 x 1080 (2 pictures)" in width.notes[0]


def test_no_picture_is_refused() -> None:
    with pytest.raises(MeasurementRefused, match="no picture"):
        picture_size(table([(0, 0)]), {})
