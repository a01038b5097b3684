"""The evidence store: named by content, durable, altered bytes refused."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from reports.evidence import Evidence
from standards.errors import RecordError

FAST = settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@FAST
@given(content=st.binary(max_size=500))
def test_what_is_put_comes_back_under_its_digest(tmp_path: Path, content: bytes) -> None:
    store = Evidence(tmp_path)
    digest = store.put(content)
    assert digest == "sha256:" + hashlib.sha256(content).hexdigest()
    assert store.put(content) == digest
    assert store.get(digest) == content
    assert store.verify() == []
    name = digest.removeprefix("sha256:")
    assert store.path(digest) == tmp_path / "objects" / "sha256" / name[:2] / name[2:]


def test_altered_bytes_are_refused_and_named(tmp_path: Path) -> None:
    store = Evidence(tmp_path)
    digest = store.put(b"what was seen")
    store.path(digest).write_bytes(b"what was told")
    with pytest.raises(RecordError, match="altered"):
        store.get(digest)
    with pytest.raises(RecordError, match="altered"):
        store.put(b"what was seen")
    assert [path for path, _ in store.verify()] == [store.path(digest)]


@pytest.mark.parametrize(
    "bad", ["", "sha256:", "sha256:../../../../etc/passwd", "md5:" + "0" * 64, "sha256:" + "A" * 64]
)
def test_a_name_that_is_no_digest_is_refused(tmp_path: Path, bad: str) -> None:
    with pytest.raises(RecordError, match="not an evidence digest"):
        Evidence(tmp_path).get(bad)


def test_missing_and_foreign_objects(tmp_path: Path) -> None:
    store = Evidence(tmp_path)
    with pytest.raises(RecordError, match="missing"):
        store.get("sha256:" + "0" * 64)
    store.put(b"x")
    foreign = tmp_path / "objects" / "sha256" / "zz" / "note.txt"
    foreign.parent.mkdir()
    foreign.write_bytes(b"")
    assert [path for path, _ in store.verify()] == [foreign]


def test_what_a_killed_put_left_is_cleared(tmp_path: Path) -> None:
    store = Evidence(tmp_path)
    store.put(b"x")
    (tmp_path / "objects" / "partial" / "half").write_bytes(b"ha")
    store.clear_partial()
    assert not (tmp_path / "objects" / "partial").exists()
    assert len(list(store.files())) == 1
