"""What the lens does over the field of the picture."""

from __future__ import annotations

from bench.live import Live
from bench.measure.fall_off import corner_illumination
from bench.measure.geometry import geometric_distortion
from bench.measure.uniformity import colour_uniformity, luminance_uniformity, read_tiles
from bench.procedures import requirement
from bench.session import Judge


@requirement("picture.geometric_distortion", "picture.tv_distortion")
def test_geometric_distortion(live: Live, judge: Judge) -> None:
    """Distortion in the picture's corner and TV distortion, from a grid of dots or a chessboard."""
    judge(*geometric_distortion(live.frames.pictures, live.view("grid", "chess")))


@requirement("picture.corner_illumination", version="3")
def test_fall_off(live: Live, judge: Judge) -> None:
    """Light in the picture's corner over that in its middle."""
    view = live.view("camcert-1", "edges", "wedge", "grey")
    judge(corner_illumination(live.frames.pictures, view, density_u=live.density_u))


@requirement("picture.luminance_uniformity", "picture.colour_uniformity")
def test_uniformity(live: Live, judge: Judge) -> None:
    """Darkest over lightest tile, and the tile whose colour lies farthest from the middle's, of a flat field."""
    tiles = read_tiles(live.colour)
    judge(luminance_uniformity(tiles, light_u=live.evenness_u), colour_uniformity(tiles))
