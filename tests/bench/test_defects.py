"""Cameras with one known defect each fail exactly the clauses that their file lists, no more, no fewer."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Callable
from pathlib import Path

import pytest
from virtual_world import ROOT, STATION, Camera, bench

CAMERAS = sorted(p.stem for p in (ROOT / "fixtures" / "cameras").glob("*.toml"))


@pytest.mark.timeout(240)
@pytest.mark.parametrize("name", CAMERAS)
def test_defect_fails_exactly_its_clauses(name: str, camera: Callable[..., Camera], tmp_path: Path) -> None:
    file = ROOT / "fixtures" / "cameras" / f"{name}.toml"
    expected = tomllib.loads(file.read_text())["expected"]
    declaration = tmp_path / "declaration.toml"
    declaration.write_text(f"[dates]\ndesign = {expected['design_date']}\n")
    one = camera({}, base=file)
    record = tmp_path / "record"
    done = bench(
        *("run", "--scheme", expected["scheme"], "--camera", one.onvif, "--station", str(STATION)),
        *("--declaration", str(declaration), "--out", str(record)),
        env=one.environment,
    )
    results = json.loads((record / "results.json").read_text())
    failed = {i["row"] for i in results["items"] if i["conformity"] in ("fail", "conditional_fail")}
    assert failed == set(expected["fails"]), done.stderr
    judged = {i["row"] for i in results["items"] if i["conformity"] in ("pass", "conditional_pass")}
    assert len(judged | failed) >= 8, f"too little was judged: {sorted(judged | failed)}"
    assert done.returncode == (1 if expected["fails"] else 0)


def test_every_defect_of_the_issue_has_its_camera() -> None:
    assert {"reference", "slow_frame_rate", "latency", "blurred", "repeats", "gap"} <= set(CAMERAS)
