"""What each model's driver says, word for word, as its programming manual has it: lists of exchanges."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from scripted_peer import Exchange, scripted

from instruments.drivers import load_driver

OK: Exchange = ("SYST:ERR?", b'+0,"No error"')


def opened(identity: bytes) -> list[Exchange]:
    return [("*CLS", None), OK, ("*IDN?", identity), OK]


def said(*commands: str) -> list[Exchange]:
    return [exchange for command in commands for exchange in ((command, None), OK)]


def asked(*pairs: tuple[str, bytes]) -> list[Exchange]:
    return [exchange for pair in pairs for exchange in (pair, OK)]


def supply(instrument: Any) -> None:
    instrument.set_voltage(12.0)
    instrument.set_current_limit(0.5)
    instrument.output(True)
    assert instrument.output_is_on()
    assert instrument.voltage() == 11.998 and instrument.current() == 0.412
    instrument.safe()


def meter(instrument: Any) -> None:
    assert instrument.dc_voltage() == 12.0001
    assert instrument.dc_voltage() == 12.0002
    assert instrument.dc_current() == 0.25


def scope(instrument: Any) -> None:
    instrument.set_timebase(0.02)
    instrument.set_scale(1, 8.0)
    instrument.arm(1, 0.5, rising=False)
    assert instrument.triggered()
    trace = instrument.waveform(1)
    assert trace.start_s == -0.01 and trace.step_s == 0.005
    assert np.allclose(trace.volts, [0.0, 1.0, 0.5, -1.0])
    instrument.safe()


KEYSIGHT_SUPPLY = [
    *opened(b"Keysight Technologies,E36312A,MY57001234,2.1.0-1.0.4-1.12"),
    *asked(("VOLT? MAX,(@2)", b"+2.57500000E+01"), ("CURR? MAX,(@2)", b"+1.03000000E+00")),
    *said("VOLT 12.0000,(@2)", "CURR 0.5000,(@2)", "OUTP ON,(@2)"),
    *asked(
        ("OUTP? (@2)", b"1"), ("MEAS:VOLT? (@2)", b"+1.19980000E+01"), ("MEAS:CURR? (@2)", b"+4.12000000E-01")
    ),
    *said("OUTP OFF,(@2)"),
]
RIGOL_SUPPLY = [
    *opened(b"RIGOL TECHNOLOGIES,DP832,DP8C165153211,00.01.14"),
    *asked((":SOUR1:VOLT? MAX", b"32.000"), (":SOUR1:CURR? MAX", b"3.2000")),
    *said(":SOUR1:VOLT 12.000", ":SOUR1:CURR 0.5000", ":OUTP CH1,ON"),
    *asked((":OUTP? CH1", b"ON"), (":MEAS:VOLT? CH1", b"11.9980"), (":MEAS:CURR? CH1", b"0.4120")),
    *said(":OUTP CH1,OFF"),
]
GENERIC_SUPPLY = [
    *opened(b"Maker,Model,1,1.0"),
    *asked(("VOLT? MAX", b"30"), ("CURR? MAX", b"5")),
    *said("VOLT 12.0000", "CURR 0.5000", "OUTP ON"),
    *asked(("OUTP?", b"1"), ("MEAS:VOLT?", b"11.998"), ("MEAS:CURR?", b"0.412")),
    *said("OUTP OFF"),
]
GENERIC_METER = [
    *opened(b"Maker,Model,1,1.0"),
    *asked(("MEAS:VOLT:DC?", b"12.0001"), ("MEAS:VOLT:DC?", b"12.0002"), ("MEAS:CURR:DC?", b"0.25")),
]
KEYSIGHT_METER = [
    *opened(b"Keysight Technologies,34461A,MY53201234,A.02.14-02.40-02.14-00.49-03-01"),
    *said("CONF:VOLT:DC AUTO", "VOLT:DC:NPLC 10"),
    *asked(("READ?", b"+1.20001000E+01"), ("READ?", b"+1.20002000E+01")),
    *said("CONF:CURR:DC AUTO", "CURR:DC:NPLC 10"),
    *asked(("READ?", b"+2.50000000E-01")),
]
FLUKE_METER = [
    *opened(b"FLUKE,8846A,9444001,08/02/10-11:53"),
    *said("SYST:REM", "CONF:VOLT:DC DEF", "VOLT:DC:NPLC 10"),
    *asked(("READ?", b"+1.20001000E+01"), ("READ?", b"+1.20002000E+01")),
    *said("CONF:CURR:DC DEF", "CURR:DC:NPLC 10"),
    *asked(("READ?", b"+2.50000000E-01")),
]
GENERIC_SCOPE = [
    *opened(b"Maker,Model,1,1.0"),
    *said(":TIM:SCAL 2.000E-03", ":CHAN1:DISP ON", ":CHAN1:SCAL 1.000E+00", ":CHAN1:OFFS 0", ":TRIG:MODE EDGE",
          ":TRIG:EDGE:SOUR CHAN1", ":TRIG:EDGE:SLOP NEG", ":TRIG:EDGE:LEV 5.0000E-01"),
    *asked((":TIM:SCAL?", b"2.0E-3"), ("*ESR?", b"32")), *said(":SING;*OPC"),
    *asked(("*ESR?", b"1")), *said(":WAV:SOUR CHAN1", ":WAV:FORM BYTE"),
    *asked((":WAV:PRE?", b"0,0,4,1,5e-3,-1e-2,0,0.5,0.0,128"), (":WAV:DATA?", b"#14\x80\x82\x81\x7e")),
    *said(":STOP"),
]  # fmt: skip
KEYSIGHT_SCOPE = [
    *opened(b"KEYSIGHT TECHNOLOGIES,DSOX1204G,CN60001234,02.12.2021071625"),
    *said(":TIM:SCAL 2.000E-03", ":CHAN1:DISP ON", ":CHAN1:SCAL 1.000E+00", ":CHAN1:OFFS 0", ":TRIG:MODE EDGE",
          ":TRIG:EDGE:SOUR CHAN1", ":TRIG:EDGE:SLOP NEG", ":TRIG:EDGE:LEV 5.0000E-01"),
    *asked((":TIM:SCAL?", b"+2.0E-3")), *said(":WAV:UNS 1", ":WAV:POIN 1000", ":TRIG:SWE NORM"),
    *asked((":AER?", b"+1")), *said(":SING"),
    *asked((":AER?", b"+0"), (":AER?", b"+1"), (":OPER:COND?", b"+0")),
    *said(":WAV:SOUR CHAN1", ":WAV:FORM BYTE"),
    *asked((":WAV:PRE?", b"+0,+0,+4,+1,+5e-3,-1e-2,+0,+2.5E-01,+1.0E+00,+128"),
           (":WAV:DATA?", b"#800000004\x7c\x80\x7e\x78")),
    *said(":STOP"),
]  # fmt: skip
RIGOL_SCOPE = [
    *opened(b"RIGOL TECHNOLOGIES,DS1104Z,DS1ZA164151234,00.04.04.SP4"),
    *said(":TIM:SCAL 2.000E-03", ":CHAN1:DISP ON", ":CHAN1:SCAL 1.000E+00", ":CHAN1:OFFS 0", ":TRIG:MODE EDGE",
          ":TRIG:EDGE:SOUR CHAN1", ":TRIG:EDGE:SLOP NEG", ":TRIG:EDGE:LEV 5.0000E-01"),
    *asked((":TIM:SCAL?", b"2.0E-3")), *said(":WAV:MODE NORM", ":SING"),
    *asked((":TRIG:STAT?", b"RUN"), (":TRIG:STAT?", b"WAIT"), (":TRIG:STAT?", b"STOP")),
    *said(":WAV:SOUR CHAN1", ":WAV:FORM BYTE"),
    *asked((":WAV:PRE?", b"0,0,4,1,5e-3,-1e-2,0,5.0E-01,-10,127"), (":WAV:DATA?", b"#9000000004\x75\x77\x76\x73")),
    *said(":STOP"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("driver", "channel", "exchanges", "use"),
    [
        ("power_supply", "", GENERIC_SUPPLY, supply),
        ("keysight_e36300", "#2", KEYSIGHT_SUPPLY, supply),
        ("rigol_dp800", "", RIGOL_SUPPLY, supply),
        ("multimeter", "", GENERIC_METER, meter),
        ("keysight_34461a", "", KEYSIGHT_METER, meter),
        ("fluke_8845a", "", FLUKE_METER, meter),
        ("oscilloscope", "", GENERIC_SCOPE, scope),
        ("keysight_infiniivision", "", KEYSIGHT_SCOPE, scope),
        ("rigol_ds1000z", "", RIGOL_SCOPE, scope),
    ],
    ids=lambda value: value if isinstance(value, str) and value else None,
)
def test_a_driver_says_what_the_manual_says(
    driver: str, channel: str, exchanges: list[Exchange], use: Callable[[Any], None]
) -> None:
    with scripted(exchanges) as address:
        instrument = load_driver(driver)(address + channel)
        try:
            use(instrument)
        finally:
            instrument.close()


@pytest.mark.parametrize(
    ("driver", "wanted", "said_scale"),
    [("oscilloscope", 0.021, "2.100E-03"), ("rigol_ds1000z", 0.021, "2.000E-03"), ("rigol_ds1000z", 0.03, "5.000E-03"),
     ("rigol_ds1000z", 0.024, "2.000E-03"), ("rigol_ds1000z", 0.07, "1.000E-02")],
)  # fmt: skip
def test_a_record_is_at_least_as_long_as_asked(driver: str, wanted: float, said_scale: str) -> None:
    identity = b"RIGOL TECHNOLOGIES,DS1104Z,DS1ZA164151234,00.04.04.SP4"
    with scripted([*opened(identity), *said(f":TIM:SCAL {said_scale}")]) as address:
        instrument = load_driver(driver)(address)
        instrument.set_timebase(wanted)
        instrument.close()


@pytest.mark.parametrize(
    ("driver", "model", "known"),
    [
        ("keysight_infiniivision", "DSO-X 3024T", True), ("keysight_infiniivision", "EDUX1052G", True),
        ("keysight_infiniivision", "MSO-X 2014A", True), ("keysight_infiniivision", "DSO9254A", False),
        ("rigol_ds1000z", "MSO1104Z-S", True), ("rigol_ds1000z", "DS1054Z", True), ("rigol_ds1000z", "DS1102E", False),
        ("keysight_34461a", "34465A", True), ("keysight_34461a", "34401A", False),
        ("fluke_8845a", "8845A", True), ("keysight_e36300", "E36313A", True), ("keysight_e36300", "E3631A", False),
        ("rigol_dp800", "DP832A", True), ("rigol_dp800", "DP712", False),
    ],
)  # fmt: skip
def test_models_that_a_driver_knows(driver: str, model: str, known: bool) -> None:
    import re

    assert bool(re.fullmatch(load_driver(driver).models, model)) is known
