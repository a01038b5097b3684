"""Farms as processes of their own, clients that note every packet, and the counter read off decoded pictures."""

from __future__ import annotations

import io
import json
import subprocess
import sys
import threading
import time
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import groupby
from pathlib import Path
from typing import Any

import av
import numpy as np
from raw_rtsp import RawRtsp, Report, Rtp
from virtual_world import ROOT, merged, toml_text

from fixtures.charts import CHARTS, counter_value

SMALL: dict[str, Any] = {
    "title": "Small farm",
    "farm": {"streams": 4, "password": "camcert-sim"},
    "loop": {"width": 640, "height": 360, "bitrate_kbit": 800, "gop": 25, "seconds": 4.0},
}


def farm_file(path: Path, changes: Mapping[str, Any]) -> Path:
    """A farm file: the small farm with changes."""
    path.write_text(toml_text(merged(SMALL, changes)))
    return path


@dataclass(frozen=True)
class RunningFarm:
    """A farm that runs. base: its address, credentials included."""

    base: str
    urls: Sequence[str]
    truth_file: Path
    process: subprocess.Popen[str]

    def truth(self, kind: str = "") -> list[dict[str, Any]]:
        """The truth log so far, or its lines of one kind."""
        lines = self.truth_file.read_text().splitlines()
        found = [json.loads(line) for line in lines if line.endswith("}")]
        return [one for one in found if not kind or one["kind"] == kind]

    def defects(self, stream: int) -> list[dict[str, Any]]:
        """The occurrences that befell one stream."""
        return [one for one in self.truth("defect") if one["stream"] == stream]

    def stop(self) -> dict[str, Any]:
        """End it as Ctrl-C does; its last word."""
        self.process.send_signal(2)
        self.process.wait(timeout=15)
        return self.truth("end")[0]


@contextmanager
def running_farm(file: Path, truth: Path) -> Generator[RunningFarm]:
    """The farm of `file` until the block ends."""
    process = subprocess.Popen(
        [sys.executable, "-m", "fixtures.simulated.farm", str(file), "--truth", str(truth)],
        cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
    )  # fmt: skip
    assert process.stdout is not None
    try:
        first = json.loads(process.stdout.readline())
        base = first["rtsp"].replace("admin@", "admin:camcert-sim@")
        yield RunningFarm(base, first["urls"], truth, process)
    finally:
        process.terminate()
        process.wait(timeout=15)
        process.stdout.close()


@dataclass
class Watched:
    """What one client saw of one stream. closed: the farm hung up."""

    pictures: list[list[Rtp]] = field(default_factory=list)
    arrivals: list[float] = field(default_factory=list)
    reports: list[Report] = field(default_factory=list)
    byes: int = 0
    closed: bool = False

    @property
    def timestamps(self) -> list[int]:
        """Of the pictures, in order."""
        return [picture[0].timestamp for picture in self.pictures]


def watch(url: str, seconds: float) -> Watched:
    """Play a stream over TCP for so long; incomplete pictures at the end are left out."""
    out = Watched()
    with RawRtsp(url) as one:
        while one.request("DESCRIBE").status == 503:  # refused for a while is a defect of some streams
            time.sleep(0.1)
        one.play()
        one.socket.settimeout(seconds)
        packets: list[Rtp] = []
        deadline = time.monotonic() + seconds
        try:
            while time.monotonic() < deadline:
                packet = one.packet()
                if packet is None:
                    continue
                packets.append(packet)
                if packet.marker:
                    out.arrivals.append(time.monotonic())
        except (ConnectionError, TimeoutError) as error:
            out.closed = isinstance(error, ConnectionError)
        out.reports, out.byes = one.reports, one.byes
    out.pictures = [list(group) for _, group in groupby(packets, key=lambda p: p.timestamp)][:-1]
    return out


def watch_all(urls: Sequence[str], seconds: float) -> list[Watched]:
    """Watch several streams at the same time."""
    out: list[Watched] = [Watched() for _ in urls]

    def work(place: int) -> None:
        out[place] = watch(urls[place], seconds)

    threads = [threading.Thread(target=work, args=(place,)) for place in range(len(urls))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return out


def annex_b(pictures: Sequence[Sequence[Rtp]]) -> bytes:
    """The H.264 byte stream of pictures (RFC 6184: single NAL units and FU-A)."""
    out = b""
    for picture in pictures:
        for packet in picture:
            data = packet.payload
            if data[0] & 0x1F != 28:
                out += b"\0\0\0\1" + data
            elif data[1] & 0x80:
                out += b"\0\0\0\1" + bytes((data[0] & 0xE0 | data[1] & 0x1F,)) + data[2:]
            else:
                out += data[2:]
    return out


def decoded(stream: bytes) -> list[np.ndarray]:
    """Luma of all pictures of an H.264 byte stream."""
    with av.open(io.BytesIO(stream), mode="r", format="h264") as container:
        return [f.to_ndarray()[: f.height, : f.width] for f in container.decode(video=0)]


def counter(luma: np.ndarray) -> int:
    """The counter's number in a picture that the chart fills; -1 if it cannot be read."""
    chart = CHARTS["camcert-1"]
    scale = luma.shape[1] / chart.width

    def level(x: float, y: float) -> float:
        row, column = round(y * scale), round(x * scale)
        return float(luma[row - 4 : row + 5, column - 4 : column + 5].mean())

    levels = [level(*cell.centre) for cell in chart.cells]
    middle = (max(levels) + min(levels)) / 2
    return counter_value([value > middle for value in levels])
