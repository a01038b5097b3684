"""read_toml: every way a file can be wrong is told with file, key and mend."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from standards.declaration import Declaration, load_declaration
from standards.errors import BadFile
from standards.files import read_toml


def test_a_missing_file_and_a_folder(tmp_path: Path) -> None:
    with pytest.raises(BadFile, match="cannot be read"):
        read_toml(tmp_path / "none.toml", Declaration)
    with pytest.raises(BadFile, match="cannot be read"):
        read_toml(tmp_path, Declaration)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"\xff\xfe", "not UTF-8"),
        (b"#" * ((1 << 20) + 1), "bytes long"),
        (b"x = " + b"[" * 5000, "Mend:"),
        (b"x = " + b"9" * 5000, "beyond all bounds"),
        (b"x = 1e9999999999999999999", "beyond all bounds"),
        (b"\xef\xbb\xbf[camera]", "byte order mark"),
        (b"x = = 1", "not TOML"),
        (b"[camera]\nkind = 'network'\nkind = 'analogue'", "not TOML"),
        (b"[camra]", "did you mean 'camera'?"),
        (b"[camera]\nflavour = 1", "known here: point_class, kind, definition"),
        (b"[camera]\npoint_class = 4", "camera.point_class"),
        (b"[camera]\npoint_class = true", "camera.point_class"),
        (b"[dates]\ndesign = 'soon'", "dates.design"),
    ],
)
def test_what_is_wrong_is_named(tmp_path: Path, content: bytes, words: str) -> None:
    path = tmp_path / "declaration.toml"
    path.write_bytes(content)
    with pytest.raises(BadFile) as caught:
        load_declaration(path)
    assert words in str(caught.value) and str(path) in str(caught.value)


def test_a_file_without_an_end_is_not_read_whole() -> None:
    with pytest.raises(BadFile, match="bytes long"):
        read_toml(Path("/dev/zero"), Declaration)


@given(st.binary(max_size=200) | st.text(max_size=200).map(str.encode))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)
def test_any_bytes_are_read_or_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "any.toml"
    path.write_bytes(content)
    try:
        load_declaration(path)
    except BadFile as error:
        assert error.mend
