"""Declared dependencies are exactly what is imported, and the lock file holds them all, with hashes."""

from __future__ import annotations

import ast
import re
import sys
import tomllib
from functools import cache
from importlib.metadata import packages_distributions
from pathlib import Path
from typing import Any

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parent.parent.parent
WINGS = ("bench", "fixtures", "instruments", "reports", "standards")
LOCKS = ("requirements.lock", "requirements-dev.lock", "requirements-peers.lock")
PROJECT: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
#: Distribution -> why it is declared although no file of the packages imports it.
UNSEEN: dict[str, str] = {
    "onnxruntime": "rapidocr loads it by the name of its engine",
    "pyvisa-py": "pyvisa loads it by the name of its backend, '@py'",
}
#: No distribution's: for type checkers alone, under TYPE_CHECKING; beside a script that runs isolated (-I).
NOT_INSTALLED = {"_typeshed", "mightex_controller"}


def _declared(requirements: list[str]) -> set[str]:
    return {canonicalize_name(Requirement(r).name) for r in requirements}


@cache
def _imported() -> dict[str, str]:
    """Top-level names of third-party imports in the five packages, with one file that has them."""
    found: dict[str, str] = {}
    for wing in WINGS:
        for path in (ROOT / wing).rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text("utf-8"))):
                names: list[str] = []
                if isinstance(node, ast.Import):
                    names = [alias.name for alias in node.names]
                elif isinstance(node, ast.ImportFrom) and node.module and node.level == 0:
                    names = [node.module]
                for name in names:
                    top = name.split(".")[0]
                    if top not in sys.stdlib_module_names and top not in (*WINGS, *NOT_INSTALLED):
                        found[top] = str(path.relative_to(ROOT))
    return found


def _pins(lock: str) -> dict[str, tuple[str, int]]:
    """Name -> version and number of hashes."""
    pins: dict[str, tuple[str, int]] = {}
    entries = re.split(r"(?m)^(?=[A-Za-z0-9])", (ROOT / lock).read_text("utf-8"))
    for entry in entries:
        match = re.match(r"([A-Za-z0-9._-]+)==([^\s;\\]+)", entry)
        if match:
            hashes = re.findall(r"--hash=sha256:[0-9a-f]{64}(?=\s|$)", entry)
            pins[canonicalize_name(match[1])] = (match[2], len(hashes))
    return pins


def test_every_import_is_declared() -> None:
    owners = packages_distributions()
    declared = _declared(PROJECT["dependencies"])
    for name, path in _imported().items():
        owned = {canonicalize_name(d) for d in owners.get(name, [])}
        assert owned & declared, (
            f"{path} imports {name} (of {owned or 'nothing installed'}), which is not declared"
        )


def test_every_declaration_is_imported() -> None:
    owners = packages_distributions()
    used = {canonicalize_name(d) for name in _imported() for d in owners.get(name, [])}
    assert _declared(PROJECT["dependencies"]) - used - set(UNSEEN) == set()


@pytest.mark.parametrize("lock", LOCKS)
def test_every_line_of_the_lock_has_hashes_and_no_address(lock: str) -> None:
    pins = _pins(lock)
    assert len(pins) > (0 if lock == "requirements-peers.lock" else 30)
    assert [name for name, (_, hashes) in pins.items() if hashes == 0] == []
    text = (ROOT / lock).read_text("utf-8")
    assert "://" not in text
    assert re.findall(r"(?m)^--", text) == []


def test_the_locks_hold_what_is_declared_and_agree() -> None:
    runtime, everything = _pins(LOCKS[0]), _pins(LOCKS[1])
    assert _declared(PROJECT["dependencies"]) <= set(runtime)
    assert _declared(PROJECT["optional-dependencies"]["dev"]) <= set(everything)
    assert {n: v for n, (v, _) in runtime.items()} == {n: everything[n][0] for n in runtime}


def test_opencv_is_the_headless_build_alone() -> None:
    names = set(_pins(LOCKS[1]))
    assert {n for n in names if n.startswith("opencv")} == {"opencv-python-headless"}
