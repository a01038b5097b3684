"""What a test may ask of an instrument, whatever its make: small protocols, one a capability."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol, runtime_checkable

__all__ = ["Flash", "FlashLamp"]


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
class FlashLamp(Protocol):
    """A lamp in the camera's view that is switched by command.

    delay_s: calibrated time from command to light, seconds; delay_u_s: its standard uncertainty (line,
    driver and lamp rise together); None for both when the station states no calibration.
    """

    @property
    def delay_s(self) -> float | None:
        """Calibrated command-to-light delay, seconds."""

    @property
    def delay_u_s(self) -> float | None:
        """Standard uncertainty of delay_s for a single flash, seconds."""

    def switch(self, on: bool) -> Flash:
        """Switch the light. Raises InstrumentError if the lamp refuses or does not answer in time."""

    def identify(self) -> str:
        """The lamp's own identification (manufacturer,model,serial,firmware)."""
