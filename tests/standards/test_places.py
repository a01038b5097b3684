"""Errors point at the line."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, ConfigDict

from standards.errors import BadFile
from standards.files import read_toml
from standards.places import line_of

TEXT = """# a comment
name = "x"

[standard]
name = "GB 1"   # its name

[[clause]]
row = "A"

[clause.condition]
ptz = [true]

[[clause]]
"row" = "B"
unit = "s"
inline = { a = 1 }

[[clause.part]]
x = 1

[[clause.part]]
x = 2
"""


@pytest.mark.parametrize(
    ("key", "line"),
    [
        ("name", 2), ("standard.name", 5), ("standard.missing", 4), ("clause[1].row", 8), ("clause[2].row", 14),
        ("clause[2] (B).unit", 15), ("clause[2].missing", 13), ("clause[1].condition.ptz", 11),
        ("clause[1].condition.ptz[1]", 11), ("clause[2].part[2].x", 22), ("clause[2].inline.a", 16),
        ("clause[3].row", None), ("nothing", None), ("", None),
    ],
)  # fmt: skip
def test_the_line_of_a_key(key: str, line: int | None) -> None:
    assert line_of(TEXT, key) == line


@given(st.text(max_size=200), st.text(max_size=30))
def test_any_text_has_a_line_or_none(text: str, key: str) -> None:
    found = line_of(text, key)
    assert found is None or 1 <= found <= len(text.splitlines())


class _Inner(BaseModel):
    model_config = ConfigDict(extra="forbid")
    x: int


class _Outer(BaseModel):
    model_config = ConfigDict(extra="forbid")
    part: tuple[_Inner, ...]


def test_a_bad_file_names_its_line(tmp_path: Path) -> None:
    file = tmp_path / "a.toml"
    file.write_text("[[part]]\nx = 1\n\n[[part]]\ny = 2\n")
    with pytest.raises(
        BadFile, match=r"a.toml:5: part\[2\].y: unknown key. Mend: did you mean 'x'\?|remove it"
    ):
        read_toml(file, _Outer)
