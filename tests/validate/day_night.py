"""Day and night against truth: drawn cameras without wire, and one through light box, lux meter, H.264 and RTSP.

    python tests/validate/day_night.py [--cameras 40] [--seed 9] [--sketched 200] [--wire] [--out FILE] [--plot FILE]

Prints the tables of docs/methods/day_night.md. A camera is a whole survey with pictures (3 s of processor time), a sketched
one the same without drawing any. --wire also measures the maximum illumination; it takes some eight minutes.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1] / "support"))
from dark_room import dark_room
from dusk import Dusk, Pictured, Sketched, drawn_camera, truth_of
from virtual_world import bench, camera_file, findings, running, scheme_file

from bench.measure.day_night_survey import survey
from fixtures.charts import CHARTS
from standards.errors import MeasurementRefused
from standards.quantity import Estimate

_KEYS = ("to_night_illuminance", "to_day_illuminance", "day_night_hysteresis", "to_night_time", "to_day_time")
#: U = 2 % of the reading at each.
_AT = (0.01, 0.1, 1, 4, 7, 15, 22, 100, 8000, 25000)
_POINTS = [[float(lux), 0.0, 0.02 * lux, 2] for lux in _AT]
_LONGEST_S = 6.0  # until a drawn camera switches
_CLAUSE = """
[[standard.clause]]
row = "D-{0}"
title_zh = "{0}"
title_en = "{0}"
requirement_zh = "合同约定"
requirement_en = "as agreed"
quantity = "picture.{0}"
unit = "{1}"
upper = 100000
bindingness = "contract"
evidence = "seen-P"
source = "contract 17"
"""
_OVERLAY = """
[overlay]
name = "night"
who = "L"
text = "contract 17"
on = 2026-03-02

[[standard]]
name = "contract 17"
title_zh = "合同17"
"""


def rows(count: int, seed: int, *, pictures: bool) -> Iterator[dict[str, Any]]:
    """One line a quantity of each camera, or why it was refused."""
    for number in range(count):
        table, around = drawn_camera([seed, number, pictures], longest_s=_LONGEST_S)
        looks = (
            Pictured(table, (192, 108), picture={"noise_sd": 1.0 + number % 3, "seed": number})
            if pictures
            else Sketched(np.random.default_rng(number))
        )
        try:
            found = survey(Dusk(looks, table, **around), 100.0, patience_s=10.0)
        except MeasurementRefused as refused:
            yield {"number": number, "refused": str(refused)}
            continue
        for one in found:
            key = one.quantity.removeprefix("picture.")
            assert one.expanded_uncertainty is not None
            yield {
                "number": number, "quantity": key, "value": float(one.value), "U": one.expanded_uncertainty,
                "true": truth_of(table)[one.quantity], "budget": {c.name: c.u for c in one.budget},
            }  # fmt: skip


def summary(found: list[dict[str, Any]], cameras: int) -> None:
    """Print the table."""
    refused = [row for row in found if "refused" in row]
    print(f"{cameras} cameras, {len(refused)} refused: {sorted({row['refused'] for row in refused})}")
    for key in _KEYS:
        mine = [row for row in found if row.get("quantity") == key]
        error = np.array([row["value"] - row["true"] for row in mine])
        u, true = np.array([row["U"] for row in mine]), np.array([row["true"] for row in mine])
        if not key.endswith("time"):
            error, u = error / true, u / true
        large = float(np.median(u) / np.quantile(np.abs(error), 0.95))
        print(
            f"{key}: bias {error.mean():+.4f}, sd {error.std(ddof=1):.4f}, U median {np.median(u):.4f}, within U "
            f"{np.count_nonzero(np.abs(error) <= u)}/{len(mine)}, U over p95 {large:.2f}"
        )
        names = {name for row in mine for name in row["budget"]}
        print(
            "   u:",
            {
                name: round(float(np.median([row["budget"][name] for row in mine])), 4)
                for name in sorted(names)
            },
        )


def plot(found: list[dict[str, Any]], file: Path) -> None:
    """Errors with their U of every quantity, by rising truth; shares of the truth, seconds for times."""
    import matplotlib as mpl

    mpl.use("Agg")
    from matplotlib import pyplot as plt

    figure, axes = plt.subplots(1, len(_KEYS), figsize=(15, 3), constrained_layout=True)
    for axis, key in zip(axes, _KEYS, strict=True):
        mine = [row for row in found if row.get("quantity") == key]
        true, value, u = (np.array([row[name] for row in mine]) for name in ("true", "value", "U"))
        by = np.ones_like(true) if key.endswith("time") else true / 100
        axis.errorbar(
            true, (value - true) / by, yerr=u / by, fmt=".", markersize=3, linewidth=0.5, color="#1f5f8b"
        )
        axis.axhline(0, color="black", linewidth=0.6)
        axis.set(title=key, xlabel="truth", ylabel="error, s" if key.endswith("time") else "error, %")
        if key.endswith("ance"):
            axis.set(xscale="log")
    figure.savefig(file, dpi=80)


def wire(folder: Path, keys: tuple[str, ...], changes: dict[str, Any]) -> dict[str, Any]:
    """A whole run on a camera of drawn thresholds: its findings, and the camera's truth log."""
    instruments = {
        "light_box": {"kind": "light_box", "transport": "socket", "errors": {"gain": 0.03, "settle_s": 0.1}},
        "lux_meter": {"kind": "lux_meter", "transport": "socket", "errors": {"gain": 0.004}},
    }
    stream = {"width": 640, "height": 360, "fps": 12.5, "gop": 5, "bitrate_kbit": 3000}
    file = camera_file(folder / "camera.toml", {"stream": stream, "instruments": instruments, **changes})
    units = {"time": "s", "ance": "lx", "tion": "lx", "esis": "1"}
    clauses = "".join(_CLAUSE.format(key, units[key[-4:]]) for key in keys)
    (folder / "overlay.toml").write_text(_OVERLAY + clauses, encoding="utf-8")
    (folder / "station.toml").write_text(dark_room(_POINTS, start_lx=100.0), encoding="utf-8")
    (folder / "declaration.toml").write_text("[dates]\ndesign = 2025-06-01\n")
    rows_of = [{"match": "CAM-09.brightness_identification"}]  # an overlay's own clauses are in every scheme
    capture = {"seconds": 2.0, "flashes": 0}
    scheme_file(folder / "scheme.toml", {"capture": capture, "gate": ["contract"], "rows": rows_of})
    options: list[str] = []
    for name in ("scheme", "station", "overlay", "declaration"):
        options += [f"--{name}", str(folder / f"{name}.toml")]
    with running(file, folder / "truth.jsonl") as one:
        addresses = {role.upper(): address for role, address in one.instruments.items()}
        environment = {**one.environment, **addresses, "BENCH_LEASES": os.fspath(folder / "leases")}
        arguments = ("run", "--camera", one.onvif, *options, "--out", str(folder / "record"))
        done = bench(*arguments, env=environment, timeout=1500)
        print(done.stdout, done.stderr)
        log = one.truth()
    return {"found": findings(folder / "record"), "log": log}


