"""RTSP through the relay: framing that loses nothing, and a whole session with RTP over UDP and over TCP."""

from __future__ import annotations

import itertools
import re
import socket
from collections.abc import Generator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st
from raw_rtsp import RawRtsp
from relay_process import RelayProcess, relay_process
from virtual_world import Camera, camera_file, running

from bench.camera.receiver import capture
from instruments.capability import NetworkPath
from instruments.network_emulator import NetworkRelay
from instruments.network_relay.rtsp import Framer

REQUEST = b"SETUP rtsp://h/v RTSP/1.0\r\nCSeq: 2\r\nTransport: RTP/AVP;unicast;client_port=5000-5001\r\n\r\n"
ANSWER = b"RTSP/1.0 200 OK\r\nCSeq: 2\r\nContent-Length: 5\r\n\r\nv=0\r\n"
FRAME = b"$\x00\x00\x04\r\n\r\n"

parts = st.lists(st.sampled_from([REQUEST, ANSWER, FRAME, b"$\x01\x00\x00"]), max_size=12)


@given(parts=parts, cuts=st.lists(st.integers(0, 500), max_size=20))
def test_a_stream_is_cut_into_its_messages_wherever_it_arrives_torn(
    parts: list[bytes], cuts: list[int]
) -> None:
    whole, framer = b"".join(parts), Framer()
    borders = sorted({0, len(whole), *(cut for cut in cuts if cut < len(whole))})
    found = [piece for a, b in itertools.pairwise(borders) for piece in framer.feed(whole[a:b])]
    assert [piece.data for piece in found] == parts
    assert [piece.head for piece in found] == [part[:1] != b"$" for part in parts]
    assert framer.feed(b"") == []


@given(st.lists(st.binary(max_size=300), max_size=20))
def test_what_is_not_rtsp_passes_whole(chunks: list[bytes]) -> None:
    framer = Framer()
    passed = b"".join(piece.data for chunk in [*filter(None, chunks), b""] for piece in framer.feed(chunk))
    assert passed == b"".join(chunks)


@pytest.mark.parametrize("flood", [b"x" * 20_000, b"A: b\r\nContent-Length: 999999999\r\n\r\nrest"])
def test_a_message_beyond_all_bounds_is_passed_unread(flood: bytes) -> None:
    framer = Framer()
    assert b"".join(piece.data for piece in framer.feed(flood)) == flood


@pytest.fixture(scope="module")
def camera(tmp_path_factory: pytest.TempPathFactory) -> Generator[Camera]:
    """A small virtual camera."""
    place = tmp_path_factory.mktemp("camera")
    changes = {"stream": {"width": 320, "height": 180}}
    with running(camera_file(place / "camera.toml", changes), place / "truth.jsonl") as found:
        yield found


@pytest.fixture
def led(camera: Camera, tmp_path: Path) -> Generator[tuple[Camera, RelayProcess]]:
    """The camera, and a relay before its RTSP port."""
    where = urlsplit(camera.rtsp)
    with relay_process(tmp_path, "--rtsp", f"127.0.0.1:0={where.hostname}:{where.port}") as relay:
        yield camera, relay


def _url(camera: Camera, relay: RelayProcess) -> str:
    host, port = relay.ports["rtsp"][0]
    return f"rtsp://{host}:{port}{urlsplit(camera.rtsp).path}"


def test_rtp_over_udp_goes_through_the_relay_and_suffers_there(led: tuple[Camera, RelayProcess]) -> None:
    camera, relay = led
    with (
        RawRtsp(_url(camera, relay), camera.password) as client,
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as rtp,
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as rtcp,
    ):
        for one in (rtp, rtcp):
            one.bind(("127.0.0.1", 0))
            one.settimeout(5.0)
        wanted = f"{rtp.getsockname()[1]}-{rtcp.getsockname()[1]}"
        assert client.request("DESCRIBE").status == 200
        reply = client.setup(f"RTP/AVP;unicast;client_port={wanted}")
        transport = reply.headers["transport"][0]
        assert f"client_port={wanted}" in transport, "the bench sees the ports it asked for"
        server = re.search(r"server_port=(\d+)-(\d+)", transport)
        assert server is not None
        emulator = NetworkRelay(relay.control)
        emulator.apply(NetworkPath(loss=0.2, delay_ms=40))
        assert client.request("PLAY").status == 200
        sequence = []
        for _ in range(150):
            data, source = rtp.recvfrom(2048)
            assert source == ("127.0.0.1", int(server[1])), "datagrams come from the relay's port"
            sequence.append(int.from_bytes(data[2:4], "big"))
        assert rtcp.recvfrom(2048)[1] == ("127.0.0.1", int(server[2]))
        emulator.safe()
        assert client.request("TEARDOWN").status == 200
        emulator.close()
    relay.end()
    missing = (sequence[-1] - sequence[0]) % 2**16 + 1 - len(sequence)
    log = sorted(
        relay.packets(direction="to_bench", flow="rtp"), key=lambda line: int(str(line["arrived_ns"]))
    )
    fates = [line["fate"] for line in log]
    first, last = _window(fates, len(sequence))
    assert missing == fates[first:last].count("loss") > 0, "the gaps are those of the relay's log"
    assert relay.packets(direction="to_bench", flow="rtcp")


def _window(fates: list[object], received: int) -> tuple[int, int]:
    """Places in the log, in order of arrival, of the first packet that arrived, and behind the last of so many."""
    sent = [place for place, fate in enumerate(fates) if fate == "sent"]
    return sent[0], sent[received - 1] + 1


def test_interleaved_rtp_goes_through_unharmed(led: tuple[Camera, RelayProcess]) -> None:
    camera, relay = led
    emulator = NetworkRelay(relay.control)
    emulator.apply(NetworkPath(loss=0.5, delay_ms=30, jitter_ms=5))
    with RawRtsp(_url(camera, relay), camera.password) as client:
        client.play()
        packets = [packet.sequence for picture in client.pictures(10) for packet in picture]
    assert [(b - a) % 2**16 for a, b in itertools.pairwise(packets)] == [1] * (len(packets) - 1)
    emulator.close()


def test_the_bench_behind_the_relay_misses_the_very_packets_that_the_relay_lost(
    led: tuple[Camera, RelayProcess],
) -> None:
    camera, relay = led
    emulator = NetworkRelay(relay.control)
    emulator.apply(NetworkPath(delay_ms=80, jitter_ms=2, loss=0.05), direction="to_bench")
    got = capture(_url(camera, relay), user="admin", password=camera.password, seconds=4.0, transport="udp")
    emulator.close()
    relay.end()
    log = sorted(
        relay.packets(direction="to_bench", flow="rtp"), key=lambda line: int(str(line["arrived_ns"]))
    )
    fates = "".join("-" if line["fate"] == "loss" else "o" for line in log)
    arrived = set((got.packets["sequence"] - got.packets["sequence"].min()).tolist())
    seen = "".join("o" if number in arrived else "-" for number in range(max(arrived) + 1))
    assert seen.count("-") > 0 and len(seen) > 50
    assert fates.count(seen) == 1, "packet by packet"
