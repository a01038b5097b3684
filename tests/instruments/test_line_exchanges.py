"""What the drivers of light, climate, lamps and relays say, byte for byte, as each protocol's document has it.

The peer plays a list: it is told nothing about the simulated twins, so an error that driver and twin share shows here.
"""

from __future__ import annotations

import socket
from collections.abc import Callable, Sequence
from typing import Any

import pytest
from scripted_peer import served

from instruments.capability import Flash
from instruments.drivers import load_driver
from standards.errors import InstrumentError

Exchange = tuple[bytes, bytes]


def played(exchanges: Sequence[Exchange], driver: str, use: Callable[[Any], None], suffix: str = "") -> None:
    """Use a driver before a peer that expects these bytes and answers so; fails if one differs or is left over."""
    left, wrong = list(exchanges), []

    def talk(line: socket.socket) -> None:
        heard = b""
        while data := line.recv(4096):
            heard += data
            while left and heard.startswith(left[0][0]):
                said, answer = left.pop(0)
                heard = heard[len(said) :]
                line.sendall(answer)
            if heard and not (left and left[0][0].startswith(heard)):
                wrong.append(heard)
                return

    with served(talk) as address:
        instrument = load_driver(driver)(address + suffix)
        try:
            use(instrument)
        finally:
            instrument.close()
    assert wrong == [], f"said {wrong}, expected {left[:1]}"
    assert left == [], "left over"


def lines(*pairs: tuple[str, str], end: str = "\n") -> list[Exchange]:
    return [(said.encode() + end.encode(), answer.encode()) for said, answer in pairs]


def scpi(identity: str, *pairs: tuple[str, str | None]) -> list[Exchange]:
    """A session: status cleared, identity, then commands (None) and queries, each with its look into the queue."""
    found: list[Exchange] = []
    for said, answer in (("*CLS", None), ("*IDN?", identity), *pairs):
        found.append((said.encode() + b"\n", b"" if answer is None else answer.encode() + b"\n"))
        found.append((b"SYST:ERR?\n", b'0,"No error"\n'))
    return found


def light(instrument: Any) -> None:
    instrument.points = ((10.0, 100.0), (60.0, 600.0))
    instrument.set_illuminance(250.0)
    assert instrument.illuminance_set() == pytest.approx(250.0)
    instrument.safe()


def chamber(instrument: Any) -> None:
    instrument.set_temperature(-10.0)
    assert instrument.temperature() == 22.9
    instrument.safe()


def lamp(instrument: Any) -> None:
    flash = instrument.switch(True)
    assert isinstance(flash, Flash) and flash.on and 0 < flash.sent_ns <= flash.done_ns
    instrument.safe()


def relays(instrument: Any) -> None:
    instrument.switch(3, True)
    instrument.safe()


MIGHTEX_INFO = (
    "DEVICEINFO",
    "#Mightex LED Driver:3.1.8 Device Module No.:SLC-SA04-U/S Device Serial No.:04-251013-011\n\r",
)
MIGHTEX_OPENED = lines(("\n\rECHOOFF", "ECHOOFF\n\r##\n\r"), MIGHTEX_INFO, end="\n\r")
FIRMWARE = b"\xf0\x79\x02\x05" + b"".join(bytes((letter, 0)) for letter in b"StandardFirmata") + b"\xf7"
FIRMATA_OPENED = [(b"\xf0\x79\xf7", b"\xf9\x02\x05" + FIRMWARE), (b"\xf4\x0d\x01", b"")]


def pin(on: bytes) -> list[Exchange]:
    return [(b"\xf5\x0d" + on, b""), (b"\xf0\x6d\x0d\xf7", b"\xf0\x6e\x0d\x01" + on + b"\xf7")]


