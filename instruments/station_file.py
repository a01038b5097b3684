"""The station file: one TOML file that says which instruments stand around the camera and how they are calibrated.

Here are its tables; `instruments.station_rules` reads it. docs/station.md shows every key.
"""

from __future__ import annotations

from datetime import datetime
from typing import Literal, NamedTuple

from pydantic import BaseModel, ConfigDict, Field, model_validator

from instruments.calibration import Calibration

__all__ = [
    "MANUAL", "ChartEntry", "Display", "Environment", "Held", "Instrument", "Instruments", "InterimCheck", "Part",
    "SetPoint", "StationFile", "Surrounding",
]  # fmt: skip

#: Driver of a role that a person plays.
MANUAL = "manual"


class _Table(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class Head(_Table):
    """[station]: who it belongs to. origin: 'simulated' where the instruments are."""

    name: str = Field(min_length=1)
    laboratory: str = ""
    origin: Literal["real", "simulated"] = "real"


class SetPoint(_Table):
    """[instruments.ROLE.set_point]: what the instrument is set to for a run. settle_s: wait for it, seconds.

    Light box: illuminance_lx. Supply: voltage_v and current_limit_a; its output is switched on. Chamber:
    temperature_c. Relay board: closed, the channels that are closed.
    """

    illuminance_lx: float | None = Field(default=None, ge=0)
    voltage_v: float | None = Field(default=None, ge=0)
    current_limit_a: float | None = Field(default=None, gt=0)
    temperature_c: float | None = None
    closed: tuple[int, ...] | None = None
    settle_s: float = Field(default=0.0, ge=0, le=7200)


class InterimCheck(_Table):
    """[[instruments.ROLE.interim_check]]: held before and after every run (ISO/IEC 17025:2017, 6.4.10).

    quantity: what is read, or 'response' for an instrument that is only asked to obey; read_by: role that reads it,
    this one by default; at: what this instrument is set to for it; reference, tolerance: in the quantity's unit, or
    tolerance_percent of the reference; settle_s: wait before reading, seconds.
    """

    quantity: str
    read_by: str = ""
    at: float | None = None
    reference: float | None = None
    tolerance: float | None = Field(default=None, gt=0)
    tolerance_percent: float | None = Field(default=None, gt=0)
    settle_s: float = Field(default=0.0, ge=0, le=600)

    @model_validator(mode="after")
    def _whole(self) -> InterimCheck:
        bounds = (self.tolerance is not None) + (self.tolerance_percent is not None)
        if self.quantity == "response":
            if self.reference is not None or bounds:
                raise ValueError("a response has no reference and no tolerance")
        elif self.reference is None or bounds != 1:
            raise ValueError("a check has a reference, and either tolerance or tolerance_percent")
        return self

    @property
    def allowed(self) -> float:
        """Largest deviation from the reference, in the quantity's unit."""
        if self.tolerance is not None:
            return self.tolerance
        return abs(self.reference or 0.0) * (self.tolerance_percent or 0.0) / 100


class Part(_Table):
    """Something that is looked at and not driven: [illuminant], [tape], and what the others have in common."""

    manufacturer: str = ""
    model: str = ""
    serial: str = ""
    calibration: tuple[Calibration, ...] = ()


class Instrument(Part):
    """One [instruments.ROLE]. driver: a name of instruments.drivers, or 'manual'. address: serial device or VISA
    resource, '$NAME' names an environment variable; for 'manual': 'terminal', or a readings.csv beside this file.
    after: roles that must be open before this one, besides those that always are."""

    driver: str
    address: str = Field(min_length=1)
    baud: int | None = Field(default=None, gt=0)
    after: tuple[str, ...] = ()
    set_point: SetPoint | None = None
    interim_check: tuple[InterimCheck, ...] = ()


class Instruments(_Table):
    """[instruments]: by role."""

    network_emulator: Instrument | None = None
    relay_board: Instrument | None = None
    climate_chamber: Instrument | None = None
    power_supply: Instrument | None = None
    light_box: Instrument | None = None
    multimeter: Instrument | None = None
    lux_meter: Instrument | None = None
    oscilloscope: Instrument | None = None
    flash_lamp: Instrument | None = None

    def items(self) -> list[tuple[str, Instrument]]:
        """(role, instrument) of those that are there."""
        return [(role, entry) for role, entry in self if entry is not None]


class Display(Part):
    """[display]: the display term of glass-to-glass clauses. delay_s: arrival to light; u_s: its standard
    uncertainty, both in seconds."""

    delay_s: float = Field(ge=0)
    u_s: float = Field(gt=0)


class ChartEntry(Part):
    """[chart]: the chart in front of the camera, an instrument too: its certificates are of density, MTF of the
    print, uniformity. counter_tick_s: one step of its content counter, seconds."""

    name: str
    counter_tick_s: float = Field(default=0.01, gt=0)


class Surrounding(Part):
    """[environment.temperature] or .humidity: from an instrument of the station (`instrument`: its role), from a
    person (`ask`: 'terminal' or a readings.csv), or typed into this file (`value` with who and when). lower, upper:
    between which the laboratory measures."""

    instrument: str = ""
    ask: str = ""
    value: float | None = None
    who: str = ""
    when: datetime | None = None
    lower: float | None = None
    upper: float | None = None

    @model_validator(mode="after")
    def _one_source(self) -> Surrounding:
        if bool(self.instrument) + bool(self.ask) + (self.value is not None) != 1:
            raise ValueError("give one of instrument, ask, value")
        if self.value is not None and (not self.who or self.when is None):
            raise ValueError("a typed value needs who and when")
        if self.value is None and (self.who or self.when is not None):
            raise ValueError("who and when belong to a typed value")
        return self


class Environment(_Table):
    """[environment]: the air around the camera, recorded at start and end. Degrees Celsius, % relative humidity."""

    temperature: Surrounding | None = None
    humidity: Surrounding | None = None

    def items(self) -> list[tuple[str, Surrounding]]:
        """(quantity, where it is had from) of those that are there."""
        return [(name, entry) for name, entry in self if entry is not None]


class Safety(_Table):
    """[safety]. order: roles in the order in which they are made safe; others follow, last opened first. within_s:
    time in which the supervisor must have tried every instrument once the bench has died, seconds."""

    order: tuple[str, ...] = ()
    within_s: float = Field(default=30.0, ge=5, le=600)


class StationFile(_Table):
    """The station file as written."""

    station: Head
    instruments: Instruments = Instruments()
    display: Display | None = None
    chart: ChartEntry | None = None
    illuminant: Part | None = None
    tape: Part | None = None
    environment: Environment = Environment()
    safety: Safety = Safety()

    def parts(self) -> list[tuple[str, Part]]:
        """(name, part) of everything that is not driven: what is in view, and what the air is measured with."""
        looked_at = [(name, getattr(self, name)) for name in ("display", "chart", "illuminant", "tape")]
        return [(name, part) for name, part in (*looked_at, *self.environment.items()) if part is not None]

    def certificates(self) -> list[Held]:
        """The certificates of everything, each with its place in the file."""
        air = dict(self.environment.items())
        holders: list[tuple[str, str, Part]] = [
            (f"instruments.{r}", r, entry) for r, entry in self.instruments.items()
        ]
        holders += [(f"environment.{n}" if n in air else n, n, part) for n, part in self.parts()]
        return [
            Held(name, f"{place}.calibration[{number}]", certificate)
            for place, name, part in holders
            for number, certificate in enumerate(part.calibration, 1)
        ]


class Held(NamedTuple):
    """One certificate. holder: role or part; key: its place in the file."""

    holder: str
    key: str
    certificate: Calibration
