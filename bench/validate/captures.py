"""Captures of the proof: one virtual camera up, a short capture over RTSP, camera down; kept with its truth.

A capture's folder holds camera.toml, the capture's evidence files and truth.json (the camera's `start` record and the
records of the pictures sent). A folder is there whole or not at all, so that a proof that was killed goes on.
"""

from __future__ import annotations

import json
import shutil
import tempfile
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.camera import receiver, store
from bench.camera.capture import Capture
from bench.demo import simulated
from bench.validate.conditions import CHARTS, PASSWORD, camera_tables, toml_text
from standards.errors import BenchError

__all__ = ["Proof", "load", "take"]

TRUTH, CAMERA = "truth.json", "camera.toml"


@dataclass(frozen=True)
class Proof:
    """One capture and what is true of it. camera: tables of the camera file; start: the truth of its picture."""

    chart: str
    seed: int
    capture: Capture
    camera: dict[str, Any]
    start: dict[str, Any]
    frames: list[dict[str, Any]]


def folder_of(out: Path, chart: str, seed: int) -> Path:
    """Where the capture of a chart and seed is kept."""
    return out / "captures" / chart / f"{seed:04d}"


def take(out: Path, chart: str, seed: int) -> Path:
    """Make a capture, unless it is there. Returns its folder; raises BenchError if the camera does not come up."""
    folder = folder_of(out, chart, seed)
    if (folder / TRUTH).exists():
        return folder
    folder.parent.mkdir(parents=True, exist_ok=True)
    fresh = Path(tempfile.mkdtemp(prefix=f".{seed}-", dir=folder.parent))
    tables = camera_tables(chart, seed)
    try:
        (fresh / CAMERA).write_text(toml_text(tables))
        log = fresh / "truth.jsonl"
        with simulated(fresh / CAMERA, truth=log) as addresses:
            capture = receiver.capture(
                addresses["rtsp"], user="admin", password=PASSWORD, seconds=CHARTS[chart], transport="tcp"
            )
        records = [json.loads(line) for line in log.read_text().splitlines() if line.endswith("}")]
        log.unlink()
        start = next((r for r in records if r["kind"] == "start"), None)
        if start is None:
            raise BenchError(f"the virtual camera of {chart} {seed} told no truth")
        frames = [r for r in records if r["kind"] == "frame"]
        for name, data in store.to_evidence(capture).items():
            (fresh / name).write_bytes(data)
        (fresh / TRUTH).write_text(json.dumps({"camera": tables, "start": start, "frames": frames}))
        with suppress(
            OSError
        ):  # another process made the same case meanwhile: the one that came first stands
            fresh.rename(folder)
    finally:
        shutil.rmtree(fresh, ignore_errors=True)
    return folder


def load(out: Path, chart: str, seed: int) -> Proof:
    """A capture made before."""
    folder = folder_of(out, chart, seed)
    capture = store.from_folder(folder)
    told = json.loads((folder / TRUTH).read_text())
    return Proof(chart, seed, capture, told["camera"], told["start"], told["frames"])