def through_the_wire(folder: Path) -> None:
    """Both procedures on one camera each; prints value, U and truth."""
    (folder / "night").mkdir()
    (folder / "bright").mkdir()
    table, _ = drawn_camera([17], longest_s=_LONGEST_S)
    exposure = {"mode": "auto", "min_ms": 1.0, "max_gain_db": 30.0, "tau_s": 0.2}
    night = {**table.model_dump(), "ir_cut": "auto"}
    light = {"initial": {"illuminance_lx": 100.0}}
    changes = {"scene": {"chart": "colour"}, "day_night": night, "exposure": exposure, "world": light}
    done = wire(folder / "night", _KEYS, changes)
    for quantity, true in truth_of(table).items():
        _told(done["found"], quantity.removeprefix("picture."), true)
    _seen(done["log"])
    done = wire(folder / "bright", ("maximum_illumination",), {"exposure": exposure, "world": light})
    greys = sorted((grey.reflectance or 0.0 for grey in CHARTS["camcert-1"].greys), reverse=True)
    level = ((1 - 1 / 219 + 0.099) / 1.099) ** (1 / 0.45)
    _told(done["found"], "maximum_illumination", 500.0 * 10.0 / 1.0 / greys[1] * level)


def _told(found: dict[str, dict[str, Any]], key: str, true: float) -> None:
    if f"picture.{key}" not in found:
        print(f"{key}: not measured; true {true:.5g}")
        return
    one = Estimate.model_validate(found[f"picture.{key}"])
    print(f"{key}: {float(one.value):.5g} +- {one.expanded_uncertainty:.3g}, true {true:.5g}")


def _seen(log: list[dict[str, Any]]) -> None:
    """Print what the log says: thresholds, seconds from the box's last command to the change, delay of the pictures."""
    turns = [row for row in log if row["kind"] == "day_night"]
    dark = [row["illuminance_lx"] for row in turns if row["night"]]
    light = [row["illuminance_lx"] for row in turns if not row["night"]]
    print(
        f"{len(turns)} changes: brightest night {max(dark, default=0):.4g} lx, darkest day {min(light, default=0):.4g} lx"
    )
    box = [row["at_ns"] for row in log if row["kind"] == "world" and row["quantity"] == "illuminance_lx"]
    for turn in turns[-4:]:
        last = max((at for at in box if at <= turn["at_ns"]), default=turn["at_ns"])
        print(
            f"  to {'night' if turn['night'] else 'day'} {(turn['at_ns'] - last) / 1e9:.3f} s after the box was set"
        )
    late = [
        (row["sent_ns"] - row["mid_exposure_ns"]) / 1e9
        for row in log
        if row["kind"] == "frame" and row.get("sent_ns")
    ]
    lost = sum(1 for row in log if row["kind"] == "frame" and "overrun" in row["faults"])
    print(
        f"  pictures {np.median(late):.2f} s late, 95 % {np.quantile(late, 0.95):.2f} s; {lost} lost, the machine being busy"
    )


def main() -> None:
    """Run, print, keep."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--cameras", type=int, default=40)
    parser.add_argument("--sketched", type=int, default=200)
    parser.add_argument("--seed", type=int, default=9)
    parser.add_argument("--wire", action="store_true")
    parser.add_argument("--out", type=Path)
    parser.add_argument("--plot", type=Path)
    told = parser.parse_args()
    kept = {}
    for name, count in (("pictures", told.cameras), ("sketched", told.sketched)):
        if count:
            kept[name] = list(rows(count, told.seed, pictures=name == "pictures"))
            print(name)
            summary(kept[name], count)
    if told.out is not None:
        told.out.write_text(json.dumps(kept, indent=1), encoding="utf-8")
    if told.plot is not None:
        plot([row for part in kept.values() for row in part], told.plot)
    if told.wire:
        with tempfile.TemporaryDirectory() as folder:
            through_the_wire(Path(folder))


if __name__ == "__main__":
    main()
