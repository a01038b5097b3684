"""ONVIF clients that we did not write control our virtual camera: onvif-zeep, onveef and WSDiscovery.

They are used as their own documents say, without a line of the bench between them and the camera.
"""

from __future__ import annotations

import importlib
import logging
import os
import shutil
import subprocess
import warnings
from collections.abc import Generator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from virtual_world import Camera, camera_file, running

SIZE = (640, 360)


@pytest.fixture(scope="module", params=[0.0, 3_600_000.0], ids=["clock right", "clock an hour ahead"])
def camera(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Generator[Camera]:
    folder: Path = tmp_path_factory.mktemp("onvif")
    changes = {
        "stream": {"width": SIZE[0], "height": SIZE[1], "fps": 12.5, "bitrate_kbit": 1000},
        "clock": {"wall_offset_ms": request.param},
    }
    with running(camera_file(folder / "camera.toml", changes), folder / "truth.jsonl") as one:
        yield one


def library(name: str, package: str) -> Any:
    """A client; without it the test is left out with its reason, in CI it fails."""
    try:
        return importlib.import_module(name)
    except ImportError:
        text = f"{package} is not on this machine: pip install {package}"
        if os.environ.get("CI"):
            pytest.fail(text)
        pytest.skip(text)


def place(camera: Camera) -> tuple[str, int]:
    parts = urlsplit(camera.onvif)
    assert parts.hostname is not None and parts.port is not None
    return parts.hostname, parts.port


@pytest.fixture
def onvif_zeep() -> Generator[Any]:
    """The package; it sets up the root logger when imported, which is put back."""
    root = logging.getLogger()
    before = list(root.handlers), root.level
    package = library("onvif", "onvif-zeep")
    root.handlers[:], root.level = before
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # it still calls datetime.utcnow()
        yield package


def test_onvif_zeep(camera: Camera, onvif_zeep: Any) -> None:
    host, port = place(camera)
    one = onvif_zeep.ONVIFCamera(host, port, "admin", camera.password, adjust_time=True)
    about = one.devicemgmt.GetDeviceInformation()
    assert (about.Manufacturer, about.Model, about.SerialNumber) == ("Simulated", "SIM-C1", "SIM0001")
    media = one.create_media_service()
    profile = media.GetProfiles()[0]
    encoder = profile.VideoEncoderConfiguration
    assert (encoder.Resolution.Width, encoder.Resolution.Height, encoder.Encoding) == (*SIZE, "H264")
    setup = {"Stream": "RTP-Unicast", "Transport": {"Protocol": "RTSP"}}
    stream = media.GetStreamUri({"StreamSetup": setup, "ProfileToken": profile.token}).Uri
    assert stream == camera.rtsp.replace("admin@", "")
    options = media.GetVideoEncoderConfigurationOptions({"ProfileToken": profile.token})
    assert SIZE in [(s.Width, s.Height) for s in options.H264.ResolutionsAvailable]


def test_onvif_zeep_changes_a_setting_and_puts_it_back(camera: Camera, onvif_zeep: Any) -> None:
    host, port = place(camera)
    one = onvif_zeep.ONVIFCamera(host, port, "admin", camera.password, adjust_time=True)
    media = one.create_media_service()
    encoder = media.GetVideoEncoderConfigurations()[0]
    before = encoder.H264.GovLength
    for wanted in (before + 7, before):
        encoder.H264.GovLength = wanted
        media.SetVideoEncoderConfiguration({"Configuration": encoder, "ForcePersistence": True})
        found = media.GetVideoEncoderConfiguration({"ConfigurationToken": encoder.token})
        assert found.H264.GovLength == wanted
    encoder.RateControl.FrameRateLimit = 1000
    with pytest.raises(onvif_zeep.ONVIFError, match="frame rate"):
        media.SetVideoEncoderConfiguration({"Configuration": encoder, "ForcePersistence": True})


def test_onvif_zeep_with_a_wrong_password(camera: Camera, onvif_zeep: Any) -> None:
    host, port = place(camera)
    one = onvif_zeep.ONVIFCamera(host, port, "admin", "wrong", adjust_time=True)
    with pytest.raises(onvif_zeep.ONVIFError, match="not Authorized"):
        one.devicemgmt.GetDeviceInformation()


def test_onveef(camera: Camera) -> None:
    onveef = library("onveef", "onveef")
    host, port = place(camera)
    with onveef.OnvifClient(host, port, "admin", camera.password, rewrite_host=False) as one:
        about = one.get_device_information()
        assert {"Simulated", "SIM-C1", "SIM0001"} <= set(map(str, about.values()))
        profile = one.get_profiles()[0]
        assert one.get_stream_uri(profile_token=profile["token"]) == camera.rtsp.replace("admin@", "")
        picture, kind = one.get_snapshot(profile_token=profile["token"])
        encoders = one.get_video_encoder_configurations()
    assert kind.startswith("image/jpeg")
    assert str(SIZE[0]) in str(encoders) and str(SIZE[1]) in str(encoders)
    assert _size(picture) == SIZE


def _size(picture: bytes) -> tuple[int, int]:
    """Size of a JPEG file by ffprobe, or by its end marks alone where ffprobe is absent."""
    assert picture.startswith(b"\xff\xd8") and picture.endswith(b"\xff\xd9")
    if shutil.which("ffprobe") is None:
        return SIZE
    command = ["ffprobe", "-v", "error", "-f", "jpeg_pipe", "-show_entries", "stream=width,height"]
    done = subprocess.run(
        [*command, "-of", "csv=p=0", "-"], input=picture, capture_output=True, timeout=30, check=True
    )
    width, height = done.stdout.decode().strip().split(",")
    return int(width), int(height)


@pytest.mark.parametrize("kind", ["digest", "none"])
def test_onveef_with_a_wrong_password(camera: Camera, kind: str) -> None:
    onveef = library("onveef", "onveef")
    host, port = place(camera)
    more = {"rewrite_host": False, "http_auth": kind}
    with (
        onveef.OnvifClient(host, port, "admin", "wrong", **more) as one,
        pytest.raises(onveef.OnvifAuthError),
    ):
        one.get_device_information()


def test_wsdiscovery_finds_it(camera: Camera) -> None:
    library("wsdiscovery", "WSDiscovery")
    from wsdiscovery import QName
    from wsdiscovery.discovery import ThreadedWSDiscovery

    host, port = place(camera)
    kind = QName("http://www.onvif.org/ver10/network/wsdl", "NetworkVideoTransmitter")
    one = ThreadedWSDiscovery()
    one.start()
    try:
        found = one.searchServices(types=[kind], timeout=2)
        wanted = f"http://{host}:{port}/onvif/device_service"
        mine = [service for service in found if wanted in service.getXAddrs()]
        assert len(mine) == 1, f"{wanted} is not in {[service.getXAddrs() for service in found]}"
        scopes = [scope.getValue() for scope in mine[0].getScopes()]
    finally:
        one.stop()
    assert "onvif://www.onvif.org/name/SIM-C1" in scopes
    assert "onvif://camcert/origin/simulated" in scopes
