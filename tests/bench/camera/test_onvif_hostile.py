"""What a hostile or broken camera sends as SOAP: a clear error, in bounded time and memory."""

from __future__ import annotations

import gzip
import resource
import socket
import threading
import time
from collections.abc import Callable
from contextlib import suppress

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from onvif_world import ENVELOPE, RIGHT, http, raw_server, url_of

from bench.camera.onvif import OnvifCamera
from standards.errors import CameraError, CameraUnreachable, LimitExceeded, ProtocolViolation

_TIMEOUT_S = 1.0
_SLACK_S = 8.0  # a busy machine; without the bound these answers would take minutes
_MOST_GROWTH = 200 * 1024  # KiB of resident memory

_BOMB = "".join(f'<!ENTITY a{i} "{f"&a{i - 1};" * 10}">' for i in range(1, 12))
_BOMB = f'<!DOCTYPE s [<!ENTITY a0 "aaaaaaaaaa">{_BOMB}]>'
_FILE = '<!DOCTYPE s [<!ENTITY x SYSTEM "file:///etc/passwd">]>'
_CLOCK = (
    '<tds:GetSystemDateAndTimeResponse xmlns:tds="http://www.onvif.org/ver10/device/wsdl" '
    'xmlns:tt="http://www.onvif.org/ver10/schema"><tds:SystemDateAndTime><tt:UTCDateTime><tt:Time>'
    "<tt:Hour>{}</tt:Hour><tt:Minute>0</tt:Minute><tt:Second>0</tt:Second></tt:Time><tt:Date>"
    "<tt:Year>2026</tt:Year><tt:Month>{}</tt:Month><tt:Day>1</tt:Day></tt:Date></tt:UTCDateTime>"
    "</tds:SystemDateAndTime></tds:GetSystemDateAndTimeResponse>"
)

_ONVIF = "http://www.onvif.org/ver10"
_DEVICE = f'xmlns:tds="{_ONVIF}/device/wsdl" xmlns:tt="{_ONVIF}/schema"'
_ANSWERS = {
    "GetSystemDateAndTime": _CLOCK.format(1, 1),
    "GetDeviceInformation": f"<tds:GetDeviceInformationResponse {_DEVICE}/>",
    "GetCapabilities": (
        f"<tds:GetCapabilitiesResponse {_DEVICE}><tds:Capabilities><tt:Media><tt:XAddr>@</tt:XAddr>"
        "</tt:Media></tds:Capabilities></tds:GetCapabilitiesResponse>"
    ),
}


def _drip(connection: socket.socket, data: bytes, head: bytes = b"", every_s: float = 0.05) -> None:
    connection.sendall(head)
    for byte in data:
        connection.sendall(bytes([byte]))
        time.sleep(every_s)


def _endless(connection: socket.socket, head: bytes, part: bytes) -> None:
    connection.sendall(head)
    while True:
        connection.sendall(part)


_HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/soap+xml\r\n"
_CHUNKED = _HEAD + b"Transfer-Encoding: chunked\r\n\r\n"
_UNDECLARED = ENVELOPE.format("", "<tad:GetServicesResponse/>")
Worst = Callable[[socket.socket], None]

