"""What a virtual camera costs: CPU seconds of its process per second of stream, with one client over TCP."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import av

from fixtures.simulated.config import read_camera_file
from fixtures.simulated.encoder import PRESETS

__all__ = ["camera_cost", "cost_told"]

_ROOT = Path(__file__).resolve().parents[1]
_TICK_S = 1.0 / os.sysconf("SC_CLK_TCK")


def _cpu_s(pid: int) -> float:
    """CPU time of a process, seconds."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) * _TICK_S


def camera_cost(name: str, seconds: float) -> dict[str, Any]:
    """Play fixtures/cameras/NAME.toml for a time, packets alone, from a process that is not counted.

    Returns what was coded and how, cpu_per_stream_s (1.0 is one core), counted by the pictures that were coded so that
    a busy machine does not flatter it, how many were lost since the machine was overrun, and late_p99_ms: how long
    after it was due the 99th percentile of the pictures went.
    """
    path = _ROOT / "fixtures" / "cameras" / f"{name}.toml"
    file = read_camera_file(path)
    with tempfile.TemporaryDirectory() as folder:
        truth = Path(folder) / "truth.jsonl"
        command = [sys.executable, "-m", "fixtures.simulated", str(path), "--truth", str(truth)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=_ROOT) as process:
            assert process.stdout is not None
            try:
                found = json.loads(process.stdout.readline())
                children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
                cameras = [
                    int(pid)
                    for pid in children
                    if b"camera_process" in Path(f"/proc/{pid}/cmdline").read_bytes()
                ]
                url = found["rtsp"].replace("@", f":{file.password}@")
                used, pictures = _played(url, cameras[0], seconds)
            finally:
                process.terminate()
        rows = [json.loads(line) for line in truth.read_text().splitlines()]
    frames = [row for row in rows if row["kind"] == "frame" and row["stream"] == "main"]
    late = sorted((row["sent_ns"] - row["due_ns"]) / 1e6 for row in frames if row["sent_ns"])
    stream = file.stream
    return {
        "camera": name,
        "coded": f"{stream.codec} {stream.width}x{stream.height} at {float(stream.fps):g} 1/s, {stream.bitrate_kbit} kbit/s",
        "preset": stream.preset or PRESETS[stream.codec] or "none",
        "noise_sd": file.picture.noise_sd,
        "cpu_per_stream_s": used / pictures * float(stream.fps),
        "lost_pictures": sum(row["dropped"] for row in frames),
        "late_p99_ms": late[int(0.99 * (len(late) - 1))],
    }


def cost_told(cost: dict[str, Any]) -> str:
    """A camera's cost in one line."""
    return (
        f"{cost['cpu_per_stream_s']:.2f} of a core; {cost['coded']}, preset {cost['preset']}, noise "
        f"{cost['noise_sd']:g} codes from a bank; {cost['lost_pictures']} pictures lost, "
        f"late p99 {cost['late_p99_ms']:.1f} ms"
    )


def _played(url: str, pid: int, seconds: float) -> tuple[float, int]:
    """CPU seconds that the camera used, and pictures that came, over a time of playing: from before the client joins,
    since what it looks at to find the codec has been coded, too."""
    began, until = _cpu_s(pid), time.monotonic() + seconds
    with av.open(url, options={"rtsp_transport": "tcp"}) as container:
        for count, _ in enumerate(container.demux(video=0), start=1):
            if time.monotonic() >= until:
                return _cpu_s(pid) - began, count
    raise RuntimeError("the camera ended the stream")
