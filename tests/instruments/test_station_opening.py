"""An opened station: order, leases, safe closing whatever fails, and the supervisor behind it."""

from __future__ import annotations

import json
import os
import signal
import socket
import time
from collections.abc import Generator
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from station_world import StationWorld, await_free, eventually, start_program, station_world

from fixtures.simulated.config.instruments import InstrumentFault
from instruments.capability import NetworkPath
from instruments.drivers import ROLES
from instruments.order import DEPENDS, Circle, opening_order, safety_order
from instruments.safety import make_safe
from instruments.station import Station
from instruments.station_file import Instruments
from instruments.station_rules import load_station
from instruments.supervisor import rescue
from instruments.watch import Supervised
from standards.errors import BadFile, CalibrationExpired, InstrumentError, UsageError
from standards.quantity import Origin

SET = "set_point = { voltage_v = 12.0 }"


@pytest.fixture
def around(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Generator[StationWorld]:
    monkeypatch.setenv("BENCH_LEASES", str(tmp_path / "leases"))
    with station_world(tmp_path, {"power_supply": {"kind": "power_supply"}}) as found:
        yield found


def _log(around: StationWorld) -> list[dict[str, Any]]:
    return [
        json.loads(line)
        for file in sorted((around.folder / "leases").glob("*.log"))
        for line in file.read_text().splitlines()
    ]


# order -----------------------------------------------------------------------------------------------


def test_every_role_has_its_place() -> None:
    assert set(DEPENDS) == set(ROLES) == set(Instruments.model_fields)
    order = opening_order(dict.fromkeys(ROLES, ()))
    assert set(order) == set(ROLES)
    for role, needed in DEPENDS.items():
        assert all(order.index(other) < order.index(role) for other in needed), role
        assert all(reason for reason in needed.values())


def test_what_a_station_lacks_still_orders_the_rest() -> None:
    assert opening_order({"oscilloscope": (), "network_emulator": ()}) == ["network_emulator", "oscilloscope"]


def test_a_file_may_ask_for_more_but_not_for_a_circle() -> None:
    after = {"lux_meter": ["multimeter"], "multimeter": [], "light_box": []}
    order = opening_order(after)
    assert order.index("multimeter") < order.index("lux_meter")
    with pytest.raises(Circle) as caught:
        opening_order({**after, "light_box": ["lux_meter"]})
    assert caught.value.roles[0] == caught.value.roles[-1]


def test_the_order_of_safety() -> None:
    opened = ["relay_board", "power_supply", "flash_lamp"]
    assert safety_order(opened) == ["flash_lamp", "power_supply", "relay_board"]
    assert safety_order(opened, ["power_supply", "light_box"]) == [
        "power_supply",
        "flash_lamp",
        "relay_board",
    ]


# leaving safe ----------------------------------------------------------------------------------------


def test_set_up_and_left_safe(around: StationWorld) -> None:
    with Station.open(around.file(power_supply=SET)) as station:
        assert station.set_up() == ["power_supply set to 12 V, output on"]
        assert eventually(lambda: around.world.value("supply_v") > 11.9)
        assert station.reading("power_supply", "voltage").value == pytest.approx(12.0, abs=0.1)
    assert eventually(lambda: around.world.value("supply_v") < 0.1)
    assert _log(around) == [], "the supervisor had nothing to do"


def test_a_line_that_drops_is_left_to_the_supervisor(around: StationWorld) -> None:
    told: list[str] = []
    with Station.open(around.file(power_supply=SET), report=told.append) as station:
        station.set_up()
        assert eventually(lambda: around.world.value("supply_v") > 11.9)
        fault = InstrumentFault(kind="disconnect", for_s=0.5)
        around.devices["power_supply"].faults.switch_on(fault)
    assert eventually(lambda: around.world.value("supply_v") < 0.1)
    assert "power_supply could not be made safe" in told[0]
    assert told[1:] == ["power_supply made safe by the supervisor"]
    assert _log(around)[-1]["outcome"] == {"power_supply": "safe"}


class _Stubborn:
    """An instrument that never becomes safe."""

    def safe(self) -> None:
        raise RuntimeError("stuck relay")

    def close(self) -> None:
        raise OSError("gone")


def test_a_stubborn_one_keeps_no_other_from_safety(around: StationWorld) -> None:
    told: list[str] = []
    station = Station.open(around.file(power_supply=SET), report=told.append)
    station.set_up()
    station._open["flash_lamp"] = _Stubborn()
    station.close()
    station.close()
    assert eventually(lambda: around.world.value("supply_v") < 0.1)
    assert told == ["flash_lamp could not be made safe: stuck relay", "flash_lamp could not be closed: gone"]


def test_a_dead_address_closes_what_was_open(around: StationWorld) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        dead = f"TCPIP::127.0.0.1::{free.getsockname()[1]}::SOCKET"
    file = around.file(rest=f'[instruments.flash_lamp]\ndriver = "flash_lamp"\naddress = "{dead}"\n')
    begun = time.monotonic()
    with pytest.raises(InstrumentError, match="cannot be opened"):
        Station.open(file)
    assert time.monotonic() - begun < 20, "a line that was never open is not waited for"
    around.file()
    with Station.open(around.folder / "station.toml"):
        pass


def test_a_supply_that_stays_on_is_said_to(monkeypatch: pytest.MonkeyPatch, around: StationWorld) -> None:
    with Station.open(around.file()) as station:
        supply: Any = station.power_supply
        monkeypatch.setattr(type(supply), "output_is_on", lambda self: True)
        with pytest.raises(InstrumentError, match=r"still on.*Mend"):
            make_safe("power_supply", supply)
        monkeypatch.undo()


# leases ----------------------------------------------------------------------------------------------


def test_nobody_shares_a_station_or_an_instrument_of_it(around: StationWorld) -> None:
    file, other = around.file(), around.file("other.toml")
    with Station.open(file, run="records/gate-3"):
        for path in (file, other):
            with pytest.raises(UsageError, match=rf"process {os.getpid()}.*records/gate-3.*Mend"):
                Station.open(path)
    with Station.open(other):
        pass


def test_a_killed_bench_is_cleaned_up_after(around: StationWorld) -> None:
    """The supervisor is deaf to Ctrl-C and SIGTERM, outlives a bench that is killed with SIGKILL, and does its work."""
    file = around.file(power_supply=SET)
    process = start_program(file)
    assert process.stdout is not None
    assert process.stdout.readline() == "open\n"
    assert eventually(lambda: around.world.value("supply_v") > 11.9)
    children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        os.kill(int(children[0]), number)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    await_free(file)
    assert eventually(lambda: around.world.value("supply_v") < 0.1)
    (entry,) = _log(around)
    assert entry["outcome"] == {"power_supply": "safe"} and entry["bench"] == process.pid
    assert entry["why"] == "the bench died without a goodbye"


def test_a_rescue_is_bounded_and_a_dead_one_delays_no_other(around: StationWorld) -> None:
    around.world.set("supply_v", 12.0)
    with socket.socket() as mute:
        mute.bind(("127.0.0.1", 0))
        mute.listen()
        dead = Supervised("multimeter", "power_supply", f"TCPIP::127.0.0.1::{mute.getsockname()[1]}::SOCKET")
        alive = Supervised("power_supply", "power_supply", around.addresses["power_supply"])
        begun = time.monotonic()
        outcome = rescue([dead, alive], 4.0)
        assert time.monotonic() - begun < 12
    assert outcome["power_supply"] == "safe" and outcome["multimeter"] != "safe"
    assert around.world.value("supply_v") < 0.5
    time.sleep(2.5)  # the rescue's thread on the mute line ends with the line's own patience


# readings and checks ---------------------------------------------------------------------------------


CERTIFICATE = """
[[instruments.power_supply.calibration]]
number = "C7"
laboratory = "L"
quantity = "voltage"
unit = "V"
gives = "correction"
points = [[0.0, 0.5, 0.02, 2.0], [30.0, 0.5, 0.04, 2.0]]
issued = 2026-01-01
due = 2027-01-01
"""


def test_readings_are_corrected(around: StationWorld) -> None:
    with Station.open(around.file(power_supply=SET + CERTIFICATE)) as station:
        station.set_up()
        assert eventually(lambda: around.world.value("supply_v") > 11.99)
        found = station.reading("power_supply", "voltage")
        assert found.value == pytest.approx(12.5, abs=0.05) and found.value == found.raw + 0.5
        assert found.u == 0.02 and found.certificate == "C7" and found.origin is Origin.SIMULATED
        assert station.reading("power_supply", "current").u is None, "without a certificate: not evaluated"
        station.check(date(2026, 6, 1))
        with pytest.raises(CalibrationExpired, match="C7"):
            station.check(date(2027, 6, 1))


def test_interim_checks_say_what_they_saw(around: StationWorld) -> None:
    checks = (
        'interim_check = [{ quantity = "voltage", reference = 12.0, tolerance = 0.2, settle_s = 0.1 },'
        ' { quantity = "voltage", at = 5.0, reference = 12.0, tolerance_percent = 1, settle_s = 0.1 },'
        ' { quantity = "response" }]\n'
    )
    with Station.open(around.file(power_supply=f"{SET}\n{checks}")) as station:
        station.set_up()
        good, bad, response = station.interim_checks()
        assert good.ok and good.reading is not None and response.ok
        assert not bad.ok and "12 ± 0.12 V wanted" in bad.text and bad.mend
        json.dumps([each.facts() for each in (good, bad, response)])
        assert eventually(lambda: around.world.value("supply_v") > 11.9), "back at its set point"
        around.devices["power_supply"].faults.switch_on(InstrumentFault(kind="disconnect", for_s=2.0))
        lost = station.interim_checks()[0]
        assert not lost.ok and "power_supply" in lost.text and (lost.mend or "Mend:" in lost.text)


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ('driver = "flash_lamp"', "instruments.power_supply.driver"),
        ('driver = "power_supply"\nset_point = { illuminance_lx = 5 }', "set_point"),
        ('driver = "power_supply"\nset_point = { settle_s = 5 }', "set_point"),
        ('driver = "power_supply"\nafter = ["lux_meter"]', "after[1]"),
        ('driver = "power_supply"\nafter = ["power_supply"]', "instruments.power_supply.after"),
        (
            'driver = "power_supply"\ninterim_check = [{ quantity = "volt", reference = 1, tolerance = 1 }]',
            "quantity",
        ),
        (
            'driver = "power_supply"\ninterim_check = [{ quantity = "voltage", reference = 1 }]',
            "interim_check",
        ),
        ('driver = "power_supply"\ninterim_check = [{ quantity = "response", read_by = "x" }]', "read_by"),
        ('driver = "power_supply"\n[safety]\norder = ["supply"]', "safety.order[1]"),
        (
            'driver = "power_supply"\n[environment.temperature]\ninstrument = "power_supply"',
            "temperature.instrument",
        ),
        ('driver = "power_supply"\n[environment.temperature]\nvalue = 23', "environment.temperature"),
        (
            'driver = "power_supply"\n[environment.humidity]\nask = "terminal"\nlower = 5\nupper = 4',
            "humidity.upper",
        ),
        (
            'driver = "power_supply"\n' + CERTIFICATE.replace('"voltage"', '"volts"'),
            "calibration[1].quantity",
        ),
        ('driver = "power_supply"\n' + CERTIFICATE.replace('"V"', '"mV"'), "calibration[1].unit"),
    ],
)
def test_rules_between_tables(tmp_path: Path, text: str, key: str) -> None:
    file = tmp_path / "station.toml"
    file.write_text(
        f'[station]\nname = "x"\n[instruments.power_supply]\naddress = "TCPIP::h::1::SOCKET"\n{text}\n'
    )
    with pytest.raises(BadFile) as caught:
        load_station(file)
    assert key in caught.value.key and caught.value.mend and caught.value.line


