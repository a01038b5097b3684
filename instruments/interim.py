"""Interim checks and set points: what an instrument is set to for a run, and whether it still tells the truth."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from instruments.readings import Reading
from instruments.station_file import Instrument, InterimCheck, SetPoint
from standards.errors import CamcertError

__all__ = ["CheckResult", "apply_set_point", "perform_check"]


@dataclass(frozen=True)
class CheckResult:
    """How one interim check came out. reading: None where nothing was read; text: what was seen, in words; mend: what
    to do where it failed."""

    role: str
    check: InterimCheck
    ok: bool
    text: str
    mend: str = ""
    reading: Reading | None = None

    def facts(self) -> dict[str, Any]:
        """As JSON values, for the journal."""
        return {
            "role": self.role,
            "quantity": self.check.quantity,
            "reference": self.check.reference,
            "allowed": None if self.check.reference is None else self.check.allowed,
            "ok": self.ok,
            "text": self.text,
            "mend": self.mend,
            "reading": self.reading.facts() if self.reading is not None else None,
        }


def apply_set_point(role: str, instrument: Any, point: SetPoint) -> str:
    """Set an instrument for a run, and wait for it. Returns what was set, in words. Raises InstrumentError."""
    done: list[str] = []
    if role == "light_box" and point.illuminance_lx is not None:
        instrument.set_illuminance(point.illuminance_lx)
        done.append(f"{point.illuminance_lx:g} lx")
    if role == "climate_chamber" and point.temperature_c is not None:
        instrument.set_temperature(point.temperature_c)
        done.append(f"{point.temperature_c:g} degC")
    if role == "relay_board":
        for channel in point.closed or ():
            instrument.switch(channel, True)
            done.append(f"channel {channel} closed")
    if role == "power_supply" and point.voltage_v is not None:
        if point.current_limit_a is not None:
            instrument.set_current_limit(point.current_limit_a)
            done.append(f"at most {point.current_limit_a:g} A")
        instrument.set_voltage(point.voltage_v)
        instrument.output(True)
        done.append(f"{point.voltage_v:g} V, output on")
    time.sleep(point.settle_s)
    return f"{role} set to {', '.join(done)}"


def perform_check(
    role: str, entry: Instrument, check: InterimCheck, instrument: Any, read: Callable[[str, str], Reading]
) -> CheckResult:
    """Do one check. read: takes role and quantity. A silent or refusing instrument is a failed check."""
    reader = check.read_by or role
    try:
        if check.at is not None:
            _set(role, instrument, check.at)
        time.sleep(check.settle_s)
        if check.quantity == "response":
            _respond(role, instrument)
            return CheckResult(role, check, True, f"{role} responds")
        reading = read(reader, check.quantity)
    except CamcertError as error:
        mend = "" if "Mend:" in str(error) else f"look after the {reader}, then run again"
        return CheckResult(role, check, False, f"{role}: {error}", mend)
    off = reading.value - (check.reference or 0.0)
    seen = (
        f"{role}: {check.quantity} by {reader} is {reading.value:g} {reading.unit}, "
        f"{check.reference:g} ± {check.allowed:g} {reading.unit} wanted"
    )
    if abs(off) <= check.allowed:
        return CheckResult(role, check, True, seen, reading=reading)
    mend = f"look for what changed at {role} and {reader}, calibrate if need be, run again"
    return CheckResult(role, check, False, seen, mend, reading)


def _set(role: str, instrument: Any, at: float) -> None:
    if role == "light_box":
        instrument.set_illuminance(at)
    elif role == "climate_chamber":
        instrument.set_temperature(at)
    elif role == "power_supply":
        instrument.set_voltage(at)
        instrument.output(True)


def _respond(role: str, instrument: Any) -> None:
    """The least that shows that it obeys: a lamp flashes once, others say who they are."""
    if role == "flash_lamp":
        instrument.switch(True)
        instrument.switch(False)
    else:
        instrument.identity()
