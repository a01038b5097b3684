"""Cases of the contract for light, climate, lamps, relays and the network: taken into instrument_world.CASES."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from instruments.capability import NetworkPath

SCPI = ("socket", "hislip", "pty")

#: (setting, lux) of the simulated LEDs: full_lx 10000, droop 0.08.
LED = tuple(
    (share, 10_000.0 * share * (1.0 - 0.08 * share)) for share in (0.05, 0.1, 0.2, 0.4, 0.6, 0.8, 1.0)
)


def graded(source: Any, full: float) -> None:
    """Give a source its points, as the station does from its certificate."""
    source.points = tuple((share * full, lux) for share, lux in LED)


def _set_graded(full: float) -> Any:
    def act(source: Any) -> None:
        graded(source, full)
        source.set_illuminance(1200.0)

    return act


def _lamp(lamp: Any) -> None:
    lamp.switch(True)


#: Keyword arguments of instrument_world.Case, by role.
ROWS: Mapping[str, tuple[dict[str, Any], ...]] = {
    "light_box": (
        {
            "driver": "light_box", "transports": SCPI, "model": "LB-1",
            "ask": lambda box: box.illuminance_set(), "act": lambda box: box.set_illuminance(700.0),
        },
        {
            "driver": "thorlabs_dc2200", "transports": SCPI[:2], "model": "DC2200",
            "ask": lambda box: box.identity(), "act": _set_graded(100.0),
        },
        {
            "driver": "mightex_slc", "transports": ("pty",), "model": "SLC-SA04",
            "ask": lambda box: box.identity(), "act": _set_graded(1000.0),
            "nonsense": b"FOO 1\n\r", "refusal": "not defined",
        },
    ),
    "lux_meter": (
        {
            "driver": "lux_meter", "transports": SCPI, "model": "LM-1",
            "ask": lambda meter: meter.illuminance(), "act": lambda meter: meter.illuminance(),
        },
        {
            "driver": "konica_t10a", "transports": ("pty", "socket"), "model": "T-10A",
            "ask": lambda meter: meter.illuminance(), "act": lambda meter: meter.identity(),
            "nonsense": b"\x0200541   \x0399\r\n", "refusal": "wrong check",
        },
        {
            "driver": "konica_cl200a", "transports": ("pty", "socket"), "model": "CL-200A",
            "ask": lambda meter: meter.illuminance(), "act": lambda meter: meter.identity(),
            "nonsense": b"\x0200541   \x0399\r\n", "refusal": "wrong check",
        },
    ),
    "climate_chamber": (
        {
            "driver": "climate_chamber", "transports": SCPI, "model": "CC-1",
            "ask": lambda chamber: chamber.temperature(), "act": lambda chamber: chamber.set_temperature(40.0),
        },
        {
            "driver": "espec_p300", "transports": ("pty", "socket"), "model": "P3",
            "ask": lambda chamber: chamber.temperature(), "act": lambda chamber: chamber.set_temperature(40.0),
            "nonsense": b"FOO, 1\r\n", "refusal": "CMD ERR",
        },
        {
            "driver": "weiss_simserv", "transports": ("socket",), "model": "LabEvent",
            "ask": lambda chamber: chamber.temperature(), "act": lambda chamber: chamber.set_temperature(40.0),
            "nonsense": b"12345\xb61\r", "refusal": "-5",
        },
    ),
    "flash_lamp": (
        {
            "driver": "flash_lamp", "transports": ("pty",), "model": "FL-1",
            "ask": _lamp, "act": _lamp, "nonsense": b"FLASH\n",
        },
        {
            "driver": "flash_lamp_mightex", "transports": ("pty",), "model": "SLC-SA04",
            "ask": _lamp, "act": _lamp, "nonsense": b"FLASH\n\r", "refusal": "not defined",
        },
        {
            "driver": "flash_lamp_firmata", "transports": ("pty",), "model": "StandardFirmata",
            "ask": _lamp, "act": _lamp, "nonsense": b"\xf4\x0d\x05", "refusal": "Unknown pin mode",
        },
    ),
    "relay_board": (
        {
            "driver": "relay_board", "transports": SCPI, "model": "RB-8",
            "ask": lambda board: board.is_closed(2), "act": lambda board: board.switch(2, True),
        },
        {
            "driver": "numato_relay", "transports": ("pty",), "model": "16 channel",
            "ask": lambda board: board.is_closed(2), "act": lambda board: board.switch(12, True),
            "nonsense": b"relay on Z\r", "refusal": "unknown command",
        },
        {
            "driver": "devantech_rly16", "transports": ("pty",), "model": "USB-RLY16",
            "ask": lambda board: board.identity(), "act": lambda board: board.switch(8, True),
            "nonsense": b"\x01", "refusal": "ignored",
        },
    ),
    "network_emulator": (
        {
            "driver": "network_relay", "transports": ("socket",), "model": "network relay",
            "ask": lambda emulator: emulator.path(), "act": lambda emulator: emulator.apply(NetworkPath(delay_ms=5.0)),
            "nonsense": b'{"do": "dance"}\n', "refusal": "do must be",
        },
    ),
}  # fmt: skip
