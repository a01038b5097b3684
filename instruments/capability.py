"""What a test may ask of an instrument, whatever its make: small protocols, one a capability.

Every instrument can say who it is, be brought to its safe state, and be closed. Values are in the units that the
docstrings name. A driver raises UsageError for a value out of its range before anything is sent, and
InstrumentError with the instrument's own words where it refuses, fails or is silent.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

__all__ = [
    "ClimateChamber", "Flash", "FlashLamp", "Identity", "Instrument", "LightSource", "LuxMeter", "Multimeter",
    "NetworkEmulator", "NetworkPath", "Oscilloscope", "PowerSupply", "RelayBoard", "Waveform",
]  # fmt: skip


@dataclass(frozen=True)
class Identity:
    """Who an instrument says it is; empty where its protocol has no way to say."""

    manufacturer: str = ""
    model: str = ""
    serial: str = ""
    firmware: str = ""


@runtime_checkable
class Instrument(Protocol):
    """What every instrument can do."""

    def identity(self) -> Identity:
        """Get maker, model, serial number and firmware from the instrument itself."""

    def safe(self) -> None:
        """Bring it to the state in which it may be left alone: output off, lamp dark, chamber idle."""

    def close(self) -> None:
        """Release the line; the instrument's state stays as it is."""


@dataclass(frozen=True)
class Flash:
    """One command to the lamp, as the host saw it. Nanoseconds of the host's realtime clock.

    on: True when light was asked for. sent_ns: just before the last byte was handed to the line;
    done_ns: when the hand-over returned. The light follows sent_ns by the lamp's calibrated delay.
    """

    on: bool
    sent_ns: int
    done_ns: int


@runtime_checkable
class FlashLamp(Instrument, Protocol):
    """A lamp in the camera's view that is switched by command. Safe: dark."""

    def switch(self, on: bool) -> Flash:
        """Switch the light."""


@runtime_checkable
class LightSource(Instrument, Protocol):
    """Light box or illuminator. Safe: dark. What is set is nominal: the lux meter says what is there."""

    def set_illuminance(self, lux: float) -> None:
        """Set the illuminance at the chart plane, lux."""

    def illuminance_set(self) -> float:
        """Get the set value back from the source, lux."""


@runtime_checkable
class LuxMeter(Instrument, Protocol):
    """Illuminance at the chart plane. Safe: as it is."""

    def illuminance(self) -> float:
        """Measure once, lux."""


@runtime_checkable
class PowerSupply(Instrument, Protocol):
    """Supply of the camera. Safe: output off."""

    def set_voltage(self, volts: float) -> None:
        """Set the output voltage, V."""

    def set_current_limit(self, amperes: float) -> None:
        """Set the current limit, A."""

    def output(self, on: bool) -> None:
        """Switch the output."""

    def output_is_on(self) -> bool:
        """Get the output's state."""

    def voltage(self) -> float:
        """Measure the voltage at the terminals, V."""

    def current(self) -> float:
        """Measure the current, A."""


@runtime_checkable
class ClimateChamber(Instrument, Protocol):
    """Air around the camera. Safe: idle (neither heated nor cooled)."""

    def set_temperature(self, celsius: float) -> None:
        """Set the temperature that is controlled to, degrees Celsius, and let it run."""

    def temperature(self) -> float:
        """Measure the air temperature, degrees Celsius."""


@dataclass(frozen=True)
class Waveform:
    """One recorded trace. start_s: time of the first sample from the trigger; step_s: between samples.

    volts: (samples,) float64, V.
    """

    start_s: float
    step_s: float
    volts: NDArray[np.float64]


@runtime_checkable
class Oscilloscope(Instrument, Protocol):
    """Oscilloscope with a photodiode on a channel. Safe: stopped."""

    def set_timebase(self, seconds: float) -> None:
        """Set the length of a record, s."""

    def set_scale(self, channel: int, volts: float) -> None:
        """Set the full height of a channel's picture, V; switches the channel on."""

    def arm(self, channel: int, level: float, *, rising: bool = True) -> None:
        """Arm one single-shot record, triggered by an edge of a channel through a level, V."""

    def triggered(self) -> bool:
        """Get whether the armed record is complete."""

    def waveform(self, channel: int) -> Waveform:
        """Get the record of a channel."""


@runtime_checkable
class Multimeter(Instrument, Protocol):
    """Digital multimeter. Safe: as it is."""

    def dc_voltage(self) -> float:
        """Measure a direct voltage, V."""

    def dc_current(self) -> float:
        """Measure a direct current, A."""


@runtime_checkable
class RelayBoard(Instrument, Protocol):
    """Relays that cut or connect lines. Safe: all open. channel: from 1."""

    @property
    def channels(self) -> int:
        """How many relays there are."""

    def switch(self, channel: int, closed: bool) -> None:
        """Close or open one relay."""

    def is_closed(self, channel: int) -> bool:
        """Get the state of one relay."""


@dataclass(frozen=True)
class NetworkPath:
    """What a network path does to packets. delay_ms, jitter_ms: mean and standard deviation of the one-way
    delay; loss, reorder, duplicate: shares (0 to 1); rate_kbit: bottleneck, 0 for none; up: False cuts it."""

    delay_ms: float = 0.0
    jitter_ms: float = 0.0
    loss: float = 0.0
    reorder: float = 0.0
    duplicate: float = 0.0
    rate_kbit: float = 0.0
    up: bool = True


@runtime_checkable
class NetworkEmulator(Instrument, Protocol):
    """The path between camera and bench. Safe: transparent."""

    def apply(self, path: NetworkPath) -> None:
        """Impose a path's properties."""

    def path(self) -> NetworkPath:
        """Get what is imposed now."""
