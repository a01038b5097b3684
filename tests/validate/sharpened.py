"""Sampling efficiency and oversharpening against truth: cameras that sharpen their codes, with and without H.264.

    python tests/validate/sharpened.py [--cases 200] [--from 0] [--out out/validate/sharpened]
    python -m tools.proof_pages out/validate/sharpened --no-table      # the plots of docs/methods/sharpness.md

Truth: an edge of the chart in light, put through tone curve, unsharp mask over codes and the curve back, all along its
normal and finely sampled; its spectrum. Densities of the grey steps err by 0.005 as their certificate states. A camera
whose limit lies beyond 0.48 cycles a pixel has no truth for the efficiency: noise decides whether it is the pixel grid's.
"""

from __future__ import annotations

import math
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter1d

sys.path.insert(0, str(Path(__file__).parent))
sys.path.insert(0, str(Path(__file__).parents[1] / "support"))
from coding_loop import through_h264
from drawn import Rows, main, row
from imaging_world import imager, moment

from bench.measure.chart_view import locate
from bench.measure.sharpness import centre_edges, sharpness, tone_uncertainty
from bench.validate.measurers import Row
from fixtures.charts import CHARTS
from fixtures.simulated.picture.lens import edge_profile
from fixtures.simulated.picture.tone import light_of, signal_of
from standards.errors import MeasurementRefused

DENSITY_U = 0.005
_WIDTH, _HEIGHT, _GOPS, _GOP = 1280, 720, 4, 10
_FINE, _REACH = 32, 40  # samples a pixel, pixels to either side
_BEYOND = 0.48
_QUANTITIES = ("resolution.sampling_efficiency", "resolution.oversharpening")


def response(
    tables: dict[str, Any], sigma: float, normal_deg: float, dark: float, light: float
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Frequencies, cycles a pixel, and the response of one edge along its normal."""
    x = np.arange(-_REACH * _FINE, _REACH * _FINE) / _FINE
    turn, tone = math.radians(normal_deg), tables["picture"]["tone"]
    seen = dark + (light - dark) * edge_profile(x, sigma, (math.cos(turn), math.sin(turn)))
    code = signal_of(seen, tone)
    mask = tables["isp"]["sharpen_sigma_px"] * _FINE
    sharp = code + tables["isp"]["sharpen_amount"] * (code - gaussian_filter1d(code, mask, mode="nearest"))
    line = np.diff(light_of(sharp, tone))
    spectrum = np.abs(np.fft.rfft(line, 16 * len(x)))
    return np.fft.rfftfreq(16 * len(x), 1 / _FINE), spectrum / spectrum[0]


def truth(tables: dict[str, Any], scene: dict[str, Any], light: float) -> tuple[float, float]:
    """Sampling efficiency (nan beyond what can be told) and oversharpening, %, over the centre's four edges."""
    falls, curves = [], []
    for side in ("left", "right", "top", "bottom"):
        edge = scene["edges"][f"edge.centre.{side}"]
        dark = scene["regions"]["edge.centre"]["reflectance"]
        frequency, curve = response(tables, edge["sigma_px"], edge["angle_deg"], dark, light)
        below = int(np.argmax(curve < 0.1))
        falls.append(float(np.interp(0.1, curve[[below, below - 1]], frequency[[below, below - 1]])))
        curves.append(curve[frequency <= 0.5])
    limit = float(np.mean(falls))
    return 200 * limit if limit < _BEYOND else math.nan, 100 * (float(np.mean(curves, axis=0).max()) - 1)


def coded(pictures: list[NDArray[np.uint8]], rate: int) -> list[NDArray[np.uint8]]:
    """The last luma of every GOP after H.264 at a constant rate. pictures: planes, Y over Cb and Cr."""
    limits = (
        f"vbv-maxrate={rate // 1000}:vbv-bufsize={rate // 1000}:scenecut=0:keyint={_GOP}:min-keyint={_GOP}"
    )
    options = {"preset": "veryfast", "profile": "main", "x264-params": limits}
    return through_h264(pictures, rate, gop=_GOP, options=options)[_GOP - 1 :: _GOP]


def of_seed(seed: int) -> tuple[int, Rows]:
    """One drawn camera; every second one through H.264 at 4 to 12 Mbit/s."""
    draw = np.random.default_rng([41, seed])
    tables: dict[str, Any] = {
        "scene": {"chart": "camcert-1", "fill": 0.92, "rotation_deg": float(draw.uniform(-1, 1))},
        "picture": {
            "noise_sd": float(math.exp(draw.uniform(math.log(0.3), math.log(2.0)))), "seed": int(draw.integers(1 << 30)),
            "blur_sigma_px": float(draw.uniform(0.7, 1.4)), "tone": str(draw.choice(["bt709", "gamma22"])),
        },
        "isp": {
            "sharpen_amount": float(draw.choice([0.0, draw.uniform(0.2, 1.5)], p=[0.25, 0.75])),
            "sharpen_sigma_px": float(draw.uniform(0.8, 1.6)),
        },
    }  # fmt: skip
    camera, rate = imager(_WIDTH, _HEIGHT, **tables), int(draw.uniform(4e6, 12e6)) * (seed % 2)
    if rate:
        pictures = coded([camera.frame(moment(i)).planes.copy() for i in range(_GOPS * _GOP)], rate)
    else:
        pictures = [camera.frame(moment(i)).luma.copy() for i in range(_GOPS)]
    kind, began = "h264" if rate else "uncoded", time.process_time()
    try:
        view = locate(pictures[0], CHARTS["camcert-1"])
        greys = tuple(
            replace(
                g, reflectance=(g.reflectance or 1.0) * 10 ** (-DENSITY_U * float(draw.standard_normal()))
            )
            for g in view.chart.greys
        )
        view = replace(view, chart=replace(view.chart, greys=greys))
        tone_u = tone_uncertainty(pictures, view, density_u=DENSITY_U)
        found = sharpness(centre_edges(pictures, view), tone_u=tone_u)
    except MeasurementRefused as refused:
        return seed, [Row(name, kind, seed, refused=str(refused)) for name in _QUANTITIES]
    spent = 1000 * (time.process_time() - began)
    true = truth(tables, camera.truth, CHARTS["camcert-1"].background)
    return seed, [
        row(one, value, seed=seed, kind=kind, cpu_ms=spent)
        for one, value in zip(found, true, strict=True)
        if not math.isnan(value)
    ]


if __name__ == "__main__":
    sys.exit(main(__doc__, of_seed, "sharpened"))
