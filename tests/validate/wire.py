"""The long proof through the wire: virtual cameras of known truth, whole bench runs, and what came out.

Each case is a run of ``bench run`` as a person starts it, on a camera whose truth is read afterwards.
Cases have fixed seeds; a case that is in the output file already is not run again.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))
from virtual_world import STATION, bench, camera_file, findings, running, scheme_file

Truth = list[dict[str, Any]]
Row = dict[str, Any]


@dataclass(frozen=True)
class Case:
    """One run: camera changes, length, flashes, and what to hold against truth."""

    name: str
    camera: dict[str, Any]
    seconds: float
    flashes: int
    check: Callable[[dict[str, dict[str, Any]], Truth], list[Row]]


def _row(quantity: str, value: float, truth: float, u95: float | None, limit: float) -> Row:
    """One line of the table: error against truth, whether U covers it, whether the goal is met."""
    error = value - truth
    return {
        "quantity": quantity,
        "value": value,
        "truth": truth,
        "error": error,
        "U": u95,
        "covered": None if u95 is None else abs(error) <= u95,
        "goal": limit,
        "met": abs(error) <= limit,
    }


def expanded(estimate: dict[str, Any]) -> float:
    """U of a journalled estimate, 95 %."""
    from standards.quantity import Estimate

    u95 = Estimate.model_validate(estimate).expanded_uncertainty
    return float(u95 if u95 is not None else "nan")


SMALL = {"width": 640, "height": 360, "bitrate_kbit": 2500}
#: Silences of the stream, (start, length), seconds after the camera began.
GAPS = ((12.0, 1.5), (20.0, 3.0), (28.0, 2.2))


def frame_rate_check(fps: float) -> Callable[[dict[str, dict[str, Any]], Truth], list[Row]]:
    """Time base, arrival and unique rate within ±0.01 1/s of the camera's true rate."""

    def check(found: dict[str, dict[str, Any]], truth: Truth) -> list[Row]:
        mids = np.array([f["mid_exposure_ns"] for f in truth if f["kind"] == "frame"], dtype=float)
        index = np.array([f["index"] for f in truth if f["kind"] == "frame"], dtype=float)
        true_rate = 1e9 / np.polyfit(index, mids - mids[0], 1)[0]
        sizes = (("picture.width", SMALL["width"]), ("picture.height", SMALL["height"]))
        return [
            *(_row(q, found[q]["value"], float(size), None, 0.0) for q, size in sizes),
            *(
                _row(q, found[q]["value"], rate, expanded(found[q]), 0.01)
                for q, rate in (
                    ("frame_rate.time_base", fps),
                    ("frame_rate.arrival", float(true_rate)),
                    ("frame_rate.live", float(true_rate)),
                )
            ),
        ]

    return check


def named_check(kind: str, flag: str) -> Callable[[dict[str, dict[str, Any]], Truth], list[Row]]:
    """Every dropped or repeated picture named by its time, none invented."""

    def check(found: dict[str, dict[str, Any]], truth: Truth) -> list[Row]:
        details = found["stream.completeness"]["details"]
        named = sorted(entry["capture_ticks"] for entry in details[kind])
        frames = [f for f in truth if f["kind"] == "frame"]
        first, last = details["first_ticks"], details["last_ticks"]
        true = sorted(f["timestamp"] for f in frames if f[flag] and _inside(f["timestamp"], first, last))
        named32 = sorted(t % 2**32 for t in named)
        wrong = len(set(named32) ^ set(true))
        return [_row(f"{kind} named wrongly or not at all (of {len(true)})", float(wrong), 0.0, None, 0.0)]

    return check


def gap_check(found: dict[str, dict[str, Any]], truth: Truth) -> list[Row]:
    """Every silence that was made is counted as an interruption, and nothing else is."""
    return [_row("stream.interruptions", found["stream.interruptions"]["value"], float(len(GAPS)), None, 0.0)]


def _inside(timestamp: int, first: int, last: int) -> bool:
    return 0 < (timestamp - first) % 2**32 < (last - first) % 2**32


def latency_check(found: dict[str, dict[str, Any]], truth: Truth) -> list[Row]:
    """Latency of the chain (arrival) within ±3 ms of truth, U at most 5 ms."""
    estimate = found["latency.camera"]
    chain = estimate["details"]["chain_s"]
    u95 = estimate["details"]["chain_expanded_uncertainty_s"]
    window = estimate["details"]["window_ns"]
    delays = [
        (f["sent_ns"] - f["mid_exposure_ns"]) / 1e9
        for f in truth
        if f["kind"] == "frame" and f.get("sent_ns") and window[0] <= f["sent_ns"] <= window[1]
    ]
    row = _row("latency", chain, float(np.mean(delays)), u95, 0.003)
    return [row, _row("latency U", u95, 0.0, None, 0.005)]


def mtf_check(found: dict[str, dict[str, Any]], truth: Truth) -> list[Row]:
    """MTF50 of every region (mean of its four edges) within ±2 % of the closed form, through RTSP and H.264."""
    true = next(t for t in truth if t["kind"] == "start")["edges"]
    measured = found["resolution.centre"]["details"]["edges"]
    rows = []
    for region in sorted({name.rsplit(".", 1)[0] for name in true}):
        ratios = [measured[n]["mtf50"] / true[n]["mtf50"] for n in measured if n.startswith(region + ".")]
        rows.append(_row("MTF50 measured / true, through H.264", float(np.mean(ratios)), 1.0, None, 0.02))
    return rows


