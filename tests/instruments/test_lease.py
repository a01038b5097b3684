"""Leases: one owner, named to others; a dead one's is taken over with a note; another machine's until it expires."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from contextlib import ExitStack
from pathlib import Path

import pytest

from instruments import lease as room
from instruments.lease import EXPIRES_S, Lease, lease_folder, lease_path, renew, take_all
from standards.errors import UsageError

ROOT = Path(__file__).resolve().parents[2]
HOLDER = """
import sys, time
from pathlib import Path
from instruments.lease import Lease
held = Lease(Path(sys.argv[1]), "the station s", run="records/gate-3")
held.take()
print("held", flush=True)
time.sleep(60)
"""


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BENCH_LEASES", str(tmp_path / "leases"))


def _foreign(path: Path, until: float, host: str = "elsewhere") -> None:
    path.write_text(
        json.dumps(
            {"user": "li", "pid": 7, "host": host, "since": 1.0, "until": until, "run": "r", "what": ""}
        )
    )


def test_one_at_a_time_and_the_owner_is_named() -> None:
    path = lease_path("station", "a")
    process = subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(path)], cwd=ROOT, stdout=subprocess.PIPE, text=True
    )
    with process:
        assert process.stdout is not None and process.stdout.readline() == "held\n"
        with pytest.raises(UsageError) as caught:
            Lease(path, "the station s").take()
        words = str(caught.value)
        assert (
            f"process {process.pid} on" in words
            and "records/gate-3" in words
            and "Mend: wait for it" in words
        )
        process.kill()
    with Lease(path, "the station s") as after:
        assert "taken over from" in after.note and f"process {process.pid}" in after.note
    with Lease(path, "the station s") as clean:
        assert clean.note == "", "given back in order"


def test_another_machines_lease_counts_until_it_expires() -> None:
    path = lease_path("station", "b")
    _foreign(path, time.time() + 60)
    with pytest.raises(UsageError, match=r"from another machine: li, process 7 on elsewhere.*Mend"):
        Lease(path, "the station s").take()
    _foreign(path, time.time() - 1)
    with Lease(path, "the station s") as taken:
        assert "elsewhere" in taken.note


def test_renewing_moves_the_expiry() -> None:
    with Lease(lease_path("x"), "x") as held:
        before = json.loads(held.path.read_text())["until"]
        renew(held.fileno(), EXPIRES_S + 100)
        assert json.loads(held.path.read_text())["until"] > before + 50
        held.renew()
    held.renew()
    assert held.path.read_text() == "", "what was given back is not renewed"


def test_leases_are_renewed_while_they_are_held(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(room, "EXPIRES_S", 0.2)
    path = lease_path("y")
    with ExitStack() as stack:
        take_all([Lease(path, "y")], stack)
        first = json.loads(path.read_text())["until"]
        deadline = time.monotonic() + 10
        while json.loads(path.read_text() or "{}").get("until", 0) <= first:
            assert time.monotonic() < deadline
            time.sleep(0.02)


def test_all_or_none() -> None:
    first, second = Lease(lease_path("1"), "one"), Lease(lease_path("2"), "two")
    with ExitStack() as stack, Lease(lease_path("2"), "two"):
        with pytest.raises(UsageError, match="two is in use"):
            take_all([first, second], stack)
        with Lease(lease_path("1"), "one") as free:
            assert free.note == ""


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"pid": "x"}', b"\xff" * 9000])
def test_a_damaged_signature_is_no_owner(content: bytes) -> None:
    path = lease_path("z")
    path.write_bytes(content)
    with Lease(path, "z") as held:
        assert held.note == ""


def test_a_folder_that_all_may_use(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert lease_folder().stat().st_mode & 0o7777 == 0o1777
    with Lease(lease_path("q"), "q") as held:
        assert held.path.stat().st_mode & 0o666 == 0o666
    blocked = tmp_path / "file"
    blocked.write_text("")
    monkeypatch.setenv("BENCH_LEASES", str(blocked / "leases"))
    with pytest.raises(UsageError, match="BENCH_LEASES"):
        lease_folder()


def test_a_link_is_not_followed(tmp_path: Path) -> None:
    path = lease_path("link")
    target = tmp_path / "target"
    target.write_text("precious")
    os.symlink(target, path)
    with pytest.raises(UsageError, match="cannot be opened"):
        Lease(path, "link").take()
    assert target.read_text() == "precious"