CASES: dict[str, tuple[list[Exchange], Callable[[Any], None]]] = {
    "light_box": (
        scpi("M,L,1,1", ("SOUR:ILL? MAX", "20000"), ("SOUR:ILL 250.0000", None), ("OUTP ON", None), ("OUTP?", "1"),
             ("SOUR:ILL?", "2.5E2"), ("OUTP OFF", None)),
        light,
    ),
    "thorlabs_dc2200": (
        scpi("Thorlabs,DC2200,M00960538,1.5.0", ("OUTPUT1:STATE OFF", None), ("SOURCE1:MODE CB", None),
             ("SOURCE1:CBRIGHTNESS:BRIGHTNESS 25.000", None), ("OUTPUT1:STATE ON", None), ("OUTPUT1:STATE?", "1"),
             ("SOURCE1:CBRIGHTNESS:BRIGHTNESS?", "2.500000e+01"), ("OUTPUT1:STATE OFF", None)),
        light,
    ),
    "mightex_slc": (
        [*MIGHTEX_OPENED, *lines(("NORMAL 1 1000 25", "##\n\r"), ("MODE 1 1", "##\n\r"), ("?MODE 1", "#1\n\r"),
                                 ("?CURRENT 1", "#75 136 1000 25\n\r"), ("MODE 1 0", "##\n\r"), end="\n\r")],
        light,
    ),
    "lux_meter": (
        scpi("M,L,1,1", ("MEAS:ILL?", "512.5")),
        lambda meter: _is(meter.illuminance(), 512.5),
    ),
    "konica_t10a": (
        [(b"\x0200541   \x0313\r\n", b"\x020054    \x0302\r\n"),
         (b"\x0200100200\x0300\r\n", b"\x0200100 20+51253            \x030B\r\n")],
        lambda meter: _is(meter.illuminance(), 512.5),
    ),
    "konica_cl200a": (
        [(b"\x0200541   \x0313\r\n", b"\x020054    \x0302\r\n"), (b"\x0299551  0\x0302\r\n", b""),
         (b"\x02004010  \x0306\r\n", b"\x020040    \x0307\r\n"), (b"\x02994021  \x0304\r\n", b""),
         (b"\x0200021200\x0302\r\n", b"\x0200021 20+ 9854+31270+32900\x0316\r\n")],
        lambda meter: _is(meter.illuminance(), 985.0),
    ),
    "climate_chamber": (
        scpi("M,C,1,1", ("SOUR:TEMP? MIN", "-40"), ("SOUR:TEMP? MAX", "180"), ("SOUR:TEMP -10.00", None),
             ("OUTP ON", None), ("MEAS:TEMP?", "22.9"), ("OUTP OFF", None)),
        chamber,
    ),
    "espec_p300": (
        lines(("", ""), ("TEMP?", "23.1,25.0,185.0,-45.0\r\n"), ("TEMP, S-10.0", "OK:TEMP, S-10.0\r\n"),
              ("MODE?", "OFF\r\n"), ("POWER, ON", "OK:POWER, ON\r\n"), ("MODE, CONSTANT", "OK:MODE, CONSTANT\r\n"),
              ("TEMP?", "22.9,-10.0,185.0,-45.0\r\n"), ("MODE?", "CONSTANT\r\n"),
              ("MODE, STANDBY", "OK:MODE, STANDBY\r\n"), end="\r\n"),
        chamber,
    ),
    "weiss_simserv": (
        [(b"11007\xb61\xb61\r", b"1\xb6-72\r\n"), (b"11009\xb61\xb61\r", b"1\xb6180\r\n"),
         (b"11001\xb61\xb61\xb6-10.00\r", b"1\r\n"), (b"14001\xb61\xb61\xb61\r", b"1\r\n"),
         (b"11004\xb61\xb61\r", b"1\xb622.90\r\n"), (b"14001\xb61\xb61\xb60\r", b"1\r\n")],
        chamber,
    ),
    "flash_lamp": (
        lines(("\n*IDN?", "M,L,1,1\n"), ("SYST:ERR?", '-113,"Undefined header"\n'), ("SYST:ERR?", '0,"No error"\n'),
              ("OUTP OFF", ""), ("SYST:ERR?", '0,"No error"\n'), ("OUTP ON", ""), ("SYST:ERR?", '0,"No error"\n'),
              ("OUTP OFF", ""), ("SYST:ERR?", '0,"No error"\n')),
        lamp,
    ),
    "flash_lamp_mightex": (
        [*MIGHTEX_OPENED, *lines(("MODE 1 0", "##\n\r"), ("NORMAL 1 350 350", "##\n\r"), ("MODE 1 1", "##\n\r"),
                                 ("MODE 1 0", "##\n\r"), end="\n\r")],
        lamp,
    ),
    "flash_lamp_firmata": ([*FIRMATA_OPENED, *pin(b"\0"), *pin(b"\1"), *pin(b"\0")], lamp),
    "relay_board": (
        scpi("M,R,1,1", ("ROUT:CLOS (@3)", None), ("ROUT:OPEN:ALL", None)),
        relays,
    ),
    "numato_relay": (
        [(b"\r", b"\n\r>"), (b"relay readall\r", b"relay readall\n\r00\n\r>"), (b"relay on 2\r", b"relay on 2\n\r>"),
         (b"relay read 2\r", b"relay read 2\n\ron\n\r>"), (b"relay writeall 00\r", b"relay writeall 00\n\r>"),
         (b"relay readall\r", b"relay readall\n\r00\n\r>")],
        relays,
    ),
    "devantech_rly16": (
        [(b"\x5a", b"\x09\x02"), (b"\x67", b""), (b"\x5b", b"\x04"), (b"\x5c\x00", b""), (b"\x5b", b"\x00")],
        relays,
    ),
}  # fmt: skip