# every role ------------------------------------------------------------------------------------------

GRADED = """
[[instruments.light_box.calibration]]
number = "C8"
laboratory = "L"
quantity = "illuminance_per_setting"
unit = "lx"
gives = "true_value"
argument = "brightness"
argument_unit = "%"
points = [[10.0, 992.0, 10.0, 2.0], [20.0, 1968.0, 20.0, 2.0], [50.0, 4800.0, 48.0, 2.0]]
issued = 2026-01-01
due = 2027-01-01
"""
VALUE = "value = 992.0\nexpanded_uncertainty = 10.0\n"
AROUND: dict[str, dict[str, Any]] = {
    "light_box": {"kind": "thorlabs_dc2200"},
    "lux_meter": {"kind": "konica_t10a", "transport": "pty"},
    "climate_chamber": {"kind": "espec_p300", "transport": "pty", "settings": {"ramp_k_per_min": 6000.0}},
    "relay_board": {"kind": "numato_relay", "transport": "pty", "settings": {"channel_1": "link_up"}},
    "flash_lamp": {"kind": "flash_lamp_firmata", "transport": "pty"},
    "network_emulator": {"kind": "network_relay"},
}


def test_models_of_six_roles_in_one_station_are_left_safe(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BENCH_LEASES", str(tmp_path / "leases"))
    with station_world(tmp_path, AROUND) as found:
        value = found.world.value
        with Station.open(found.file(light_box=GRADED)) as station:
            assert station.light_box and station.lux_meter and station.climate_chamber
            assert station.relay_board and station.flash_lamp and station.network_emulator
            station.light_box.set_illuminance(992.0)
            assert value("illuminance_lx") == pytest.approx(992.0)
            assert station.reading("lux_meter", "illuminance").value == pytest.approx(992.0, rel=1e-3)
            station.climate_chamber.set_temperature(30.0)
            station.relay_board.switch(1, True)
            station.flash_lamp.switch(True)
            station.network_emulator.apply(NetworkPath(delay_ms=30.0))
            assert eventually(lambda: value("lamp") == 1.0 and value("temperature_c") == 30.0)
            assert (value("link_up"), value("path_delay_ms")) == (1.0, 30.0)
        assert eventually(lambda: value("lamp") == 0.0)
        assert (value("illuminance_lx"), value("path_delay_ms")) == (0.0, 0.0)
        chamber, board = found.devices["climate_chamber"], found.devices["relay_board"]
        assert not chamber.air.running and not any(board.relays.closed)  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("driver", "old", "new", "key"),
    [
        ("thorlabs_dc2200", 'argument_unit = "%"', 'argument_unit = "mA"', "argument_unit"),
        ("thorlabs_dc2200", GRADED[GRADED.index("gives") : GRADED.index("issued")], VALUE, "value"),
        ("light_box", "", "", "quantity"),
    ],
)
def test_points_of_a_light_in_its_own_unit(tmp_path: Path, driver: str, old: str, new: str, key: str) -> None:
    file = tmp_path / "station.toml"
    table = f'[instruments.light_box]\naddress = "TCPIP::h::1::SOCKET"\ndriver = "{driver}"\n'
    file.write_text(f'[station]\nname = "x"\n{table}{GRADED.replace(old, new)}')
    with pytest.raises(BadFile, match="Mend") as caught:
        load_station(file)
    assert caught.value.key == f"instruments.light_box.calibration[1].{key}"
