"""docs/station.md: its example is opened, set up, checked and read on simulated instruments."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Generator
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from station_world import StationWorld, eventually, station_world

from instruments.station import Station
from instruments.station_file import StationFile
from instruments.station_rules import examine_station
from standards.quantity import Origin

PAGE = Path(__file__).resolve().parents[2] / "docs" / "station.md"
TWINS = ("power_supply", "light_box", "lux_meter", "relay_board")


def _block(language: str) -> str:
    found = re.search(rf"```{language}\n(.*?)```", PAGE.read_text("utf-8"), re.DOTALL)
    assert found is not None
    return found[1]


@pytest.fixture
def around(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Generator[StationWorld]:
    monkeypatch.setenv("BENCH_LEASES", str(tmp_path / "leases"))
    entries: dict[str, dict[str, object]] = {role: {"kind": role} for role in TWINS}
    entries["network_emulator"] = {"kind": "network_relay"}
    entries["flash_lamp"] = {"kind": "flash_lamp", "transport": "pty"}
    with station_world(tmp_path, entries) as found:
        yield found


def _written(around: StationWorld) -> Path:
    """The page's files, with the twins' addresses and the hour of now."""
    text = _block("toml")
    for role, address in around.addresses.items():
        table = re.search(rf"\[instruments\.{role}\]\n.*?address = \"([^\"]+)\"", text, re.DOTALL)
        assert table is not None
        text = text.replace(f'"{table[1]}"', f'"{address}"')
    rows = re.sub(
        r"2026-11-25T09:0\d:00\+08:00", datetime.now(UTC).isoformat(timespec="seconds"), _block("csv")
    )
    (around.folder / "readings.csv").write_text(rows)
    file = around.folder / "station.toml"
    file.write_text(text)
    return file


def test_the_example_works_as_it_stands(around: StationWorld) -> None:
    file = _written(around)
    assert examine_station(file).problems == ()
    with Station.open(file) as station:
        station.check(date(2026, 11, 25))
        done = station.set_up()
        assert [words.split()[0] for words in done] == ["relay_board", "power_supply", "light_box"], (
            "in order"
        )
        assert eventually(lambda: around.world.value("illuminance_lx") > 499)
        checks = station.interim_checks()
        assert [(c.role, c.ok) for c in checks] == [
            ("power_supply", True),
            ("light_box", True),
            ("flash_lamp", True),
        ]
        voltage = checks[0].reading
        assert voltage is not None and (voltage.value, voltage.origin, voltage.who) == (
            12.03,
            Origin.TYPED,
            "Li Ming",
        )
        lux = station.reading("lux_meter", "illuminance")
        assert lux.value - lux.raw == pytest.approx(-4.0, abs=0.1) and lux.certificate == "CAL-2026-0117"
        temperature, humidity = station.air()
        assert (temperature.value, humidity.value) == (23.4, 45.0)
    assert eventually(
        lambda: around.world.value("supply_v") < 0.1 and around.world.value("illuminance_lx") < 0.1
    )


def test_the_page_shows_every_table() -> None:
    assert set(tomllib.loads(_block("toml"))) == set(StationFile.model_fields)
