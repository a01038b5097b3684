"""The same conformance tests by `bench run` and by plain pytest: same plan, items, verdicts, values within U."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from virtual_world import ROOT, STATION, Camera, bench


@pytest.mark.timeout(180)
def test_plain_pytest_gives_what_bench_run_gives(
    camera: Callable[..., Camera], short_scheme: Callable[..., Path], tmp_path: Path
) -> None:
    one, scheme = camera(), short_scheme(seconds=8.0, flashes=10)
    shared = ["--scheme", str(scheme), "--camera", one.onvif, "--station", str(STATION)]
    bench("run", *shared, "--out", str(tmp_path / "a"), env=one.environment)
    plain = subprocess.run(
        [
            sys.executable,
            "-m",
            "pytest",
            "-p",
            "no:cacheprovider",
            "-q",
            "--pyargs",
            "bench.conformance",
            *shared,
        ]
        + ["--record", str(tmp_path / "b")],
        cwd=tmp_path,
        env={**one.environment, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    a, b = (json.loads((tmp_path / way / "results.json").read_text()) for way in "ab")
    assert a["run"]["plan_sha256"] == b["run"]["plan_sha256"], plain.stdout
    key = [(i["row"], i["conformity"], i["execution"]) for i in a["items"]]
    assert key == [(i["row"], i["conformity"], i["execution"]) for i in b["items"]]
    for x, y in zip(a["items"], b["items"], strict=True):
        if isinstance(x["value"], float):
            together = (x["expanded_uncertainty"] ** 2 + y["expanded_uncertainty"] ** 2) ** 0.5
            assert abs(x["value"] - y["value"]) <= together + 1e-12, x["row"]
    assert "passed" in plain.stdout


def test_inert_without_camera(tmp_path: Path) -> None:
    """Installed beside a user's own tests the plugin changes nothing."""
    (tmp_path / "test_own.py").write_text("def test_b(): pass\ndef test_a(): pass\n")
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "no:randomly", "-p", "no:cacheprovider", "-v", str(tmp_path)],
        cwd=tmp_path,
        env={"PYTHONPATH": str(ROOT), "PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert "camcert" in done.stdout, "the plugin is there, through its entry point"
    assert "2 passed" in done.stdout
    assert done.stdout.index("test_b") < done.stdout.index("test_a")
