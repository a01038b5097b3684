"""The worked examples of CONTRIBUTING.md are executed as they stand there."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from decimal import Decimal
from pathlib import Path

import pytest

from standards import catalogue
from standards.decision import Rule, Verdict, decide
from standards.quantity import Estimate, Kind

ROOT = Path(__file__).parent.parent
TEXT = (ROOT / "CONTRIBUTING.md").read_text("utf-8")
#: Blocks of code under the name of their file.
FILES: dict[str, str] = dict(re.findall(r"^`([\w.]+)`:\n\n```python\n(.*?)^```", TEXT, re.M | re.S))
CLAUSE: str = re.findall(r"^```toml\n(.*?)^```", TEXT, re.M | re.S)[0]


@pytest.fixture
def written(tmp_path: Path) -> Path:
    """A folder with the examples as files, outside the repository and its pytest settings."""
    for name, code in FILES.items():
        (tmp_path / name).write_text(code, "utf-8")
    (tmp_path / "pytest.ini").write_text("[pytest]\npythonpath = .\nfilterwarnings = error\n")
    return tmp_path


def _run(folder: Path, *command: str) -> str:
    path = f"{folder}:{ROOT}"
    done = subprocess.run(
        [sys.executable, *command], cwd=folder, env={"PYTHONPATH": path, "PATH": "/usr/bin:/bin"},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_every_example_is_there() -> None:
    assert set(FILES) == {
        "lux_meter.py", "test_lux_meter.py", "key_interval.py", "conformance_key_interval.py",
        "test_key_interval.py",
    }  # fmt: skip


def test_the_driver_keeps_to_its_60_lines() -> None:
    assert FILES["lux_meter.py"].count("\n") <= 60


@pytest.mark.parametrize(("file", "tests"), [("test_lux_meter.py", 1), ("test_key_interval.py", 2)])
def test_an_example_passes_its_own_tests(written: Path, file: str, tests: int) -> None:
    told = _run(written, "-m", "pytest", "-q", "-p", "no:randomly", "-p", "no:cacheprovider", file)
    assert f"{tests} passed" in told


def test_the_conformance_test_is_a_procedure(written: Path) -> None:
    code = (
        "from conformance_key_interval import test_key_interval; from bench.procedures import procedure_of;"
        "print(procedure_of(test_key_interval))"
    )
    told = _run(written, "-c", code)
    assert "quantities=('stream.key_interval',)" in told


def test_the_examples_are_typed(written: Path) -> None:
    names = [str(written / name) for name in FILES if not name.startswith("test_")]
    told = _run(ROOT, "-m", "mypy", *names)  # there: what `make check` has read is not read again
    assert f"no issues found in {len(names)} source file" in told


def test_the_clause_is_read(tmp_path: Path) -> None:
    shutil.copytree(ROOT / "standards" / "quantities", tmp_path / "quantities")
    shutil.copytree(ROOT / "standards" / "clauses", tmp_path / "clauses")
    with (tmp_path / "clauses" / "gb-50395-2007.toml").open("a", encoding="utf-8") as file:
        file.write("\n" + CLAUSE)
    clause = catalogue.read(tmp_path).clause("EXAMPLE-01")
    assert CLAUSE.strip().count("\n") + 1 == 10, "the heading promises ten lines"
    assert clause.id == "GB 50395-2007" and clause.limit.lower == Decimal(1920)
    assert clause.requirement_zh == "解码图像宽度不小于1920 px"
    assert decide(_wide(1280), clause, Rule.SIMPLE).verdict is Verdict.FAIL
    assert decide(_wide(1920), clause, Rule.SIMPLE).verdict is Verdict.PASS


def _wide(columns: int) -> Estimate:
    return Estimate(quantity="picture.width", kind=Kind.COUNT, value=float(columns), unit="px", exact=True)
