"""npm's `onvif` client, in a process of its own, against the camera on a head: it agrees with file and truth log."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from near_camera import near

SCRIPT = Path(__file__).parent / "npm" / "onvif_client.js"
PACKAGES = Path(sys.prefix) / "peers" / "npm" / "node_modules"


def test_it_agrees_with_the_camera_file_and_the_truth(tmp_path: Path) -> None:
    if shutil.which("node") is None or not (PACKAGES / "onvif").is_dir():
        text = f"npm's onvif client is not in {PACKAGES}: tools/install-npm-client.sh {sys.prefix}"
        if os.environ.get("CI"):
            pytest.fail(text)
        pytest.skip(text)
    with near("reference-ptz", tmp_path) as camera:
        addresses = camera.camera.addresses
        place = urlsplit(addresses["onvif"])
        command = [
            "node",
            str(SCRIPT),
            str(PACKAGES),
            "127.0.0.1",
            str(place.port),
            "admin",
            camera.file.password,
        ]
        before = time.time()
        done = subprocess.run(command, capture_output=True, text=True, timeout=90, check=False)
        after = time.time()
        assert done.returncode == 0, done.stderr
        found = json.loads(done.stdout)
        moves, events, file = camera.truth("ptz"), camera.truth("event"), camera.file
    device, stream = found["device"], file.stream
    assert (device["manufacturer"], device["model"]) == (file.device.manufacturer, file.device.model)
    assert found["profiles"][0] == {
        "token": "main", "encoding": "H264", "width": stream.width, "height": stream.height
    }  # fmt: skip
    assert found["stream"] == addresses["rtsp"].replace("admin@", "")
    assert before - 1 <= found["clock"] / 1000 <= after
    assert found["exposure"] == file.picture.exposure_ms * 1000
    assert found["event"] == events[0]["topic"]
    machine = file.ptz
    assert machine is not None and len(moves) == 1
    target = moves[0]["target"]
    assert found["status"] == pytest.approx({
        "x": 2 * (target["pan"] - machine.pan_min) / (machine.pan_max - machine.pan_min) - 1,
        "y": 2 * (target["tilt"] - machine.tilt_min) / (machine.tilt_max - machine.tilt_min) - 1,
        "zoom": target["zoom"],
    }, abs=0.001)  # fmt: skip
