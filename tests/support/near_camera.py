"""A virtual camera of a camera file within the test's own process, small and quick, and what its raw wire shows.

For checks of many camera files: no process has to start. The measuring rooms of the bench are not used here.
"""

from __future__ import annotations

import itertools
import json
import time
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import av
import numpy as np
from raw_rtsp import RawRtsp, Report, Rtp
from virtual_world import ROOT, merged

from fixtures.simulated.camera import VirtualCamera
from fixtures.simulated.config import CameraFile, camera_tables
from fixtures.simulated.truth import TruthLog
from fixtures.world import World

CAMERAS = ROOT / "fixtures" / "cameras"
SMALL = {
    "stream": {"width": 640, "height": 360, "bitrate_kbit": 3000, "clock_ppm": 0.0},
    "pipeline": {"latency_ms": 30.0, "latency_jitter_ms": 0.0},
    "lamp": {"line": False},
}


@dataclass
class Near:
    """A running camera in its world. truth(): its log so far."""

    camera: VirtualCamera
    file: CameraFile
    path: Path
    world: World

    @property
    def rtsp(self) -> str:
        """RTSP address of the main stream."""
        return self.camera.addresses["rtsp"]

    def truth(self, kind: str = "frame") -> list[dict[str, Any]]:
        """Facts of one kind."""
        whole = self.path.read_text().rpartition("\n")[0]  # the last line may be on its way
        return [row for line in whole.splitlines() if (row := json.loads(line))["kind"] == kind]

    def awaited(
        self, kind: str, wanted: Callable[[dict[str, Any]], bool], seconds: float = 20.0
    ) -> dict[str, Any]:
        """The first such fact: what is seen on the wire may stand in the log only a moment later."""
        deadline = time.monotonic() + seconds
        while not (found := [row for row in self.truth(kind) if wanted(row)]):
            assert time.monotonic() < deadline, f"no such {kind} in the truth within {seconds} s"
            time.sleep(0.02)
        return found[0]


@contextmanager
def near(name: str, folder: Path, changes: Mapping[str, Any] | None = None) -> Generator[Near]:
    """The camera of fixtures/cameras/NAME.toml, made small. changes: tables laid over it; `fault` is laid over the
    file's only fault."""
    tables = merged(camera_tables(CAMERAS / f"{name}.toml"), SMALL)
    changes = dict(changes or {})
    tables["fault"] = [merged(one, changes.pop("fault", {})) for one in tables.get("fault", [])]
    file = CameraFile.model_validate(merged(tables, changes))
    truth = TruthLog(folder / "truth.jsonl")
    world = World(file.world.initial)
    camera = VirtualCamera(file, truth, world)
    camera.start()
    try:
        yield Near(camera, file, truth.path, world)
    finally:
        camera.stop()
        truth.close()


@dataclass
class Watched:
    """What came on the wire, in its order. arrivals: host time of each packet, ns."""

    packets: list[Rtp] = field(default_factory=list)
    arrivals: list[int] = field(default_factory=list)
    reports: list[Report] = field(default_factory=list)
    sdp: str = ""

    @property
    def units(self) -> list[list[Rtp]]:
        """Packets that follow each other under one timestamp."""
        return [list(group) for _, group in itertools.groupby(self.packets, key=lambda p: p.timestamp)]

    @property
    def stamps(self) -> list[int]:
        """Timestamps, one for each of the units."""
        return [unit[0].timestamp for unit in self.units]

    @property
    def steps(self) -> list[int]:
        """Differences of the timestamps, signed."""
        return [(b - a + 2**31) % 2**32 - 2**31 for a, b in itertools.pairwise(self.stamps)]

    @property
    def sequence_steps(self) -> list[int]:
        """Differences of the sequence numbers, signed."""
        pairs = itertools.pairwise(packet.sequence for packet in self.packets)
        return [(b - a + 2**15) % 2**16 - 2**15 for a, b in pairs]

    def unit_arrivals(self) -> dict[int, int]:
        """Arrival of the last packet of each timestamp, ns."""
        return {p.timestamp: at for p, at in zip(self.packets, self.arrivals, strict=True)}


def watch(url: str, seconds: float = 2.0, password: str = "camcert-sim", after: float = 0.0) -> Watched:
    """Play a stream and look at the raw wire for a time, whole pictures."""
    out = Watched()
    with RawRtsp(url, password) as client:
        out.sdp = client.request("DESCRIBE").body
        assert client.setup().status == 200
        assert client.request("PLAY").status == 200
        until = time.monotonic() + after + seconds
        while time.monotonic() < until:
            packet = client.packet()
            if packet is not None:
                out.packets.append(packet)
                out.arrivals.append(time.time_ns())
        out.reports = client.reports
    last = out.packets[-1].timestamp  # its picture may not be whole
    keep = len(out.packets) - sum(
        1 for _ in itertools.takewhile(lambda p: p.timestamp == last, out.packets[::-1])
    )
    del out.packets[keep:], out.arrivals[keep:]
    return out


def rows_of(camera: Near, seen: Watched) -> list[dict[str, Any]]:
    """Truth of the pictures from the first to the last one watched, by their number."""
    stamps = set(seen.stamps)
    rows = camera.truth()
    inside = [row["index"] for row in rows if row["timestamp"] in stamps]
    return sorted(
        (row for row in rows if min(inside) <= row["index"] <= max(inside)), key=lambda row: row["index"]
    )


def with_fault(rows: list[dict[str, Any]], kind: str) -> list[dict[str, Any]]:
    """Those of the pictures that a fault of this kind struck."""
    return [row for row in rows if kind in row["faults"]]


def nal_types(unit: list[Rtp]) -> list[int]:
    """Types of the H.264 NAL units that begin in a picture's packets (RFC 6184, 5.4)."""
    kinds = []
    for packet in unit:
        kind = packet.payload[0] & 0x1F
        if kind != 28:
            kinds.append(kind)
        elif packet.payload[1] & 0x80:
            kinds.append(packet.payload[1] & 0x1F)
    return kinds


def annex_b(unit: list[Rtp]) -> bytes:
    """A picture's H.264 byte stream from its packets (RFC 6184, 5.6 and 5.8)."""
    out = b""
    for packet in unit:
        data = packet.payload
        if data[0] & 0x1F != 28:
            out += b"\0\0\0\1" + data
            continue
        if data[1] & 0x80:
            out += b"\0\0\0\1" + bytes((data[0] & 0xE0 | data[1] & 0x1F,))
        out += data[2:]
    return out


def lumas(units: list[list[Rtp]]) -> list[np.ndarray | None]:
    """Each picture's luma by libavcodec, None where it does not decode; strict about damaged pictures."""
    decoder = av.CodecContext.create("h264", "r")
    decoder.thread_count = 1
    decoder.options = {"err_detect": "explode", "flags": "low_delay"}
    out: list[np.ndarray | None] = []
    for unit in units:
        try:
            frames = decoder.decode(av.Packet(annex_b(unit)))
        except av.error.FFmpegError:
            frames = []
        out.append(frames[0].to_ndarray()[: frames[0].height] if frames else None)
    return out
