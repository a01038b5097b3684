"""Maximum illumination against truth: drawn shutters, tone curves, noise, lux meters before the eye of the virtual camera.

    python tests/validate/bright.py [--cameras 200] [--seed 11] [--out FILE] [--plot FILE]

Prints the table of docs/methods/maximum_illumination.md; a camera takes half a second of processor time.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1] / "support"))
from imaging_world import PERIOD_NS, START_NS, imager, moment

from bench.measure.chart_view import locate
from bench.measure.maximum_illumination import White, apart, maximum_illumination, search
from fixtures.charts import CHARTS
from fixtures.world import World
from standards.errors import MeasurementRefused

_RATED_LX, _METER_U = 500.0, 0.01  # white fills the scale at 0 dB; relative, drawn


def true_lux(tone: str, full: float, second: float, criterion: float) -> float:
    """Where the second grey step is `criterion` codes below white (ITU-R BT.709-6, 1.2, or a power of 1/2.2)."""
    signal = 1 - criterion / 219
    light = signal**2.2 if tone == "gamma22" else ((signal + 0.099) / 1.099) ** (1 / 0.45)
    return float(full / second * light)


def one(draw: np.random.Generator) -> dict[str, Any]:
    """One drawn camera: truth, what was found, its U; or why it was refused."""
    shortest, tone = float(10 ** draw.uniform(-0.6, 0.6)), str(draw.choice(["bt709", "gamma22"]))
    chart = str(draw.choice(["camcert-1", "grey"]))
    noise, gain = float(draw.uniform(0.0, 1.0)), 1 + _METER_U * float(draw.standard_normal())
    camera = imager(
        960, 540, scene={"chart": chart, "fill": 0.94},
        picture={"noise_sd": noise, "tone": tone, "seed": int(draw.integers(1 << 30))},
        exposure={"mode": "auto", "min_ms": shortest, "max_gain_db": 20.0, "target": 0.2, "tau_s": 0.0},
    )  # fmt: skip
    world, place = World(), iter(range(10_000))
    first = camera.frame(moment(next(place), world)).luma.copy()

    def look(step: str, lux: float) -> White:
        world.set("illuminance_lx", lux, at_ns=START_NS + next(place) * PERIOD_NS)
        shown = [camera.frame(moment(next(place), world)).luma.copy() for _ in range(5)][-3:]
        return White(lux * gain, _METER_U * lux, *apart(shown, view))

    full = _RATED_LX * 10.0 / shortest
    second = sorted((g.reflectance or 0.0 for g in CHARTS[chart].greys), reverse=True)[1]
    row: dict[str, Any] = {
        "true": true_lux(tone, full, second, 1.0),
        "noise": noise,
        "chart": chart,
        "tone": tone,
    }
    try:
        view = locate(first, CHARTS[chart])
        found = maximum_illumination(search(look, float(draw.uniform(100, 800))), exposure="auto")
    except MeasurementRefused as refused:
        return {**row, "refused": str(refused)}
    budget = {c.name: c.u / float(found.value) for c in found.budget}
    return {**row, "value": float(found.value), "U": found.expanded_uncertainty, "budget": budget}


def plot(good: list[dict[str, Any]], file: Path) -> None:
    """Errors with their U, by rising truth."""
    import matplotlib as mpl

    mpl.use("Agg")
    from matplotlib import pyplot as plt

    ordered = sorted(good, key=lambda row: float(row["true"]))
    true, value, u = (np.array([row[key] for row in ordered]) for key in ("true", "value", "U"))
    figure, axis = plt.subplots(figsize=(9, 2.8), constrained_layout=True)
    axis.errorbar(
        true,
        100 * (value / true - 1),
        yerr=100 * u / true,
        fmt=".",
        markersize=3,
        linewidth=0.5,
        color="#1f5f8b",
    )
    axis.axhline(0, color="black", linewidth=0.6)
    axis.set(xscale="log", xlabel="maximum illumination, lx", ylabel="error, %, with U (95 %)")
    figure.savefig(file, dpi=80)


def main() -> None:
    """Run, print, keep."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--cameras", type=int, default=200)
    parser.add_argument("--seed", type=int, default=11)
    parser.add_argument("--out", type=Path)
    parser.add_argument("--plot", type=Path)
    told = parser.parse_args()
    rows = [one(np.random.default_rng([told.seed, number])) for number in range(told.cameras)]
    if told.out is not None:
        told.out.write_text(json.dumps(rows, indent=1), encoding="utf-8")
    good = [row for row in rows if "value" in row]
    print(f"{len(rows)} cameras, refused: {Counter(str(row['refused']) for row in rows if 'refused' in row)}")
    if not good:
        return
    true = np.array([row["true"] for row in good])
    error, u = (
        (np.array([row["value"] for row in good]) - true) / true,
        np.array([row["U"] for row in good]) / true,
    )
    large = float(np.quantile(np.abs(error / u), 0.95))
    print(f"bias {error.mean():+.4f}, sd {error.std(ddof=1):.4f}, U median {np.median(u):.4f}, within U "
          f"{np.count_nonzero(np.abs(error) <= u)}/{len(good)}, U over p95 {1 / large:.2f}")  # fmt: skip
    print(
        {
            name: round(float(np.median([row["budget"][name] for row in good])), 5)
            for name in good[0]["budget"]
        }
    )
    if told.plot is not None:
        plot(good, told.plot)


if __name__ == "__main__":
    main()
