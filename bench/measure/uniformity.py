"""Evenness of the picture over its field, in light and in colour, from a flat field (docs/methods/uniformity.md).

The picture is cut into equal tiles; each tile's mean is taken to linear light. Light: lowest over highest tile. Colour: the
largest distance in CIE 1976 u'v' between a tile and the middle; u'v' follows neither exposure nor fall-off of light.
Source: the idea of ISO 17957 (shading); its clause text was not read.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from bench.measure.colour import Decoding, linear_light
from bench.measure.colour_picture import ColourPicture, Matrix, to_rgb
from bench.measure.uncertainty import combine, normal
from standards.errors import MeasurementRefused
from standards.quantity import Contribution, Estimate, Kind

__all__ = ["EVENNESS_U", "LIGHT_UV", "Tiles", "colour_uniformity", "luminance_uniformity", "read_tiles"]

_Floats = NDArray[np.float64]
#: Relative standard uncertainty of lowest over highest luminance of the flat field where no certificate tells it.
EVENNESS_U = 0.01
#: Standard uncertainty of the flat field's own distances in u'v', taken for likely.
LIGHT_UV = 0.001
#: Tone curves that a camera which tells none is taken to have one between.
CURVES: tuple[Decoding, ...] = ("bt709", "gamma22")
_LUMA_U, _CHROMA_U = 0.2, 0.4  # codes of a tile's mean that coding leaves, the same in every GOP
_PARTS, _MOST_STRUCTURE = 4, 4.0  # of a tile, each way; codes by which a part may lie off the tile's plane
_DARKEST, _LIGHTEST = 0.15, 0.96  # signal of a tile
_DRAWS, _SEED, _DEGREE = 500, 0x711E, 4
_TO_XYZ = np.array(
    [[0.4123908, 0.3575843, 0.1804808], [0.2126390, 0.7151687, 0.0721923], [0.0193308, 0.1191948, 0.9505322]]
)


@dataclass(frozen=True)
class Tiles:
    """mean: (rows, columns, 3) Y', C'B, C'R of the tiles, over the pictures; u: (3,) standard uncertainty of each
    tile's, independent from tile to tile; pictures: how many were averaged."""

    mean: _Floats
    u: _Floats
    matrix: Matrix
    pictures: int


def read_tiles(pictures: Sequence[ColourPicture], grid: tuple[int, int] = (10, 10)) -> Tiles:
    """Means of equal tiles of pictures of a flat field, one picture a GOP. grid: tiles down and across.

    Raises MeasurementRefused for fewer than two pictures, where a tile shows structure (text, a chart, a scene), and
    where one is too dark or nearly clipped.
    """
    fitting = [picture for picture in pictures if picture.shape == pictures[0].shape]
    if len(fitting) < 2:
        raise MeasurementRefused(
            f"{len(fitting)} whole picture(s), each of another GOP: evenness needs two: capture longer"
        )
    rows, columns = (
        np.linspace(0, side, count + 1).round().astype(int)
        for side, count in zip(fitting[0].shape, grid, strict=True)
    )
    boxes = [
        [(slice(top, bottom), slice(left, right)) for left, right in pairwise(columns)]
        for top, bottom in pairwise(rows)
    ]
    uneven = [box for row in boxes for box in row if _structure(fitting, box) > _MOST_STRUCTURE]
    if uneven:
        top, left = uneven[0][0].start, uneven[0][1].start
        raise MeasurementRefused(
            f"the picture is no flat field: {len(uneven)} of {grid[0] * grid[1]} tiles show structure, the first at "
            f"row {top}, column {left}: fill the whole picture with an even light and switch off text in it"
        )
    every = np.array([[[picture.mean(box) for box in row] for row in boxes] for picture in fitting])
    mean = every.mean(0)
    signal = to_rgb(mean, fitting[0].matrix)
    if float(signal.max()) > _LIGHTEST or float(signal.min()) < _DARKEST:
        seen = f"{100 * float(signal.min()):.0f} to {100 * float(signal.max()):.0f} %"
        raise MeasurementRefused(
            f"the flat field is seen at {seen} of the signal's "
            f"range: change light or exposure to lie within {100 * _DARKEST:.0f} and {100 * _LIGHTEST:.0f} %"
        )
    white, swing = (255.0, 255.0) if fitting[0].full_range else (219.0, 224.0)
    coding = np.array([_LUMA_U / white, _CHROMA_U / swing, _CHROMA_U / swing])
    # What all tiles share from picture to picture is exposure and white balance: no unevenness.
    apart = every - every.mean((1, 2), keepdims=True)
    scatter = np.sqrt(apart.var(0, ddof=1).mean((0, 1)) / len(fitting))
    return Tiles(mean, np.hypot(scatter, coding), fitting[0].matrix, len(fitting))


def _structure(pictures: Sequence[ColourPicture], box: tuple[slice, slice]) -> float:
    """Codes by which a part of a tile lies off the plane through its parts, at most."""
    tile = np.mean([picture.luma[box] for picture in pictures], axis=0)
    parts = np.array(
        [
            [part.mean() for part in np.array_split(band, _PARTS, axis=1)]
            for band in np.array_split(tile, _PARTS, axis=0)
        ]
    )
    at = np.arange(_PARTS) - (_PARTS - 1) / 2
    slope_y = parts.mean(1) @ at / (at @ at)
    slope_x = parts.mean(0) @ at / (at @ at)
    return float(np.abs(parts - parts.mean() - slope_y * at[:, None] - slope_x * at[None, :]).max())


