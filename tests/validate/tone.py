"""Noise, dynamic range and grey levels against truth: drawn cameras before the chart `grey`, uncompressed.

    python tests/validate/tone.py [--cameras 200] [--from 0] [--out out/validate/tone]

After H.264 the noise is the encoder's and has no truth in closed form, so these go without. A camera's rows are kept as
they come, and one that is there is not drawn again. `python -m tools.proof_pages OUT` plots them, OUT/counts the grey
levels. Certificates err: densities of the steps by 0.005, the lux meter by 1 %, each drawn anew for every camera. The
sample in CI is tests/bench/measure/test_noise.py and test_grey_levels.py.
"""

from __future__ import annotations

import argparse
import json
import math
import multiprocessing
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console
from scipy.optimize import brentq

sys.path.insert(0, str(Path(__file__).parents[1] / "support"))
from grey_camera import GreyCamera

from bench.measure.chart_view import ChartView, locate
from bench.measure.dynamic_range import LitSteps, dynamic_range
from bench.measure.grey_levels import grey_levels
from bench.measure.noise import Coding, grey_steps, snr
from bench.validate.measurers import Row
from bench.validate.summary import summarise, table
from fixtures.charts import CHARTS
from fixtures.world import World
from standards.errors import MeasurementRefused
from standards.quantity import Estimate

DENSITY_U, LUX_U = 0.005, 0.01
LEVELS_LX = (1500.0, 500.0, 150.0, 50.0)
_STEPS = [0.05 + 0.1 * i for i in range(24)]


def _camera(draw: np.random.Generator) -> GreyCamera:
    """A camera as the seed draws it; noise in codes at 18 %, from good light to poor."""
    return GreyCamera(
        picture={
            "noise_sd": float(math.exp(draw.uniform(math.log(0.7), math.log(4.0)))), "seed": int(draw.integers(1 << 30)),
            "blur_sigma_px": float(draw.uniform(0.5, 1.0)), "tone": str(draw.choice(["bt709", "gamma22"])),
        },
        sensor={"prnu": float(draw.uniform(0, 0.01)), "read_noise_e": float(draw.uniform(2, 20))},
        isp={"denoise_share": float(draw.choice([0.0, draw.uniform(0.1, 0.6)]))},
        lens={"vignetting": float(draw.uniform(0, 0.2)), "k1": float(draw.uniform(-0.1, 0.02))},
        scene={"fill": 0.92, "yaw_deg": float(draw.uniform(-3, 3)), "rotation_deg": float(draw.uniform(-1, 1))},
    )  # fmt: skip


def _certified(view: ChartView, draw: np.random.Generator) -> ChartView:
    """The chart as a certificate tells of it whose densities err as it states."""
    greys = tuple(
        replace(g, reflectance=(g.reflectance or 1.0) * 10 ** (-DENSITY_U * float(draw.standard_normal())))
        for g in view.chart.greys
    )
    return replace(view, chart=replace(view.chart, greys=greys))


def _pictures(camera: GreyCamera, lux: float, runs: int, each: int) -> tuple[list[np.ndarray], list[int]]:
    camera.world = World({"illuminance_lx": lux})
    for _ in range(4):
        camera.luma()  # what denoising remembers of another light is gone
    found, run = [], []
    for number in range(runs):
        found += [camera.luma() for _ in range(each)]
        run += [number] * each
        if number + 1 < runs:
            for _ in range(5):
                camera.luma()
    return found, run


def true_range(camera: GreyCamera) -> float:
    """dB: light that fills the scale over light whose temporal noise equals it."""
    full = -math.log10(camera.sees(1.0))
    floor = float(brentq(lambda exponent: camera.snr_db(10**exponent)[1], full - 6, full))
    return 20 * (full - floor)


def true_levels(camera: GreyCamera) -> int:
    """Steps of the chart that differ by one code and by the larger one's total noise."""
    white, tone = camera.sees(1.0), camera.file.picture.tone

    def code(density: float) -> float:
        light = min(white * 10**-density, 1.0)
        if tone == "gamma22":
            return float(16 + 219 * light ** (1 / 2.2))
        return float(16 + 219 * (4.5 * light if light < 0.018 else 1.099 * light**0.45 - 0.099))

    def sd(density: float) -> float:
        if white * 10**-density >= 1:
            return 0.0
        slope = (code(density - 1e-4) - code(density + 1e-4)) / (2e-4 * math.log(10))
        return slope / 10 ** (camera.snr_db(10**-density)[0] / 20)

    return 1 + sum(code(a) - code(b) >= max(1.0, sd(a), sd(b)) for a, b in pairwise(_STEPS))


