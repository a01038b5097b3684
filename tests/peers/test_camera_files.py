"""Camera files as they are, simulated as `bench simulate` does it: what software of other hands says of each agrees
with its truth log. ffprobe of every stream; onvif-zeep, npm's onvif and WSDiscovery of the device."""

from __future__ import annotations

import importlib
import importlib.util
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Generator
from itertools import pairwise
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from near_camera import CAMERAS
from virtual_world import Camera, running

REFERENCES = sorted(path.stem for path in CAMERAS.glob("reference*.toml"))
DEFECTS = ["clock_drift", "dropped", "wrong_resolution"]
PICTURES = 30
CODECS = {"h264": "h264", "h265": "hevc", "mjpeg": "mjpeg"}
NPM = Path(sys.prefix) / "peers" / "npm" / "node_modules"


@pytest.fixture(scope="module", params=[*REFERENCES, *DEFECTS])
def camera(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Generator[Camera]:
    folder: Path = tmp_path_factory.mktemp("camera")
    with running(CAMERAS / f"{request.param}.toml", folder / "truth.jsonl") as one:
        yield one


def needs(there: bool, what: str, mend: str) -> None:
    """Leave the test out with its reason where a peer is absent; in CI nothing is left out."""
    if not there:
        text = f"{what} is not on this machine: {mend}"
        if os.environ.get("CI"):
            pytest.fail(text)
        pytest.skip(text)


def start_of(camera: Camera) -> dict[str, Any]:
    return next(row for row in camera.truth() if row["kind"] == "start")


def streams_of(camera: Camera) -> dict[str, dict[str, Any]]:
    """Tables of the streams that there are, by path."""
    start = start_of(camera)
    main = start["stream"]
    if start["sub"] is None:
        return {"main": main}
    return {"main": main, "sub": {**start["sub"], "fps": rate(main["fps"]) / start["sub"]["decimation"]}}


def rate(text: Any) -> float:
    """25, "25" or "30000/1001"."""
    above, _, below = str(text).partition("/")
    return float(above) / float(below or 1)


def ffprobe(camera: Camera, path: str) -> dict[str, Any]:
    url = camera.rtsp.replace("//admin@", f"//admin:{camera.password}@").replace("/main", f"/{path}")
    asked = "stream=codec_name,width,height,r_frame_rate:packet=pts,flags"
    command = ["ffprobe", "-v", "error", "-rtsp_transport", "tcp", "-of", "json", "-select_streams", "v:0"]
    command += ["-read_intervals", f"%+#{PICTURES}", "-show_entries", asked, url]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    return dict(json.loads(done.stdout))


def test_ffprobe_finds_what_is_true_of_each_stream(camera: Camera) -> None:
    needs(shutil.which("ffprobe") is not None, "ffprobe", "apt-get install ffmpeg")
    for path, table in streams_of(camera).items():
        found = ffprobe(camera, path)
        stream = found["streams"][0]
        size = (stream["codec_name"], stream["width"], stream["height"])
        assert size == (CODECS[table["codec"]], table["width"], table["height"])
        ticks = [packet["pts"] for packet in found["packets"] if "pts" in packet]
        assert len(ticks) >= PICTURES // 2
        sent = [row for row in camera.truth() if row["kind"] == "frame" and row["stream"] == path]
        truth = [row["timestamp"] for row in sorted(sent, key=lambda row: row["index"]) if row["sent_ns"]]
        true_steps = [(b - a) % 2**32 for a, b in pairwise(truth)]
        steps = [b - a for a, b in pairwise(ticks)]
        places = [n for n in range(len(true_steps)) if true_steps[n : n + len(steps)] == steps]
        assert places, f"{steps} are nowhere in {true_steps}"
        period = 90_000 / rate(table["fps"])
        # A busy machine skips pictures, and the truth says so: then steps are whole periods, else one of them is one.
        periods = [round(step / period) for step in steps]
        assert all(n >= 1 and abs(step - n * period) <= n for n, step in zip(periods, steps, strict=True))
        assert min(periods) == 1 or any(row["dropped"] for row in sent)
        if path == "main" and rate(table["fps"]) == 25 and set(steps) == {3600}:
            assert stream["r_frame_rate"] == "25/1"


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # it calls datetime.utcnow()
def test_onvif_zeep_is_told_what_the_camera_claims(camera: Camera) -> None:
    needs(importlib.util.find_spec("onvif") is not None, "onvif-zeep", "pip install onvif-zeep")
    start, where = start_of(camera), urlsplit(camera.onvif)
    onvif = importlib.import_module("onvif")
    one = onvif.ONVIFCamera(where.hostname, where.port, "admin", camera.password, adjust_time=True)
    assert one.devicemgmt.GetDeviceInformation().Manufacturer == "Simulated"
    table = start["stream"]
    media = one.create_media_service()
    setup = {"Stream": "RTP-Unicast", "Transport": {"Protocol": "RTSP"}}
    profiles = media.GetProfiles()
    for path in streams_of(camera):
        uri = media.GetStreamUri({"StreamSetup": setup, "ProfileToken": path}).Uri
        assert uri == camera.rtsp.replace("admin@", "").replace("/main", f"/{path}")
    encoder = profiles[0].VideoEncoderConfiguration
    if table["codec"] != "h265":  # which Media 1 cannot say
        claimed = (table["declared_width"] or table["width"], table["declared_height"] or table["height"])
        assert (encoder.Resolution.Width, encoder.Resolution.Height) == claimed
        assert encoder.Encoding == {"h264": "H264", "mjpeg": "JPEG"}[table["codec"]]
        assert encoder.RateControl.FrameRateLimit == round(rate(table["declared_fps"] or table["fps"]))


def test_npm_onvif_agrees(camera: Camera) -> None:
    there = shutil.which("node") is not None and (NPM / "onvif").is_dir()
    needs(there, "npm's onvif client", f"tools/install-npm-client.sh {sys.prefix}")
    where = urlsplit(camera.onvif)
    script = Path(__file__).parent / "npm" / "onvif_client.js"
    command = ["node", str(script), str(NPM), "127.0.0.1", str(where.port), "admin", camera.password, "brief"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=90, check=False)
    assert done.returncode == 0, done.stderr
    found, table = json.loads(done.stdout), start_of(camera)["stream"]
    assert found["stream"] == camera.rtsp.replace("admin@", "")
    if table["codec"] != "h265":
        claimed = (table["declared_width"] or table["width"], table["declared_height"] or table["height"])
        assert (found["profiles"][0]["width"], found["profiles"][0]["height"]) == claimed


def test_wsdiscovery_finds_it(camera: Camera) -> None:
    needs(importlib.util.find_spec("wsdiscovery") is not None, "WSDiscovery", "pip install WSDiscovery")
    from wsdiscovery import QName
    from wsdiscovery.discovery import ThreadedWSDiscovery

    where = urlsplit(camera.onvif)
    one = ThreadedWSDiscovery()
    one.start()
    try:
        kind = QName("http://www.onvif.org/ver10/network/wsdl", "NetworkVideoTransmitter")
        found = one.searchServices(types=[kind], timeout=1)
        addresses = [address for service in found for address in service.getXAddrs()]
    finally:
        one.stop()
    assert f"http://{where.hostname}:{where.port}/onvif/device_service" in addresses
