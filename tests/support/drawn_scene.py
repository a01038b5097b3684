"""The chart `camcert-1` in pictures one asks for by counter and lamp, without a camera's clock around them."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from fixtures.simulated.config import CameraFile
from fixtures.simulated.picture import Imager, Moment
from fixtures.simulated.picture.placement import Placement
from fixtures.world import World

__all__ = ["Placement", "Scene"]


class Scene:
    """An imager under steady light. The keys are those of a camera file's [picture] and [scene]."""

    def __init__(
        self,
        *,
        width: int,
        height: int,
        blur_sigma_px: float,
        noise_sd: float,
        tone: str,
        seed: int = 0,
        placement: Placement | None = None,
    ) -> None:
        place = placement or Placement()
        tables = {
            "stream": {"width": width, "height": height},
            "picture": {"blur_sigma_px": blur_sigma_px, "noise_sd": noise_sd, "tone": tone, "seed": seed},
            "scene": {
                "fill": place.fill, "dx": place.dx, "dy": place.dy, "rotation_deg": place.rotation_deg,
                "yaw_deg": place.yaw_deg, "tilt_deg": place.tilt_deg,
            },
        }  # fmt: skip
        self._imager = Imager(CameraFile.model_validate(tables), width=width, height=height)
        self._world, self._index = World(), 0

    @property
    def truth(self) -> dict[str, Any]:
        """What is true of the picture, see `Imager.truth`."""
        return self._imager.truth

    def render(self, *, counter: int, lamp: float) -> NDArray[np.uint8]:
        """The next picture: (height, width) luma, 8 bit, video range. lamp: share of the exposure it shone."""
        self._index += 1
        moment = Moment(
            self._index, self._index * 40_000_000, self._world, counter=counter, lamp=lambda a, b: lamp
        )
        return self._imager.frame(moment).luma