def _row(seed: int, found: Estimate, truth: float, ms: float) -> Row:
    half = found.expanded_uncertainty
    if found.interval is not None and found.value is not None:
        # A count: how far its interval reaches on the side where truth lies, half a level at least.
        side = found.interval[0] if truth < found.value else found.interval[1]
        half = max(abs(side - found.value), 0.5)
    return Row(found.quantity, "grey", seed, found.value, half, truth, "", ms)


def measured(seed: int) -> Iterator[Row]:
    """The three quantities of one camera; a bound, where truth lies on the right side of it, gives no row."""
    draw = np.random.default_rng([230, seed])
    camera = _camera(draw)
    shown, run = _pictures(camera, 500.0, 4, 6)
    try:
        view = _certified(locate(shown[0], CHARTS["grey"]), draw)
    except MeasurementRefused as refused:
        for quantity in ("picture.snr", "picture.grey_levels", "picture.dynamic_range"):
            yield Row(quantity, "grey", seed, refused=str(refused))
        return
    yield from _tone(seed, camera, view, shown, run)
    truth = true_range(camera)
    series, ms = [], 0.0
    for lux in LEVELS_LX:
        lit, of = _pictures(camera, lux, 2, 5)
        began = time.process_time()
        told = lux * (1 + LUX_U * float(draw.standard_normal()))
        series.append(LitSteps(told, LUX_U, grey_steps(lit, of, view, density_u=DENSITY_U)))
        ms += 1000 * (time.process_time() - began)
    found = dynamic_range(series, stream="uncompressed", density_u=DENSITY_U)
    if found.bound is not None:
        assert isinstance(found.value, float)
        assert found.value <= truth + 1.0, f"seed {seed}: bound {found.value} dB over {truth} dB"
        return
    yield _row(seed, found, truth, ms)


def _tone(
    seed: int, camera: GreyCamera, view: ChartView, shown: Sequence[Any], run: Sequence[int]
) -> Iterator[Row]:
    began = time.process_time()
    steps = grey_steps(shown, run, view, density_u=DENSITY_U)
    noise = snr(steps, Coding("raw"), density_u=DENSITY_U)
    ms = 1000 * (time.process_time() - began)
    if noise.bound is None:
        yield _row(seed, noise, camera.snr_db(0.18)[0], ms)
    yield _row(seed, grey_levels(steps, stream="uncompressed"), true_levels(camera), ms)


def _of_seed(seed: int) -> tuple[int, list[dict[str, Any]]]:
    return seed, [asdict(row) for row in measured(seed)]


def _counts(rows: Sequence[Row]) -> tuple[str, bool]:
    """What is said of the counts, and whether truth lies in enough of their intervals. They have no spread to be held
    against: most are exact."""
    exact = sum(row.value == row.truth for row in rows)
    within = sum(abs((row.value or 0) - (row.truth or 0)) <= (row.u95 or 0) for row in rows)
    least = math.ceil(len(rows) * 181 / 200)
    told = f"picture.grey_levels: {len(rows)} counts, {exact} exact, {within} within the interval (at least {least})"
    return told, within >= least


def main() -> int:
    """Run what is missing, print the table, keep rows.json; 0 if every goal holds."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cameras", type=int, default=200)
    parser.add_argument("--from", dest="first", type=int, default=0)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--out", type=Path, default=Path("out/validate/tone"))
    told = parser.parse_args()
    told.out.mkdir(parents=True, exist_ok=True)
    kept = told.out / "cameras.json"
    rows: dict[str, list[dict[str, Any]]] = json.loads(kept.read_text()) if kept.exists() else {}
    seeds = range(told.first, told.first + told.cameras)
    with multiprocessing.Pool(told.jobs) as pool:
        for seed, found in pool.imap_unordered(_of_seed, [s for s in seeds if str(s) not in rows]):
            rows[str(seed)] = found
            fresh = kept.with_suffix(".new")
            fresh.write_text(json.dumps(rows))
            fresh.replace(kept)
            print(f"\r{len(rows)} of {told.cameras}", end="", file=sys.stderr, flush=True)
    every = [Row(**row) for seed in seeds for row in rows[str(seed)]]
    counts = [row for row in every if row.quantity == "picture.grey_levels" and row.value is not None]
    others = [row for row in every if row.quantity != "picture.grey_levels"]
    (told.out / "rows.json").write_text(json.dumps({"grey": [asdict(row) for row in others]}))
    (told.out / "counts").mkdir(exist_ok=True)
    (told.out / "counts/rows.json").write_text(json.dumps({"grey": [asdict(row) for row in counts]}))
    found_of = summarise(others)
    Console(width=140).print(table(found_of))
    said, enough = _counts(counts)
    print(said)
    return 0 if enough and all(summary.met for summary in found_of) else 1


if __name__ == "__main__":
    sys.exit(main())
