"""The chart `grey` before a virtual camera, and what is true of its noise: in closed form from the camera's
figures, with no line of the code that measures."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fixtures.simulated.config import CameraFile
from fixtures.simulated.picture import Imager, Moment
from fixtures.world import World

__all__ = ["GreyCamera"]

_LUMA = np.array([0.2126, 0.7152, 0.0722])


class GreyCamera:
    """An imager under the rated light with the chart `grey`. tables: of a camera file."""

    def __init__(self, width: int = 1280, height: int = 720, **tables: dict[str, Any]) -> None:
        stream = {"width": width, "height": height}
        every = {
            **tables,
            "stream": stream,
            "scene": {"chart": "grey", "fill": 0.9, **tables.get("scene", {})},
        }
        self.file = CameraFile.model_validate(every)
        self.imager = Imager(self.file, width=width, height=height)
        self.world, self._index = World(), 0
        self.last: dict[str, Any] = {}

    def planes(self) -> NDArray[np.uint8]:
        """The next picture, (3 height / 2, width), Y then Cb and Cr."""
        self._index += 1
        frame = self.imager.frame(Moment(self._index, self._index * 40_000_000, self.world))
        self.last = frame.truth
        return frame.planes

    def luma(self) -> NDArray[np.uint8]:
        """The next picture's luma, (height, width)."""
        planes = self.planes()
        return planes[: planes.shape[0] * 2 // 3].copy()

    def sees(self, reflectance: float) -> float:
        """Linear signal, 1.0 at full scale, of a grey step far from everything else, glare left out."""
        sensor = self.imager.truth["sensor"]
        light = self.last["illuminance_lx"] * self.file.lens.transmission / (4 * self.file.lens.f_number**2)
        gain = 10 ** (self.last["gain_db"] / 20)
        light *= 1 - self.file.lens.vignetting * self._radius() ** 2
        electrons = light * sensor["sensitivity_e_lx_s"] * self.last["exposure_ms"] / 1e3
        return float(reflectance * electrons * sensor["gain_dn_e"] * gain / sensor["white_dn"])

    def _filtered(self) -> float:
        """Factor of the noise's deviation by the processing of a picture's luma."""
        isp = self.file.isp
        size = 65
        y, x = np.mgrid[:size, :size] - size // 2
        impulse = ((x == 0) & (y == 0)).astype(float)

        def blurred(sigma: float) -> NDArray[np.float64]:
            bell = np.exp(-(x**2 + y**2) / (2 * sigma**2)) if sigma > 0 else impulse
            return np.asarray(bell / bell.sum())

        kernel = np.fft.fft2(blurred(isp.denoise_sigma_px))
        soft = np.fft.fft2(np.fft.ifftshift(blurred(isp.sharpen_sigma_px)))
        sharp = 1 + isp.sharpen_amount * (1 - soft)
        return float(np.sqrt(np.mean(np.abs(kernel * sharp) ** 2)))

    def _radius(self) -> float:
        """Distance of the grey steps from the lens's middle, of half the picture's diagonal, root mean square."""
        truth = self.imager.truth
        places = np.array([r["centre"] for name, r in truth["regions"].items() if name.startswith("grey.")])
        away = places - np.asarray(truth["lens"]["centre_px"])
        return float(
            np.sqrt(np.mean(np.sum(away**2, axis=1))) / math.hypot(truth["width"] / 2, truth["height"] / 2)
        )

    def snr_db(self, reflectance: float) -> tuple[float, float, float]:
        """True SNR of a grey patch: total, temporal, fixed (inf without), dB, linear light, glare left out."""
        table, sensor = self.file.sensor, self.imager.truth["sensor"]
        gain = sensor["gain_dn_e"] * 10 ** (self.last["gain_db"] / 20)
        full = sensor["white_dn"] / gain
        signal = self.sees(reflectance) * full
        dark = table.dark_e_s * self.last["exposure_ms"] / 1e3
        kernel = self._filtered() ** 2
        temporal = (signal + dark + sensor["read_noise_e"] ** 2 + (1 / gain) ** 2 / 12) * float(
            np.sum(_LUMA**2)
        )
        temporal *= kernel + table.row_noise**2  # noise of rows is added behind the filters
        share = self.file.isp.denoise_share
        temporal *= (1 - share) / (1 + share)  # of a first-order recursive filter
        fixed = kernel * ((table.prnu * signal) ** 2 + table.dsnu_e**2)

        def level(variance: float) -> float:
            return 20 * math.log10(signal / math.sqrt(variance)) if variance > 0 else math.inf

        return level(temporal + fixed), level(temporal), level(fixed)
