"""However a bench ends, every instrument is left safe: thirty random moments, read off the simulated world itself."""

from __future__ import annotations

import random
import signal
import subprocess
import time
from collections.abc import Callable, Generator
from pathlib import Path
from typing import Any

import pytest
from station_world import StationWorld, await_free, eventually, start_program, station_world

from fixtures.world import World
from instruments.drivers import ROLES

_Safe = Callable[[World, Any], bool]


def _idle(world: World, device: Any) -> bool:
    return not device.air.running


def _open(world: World, device: Any) -> bool:
    return not any(device.relays.closed)


def _clear(world: World, device: Any) -> bool:
    ways = (device.paths.to_camera, device.paths.to_bench)
    return all(way["up"] and not any(v for k, v in way.items() if k != "up") for way in ways)


def _as_it_is(world: World, device: Any) -> bool:
    return True


#: Role -> its simulated twin, and whether the world or the twin itself is as it should be left.
SAFE: dict[str, tuple[dict[str, object], _Safe]] = {
    "network_emulator": ({"kind": "network_relay"}, _clear),
    "relay_board": ({"kind": "relay_board"}, _open),
    "climate_chamber": ({"kind": "climate_chamber"}, _idle),
    "power_supply": ({"kind": "power_supply"}, lambda world, device: world.value("supply_v") < 0.5),
    "light_box": ({"kind": "light_box"}, lambda world, device: world.value("illuminance_lx") < 0.5),
    "multimeter": ({"kind": "multimeter"}, _as_it_is),
    "lux_meter": ({"kind": "lux_meter"}, _as_it_is),
    "oscilloscope": ({"kind": "oscilloscope"}, lambda world, device: device.state == "stop"),
    "flash_lamp": (
        {"kind": "flash_lamp", "transport": "pty"},
        lambda world, device: world.value("lamp") == 0.0,
    ),
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
    with station_world(tmp_path, {role: entry for role, (entry, _) in SAFE.items()}) as found:
        yield found


def test_every_role_is_there() -> None:
    assert set(SAFE) == set(ROLES)


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
