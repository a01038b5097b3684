"""The station file: strict, explained, and opened as a whole."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from fixtures.simulated.config import Lamp
from fixtures.simulated.lamp_line import LampLine
from fixtures.simulated.truth import TruthLog
from fixtures.world import World
from instruments.station import Station, load_station
from standards.errors import BadFile, CalibrationExpired

DEMO = Path(__file__).resolve().parents[2] / "bench" / "demonstration" / "station.toml"


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ('[station]\nname = "x"\ncolour = "red"\n', "station.colour"),
        (
            '[station]\nname = "x"\n[instruments.lamp]\ndriver = "flash_lamp"\naddress = "/dev/x"\n',
            "instruments.lamp",
        ),
        ('[station]\nname = "x"\n[instruments.flash_lamp]\ndriver = "laser"\naddress = "/dev/x"\n', "driver"),
        ('[station]\nname = "x"\n[display]\ndelay_s = -1\nu_s = 0.1\n', "display.delay_s"),
        ("[station]\n", "station.name"),
    ],
)
def test_mistakes_name_file_key_and_mend(tmp_path: Path, text: str, key: str) -> None:
    file = tmp_path / "station.toml"
    file.write_text(text)
    with pytest.raises(BadFile) as caught:
        load_station(file)
    assert key in caught.value.key and str(file) in str(caught.value) and "Mend" in str(caught.value)


def test_a_delay_in_other_units_than_seconds_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "station.toml"
    file.write_text(DEMO.read_text().replace('unit = "s"', 'unit = "ms"'))
    with pytest.raises(BadFile, match="in seconds") as caught:
        load_station(file)
    assert caught.value.key == "instruments.flash_lamp.calibration[1].unit"


def test_an_address_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("LAMP", raising=False)
    with pytest.raises(BadFile, match="LAMP is not set"):
        load_station(DEMO)
    monkeypatch.setenv("LAMP", "/dev/pts/77")
    lamp = load_station(DEMO).instruments.flash_lamp
    assert lamp is not None and lamp.address == "/dev/pts/77"


def test_opens_checks_and_closes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    truth = TruthLog(tmp_path / "truth")
    line = LampLine(Lamp(seed=1), truth, World())
    line.start()
    monkeypatch.setenv("LAMP", line.port)
    try:
        with Station.open(DEMO) as station:
            assert station.flash_lamp is not None
            station.check(date(2026, 11, 24))
            with pytest.raises(CalibrationExpired, match="SIM-CAL-001"):
                station.check(date(2036, 1, 10))
    finally:
        line.stop()
        truth.close()
