"""Stations of simulated instruments, and the truth about whether each was left safe."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Generator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from interruptible import interruptible

from fixtures.simulated.config.instruments import InstrumentEntry
from fixtures.simulated.instruments.device import SimulatedInstrument
from fixtures.simulated.instruments.running import start_instruments
from fixtures.simulated.truth import TruthLog
from fixtures.world import Change, World
from instruments.lease import take_all
from instruments.station import load_station, station_leases
from standards.errors import UsageError

ROOT = Path(__file__).resolve().parents[2]
PROGRAM = ROOT / "tests" / "support" / "station_program.py"


@dataclass
class StationWorld:
    """Running instruments, the world they act on, and the station file that reaches them."""

    world: World
    devices: Mapping[str, SimulatedInstrument]
    addresses: Mapping[str, str]
    folder: Path
    changes: list[Change] = field(default_factory=list)

    def file(self, name: str = "station.toml", **changes: str) -> Path:
        """Write a station file of all instruments. changes: lines added to a role's table; 'rest': at the end."""
        path = self.folder / name
        parts = ['[station]\nname = "test"\norigin = "simulated"\n']
        for role, device in self.devices.items():
            parts.append(
                f'[instruments.{role}]\ndriver = "{device.entry.kind}"\naddress = "{self.addresses[role]}"\n'
                f"{changes.get(role, '')}\n"
            )
        path.write_text("\n".join([*parts, changes.get("rest", "")]))
        return path


@contextmanager
def station_world(folder: Path, entries: Mapping[str, Mapping[str, Any]]) -> Generator[StationWorld]:
    """Run instruments around a dark world without supply. entries: role -> keys of [instruments.ROLE] of a camera file."""
    world, truth = World({"supply_v": 0.0, "illuminance_lx": 0.0}), TruthLog(folder / "truth.jsonl")
    tables = {role: InstrumentEntry.model_validate(dict(entry)) for role, entry in entries.items()}
    running = start_instruments(tables, world, truth)
    try:
        found = StationWorld(world, running.devices, running.addresses, folder)
        world.listen(found.changes.append)
        yield found
    finally:
        running.stop()
        truth.close()


def start_program(station: Path, *arguments: str) -> subprocess.Popen[str]:
    """A program that works with the station (tests/support/station_program.py), once it begins to open it."""
    process = subprocess.Popen(
        [sys.executable, str(PROGRAM), str(station), *arguments],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=interruptible,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "opening\n", process.stderr and process.stderr.read()
    return process


def await_free(station: Path, *, seconds: float = 40.0) -> list[str]:
    """Wait until nobody holds the station, its supervisor included. Returns the notes of what was taken over."""
    deadline = time.monotonic() + seconds
    while True:
        with ExitStack() as stack:
            try:
                return take_all(station_leases(station, load_station(station)), stack)
            except UsageError:
                if time.monotonic() > deadline:
                    raise
        time.sleep(0.05)


def eventually(condition: Callable[[], bool], *, seconds: float = 10.0) -> bool:
    """Whether a condition comes true within a time."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True
