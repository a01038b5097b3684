"""`bench simulate`: what it is told reaches the camera, and whatever ends the command ends the camera with it."""

from __future__ import annotations

import json
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from virtual_world import ROOT, bench, camera_file

SMALL = {"stream": {"width": 320, "height": 180, "bitrate_kbit": 300}}


@contextmanager
def simulate(folder: Path, *options: str) -> Generator[subprocess.Popen[str]]:
    """The command with a small camera; its truth log is folder/truth.jsonl."""
    command = [
        "simulate",
        str(camera_file(folder / "camera.toml", SMALL)),
        "--truth",
        str(folder / "truth.jsonl"),
    ]
    with subprocess.Popen(
        [sys.executable, "-m", "bench.cli", *command, *options],
        cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    ) as process:  # fmt: skip
        try:
            yield process
        finally:
            process.kill()


def first_line(process: subprocess.Popen[str]) -> dict[str, Any]:
    assert process.stdout is not None
    return dict(json.loads(process.stdout.readline()))


def truth(folder: Path) -> list[dict[str, Any]]:
    file = folder / "truth.jsonl"
    lines = file.read_text().splitlines() if file.exists() else []
    return [json.loads(line) for line in lines if line.endswith("}")]


def eventually(there: Any, seconds: float = 30.0) -> None:
    until = time.monotonic() + seconds
    while not there():
        assert time.monotonic() < until
        time.sleep(0.02)


def answers(url: str) -> bool:
    """Whether somebody listens at a URL."""
    place = urlsplit(url)
    try:
        socket.create_connection((str(place.hostname), int(place.port or 0)), timeout=2.0).close()
    except OSError:
        return False
    return True


@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGTERM, 0), (signal.SIGINT, 0), (signal.SIGKILL, -signal.SIGKILL)]
)
def test_the_camera_ends_with_its_command(tmp_path: Path, number: signal.Signals, code: int) -> None:
    with simulate(tmp_path) as process:
        addresses = first_line(process)
        assert addresses["pid"] == process.pid
        assert answers(addresses["rtsp"])
        process.send_signal(number)
        assert process.wait(timeout=20) == code
        eventually(lambda: not answers(addresses["rtsp"]), 10.0)
        assert process.stdout is not None
        assert process.stdout.read() == ""


def test_told_to_end_while_the_camera_boots_it_ends_at_once_and_well(tmp_path: Path) -> None:
    with simulate(tmp_path) as process:
        eventually(lambda: any(row["kind"] == "boot" for row in truth(tmp_path)))
        process.terminate()
        assert process.wait(timeout=20) == 0
        assert process.stdout is not None
        assert process.stderr is not None
        assert (process.stdout.read(), process.stderr.read()) == ("", "")


def test_a_timeline_and_a_memory_are_given_to_it(tmp_path: Path) -> None:
    script, memory = tmp_path / "script.toml", tmp_path / "memory"
    script.write_text('[[timeline]]\nat_s = 0.1\nquantity = "illuminance_lx"\ntarget = 42.0\n')
    with simulate(tmp_path, "--timeline", str(script), "--state", str(memory)) as process:
        first_line(process)
        eventually(lambda: any(row.get("target") == 42.0 for row in truth(tmp_path)))
        process.terminate()
        assert process.wait(timeout=20) == 0
    assert list(memory.iterdir())


def test_an_operation_that_no_service_has_is_no_silent_defect(tmp_path: Path) -> None:
    defect = {"soap": [{"kind": "slow", "operations": ["GetHostnam"]}]}
    done = bench("simulate", str(camera_file(tmp_path / "camera.toml", SMALL | defect)), timeout=60)
    assert done.returncode == 2
    assert done.stdout == ""
    assert "soap.operations: this camera has no operation GetHostnam. Mend:" in done.stderr


def test_a_farm_has_neither(tmp_path: Path) -> None:
    done = bench("simulate", "fixtures/farms/farm-64-defects.toml", "--state", str(tmp_path))
    assert done.returncode == 2
    assert "--state" in done.stderr and "Mend:" in done.stderr
