"""ONVIF control against the virtual camera: what is read, what is set, and how few logins it costs."""

from __future__ import annotations

import logging
import socket
import time
from collections.abc import Generator
from dataclasses import replace

import pytest
from onvif_world import ENVELOPE, PASSWORD, RIGHT, WRONG, StillCamera, device, http, raw_server, url_of

from bench.camera.onvif import OnvifCamera
from fixtures.simulated.onvif import OnvifDevice
from reports.record import CameraIdentity
from standards.errors import CameraDenied, CameraUnreachable, ProtocolViolation


@pytest.fixture
def server() -> Generator[OnvifDevice]:
    with device() as one:
        yield one


@pytest.fixture
def without_digest(monkeypatch: pytest.MonkeyPatch) -> None:
    """The virtual camera as a camera that knows WS-UsernameToken alone."""
    monkeypatch.setattr("fixtures.simulated.onvif.security.Guard.challenges", lambda self, stale=False: [])


def test_reads_what_the_camera_says(server: OnvifDevice) -> None:
    camera = OnvifCamera.connect(url_of(server.port), RIGHT)
    assert camera.identity() == CameraIdentity(
        manufacturer="Simulated & Co",
        model='SIM "C1" <x>',
        firmware="1.0.0",
        serial="SIM0001",
        hardware="1.0",
    )
    main, sub = camera.profiles()
    assert (main.token, main.codec, main.width, main.height, main.fps) == ("main", "h264", 1280, 720, 25.0)
    assert (main.bitrate_kbit, main.gop, sub.width, sub.fps) == (4000, 50, 640, 30.0)
    assert camera.stream_uri(main) == "rtsp://127.0.0.1:554/main?a=1&b=2"
    assert camera.snapshot_uri(sub) == f"http://127.0.0.1:{server.port}/snapshot/sub.jpg"
    assert camera.encoder_options(main).sizes == ((640, 360), (1280, 720))
    assert camera.encoder_options(sub).sizes == ((640, 360),)
    assert camera.encoder_options(main).fps == (1, 30)
    assert "onvif://camcert/origin/simulated" in camera.scopes()
    assert server.login_failures == 0


def test_settings_are_saved_changed_and_restored(server: OnvifDevice) -> None:
    camera = OnvifCamera.connect(url_of(server.port), RIGHT)
    main = camera.profiles()[0]
    before = camera.encoder_settings(main)
    camera.apply_encoder_settings(main, {**before, "width": 640, "height": 360, "fps": 12, "gop": 24})
    assert camera.encoder_settings(main) == {**before, "width": 640, "height": 360, "fps": 12, "gop": 24}
    camera.apply_encoder_settings(main, before)
    assert camera.encoder_settings(main) == before == {
        "width": 1280, "height": 720, "fps": 25, "bitrate_kbit": 4000, "gop": 50
    }  # fmt: skip


def test_a_rate_that_onvif_can_only_round_survives_saving_and_restoring() -> None:
    state = StillCamera()
    with device(state) as server:
        camera = OnvifCamera.connect(url_of(server.port), RIGHT)
        sub = camera.profiles()[1]
        camera.apply_encoder_settings(sub, camera.encoder_settings(sub))
    assert state.settings["sub"].fps == 30000 / 1001


def test_what_the_camera_refuses_is_an_error_with_its_reason(server: OnvifDevice) -> None:
    camera = OnvifCamera.connect(url_of(server.port), RIGHT)
    main = camera.profiles()[0]
    with pytest.raises(ProtocolViolation, match="resolution 4000x3000 is not offered"):
        camera.apply_encoder_settings(main, {**camera.encoder_settings(main), "width": 4000, "height": 3000})


@pytest.mark.parametrize("scheme", ["digest", "token"])
def test_a_wrong_password_costs_one_attempt(
    server: OnvifDevice, scheme: str, request: pytest.FixtureRequest
) -> None:
    if scheme == "token":
        request.getfixturevalue("without_digest")
    with pytest.raises(CameraDenied) as caught:
        OnvifCamera.connect(url_of(server.port), WRONG)
    assert server.login_failures == 1
    assert "wrong" not in str(caught.value)


@pytest.mark.usefixtures("without_digest")
def test_token_login_works_with_a_camera_whose_clock_is_wrong() -> None:
    with device(StillCamera(wall_offset_s=-86_400 * 400)) as server:
        camera = OnvifCamera.connect(url_of(server.port), RIGHT)
        assert camera.profiles()
        assert server.login_failures == 0


