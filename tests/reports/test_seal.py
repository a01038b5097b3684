"""Seal and verify: whatever is altered in a record is found and named, whenever sealing was killed."""

from __future__ import annotations

import hashlib
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import reports.seal as module
from reports.folder import DOCUMENTS, JOURNAL, PLAN, RESULTS, SEAL, json_text, read_plan, write_whole
from reports.journal import Journal, replay
from reports.record import EventKind, Plan, digest_of
from reports.seal import read_documents, read_seal, register, seal
from reports.verify import NOT_SEALED, Problem, verify
from standards.errors import PlanMismatch, RecordError

Make = Callable[..., Path]


def _with_document(folder: Path) -> Path:
    (folder / "report.pdf").write_bytes(b"%PDF-1.7\n" + bytes(range(256)) * 4)
    register(folder, folder / "report.pdf", kind="inspection", software="camcert 0.1.0")
    return folder


def _rewrite(folder: Path, change: Callable[[list[dict[str, Any]]], None]) -> None:
    """Make a new journal with altered events: every chain in order, as a forger with the program could."""
    events: list[dict[str, Any]] = [
        {"kind": event.kind, "data": event.data} for event in replay(folder / JOURNAL)
    ]
    change(events)
    for name in (JOURNAL, SEAL):
        (folder / name).unlink()
    with Journal.create(folder / JOURNAL) as journal:
        for event in events:
            journal.append(event["kind"], event["data"])
    seal(folder)


def test_a_sealed_record_verifies(make_record: Make) -> None:
    folder = _with_document(make_record())
    assert verify(folder) == []
    sealed = read_seal(folder)
    assert sealed.files.keys() >= {"plan.json", "journal.jsonl", "results.json", "junit.xml"}
    assert sum(name.startswith("objects/") for name in sealed.files) == 2


def test_one_flipped_byte_in_any_file_names_the_file(make_record: Make) -> None:
    folder = _with_document(make_record())
    chance = random.Random(230)
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    assert len(files) == 9
    for path in files:
        content = path.read_bytes()
        places = {0, len(content) - 1, *(chance.randrange(len(content)) for _ in range(12))}
        for place in places:
            broken = bytearray(content)
            broken[place] ^= 1 << chance.randrange(8)
            path.write_bytes(broken)
            assert path.relative_to(folder).as_posix() in {problem.file for problem in verify(folder)}
        path.write_bytes(content)
    assert verify(folder) == []


def test_a_file_removed_or_added_is_named(make_record: Make) -> None:
    folder = _with_document(make_record())
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        content = path.read_bytes()
        path.unlink()
        name = path.relative_to(folder).as_posix()
        wanted = "report.pdf" if name == DOCUMENTS else name
        assert wanted in {problem.file for problem in verify(folder)}
        path.write_bytes(content)
    for name in ("note.txt", "objects/x", "objects/sha256/ab/" + "0" * 62, ".hidden"):
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_bytes(b"")
        assert name in {problem.file for problem in verify(folder)}
        (folder / name).unlink()
    (folder / "link").symlink_to(folder / PLAN)
    assert verify(folder) == [Problem("link", "is not a plain file")]


def test_an_unsealed_record_is_checked_and_said_to_be_unsealed(make_record: Make) -> None:
    folder = make_record(sealed=False)
    assert verify(folder) == [Problem(SEAL, NOT_SEALED)]
    content = (folder / JOURNAL).read_bytes()
    (folder / JOURNAL).write_bytes(content.replace(b"SIM-C1", b"SIM-C2"))
    assert JOURNAL in {problem.file for problem in verify(folder)}
    (folder / JOURNAL).write_bytes(content + b'{"data"')
    assert any(problem.file == JOURNAL and "torn" in problem.text for problem in verify(folder))


def test_a_verdict_that_the_finding_does_not_give_is_found(make_record: Make) -> None:
    folder = make_record()

    def better(events: list[dict[str, Any]]) -> None:
        end = next(e for e in events if e["kind"] == "judged" and e["data"]["item"] == "IMG-08")
        end["data"]["conformity"]["verdict"] = "pass"

    _rewrite(folder, better)
    assert [str(problem) for problem in verify(folder)] == [
        "journal.jsonl: IMG-08 is journalled as pass, the plan and the finding give fail"
    ]


def test_a_value_altered_behind_its_verdict_is_found(make_record: Make) -> None:
    folder = make_record()

    def slower(events: list[dict[str, Any]]) -> None:
        for event in events:
            if event["kind"] == "measured":
                estimate = event["data"]["finding"]["estimate"]
                if estimate["quantity"] == "latency.to_centre":
                    estimate["value"] = 2.5

    _rewrite(folder, slower)
    assert "NET-01 is journalled as pass" in str(verify(folder)[0])


def test_evidence_that_is_named_must_be_there(make_record: Make) -> None:
    folder = make_record(sealed=False)
    shutil.rmtree(folder / "objects")
    seal(folder)
    assert any("is missing: journal line" in problem.text for problem in verify(folder))