def cases(seed: int) -> list[Case]:
    """Every case of the proof, in the order of the issue that asked for them."""
    rng = random.Random(seed)
    small = {"stream": SMALL}
    out: list[Case] = []
    for text, fps in (("25.0", 25.0), ("12.5", 12.5), ("30000/1001", 30000 / 1001)):
        value: Any = text if "/" in text else fps
        camera = {"stream": {**small["stream"], "fps": value, "clock_ppm": rng.uniform(-100, 100)}}
        out.append(Case(f"frame-rate-{fps:.2f}", camera, 60.0, 0, frame_rate_check(fps)))
    for kind, name, flag in (("drop", "missing", "dropped"), ("repeat", "repeated", "repeat")):
        camera = {**small, "fault": [{"kind": kind, "every": 60}]}
        out.append(Case(f"{kind}-1-in-60", camera, 60.0, 0, named_check(name, flag)))
    gaps = [{"kind": "gap", "at_s": at, "seconds": seconds} for at, seconds in GAPS]
    out.append(Case("gaps", {**small, "fault": gaps}, 40.0, 0, gap_check))
    for sigma in (0.6, 0.8, 1.1):
        camera = {"stream": {"bitrate_kbit": 8000}, "picture": {"blur_sigma_px": sigma}}
        out.append(Case(f"mtf50-{sigma}", camera, 20.0, 0, mtf_check))
    for index in range(40):
        injected = (120.0, 400.0, 2500.0)[index % 3]
        camera = {
            **small,
            "pipeline": {"latency_ms": injected, "latency_jitter_ms": 2.0},
            "picture": {"exposure_ms": rng.choice([5.0, 10.0, 20.0])},
        }
        out.append(Case(f"latency-{injected:.0f}-{index:02d}", camera, 25.0, 28, latency_check))
    return out


def run_case(case: Case, folder: Path) -> list[Row]:
    """Camera up, bench run, camera down; the rows of the case."""
    folder.mkdir(parents=True)
    file = camera_file(folder / "camera.toml", case.camera)
    scheme = scheme_file(
        folder / "scheme.toml", {"capture": {"seconds": case.seconds, "flashes": case.flashes}}
    )
    record = folder / "record"
    with running(file, folder / "truth.jsonl") as camera:
        done = bench(
            *("run", "--scheme", str(scheme), "--camera", camera.onvif, "--station", str(STATION)),
            *("--out", str(record)),
            env=camera.environment,
        )
        if not (record / "results.json").exists():
            raise RuntimeError(f"{case.name}: bench run ended with {done.returncode}: {done.stderr[-1500:]}")
        return case.check(findings(record), camera.truth())


def main(seed: int, out: Path, only: str = "") -> int:
    """Run what is not in `out` yet. Returns 0 if every goal is met and coverage holds."""
    out.mkdir(parents=True, exist_ok=True)
    file = out / "wire.json"
    done: dict[str, list[Row]] = json.loads(file.read_text()) if file.exists() else {}
    wanted = [case for case in cases(seed) if only in case.name]
    for case in wanted:
        if case.name in done:
            continue
        with tempfile.TemporaryDirectory() as folder:
            done[case.name] = run_case(case, Path(folder) / "case")
        partial = file.with_suffix(".tmp")
        partial.write_text(json.dumps(done, indent=1))
        partial.replace(file)
        for row in done[case.name]:
            error = f"error {row['error']:+.6f}  U {row['U']}  met {row['met']}"
            print(f"{case.name:22} {row['quantity']:36} {error}", flush=True)
    return _summary({case.name: done[case.name] for case in wanted if case.name in done})


def _summary(done: dict[str, list[Row]]) -> int:
    """Bias, claimed U and coverage a quantity; 0 if all goals are met and at least 90 % are covered."""
    rows = [row for case in done.values() for row in case]
    good = all(row["met"] for row in rows)
    print(f"\n{'quantity':44} {'n':>3} {'bias':>11} {'sd':>11} {'claimed U':>11} {'covered':>9} met")
    for quantity in dict.fromkeys(row["quantity"] for row in rows):
        of = [row for row in rows if row["quantity"] == quantity]
        errors = np.array([row["error"] for row in of])
        claims = [row["U"] for row in of if row["U"] is not None]
        covered = [row["covered"] for row in of if row["covered"] is not None]
        share = f"{sum(covered)}/{len(covered)}" if covered else "-"
        good = good and (not covered or sum(covered) >= 0.9 * len(covered))
        claim = f"{np.mean(claims):11.6f}" if claims else f"{'-':>11}"
        met = f"{sum(row['met'] for row in of)}/{len(of)}"
        print(
            f"{quantity:44} {len(of):3} {errors.mean():+11.6f} {errors.std():11.6f} {claim} {share:>9} {met}"
        )
    return 0 if good else 1


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, default=20261124)
    parser.add_argument("--out", type=Path, default=Path("out/validate"))
    parser.add_argument("--only", default="", help="only cases whose name holds this")
    options = parser.parse_args()
    sys.exit(main(options.seed, options.out, options.only))
