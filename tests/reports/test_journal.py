"""The journal: what is written comes back, what was altered shows, what was cut off is repaired."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from reports.journal import FIRST, Event, Journal, head_of, replay
from reports.record import EventKind
from standards.errors import RecordError

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(codec="utf-8"), max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)  # fmt: skip
DATA = st.dictionaries(st.text(st.characters(codec="utf-8"), max_size=8), VALUES, max_size=4)
FAST = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


def _journal(path: Path, lines: int = 4, *, sealed: bool = False) -> bytes:
    path.unlink(missing_ok=True)
    with Journal.create(path) as journal:
        for number in range(lines):
            journal.append(EventKind.NOTE, {"text": f"第{number}行\u2028\r", "value": number / 3})
        if sealed:
            journal.append(EventKind.SEALING, {})
    return path.read_bytes()


@FAST
@given(items=st.lists(DATA, min_size=1, max_size=5))
def test_what_is_written_comes_back(tmp_path: Path, items: list[dict[str, Any]]) -> None:
    path = tmp_path / "journal.jsonl"
    path.unlink(missing_ok=True)
    with Journal.create(path) as journal:
        written = [journal.append(EventKind.NOTE, data) for data in items]
        head = journal.head
    assert list(replay(path)) == written
    assert [event.data for event in written] == items
    assert head_of(replay(path)) == head
    with Journal.open(path) as again:
        assert again.head == head
        assert list(again.events) == written


def test_lines_are_chained_by_the_digest_of_the_line_before(tmp_path: Path) -> None:
    _journal(tmp_path / "j")
    events = replay(tmp_path / "j")
    assert [event.seq for event in events] == [0, 1, 2, 3]
    assert [event.prev for event in events] == [FIRST, *(head_of(events[:n]) for n in (1, 2, 3))]


@FAST
@given(data=st.data(), sealed=st.booleans())
def test_one_flipped_bit_is_found(tmp_path: Path, data: st.DataObject, sealed: bool) -> None:
    """Anywhere in a journal; at the very end of an unsealed one the flip may make a torn tail of it."""
    path = tmp_path / "j"
    content = bytearray(_journal(path, sealed=sealed))
    whole = replay(path)
    at = data.draw(st.integers(0, len(content) - 1))
    content[at] ^= 1 << data.draw(st.integers(0, 7))
    path.write_bytes(content)
    with pytest.raises(RecordError, match="journal line"):
        replay(path)
    if at == len(content) - 1:
        with Journal.open(path) as journal:
            assert journal.events[:-1] == whole[:-1]
            assert journal.events[-1].kind is EventKind.REPAIRED
    else:
        with pytest.raises(RecordError):
            Journal.open(path)


@FAST
@given(data=st.data())
def test_a_cut_leaves_a_prefix_and_a_repair(tmp_path: Path, data: st.DataObject) -> None:
    path = tmp_path / "j"
    content = _journal(path)
    whole = replay(path)
    cut = data.draw(st.integers(0, len(content) - 1))
    path.write_bytes(content[:cut])
    torn = cut - (content[:cut].rfind(b"\n") + 1)
    with Journal.open(path) as journal:
        kept = journal.events
        journal.append(EventKind.NOTE, {"text": "goes on"})
    if torn:
        assert kept[-1].kind is EventKind.REPAIRED
        assert kept[-1].data == {"dropped_bytes": torn}
        kept = kept[:-1]
    assert kept == whole[: len(kept)]
    assert replay(path)[-1].data == {"text": "goes on"}


def test_a_torn_tail_is_named_on_replay(tmp_path: Path) -> None:
    content = _journal(tmp_path / "j")
    (tmp_path / "j").write_bytes(content + b'{"seq":4')
    with pytest.raises(RecordError, match="line 5 is torn"):
        replay(tmp_path / "j")


def test_nothing_follows_the_sealing(tmp_path: Path) -> None:
    path = tmp_path / "j"
    content = _journal(path, sealed=True)
    with Journal.open(path) as journal, pytest.raises(RecordError, match="sealed"):
        journal.append(EventKind.NOTE, {})
    path.write_bytes(content + b"{")
    with pytest.raises(RecordError, match="follow the sealing"):
        Journal.open(path)
    assert path.read_bytes() == content + b"{"
    last = replay_of(content, path)[-1]
    forged = Event(last.seq + 1, last.time_ns, EventKind.NOTE, {}, head_of(replay_of(content, path)))
    path.write_bytes(content + forged.line())
    with pytest.raises(RecordError, match="line 6 follows the sealing"):
        replay(path)


def replay_of(content: bytes, path: Path) -> tuple[Event, ...]:
    path.write_bytes(content)
    return replay(path)


@pytest.mark.parametrize("kind", ["[]", "{}", "1", '"unheard_of"', "null"])
def test_an_event_of_an_unknown_kind_is_refused(tmp_path: Path, kind: str) -> None:
    line = f'{{"data":{{}},"kind":{kind},"prev":"{FIRST}","seq":0,"sum":"","time_ns":1}}\n'
    with pytest.raises(RecordError, match="this version knows"):
        replay_of(line.encode(), tmp_path / "j")


@pytest.mark.parametrize("order", [[0, 2, 1, 3], [0, 1, 3], [1, 2, 3], [0, 1, 1, 2, 3]])
def test_lines_moved_removed_or_doubled_are_found(tmp_path: Path, order: list[int]) -> None:
    lines = _journal(tmp_path / "j").split(b"\n")[:-1]
    (tmp_path / "j").write_bytes(b"".join(lines[i] + b"\n" for i in order))
    with pytest.raises(RecordError, match="journal line"):
        replay(tmp_path / "j")


@FAST
@given(content=st.binary(max_size=200) | st.text(max_size=50).map(str.encode))
def test_any_bytes_are_refused_politely(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "j").write_bytes(content)
    if content:
        with pytest.raises(RecordError):
            replay(tmp_path / "j")


def test_one_writer_at_a_time(tmp_path: Path) -> None:
    with Journal.create(tmp_path / "j"):
        with pytest.raises(RecordError, match="another process"):
            Journal.open(tmp_path / "j")
        with pytest.raises(RecordError, match="no journal can be started"):
            Journal.create(tmp_path / "j")
    Journal.open(tmp_path / "j").close()


def test_what_is_no_json_value_is_refused_and_nothing_is_written(tmp_path: Path) -> None:
    with Journal.create(tmp_path / "j") as journal:
        for bad in (float("nan"), "\ud800"):
            with pytest.raises(ValueError):
                journal.append(EventKind.NOTE, {"x": bad})
        journal.append(EventKind.NOTE, {"x": 1})
    assert len(replay(tmp_path / "j")) == 1


def test_a_full_disk_is_said_and_stops_the_journal(tmp_path: Path) -> None:
    with Journal.create(tmp_path / "j") as journal:
        journal.append(EventKind.NOTE, {})
        full = os.open("/dev/full", os.O_WRONLY)
        os.dup2(full, journal._handle)
        os.close(full)
        for match in ("cannot be written", "closed"):
            with pytest.raises(RecordError, match=match):
                journal.append(EventKind.NOTE, {})
    assert len(replay(tmp_path / "j")) == 1


def test_sigkill_loses_no_event_that_was_acknowledged(tmp_path: Path) -> None:
    script = (
        "import sys\nfrom pathlib import Path\nfrom reports.journal import Journal\n"
        "from reports.record import EventKind\n"
        "with Journal.create(Path(sys.argv[1])) as journal:\n"
        "    for n in range(10**6):\n"
        "        journal.append(EventKind.NOTE, {'n': n})\n"
        "        print(n, flush=True)\n"
    )
    path = tmp_path / "j"
    with subprocess.Popen([sys.executable, "-c", script, str(path)], stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        for _ in range(30):
            process.stdout.readline()
        process.send_signal(signal.SIGKILL)
        rest = process.stdout.read().split()
    acknowledged = int(rest[-1]) if rest else 29
    with Journal.open(path) as journal:
        notes = [event.data["n"] for event in journal.events if event.kind is EventKind.NOTE]
    assert notes[: acknowledged + 1] == list(range(acknowledged + 1))


@pytest.mark.parametrize("share", [0.0, 0.5, 1.0])
def test_ctrl_c_within_a_write_does_not_fork_the_chain(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, share: float
) -> None:
    """It may come when nothing, a part or all of the line is on the disk; what follows follows what is there."""
    path = tmp_path / "j"
    with Journal.create(path) as journal:
        journal.append(EventKind.NOTE, {"n": 0})

        def interrupted(handle: int, line: bytes) -> None:
            os.write(handle, line[: round(share * len(line))])
            raise KeyboardInterrupt

        with monkeypatch.context() as patch:
            patch.setattr("reports.journal._write", interrupted)
            with pytest.raises(KeyboardInterrupt):
                journal.append(EventKind.NOTE, {"n": 1})
        kinds = [event.kind for event in journal.events]
        journal.append(EventKind.CLOSED, {})
        head = journal.head
    lost = {0.0: [], 0.5: [EventKind.REPAIRED], 1.0: [EventKind.NOTE]}[share]
    assert kinds == [EventKind.NOTE, *lost]
    assert [event.kind for event in replay(path)] == [*kinds, EventKind.CLOSED]
    assert head_of(replay(path)) == head
