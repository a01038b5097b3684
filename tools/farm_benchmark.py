"""The farm's figure for ``make benchmark``: 256 streams from one core, drained by a receiver on another."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import tomllib
from pathlib import Path
from typing import Any

__all__ = ["farm_figures", "told"]

ROOT = Path(__file__).resolve().parent.parent
FARM = ROOT / "fixtures" / "farms" / "farm-256.toml"


def _pinned(core: int, *command: str) -> subprocess.Popen[str]:
    """A process on one core alone, where the machine has several."""
    cores = sorted(os.sched_getaffinity(0))
    kept = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {cores[core % len(cores)]})  # inherited
    try:
        return subprocess.Popen(
            [sys.executable, *command], cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
        )
    finally:
        os.sched_setaffinity(0, kept)


def farm_figures(transport: str, *, seconds: float = 15.0, file: Path = FARM) -> dict[str, Any]:
    """Serve a farm file's streams to a receiver for a while; lateness of sending, arrivals, CPU shares.

    transport: "udp" or "tcp". lateness: from the moment a picture was due until the kernel had its last byte.
    """
    password = tomllib.loads(file.read_text())["farm"]["password"]
    with tempfile.TemporaryDirectory() as folder:
        truth = Path(folder) / "truth.jsonl"
        farm = _pinned(0, "-m", "fixtures.simulated.farm", str(file), "--truth", str(truth))
        assert farm.stdout is not None
        first = json.loads(farm.stdout.readline())
        receiver = _pinned(
            1, "tools/farm_receiver.py", first["rtsp"], str(first["streams"]), password,
            "--transport", transport, "--seconds", str(seconds),
        )  # fmt: skip
        received = json.loads(receiver.communicate(timeout=seconds + 60)[0])
        farm.terminate()
        farm.wait(timeout=20)
        farm.stdout.close()
        end = json.loads(truth.read_text().splitlines()[-1])
    lateness = end["lateness"]
    return {
        **{key: lateness[key] for key in ("pictures", "p50_ms", "p99_ms", "p999_ms", "max_ms")},
        "later_than_a_period": lateness["later_than_a_period"],
        "skipped": end["skipped"],
        "core_share": round(end["cpu_s"] / end["seconds"], 3),
        "received": received,
    }


def told(figures: dict[str, Any]) -> str:
    """The figures in one line, for people."""
    received = figures["received"]
    return (
        f"lateness p99 {figures['p99_ms']:.2f} ms  max {figures['max_ms']:.2f} ms  late {figures['later_than_a_period']}"
        f"  skipped {figures['skipped']}  of {figures['pictures']} pictures, {figures['core_share']:.2f} of a core;"
        f"  arrival p99 {received['arrival_p99_ms']:.2f} ms  lost {received['packets_lost']} packets"
    )
