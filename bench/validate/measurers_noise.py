"""Measurers of the noise through the whole chain: MJPEG whose quantiser keeps it.

Truth in closed form from the camera file: a Poisson sensor behind a tone curve, with a fixed pattern; none of it is the
code that measures.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

from bench.camera.stills import describe, stack
from bench.measure.chart_view import ChartView
from bench.measure.noise import DENSITY_U, GREY, grey_steps, snr
from bench.validate.captures import Proof
from bench.validate.measurers_field import signal_of
from standards.quantity import Estimate

__all__ = ["NOISE", "snr_truth"]

Pictures = tuple[np.ndarray, ...]

_RATED_LX = 500.0  # light under which picture.noise_sd is stated, and white fills the converter
_READ = 0.002  # reflectance whose shot noise the read noise equals
_WHITE_DN = 4095 - 64
_LUMA = np.array([0.2126, 0.7152, 0.0722])
_SPAN = 219.0  # codes of video range


def _slope(light: float, tone: str) -> float:
    """Derivative of the tone curve."""
    step = 1e-5
    low, high = signal_of(np.array([light - step, light + step]), tone)
    return float(high - low) / (2 * step)


def _local(proof: Proof) -> float:
    """Light on the grey steps, of that in the picture's middle: the lens falls off by the square of the distance."""
    chart = proof.start["chart"]
    places = np.array([r["centre"] for name, r in chart["regions"].items() if name.startswith("grey.")])
    size = np.array([chart["width"], chart["height"]])
    away = (places - np.asarray(chart["lens"]["centre_px"])) / math.hypot(*(size / 2))
    return 1 - float(proof.camera["lens"]["vignetting"]) * float(np.mean(np.sum(away**2, axis=1)))


def snr_truth(proof: Proof) -> dict[str, float]:
    """SNR at reflectance 0.18, dB. The camera rounds to video range before its JPEG encoder has whole codes again:
    that rounding is the camera's own noise."""
    picture, tone = proof.camera["picture"], proof.camera["picture"]["tone"]
    colours = float(np.sum(_LUMA**2))
    # Electrons of a white, from the noise that the file states at a reflectance of 0.18 under the rated light.
    stated = (picture["noise_sd"] / (_SPAN * _slope(GREY, tone))) ** 2 / colours
    white_e = (GREY + _READ) / (stated - 1 / (12 * _WHITE_DN**2))
    lux = float(np.median([f["picture"]["illuminance_lx"] for f in proof.frames if "picture" in f]))
    light = GREY * lux / _RATED_LX * _local(proof)
    temporal = ((light + _READ) / white_e + 1 / (12 * _WHITE_DN**2)) * colours
    fixed = (proof.camera["sensor"]["prnu"] * light) ** 2
    slope = _SPAN * _slope(light, tone)
    noise = math.sqrt((temporal + fixed) * slope**2 + 1 / 12)
    return {"picture.snr": 20 * math.log10(light * slope / noise)}


def _measured(proof: Proof, view: ChartView, pictures: Pictures) -> Iterable[Estimate]:
    taken = stack(proof.capture)
    steps = grey_steps(taken.pictures, taken.run, view, density_u=DENSITY_U)
    coding = describe(proof.capture, (taken.pictures.shape[1], taken.pictures.shape[2])).coding
    return [snr(steps, coding, density_u=DENSITY_U)]


#: chart, quantities, measure, truth: see Measurer.
NOISE: tuple[
    tuple[
        str,
        tuple[str, ...],
        Callable[[Proof, Any, Pictures], Iterable[Estimate]],
        Callable[[Proof], dict[str, float]],
    ],
    ...,
] = (("grey", ("picture.snr",), _measured, snr_truth),)
