"""However a bench ends, every instrument is left safe: thirty random moments, read off the simulated world itself."""

from __future__ import annotations

import random
import signal
import subprocess
import time
from collections.abc import Callable, Generator
from pathlib import Path

import pytest
from station_world import StationWorld, await_free, eventually, start_program, station_world

from fixtures.simulated.instruments.device import SimulatedInstrument
from fixtures.world import World

#: Role -> what its simulated twin is, and whether the world or the device itself is as it should be left.
SAFE: dict[str, tuple[dict[str, object], Callable[[World, SimulatedInstrument], bool]]] = {
    "power_supply": ({"kind": "power_supply"}, lambda world, device: world.value("supply_v") < 0.5),
}
WAYS = ("interrupt", "terminate", "kill", "exception")
MOMENTS = 30
LATEST_S = 1.3  # opening takes a third of that, the rest is work


def _moments(way: str) -> list[float]:
    """This way's share of the moments, seconds after the program begins to open the station."""
    chance = random.Random(20261125)
    drawn = [chance.uniform(0.0, LATEST_S) for _ in range(MOMENTS)]
    return drawn[WAYS.index(way) :: len(WAYS)]


@pytest.fixture
def around(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Generator[StationWorld]:
    """All instruments, running."""
    monkeypatch.setenv("BENCH_LEASES", str(tmp_path / "leases"))
    with station_world(
        tmp_path, {role: {**entry, "errors": {"settle_s": 0.0}} for role, (entry, _) in SAFE.items()}
    ) as found:
        yield found


def _unsafe(around: StationWorld) -> list[str]:
    return [role for role, (_, safe) in SAFE.items() if not safe(around.world, around.devices[role])]


def _end(process: subprocess.Popen[str], way: str, moment: float) -> None:
    """End a program in its way, and see that it ended so."""
    signals = {"interrupt": signal.SIGINT, "terminate": signal.SIGTERM, "kill": signal.SIGKILL}
    if way in signals:
        time.sleep(moment)
        process.send_signal(signals[way])
    _, errors = process.communicate(timeout=60)
    # An interrupt that falls between two steps of Python's own may end it otherwise; safe it must be all the same.
    wanted = {"interrupt": (3, 1, -2), "terminate": (3, 1, -15), "kill": (-9,), "exception": (4, 1)}[way]
    assert process.returncode in wanted, errors


@pytest.mark.timeout(180)
@pytest.mark.parametrize("way", WAYS)
def test_at_random_moments(way: str, around: StationWorld) -> None:
    station = around.file(power_supply="set_point = { voltage_v = 12.0 }")
    at_work = 0
    for moment in _moments(way):
        around.changes.clear()
        process = start_program(station, *([f"{0.001 + moment}"] if way == "exception" else []))
        _end(process, way, moment)
        at_work += any(change.quantity == "supply_v" and change.target > 0 for change in around.changes)
        await_free(station)
        assert eventually(lambda: not _unsafe(around)), f"{way} after {moment:.3f} s left {_unsafe(around)}"
    assert at_work >= len(_moments(way)) // 2, "most moments must find instruments that are switched on"
