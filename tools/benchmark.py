"""``make benchmark``: how long the bench's inner work takes here. Figures for people; no test asserts them."""

from __future__ import annotations

import argparse
import itertools
import json
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bench.measure.chart_view import locate
from bench.measure.edge import edge_sfr
from fixtures.charts import CHARTS
from fixtures.simulated.config import CameraFile
from fixtures.simulated.picture import Imager, Moment
from fixtures.world import World
from reports.journal import Journal
from reports.record import EventKind
from tools.edge_benchmark import edge_figures
from tools.farm_benchmark import farm_figures, told
from tools.measure_camera import camera_cost, cost_told


def timed(work: Callable[[], object], runs: int) -> dict[str, float]:
    """Milliseconds a call: least, median, most."""
    work()
    took = []
    for _ in range(runs):
        start = time.perf_counter()
        work()
        took.append((time.perf_counter() - start) * 1e3)
    return {"min_ms": min(took), "median_ms": statistics.median(took), "max_ms": max(took)}


def imager_1080p() -> Imager:
    """The picture half of a 1080p camera."""
    file = CameraFile.model_validate({"stream": {"width": 1920, "height": 1080}})
    return Imager(file, width=1920, height=1080)


def main() -> None:
    """Time the work, print a table and write benchmark.json."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=Path("out/benchmark"))
    options = parser.parse_args()
    imager, world = imager_1080p(), World()
    count = itertools.count(1)

    def render(lux: float = 500.0) -> NDArray[np.uint8]:
        world.set("illuminance_lx", lux, at_ns=next(count) * 40_000_000 - 20_000_000)
        index = next(count)
        return imager.frame(Moment(index, index * 40_000_000, world, counter=4 * index)).luma

    picture = render()
    view = locate(picture, CHARTS["camcert-1"])
    read = view.reader()
    x0, y0 = (round(v) for v in imager.truth["edges"]["edge.centre.right"]["corners"][0])
    roi = (picture[y0 : y0 + 128, x0 : x0 + 96].astype("float32") - 16) / 219
    with tempfile.TemporaryDirectory() as folder, Journal.create(Path(folder) / "journal.jsonl") as journal:
        table = {
            "render a 1080p picture, steady light": timed(render, 100),
            "render a 1080p picture, light changes": timed(lambda: render(300.0 + next(count) % 200), 30),
            "locate the chart, 1080p": timed(lambda: locate(picture, CHARTS["camcert-1"]), 10),
            "read counter and lamp, 1080p": timed(lambda: read(picture), 200),
            "edge response, 128 x 96 pixels": timed(lambda: edge_sfr(roi), 30),
            "journal one event, fsynced": timed(lambda: journal.append(EventKind.NOTE, {"text": "x"}), 100),
        }
    for name, row in table.items():
        print(f"{name:38} " + "  ".join(f"{key[:-3]} {value:8.2f} ms" for key, value in row.items()))
    edges = edge_figures()
    for name, row in edges.items():
        print(f"{name:38} " + "  ".join(f"{key} {value:8.2f}" for key, value in row.items()))
    farm = {f"farm of 256 streams, {way}": farm_figures(way) for way in ("udp", "tcp")}
    for name, figures in farm.items():
        print(f"{name:38} {told(figures)}")
    cameras = {f"camera {name}": camera_cost(name, 10.0) for name in ("reference", "reference-4k")}
    for name, cost in cameras.items():
        print(f"{name:38} {cost_told(cost)}")
    options.out.mkdir(parents=True, exist_ok=True)
    (options.out / "benchmark.json").write_text(json.dumps({**table, **edges, **farm, **cameras}, indent=1))


if __name__ == "__main__":
    main()
