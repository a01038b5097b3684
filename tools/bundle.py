"""Make one archive that installs camcert on a machine without any network.

``python tools/bundle.py --out dist`` fetches (or builds: onvif-zeep exists as source only) a wheel of every
line of requirements.lock for the Python that runs it, adds camcert's own, a lock of exactly these wheels and
an ``install`` script, and packs all that into ``dist/camcert-<version>-<python>-<platform>.tar``. The same
wheels give the same archive, byte for byte.
"""

from __future__ import annotations

import argparse
import hashlib
import io
import shutil
import subprocess
import sys
import sysconfig
import tarfile
import tempfile
import tomllib
from pathlib import Path

__all__ = ["bundle", "main"]

ROOT = Path(__file__).resolve().parent.parent

INSTALL = """#!/bin/sh
# Install camcert into the folder named (default: ./camcert-env). Needs {python}; uses no network.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
target=${{1:-camcert-env}}
python=${{PYTHON:-{python}}}
tag=$("$python" -c 'import sys; print("cp%d%d" % sys.version_info[:2])') || tag=none
if [ "$tag" != {tag} ]; then
    echo "these wheels are for {python}, and '$python' is $tag. Mend: PYTHON=/path/to/{python} $0" >&2
    exit 1
fi
(cd "$here" && sha256sum --quiet --check SHA256SUMS)
if "$python" -c 'import ensurepip' >/dev/null 2>&1; then
    "$python" -m venv "$target"
    pip="$target/bin/python -m pip"
else
    "$python" -m venv --without-pip "$target"
    pip="$python -m pip --python $target/bin/python"
fi
PIP_CONFIG_FILE=/dev/null $pip install --quiet --disable-pip-version-check --no-index \\
    --find-links "$here/wheels" --require-hashes --only-binary :all: -r "$here/wheels.lock"
echo "installed; run $target/bin/bench doctor"
"""


def _pip(*arguments: str | Path) -> None:
    command = [sys.executable, "-m", "pip", "--disable-pip-version-check", *map(str, arguments)]
    subprocess.run(command, check=True, stdin=subprocess.DEVNULL)


def _wheels(into: Path) -> None:
    """Fill a folder with the wheels of every locked run-time dependency and of camcert."""
    _pip("wheel", "--quiet", "--require-hashes", "--wheel-dir", into, "-r", ROOT / "requirements.lock")
    with tempfile.TemporaryDirectory() as scratch:
        # From a copy: setuptools leaves build/ behind, and would pack what an older build left there.
        source = Path(scratch, "camcert")
        ignored = shutil.ignore_patterns(".*", "build", "dist", "out", "tests", "__pycache__", "*.egg-info")
        shutil.copytree(ROOT, source, ignore=ignored)
        _pip("wheel", "--quiet", "--no-deps", "--no-build-isolation", "--wheel-dir", into, source)


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _lock(wheels: list[Path]) -> str:
    """One line a wheel, with the hash of the very file in the archive."""
    pins = [(w.name.split("-")[0].replace("_", "-"), w.name.split("-")[1], _digest(w)) for w in wheels]
    return "".join(f"{name}=={number} --hash=sha256:{digest}\n" for name, number, digest in pins)


def _add(archive: tarfile.TarFile, name: str, content: bytes, mode: int = 0o644) -> None:
    entry = tarfile.TarInfo(name)
    entry.size, entry.mode = len(content), mode
    archive.addfile(entry, io.BytesIO(content))


def bundle(out: Path) -> Path:
    """Make the archive in folder `out` and return its path. Raises CalledProcessError if pip fails."""
    tag = f"cp{sys.version_info[0]}{sys.version_info[1]}"
    python = f"python{sys.version_info[0]}.{sys.version_info[1]}"
    platform = sysconfig.get_platform().replace("-", "_").replace(".", "_")
    version = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["version"]
    name = f"camcert-{version}-{tag}-{platform}"
    out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch, "wheels")
        _wheels(folder)
        wheels = sorted(folder.glob("*.whl"))
        lock = _lock(wheels).encode()
        install = INSTALL.format(python=python, tag=tag).encode()
        sums = "".join(f"{_digest(w)}  wheels/{w.name}\n" for w in wheels)
        sums += f"{hashlib.sha256(lock).hexdigest()}  wheels.lock\n"
        unfinished = out / f"{name}.tar.part"
        with tarfile.open(unfinished, "w") as archive:
            _add(archive, f"{name}/install", install, 0o755)
            _add(archive, f"{name}/wheels.lock", lock)
            _add(archive, f"{name}/SHA256SUMS", sums.encode())
            for wheel in wheels:
                _add(archive, f"{name}/wheels/{wheel.name}", wheel.read_bytes())
    return unfinished.rename(out / f"{name}.tar")


def main() -> int:
    """Command line: --out FOLDER."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--out", type=Path, default=ROOT / "dist")
    made = bundle(parser.parse_args().out)
    print(f"{made}  {made.stat().st_size / 1e6:.0f} MB")
    return 0


if __name__ == "__main__":
    sys.exit(main())
