"""PSNR and SSIM of pictures against a reference that is aligned with them: an encoder's input beside its output.

Nothing is shifted, scaled or brought to the same brightness: a pair that does not lie pixel on pixel is refused, since
PSNR then measures the misfit. A camera that only streams gives no reference. docs/methods/psnr.md.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NoReturn

import numpy as np
from numpy.typing import NDArray
from skimage.metrics import structural_similarity
from skimage.registration import phase_cross_correlation

from bench.measure.uncertainty import combine, normal
from standards.errors import MeasurementRefused
from standards.quantity import Bound, Contribution, Estimate, Kind

__all__ = ["no_reference", "similarity"]

_PEAK = 255.0
_MOST_SHIFT = 0.1  # pixels
_MOST_OFFSET, _MOST_GAIN = 1.0, 0.02  # codes of the mean, relative: more is another brightness
_LEAST_SD = 2.0  # codes: an even picture shows no shift
_LEAST_SIDE = 32
_TIES = 5  # least pictures whose scatter says anything


@dataclass(frozen=True)
class _Pair:
    squared: float
    ssim: float


def no_reference() -> NoReturn:
    """Raises MeasurementRefused: what a live stream ends in."""
    raise MeasurementRefused(
        "not measurable here: no aligned reference picture; the camera gives only what its encoder made. "
        "Mend: the encoder's own input, picture by picture, from the manufacturer"
    )


def _check(picture: NDArray[np.uint8], reference: NDArray[np.uint8]) -> None:
    """Raise MeasurementRefused unless both lie pixel on pixel and are equally bright."""
    if picture.shape != reference.shape:
        raise MeasurementRefused(
            f"picture of {picture.shape} and reference of {reference.shape} differ in size"
        )
    if min(picture.shape) < _LEAST_SIDE:
        raise MeasurementRefused(
            f"pictures of {picture.shape} are too small: {_LEAST_SIDE} pixels are needed"
        )
    a, b = picture.astype(np.float64), reference.astype(np.float64)
    if b.std() < _LEAST_SD or a.std() < _LEAST_SD:
        raise MeasurementRefused(
            "an even picture does not show whether it is aligned: use one with structure"
        )
    offset, gain = float(a.mean() - b.mean()), float(np.mean((a - a.mean()) * (b - b.mean())) / b.var())
    if abs(offset) > _MOST_OFFSET:
        raise MeasurementRefused(
            f"picture and reference differ in brightness by {offset:.1f} codes: no aligned reference"
        )
    shift, _, _ = phase_cross_correlation(  # type: ignore[no-untyped-call]
        b, a, upsample_factor=50, normalization=None
    )
    away = float(np.hypot(*shift))
    if away > _MOST_SHIFT:
        raise MeasurementRefused(
            f"the picture lies {away:.2f} pixels off its reference: no aligned reference"
        )
    if abs(gain - 1) > _MOST_GAIN:
        raise MeasurementRefused(
            f"picture and reference differ in contrast, factor {gain:.3f}: no aligned reference"
        )


def _pair(picture: NDArray[np.uint8], reference: NDArray[np.uint8]) -> _Pair:
    squared = float(np.mean((picture.astype(np.float64) - reference) ** 2))
    likeness = structural_similarity(picture, reference, data_range=_PEAK)  # type: ignore[no-untyped-call]
    return _Pair(squared, float(likeness))


def _budget(values: NDArray[np.float64], scale: float) -> tuple[Contribution, ...]:
    """Scatter from picture to picture, as the mean's standard uncertainty; none below five pictures."""
    if len(values) < _TIES:
        return ()
    u = scale * float(np.std(values, ddof=1)) / math.sqrt(len(values))
    return (
        normal("scatter from picture to picture", u, dof=len(values) - 1.0, source=f"{len(values)} pictures"),
    )


def similarity(
    pictures: Sequence[NDArray[np.uint8]], references: Sequence[NDArray[np.uint8]], *, stream: str
) -> tuple[Estimate, Estimate]:
    """PSNR (dB, of the mean squared error over all pictures, peak 255) and mean SSIM of luma.

    pictures, references: (rows, columns) uint8, each reference the very picture that was coded; stream: codec and rate.
    SSIM as Wang et al. 2004 with a uniform window of 7 (scikit-image's default). u is that of the mean over pictures like
    these, None for fewer than five. Identical pictures give a lower bound: what one wrong code would give. Raises
    MeasurementRefused without references, or if one is not aligned: size, brightness, contrast, 0.1 pixels.
    """
    if not references:
        no_reference()
    if len(pictures) != len(references):
        raise MeasurementRefused(
            f"{len(pictures)} pictures and {len(references)} references: each needs its own"
        )
    for picture, reference in zip(pictures, references, strict=True):
        if picture.ndim != 2 or picture.dtype != np.uint8 or reference.dtype != np.uint8:
            raise ValueError("pictures and references are (rows, columns) uint8")
        _check(picture, reference)
    pairs = [_pair(p, r) for p, r in zip(pictures, references, strict=True)]
    squared, ssim = np.array([p.squared for p in pairs]), np.array([p.ssim for p in pairs])
    same = not squared.any()
    mean = float(squared.mean()) if not same else 1.0 / sum(p.size for p in pictures)
    psnr_budget = () if same else _budget(squared, 10 / math.log(10) / mean)
    u, dof = combine(psnr_budget) if psnr_budget else (None, None)
    ssim_budget = () if same else _budget(ssim, 1.0)
    ssim_u, ssim_dof = combine(ssim_budget) if ssim_budget else (None, None)
    notes = (f"luma, against the encoder's input; {stream}",)
    psnr = Estimate(
        quantity="picture.psnr", kind=Kind.RATIO, value=10 * math.log10(_PEAK**2 / mean), unit="dB",
        u=u, dof=dof, budget=psnr_budget, notes=notes,
        bound=Bound.LOWER if same else None,
        bound_reason="pictures and references are the same, code for code" if same else "",
        details={"pictures": len(pairs), "stream": stream, "mean_squared_error": squared.round(5).tolist()},
    )  # fmt: skip
    likeness = Estimate(
        quantity="picture.ssim", kind=Kind.RATIO, value=float(ssim.mean()), unit="1",
        u=ssim_u, dof=ssim_dof, budget=ssim_budget, notes=notes,
        details={"pictures": len(pairs), "stream": stream, "ssim": ssim.round(6).tolist()},
    )  # fmt: skip
    return psnr, likeness
