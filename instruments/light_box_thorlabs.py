"""Thorlabs DC2200: a driver of one high-power LED, set in percent of the LED's highest current."""

from __future__ import annotations

from instruments.capability import Identity
from instruments.drivers import About
from instruments.grading import Points, lux_at, setting_for
from instruments.scpi import ScpiSession

__all__ = ["ThorlabsDC2200"]

_WHAT = "LED driver DC2200"


class ThorlabsDC2200:
    """The first terminal, in constant brightness mode. Safe: dark. Opening it chooses the mode and leaves it dark.

    points: (percent, lux) of its certificate illuminance_per_setting; the station sets them. Without them it refuses
    to be set in lux.
    """

    about = About(
        role="light_box",
        models="Thorlabs DC2200 with a mounted LED",
        protocol="SCPI over VISA (USB)",
        source="Thorlabs, example program 'DC2200 with PyVISA'; the operation manual itself was not at hand",
    )

    setting_unit = "%"

    def __init__(self, address: str, *, baud: int | None = None) -> None:
        """address: VISA resource string. Raises InstrumentError."""
        self.points: Points = ()
        self._session = ScpiSession(address, what=_WHAT, models="DC2200", baud=baud)
        try:
            self.safe()
            self._session.write("SOURCE1:MODE CB")
        except BaseException:
            self._session.close()
            raise

    def identity(self) -> Identity:
        """Get who the driver says it is."""
        return self._session.identity()

    def set_illuminance(self, lux: float) -> None:
        """Set the illuminance at the chart plane; 0 switches the LED off.

        Raises UsageError where the points do not reach, before anything is sent.
        """
        percent = setting_for(lux, self.points, _WHAT)
        self._session.write(f"SOURCE1:CBRIGHTNESS:BRIGHTNESS {percent:.3f}")
        self._session.write("OUTPUT1:STATE ON" if lux else "OUTPUT1:STATE OFF")

    def illuminance_set(self) -> float:
        """Get the set value back from the driver, lux; 0 while the LED is off."""
        if not self._session.state("OUTPUT1:STATE?"):
            return 0.0
        return lux_at(self._session.number("SOURCE1:CBRIGHTNESS:BRIGHTNESS?"), self.points, _WHAT)

    def safe(self) -> None:
        """Switch the LED off."""
        self._session.write("OUTPUT1:STATE OFF")

    def close(self) -> None:
        """Release the line; the LED stays as it is."""
        self._session.close()
