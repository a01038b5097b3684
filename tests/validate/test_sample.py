"""A sample of `make validate`, for CI: one case of each kind, its goals held."""

from __future__ import annotations

import importlib.util
import json
import sys
from pathlib import Path
from types import ModuleType

import pytest

pytestmark = pytest.mark.paced

HERE = Path(__file__).parent
SEED = 20261124


def _script(name: str) -> ModuleType:
    """A validation script as a module; the scripts are not a package."""
    spec = importlib.util.spec_from_file_location(f"validate_{name}", HERE / f"{name}.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    # Dataclasses look their module up while the class is made.
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


@pytest.mark.timeout(180)
@pytest.mark.parametrize("case", ["latency-400-01"])  # pictures through the wire: test_image.py
def test_a_case_through_the_wire_meets_its_goal_and_is_not_run_twice(case: str, tmp_path: Path) -> None:
    wire = _script("wire")
    assert wire.main(SEED, tmp_path, only=case) == 0
    written = json.loads((tmp_path / "wire.json").read_text())
    assert list(written) == [case] and all(row["met"] for row in written[case])
    stamp = (tmp_path / "wire.json").stat().st_mtime_ns
    assert wire.main(SEED, tmp_path, only=case) == 0
    assert (tmp_path / "wire.json").stat().st_mtime_ns == stamp


def test_edges_meet_their_goals_and_a_missed_one_is_told(tmp_path: Path) -> None:
    """The goals that hold for a small sample: no noise, and what is stated at 40 dB."""
    edge = _script("edge")
    goals = edge.noise_free()
    assert len(goals) == 3 and all(goal.met for goal in goals)
    found = edge.noisy("64x48", 40, 40, SEED)
    assert abs(found[:, 0].mean()) < 3 * 0.55 / 40**0.5
    assert 0.6 < (found[:, 0] / found[:, 1]).std() < 1.5
    diagonal, refused = edge.diagonal(48, 40, 30, SEED)
    assert refused < 6 and abs(diagonal[:, 0].mean()) < 3 * 0.6 / 30**0.5
    assert 0.6 < (diagonal[:, 0] / diagonal[:, 2]).std() < 1.5
    assert not edge.Goal("sd", -0.41, 0.4).met


def test_a_missed_goal_is_told() -> None:
    """The proof fails where a value is off, and where U covers too little."""
    wire = _script("wire")
    good = wire._row("latency", 0.1201, 0.12, 0.0007, 0.003)
    off = wire._row("latency", 0.1241, 0.12, 0.0007, 0.003)
    assert wire._summary({"a": [good]}) == 0
    assert wire._summary({"a": [off]}) == 1
    uncovered = wire._row("latency", 0.1221, 0.12, 0.0007, 0.003)
    assert wire._summary({"a": [good, uncovered]}) == 1
