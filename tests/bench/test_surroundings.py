"""The station in a run: set up, checked, its air recorded, all journalled; doubt about an instrument is a conclusion."""

from __future__ import annotations

import json
from collections.abc import Callable, Generator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from station_world import StationWorld, eventually, station_world
from virtual_world import Camera, bench

from bench.surroundings import Surroundings
from instruments.lease import Lease, lease_path
from reports.inspection import write_inspection
from reports.record import EventKind
from reports.selfcheck import page_texts
from reports.verify import verify
from standards.errors import CalibrationExpired, CheckFailed, UsageError

CHECK = (
    "set_point = {{ voltage_v = 12.0, settle_s = 0.1 }}\n"
    "[[instruments.power_supply.interim_check]]\n"
    'quantity = "voltage"\nreference = {}\ntolerance = 0.5\n'
)
EXPIRED = """
[[instruments.power_supply.calibration]]
number = "OLD"
laboratory = "L"
quantity = "voltage"
unit = "V"
gives = "correction"
points = [[0, 0, 0.01, 2], [30, 0, 0.01, 2]]
issued = 2019-01-01
due = 2020-01-01
"""


class Journal:
    """What a run would journal."""

    def __init__(self) -> None:
        self.events: list[tuple[EventKind, dict[str, Any]]] = []

    def append(self, kind: EventKind, data: dict[str, Any]) -> None:
        """Take an event that JSON can hold."""
        self.events.append((kind, json.loads(json.dumps(data))))

    def of(self, kind: EventKind) -> list[dict[str, Any]]:
        """Data of the events of a kind."""
        return [data for each, data in self.events if each is kind]


@pytest.fixture
def around(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Generator[StationWorld]:
    monkeypatch.setenv("BENCH_LEASES", str(tmp_path / "leases"))
    with station_world(tmp_path, {"power_supply": {"kind": "power_supply"}}) as found:
        yield found


def _around(file: Path | None, journal: Journal) -> tuple[Surroundings, Lease]:
    folder = Path("run") if file is None else file.parent
    return Surroundings(file, run=folder, append=journal.append), Lease(
        lease_path("camera", "c"), "the camera c"
    )


def test_set_up_checked_and_left_safe(around: StationWorld) -> None:
    journal = Journal()
    here, camera = _around(around.file(power_supply=CHECK.format(12.0)), journal)
    here.open(camera)
    assert eventually(lambda: around.world.value("supply_v") > 11.9), "the camera has its supply"
    assert here.air() == []
    here.check_again()
    here.check_again()
    here.close()
    here.close()
    assert eventually(lambda: around.world.value("supply_v") < 0.1)
    assert [c["when"] for c in journal.of(EventKind.CHECKED)] == ["start", "end"], (
        "once before and once after"
    )
    assert all(c["ok"] and c["reading"]["unit"] == "V" for c in journal.of(EventKind.CHECKED))
    assert journal.of(EventKind.NOTE) == [{"text": "power_supply set to 12 V, output on"}]
    assert journal.of(EventKind.FAULT) == []


def test_a_failed_check_before_the_run_ends_it(around: StationWorld) -> None:
    journal = Journal()
    here, camera = _around(around.file(power_supply=CHECK.format(14.0)), journal)
    with pytest.raises(CheckFailed, match=r"14 ± 0.5 V wanted. Mend: "):
        here.open(camera)
    here.check_again()
    here.close()
    assert [c["ok"] for c in journal.of(EventKind.CHECKED)] == [False], "none after a run that was none"
    assert eventually(lambda: around.world.value("supply_v") < 0.1)


def test_an_expired_certificate_switches_nothing_on(around: StationWorld) -> None:
    here, camera = _around(around.file(power_supply=CHECK.format(12.0) + EXPIRED), Journal())
    with pytest.raises(CalibrationExpired, match="OLD"):
        here.open(camera)
    here.close()
    assert not any(change.target > 0 for change in around.changes)


def test_without_a_station_the_camera_is_leased_all_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BENCH_LEASES", str(tmp_path / "leases"))
    one, other = _around(None, Journal()), _around(None, Journal())
    one[0].open(one[1])
    with pytest.raises(UsageError, match="the camera c is in use"):
        other[0].open(other[1])
    one[0].close()
    other[0].open(other[1])
    other[0].close()


BY_HAND = """
[station]
name = "by hand"
origin = "simulated"

[instruments.lux_meter]
driver = "manual"
address = "readings.csv"
manufacturer = "Maker"
model = "T-1"
serial = "LX-9"

[[instruments.lux_meter.interim_check]]
quantity = "illuminance"
reference = 500.0
tolerance_percent = 3.0

[environment.temperature]
ask = "readings.csv"
"""


@pytest.mark.timeout(180)
def test_a_failed_check_after_the_run_leaves_its_conclusion_open(
    camera: Callable[..., Camera], short_scheme: Callable[..., Path], tmp_path: Path
) -> None:
    """Every value was typed by a person: the record and the report say by whom."""
    rows = [("illuminance", 502, "lx"), ("temperature", 23.4, "degC"), ("illuminance", 430, "lx"),
            ("temperature", 23.9, "degC")]  # fmt: skip
    now = datetime.now(UTC).isoformat(timespec="seconds")
    text = "".join(f"{name},{value},{unit},李明,{now}\n" for name, value, unit in rows)
    (tmp_path / "readings.csv").write_text("quantity,value,unit,who,when\n" + text)
    (tmp_path / "station.toml").write_text(BY_HAND)
    one, record = camera(), tmp_path / "record"
    done = bench(
        *("run", "--scheme", str(short_scheme(seconds=3.0)), "--camera", one.rtsp, "--out", str(record)),
        *("--station", str(tmp_path / "station.toml")), env=one.environment,
    )  # fmt: skip
    assert done.returncode == 3, done.stdout + done.stderr
    results = json.loads((record / "results.json").read_text())
    assert results["overall"] == results["recommended"] == "inconclusive"
    assert any(item["execution"] == "done" for item in results["items"]), "what was measured stays"
    events = [json.loads(line) for line in (record / "journal.jsonl").read_text().splitlines()]
    checked = [e["data"] for e in events if e["kind"] == "checked"]
    assert [(c["when"], c["ok"]) for c in checked] == [("start", True), ("end", False)]
    assert {(c["reading"]["origin"], c["reading"]["who"]) for c in checked} == {("typed", "李明")}
    air = [e["data"]["air"][0]["value"] for e in events if e["kind"] == "environment"]
    assert air == [23.4, 23.9]
    assert verify(record) == []
    words = "".join("".join(page_texts(write_inspection(record).read_bytes())).split())
    for wanted in ("仪器期间核查", "人工录入", "李明", "不合格", "人工操作与读数", "环境温度"):
        assert wanted in words
