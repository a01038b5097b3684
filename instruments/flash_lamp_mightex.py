"""Mightex SLC as a flash lamp: an LED on its first channel, switched by the channel's mode."""

from __future__ import annotations

from instruments.capability import Flash, Identity
from instruments.drivers import About
from instruments.mightex_slc import DARK, LIT, SOURCE, MightexSession

__all__ = ["MightexLamp"]

_FULL_MA = 350  # what a lamp that serves as a flash is driven with


class MightexLamp:
    """It lights at the end of ``MODE 1 1``. Safe: dark. Opening it sets its current and leaves it dark."""

    about = About(
        role="flash_lamp",
        models="Mightex SLC-SA, SLC-AA, SLC-MA series",
        protocol="ASCII with LF CR, serial 9600 baud",
        source=SOURCE,
    )

    def __init__(self, address: str, *, baud: int | None = None) -> None:
        """address: serial device. Raises InstrumentError."""
        self._session = MightexSession(address, what="flash lamp", baud=baud)
        try:
            self.safe()
            self._session.do(f"NORMAL 1 {_FULL_MA} {_FULL_MA}")
        except BaseException:
            self.close()
            raise

    def identity(self) -> Identity:
        """Get who the controller says it is."""
        return self._session.identity()

    def switch(self, on: bool) -> Flash:
        """Switch the light. Raises InstrumentError if the controller does not acknowledge it."""
        self._session.do(f"MODE 1 {LIT if on else DARK}")
        return Flash(on=on, sent_ns=self._session.line.sent_ns, done_ns=self._session.line.done_ns)

    def safe(self) -> None:
        """Make it dark."""
        self._session.do(f"MODE 1 {DARK}")

    def close(self) -> None:
        """Release the line; the light stays as it is."""
        self._session.line.close()
