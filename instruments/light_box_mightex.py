"""Mightex SLC as a light source: an LED on its first channel, set in mA."""

from __future__ import annotations

from instruments.capability import Identity
from instruments.drivers import About
from instruments.grading import Points, lux_at, setting_for
from instruments.mightex_slc import DARK, HIGHEST_MA, LIT, SOURCE, MightexSession
from standards.errors import UsageError

__all__ = ["MightexLight"]

_WHAT = "LED controller SLC"


class MightexLight:
    """Normal mode of the first channel, in steps of 1 mA. Safe: dark. Opening it leaves it as it is.

    points: (mA, lux) of its certificate illuminance_per_setting; the station sets them. Without them it refuses to be
    set in lux.
    """

    about = About(
        role="light_box",
        models="Mightex SLC-SA, SLC-AA, SLC-MA series",
        protocol="ASCII with LF CR, serial 9600 baud",
        source=SOURCE,
    )

    setting_unit = "mA"

    def __init__(self, address: str, *, baud: int | None = None) -> None:
        """address: serial device. Raises InstrumentError."""
        self.points: Points = ()
        self._session = MightexSession(address, what=_WHAT, baud=baud)

    def identity(self) -> Identity:
        """Get who the controller says it is."""
        return self._session.identity()

    def set_illuminance(self, lux: float) -> None:
        """Set the illuminance at the chart plane, to the nearest mA; 0 disables the channel.

        Raises UsageError where the points do not reach, before anything is sent.
        """
        current = round(setting_for(lux, self.points, _WHAT))
        if current > HIGHEST_MA:
            raise UsageError(f"{lux:g} lx needs {current} mA: the {_WHAT} gives {HIGHEST_MA} mA")
        self._session.do(f"NORMAL 1 {HIGHEST_MA} {current}")
        self._session.do(f"MODE 1 {LIT if current else DARK}")

    def illuminance_set(self) -> float:
        """Get the set value back from the controller, lux; 0 while the channel is disabled."""
        return lux_at(self._session.current(), self.points, _WHAT) if self._session.is_lit() else 0.0

    def safe(self) -> None:
        """Disable the channel."""
        self._session.do(f"MODE 1 {DARK}")

    def close(self) -> None:
        """Release the line; the light stays as it is."""
        self._session.line.close()
