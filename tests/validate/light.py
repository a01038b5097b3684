"""Flicker against truth: drawn lamps, shutters and frame rates, before the eye of the virtual camera.

    python tests/validate/light.py [--cases 200] [--from 0] [--out out/validate/light]
    python -m tools.proof_pages out/validate/light --no-table     # the plot of docs/methods/flicker.md

Uncoded. The sample in CI is tests/bench/measure/test_flicker.py.
"""

from __future__ import annotations

import math
import sys
import time
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parent))
sys.path.insert(0, str(Path(__file__).parents[1] / "support"))
from drawn import Rows, main, row
from imaging_world import START_NS, imager

from bench.measure.chart_view import locate
from bench.measure.flicker import flicker
from bench.validate.measurers import Row
from fixtures.charts import CHARTS
from fixtures.simulated.picture import Moment
from fixtures.world import World
from standards.errors import MeasurementRefused

_RUNS, _EACH = 4, 8


def of_seed(seed: int) -> tuple[int, Rows]:
    """One drawn camera under one drawn lamp. Raises AssertionError where the mains or the read-out is told wrongly."""
    draw = np.random.default_rng([5, seed])
    mains, fps = ((50.0, 30.0), (60.0, 25.0))[int(draw.integers(2))]
    hertz = 2 * mains * (1 + 0.002 * draw.uniform(-1, 1))
    depth, noise = 10 ** draw.uniform(-2.3, -0.4), draw.uniform(0.3, 3.0)
    readout, exposure = draw.uniform(0, 1000 / fps), draw.uniform(0.5, 4.0)
    vignetting, grain = draw.uniform(0, 0.25), int(draw.integers(1 << 30))
    world = World({"flicker_depth": depth, "flicker_hz": hertz, "illuminance_lx": 320.0})
    camera = imager(
        640, 360, scene={"chart": "camcert-1", "fill": 0.9}, sensor={"readout_ms": readout}, lens={"vignetting": vignetting},
        picture={"noise_sd": noise, "seed": grain, "exposure_ms": exposure},
    )  # fmt: skip
    shown = []
    for index in (41 * run + k for run in range(_RUNS) for k in range(_EACH)):
        taken = camera.frame(Moment(index, START_NS + round(index * 1e9 / fps), world, counter=index))
        shown.append(taken.luma.copy())
    began = time.process_time()
    try:
        view = locate(shown[0], CHARTS["camcert-1"])
        found = flicker(np.stack(shown), np.repeat(np.arange(_RUNS), _EACH), view, frame_rate=fps)
    except MeasurementRefused as refused:
        return seed, [Row("picture.flicker", "drawn", seed, refused=str(refused))]
    spent = 1000 * (time.process_time() - began)
    assert found.details["mains_hz"] in (mains, None), f"seed {seed}: mains of {found.details['mains_hz']} Hz"
    assert abs((found.details["readout_ms"] or readout) - readout) < 0.3, f"seed {seed}: read-out"
    turns = math.pi * hertz * exposure / 1000
    return seed, [row(found, 100 * depth * abs(math.sin(turns) / turns), seed=seed, cpu_ms=spent)]


if __name__ == "__main__":
    sys.exit(main(__doc__, of_seed, "light"))
