"""The doctor names everything that is wrong with a station, each with its mend, within a bounded time."""

from __future__ import annotations

import json
import socket
import time
from collections.abc import Generator
from contextlib import ExitStack
from datetime import date, timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner
from station_world import StationWorld, station_world

from bench import station_doctor
from bench.cli import main
from bench.station_doctor import Check, station_checks
from instruments.lease import take_all
from instruments.station import load_station, station_leases

TODAY = date(2026, 11, 25)


def _certificate(role: str, number: str, due: date) -> str:
    return (
        f'[[instruments.{role}.calibration]]\nnumber = "{number}"\nlaboratory = "L"\nquantity = "voltage"\nunit = "V"\n'
        f'gives = "correction"\npoints = [[0, 0.01, 0.02, 2], [30, 0.03, 0.02, 2]]\nissued = 2020-01-01\ndue = {due}\n'
    )


@pytest.fixture
def around(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Generator[StationWorld]:
    monkeypatch.setenv("BENCH_LEASES", str(tmp_path / "leases"))
    with station_world(tmp_path, {"power_supply": {"kind": "power_supply", "identity": "PS-77"}}) as found:
        yield found


def _refusing() -> str:
    """An address where nothing listens."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return f"TCPIP::127.0.0.1::{free.getsockname()[1]}::SOCKET"


def _failed(found: list[Check]) -> list[str]:
    return [check.text for check in found if not check.ok]


def test_a_sound_station(around: StationWorld) -> None:
    file = around.file(
        power_supply='serial = "PS-77"\n' + _certificate("power_supply", "C1", date(2027, 6, 1))
    )
    found = list(station_checks(file, TODAY))
    assert _failed(found) == []
    texts = {check.name: check.text for check in found}
    assert "PS-77" in texts["power_supply"] and texts["driver power_supply"] == "not verified on hardware"
    assert around.changes == [], "nothing was switched"


def test_all_four_at_once_each_with_its_mend(around: StationWorld) -> None:
    """An expired certificate, a swapped serial number, a dead address and an unknown key."""
    dead = _refusing()
    file = around.file(
        power_supply='serial = "PS-70"\nsereal = "PS-77"\n'
        + _certificate("power_supply", "C1", date(2021, 1, 1)),
        rest=f'[instruments.flash_lamp]\ndriver = "flash_lamp"\naddress = "{dead}"\n',
    )
    result = CliRunner().invoke(main, ["doctor", "--station", str(file), "--json"])
    assert result.exit_code == 3, result.output
    failed = [c["text"] for c in json.loads(result.stdout) if not c["ok"] and "Mend: " in c["text"]]
    for words, mend in (
        ("C1 of L is valid from 2020-01-01 to 2021-01-01", "recalibrate"),
        ("is 'PS-70' in the file, and the instrument", "connect the right one"),
        (dead, "check the cable"),
        ("instruments.power_supply.sereal: unknown key", "did you mean 'serial'?"),
    ):
        text = next(text for text in failed if words in text)
        assert mend in text, text
    assert len(failed) == 4, failed
    assert f"{file}:" in failed[0], "with file and line"


def test_a_certificate_that_ends_soon_is_a_note(around: StationWorld) -> None:
    soon = TODAY + timedelta(days=29)
    file = around.file(power_supply=_certificate("power_supply", "C9", soon))
    found = list(station_checks(file, TODAY))
    assert _failed(found) == []
    assert any(check.warning and "C9" in check.text and "29 days" in check.text for check in found)
    later = list(
        station_checks(
            around.file(power_supply=_certificate("power_supply", "C9", soon + timedelta(1))), TODAY
        )
    )
    assert not any("C9" in check.text for check in later)


def test_a_certificate_of_the_future_is_none_yet(around: StationWorld) -> None:
    text = _certificate("power_supply", "C7", date(2041, 1, 1)).replace("2020-01-01", "2040-01-01")
    failed = _failed(list(station_checks(around.file(power_supply=text), TODAY)))
    assert len(failed) == 1 and "calibration[1].issued" in failed[0] and "Mend: correct the date" in failed[0]


def test_two_roles_at_one_address_is_a_note(around: StationWorld) -> None:
    same = around.addresses["power_supply"].replace("TCPIP::", "TCPIP0::")
    file = around.file(rest=f'[instruments.multimeter]\ndriver = "multimeter"\naddress = "{same}"\n')
    found = list(station_checks(file, TODAY))
    notes = [check for check in found if check.name in ("multimeter", "power_supply") and check.warning]
    assert len(notes) == 1 and "has the address of the" in notes[0].text and "Mend: " in notes[0].text
    assert _failed(found) == [], "one device may play two roles"


def test_every_mistake_of_a_file_is_named(tmp_path: Path) -> None:
    file = tmp_path / "station.toml"
    file.write_text(
        '[station]\nname = "x"\ncolor = 1\n[instruments.lamp]\ndriver = "x"\n'
        '[instruments.flash_lamp]\ndriver = "flashlamp"\naddress = "/dev/x"\n'
        '[instruments.lux_meter]\ndriver = "manual"\naddress = "r.csv"\n'
        '[instruments.oscilloscope]\ndriver = "manual"\naddress = "terminal"\n'
        '[instruments.relay_board]\naddress = "/dev/y"\n'
        "[display]\ndelay_s = -1\nu_s = 0.1\n"
    )
    failed = _failed(list(station_checks(file, TODAY)))
    for words in ("station.color: unknown key", "did you mean 'flash_lamp'?", "did you mean 'flash_lamp'?",
                  "no person can play the oscilloscope", "relay_board.driver: is missing",
                  "display.delay_s"):  # fmt: skip
        assert any(words in text for text in failed), (words, failed)
    assert all("Mend: " in text for text in failed)


def test_a_station_in_use_is_left_alone(around: StationWorld) -> None:
    file = around.file()
    with ExitStack() as stack:
        take_all(station_leases(file, load_station(file), run="records/gate-3"), stack)
        failed = _failed(list(station_checks(file, TODAY)))
    assert len(failed) == 1 and "records/gate-3" in failed[0] and "Mend: " in failed[0]


def test_a_mute_instrument_costs_a_bounded_time(
    around: StationWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(station_doctor, "PATIENCE_S", 0.5)
    with socket.socket() as mute:
        mute.bind(("127.0.0.1", 0))
        mute.listen()
        file = around.file(power_supply="")
        file.write_text(file.read_text().replace(around.addresses["power_supply"],
                                                 f"TCPIP::127.0.0.1::{mute.getsockname()[1]}::SOCKET"))  # fmt: skip
        begun = time.monotonic()
        failed = _failed(list(station_checks(file, TODAY)))
        assert len(failed) == 1 and "did not say who it is within 0.5 s" in failed[0]
        assert time.monotonic() - begun < 10
        mute.close()
        time.sleep(3.0)  # the driver's own patience ends, its socket with it


def test_interim_checks_on_demand(around: StationWorld) -> None:
    check = (
        "set_point = { voltage_v = 12.0, settle_s = 0.1 }\n"
        '[[instruments.power_supply.interim_check]]\nquantity = "voltage"\nreference = %s\ntolerance_percent = 1.0\n'
    )
    found = list(station_checks(around.file(power_supply=check % "12.0"), TODAY, interim=True))
    assert _failed(found) == [] and any("interim check" in check.name for check in found)
    found = list(station_checks(around.file(power_supply=check % "13.0"), TODAY, interim=True))
    assert len(_failed(found)) == 1 and "13 ± 0.13 V wanted" in _failed(found)[0]
    assert around.changes[-1].target == 0.0, "the supply is off again"
