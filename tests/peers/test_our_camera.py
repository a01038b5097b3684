"""Players that we did not write play our virtual camera: ffprobe, PyAV, aio-rtsp-toolkit and GStreamer.

Each is held against the camera's truth log, read afterwards.
"""

from __future__ import annotations

import asyncio
import json
import os
import re
import shutil
import subprocess
import time
from collections.abc import Generator
from itertools import pairwise
from pathlib import Path
from typing import Any

import av
import pytest
from virtual_world import REFERENCE, Camera, camera_file, running

PICTURES = 40


@pytest.fixture(scope="module")
def camera(tmp_path_factory: pytest.TempPathFactory) -> Generator[Camera]:
    folder: Path = tmp_path_factory.mktemp("peer")
    changes = {
        "stream": {"width": 640, "height": 360, "bitrate_kbit": 3000},
        "fault": [{"kind": "drop", "every": 15}],
    }
    with running(camera_file(folder / "camera.toml", changes, REFERENCE), folder / "truth.jsonl") as one:
        yield one


def address(camera: Camera, password: str | None = None) -> str:
    """The camera's RTSP address with credentials inside, as these players want it."""
    return camera.rtsp.replace("//admin@", f"//admin:{password or camera.password}@")


def program(name: str, package: str) -> str:
    """The path of a program; without it the test is left out with its reason, in CI it fails."""
    found = shutil.which(name)
    if found is None:
        text = f"{name} is not on this machine: apt-get install {package}"
        if os.environ.get("CI"):
            pytest.fail(text)
        pytest.skip(text)
    return found


def check(ticks: list[int], camera: Camera) -> None:
    """The pictures a player saw are 3600 ticks apart, and twice that where the truth log has a drop."""
    assert len(ticks) >= PICTURES - 5
    assert {b - a for a, b in pairwise(ticks)} == {3600, 7200}
    places = [i for i, (a, b) in enumerate(pairwise(ticks)) if b - a == 7200]
    assert all(b - a == 14 for a, b in pairwise(places)), "one in 15 was dropped"
    dropped = [r["index"] % 15 for r in camera.truth() if r["kind"] == "frame" and r["dropped"]]
    assert dropped
    assert set(dropped) == {14}


def ffprobe(camera: Camera, transport: str, password: str | None = None) -> subprocess.CompletedProcess[str]:
    command = [program("ffprobe", "ffmpeg"), "-v", "error", "-rtsp_transport", transport, "-of", "json"]
    command += ["-select_streams", "v:0", "-read_intervals", f"%+#{PICTURES}"]
    command += ["-show_entries", "stream=width,height,pix_fmt,color_range:packet=pts,flags"]
    return subprocess.run(
        [*command, address(camera, password)], capture_output=True, text=True, timeout=60, check=False
    )


@pytest.mark.parametrize("transport", ["tcp", "udp"])
def test_ffprobe(camera: Camera, transport: str) -> None:
    done = ffprobe(camera, transport)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    stream = found["streams"][0]
    assert (stream["width"], stream["height"], stream["pix_fmt"]) == (640, 360, "yuv420p")
    assert found["packets"][0]["flags"].startswith("K")
    check([p["pts"] for p in found["packets"] if "pts" in p], camera)


def test_ffprobe_with_a_wrong_password(camera: Camera) -> None:
    done = ffprobe(camera, "tcp", "wrong")
    assert done.returncode != 0
    assert "401" in done.stderr


@pytest.mark.parametrize("transport", ["tcp", "udp"])
def test_pyav_decodes_every_picture_and_maps_it_to_capture_time(camera: Camera, transport: str) -> None:
    ticks: list[int] = []
    with av.open(address(camera), options={"rtsp_transport": transport}) as container:
        for frame in container.decode(video=0):
            assert (frame.width, frame.height) == (640, 360)
            if frame.pts is not None:
                ticks.append(frame.pts)
            if len(ticks) >= PICTURES:
                break
    check(ticks, camera)


# This client reads only whole numbers after a=framerate, where RFC 4566 allows a fraction: hence 25.
async def _toolkit(url: str) -> tuple[list[Any], list[str]]:
    import aio_rtsp_toolkit as toolkit

    stop = asyncio.Event()
    units: list[Any] = []
    methods: list[str] = []
    async with toolkit.open_session(url, timeout=10, log_type=0) as session:
        async for event in session.iter_events(stop):
            if isinstance(event, toolkit.RtspMethodEvent):
                methods.append(f"{event.method} {event.status_code}")
            elif isinstance(event, toolkit.VideoFrameEvent):
                units.append(event.frame)
                if len(units) >= PICTURES:
                    stop.set()
    return units, methods


def test_aio_rtsp_toolkit(camera: Camera) -> None:
    units, methods = asyncio.run(asyncio.wait_for(_toolkit(address(camera)), 30))
    assert "PLAY 200" in methods
    first = units[0].timestamp
    # It reports NAL units, several of one picture.
    check(list(dict.fromkeys((unit.timestamp - first) % 2**32 for unit in units)), camera)


@pytest.mark.parametrize("transport", ["tcp", "udp"])
def test_gstreamer(camera: Camera, transport: str) -> None:
    launch = program(
        "gst-launch-1.0", "gstreamer1.0-tools gstreamer1.0-plugins-good gstreamer1.0-plugins-bad"
    )
    # RTSP in GStreamer takes the password as a property; this one is simulated and stands in the camera file.
    source = f"rtspsrc location={address(camera)} protocols={transport} latency=0 ! rtph264depay ! h264parse"
    pipeline = (
        f"{source} ! video/x-h264,alignment=au ! identity eos-after={PICTURES + 1} silent=false ! fakesink"
    )
    began = time.monotonic()
    done = subprocess.run(
        [launch, "-v", *pipeline.split()], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr
    assert time.monotonic() - began < 30
    times = [
        int(h) * 3600 + int(m) * 60 + float(s)
        for h, m, s in re.findall(r"chain\s.*?pts: (\d+):(\d\d):(\d\d\.\d+)", done.stdout)
    ]
    assert len(times) >= PICTURES - 5, done.stdout[-2000:]
    steps = [b - a for a, b in pairwise(times)]
    assert "width=(int)640" in done.stdout
    assert sum(steps) / len(steps) == pytest.approx(15 / 14 / 25, rel=0.1)
