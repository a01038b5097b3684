"""A network relay as a process of its own, between sockets of a test."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class RelayProcess:
    """A running relay. ports: addresses of what it forwards, by kind, in the order asked for."""

    control: str
    ports: dict[str, list[tuple[str, int]]]
    process: subprocess.Popen[str]
    log: Path

    def packets(self, **wanted: object) -> list[dict[str, object]]:
        """Lines of the log about packets with these facts. Complete once the relay has ended."""
        lines = [json.loads(line) for line in self.log.read_text().splitlines()]
        return [
            line
            for line in lines
            if line["kind"] == "packet" and all(line.get(k) == v for k, v in wanted.items())
        ]

    def end(self) -> None:
        """Have it end, so that its log is complete."""
        self.process.terminate()
        assert self.process.wait(timeout=10) == 0


@contextmanager
def relay_process(tmp_path: Path, *words: str, control: str = "127.0.0.1:0") -> Generator[RelayProcess]:
    """Start a relay with these arguments; it is ended afterwards."""
    log = tmp_path / "packets.jsonl"
    command = [
        sys.executable,
        "-m",
        "instruments.network_relay",
        "--control",
        control,
        "--log",
        str(log),
        *words,
    ]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    try:
        told = json.loads(process.stdout.readline())
        ports = {
            kind: [(host, int(port)) for host, port in (address.rsplit(":", 1) for address in told[kind])]
            for kind in ("tcp", "rtsp", "udp")
        }
        yield RelayProcess(told["control"], ports, process, log)
    finally:
        process.terminate()
        process.wait(timeout=10)
        process.stdout.close()
