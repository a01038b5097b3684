"""The lamp's driver on a real pty, against the strict simulated line and against lines that misbehave."""

from __future__ import annotations

import os
import pty
import threading
import time
import tty
from collections.abc import Generator
from contextlib import suppress
from datetime import date
from pathlib import Path

import pytest

from fixtures.simulated.config import Lamp
from fixtures.simulated.lamp_line import LampLine
from fixtures.simulated.truth import TruthLog
from fixtures.world import World
from instruments.calibration import Calibration
from instruments.capability import FlashLamp
from instruments.flash_lamp import SerialFlashLamp
from standards.errors import CalibrationExpired, InstrumentError

CERTIFICATE = Calibration(
    number="C1",
    laboratory="L",
    quantity="command_to_light_delay",
    value=0.0019,
    expanded_uncertainty=0.0006,
    unit="s",
    issued=date(2026, 1, 10),
    due=date(2027, 1, 9),
)


@pytest.fixture
def world() -> World:
    return World()


@pytest.fixture
def line(tmp_path: Path, world: World) -> Generator[LampLine]:
    truth = TruthLog(tmp_path / "truth")
    found = LampLine(Lamp(delay_ms=2.0, delay_jitter_ms=0.1, seed=1), truth, world)
    found.start()
    yield found
    found.stop()
    truth.close()


def test_switching_lights_after_the_hidden_delay(line: LampLine, world: World) -> None:
    with SerialFlashLamp(line.port) as lamp:
        assert isinstance(lamp, FlashLamp)
        assert lamp.identify() == "Camcert-Sim,FL-1,SN001,1.0"
        flash = lamp.switch(True)
        assert flash.on and flash.sent_ns <= flash.done_ns
        lit = flash.done_ns + 5_000_000
        time.sleep(0.05)
        assert world.mean("lamp", lit, lit + 1_000_000) == 1.0
        assert world.mean("lamp", flash.sent_ns - 2_000_000, flash.sent_ns) == 0.0
    time.sleep(0.05)
    assert world.value("lamp") == 0.0, "the lamp is left dark"


def test_an_unknown_command_is_queued_as_an_error(line: LampLine) -> None:
    with SerialFlashLamp(line.port) as lamp:
        lamp._line.send(b"FLASH\n")
        with pytest.raises(InstrumentError, match="-113"):
            lamp.switch(True)
        assert lamp.switch(True).on


def test_errors_of_an_earlier_session_are_not_this_ones(line: LampLine) -> None:
    with SerialFlashLamp(line.port) as lamp:
        lamp._line.send(b"FLASH\nFLASH\n")
    with SerialFlashLamp(line.port) as lamp:
        flash = lamp.switch(True)
    assert flash.on


def test_a_line_has_one_user(line: LampLine) -> None:
    with SerialFlashLamp(line.port), pytest.raises(InstrumentError, match="no other program"):
        SerialFlashLamp(line.port)


def test_a_missing_line_names_the_mend() -> None:
    with pytest.raises(InstrumentError, match="Mend"):
        SerialFlashLamp("/dev/no-such-line")


def test_a_silent_lamp_is_an_error_within_its_time() -> None:
    master, slave = pty.openpty()
    tty.setraw(slave)
    start = time.monotonic()
    try:
        with pytest.raises(InstrumentError, match="no answer"):
            SerialFlashLamp(os.ttyname(slave))
    finally:
        os.close(master)
        os.close(slave)
    assert time.monotonic() - start < 10


def test_a_babbling_lamp_is_cut_off() -> None:
    master, slave = pty.openpty()
    tty.setraw(slave)

    def babble() -> None:
        with suppress(OSError):
            os.read(master, 64)
            for _ in range(64):
                os.write(master, b"x" * 64)

    thread = threading.Thread(target=babble, daemon=True)
    thread.start()
    try:
        with pytest.raises(InstrumentError, match="no answer"):
            SerialFlashLamp(os.ttyname(slave))
    finally:
        os.close(slave)
        os.close(master)
        thread.join(timeout=2)


@pytest.mark.parametrize(
    ("day", "valid"), [("2026-01-10", True), ("2027-01-09", True), ("2027-01-10", False)]
)
def test_certificates_hold_to_their_last_day(day: str, valid: bool) -> None:
    if valid:
        CERTIFICATE.check(date.fromisoformat(day), "lamp")
        return
    with pytest.raises(CalibrationExpired, match=r"2027-01-09.*Mend"):
        CERTIFICATE.check(date.fromisoformat(day), "lamp")