def test_results_edited_and_sealed_again_are_found(make_record: Make) -> None:
    """A seal made by hand around other results does not help: they are derived again."""
    folder = make_record()
    text = (folder / RESULTS).read_bytes().replace(b'"recommended": "not_met"', b'"recommended": "met"')
    (folder / RESULTS).write_bytes(text)
    plain = json.loads((folder / SEAL).read_bytes())
    plain["files"][RESULTS] = {"sha256": hashlib.sha256(text).hexdigest(), "bytes": len(text)}
    plain.pop("digest")
    (folder / SEAL).write_bytes(json_text({**plain, "digest": digest_of(plain)}))
    assert verify(folder) == [Problem(RESULTS, "is not what plan and journal give")]


def test_a_seal_of_another_record_does_not_fit(make_record: Make, make_plan: Callable[..., Plan]) -> None:
    one, other = make_record("one"), make_record("other", frozen=make_plan(interruption_s=3.0))
    shutil.copy(other / SEAL, one / SEAL)
    assert {PLAN, JOURNAL} <= {problem.file for problem in verify(one)}


def test_hostile_seals_are_problems_not_crashes(make_record: Make) -> None:
    folder = make_record()
    for content in (b"", b"[]", b"{}", b'{"digest": 1}', b"\xff", b"[" * 100_000, b'{"digest":NaN}'):
        (folder / SEAL).write_bytes(content)
        assert SEAL in {problem.file for problem in verify(folder)}
    plain = {"schema": "camcert/seal/1", "run": "x", "plan_sha256": "", "chain_head": "",
             "files": {"../../etc/passwd": {"sha256": "", "bytes": 0}}}  # fmt: skip
    (folder / SEAL).write_bytes(json_text({**plain, "digest": digest_of(plain)}))
    assert "../../etc/passwd" in {problem.file for problem in verify(folder)}


def test_sealing_again_keeps_the_seal(make_record: Make) -> None:
    folder = make_record()
    before = (folder / SEAL).read_bytes()
    assert seal(folder).digest == json.loads(before)["digest"]
    assert (folder / SEAL).read_bytes() == before


def test_sealing_goes_on_after_each_step_it_may_be_killed_in(
    make_record: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Killed(BaseException):
        pass

    genuine = write_whole
    for step in range(3):
        folder = make_record(f"run{step}", sealed=False)
        left = [step]

        def write(path: Path, content: bytes, left: list[int] = left) -> None:
            if left[0] == 0:
                path.with_name(f".{path.name}.partial").write_bytes(content[: len(content) // 2])
                raise Killed
            left[0] -= 1
            genuine(path, content)

        monkeypatch.setattr(module, "write_whole", write)
        with pytest.raises(Killed):
            seal(folder)
        monkeypatch.setattr(module, "write_whole", genuine)
        seal(folder)
        assert verify(folder) == []
        assert sum(event.kind is EventKind.SEALING for event in replay(folder / JOURNAL)) == 1


def test_sigkill_at_random_moments_of_sealing(make_record: Make) -> None:
    script = (
        "import sys\nfrom pathlib import Path\nfrom reports.seal import seal\n"
        "print('go', flush=True)\nseal(Path(sys.argv[1]))\n"
    )
    chance = random.Random(15)
    for number in range(4):
        folder = make_record(f"run{number}", sealed=False)
        with subprocess.Popen([sys.executable, "-c", script, str(folder)], stdout=subprocess.PIPE) as process:
            assert process.stdout is not None
            process.stdout.readline()
            time.sleep(chance.uniform(0.0, 0.02))
            os.kill(process.pid, signal.SIGKILL)
        seal(folder)
        assert verify(folder) == []


def test_only_the_plan_of_the_journal_is_sealed(make_record: Make, make_plan: Callable[..., Plan]) -> None:
    folder = make_record(sealed=False)
    (folder / PLAN).write_bytes(json_text(make_plan(interruption_s=9.0).model_dump(mode="json")))
    with pytest.raises(PlanMismatch):
        seal(folder)
    assert PLAN in {problem.file for problem in verify(folder)}


def test_documents_are_listed_with_the_record_they_came_from(make_record: Make) -> None:
    folder = _with_document(make_record())
    documents = read_documents(folder)
    assert documents is not None
    assert documents.record == read_seal(folder).digest
    (folder / "report.pdf").write_bytes(b"%PDF other")
    assert "report.pdf" in {problem.file for problem in verify(folder)}
    register(folder, folder / "report.pdf", kind="inspection", software="camcert 0.1.0")
    assert verify(folder) == []
    with pytest.raises(RecordError, match="belongs to the record"):
        register(folder, folder / PLAN, kind="inspection", software="camcert 0.1.0")
    with pytest.raises(RecordError, match="not sealed"):
        register(make_record("open", sealed=False), folder / "report.pdf", kind="inspection", software="x")


def test_a_folder_that_is_none(tmp_path: Path) -> None:
    assert verify(tmp_path / "absent")
    assert [problem.file for problem in verify(tmp_path)] == ["."]
    assert "is no record" in verify(tmp_path)[0].text


def test_a_plan_of_another_schema_says_so(tmp_path: Path) -> None:
    """A record of another version is no altered record: whoever verifies it is told which version to take."""
    (tmp_path / PLAN).write_text('{"schema": "camcert/plan/1", "software": "camcert 0.0.9"}')
    with pytest.raises(
        RecordError, match=r"schema camcert/plan/1, this version reads camcert/plan/3.*camcert 0.0.9"
    ):
        read_plan(tmp_path)
