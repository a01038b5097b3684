"""Roles that a person plays: readings.csv and answers, each with who and when, each marked as typed."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from instruments.capability import ClimateChamber, LightSource, LuxMeter, Multimeter
from instruments.manual import MANUAL_ROLES, Answer, _read, source_of
from instruments.station import Station
from standards.errors import BadFile, CheckFailed, InstrumentError
from standards.quantity import Origin

NOW = datetime.now(UTC)
HEAD = "quantity,value,unit,who,when\n"


class Scripted:
    """An operator with ready answers."""

    def __init__(self, *answers: str) -> None:
        self.answers, self.asked, self.told = list(answers), list[str](), list[str]()

    def ask(self, question: str, refuse: Callable[[str], str] = lambda text: "") -> Answer:
        self.asked.append(question)
        while refuse(self.answers[0]):
            self.answers.pop(0)
        return Answer(self.answers.pop(0), "Li", NOW)

    def tell(self, text: str) -> None:
        self.told.append(text)


def _row(quantity: str, value: object, unit: str, when: datetime = NOW) -> str:
    return f"{quantity},{value},{unit},Wang,{when.isoformat()}\n"


def test_they_have_the_capability_of_their_role() -> None:
    protocols = {
        "lux_meter": LuxMeter,
        "multimeter": Multimeter,
        "climate_chamber": ClimateChamber,
        "light_box": LightSource,
    }
    assert set(protocols) == set(MANUAL_ROLES)
    for role, protocol in protocols.items():
        assert isinstance(MANUAL_ROLES[role](source_of("terminal", Scripted())), protocol)


def test_the_operator_is_asked_until_it_is_a_number() -> None:
    operator = Scripted("about 500", "nan", "498.5")
    meter = MANUAL_ROLES["lux_meter"](source_of("terminal", operator))
    assert isinstance(meter, LuxMeter) and meter.illuminance() == 498.5
    assert operator.asked == ["read the lux meter at the chart plane [lx]"]
    assert meter.last is not None and meter.last.who == "Li" and meter.last.when == NOW


def test_a_light_that_is_set_by_hand() -> None:
    operator = Scripted("502", "300")
    light = MANUAL_ROLES["light_box"](source_of("terminal", operator))
    assert isinstance(light, LightSource)
    light.safe()
    assert operator.told == [], "what was never lit is not switched off"
    light.set_illuminance(500.0)
    assert light.illuminance_set() == 502.0
    with pytest.raises(InstrumentError, match=r"set to 500 lx, the operator reports 300.*Mend"):
        light.set_illuminance(500.0)
    light.safe()
    assert operator.told == ["switch the light box off"]


def test_a_file_of_readings_is_used_row_by_row(tmp_path: Path) -> None:
    file = tmp_path / "readings.csv"
    file.write_text(
        HEAD + _row("illuminance", 501, "lx") + _row("dc_voltage", 12.1, "V") + _row("illuminance", 499, "lx")
    )
    meter = MANUAL_ROLES["lux_meter"](source_of(str(file), None))
    assert isinstance(meter, LuxMeter)
    assert (meter.illuminance(), meter.illuminance()) == (501.0, 499.0)
    with pytest.raises(InstrumentError, match="no further reading of illuminance"):
        meter.illuminance()
    with file.open("a") as more:
        more.write(_row("illuminance", 498, "lx"))
    assert meter.illuminance() == 498.0, "a row that was added meanwhile"
    assert meter.last is not None and meter.last.who == "Wang"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (HEAD + "illuminance,500,klx,W," + NOW.isoformat() + "\n", "write it in lx"),
        (HEAD + _row("illuminance", 500, "lx", NOW - timedelta(hours=25)), "last 24 h"),
        (HEAD + _row("illuminance", 500, "lx", NOW + timedelta(hours=1)), "last 24 h"),
    ],
    ids=["unit", "old", "future"],
)
def test_readings_that_do_not_count(tmp_path: Path, text: str, words: str) -> None:
    file = tmp_path / "readings.csv"
    file.write_text(text)
    meter = MANUAL_ROLES["lux_meter"](source_of(str(file), None))
    with pytest.raises(InstrumentError, match=words):
        meter.illuminance()  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "columns none"),
        ("quantity;value\n", "columns"),
        (HEAD + "a,1,lx\n", "row 2: has 3 cells"),
        (HEAD + "a,inf,lx,W,2026-11-25T10:00\n", "row 2, value"),
        (HEAD + "a,1,lx,,2026-11-25T10:00\n", "lacks quantity, unit or who"),
        (HEAD + "\n\na,1,lx,W,yesterday\n", "row 4, when"),
        (HEAD + "a,1,lx,W,0001-01-01T00:00+23:00\n", "row 2, when"),
        (HEAD + "a,1,lx,W,9999-12-31T23:59-23:00\n", "row 2, when"),
        (HEAD + "a,1_000,lx,W,2026-11-25T10:00\n", "row 2, value"),
        (HEAD + "a,1,lx,\x1b[2JW,2026-11-25T10:00\n", "cannot be printed"),
        (HEAD + "a" * (1 << 20), "larger than 1 MiB"),
        (HEAD + 'a,"1,lx,W,2026-11-25T10:00\n', "no CSV"),
    ],
)
def test_files_that_are_none(tmp_path: Path, text: str, words: str) -> None:
    file = tmp_path / "readings.csv"
    file.write_text(text)
    with pytest.raises(BadFile, match=words) as caught:
        _read(file)
    assert caught.value.mend
    with pytest.raises(BadFile, match="cannot be read"):
        _read(tmp_path / "none.csv")


@given(text=st.text(max_size=200))
def test_any_text_is_rows_or_a_bad_file(tmp_path_factory: pytest.TempPathFactory, text: str) -> None:
    file = tmp_path_factory.mktemp("csv") / "readings.csv"
    file.write_bytes((HEAD + text).encode("utf-8", "surrogatepass"))
    try:
        assert all(row.who for row in _read(file))
    except BadFile as error:
        assert error.mend


def test_nobody_to_ask_is_an_error_with_its_mend() -> None:
    with pytest.raises(
        InstrumentError, match=r"no terminal. Mend: run it in a terminal, or give a readings.csv"
    ):
        source_of("terminal", None)


STATION = """
[station]
name = "by hand"

