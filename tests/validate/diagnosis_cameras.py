"""Cameras of fixtures/cameras through the diagnosis: real captures over the network, which kinds are told of each.

`python tests/validate/diagnosis_cameras.py` prints the table; each fault has to be found by its kind, and the reference
camera by none. The reference picture of the view is the reference camera's.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from bench.camera.receiver import capture
from bench.camera.stills import colour_pictures, stack
from bench.measure.chart_view import locate
from bench.measure.diagnosis import bands, detail, grain, hidden, levels, view
from bench.measure.diagnosis import time as motion
from bench.measure.diagnosis.reference import Reference
from fixtures.charts import CHARTS
from standards.errors import MeasurementRefused
from standards.quantity import Estimate
from standards.thresholds.diagnosis import faults, thresholds

ROOT = Path(__file__).resolve().parents[2]
#: Camera, the kinds that have to be told of it, and how long it is looked at, seconds.
CAMERAS = {
    "reference": (set(), 9.0),
    "reference-laboratory": (set(), 9.0),
    "black": ({"black"}, 5.0),
    "blurred": (set(), 5.0),  # a soft lens, 0.06 % of the width: resolution's affair
    "colour_cast": ({"cast"}, 5.0),
    "frozen": ({"freeze"}, 17.0),
    "moved_view": ({"view"}, 9.0),
    "noisy": ({"noise"}, 5.0),
    "occluded": ({"occlusion"}, 5.0),
    "overexposed": ({"overexposure"}, 5.0),
    "shaking": ({"shake"}, 5.0),
    "stripes": ({"stripes"}, 5.0),
    "underexposed": ({"underexposure"}, 5.0),
}  # fmt: skip
Looked = dict[str, Any]


def _captured(name: str, seconds: float) -> Looked:
    """The stack and the colour pictures of one camera."""
    path = ROOT / "fixtures" / "cameras" / f"{name}.toml"
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "fixtures.simulated", str(path), "--truth", f"{folder}/truth.jsonl"]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT) as process:
            assert process.stdout is not None
            try:
                told = json.loads(process.stdout.readline())
                url = told["rtsp"].split("@")[-1].removeprefix("rtsp://")
                device = tomllib.loads((ROOT / "fixtures/cameras/reference.toml").read_text())["device"]
                taken = capture(
                    f"rtsp://{url}", user=device["user"], password=device["password"], seconds=seconds
                )
            finally:
                process.terminate()
    every = stack(taken)
    return {"pictures": every.pictures, "run": every.run, "colour": colour_pictures(taken)}


def _still(pictures: Any, run: Any, one: int) -> Estimate:
    return motion.standstill(pictures[run == one], run[run == one])


def _frozen(pictures: Any, run: Any, one: int) -> Estimate:
    """By the counter on the chart, of one run."""
    shown = pictures[run == one]
    reader = locate(shown[0], CHARTS["camcert-1"]).reader()
    return motion.frozen(np.array([reader(p).counter for p in shown]), run[run == one])


def _longest(way: Callable[[Any, Any, int], Estimate], pictures: Any, run: Any) -> Estimate:
    """The largest value of any run: a picture may freeze for a while."""
    return max((way(pictures, run, one) for one in set(run.tolist())), key=lambda e: float(e.value))


def values(seen: Looked, reference: Reference) -> dict[str, float]:
    """Every quantity that can be told of these pictures; the view is the last run's."""
    pictures, run = seen["pictures"], seen["run"]
    last = run == run[-1]
    ways = (
        lambda: levels.levels(pictures[::6]),
        lambda: (detail.blur(pictures, reference.blur),),
        lambda: (grain.noise(pictures, run, reference.noise),),
        lambda: (bands.stripes(pictures),),
        lambda: (_longest(_still, pictures, run),),
        lambda: (_longest(_frozen, pictures, run),),
        lambda: (motion.shake(pictures, run),),
        lambda: (view.agreement(pictures[last], run[last], reference),),
        lambda: (hidden.occlusion(pictures[last], run[last], reference),),
        lambda: (levels.clipped(seen["colour"]),),
        lambda: (view.cast(seen["colour"][-1], reference),),
    )  # fmt: skip
    found: dict[str, float] = {}
    for way in ways:
        try:
            found |= {e.quantity: float(e.value) for e in way()}
        except MeasurementRefused as refused:
            print(f"    not told: {refused}", file=sys.stderr)
    return found


def main() -> int:
    """Print the table; 0 if each camera's fault is told and the reference cameras have none."""
    first = _captured("reference", 5.0)
    reference = Reference.taken(first["pictures"], first["run"], first["colour"][0])
    print(
        "camera                told                          " + " ".join(f"{k[:6]:>7}" for k in thresholds())
    )
    good = True
    for name, (wanted, seconds) in CAMERAS.items():
        found = values(_captured(name, seconds), reference)
        kinds = {kind for kind, told in faults(found).items() if told}
        right = wanted <= kinds and not (name.startswith("reference") and kinds)
        good &= right
        shown = " ".join(f"{found.get(limit.quantity, float('nan')):7.2f}" for limit in thresholds().values())
        print(
            f"{name:21} {', '.join(sorted(kinds)) or '-':29} {shown}{'' if right else '   WRONG'}", flush=True
        )
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
