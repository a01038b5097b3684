"""The bundle installs on a machine without any network, and what it installed works."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent.parent
WINGS = ("bench", "fixtures", "instruments", "reports", "standards")
NOWHERE = "http://127.0.0.1:9"  # the discard port: nobody answers

pytestmark = pytest.mark.timeout(600)


def _environment() -> dict[str, str]:
    """Without what would lead Python or pip anywhere but into the bundle."""
    kept = {
        k: v for k, v in os.environ.items() if not k.startswith(("PIP_", "PYTHON", "COVERAGE", "VIRTUAL_ENV"))
    }
    proxies = dict.fromkeys(("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"), NOWHERE)
    # Nothing of what is installed here is used twice: compiling it all would be most of the time. (A "no" option of
    # pip is switched on by a falsy value of its variable.)
    return {**kept, **proxies, "PYTHON": sys.executable, "PIP_NO_COMPILE": "0"}


def _cage() -> list[str]:
    """Command that runs another in a network namespace with no interface; empty where not permitted."""
    for command in (["unshare", "-n"], ["unshare", "-rn"]):
        if (
            shutil.which("unshare")
            and subprocess.run([*command, "true"], capture_output=True, check=False).returncode == 0
        ):
            return command
    return []


def _offline(*command: str | Path, cwd: Path) -> subprocess.CompletedProcess[str]:
    arguments = [*_cage(), *(str(part) for part in command)]
    return subprocess.run(arguments, cwd=cwd, env=_environment(), capture_output=True, text=True, check=False)


@pytest.fixture(scope="module")
def unpacked(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The bundle's folder, unpacked as a user would."""
    out = tmp_path_factory.mktemp("bundle")
    command: list[str | Path] = [sys.executable, ROOT / "tools" / "bundle.py", "--out", out]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    (archive,) = out.glob("camcert-*.tar")
    subprocess.run(["tar", "-xf", archive], cwd=out, check=True)
    archive.unlink()
    (folder,) = (p for p in out.iterdir() if p.is_dir())
    return folder


def test_the_wheel_holds_every_file_of_the_packages(unpacked: Path) -> None:
    (wheel,) = (unpacked / "wheels").glob("camcert-*.whl")
    with zipfile.ZipFile(wheel) as packed:
        inside = set(packed.namelist())
    done = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard", *WINGS],
        cwd=ROOT, capture_output=True, text=True, check=True,
    )  # fmt: skip
    wanted = {name for name in done.stdout.split("\0") if name and (ROOT / name).is_file()}
    assert len(wanted) > 50
    assert wanted - inside == set()


def test_it_installs_and_runs_without_any_network(unpacked: Path, tmp_path: Path) -> None:
    done = _offline(unpacked / "install", tmp_path / "env", cwd=tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    bench = tmp_path / "env" / "bin" / "bench"
    told = _offline(bench, "--version", cwd=tmp_path)
    assert told.returncode == 0, told.stdout + told.stderr
    assert "0.1.0" in told.stdout
    assert "simulate" in _offline(bench, "--help", cwd=tmp_path).stdout
    listed = _offline(bench, "chart", "camcert-1", "--out", tmp_path / "chart.svg", cwd=tmp_path)
    assert listed.returncode == 0, listed.stdout + listed.stderr
    assert (tmp_path / "chart.svg").stat().st_size > 1000


def test_an_altered_wheel_is_refused(unpacked: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(unpacked, copy, copy_function=os.link)
    wheel = min((copy / "wheels").glob("*.whl"), key=lambda p: p.stat().st_size)
    content = bytearray(wheel.read_bytes())
    content[len(content) // 2] ^= 1
    wheel.unlink()
    wheel.write_bytes(content)
    done = _offline(copy / "install", tmp_path / "env", cwd=tmp_path)
    assert done.returncode != 0
    assert wheel.name in done.stdout + done.stderr
    assert not (tmp_path / "env").exists()
