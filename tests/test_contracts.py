"""The arrows between the wings, and the purity of the pure rooms (import contracts and syntax trees)."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
WINGS = ("bench", "fixtures", "instruments", "reports", "standards")
PURE = (
    "standards/quantity.py",
    "standards/clause.py",
    "standards/decision.py",
    "standards/duration.py",
    "standards/risk.py",
    "standards/sampling.py",
    "bench/measure",
    "fixtures/charts/board.py",
    "fixtures/charts/camcert_1.py",
    "fixtures/charts/certificate.py",
    "fixtures/charts/chart.py",
    "fixtures/charts/colour.py",
    "fixtures/charts/common.py",
    "fixtures/charts/edges.py",
    "fixtures/charts/geometry.py",
    "fixtures/charts/gray.py",
    "fixtures/charts/grey.py",
    "fixtures/charts/grid.py",
    "fixtures/charts/markers.py",
    "fixtures/charts/patterns.py",
    "fixtures/charts/raster.py",
    "fixtures/charts/sheet.py",
    "fixtures/charts/star.py",
    "fixtures/charts/steps.py",
    "fixtures/charts/timecode.py",
    "fixtures/charts/uniform.py",
    "fixtures/charts/wedge.py",
)
#: Names whose mention asks for the time, the disk or the network, whatever they hang on.
IMPURE_CALLS = {"open", "input", "print", "exec", "eval", "__import__", "import_module"}
IMPURE_METHODS = {
    "now", "utcnow", "today", "monotonic", "monotonic_ns", "perf_counter", "perf_counter_ns", "read_text",
    "read_bytes", "write_text", "write_bytes", "urandom", "getenv", "system", "popen", "fromfile", "tofile",
    "loadtxt", "savetxt", "imread", "imwrite", "localtime", "gmtime",
}  # fmt: skip
IMPURE_MODULES = {
    "time",
    "socket",
    "subprocess",
    "threading",
    "asyncio",
    "requests",
    "urllib",
    "ssl",
    "os",
    "io",
}


def _files(*places: str) -> list[Path]:
    found: list[Path] = []
    for place in places:
        path = ROOT / place
        found += sorted(path.rglob("*.py")) if path.is_dir() else [path]
    return found


def impurities(source: str) -> list[str]:
    """What in the source asks the time, opens something or imports what could; 'line: name'."""
    found: list[str] = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            found += [
                f"{node.lineno}: {a.name}" for a in node.names if a.name.split(".")[0] in IMPURE_MODULES
            ]
        elif isinstance(node, ast.ImportFrom) and node.module:
            if node.module.split(".")[0] in IMPURE_MODULES:
                found.append(f"{node.lineno}: {node.module}")
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in IMPURE_CALLS:
            found.append(f"{node.lineno}: {node.func.id}()")
        if isinstance(node, ast.Attribute) and node.attr in IMPURE_METHODS | {"open"}:
            found.append(f"{node.lineno}: .{node.attr}")
    return found


def imported(path: Path) -> Iterator[str]:
    """Every module a file imports, as dotted names, 'from a import b' as a.b."""
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative imports hide the wing"
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def test_import_contracts_are_kept() -> None:
    linter = Path(sys.executable).with_name("lint-imports")
    done = subprocess.run(
        [linter, "--no-cache", "--config", "pyproject.toml"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "4 kept, 0 broken" in done.stdout


@pytest.mark.parametrize("path", _files(*PURE), ids=lambda p: str(p.relative_to(ROOT)))
def test_pure_rooms_ask_nothing_of_the_world(path: Path) -> None:
    assert impurities(path.read_text("utf-8")) == []


@pytest.mark.parametrize(
    "source",
    [
        "import time", "from time import time_ns", "open('x')", "p.open()", "p.read_text()", "import socket",
        "datetime.now()", "from datetime import datetime\nclock = datetime.now", "date.today()",
        "import urllib.request", "np.fromfile('x')", "__import__('time')",
    ],
)  # fmt: skip
def test_the_purity_check_sees_every_way_out(source: str) -> None:
    assert impurities(source)


def test_of_the_fixtures_the_bench_knows_the_charts_alone() -> None:
    known = {m for p in _files("bench") for m in imported(p) if m.split(".")[0] == "fixtures"}
    assert known, "the bench reads the chart's geometry from fixtures.charts"
    assert [m for m in known if not m.startswith("fixtures.charts")] == []


def test_neither_hand_on_the_wire_imports_the_other() -> None:
    simulated = {m for p in _files("fixtures") for m in imported(p)}
    assert [m for m in simulated if m.split(".")[0] == "bench"] == []


@pytest.mark.parametrize("place", ["bench/camera", "bench/measure", "bench/conformance"])
def test_nothing_that_measures_asks_whether_the_camera_is_real(place: str) -> None:
    for path in _files(place):
        text = path.read_text("utf-8")
        assert "Origin.SIMULATED" not in text, path
        names = {n.id for n in ast.walk(ast.parse(text)) if isinstance(n, ast.Name)}
        assert not names & {"simulated", "is_simulated"}, path


def test_truth_logs_are_read_by_nobody_who_judges() -> None:
    for path in _files("bench/camera", "bench/measure", "bench/conformance", "standards", "reports"):
        assert "truth.jsonl" not in path.read_text("utf-8"), path
