"""Flicker against truth: drawn lamps, shutters and frame rates, before the eye of the virtual camera.

    python tests/validate/light.py [--cameras 40] [--seed 5] [--out FILE]

Prints a table for docs/methods/flicker.md. The sample in CI is tests/bench/measure/test_flicker.py.
"""

from __future__ import annotations

import argparse
import json
import math
import sys
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1] / "support"))
from imaging_world import START_NS, imager

from bench.measure.chart_view import locate
from bench.measure.flicker import flicker
from fixtures.charts import CHARTS
from fixtures.simulated.picture import Moment
from fixtures.world import World
from standards.errors import MeasurementRefused

_RUNS, _EACH = 4, 8


def one(draw: np.random.Generator) -> dict[str, float | str]:
    """One drawn camera under one drawn lamp: truth, what was found, and its U; or why it was refused."""
    mains, fps = ((50.0, 30.0), (60.0, 25.0))[int(draw.integers(2))]
    hertz = 2 * mains * (1 + 0.002 * draw.uniform(-1, 1))
    depth, noise = 10 ** draw.uniform(-2.3, -0.4), draw.uniform(0.3, 3.0)
    readout, exposure = draw.uniform(0, 1000 / fps), draw.uniform(0.5, 4.0)
    vignetting, seed = draw.uniform(0, 0.25), int(draw.integers(1 << 30))
    world = World({"flicker_depth": depth, "flicker_hz": hertz, "illuminance_lx": 320.0})
    camera = imager(
        640, 360, scene={"chart": "camcert-1", "fill": 0.9}, sensor={"readout_ms": readout}, lens={"vignetting": vignetting},
        picture={"noise_sd": noise, "seed": seed, "exposure_ms": exposure},
    )  # fmt: skip
    shown = []
    for index in (41 * run + k for run in range(_RUNS) for k in range(_EACH)):
        shown.append(
            camera.frame(Moment(index, START_NS + round(index * 1e9 / fps), world, counter=index)).luma.copy()
        )
    turns = math.pi * hertz * exposure / 1000
    row: dict[str, float | str] = {
        "true": 100 * depth * abs(math.sin(turns) / turns), "mains_hz": mains, "readout_ms": readout, "noise": noise,
    }  # fmt: skip
    try:
        view = locate(shown[0], CHARTS["camcert-1"])
        found = flicker(np.stack(shown), np.repeat(np.arange(_RUNS), _EACH), view, frame_rate=fps)
    except MeasurementRefused as refused:
        return {**row, "refused": str(refused)}
    assert found.expanded_uncertainty is not None
    return {
        **row, "value": float(found.value), "U": found.expanded_uncertainty,
        "told_mains": found.details["mains_hz"] or 0.0, "told_readout": found.details["readout_ms"] or 0.0,
    }  # fmt: skip


def main() -> None:
    """Run, print, keep."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--cameras", type=int, default=40)
    parser.add_argument("--seed", type=int, default=5)
    parser.add_argument("--out", type=Path)
    told = parser.parse_args()
    rows = [one(np.random.default_rng([told.seed, number])) for number in range(told.cameras)]
    if told.out is not None:
        told.out.write_text(json.dumps(rows, indent=1), encoding="utf-8")
    good = [row for row in rows if "value" in row]
    why = sorted({str(row["refused"]) for row in rows if "refused" in row})
    print(f"{len(rows)} cameras, {len(rows) - len(good)} refused: {why}")
    if not good:
        return
    error = np.array([float(row["value"]) - float(row["true"]) for row in good])
    u, true = (np.array([float(row[key]) for row in good]) for key in ("U", "true"))
    readout = np.abs([float(row["told_readout"]) - float(row["readout_ms"]) for row in good])
    print(f"within U: {np.mean(np.abs(error) <= u):.3f}; U, of the value: median {np.median(u / true):.4f}")
    large = float(np.quantile(np.abs(error / true), 0.95))
    print(f"error, of the value: median {np.median(error / true):+.4f}, 95 % of sizes below {large:.4f}")
    right = np.mean([row["told_mains"] == row["mains_hz"] for row in good])
    print(
        f"mains right: {right:.3f}; read-out off by at most {readout.max():.2f} ms, median {np.median(readout):.3f}"
    )


if __name__ == "__main__":
    main()
