"""Flash lamps and relays: when the light comes, what a relay cuts, and what their controllers ignore or refuse."""

from __future__ import annotations

import os
import pty
import subprocess
import sys
import time
import tty
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from instrument_world import CASES, Case, bench_of, once, over_transports

from fixtures.simulated.lamp_device import DIALECTS
from fixtures.world import World
from instruments.drivers import load_driver
from instruments.scpi import ScpiSession
from standards.errors import InstrumentError, UsageError

ROOT = Path(__file__).resolve().parents[3]
LAMPS = {case.driver: case for case in CASES["flash_lamp"]}
BOARDS = {case.driver: case for case in CASES["relay_board"]}
DIALECT = {"flash_lamp": "text", "flash_lamp_mightex": "mightex", "flash_lamp_firmata": "firmata"}


@pytest.mark.parametrize(("case", "transport"), over_transports(CASES["flash_lamp"]))
def test_light_follows_the_command_by_the_hidden_delay(case: Case, transport: str, tmp_path: Path) -> None:
    settings = {"delay_ms": 30.0, "delay_jitter_ms": 0.0}
    with bench_of(case, transport, tmp_path, settings=settings) as bench:
        flashes = [bench.instrument.switch(on) for on in (True, False, True)]
        bench.instrument.safe()
        rows = bench.facts("lamp")[-4:]  # one that is told to be dark when it is opened is before them
        assert [row["on"] for row in rows] == [True, False, True, False]
        for flash, row in zip(flashes, rows, strict=False):
            assert flash.on == row["on"]
            assert flash.sent_ns <= row["command_ns"] <= flash.done_ns + 1_000_000_000
            assert row["light_ns"] - row["command_ns"] == 30_000_000
            assert bench.world.value("lamp", row["light_ns"] + 1) == float(row["on"])
        assert bench.world.value("lamp", rows[0]["light_ns"] - 1) == 0.0


@pytest.mark.parametrize("driver", LAMPS)
def test_a_lamps_controller_alone_speaks_its_dialect(driver: str) -> None:
    master, slave = pty.openpty()
    tty.setraw(slave)
    script = ROOT / "fixtures" / "simulated" / "lamp_device.py"
    command = [sys.executable, "-I", "-S", str(script), str(master), "2", "0", "1", DIALECT[driver]]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, pass_fds=(master,))
    assert process.stdin is not None and process.stdout is not None
    try:
        lamp = load_driver(driver)(os.ttyname(slave))
        began = time.time_ns()
        lamp.switch(True)
        lines = iter(process.stdout.readline, b"")
        command_ns, light_ns, on = next(
            tuple(map(int, line.split())) for line in lines if line.endswith(b" 1\n")
        )
        assert on == 1 and began <= command_ns and light_ns - command_ns == 2_000_000
        lamp.close()
    finally:
        process.stdin.close()
        assert process.wait(timeout=5) == 0
        process.stdout.close()
        os.close(master)
        os.close(slave)


AWAKE: dict[str, tuple[bytes, bytes]] = {
    "text": (b"\n*IDN?\n", b"Camcert-Sim"),
    "mightex": (b"\n\rECHOOFF\n\rDEVICEINFO\n\r", b"#Mightex"),
    "firmata": (b"\xf7\x00\x00\xf0\x79\xf7", b"\xf0\x79\x02\x05"),
}


@pytest.mark.parametrize("dialect", DIALECTS)
@given(chunks=st.lists(st.binary(max_size=80), max_size=12))
def test_noise_never_breaks_a_controller(dialect: str, chunks: list[bytes]) -> None:
    said: list[bytes] = []
    device = DIALECTS[dialect](
        delay_ms=1.0, jitter_ms=0.0, seed=0, answer=said.append, switched=lambda *event: None
    )
    for chunk in chunks:
        device.receive(chunk, 0)
    said.clear()
    device.receive(AWAKE[dialect][0], 0)
    assert AWAKE[dialect][1] in b"".join(said)


