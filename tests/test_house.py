"""The house's limits on the source itself: sizes, docstrings, and what must not be in the repository."""

from __future__ import annotations

import ast
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
WINGS = ("bench", "fixtures", "instruments", "reports", "standards")
LONGEST_FILE = 400
LONGEST_FUNCTION = 50
#: path::function -> why it may be longer than 50 lines.
LONG_FUNCTIONS: dict[str, str] = {}
HOSTS = ("pypi" + ".org", "pythonhosted", "debian" + ".org", "npmjs")

type_of_function = (ast.FunctionDef, ast.AsyncFunctionDef)


def _sources() -> list[Path]:
    places = [ROOT / wing for wing in (*WINGS, "tests", "tools")]
    return sorted(p for place in places for p in place.rglob("*.py"))


def _kept() -> list[Path]:
    """Files that are, or would be, committed."""
    done = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT, capture_output=True, check=True,
    )  # fmt: skip
    return [p for name in done.stdout.decode().split("\0") if name and (p := ROOT / name).is_file()]


def undocumented(tree: ast.Module) -> Iterator[str]:
    """Public classes and functions of a module, and public methods, that have no docstring.

    A method that overrides one of a base class of the same module inherits its description.
    """
    if ast.get_docstring(tree) is None and tree.body:
        yield "the module"
    for node in tree.body:
        if not isinstance(node, (*type_of_function, ast.ClassDef)) or node.name.startswith("_"):
            continue
        if ast.get_docstring(node) is None:
            yield node.name
        if isinstance(node, ast.ClassDef):
            for method in node.body:
                if not isinstance(method, type_of_function) or method.name.startswith("_"):
                    continue
                described = ast.get_docstring(method) is not None
                exempt = any(
                    "overload" in ast.unparse(d) or "override" in ast.unparse(d)
                    for d in method.decorator_list
                )
                exempt = exempt or any(".setter" in ast.unparse(d) for d in method.decorator_list)
                if not described and not exempt:
                    yield f"{node.name}.{method.name}"


def _relative(path: Path) -> str:
    return str(path.relative_to(ROOT))


@pytest.mark.parametrize("path", _sources(), ids=_relative)
def test_files_and_functions_fit_a_room(path: Path) -> None:
    text = path.read_text("utf-8")
    assert text.count("\n") <= LONGEST_FILE
    long = {
        f"{_relative(path)}::{node.name}": node.end_lineno - node.lineno + 1
        for node in ast.walk(ast.parse(text))
        if isinstance(node, type_of_function) and node.end_lineno is not None
    }
    over = {name: lines for name, lines in long.items() if lines > LONGEST_FUNCTION}
    assert [name for name in over if name not in LONG_FUNCTIONS] == []
    granted = [name for name in LONG_FUNCTIONS if name.startswith(f"{_relative(path)}::")]
    assert [name for name in granted if name not in over] == [], "no longer needs its exception"


@pytest.mark.parametrize(
    "path", [p for p in _sources() if p.relative_to(ROOT).parts[0] in (*WINGS, "tools")], ids=_relative
)
def test_every_public_name_is_described(path: Path) -> None:
    assert list(undocumented(ast.parse(path.read_text("utf-8")))) == []


def test_the_docstring_check_sees_what_is_missing() -> None:
    source = '"""m"""\nclass A:\n    """a"""\n    def f(self): pass\n    def _g(self): pass\ndef h(): pass\n'
    assert list(undocumented(ast.parse(source))) == ["A.f", "h"]


@pytest.mark.parametrize("path", _sources(), ids=_relative)
def test_no_unfinished_work_lands(path: Path) -> None:
    words = "TO" + "DO", "FIX" + "ME", "XX" + "X"
    assert [w for w in words if re.search(rf"#.*\b{w}\b", path.read_text("utf-8"))] == []


def test_the_repository_names_no_registry() -> None:
    found = []
    for path in _kept():
        raw = path.read_bytes()
        if path == Path(__file__) or b"\0" in raw[:4096]:
            continue
        found += [f"{_relative(path)}: {host}" for host in HOSTS if host in raw.decode("utf-8", "replace")]
    assert found == []


def test_the_repository_holds_no_private_key() -> None:
    mark = re.compile(rb"-----BEGIN [A-Z ]*PRIVATE" + rb" KEY-----")
    assert [_relative(p) for p in _kept() if mark.search(p.read_bytes())] == []


def test_tests_have_no_packages() -> None:
    assert list((ROOT / "tests").rglob("__init__.py")) == []
