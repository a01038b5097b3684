"""Cameras with one known defect each fail exactly the clauses that their file lists, no more, no fewer."""

from __future__ import annotations

import json
import subprocess
import tomllib
from collections.abc import Callable
from pathlib import Path

import pytest
from virtual_world import ROOT, STATION, Camera, bench, scheme_file

pytestmark = pytest.mark.paced

#: Those that say what a whole run has to find; the others are held against the raw wire in tests/fixtures/cameras.
CAMERAS = sorted(
    p.stem
    for p in (ROOT / "fixtures" / "cameras").glob("*.toml")
    if "expected" in tomllib.loads(p.read_text())
)


#: Seconds that a run looks at a camera; these two are seen as long as their scheme says: all is well, or a gap comes late.
SECONDS = 8.0
WHOLE = {"reference", "gap"}


def _scheme(name: str, folder: Path) -> str:
    """The scheme, its capture and what it asks of an uninterrupted recording cut to SECONDS."""
    table = tomllib.loads((ROOT / "standards" / "schemes" / f"{name}.toml").read_text())
    rows = [
        {**row, "minimum_s": SECONDS - 2.0} if "minimum_s" in row and row.get("in_scope") else row
        for row in table["rows"]
    ]
    changes = {"capture": {"seconds": SECONDS, "flashes": int(SECONDS)}, "rows": rows}
    return str(scheme_file(folder / f"{name}.toml", changes, base=name))


def _run(one: Camera, scheme: str, declaration: Path, record: Path) -> subprocess.CompletedProcess[str]:
    return bench(
        *("run", "--scheme", scheme, "--camera", one.onvif, "--station", str(STATION)),
        *("--declaration", str(declaration), "--out", str(record)),
        env=one.environment,
    )


_LATE_NS = 20_000_000  # mean of a run; a camera that keeps up is less than 1 ms late


def _overrun(one: Camera, file: Path) -> bool:
    """True if the busy machine made the virtual camera skip pictures, or send them late, without its file asking so."""
    kinds = {fault["kind"] for fault in tomllib.loads(file.read_text()).get("fault", [])}
    frames = [f for f in one.truth() if f["kind"] == "frame"]
    late_ns = [f["sent_ns"] - f["due_ns"] for f in frames if f.get("due_ns") and f.get("sent_ns")]
    late = sum(late_ns) / max(len(late_ns), 1) > _LATE_NS
    return late or (any(f["dropped"] for f in frames) and not kinds & {"drop", "gap"})


@pytest.mark.timeout(400)
@pytest.mark.parametrize("name", CAMERAS)
def test_defect_fails_exactly_its_clauses(name: str, camera: Callable[..., Camera], tmp_path: Path) -> None:
    file = ROOT / "fixtures" / "cameras" / f"{name}.toml"
    expected = tomllib.loads(file.read_text())["expected"]
    scheme = expected["scheme"] if name in WHOLE else _scheme(expected["scheme"], tmp_path)
    declaration = tmp_path / "declaration.toml"
    declaration.write_text(f"[dates]\ndesign = {expected['design_date']}\n")
    for attempt in range(3):
        one = camera({}, base=file)
        record = tmp_path / f"record-{attempt}"
        done = _run(one, scheme, declaration, record)
        if not _overrun(one, file):
            break
    results = json.loads((record / "results.json").read_text())
    failed = {i["row"] for i in results["items"] if i["conformity"] in ("fail", "conditional_fail")}
    assert failed == set(expected["fails"]), done.stderr
    judged = {i["row"] for i in results["items"] if i["conformity"] in ("pass", "conditional_pass")}
    assert len(judged | failed) >= 8, f"too little was judged: {sorted(judged | failed)}"
    assert done.returncode == (1 if expected["fails"] else 0)


def test_every_defect_of_the_issue_has_its_camera() -> None:
    assert {"reference", "slow_frame_rate", "latency", "blurred", "repeats", "gap"} <= set(CAMERAS)
