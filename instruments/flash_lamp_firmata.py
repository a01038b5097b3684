"""A lamp on a pin of an Arduino that runs StandardFirmata."""

from __future__ import annotations

import time

from instruments.capability import Flash, Identity
from instruments.drivers import About
from instruments.line import LineSession
from standards.errors import InstrumentError, UsageError

__all__ = ["FirmataLamp"]

_BOOT_S = 5.0  # an Arduino restarts when its port is opened
_PIN = 13
_OUTPUT = 1
_FIRMWARE, _PIN_STATE, _STRING = 0x79, 0x6D, 0x71


class FirmataLamp:
    """It lights at the last byte of set digital pin value. Pin 13, or that behind '#' in the address. Safe: dark.

    Opening it makes the pin an output, dark. The board acknowledges nothing, so each state is read back.
    """

    about = About(
        role="flash_lamp",
        models="Arduino boards with StandardFirmata 2.5 or newer, and a lamp switched by a digital pin",
        protocol="Firmata 2.5 (MIDI-like bytes), USB serial port, 57600 baud",
        source="Firmata protocol, version 2.5.1 (github.com/firmata/protocol, protocol.md)",
    )

    def __init__(self, address: str, *, baud: int | None = None) -> None:
        """address: serial device, e.g. /dev/ttyACM0#8. Raises InstrumentError, UsageError."""
        resource, mark, pin = address.partition("#")
        if mark and not (pin.isdigit() and int(pin) < 128):
            raise UsageError(f"{address}: {pin!r} is no pin. Mend: write the pin's number behind '#'")
        self._pin = int(pin) if mark else _PIN
        self._line = LineSession(resource, what="flash lamp", baud=baud or 57600)
        try:
            self._boot()
            self._line.send(bytes((0xF4, self._pin, _OUTPUT)))
            self.switch(False)
        except BaseException:
            self._line.close()
            raise

    def identity(self) -> Identity:
        """Get name and version of the firmware; a board has no serial number to tell."""
        body = self._ask(bytes((_FIRMWARE,)), _FIRMWARE)
        letters = bytes(low | high << 7 for low, high in zip(body[2::2], body[3::2], strict=False))
        return Identity("Firmata", letters.decode("latin-1"), "", ".".join(map(str, body[:2])))

    def switch(self, on: bool) -> Flash:
        """Switch the light, and see that the pin did. Raises InstrumentError."""
        self._line.send(bytes((0xF5, self._pin, on)))
        flash = Flash(on=on, sent_ns=self._line.sent_ns, done_ns=self._line.done_ns)
        state = self._ask(bytes((_PIN_STATE, self._pin)), _PIN_STATE + 1)
        if state != bytes((self._pin, _OUTPUT, on)):
            raise self._line.error(f"did not switch pin {self._pin}: its state is {state.hex(' ')}")
        return flash

    def safe(self) -> None:
        """Make it dark."""
        self.switch(False)

    def close(self) -> None:
        """Release the line; the pin stays as it is, unless the board restarts."""
        self._line.close()

    def _boot(self) -> None:
        """Ask for the firmware until the board has started. Raises InstrumentError."""
        deadline = time.monotonic() + _BOOT_S
        while True:
            try:
                self.identity()
            except InstrumentError:
                if time.monotonic() > deadline:
                    raise
            else:
                return

    def _ask(self, body: bytes, answer: int) -> bytes:
        """One system message; the body of its answer, behind its number. Raises InstrumentError."""
        got = self._line.ask(b"\xf0" + body + b"\xf7", end=b"\xf7", limit=128)
        found = got[got.rfind(b"\xf0") + 1 :] if b"\xf0" in got else b""
        if found[:1] == bytes((_STRING,)):
            raise self._line.error(f"says {found[1::2].decode('latin-1')!r}")
        if found[:1] != bytes((answer,)) or any(byte > 0x7F for byte in found):
            raise self._line.error(f"answers {got[:40]!r} instead of Firmata's message {answer:02x}")
        return found[1:]
