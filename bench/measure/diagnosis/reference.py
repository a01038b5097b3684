"""The view as it should be: a picture of it, its colours, and how soft and noisy it is when all is well."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bench.measure.colour_picture import ColourPicture
from bench.measure.diagnosis.detail import blur
from bench.measure.diagnosis.grain import noise
from bench.measure.diagnosis.pictures import Luma, settled
from standards.errors import MeasurementRefused
from standards.quantity import Estimate

__all__ = ["Reference"]


@dataclass(frozen=True)
class Reference:
    """luma: (rows, columns) uint8; colour: where one was taken; blur, noise: what the view had then, 0 where not told."""

    luma: Luma
    colour: ColourPicture | None = None
    blur: float = 0.0
    noise: float = 0.0

    @classmethod
    def taken(cls, pictures: Luma, run: NDArray[np.int64], colour: ColourPicture | None = None) -> Reference:
        """From several runs of pictures, (n, rows, columns): their median, so that what passes by is not in it."""
        luma = np.median(settled(pictures, run), axis=0).astype(np.uint8)
        return cls(
            luma, colour, _or_nothing(lambda: blur(pictures)), _or_nothing(lambda: noise(pictures, run))
        )


def _or_nothing(measure: Callable[[], Estimate]) -> float:
    """A value, 0 where it is refused."""
    try:
        return float(measure().value)
    except MeasurementRefused:
        return 0.0