def luminance_uniformity(
    tiles: Tiles, *, light_u: float = EVENNESS_U, curves: Sequence[Decoding] = CURVES
) -> Estimate:
    """`picture.luminance_uniformity`: luminance of the darkest tile over that of the lightest, %.

    light_u: relative standard uncertainty of the flat field's own evenness; curves: the camera's tone curve, or several
    that it may lie between.
    """

    def figure(xyz: _Floats) -> _Floats:
        light = xyz[..., 1].reshape(*xyz.shape[:-3], -1)
        return np.asarray(100 * light.min(-1) / light.max(-1))

    value, parts, each = _corrected(tiles, figure, curves, "%")
    parts.append(normal("evenness of the light", light_u * value, source="certificate, or taken for likely"))
    value = min(value, 100.0)
    return _estimate("picture.luminance_uniformity", "%", value, parts, tiles, each)


def colour_uniformity(
    tiles: Tiles, *, light_uv: float = LIGHT_UV, curves: Sequence[Decoding] = CURVES
) -> Estimate:
    """`picture.colour_uniformity`: the largest distance in u'v' of a tile from the middle of the picture.

    The middle: the mean light of the one, two or four tiles about it. light_uv: standard uncertainty of the flat field's
    own distances; curves: see `luminance_uniformity`.
    """
    rows, columns = (slice((n - 1) // 2, n // 2 + 1) for n in tiles.mean.shape[:2])

    def figure(xyz: _Floats) -> _Floats:
        away = _uv(xyz) - _uv(xyz[..., rows, columns, :].mean((-3, -2), keepdims=True))
        return np.asarray(np.hypot(away[..., 0], away[..., 1]).max((-2, -1)))

    value, parts, each = _corrected(tiles, figure, curves, "1")
    parts.append(normal("evenness of the light", light_uv, source="taken for likely"))
    return _estimate("picture.colour_uniformity", "1", max(value, 0.0), parts, tiles, each)


def _uv(xyz: _Floats) -> _Floats:
    """(..., 2) CIE 1976 u'v' of (..., 3) XYZ."""
    sum_of = xyz @ np.array([1.0, 15.0, 3.0])
    return np.stack([4 * xyz[..., 0] / sum_of, 9 * xyz[..., 1] / sum_of], axis=-1)


def _corrected(
    tiles: Tiles, figure: Callable[[_Floats], _Floats], curves: Sequence[Decoding], unit: str
) -> tuple[float, list[Contribution], dict[str, float]]:
    """A figure of the tiles' XYZ less what errors of the tiles add to it, its contributions, and it by curve as read.

    An extreme over tiles is biased by their errors: tiles are drawn about a smooth surface through them (about themselves
    they would err twice) by what they lie off it, and what the figure moves by in the mean is taken off. Unevenness finer
    than the surface passes for error, so that half of it may be amiss. Scatter comes of draws by their whole uncertainty.
    Cameras have one curve or the other rather than one amid them: the arcsine distribution (JCGM 101:2008, 6.4.6).
    """
    smooth, left = _smooth(tiles)
    draw = np.random.default_rng(_SEED).standard_normal((_DRAWS, *smooth.shape))
    about = [tiles.mean[None], smooth[None], smooth + draw * left, smooth + draw * np.maximum(tiles.u, left)]
    signals = to_rgb(np.concatenate(about), tiles.matrix)
    found = np.array([figure(linear_light(signals, curve) @ _TO_XYZ.T) for curve in curves])
    read, off, drawn = found[:, 0], found[:, 2 : 2 + _DRAWS], found[:, 2 + _DRAWS :].mean(0)
    middle = float(read.max() + read.min()) / 2
    added = float(off.mean()) - float(found[:, 1].mean())
    between = float(np.ptp(read)) / 2 / math.sqrt(2)
    parts = [
        normal("noise and coding of the tiles", float(drawn.std(ddof=1)), source="500 draws of the tiles"),
        normal("extreme of tiles that err", abs(added) / 2, source="half of what is taken off"),
        normal("tone curve that is not told", between, source="between BT.709 and a power of 2.2"),
    ]  # fmt: skip
    digits = 3 if unit == "%" else 6
    each = {str(curve): round(float(v), digits) for curve, v in zip(curves, read, strict=True)}
    return middle - added, parts, each


def _smooth(tiles: Tiles) -> tuple[_Floats, _Floats]:
    """The tiles' polynomial of the fourth degree, of their shape; and (3,) what tiles lie off it, rms."""
    rows, columns = tiles.mean.shape[:2]
    y, x = (np.linspace(-1, 1, count) for count in (rows, columns))
    powers = [(i, j) for i in range(_DEGREE + 1) for j in range(_DEGREE + 1 - i)]
    design = np.stack([np.outer(y**i, x**j).ravel() for i, j in powers], axis=1)
    flat = tiles.mean.reshape(-1, 3)
    fitted = design @ np.linalg.lstsq(design, flat, rcond=None)[0]
    left = np.sqrt(((flat - fitted) ** 2).sum(0) / max(len(flat) - len(powers), 1))
    return fitted.reshape(tiles.mean.shape), left


def _estimate(
    quantity: str, unit: str, value: float, parts: list[Contribution], tiles: Tiles, each: dict[str, float]
) -> Estimate:
    u, dof = combine(parts)
    light = linear_light(to_rgb(tiles.mean, tiles.matrix), "bt709") @ _TO_XYZ.T
    details = {
        "tiles": list(tiles.mean.shape[:2]), "pictures": tiles.pictures, "as_read": each,
        "light": (100 * light[..., 1] / light[..., 1].max()).round(1).tolist(),
    }  # fmt: skip
    if not math.isfinite(value):
        raise MeasurementRefused("the flat field gives no figure: it is black somewhere")
    return Estimate(
        quantity=quantity, kind=Kind.RATIO, value=value, unit=unit, u=u, dof=dof,
        budget=tuple(part for part in parts if part.u > 0), details=details,
    )  # fmt: skip