@pytest.mark.parametrize("scheme", ["digest", "token"])
def test_a_camera_that_keeps_even_its_clock_behind_the_login(
    server: OnvifDevice, scheme: str, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Against ONVIF Core, yet ipycam and older Axis cameras do it."""
    monkeypatch.setattr(
        "fixtures.simulated.onvif.server.OnvifServer.open_to_all", lambda self, operation: False
    )
    if scheme == "token":
        request.getfixturevalue("without_digest")
    camera = OnvifCamera.connect(url_of(server.port), RIGHT)
    assert camera.profiles() and abs(camera.clock().camera_ns - time.time_ns()) < 5 * 10**9
    assert server.login_failures == 0
    with pytest.raises(CameraDenied):
        OnvifCamera.connect(url_of(server.port), WRONG)
    assert server.login_failures == 1


def test_without_credentials_the_mend_is_named_and_no_login_is_wasted(server: OnvifDevice) -> None:
    with pytest.raises(CameraDenied, match="BENCH_CAMERA_PASSWORD"):
        OnvifCamera.connect(url_of(server.port, user=None), None)
    assert server.login_failures == 0


def test_clock_is_read_between_two_host_times() -> None:
    with device(StillCamera(wall_offset_s=100.0)) as server:
        camera = OnvifCamera.connect(url_of(server.port), RIGHT)
        before = time.time_ns()
        reading = camera.clock()
        after = time.time_ns()
    assert before <= reading.sent_ns < reading.received_ns <= after
    truth = 100 * 10**9
    assert reading.camera_ns - reading.received_ns <= truth < reading.camera_ns + 10**9 - reading.sent_ns


def test_a_stale_nonce_is_renewed_and_is_no_failed_login(
    server: OnvifDevice, monkeypatch: pytest.MonkeyPatch
) -> None:
    camera = OnvifCamera.connect(url_of(server.port), RIGHT)
    server.guard._gate._nonces.clear()
    assert camera.identity().serial == "SIM0001"
    assert server.login_failures == 0


def test_nobody_there_names_address_and_mend() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    with pytest.raises(CameraUnreachable, match=rf"127\.0\.0\.1:{port}.*Mend") as caught:
        OnvifCamera.connect(url_of(port), RIGHT)
    assert PASSWORD not in str(caught.value)


def test_reported_addresses_are_used_as_reported_and_said_so(
    server: OnvifDevice, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("fixtures.simulated.onvif.server._Handler._address", lambda self: "127.0.0.9:9")
    camera = OnvifCamera.connect(url_of(server.port), RIGHT)
    with pytest.raises(CameraUnreachable, match=r"127\.0\.0\.9:9.*which 127\.0\.0\.1 reports.*as reported"):
        camera.profiles()


def test_importing_onvif_zeep_leaves_the_root_logger_alone(server: OnvifDevice) -> None:
    root = logging.getLogger()
    before = list(root.handlers), root.level
    OnvifCamera.connect(url_of(server.port), RIGHT)
    assert (root.handlers, root.level) == before


def test_no_request_carries_the_password(server: OnvifDevice) -> None:
    def answer(connection: socket.socket, request: bytes) -> None:
        if b"GetSystemDateAndTime" in request:
            with socket.create_connection(("127.0.0.1", server.port)) as real:
                real.sendall(request)
                connection.sendall(real.makefile("rb").read())
        else:
            body = ENVELOPE.format("", "<s:Fault><s:Code><s:Value>s:Sender</s:Value><s:Subcode><s:Value "
                'xmlns:ter="http://www.onvif.org/ver10/error">ter:NotAuthorized</s:Value></s:Subcode></s:Code>'
                '<s:Reason><s:Text xml:lang="en">no</s:Text></s:Reason></s:Fault>')  # fmt: skip
            connection.sendall(http(body, "401 Unauthorized", more='WWW-Authenticate: Basic realm="x"\r\n'))

    with raw_server(answer) as (port, requests), pytest.raises(CameraDenied):
        OnvifCamera.connect(url_of(port), RIGHT)
    assert [b"UsernameToken" in r for r in requests] == [False, False, True]
    assert not any(b"Authorization" in r or b"right &" in r for r in requests)


def test_the_exposure_is_what_imaging_tells(server: OnvifDevice) -> None:
    camera = OnvifCamera.connect(url_of(server.port), RIGHT)
    main = camera.profiles()[0]
    assert camera.exposure(main) == {"exposure": "manual", "exposure_ms": 10.0}
    assert camera.exposure(replace(main, source="")) == {"exposure": "not offered"}
    assert camera.ir_cut_filter(main) == "on"
    assert camera.ir_cut_filter(replace(main, source="")) == "not told"
    with pytest.raises(ProtocolViolation, match="no such video source"):
        camera.exposure(replace(main, source="another"))
    assert server.login_failures == 0
