"""A camera for the virtual ONVIF server to stand before, and servers that misbehave on raw sockets."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace

from bench.camera.address import CameraUrl, Secret
from fixtures.simulated.camera_clock import CameraClock
from fixtures.simulated.config.ptz import Ptz
from fixtures.simulated.device_state import DeviceState, Settings, User
from fixtures.simulated.event_broker import EventBroker
from fixtures.simulated.imaging_state import ImagingState
from fixtures.simulated.inside import Inside
from fixtures.simulated.onvif import OnvifDevice
from fixtures.simulated.ptz_head import PtzHead
from fixtures.simulated.state import DeviceInfo, EncoderLimits, EncoderSettings, Profile
from fixtures.simulated.truth import Truth

PASSWORD = "right & <proper>"
JPEG = b"\xff\xd8\xff\xe0 a picture \xff\xd9"
SIZES = ((640, 360), (1280, 720))
ENVELOPE = '<s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope"{}><s:Body>{}</s:Body></s:Envelope>'


@dataclass
class StillCamera:
    """A CameraState without video. wall_offset_s: error of its clock."""

    wall_offset_s: float = 0.0
    info: DeviceInfo = DeviceInfo("Simulated & Co", 'SIM "C1" <x>', "1.0.0", "SIM0001", "1.0")
    settings: dict[str, EncoderSettings] = field(
        default_factory=lambda: {
            "main": EncoderSettings(1280, 720, 25.0, 4000, 50),
            "sub": EncoderSettings(640, 360, 30000 / 1001, 800, 60),
        }
    )
    refusal: str = ""
    rebooted: threading.Event = field(default_factory=threading.Event)
    keys: list[str] = field(default_factory=list)
    truth: list[tuple[str, dict[str, Truth]]] = field(default_factory=list)
    head: bool = False

    def __post_init__(self) -> None:
        """Its inside: one administrator, nothing remembered."""
        users = (User(name="admin", password=PASSWORD, level="Administrator"),)
        clock = CameraClock(offset_ms=self.wall_offset_s * 1e3)
        broker = EventBroker(self.told, clock.now_ns)
        head = PtzHead(Ptz(), self.told) if self.head else None
        self.inside = Inside(DeviceState(Settings(users=users)), clock, ImagingState(), broker, head)

    def told(self, kind: str, facts: Mapping[str, Truth]) -> None:
        """What its parts report as truth."""
        self.truth.append((kind, dict(facts)))

    @property
    def profiles(self) -> tuple[Profile, ...]:
        """A main and a sub stream."""
        sub = EncoderLimits(sizes=SIZES[:1], fps=(1, 30), bitrate_kbit=(64, 2000))
        main = EncoderLimits(sizes=SIZES, codecs=("h264", "h265", "mjpeg"))
        return Profile("main", "main", main), Profile("sub", "sub", sub)

    def encoder(self, token: str) -> EncoderSettings:
        """Settings in force."""
        return self.settings[token]

    def set_encoder(self, token: str, settings: EncoderSettings) -> None:
        """Put settings into force."""
        if self.refusal:
            raise ValueError(self.refusal)
        self.settings[token] = replace(settings)

    def rtsp_uri(self, token: str) -> str:
        """Where the stream would be."""
        return f"rtsp://127.0.0.1:554/{token}?a=1&b=2"

    def snapshot(self, token: str) -> bytes:
        """A file."""
        return JPEG

    def now_ns(self) -> int:
        """The camera's clock."""
        return self.inside.clock.now_ns()

    def demand_key(self, token: str) -> None:
        """Note it."""
        self.keys.append(token)

    def reboot(self) -> None:
        """Note it."""
        self.rebooted.set()


@contextmanager
def device(camera: StillCamera | None = None) -> Generator[OnvifDevice]:
    """The virtual ONVIF server, running."""
    one = OnvifDevice(camera=camera or StillCamera())
    one.start()
    try:
        yield one
    finally:
        one.stop()


def url_of(port: int, user: str | None = "admin") -> CameraUrl:
    """The address of a server on this machine."""
    return CameraUrl("onvif", user, "127.0.0.1", port)


RIGHT, WRONG = Secret(PASSWORD), Secret("wrong")


def read_request(connection: socket.socket) -> bytes:
    """One HTTP request with its body."""
    data = b""
    while b"\r\n\r\n" not in data:
        part = connection.recv(65536)
        if not part:
            return data
        data += part
    head, _, body = data.partition(b"\r\n\r\n")
    lengths = [
        line.split(b":")[1] for line in head.split(b"\r\n") if line.lower().startswith(b"content-length")
    ]
    while lengths and len(body) < int(lengths[0]):
        body += connection.recv(65536)
    return head + b"\r\n\r\n" + body


def http(
    body: bytes | str, status: str = "200 OK", kind: str = "application/soap+xml", more: str = ""
) -> bytes:
    """An HTTP answer."""
    raw = body.encode() if isinstance(body, str) else body
    head = f"HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {len(raw)}\r\n{more}\r\n"
    return head.encode() + raw


@contextmanager
def raw_server(answer: Callable[[socket.socket, bytes], None]) -> Generator[tuple[int, list[bytes]]]:
    """A TCP server: reads one request a connection, lets `answer` do its worst; yields port, requests."""
    requests: list[bytes] = []
    stop = threading.Event()

    def serve(connection: socket.socket) -> None:
        with connection, suppress(OSError):
            request = read_request(connection)
            requests.append(request)
            answer(connection, request)

    def accept() -> None:
        while not stop.is_set():
            with suppress(OSError):
                connection, _ = listener.accept()
                connection.settimeout(20.0)
                threading.Thread(target=serve, args=(connection,), daemon=True).start()

    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(0.1)
        thread = threading.Thread(target=accept, daemon=True)
        thread.start()
        try:
            yield listener.getsockname()[1], requests
        finally:
            stop.set()
            thread.join()