def test_a_lamp_on_another_pin_and_one_that_is_no_pin(tmp_path: Path) -> None:
    case = LAMPS["flash_lamp_firmata"]
    with bench_of(case, "pty", tmp_path, opened=False) as bench:
        other = load_driver(case.driver)(bench.address + "#7")
        other.switch(True)
        assert bench.facts("lamp") == [], "the lamp is on pin 13"
        other.close()
        with pytest.raises(InstrumentError, match="did not switch pin 1"):
            load_driver(case.driver)(bench.address + "#1")
        for address in ("#x", "#200"):
            with pytest.raises(UsageError, match="no pin"):
                load_driver(case.driver)(bench.address + address)


def test_what_an_arduino_says_in_words_is_passed_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    words = b"".join(bytes((letter, 0)) for letter in b"Unknown pin mode")
    with bench_of(LAMPS["flash_lamp_firmata"], "pty", tmp_path) as bench:
        monkeypatch.setattr(bench.instrument._line, "ask", lambda *_, **__: b"\xf9\x02\x05\xf0\x71" + words)
        with pytest.raises(InstrumentError, match="says 'Unknown pin mode'"):
            bench.instrument.identity()


@pytest.mark.parametrize(("case", "transport"), over_transports(CASES["relay_board"]))
def test_a_relay_cuts_and_connects_what_its_file_says(case: Case, transport: str, tmp_path: Path) -> None:
    settings = {"channel_1": "link_up", "channel_2": "supply_v", "channel_3": "lamp", "supply_v": 11.5}
    world = World()
    with bench_of(case, transport, tmp_path, settings=settings, world=world) as bench:
        board = bench.instrument
        assert board.channels >= 8

        def state() -> tuple[float, float, float]:
            return world.value("link_up"), world.value("supply_v"), world.value("lamp")

        assert state() == (0.0, 0.0, 0.0), "all open at power-on"
        for channel, expected in ((1, (1.0, 0.0, 0.0)), (2, (1.0, 11.5, 0.0)), (3, (1.0, 11.5, 1.0))):
            board.switch(channel, True)
            assert board.is_closed(channel) and state() == expected
        board.switch(1, False)
        assert not board.is_closed(1) and state() == (0.0, 11.5, 1.0)
        board.switch(8, True)
        board.safe()
        assert not any(board.is_closed(channel) for channel in range(1, 9)) and state() == (0.0, 0.0, 0.0)


@pytest.mark.parametrize(("case", "transport"), once(CASES["relay_board"]))
def test_a_relay_that_is_not_there(case: Case, transport: str, tmp_path: Path) -> None:
    with bench_of(case, transport, tmp_path) as bench:
        before = bench.heard()
        asks: list[Callable[[], object]] = [
            lambda: bench.instrument.switch(0, True),
            lambda: bench.instrument.switch(33, True),
            lambda: bench.instrument.is_closed(-1),
        ]
        for ask in asks:
            with pytest.raises(UsageError, match="there is no relay"):
                ask()
        assert bench.heard() == before


def test_a_scpi_board_refuses_too(tmp_path: Path) -> None:
    with bench_of(BOARDS["relay_board"], "socket", tmp_path, opened=False) as bench:
        small = load_driver("relay_board")(bench.address + "#4")
        assert small.channels == 4
        small.close()
        session = ScpiSession(bench.address, what="relay board")
        for command, code in (
            ("ROUT:CLOS (@9)", "-222"),
            ("ROUT:CLOS 1", "-104"),
            ("ROUT:SHUT (@1)", "-113"),
        ):
            with pytest.raises(InstrumentError, match=code):
                session.write(command)
        session.write("CLOS (@1,3:4)")
        assert session.query("ROUT:CLOS? (@1:4)") == "1,0,1,1"
        session.close()


def test_boards_that_acknowledge_nothing_are_read_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("fixtures.simulated.instruments.relay_core.Relays.switch", lambda *_: None)
    for driver in ("numato_relay", "devantech_rly16"):
        with bench_of(BOARDS[driver], "pty", tmp_path) as bench:
            with pytest.raises(InstrumentError, match="did not close relay 2"):
                bench.instrument.switch(2, True)
            bench.device.relays.closed[4] = True  # type: ignore[attr-defined]
            with pytest.raises(InstrumentError, match="did not open all"):
                bench.instrument.safe()
