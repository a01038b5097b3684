"""``bench demo``: a simulated station and a virtual camera, certified end to end on real sockets.

The camera is a process of its own; the bench reaches it by ONVIF, RTSP and the lamp's serial line alone.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.resources import as_file, files
from pathlib import Path
from queue import Empty, Queue
from threading import Thread
from typing import Any

from rich.console import Console

from bench.request import RunRequest
from bench.run import execute, read_results
from bench.table import conclusion
from reports.inspection import write_inspection
from reports.verify import verify
from standards.errors import BenchError

__all__ = ["VirtualCamera", "demo_files", "demonstrate", "simulated", "virtual_camera"]

_START_S = 30.0


@dataclass(frozen=True)
class VirtualCamera:
    """Where a running virtual camera is reached, and what stands around it: instruments by role."""

    onvif: str
    rtsp: str
    lamp: str
    instruments: dict[str, str]


def demo_files() -> dict[str, Path]:
    """The demonstration's files as shipped: camera, station, declaration."""
    here = files("bench") / "demonstration"
    with as_file(files("fixtures") / "cameras" / "reference-laboratory.toml") as camera:
        pass
    return {
        "camera": Path(camera),
        "station": Path(str(here / "laboratory.toml")),
        "declaration": Path(str(here / "declaration.toml")),
    }


@contextmanager
def simulated(camera: Path, *, truth: Path | None = None) -> Generator[dict[str, Any]]:
    """Run one virtual camera until the block ends; yields what it announced: its addresses.

    truth: where it logs what is true, for a proof to read afterwards. Raises BenchError with the camera's own last words
    if it does not come up within 30 s.
    """
    with tempfile.TemporaryFile("w+") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "fixtures.simulated", str(camera)]
            + (["--truth", str(truth)] if truth is not None else []),
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
            start_new_session=True,  # Ctrl-C is the bench's: the camera outlives it until restored
        )
        try:
            found = _first_line(process)
            if found is None:
                log.seek(0)
                raise BenchError(f"the virtual camera {camera} did not start: {log.read()[-2000:].strip()}")
            yield found
        finally:
            process.terminate()
            try:
                process.wait(timeout=10.0)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
            assert process.stdout is not None
            process.stdout.close()


@contextmanager
def virtual_camera(camera: Path) -> Generator[VirtualCamera]:
    """Run one virtual camera until the block ends; $LAMP, the instruments' addresses by
    role ($POWER_SUPPLY ...) and the camera's password are set for the bench. Raises BenchError as `simulated`."""
    with simulated(camera) as found:
        password = tomllib.loads(camera.read_text())["device"]["password"]
        addresses = {role.upper(): address for role, address in found["instruments"].items()}
        with _environment({"LAMP": found["lamp"], "BENCH_CAMERA_PASSWORD": password, **addresses}):
            yield VirtualCamera(found["onvif"], found["rtsp"], found["lamp"], found["instruments"])


@contextmanager
def _environment(values: dict[str, str]) -> Generator[None]:
    """These variables until the block ends, then as before."""
    before = {name: os.environ.get(name) for name in values}
    os.environ.update(values)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


def _first_line(process: subprocess.Popen[str]) -> dict[str, Any] | None:
    """The camera's own announcement, or None if it ended or stayed silent."""
    lines: Queue[str] = Queue()
    assert process.stdout is not None
    Thread(target=lambda out=process.stdout: lines.put(out.readline()), daemon=True).start()
    try:
        line = lines.get(timeout=_START_S)
    except Empty:
        return None
    return dict(json.loads(line)) if line else None


def demonstrate(folder: Path, *, scheme: str, console: Console) -> int:
    """The whole way from camera to report; 0 if it completed and its record verifies, else 3.

    The last lines printed name the files made.
    """
    sources = demo_files()
    folder.mkdir(parents=True, exist_ok=True)
    record = folder / "record"
    with virtual_camera(sources["camera"]) as camera:
        console.print(
            f"virtual camera at {camera.onvif} and {camera.rtsp}, lamp on {camera.lamp}", highlight=False
        )
        for role, address in camera.instruments.items():
            console.print(f"simulated {role} at {address}", highlight=False)
        request = RunRequest(
            camera=camera.onvif,
            scheme=scheme,
            station=sources["station"],
            declaration=sources["declaration"],
            out=record,
        )
        _, trouble = execute(request, console)
    if trouble:
        return trouble
    plan, results = read_results(record)
    report = write_inspection(record)
    problems = verify(record)
    console.print(conclusion(plan, results), highlight=False)
    for problem in problems:
        console.print(f"[bold red]{problem.file}[/]: {problem.text}", highlight=False)
    if not problems:
        console.print(f"record verified: {len(plan.items)} clauses, nothing altered", highlight=False)
    for made in (
        record / "plan.json",
        record / "journal.jsonl",
        record / "results.json",
        record / "junit.xml",
        report,
    ):
        print(made)
    return 3 if problems else 0
