"""From a capture of the proof to values beside their truth: one function a family, each blind to the truth it measures.

Truth is worked out here anew from what the camera logged (focal length, distortion, Gaussian, pixel), never with the code
that measures.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from scipy.optimize import brentq

from bench.camera import decode
from bench.camera.stills import describe
from bench.measure.chart_view import ChartView, locate, which_chart
from bench.measure.fall_off import corner_illumination
from bench.measure.noise import DENSITY_U
from bench.measure.resolution import resolution
from bench.measure.star_resolution import star_resolution
from bench.measure.wedge import NYQUIST_LIMITED, wedge_resolution
from bench.validate.captures import Proof
from bench.validate.measurers_field import FIELD
from bench.validate.measurers_flat import FLAT
from bench.validate.measurers_noise import NOISE
from standards.errors import MeasurementRefused
from standards.quantity import Estimate

__all__ = ["MEASURERS", "Measurer", "Row", "measure"]

_STAR_RADIUS = 32.0  # mm of the chart's 36: within which a frequency has neighbours to be told from
_STAR_SURE = 0.48  # cycles a pixel: beyond, noise decides whether a limit is called the pixel grid's


@dataclass(frozen=True)
class Row:
    """One value of the proof. u95: expanded uncertainty; refused: why there is no value; cpu_ms: of the measuring."""

    quantity: str
    chart: str
    seed: int
    value: float | None = None
    u95: float | None = None
    truth: float | None = None
    refused: str = ""
    cpu_ms: float = 0.0


#: What a measurer is given: the capture, the chart as found, luma pictures one a GOP.
Pictures = tuple[np.ndarray, ...]
Truths = dict[str, float]


@dataclass(frozen=True)
class Measurer:
    """chart: that it needs; quantities; measure: the estimates; truth: by quantity, left out where a case has none (a
    limit beyond the pixel grid)."""

    chart: str
    quantities: tuple[str, ...]
    measure: Callable[[Proof, Any, Pictures], Iterable[Estimate]]
    truth: Callable[[Proof], Truths]


def _bits(proof: Proof, view: ChartView) -> float:
    return describe(proof.capture, view.shape).bits_per_pixel


def _falls_to(level: float, sigma: float, angle_deg: float) -> float:
    """Cycles a pixel where a Gaussian and a unit-square pixel leave this modulation along a normal."""
    cosine, sine = math.cos(math.radians(angle_deg)), math.sin(math.radians(angle_deg))

    def excess(f: float) -> float:
        gauss = math.exp(-2 * (math.pi * sigma * f) ** 2)
        return gauss * float(np.sinc(f * cosine) * np.sinc(f * sine)) - level

    return float(brentq(excess, 1e-6, 0.9999)) if excess(0.9999) < 0 else 1.0


def _edges_truth(proof: Proof) -> Truths:
    edges = proof.start["edges"]
    squares: dict[str, list[float]] = {}
    for name, edge in edges.items():
        side = name.rsplit(".", 1)[1]
        if side in ("left", "right"):
            # The angle to the rows of the normal of a near-vertical edge.
            squares.setdefault(name.rsplit(".", 1)[0], []).append(
                _falls_to(0.1, edge["sigma_px"], edge["angle_deg"])
            )
    centre = float(np.mean(squares.pop("edge.centre")))
    found = {"resolution.corner_ratio": 100 * float(np.mean([np.mean(v) for v in squares.values()])) / centre}
    if centre <= 0.5:
        found["resolution.centre"] = 2 * proof.start["stream"]["height"] * centre
    return found


def _wedge_truth(proof: Proof) -> Truths:
    """The Gaussian is the same all over; the lines stand within a degree or two of the pixel grid."""
    limit = _falls_to(0.1, proof.start["picture"]["blur_sigma_px"], proof.camera["scene"]["rotation_deg"])
    if limit > NYQUIST_LIMITED:
        return {}
    return {
        "resolution.wedge_centre": 2 * proof.start["stream"]["height"] * limit,
        "resolution.wedge_corner_ratio": 100.0,
    }


def _fall_off_truth(proof: Proof) -> Truths:
    return {"picture.corner_illumination": 100 * (1 - proof.camera["lens"]["vignetting"])}


def _star_truth(proof: Proof) -> Truths:
    """All directions together; a square pixel hardly tells them apart, so that 22.5 degrees stand for all."""
    sigma, rows = proof.start["picture"]["blur_sigma_px"], proof.start["stream"]["height"]
    limit, half = _falls_to(0.1, sigma, 22.5), _falls_to(0.5, sigma, 22.5)
    scene, width = proof.camera["scene"], proof.start["stream"]["width"]
    coarsest = _STAR_RADIUS * width / 320 * scene["fill"]  # pixels; 144 cycles stand around it
    found = {"resolution.star_mtf50": 2 * rows * half} if half > 144 / (2 * math.pi * coarsest) else {}
    if limit <= _STAR_SURE:
        found |= {"resolution.star_centre": 2 * rows * limit, "resolution.star_corner_ratio": 100.0}
    return found


MEASURERS: tuple[Measurer, ...] = (
    Measurer(
        "camcert-1", ("resolution.centre", "resolution.corner_ratio"),
        lambda proof, view, pictures: resolution(pictures, view, bits_per_pixel=_bits(proof, view)), _edges_truth,
    ),
    Measurer(
        "edges", ("resolution.centre", "resolution.corner_ratio"),
        lambda proof, view, pictures: resolution(pictures, view, bits_per_pixel=_bits(proof, view)), _edges_truth,
    ),
    Measurer(
        "wedge", ("resolution.wedge_centre", "resolution.wedge_corner_ratio"),
        lambda proof, view, pictures: wedge_resolution(pictures, view, bits_per_pixel=_bits(proof, view)), _wedge_truth,
    ),
    *(
        Measurer(
            chart, ("picture.corner_illumination",),
            # The simulated light is even.
            lambda proof, view, pictures: [corner_illumination(pictures, view, light_u=0.0)], _fall_off_truth,
        )
        for chart in ("camcert-1", "edges", "wedge")
    ),
    Measurer(
        "star", ("resolution.star_centre", "resolution.star_mtf50", "resolution.star_corner_ratio"),
        lambda proof, view, pictures: star_resolution(pictures, view, bits_per_pixel=_bits(proof, view)), _star_truth,
    ),
    *(Measurer(*row) for row in (*FIELD, *FLAT, *NOISE)),
)  # fmt: skip


def _certified(view: ChartView, seed: int) -> ChartView:
    """The chart as its certificate tells of it: densities of the grey steps err as it states, each by itself."""
    draw = np.random.default_rng([seed, 0xDE5])
    greys = tuple(
        replace(grey, reflectance=grey.reflectance * 10 ** (-DENSITY_U * float(draw.standard_normal())))
        for grey in view.chart.greys
        if grey.reflectance is not None
    )
    return replace(view, chart=replace(view.chart, greys=greys))


def _view(proof: Proof) -> ChartView | None:
    """The chart as found and certified; None of a board, which its procedure finds by itself, and of a flat field."""
    if proof.chart in ("board", "uniform"):
        return None
    refused: MeasurementRefused | None = None
    for picture in decode.first_pictures(proof.capture, 3):
        try:
            return _certified(locate(picture, which_chart(picture)), proof.seed)
        except MeasurementRefused as error:
            refused = error
    raise refused or MeasurementRefused("no picture could be decoded")


def measure(proof: Proof) -> list[Row]:
    """Every quantity that the capture's chart serves. A refusal is a row too."""
    wanted = [m for m in MEASURERS if m.chart == proof.chart]
    if not wanted:
        return []
    try:
        view = _view(proof)
        pictures = decode.read_frames(proof.capture, look=None).pictures
    except MeasurementRefused as refused:
        return [Row(q, proof.chart, proof.seed, refused=str(refused)) for m in wanted for q in m.quantities]
    rows: list[Row] = []
    for measurer in wanted:
        truth = measurer.truth(proof)
        start = time.process_time()
        try:
            found = {e.quantity: e for e in measurer.measure(proof, view, pictures)}
        except MeasurementRefused as refused:
            rows += [Row(q, proof.chart, proof.seed, refused=str(refused)) for q in measurer.quantities]
            continue
        cpu = (time.process_time() - start) * 1e3
        for quantity in measurer.quantities:
            if quantity not in truth:
                continue
            estimate = found.get(quantity)
            if estimate is None or estimate.expanded_uncertainty is None:
                rows.append(Row(quantity, proof.chart, proof.seed, refused="no value with an uncertainty"))
                continue
            value, u95 = float(estimate.value), float(estimate.expanded_uncertainty)
            rows.append(Row(quantity, proof.chart, proof.seed, value, u95, truth[quantity], "", cpu))
    return rows
