"""SIGKILL at every phase that the journal knows and at random moments, then --resume: nothing is lost."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest
from interruptible import interruptible
from virtual_world import ROOT, STATION, Camera, bench

from reports.verify import verify

PHASES = ("planned", "opened", "environment", "capturing", "captured", "measured", "judged", "sealing")
_DRAW = random.Random(230)
#: Moments over a run of about six seconds, drawn once; the phases that a run has are killed one by one above all that.
MOMENTS = [round(_DRAW.uniform(0.3, 6.0), 2) for _ in range(2)]


def _arguments(camera: Camera, scheme: Path, record: Path) -> list[str]:
    return [
        *("run", "--scheme", str(scheme), "--camera", camera.onvif, "--station", str(STATION)),
        *("--out", str(record)),
    ]


def _start(arguments: list[str], camera: Camera) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-m", "bench.cli", *arguments],
        cwd=ROOT,
        env=camera.environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        stdin=subprocess.DEVNULL,
        start_new_session=True,
        preexec_fn=interruptible,
    )


def _kill_when(process: subprocess.Popen[bytes], ready: Callable[[], bool]) -> bool:
    """SIGKILL the whole group as soon as ready(); False if the run ended before that."""
    deadline = time.monotonic() + 90
    while process.poll() is None:
        assert time.monotonic() < deadline, "the run neither ended nor reached the phase"
        if ready():
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            return True
        time.sleep(0.002)
    return False


def _kinds(record: Path) -> list[str]:
    journal = record / "journal.jsonl"
    if not journal.exists():
        return []
    whole = [line for line in journal.read_bytes().split(b"\n")[:-1] if line]
    return [json.loads(line)["kind"] for line in whole]


def _assert_whole(record: Path) -> None:
    """Every clause ended once, every quantity measured once, and the record verifies."""
    events = [json.loads(line) for line in (record / "journal.jsonl").read_text().splitlines()]
    plan = json.loads((record / "plan.json").read_text())
    judged = Counter(e["data"]["item"] for e in events if e["kind"] == "judged")
    assert judged == Counter(item["key"] for item in plan["items"])
    measured = Counter(
        e["data"]["finding"]["estimate"]["quantity"] for e in events if e["kind"] == "measured"
    )
    assert measured and set(measured.values()) == {1}
    assert sum(e["kind"] == "captured" for e in events) == 1
    assert events[-1]["kind"] == "sealing"
    assert verify(record) == []


@pytest.mark.timeout(240)
def test_killed_in_every_phase_one_after_another(
    camera: Callable[..., Camera], short_scheme: Callable[..., Path], tmp_path: Path
) -> None:
    """One record: killed as soon as a phase is journalled, gone on with, killed in the next one, to the last."""
    one, record = camera(), tmp_path / "record"
    arguments = _arguments(one, short_scheme(seconds=3.0, flashes=4), record)
    for phase in PHASES:
        before = _kinds(record)
        again = ["--resume"] if before else []
        process = _start([*arguments, *again], one)
        earlier = before.count(
            phase
        )  # a quantity is judged just after it is measured: then the next one counts
        killed = _kill_when(process, lambda p=phase, n=earlier: _kinds(record).count(p) > n)
        assert killed, f"the run ended before {phase}"
    resumed = bench(*arguments, "--resume", env=one.environment)
    assert (record / "seal.json").exists(), resumed.stderr
    _assert_whole(record)


@pytest.mark.timeout(600)
def test_killed_at_random_moments(
    camera: Callable[..., Camera], short_scheme: Callable[..., Path], tmp_path: Path
) -> None:
    """Runs on one camera, each killed once at its moment, then resumed to a whole record."""
    one, scheme = camera(), short_scheme(seconds=3.0, flashes=4)
    for number, moment in enumerate(MOMENTS):
        record = tmp_path / f"record-{number}"
        arguments = _arguments(one, scheme, record)
        start = time.monotonic()
        process = _start(arguments, one)
        killed = _kill_when(process, lambda s=start, m=moment: time.monotonic() - s >= m)
        if killed and not (record / "plan.json").exists():
            resumed = bench(*arguments, env=one.environment)  # killed before anything was frozen
        elif killed:
            resumed = bench(*arguments, "--resume", env=one.environment)
        else:
            resumed = None
        assert (record / "seal.json").exists(), resumed and resumed.stderr
        _assert_whole(record)


@pytest.mark.timeout(120)
def test_interrupt_restores_and_can_resume(
    camera: Callable[..., Camera], short_scheme: Callable[..., Path], tmp_path: Path
) -> None:
    """SIGINT in the middle of the capture: the journal is closed in order, --resume finishes."""
    one, record = camera(), tmp_path / "record"
    arguments = _arguments(one, short_scheme(seconds=6.0, flashes=4, prepare="maximum"), record) + [
        "--allow",
        "intrusive",
    ]
    process = _start(arguments, one)
    while "capturing" not in _kinds(record):
        assert process.poll() is None
        time.sleep(0.01)
    os.killpg(process.pid, signal.SIGINT)
    assert process.wait(timeout=30) == 3
    kinds = _kinds(record)
    assert kinds[-1] == "closed" and "settings_restored" in kinds and "captured" not in kinds
    resumed = bench(*arguments, "--resume", env=one.environment)
    assert resumed.returncode in (0, 1), resumed.stderr
    _assert_whole(record)


@pytest.mark.timeout(120)
def test_killed_with_settings_changed(
    camera: Callable[..., Camera], short_scheme: Callable[..., Path], tmp_path: Path
) -> None:
    """SIGKILL after the settings were changed: --resume puts them back before it goes on."""
    one, record = camera(), tmp_path / "record"
    arguments = _arguments(one, short_scheme(seconds=3.0, flashes=4, prepare="maximum"), record) + [
        "--allow",
        "intrusive",
    ]
    assert _kill_when(_start(arguments, one), lambda: "capturing" in _kinds(record))
    resumed = bench(*arguments, "--resume", env=one.environment)
    assert resumed.returncode in (0, 1), resumed.stderr
    events = [json.loads(line) for line in (record / "journal.jsonl").read_text().splitlines()]
    changed = [e["kind"] for e in events if e["kind"].startswith("settings")]
    assert changed.count("settings_changed") == changed.count("settings_restored") == 2
    first = next(e["data"]["settings"] for e in events if e["kind"] == "settings_saved")
    last = [e["data"]["settings"] for e in events if e["kind"] == "settings_saved"][-1]
    assert first == last
    assert all(e["data"]["difference"] == {} for e in events if e["kind"] == "settings_restored")
    _assert_whole(record)
