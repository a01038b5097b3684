"""A program that opens a station and keeps its instruments busy until something ends it.

``station_program.py STATION [SECONDS]``: writes 'opening' before it opens, 'open' when it has. SECONDS: after so long
an exception is raised wherever it then is.
"""

from __future__ import annotations

import signal
import sys
from pathlib import Path
from types import FrameType

import pyvisa_py  # noqa: F401  here and not when a line opens: its import swallows whatever is raised in it meanwhile

from instruments.capability import NetworkPath
from instruments.station import Station


class Mishap(Exception):
    """Something unforeseen in the middle of the work."""


def main() -> int:
    """Work until ended; 3 for an interrupt, 4 for the mishap."""
    if len(sys.argv) > 2:
        signal.signal(signal.SIGALRM, _mishap)
        signal.setitimer(signal.ITIMER_REAL, float(sys.argv[2]))
    try:
        print("opening", flush=True)
        with Station.open(Path(sys.argv[1]), report=lambda text: print(text, file=sys.stderr)) as station:
            station.set_up()
            print("open", flush=True)
            while True:
                _work(station)
    except KeyboardInterrupt:
        return 3
    except Mishap:
        return 4


def _mishap(signum: int, frame: FrameType | None) -> None:
    raise Mishap


def _work(station: Station) -> None:
    """One round of everything that can be switched on."""
    if station.power_supply is not None:
        station.power_supply.output(True)
        station.power_supply.voltage()
    if station.flash_lamp is not None:
        station.flash_lamp.switch(True)
        station.flash_lamp.switch(False)
        station.flash_lamp.switch(True)
    if station.light_box is not None:
        station.light_box.set_illuminance(800.0)
    if station.climate_chamber is not None:
        station.climate_chamber.set_temperature(40.0)
    if station.relay_board is not None:
        station.relay_board.switch(1, True)
    if station.network_emulator is not None:
        station.network_emulator.apply(NetworkPath(delay_ms=80.0, loss=0.1))
    if station.oscilloscope is not None:
        station.oscilloscope.set_scale(1, 5.0)
        station.oscilloscope.arm(1, 1.0)
    if station.lux_meter is not None:
        station.lux_meter.illuminance()
    if station.multimeter is not None:
        station.multimeter.dc_voltage()


if __name__ == "__main__":
    sys.exit(main())