#: name -> (what the camera does, the error it must become, a part of its message)
WORST: dict[str, tuple[Worst, type[CameraError], str]] = {
    "undeclared prefix with HTTP 200 (Reolink)": (
        lambda c: c.sendall(http(_UNDECLARED)),
        ProtocolViolation,
        "prefix tad",
    ),
    "not XML": (lambda c: c.sendall(http("it works!", kind="text/html")), ProtocolViolation, "well-formed"),
    "nothing in the body": (lambda c: c.sendall(http("")), ProtocolViolation, "well-formed"),
    "HTML with 503": (
        lambda c: c.sendall(http("<html><br></html>", "503 Busy", "text/html")),
        ProtocolViolation,
        "HTTP 503",
    ),
    "no envelope": (lambda c: c.sendall(http("<a/>")), ProtocolViolation, "SOAP"),
    "an empty answer": (lambda c: c.sendall(http(ENVELOPE.format("", ""))), ProtocolViolation, "SOAP"),
    "a clock that is none": (
        lambda c: c.sendall(http(ENVELOPE.format("", _CLOCK.format("x", 99)))),
        ProtocolViolation,
        "SOAP",
    ),
    "XML bomb": (
        lambda c: c.sendall(http(_BOMB + ENVELOPE.format("", "&a11;"))),
        ProtocolViolation,
        "",
    ),
    "external entity": (
        lambda c: c.sendall(http(_FILE + ENVELOPE.format("", "&x;"))),
        ProtocolViolation,
        "document type",
    ),
    "nesting": (lambda c: c.sendall(http("<a>" * 5000 + "</a>" * 5000)), ProtocolViolation, "depth"),
    "attachments": (
        lambda c: c.sendall(http("--x\r\n\r\n", kind="multipart/related; boundary=x")),
        ProtocolViolation,
        "attachments",
    ),
    "gzip bomb": (
        lambda c: c.sendall(http(gzip.compress(bytes(1 << 20)) * 64, more="Content-Encoding: gzip\r\n")),
        ProtocolViolation,
        "gzip",
    ),
    "redirect": (
        lambda c: c.sendall(http("", "302 Found", more="Location: http://198.51.100.1/\r\n")),
        ProtocolViolation,
        "redirects",
    ),
    "endless body": (lambda c: _endless(c, _HEAD + b"\r\n", b"<a>" * 20000), LimitExceeded, "bytes"),
    "endless chunks": (
        lambda c: _endless(c, _CHUNKED, b"4000\r\n" + b" " * 0x4000 + b"\r\n"),
        LimitExceeded,
        "bytes",
    ),
    "endless chunk size": (lambda c: _endless(c, _CHUNKED, b"0" * 4096), ProtocolViolation, ""),
    "endless header line": (lambda c: _endless(c, _HEAD, b"a" * 4096), ProtocolViolation, ""),
    "endless headers": (lambda c: _endless(c, _HEAD, b"X-A: b\r\n" * 99), ProtocolViolation, ""),
    "slow drip of the body": (
        lambda c: _drip(c, b" " * 9999, _HEAD + b"Content-Length: 9999\r\n\r\n"),
        LimitExceeded,
        "in time",
    ),
    "slow drip of the head": (
        lambda c: _drip(c, b"HTTP/1.1 200 OK\r\nX-A: " + b"b" * 9999),
        LimitExceeded,
        "in time",
    ),
    "a length that is too long": (
        lambda c: c.sendall(_HEAD + b"Content-Length: 99999\r\n\r\n<a/>"),
        ProtocolViolation,
        "IncompleteRead",
    ),
    "a length that is too short": (
        lambda c: c.sendall(_HEAD + b"Content-Length: 20\r\n\r\n" + _UNDECLARED.encode()),
        ProtocolViolation,
        "well-formed",
    ),
    "a length beyond all measure": (
        lambda c: _drip(c, b"<a/>", _HEAD + b"Content-Length: 99999999999999\r\n\r\n", 5.0),
        LimitExceeded,
        "in time",
    ),
    "two lengths": (
        lambda c: c.sendall(_HEAD + b"Content-Length: 4\r\nContent-Length: 5\r\n\r\n<a/>"),
        ProtocolViolation,
        "",
    ),
    "no HTTP": (lambda c: c.sendall(b"SSH-2.0-dropbear\r\n"), ProtocolViolation, "broke HTTP"),
    "silence": (lambda c: time.sleep(20), CameraUnreachable, "does not answer"),
    "breaking off at once": (lambda c: None, CameraUnreachable, "nothing answers"),
}


@pytest.mark.parametrize("name", WORST)
def test_a_hostile_camera_is_named_within_bounds(name: str) -> None:
    worst, error, part = WORST[name]
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with raw_server(lambda connection, _: worst(connection)) as (port, requests):
        started = time.monotonic()
        with pytest.raises(error) as caught:
            OnvifCamera.connect(url_of(port), RIGHT, timeout_s=_TIMEOUT_S)
        assert time.monotonic() - started < _TIMEOUT_S + _SLACK_S
    assert part in str(caught.value) and f"127.0.0.1:{port}" in str(caught.value)
    assert len(str(caught.value)) < 800 and "passwd:" not in str(caught.value)
    assert len(requests) == 1
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - memory < _MOST_GROWTH


def test_no_thread_and_no_connection_outlives_a_slow_answer() -> None:
    gone = threading.Event()

    def answer(connection: socket.socket, request: bytes) -> None:
        with suppress(OSError):
            _drip(connection, _HEAD + b" " * 9999)
        gone.set()

    with raw_server(answer) as (port, _):
        before = threading.active_count()
        with pytest.raises(LimitExceeded):
            OnvifCamera.connect(url_of(port), RIGHT, timeout_s=0.3)
        assert threading.active_count() <= before + 1  # the server's own
        assert gone.wait(5.0)


def test_a_million_small_elements_are_bounded() -> None:
    """The largest body that passes the bound; zeep has to read through it."""
    body = ENVELOPE.format("", "<a>" + "<b/>" * 240_000 + "</a>")
    with raw_server(lambda c, _: c.sendall(http(body))) as (port, _):
        started = time.process_time()
        with pytest.raises(ProtocolViolation):
            OnvifCamera.connect(url_of(port), RIGHT, timeout_s=20.0)
        assert time.process_time() - started < 30.0


@pytest.mark.parametrize(
    "reported", ["", "nowhere", "http://", "http://[", "http://a:99999/", "ftp://a/", "https://a/"]
)
def test_an_unusable_reported_address_is_said_so(reported: str) -> None:
    def answer(connection: socket.socket, request: bytes) -> None:
        name = b"GetSystemDateAndTime" if b"GetSystemDateAndTime" in request else b"GetDeviceInformation"
        if b"GetCapabilities" in request:
            name = b"GetCapabilities"
        connection.sendall(http(ENVELOPE.format("", _ANSWERS[name.decode()].replace("@", reported))))

    with raw_server(answer) as (port, _):
        camera = OnvifCamera.connect(url_of(port), RIGHT, timeout_s=5.0)
        with pytest.raises(
            (ProtocolViolation, CameraUnreachable), match=r"no address|http alone|nothing answers"
        ):
            camera.profiles()


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    body=st.one_of(
        st.binary(max_size=300), st.text(max_size=200).map(lambda t: ENVELOPE.format("", t).encode())
    )
)
def test_any_body_is_a_camera_error(body: bytes) -> None:
    with raw_server(lambda c, _: c.sendall(http(body))) as (port, _), pytest.raises(CameraError):
        OnvifCamera.connect(url_of(port), RIGHT, timeout_s=5.0)
