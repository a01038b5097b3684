"""Measurers of the evenness over the field, from a flat field through the whole chain.

Truth in closed form from the camera file, pixel by pixel: what the lens leaves of the light in each colour, and the camera's
white balance. Glare veils an even field evenly, and the tone curve has no part in it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

from bench.camera.stills import colour_pictures
from bench.measure.uniformity import colour_uniformity, luminance_uniformity, read_tiles
from bench.validate.captures import Proof
from standards.quantity import Estimate

__all__ = ["FLAT", "flat_truth"]

_TILES = 10


def flat_truth(proof: Proof) -> dict[str, float]:
    """Darkest over lightest tile, %; largest distance in u'v' from the middle, by colour-science."""
    import colour  # slow to import

    width, height = proof.start["chart"]["width"], proof.start["chart"]["height"]
    lens, balance = proof.camera["lens"], np.asarray(proof.frames[-1]["picture"]["white_balance"])
    x, y = np.arange(width) - (width - 1) / 2, np.arange(height) - (height - 1) / 2
    square = (x[None, :] ** 2 + y[:, None] ** 2) / ((width**2 + height**2) / 4)
    tinged = np.array([lens["red_shading"], 0.0, lens["blue_shading"]])
    light = (1 - lens["vignetting"] * square)[..., None] * (1 - tinged * square[..., None]) * balance
    tall, wide = height // _TILES, width // _TILES
    tile = light.reshape(_TILES, tall, _TILES, wide, 3).mean((1, 3))
    matrix = colour.RGB_COLOURSPACES["ITU-R BT.709"].matrix_RGB_to_XYZ
    xyz: Any = tile @ np.asarray(matrix).T
    middle = xyz[4:6, 4:6].mean((0, 1))
    uv = np.stack([4 * xyz[..., 0], 9 * xyz[..., 1]]) / (xyz @ [1, 15, 3])
    at = np.array([4 * middle[0], 9 * middle[1]]) / (middle @ [1, 15, 3])
    return {
        "picture.luminance_uniformity": 100 * float(xyz[..., 1].min() / xyz[..., 1].max()),
        "picture.colour_uniformity": float(np.hypot(*(uv - at[:, None, None])).max()),
    }


def _flat(proof: Proof, view: None, pictures: tuple[np.ndarray, ...]) -> Iterable[Estimate]:
    """The simulated light is even, so that nothing stands in the budget for it; the camera's tone curve is not told."""
    tiles = read_tiles(colour_pictures(proof.capture))
    return luminance_uniformity(tiles, light_u=0.0), colour_uniformity(tiles, light_uv=0.0)


#: chart, quantities, measure, truth: see Measurer.
FLAT: tuple[
    tuple[
        str,
        tuple[str, ...],
        Callable[[Proof, Any, Any], Iterable[Estimate]],
        Callable[[Proof], dict[str, float]],
    ],
    ...,
] = (("uniform", ("picture.luminance_uniformity", "picture.colour_uniformity"), _flat, flat_truth),)
