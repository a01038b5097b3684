"""Virtual cameras with chosen truth, and whole bench runs on them, for tests and for `make validate`.

The bench is run as a person runs it, in a process of its own; the camera's truth log is read afterwards.
"""

from __future__ import annotations

import copy
import json
import os
import subprocess
import sys
import tomllib
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from click.testing import CliRunner

from fixtures.simulated.config import camera_tables

ROOT = Path(__file__).resolve().parents[2]
REFERENCE = ROOT / "fixtures" / "cameras" / "reference.toml"
STATION = ROOT / "bench" / "demonstration" / "station.toml"


def toml_text(table: Mapping[str, Any]) -> str:
    """TOML of a two-level table with arrays of tables, enough for camera and scheme files."""

    def value(v: Any) -> str:
        if isinstance(v, bool):
            return "true" if v else "false"
        if isinstance(v, (list, tuple)):
            return "[" + ", ".join(value(x) for x in v) + "]"
        if isinstance(v, dict):
            return "{ " + ", ".join(f"{k} = {value(x)}" for k, x in v.items()) + " }"
        return json.dumps(v, ensure_ascii=False) if isinstance(v, str) else str(v)

    plain = [f"{k} = {value(v)}" for k, v in table.items() if not _is_section(v)]
    for key, section in table.items():
        if not _is_section(section):
            continue
        for part in section if isinstance(section, list) else [section]:
            plain.append(f"\n[[{key}]]" if isinstance(section, list) else f"\n[{key}]")
            plain += [f"{k if k.isidentifier() else json.dumps(k)} = {value(v)}" for k, v in part.items()]
    return "\n".join(plain) + "\n"


def _is_section(v: Any) -> bool:
    return isinstance(v, dict) or (isinstance(v, list) and bool(v) and all(isinstance(x, dict) for x in v))


def merged(base: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    """base with changes laid over it, table by table."""
    out = copy.deepcopy(dict(base))
    for key, value in changes.items():
        out[key] = (
            merged(out[key], value) if isinstance(value, dict) and isinstance(out.get(key), dict) else value
        )
    return out


def camera_file(path: Path, changes: Mapping[str, Any], base: Path = REFERENCE) -> Path:
    """A camera file: `base` (the reference camera) with changes."""
    table = merged(camera_tables(base), changes)
    path.write_text(toml_text(table))
    return path


@dataclass(frozen=True)
class Camera:
    """A running virtual camera and how to reach it."""

    onvif: str
    rtsp: str
    lamp: str
    truth_file: Path
    password: str
    process: subprocess.Popen[str]
    instruments: Mapping[str, str] = field(default_factory=dict)

    def truth(self) -> list[dict[str, Any]]:
        """The truth log so far; read it after measuring, never before."""
        return [json.loads(line) for line in self.truth_file.read_text().splitlines() if line.endswith("}")]

    @property
    def environment(self) -> dict[str, str]:
        """Environment of a bench that tests this camera."""
        return {**os.environ, "LAMP": self.lamp, "BENCH_CAMERA_PASSWORD": self.password}


@contextmanager
def running(file: Path, truth: Path) -> Generator[Camera]:
    """The virtual camera of `file`, as a process of its own, until the block ends."""
    process = subprocess.Popen(
        [sys.executable, "-m", "fixtures.simulated", str(file), "--truth", str(truth)],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout is not None
        found = json.loads(process.stdout.readline())
        password = camera_tables(file)["device"]["password"]
        yield Camera(
            found["onvif"], found["rtsp"], found["lamp"], truth, password, process, found["instruments"]
        )
    finally:
        process.terminate()
        process.wait(timeout=15)
        assert process.stdout is not None
        process.stdout.close()


def scheme_file(path: Path, changes: Mapping[str, Any], base: str = "vendor_ci") -> Path:
    """A scheme file: a packaged scheme with changes."""
    packaged = tomllib.loads((ROOT / "standards" / "schemes" / f"{base}.toml").read_text())
    path.write_text(toml_text(merged(packaged, {"name": f"{base}-changed", **changes})))
    return path


def bench(
    *arguments: str, env: Mapping[str, str] | None = None, timeout: float = 300
) -> subprocess.CompletedProcess[str]:
    """Run the bench command to its end."""
    return subprocess.run(
        [sys.executable, "-m", "bench.cli", *arguments],
        cwd=ROOT,
        env=dict(env) if env is not None else None,
        capture_output=True,
        text=True,
        timeout=timeout,
        stdin=subprocess.DEVNULL,
        check=False,
    )


def bench_here(*arguments: str, env: Mapping[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    """The bench command within this process: for one that ends before any camera, or needs none.

    Raises what the command raises, where a process would show a traceback.
    """
    from bench.cli import main

    done = CliRunner().invoke(main, arguments, env=env)
    if done.exception is not None and not isinstance(done.exception, SystemExit):
        raise done.exception
    return subprocess.CompletedProcess(arguments, done.exit_code, done.stdout, done.stderr)


def findings(record: Path) -> dict[str, dict[str, Any]]:
    """Estimates of a record by quantity, as journalled."""
    lines = [json.loads(line) for line in (record / "journal.jsonl").read_text().splitlines()]
    events = [e["data"]["finding"]["estimate"] for e in lines if e["kind"] == "measured"]
    return {e["quantity"]: e for e in events}


def true_latency_s(truth: list[dict[str, Any]], since_ns: int, until_ns: int) -> float:
    """Mean of (sent - mid-exposure) over the pictures sent in a window, seconds."""
    delays = [
        (f["sent_ns"] - f["mid_exposure_ns"]) / 1e9
        for f in truth
        if f["kind"] == "frame" and f.get("sent_ns") and since_ns <= f["sent_ns"] <= until_ns
    ]
    return float(np.mean(delays))
