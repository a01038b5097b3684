"""The relay as a process between real sockets: what arrives, when, and what its log says of it."""

from __future__ import annotations

import json
import math
import socket
import statistics
import struct
import subprocess
import sys
import threading
import time
from collections.abc import Generator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, suppress
from itertools import pairwise
from pathlib import Path

import pytest
from relay_process import ROOT, RelayProcess, relay_process

from instruments.capability import NetworkEmulator, NetworkPath
from instruments.network_emulator import NetworkRelay
from standards.errors import InstrumentError, UsageError


class UdpWay:
    """A relay with one UDP port, a bench's socket before it and a camera's behind."""

    def __init__(self, stack: ExitStack, tmp_path: Path) -> None:
        self.camera = stack.enter_context(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
        self.camera.bind(("127.0.0.1", 0))
        self.bench = stack.enter_context(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
        for sock in (self.camera, self.bench):
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)
            sock.settimeout(2.0)
        target = "{}:{}".format(*self.camera.getsockname())
        self.relay = stack.enter_context(
            relay_process(tmp_path, "--udp", f"127.0.0.1:0={target}", "--seed", "7")
        )
        self.emulator = NetworkRelay(self.relay.control)
        stack.callback(self.emulator.close)
        self.bench.connect(self.relay.ports["udp"][0])

    def received(self, sock: socket.socket, quiet_s: float = 0.3) -> list[tuple[int, int]]:
        """(number, time of arrival) of all that arrives until it is quiet."""
        sock.settimeout(quiet_s)
        out = []
        try:
            while True:
                data = sock.recv(65536)
                out.append((int(data[:8]), time.time_ns()))
        except TimeoutError:
            return out


@pytest.fixture
def way(tmp_path: Path) -> Generator[UdpWay]:
    with ExitStack() as stack:
        yield UdpWay(stack, tmp_path)


def packet(number: int, size: int = 200) -> bytes:
    return b"%08d" % number + bytes(size - 8)


def test_is_a_network_emulator_and_transparent_at_first(way: UdpWay) -> None:
    assert isinstance(way.emulator, NetworkEmulator)
    assert way.emulator.identity().model == "network relay"
    assert way.emulator.path() == NetworkPath()
    way.bench.send(packet(1))
    data, relay = way.camera.recvfrom(100)
    assert int(data[:8]) == 1
    way.camera.sendto(packet(2), relay)
    assert int(way.bench.recv(100)[:8]) == 2


def test_what_is_lost_and_turned_round_is_what_the_log_says(way: UdpWay) -> None:
    count, loss, reorder, duplicate = 3000, 0.04, 0.1, 0.05
    way.emulator.apply(NetworkPath(delay_ms=20, loss=loss, reorder=reorder, duplicate=duplicate))
    with ThreadPoolExecutor(1) as pool:
        arriving = pool.submit(way.received, way.camera, 0.5)
        for number in range(count):
            way.bench.send(packet(number))
            if number % 20 == 0:
                time.sleep(0.005)
        seen = arriving.result()
    way.relay.end()
    log = way.relay.packets(direction="to_camera")
    assert len(log) == count, "every packet is accounted for"
    lost = [line for line in log if line["fate"] == "loss"]
    sent = [line for line in log if line["fate"] == "sent"]
    assert len(lost) + len(sent) == count
    assert len(seen) == sum(int(str(line["copies"])) for line in sent)
    assert len({number for number, _ in seen}) == len(sent)
    assert abs(len(lost) - count * loss) < 4.5 * math.sqrt(count * loss * (1 - loss))
    doubled = sum(line["copies"] == 2 for line in sent)
    assert doubled == pytest.approx(len(sent) * duplicate, abs=4.5 * math.sqrt(count * duplicate))
    order = [number for number, _ in seen]
    backwards = sum(after < before for before, after in pairwise(order))
    turned = [line for line in sent if line["reordered"]]
    assert backwards == len(turned)
    assert len(turned) == pytest.approx(len(sent) * reorder, abs=4.5 * math.sqrt(count * reorder))


def test_the_delay_is_the_one_asked_for(way: UdpWay) -> None:
    medians = []
    for delay in (0.0, 30.0, 60.0):
        way.emulator.apply(NetworkPath(delay_ms=delay))
        sent = []
        with ThreadPoolExecutor(1) as pool:
            arriving = pool.submit(way.received, way.camera)
            for number in range(40):
                sent.append(time.time_ns())
                way.bench.send(packet(number))
                time.sleep(0.002)
            arrived = arriving.result()
        assert [number for number, _ in arrived] == list(range(40))
        medians.append(statistics.median((at - sent[number]) / 1e6 for number, at in arrived))
    assert medians[1] - medians[0] > 28.0 and medians[2] - medians[1] > 28.0
    way.relay.end()
    log = way.relay.packets(direction="to_camera", fate="sent")
    late = [(int(str(line["left_ns"])) - int(str(line["arrived_ns"]))) / 1e6 for line in log]
    # By the relay's own log: never early, and typically within two milliseconds.
    assert all(value >= 30.0 for value in late[40:80]) and all(value >= 60.0 for value in late[80:])
    assert statistics.median(late[40:80]) < 32.0 and statistics.median(late[80:]) < 62.0


def test_a_direction_may_be_spoilt_alone(way: UdpWay) -> None:
    way.emulator.apply(NetworkPath(up=False), direction="to_bench")
    assert way.emulator.path(direction="to_camera") == NetworkPath()
    assert way.emulator.path() == NetworkPath(up=False)
    way.bench.send(packet(1))
    data, relay = way.camera.recvfrom(100)
    assert int(data[:8]) == 1
    way.camera.sendto(packet(2), relay)
    assert way.received(way.bench) == []
    way.emulator.safe()
    way.camera.sendto(packet(3), relay)
    assert [number for number, _ in way.received(way.bench)] == [3]


def test_a_cut_cable_loses_what_is_on_its_way(way: UdpWay) -> None:
    way.emulator.apply(NetworkPath(delay_ms=300))
    way.bench.send(packet(1))
    time.sleep(0.05)
    way.emulator.apply(NetworkPath(up=False))
    assert way.received(way.camera, 0.6) == []
    way.relay.end()
    assert [line["fate"] for line in way.relay.packets()] == ["down"]


def test_datagrams_pass_at_the_rate(way: UdpWay) -> None:
    rate_kbit, size, count = 4000, 1000, 400
    way.emulator.apply(NetworkPath(rate_kbit=rate_kbit))
    with ThreadPoolExecutor(1) as pool:
        arriving = pool.submit(way.received, way.camera, 0.5)
        for number in range(count):
            way.bench.send(packet(number, size))
            if number % 10 == 0:
                time.sleep(0.004)
        seen = arriving.result()
    seconds = (seen[-1][1] - seen[0][1]) / 1e9
    rate = (len(seen) - 1) * (size + 28) * 8 / seconds
    assert rate == pytest.approx(rate_kbit * 1e3, rel=0.05)


def _serve(listener: socket.socket, answer: bytes) -> None:
    with listener.accept()[0] as connection:
        while connection.recv(65536):
            pass
        connection.sendall(answer)


@pytest.fixture
def stream(tmp_path: Path) -> Generator[tuple[RelayProcess, NetworkRelay, socket.socket]]:
    with ExitStack() as stack:
        listener = stack.enter_context(socket.create_server(("127.0.0.1", 0)))
        listener.settimeout(10)
        target = "{}:{}".format(*listener.getsockname())
        relay = stack.enter_context(relay_process(tmp_path, "--tcp", f"127.0.0.1:0={target}"))
        emulator = NetworkRelay(relay.control)
        stack.callback(emulator.close)
        yield relay, emulator, listener


def test_a_stream_is_slowed_and_delayed_but_whole(
    stream: tuple[RelayProcess, NetworkRelay, socket.socket],
) -> None:
    relay, emulator, listener = stream
    answer = bytes(range(256)) * 1000
    emulator.apply(
        NetworkPath(rate_kbit=4000, delay_ms=20, jitter_ms=5, loss=0.5, reorder=0.5, duplicate=0.5)
    )
    server = threading.Thread(target=_serve, args=(listener, answer))
    server.start()
    with socket.create_connection(relay.ports["tcp"][0], 10) as bench:
        bench.sendall(b"please")
        bench.shutdown(socket.SHUT_WR)
        got, start = b"", 0.0
        while data := bench.recv(65536):
            start = start or time.monotonic()
            got += data
        seconds = time.monotonic() - start
    server.join(timeout=5)
    assert got == answer
    assert len(answer) * 8 / seconds == pytest.approx(4e6, rel=0.05)


def test_a_cut_stream_stands_still_and_goes_on(
    stream: tuple[RelayProcess, NetworkRelay, socket.socket],
) -> None:
    relay, emulator, listener = stream
    with socket.create_connection(relay.ports["tcp"][0], 5) as bench, listener.accept()[0] as camera:
        for sock in (bench, camera):
            sock.settimeout(0.3)
        bench.sendall(b"one")
        assert camera.recv(10) == b"one"
        emulator.apply(NetworkPath(up=False))
        bench.sendall(b"two")
        camera.sendall(b"three")
        for sock in (bench, camera):
            with pytest.raises(TimeoutError):
                sock.recv(10)
        emulator.apply(NetworkPath())
        assert camera.recv(10) == b"two" and bench.recv(10) == b"three"
        camera.close()
        assert bench.recv(10) == b"", "the end of a stream passes too"


def test_a_sender_that_outruns_the_path_is_left_waiting(
    stream: tuple[RelayProcess, NetworkRelay, socket.socket],
) -> None:
    relay, emulator, listener = stream
    with socket.create_connection(relay.ports["tcp"][0], 5) as bench, listener.accept()[0]:
        emulator.apply(NetworkPath(rate_kbit=8))
        bench.settimeout(1.0)
        sent = 0
        with suppress(TimeoutError):
            while sent < 64 << 20:
                sent += bench.send(bytes(65536))
        assert sent < 32 << 20


def test_nobody_behind_the_relay_ends_the_connection(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        target = "{}:{}".format(*listener.getsockname())
    with (
        relay_process(tmp_path, "--tcp", f"127.0.0.1:0={target}") as relay,
        socket.create_connection(relay.ports["tcp"][0], 5) as bench,
    ):
        assert bench.recv(10) == b""


def test_connections_that_come_and_go_leave_nothing_behind(
    stream: tuple[RelayProcess, NetworkRelay, socket.socket],
) -> None:
    relay, emulator, listener = stream
    listener.settimeout(0.05)
    descriptors = Path(f"/proc/{relay.process.pid}/fd")
    before = len(list(descriptors.iterdir()))
    crowd = []
    for number in range(50):
        bench = socket.create_connection(relay.ports["tcp"][0], 5)
        bench.sendall(bytes(1000))
        if number % 2:
            bench.setsockopt(
                socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0)
            )  # ends with a reset
        crowd.append(bench)
        if number >= 10:
            crowd.pop(0).close()
        with suppress(TimeoutError):
            listener.accept()[0].close()
    for bench in crowd:
        bench.close()
    deadline = time.monotonic() + 5
    while len(list(descriptors.iterdir())) > before and time.monotonic() < deadline:
        time.sleep(0.02)
    assert len(list(descriptors.iterdir())) <= before
    emulator.safe()


def test_many_senders_each_get_their_own_answers(way: UdpWay) -> None:
    with ExitStack() as stack:
        senders = [stack.enter_context(socket.socket(socket.AF_INET, socket.SOCK_DGRAM)) for _ in range(70)]
        for number, sender in enumerate(senders):
            sender.settimeout(5.0)
            sender.connect(way.relay.ports["udp"][0])
            sender.send(packet(number))
            data, back = way.camera.recvfrom(1000)
            assert int(data[:8]) == number
            way.camera.sendto(packet(1000 + number), back)
            assert int(sender.recv(1000)[:8]) == 1000 + number
        assert len(list(Path(f"/proc/{way.relay.process.pid}/fd").iterdir())) < 64 + 20, (
            "the oldest make room"
        )
        stranger = stack.enter_context(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
        stranger.sendto(packet(5), back)
        assert way.received(senders[-1]) == [], "only the camera answers"


REQUESTS = [
    (b"nonsense\n", "JSON"),
    (b"[1]\n", "object"),
    (b'{"do": "dance"}\n', "do must be"),
    (b'{"do": "identify", "now": 1}\n', "do must be"),
    (b'{"do": "path", "direction": "up"}\n', "direction"),
    (b'{"do": "apply", "direction": "both", "path": {"speed": 3}}\n', "speed"),
    (b'{"do": "apply", "direction": "both", "path": {"loss": 1.5}}\n', "loss"),
    (b'{"do": "apply", "direction": "both", "path": {"loss": true}}\n', "loss"),
    (b'{"do": "apply", "direction": "both", "path": {"delay_ms": NaN}}\n', "delay_ms"),
    (b'{"do": "apply", "direction": "both", "path": {"up": 1}}\n', "up"),
    (b"[" * 3000 + b"\n", "JSON"),
]


def test_requests_are_taken_strictly(way: UdpWay) -> None:
    _, host, port, _ = way.relay.control.split("::")
    with socket.create_connection((host, int(port)), 5) as control, control.makefile("rb") as answers:
        for request, word in REQUESTS:
            control.sendall(request)
            answer = json.loads(answers.readline())
            assert answer["ok"] is False and word in answer["error"], request
        control.sendall(b'{"do": "counters"}\n')
        assert json.loads(answers.readline())["counters"]["to_bench"]["in"] == 0
        control.sendall(bytes(5000))
        assert answers.readline() == b"", "a line without end is cut off"
    assert way.emulator.path() == NetworkPath()


@pytest.mark.parametrize(
    "path",
    [
        NetworkPath(delay_ms=-1),
        NetworkPath(loss=math.nan),
        NetworkPath(reorder=0.6),
        NetworkPath(rate_kbit=math.inf),
    ],
)
def test_the_driver_refuses_what_no_network_does(way: UdpWay, path: NetworkPath) -> None:
    with pytest.raises(UsageError, match="Mend"):
        way.emulator.apply(path)
    with pytest.raises(InstrumentError, match="direction must be"):
        way.emulator.apply(NetworkPath(), direction="sideways")


def test_a_relay_that_ends_is_noticed(way: UdpWay) -> None:
    way.relay.end()
    with pytest.raises(InstrumentError, match="network relay at TCPIP"):
        way.emulator.safe()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--control", "127.0.0.1:0", "--udp", "x"], "LISTEN=TARGET"),
        (["--control", "nonsense"], "HOST:PORT"),
        (["--control", "127.0.0.1:0", "--log", "/nowhere/log"], "nowhere"),
    ],
)
def test_arguments_that_cannot_be_served(words: list[str], said: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "instruments.network_relay", *words], cwd=ROOT, capture_output=True, text=True
    )
    assert done.returncode == 2 and said in done.stderr
