"""Minimum illumination against truth: drawn cameras of the virtual world, light boxes and lux meters that err.

    python tests/validate/little_light.py [--cases 200] [--from 0] [--out out/validate/little_light]
    python -m tools.proof_pages out/validate/little_light --no-table   # the plot of docs/methods/minimum_illumination.md

Uncoded; the whole chain is one camera in tests/bench/test_minimum_illumination.py. Truth: mean codes of white and black of a
sensor with normal noise, black cut off at nought, integrated here.
"""

from __future__ import annotations

import math
import sys
import time
from pathlib import Path

import numpy as np
from scipy.optimize import brentq
from scipy.stats import norm

sys.path.insert(0, str(Path(__file__).parent))
sys.path.insert(0, str(Path(__file__).parents[1] / "support"))
from drawn import Rows, main, row
from grey_camera import GreyCamera

from bench.measure.chart_view import locate
from bench.measure.minimum_illumination import CRITERION, Level, contrast, minimum_illumination, search
from bench.validate.measurers import Row
from fixtures.charts import CHARTS
from fixtures.world import World
from standards.errors import MeasurementRefused

METER_U, READING_SD = 0.01, 0.003  # relative: the certificate's, and the scatter of one reading of five
_SETTLE, _PICTURES, _READINGS = 2, 4, 5
_NODES = norm.ppf((np.arange(4000) + 0.5) / 4000)


def _signal(light: np.ndarray, tone: str) -> np.ndarray:
    """0 to 1 of linear light: ITU-R BT.709-6 item 1.2, or a power of 1/2.2."""
    light = np.clip(light, 0.0, 1.0)
    if tone == "gamma22":
        return np.asarray(light ** (1 / 2.2))
    return np.where(light < 0.018, 4.5 * light, 1.099 * light**0.45 - 0.099)


def _mean_signal(camera: GreyCamera, reflectance: float) -> float:
    """Mean signal of a step under the light of the last picture, its noise cut off at black."""
    sensor = camera.imager.truth["sensor"]
    gain = sensor["gain_dn_e"] * 10 ** (camera.last["gain_db"] / 20)
    full = sensor["white_dn"] / gain
    light = camera.sees(reflectance)
    sd = math.sqrt(light * full + sensor["read_noise_e"] ** 2 + (1 / gain) ** 2 / 12) / full
    return float(_signal(light + sd * _NODES, camera.file.picture.tone).mean())


def truth(camera: GreyCamera) -> float:
    """Lux at which white and black of the chart differ by 30 %, at the exposure and gain of the last picture."""
    greys = [grey.reflectance or 0.0 for grey in CHARTS["camcert-1"].greys]
    shown = camera.last

    def excess(lux: float) -> float:
        camera.last = {**shown, "illuminance_lx": lux}
        return _mean_signal(camera, max(greys)) - _mean_signal(camera, min(greys)) - CRITERION

    try:
        return float(brentq(excess, 0.01, 5.0 * shown["illuminance_lx"]))
    finally:
        camera.last = shown


def of_seed(seed: int) -> tuple[int, Rows]:
    """One drawn camera, box and meter: the light stepped down as in a run."""
    draw = np.random.default_rng([230, seed])
    camera = GreyCamera(
        640, 360, scene={"chart": "camcert-1", "fill": 0.9, "rotation_deg": float(draw.uniform(-1, 1))},
        picture={
            "noise_sd": float(draw.uniform(0.1, 1.0)), "seed": int(draw.integers(1 << 30)),
            "blur_sigma_px": float(draw.uniform(0.5, 1.2)), "tone": str(draw.choice(["bt709", "gamma22"])),
        },
        exposure={
            "mode": "auto", "tau_s": 0.0, "max_ms": float(draw.uniform(10, 33)),
            "max_gain_db": float(draw.uniform(12, 36)),
        },
    )  # fmt: skip
    box, meter = 1 + 0.05 * draw.uniform(-1, 1), 1 + METER_U * draw.standard_normal()
    spent, darkest = 0.0, (math.inf, camera.last)
    start = 200.0
    camera.world = World({"illuminance_lx": start * box})
    view = None
    for _ in range(_SETTLE + 2):
        found = camera.luma()
    try:
        view = locate(found, CHARTS["camcert-1"])

        def look(step: str, lux: float) -> Level:
            nonlocal spent, darkest
            camera.world = World({"illuminance_lx": lux * box})
            for _ in range(_SETTLE):
                camera.luma()
            pictures = [camera.luma() for _ in range(_PICTURES)]
            darkest = min(darkest, (lux, camera.last), key=lambda pair: pair[0])
            readings = lux * box * meter * (1 + READING_SD * draw.standard_normal(_READINGS))
            began = time.process_time()
            difference, scatter = contrast(pictures, view)
            spent += 1000 * (time.process_time() - began)
            u = math.hypot(METER_U * readings.mean(), readings.std(ddof=1) / math.sqrt(_READINGS))
            return Level(float(readings.mean()), u, difference, scatter)

        value = minimum_illumination(search(look, start), exposure="drawn")
    except MeasurementRefused as refused:
        return seed, [Row("picture.minimum_illumination", "drawn", seed, refused=str(refused))]
    assert value.bound is None, f"seed {seed}: {value.bound_reason}"
    camera.last = darkest[1]
    return seed, [row(value, truth(camera), seed=seed, cpu_ms=spent)]


if __name__ == "__main__":
    sys.exit(main(__doc__, of_seed, "little_light"))
