"""The JSON schemas that editors check TOML files by are those of the models."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path

import pytest
from click.testing import CliRunner

from bench.cli import main

ROOT = Path(__file__).resolve().parents[2]
KINDS = ("clauses", "quantities", "overlay", "scheme", "declaration")


@pytest.mark.parametrize("kind", KINDS)
def test_the_schema_in_the_tree_is_the_printed_one(kind: str) -> None:
    printed = CliRunner().invoke(main, ["standards", "schema", kind])
    assert printed.exit_code == 0
    assert printed.output == (ROOT / "standards" / "schemas" / f"{kind}.json").read_text("utf-8")


def test_every_key_in_use_is_in_the_schema() -> None:
    schema = json.loads((ROOT / "standards" / "schemas" / "clauses.json").read_text("utf-8"))
    known = set(schema["$defs"]["Row"]["properties"])
    used: set[str] = set()
    for path in (ROOT / "standards" / "clauses").glob("*.toml"):
        for clause in tomllib.loads(path.read_text("utf-8"))["clause"]:
            used |= set(clause)
    assert used <= known
    assert "evidence" in used and "limt" not in known


def test_the_editor_finds_them() -> None:
    rules = tomllib.loads((ROOT / ".taplo.toml").read_text("utf-8"))["rule"]
    assert {rule["schema"]["path"] for rule in rules} == {
        f"standards/schemas/{kind}.json" for kind in KINDS if kind != "overlay"
    }
    for rule in rules:
        assert list(ROOT.glob(rule["include"][0])), rule["include"]