[instruments.lux_meter]
driver = "manual"
address = "terminal"

[[instruments.lux_meter.calibration]]
number = "E-1"
laboratory = "L"
quantity = "illuminance"
unit = "lx"
gives = "correction"
points = [[100, 5, 4, 2], [1000, 5, 8, 2]]
issued = 2026-01-01
due = 2036-01-01

[environment.temperature]
ask = "readings.csv"
lower = 18
upper = 28

[environment.humidity]
value = 45
who = "Zhao"
when = 2026-11-25T09:00:00+08:00
"""


def test_a_station_by_hand_marks_every_value_as_typed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BENCH_LEASES", str(tmp_path / "leases"))
    (tmp_path / "station.toml").write_text(STATION)
    (tmp_path / "readings.csv").write_text(
        HEAD + _row("temperature", 23.5, "degC") + _row("temperature", 31, "degC")
    )
    with Station.open(tmp_path / "station.toml", operator=Scripted("500")) as station:
        found = station.reading("lux_meter", "illuminance")
        assert (found.value, found.raw, found.u, found.origin) == (505.0, 500.0, 4.0, Origin.TYPED)
        assert found.who == "Li" and found.facts()["origin"] == "typed"
        temperature, humidity = station.air()
        assert (temperature.value, temperature.who, temperature.origin) == (23.5, "Wang", Origin.TYPED)
        assert (humidity.value, humidity.unit, humidity.who) == (45.0, "%", "Zhao")
        with pytest.raises(CheckFailed, match=r"31 degC, the laboratory measures from 18 to 28 degC. Mend"):
            station.air()


def test_a_row_with_a_wrong_unit_can_be_corrected(tmp_path: Path) -> None:
    file = tmp_path / "readings.csv"
    file.write_text(HEAD + _row("illuminance", 500, "klx"))
    meter = MANUAL_ROLES["lux_meter"](source_of(str(file), None))
    assert isinstance(meter, LuxMeter)
    with pytest.raises(InstrumentError, match="lx"):
        meter.illuminance()
    file.write_text(HEAD + _row("illuminance", 500, "lx"))
    assert meter.illuminance() == 500.0
