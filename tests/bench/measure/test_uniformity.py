"""Evenness over the field: of drawn flat fields of known fall-off and tint, and what must not change it."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bench.measure.colour_picture import ColourPicture
from bench.measure.uniformity import Tiles, colour_uniformity, luminance_uniformity, read_tiles
from standards.errors import MeasurementRefused
from standards.quantity import Estimate

_ROWS, _COLUMNS = 180, 320
_GAMMA = 2.2


def light(loss: float, red: float = 0.0) -> np.ndarray:
    """(rows, columns, 3) linear light that falls off towards the corners."""
    y, x = np.mgrid[:_ROWS, :_COLUMNS].astype(np.float64)
    half = (_ROWS**2 + _COLUMNS**2) / 4
    square = ((x - (_COLUMNS - 1) / 2) ** 2 + (y - (_ROWS - 1) / 2) ** 2) / half
    tinge = 1 - square[..., None] * np.array([red, 0.0, 0.0])
    return np.asarray((1 - loss * square)[..., None] * tinge)


def shown(field: np.ndarray, level: float = 0.4, seed: int = 0, noise: float = 1.0) -> list[ColourPicture]:
    """Three pictures of it by a camera of gamma 2.2, in video range, with noise that hides whole codes."""
    draw = np.random.default_rng(seed)
    r, g, b = np.moveaxis((level * field) ** (1 / _GAMMA), -1, 0)
    luma = 0.2126 * r + 0.7152 * g + 0.0722 * b
    planes = (16 + 219 * luma, 128 + 224 * (b - luma) / 1.8556, 128 + 224 * (r - luma) / 1.5748)
    return [
        ColourPicture(
            *(np.rint(plane + noise * draw.standard_normal(plane.shape)).astype(np.uint8) for plane in planes)
        )
        for _ in range(3)
    ]


def true_light(field: np.ndarray) -> float:
    y = field.reshape(10, _ROWS // 10, 10, _COLUMNS // 10, 3).mean((1, 3)) @ [0.2126, 0.7152, 0.0722]
    return 100 * float(y.min() / y.max())


def both(tiles: Tiles) -> tuple[Estimate, Estimate]:
    return (
        luminance_uniformity(tiles, light_u=0.0, curves=("gamma22",)),
        colour_uniformity(tiles, light_uv=0.0, curves=("gamma22",)),
    )


@pytest.mark.parametrize("loss", [0.0, 0.1, 0.35])
def test_darkest_over_lightest_tile_is_that_of_the_light(loss: float) -> None:
    tiles = read_tiles(shown(light(loss)))
    known = luminance_uniformity(tiles, light_u=0.0, curves=("gamma22",))
    untold = luminance_uniformity(tiles, light_u=0.0)
    for found in (known, untold):
        assert found.expanded_uncertainty is not None
        assert float(found.value) == pytest.approx(true_light(light(loss)), abs=found.expanded_uncertainty)
    assert known.expanded_uncertainty is not None and known.expanded_uncertainty < 1.5
    assert loss == 0 or (untold.u is not None and known.u is not None and untold.u > known.u)


def test_what_errors_of_the_tiles_add_is_taken_off() -> None:
    """No unevenness at all: the extreme of 100 tiles that err is far from it, what is left of it within U."""
    rough = replace(read_tiles(shown(light(0.0))), u=np.array([0.01, 0.004, 0.004]))
    draw = np.random.default_rng(3).standard_normal(rough.mean.shape) * rough.u
    whole, colour = both(replace(rough, mean=rough.mean.mean((0, 1)) + draw))
    told = whole.details["as_read"]
    assert isinstance(told, dict)
    assert told["gamma22"] < float(whole.value) - 1
    assert whole.expanded_uncertainty is not None and colour.expanded_uncertainty is not None
    assert float(whole.value) == pytest.approx(100, abs=whole.expanded_uncertainty)
    assert float(colour.value) == pytest.approx(0, abs=colour.expanded_uncertainty)


def test_red_that_falls_off_is_a_colour_and_grey_that_does_is_none() -> None:
    grey, red = (both(read_tiles(shown(light(0.3, red=share))))[1] for share in (0.0, 0.15))
    assert grey.expanded_uncertainty is not None and float(grey.value) <= grey.expanded_uncertainty
    assert float(red.value) > 3 * float(red.expanded_uncertainty or math.inf)


@settings(max_examples=4, deadline=None)
@given(st.floats(0.2, 1.0), st.floats(0.0, 0.4), st.floats(0.05, 0.2), st.booleans(), st.booleans())
def test_exposure_mirror_and_turn_change_nothing(
    gain: float, loss: float, red: float, mirrored: bool, turned: bool
) -> None:
    """Of a camera of gamma 2.2 all codes above black follow the light by one factor: exact, but for the draws."""
    y, x = np.mgrid[-0.45:0.46:0.1, -0.45:0.46:0.1]
    square = (x - 0.1) ** 2 + y**2
    field = (1 - loss * square)[..., None] * (1 - red * square[..., None] * np.array([1.0, 0.0, 0.0]))

    def tiles(linear: np.ndarray, share: float) -> Tiles:
        r, g, b = np.moveaxis((0.5 * linear) ** (1 / _GAMMA), -1, 0)
        luma = 0.2126 * r + 0.7152 * g + 0.0722 * b
        mean = np.stack([luma, (b - luma) / 1.8556, (r - luma) / 1.5748], axis=-1)
        return Tiles(share * mean, share * np.array([1e-5, 1e-5, 1e-5]), "bt709", 3)

    other = field[:, ::-1] if mirrored else field
    other = np.rot90(other) if turned else other
    for plain, changed in zip(both(tiles(field, 1.0)), both(tiles(other, gain ** (1 / _GAMMA))), strict=True):
        assert plain.u is not None and changed.u is not None
        assert float(changed.value) == pytest.approx(float(plain.value), abs=plain.u)
        assert changed.u == pytest.approx(plain.u, rel=0.3)


def test_what_is_no_flat_field_is_refused_with_the_mend() -> None:
    good = shown(light(0.1))
    with pytest.raises(MeasurementRefused, match="another GOP"):
        read_tiles(good[:1])
    text = [replace(picture, luma=picture.luma.copy()) for picture in good]
    for picture in text:
        picture.luma[4:10, 40:60] = 235
    with pytest.raises(MeasurementRefused, match=r"2 of 100 tiles|1 of 100 tiles"):
        read_tiles(text)
    for level in (0.005, 0.99):
        with pytest.raises(MeasurementRefused, match="change light or exposure"):
            read_tiles(shown(light(0.0), level=level))
