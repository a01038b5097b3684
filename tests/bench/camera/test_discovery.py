"""Finding cameras: the virtual one by real multicast, and answers that are hostile."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager, suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.camera.discovery import Found, discover, parse_answer
from fixtures.simulated.discovery import GROUP, PORT, DiscoveryResponder

ENDPOINT = "urn:uuid:3fa1fe68-b915-4053-a3e1-c006c3afec0e"
ANSWER = (
    '<s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope" '
    'xmlns:a="http://schemas.xmlsoap.org/ws/2004/08/addressing" '
    'xmlns:d="http://schemas.xmlsoap.org/ws/2005/04/discovery"><s:Header>{relates}</s:Header><s:Body>'
    "<d:ProbeMatches><d:ProbeMatch><a:EndpointReference><a:Address>{endpoint}</a:Address></a:EndpointReference>"
    "<d:Scopes>onvif://www.onvif.org/name/Gate%20{endpoint} onvif://www.onvif.org/hardware/H1</d:Scopes>"
    "<d:XAddrs>{xaddrs}</d:XAddrs></d:ProbeMatch></d:ProbeMatches></s:Body></s:Envelope>"
)


def answer(
    xaddrs: str = "http://192.0.2.7/onvif/device_service", endpoint: str = "7", relates: str = ""
) -> bytes:
    return ANSWER.format(xaddrs=xaddrs, endpoint=endpoint, relates=relates).encode()


@contextmanager
def crowd(shout: Callable[[socket.socket, tuple[str, int]], None]) -> Generator[None]:
    """Something on loopback that hears probes and does its worst, from a sender of its own (127.0.0.2)."""
    stop = threading.Event()
    ear = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    mouth = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    ear.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    ear.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    ear.bind((GROUP, PORT))
    local = socket.inet_aton("127.0.0.1")
    ear.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, socket.inet_aton(GROUP) + local)
    ear.settimeout(0.1)
    mouth.bind(("127.0.0.2", 0))

    def listen() -> None:
        while not stop.is_set():
            with suppress(OSError):
                _, prober = ear.recvfrom(65535)
                shout(mouth, prober)

    thread = threading.Thread(target=listen, daemon=True)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()
        ear.close()
        mouth.close()


@pytest.fixture
def responder() -> Generator[None]:
    one = DiscoveryResponder(
        xaddr="http://127.0.0.1:8123/onvif/device_service",
        scopes=lambda: ("onvif://www.onvif.org/name/Virtual%20one", "onvif://www.onvif.org/hardware/SIM"),
        endpoint=ENDPOINT,
    )
    one.start()
    yield
    one.stop()


def _ours(found: tuple[Found, ...]) -> list[Found]:
    """Other virtual cameras may run on this machine at the same time."""
    return [f for f in found if f.endpoint == ENDPOINT]


@pytest.mark.usefixtures("responder")
def test_the_virtual_camera_is_found_once_on_loopback() -> None:
    (found,) = _ours(discover(1.0))
    assert found.url == "onvif://127.0.0.1:8123"
    assert (found.name, found.hardware) == ("Virtual one", "SIM")
    assert found.as_json()["xaddrs"] == ["http://127.0.0.1:8123/onvif/device_service"]


def test_two_cameras_on_one_machine_are_both_found() -> None:
    many = [
        DiscoveryResponder(xaddr=f"http://127.0.0.1:{port}/", scopes=lambda: (), endpoint=f"urn:uuid:{port}")
        for port in (8001, 8002)
    ]
    for one in many:
        one.start()
    try:
        found = {f.endpoint for f in discover(1.0)}
    finally:
        for one in many:
            one.stop()
    assert {"urn:uuid:8001", "urn:uuid:8002"} <= found
    assert not {"urn:uuid:8001", "urn:uuid:8002"} & {f.endpoint for f in discover(0.3)}


@pytest.mark.usefixtures("responder")
def test_a_flood_hides_no_camera_and_ends_in_time() -> None:
    def flood(mouth: socket.socket, prober: tuple[str, int]) -> None:
        until = time.monotonic() + 3.0
        number = 0
        while time.monotonic() < until:
            mouth.sendto(answer(endpoint=f"flood{number}"), prober)
            # Thousands a second; without a pause the kernel drops whatever a busy machine does not read in time.
            time.sleep(0.0002)
            number += 1

    with crowd(flood):
        time.sleep(0.1)
        started = time.monotonic()
        found = discover(1.0)
        assert time.monotonic() - started < 3.0
    assert len(_ours(found)) == 1
    assert len([f for f in found if f.endpoint.startswith("flood")]) <= 32


@pytest.mark.usefixtures("responder")
def test_broken_answers_are_passed_over() -> None:
    bomb = b'<!DOCTYPE a [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;&a;">]><a>&b;</a>'

    def worst(mouth: socket.socket, prober: tuple[str, int]) -> None:
        for data in (
            b"",
            b"\x00" * 60_000,
            bomb,
            b"<a>" * 20_000,
            answer() + b" " * 40_000,
            answer(relates="<"),
        ):
            mouth.sendto(data, prober)
        wrong = "<a:RelatesTo>urn:uuid:00000000-0000-0000-0000-000000000000</a:RelatesTo>"
        mouth.sendto(answer(endpoint="stranger", relates=wrong), prober)

    with crowd(worst):
        found = discover(1.0)
    assert len(_ours(found)) == 1
    assert not {"7", "stranger"} & {f.endpoint for f in found}


def test_answer_is_related_to_its_probe_whatever_the_urn_looks_like() -> None:
    related = answer(relates="<a:RelatesTo>uuid:1-2</a:RelatesTo>")
    assert parse_answer(related, "urn:uuid:1-2") is not None
    assert parse_answer(related, "urn:uuid:1-3") is None
    assert parse_answer(answer(), "urn:uuid:1-3") is not None


@pytest.mark.parametrize(
    ("xaddrs", "url"),
    [
        ("http://192.0.2.7/onvif/device_service", "onvif://192.0.2.7:80"),
        ("http://[fe80::1]/x http://192.0.2.7:81/x", "onvif://[fe80::1]:80"),
        ("https://192.0.2.7/x http://192.0.2.7:81/x", "onvif://192.0.2.7:81"),
        ("http://user:secret@192.0.2.7/x", "onvif://192.0.2.7:80"),
    ],
)
def test_address_for_the_command_line(xaddrs: str, url: str) -> None:
    found = parse_answer(answer(xaddrs))
    assert found is not None and found.url == url


@pytest.mark.parametrize(
    "xaddrs", ["", "ftp://a/", "http://a:99999/", "http://[/", "http://;rm/", "//x", "http:///"]
)
def test_a_device_without_a_usable_address_is_none(xaddrs: str) -> None:
    assert parse_answer(answer(xaddrs)) is None


def test_control_characters_never_reach_the_terminal() -> None:
    found = parse_answer(answer(endpoint="a\u0085b\u202ec"))
    assert found is not None
    assert all(c.isprintable() for text in (found.endpoint, found.name, *found.scopes) for c in text)


def test_an_escape_sequence_in_percent_signs_never_reaches_the_terminal() -> None:
    found = parse_answer(answer().replace(b"Gate%20", b"%1B%5B31mGate%0A%20"))
    assert found is not None
    assert found.name == "[31mGate 7"


@given(st.binary(max_size=2000))
def test_any_bytes_are_survived(data: bytes) -> None:
    assert parse_answer(data) is None


@given(st.text(st.characters(codec="utf-8", exclude_characters="<&\r\0"), max_size=300), st.text(max_size=40))
def test_any_text_in_an_answer_is_bounded(xaddrs: str, other: str) -> None:
    found = parse_answer(answer(xaddrs, endpoint="e"), other)
    assert found is None or (len(found.url) < 600 and len(found.xaddrs) <= 16)
