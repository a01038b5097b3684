"""What can be read off each role of instrument, and what its certificates may be of, with the units."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from instruments.grading import QUANTITY as GRADING
from standards.quantity import Origin

__all__ = ["CERTIFIED", "GRADING", "LAMP_DELAY", "READINGS", "ReadBy", "Reading"]

#: Quantity of a lamp's certificate: from the command's last byte on the line to light.
LAMP_DELAY = "command_to_light_delay"


@dataclass(frozen=True)
class ReadBy:
    """How a quantity is read: the method of the role's capability, and the unit of what it returns."""

    method: str
    unit: str


#: Role -> what can be read off it.
READINGS: Mapping[str, Mapping[str, ReadBy]] = {
    "light_box": {"illuminance_set": ReadBy("illuminance_set", "lx")},
    "lux_meter": {"illuminance": ReadBy("illuminance", "lx")},
    "power_supply": {"voltage": ReadBy("voltage", "V"), "current": ReadBy("current", "A")},
    "climate_chamber": {"temperature": ReadBy("temperature", "degC")},
    "multimeter": {"dc_voltage": ReadBy("dc_voltage", "V"), "dc_current": ReadBy("dc_current", "A")},
}

#: Role, or part of the station that is none -> quantities that its certificates may be of, with the unit. What can be
#: read is certified in the unit that it is read in, as a certificate in another would be taken a thousandfold.
CERTIFIED: Mapping[str, Mapping[str, str]] = {
    **{role: {name: by.unit for name, by in found.items()} for role, found in READINGS.items()},
    "light_box": {
        "illuminance_set": "lx", GRADING: "lx", "correlated_colour_temperature": "K",
        "uniformity": "1", "flicker_depth": "1",
    },
    "flash_lamp": {LAMP_DELAY: "s"},
    "oscilloscope": {"vertical_scale": "V", "time_base": "s", "photodiode_delay": "s"},
    "relay_board": {"switching_delay": "s"},
    "network_emulator": {"delay": "ms", "rate": "kbit/s"},
    "chart": {
        "density": "1", "cielab": "1", "reflectance": "1", "mtf": "1", "uniformity": "1", "length": "mm",
        "counter_tick": "s",
    },
    "illuminant": {
        "illuminance": "lx", "correlated_colour_temperature": "K", "uniformity": "1", "flicker_depth": "1",
    },
    "tape": {"length": "mm"},
    "display": {"display_delay": "s"},
    "temperature": {"temperature": "degC"},
    "humidity": {"humidity": "%"},
}  # fmt: skip


@dataclass(frozen=True)
class Reading:
    """One value as it counts: corrected by the certificate where there is one.

    raw: as shown; u: standard uncertainty by the certificate in `unit`, None: not evaluated; origin: typed where a
    person read it, then `who` did, `at` (ISO 8601); certificate: number of the one applied.
    """

    role: str
    quantity: str
    value: float
    unit: str
    raw: float
    origin: Origin
    at: str
    u: float | None = None
    certificate: str = ""
    who: str = ""

    def facts(self) -> dict[str, Any]:
        """As JSON values, for the journal."""
        return asdict(self) | {"origin": self.origin.value}
