"""A sample of `bench validate image`, for CI: one camera of two charts, kept, measured, and not made twice."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from virtual_world import bench_here

from bench.validate.conditions import CHARTS, camera_tables
from bench.validate.measurers import Row
from bench.validate.summary import summarise


def prove(out: Path, *more: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "bench.cli", "validate", "image", "--out", str(out), "--jobs", "1", *more],
        capture_output=True, text=True, timeout=100, check=False,
    )  # fmt: skip


@pytest.mark.timeout(150)
def test_a_case_goes_through_the_whole_chain_and_is_not_made_twice(tmp_path: Path) -> None:
    done = prove(tmp_path, "--chart", "wedge", "--seeds", "3")
    assert "resolution.wedge_centre" in done.stdout, done.stderr
    rows = [Row(**row) for row in json.loads((tmp_path / "rows.json").read_text())["wedge/3"]]
    centre = next(row for row in rows if row.quantity == "resolution.wedge_centre")
    assert centre.value is not None and centre.truth is not None and centre.u95 is not None
    assert abs(centre.value - centre.truth) <= centre.u95
    stamp = (tmp_path / "captures" / "wedge" / "0003" / "truth.json").stat().st_mtime_ns
    assert prove(tmp_path, "--chart", "wedge", "--seeds", "3", "--again").returncode == done.returncode
    assert (tmp_path / "captures" / "wedge" / "0003" / "truth.json").stat().st_mtime_ns == stamp


def test_seeds_that_are_no_range_are_refused(tmp_path: Path) -> None:
    done = bench_here("validate", "image", "--out", str(tmp_path), "--seeds", "200:100")
    assert done.returncode == 2
    assert "FIRST:LAST" in done.stderr


def test_the_same_seed_is_the_same_camera() -> None:
    for chart in CHARTS:
        assert camera_tables(chart, 5) == camera_tables(chart, 5) != camera_tables(chart, 6)
    assert camera_tables("grid", 5)["lens"] != camera_tables("grey", 5)["lens"]


def rows(errors: list[float], u95: float) -> list[Row]:
    return [Row("q", "c", seed, 10 + error, u95, 10.0) for seed, error in enumerate(errors)]


def test_goals_are_missed_where_they_are() -> None:
    """Coverage, tightness and nothing measured."""
    spread = [0.01 * (k % 41 - 20) for k in range(200)]
    (good,) = summarise(rows(spread, 0.21))
    assert good.met and good.covered == 200 and good.least == 181
    (wide,) = summarise(rows(spread, 0.4))
    assert wide.covered == 200 and not wide.met
    (narrow,) = summarise(rows(spread, 0.17))
    assert narrow.covered < 181 and not narrow.met
    (nothing,) = summarise([Row("q", "c", 1, refused="no chart")])
    assert nothing.refused == 1 and not nothing.met