def _is(found: float, expected: float) -> None:
    assert found == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize("driver", CASES)
def test_a_driver_says_what_the_document_says(driver: str) -> None:
    exchanges, use = CASES[driver]
    played(exchanges, driver, use)


@pytest.mark.parametrize(
    ("driver", "exchanges", "words"),
    [
        ("konica_t10a", [(b"\x0200541   \x0313\r\n", b"\x020054    \x0303\r\n")], "damaged or foreign frame"),
        ("konica_t10a", [(b"\x0200541   \x0313\r\n", b"\x020154    \x0303\r\n")], "damaged or foreign frame"),
        ("espec_p300", lines(("", ""), ("TEMP?", "NA:PROTECT ON\r\n"), end="\r\n"), "front panel forbids"),
        ("espec_p300", lines(("", ""), ("TEMP?", "warm,1,2,3\r\n"), end="\r\n"), "no temperatures"),
        ("weiss_simserv", [(b"11007\xb61\xb61\r", b"-8\r\n")], "could not be read"),
        ("weiss_simserv", [(b"11007\xb61\xb61\r", b"1\xb6cold\r\n")], "no number"),
        ("devantech_rly16", [(b"\x5a", b"\x0a\x01")], "not|Mend"),
        ("numato_relay", [(b"\r", b"\n\r>"), (b"relay readall\r", b"relay readall\n\r>")], "answers"),
        ("flash_lamp_mightex", lines(("\n\rECHOOFF", "##\r"), ("DEVICEINFO", "#Other\r"), end="\n\r"), "no Mightex"),
        ("thorlabs_dc2200", scpi("Thorlabs,DC4100,1,1")[:4], "not the model"),
    ],
)  # fmt: skip
def test_what_is_not_the_device_is_refused(driver: str, exchanges: list[Exchange], words: str) -> None:
    with pytest.raises(InstrumentError, match=words):
        played(exchanges, driver, lambda _: None)


def test_a_meters_own_errors_come_in_words() -> None:
    for status, words in (
        (b"0510", "beyond the meter's range"),
        (b"0110", "no power"),
        (b"0 11", "low battery"),
    ):
        body = b"0010" + status + b"+51253" + b" " * 12 + b"\x03"
        check = 0
        for byte in body:
            check ^= byte
        with pytest.raises(InstrumentError, match=words):
            played(
                [
                    (b"\x0200541   \x0313\r\n", b"\x020054    \x0302\r\n"),
                    (b"\x0200100200\x0300\r\n", b"\x02" + body + b"%02X\r\n" % check),
                ],
                "konica_t10a",
                lambda meter: meter.illuminance(),
            )
