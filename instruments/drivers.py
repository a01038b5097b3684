"""Every driver by the name that a station file gives it; loaded only when it is asked for.

A driver is a class ``Driver(address, *, baud=None)`` of about a screen that implements its role's protocol of
`instruments.capability` and carries an `About`. It opens the line when it is made, and says in `About.hardware` on
which device it has been seen to work: where that is empty, doctor and report say "not verified on hardware".
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module
from typing import Any

from standards.errors import UnknownName

__all__ = ["DRIVERS", "ROLES", "About", "load_driver"]

#: Role -> the protocol in instruments.capability that its drivers implement.
ROLES: Mapping[str, str] = {
    "light_box": "LightSource",
    "lux_meter": "LuxMeter",
    "power_supply": "PowerSupply",
    "climate_chamber": "ClimateChamber",
    "oscilloscope": "Oscilloscope",
    "multimeter": "Multimeter",
    "flash_lamp": "FlashLamp",
    "relay_board": "RelayBoard",
    "network_emulator": "NetworkEmulator",
}

#: Driver name in a station file -> module:class.
DRIVERS: Mapping[str, str] = {
    "flash_lamp": "instruments.flash_lamp:SerialFlashLamp",
    "power_supply": "instruments.power_supply:ScpiPowerSupply",
    "keysight_e36300": "instruments.power_supply_keysight:KeysightE36300",
    "rigol_dp800": "instruments.power_supply_rigol:RigolDP800",
    "korad_ka3005p": "instruments.power_supply_korad:KoradKA3005P",
    "multimeter": "instruments.multimeter:ScpiMultimeter",
    "keysight_34461a": "instruments.multimeter_keysight:KeysightTruevolt",
    "fluke_8845a": "instruments.multimeter_fluke:Fluke8845A",
    "oscilloscope": "instruments.oscilloscope:ScpiOscilloscope",
    "keysight_infiniivision": "instruments.oscilloscope_keysight:KeysightInfiniiVision",
    "rigol_ds1000z": "instruments.oscilloscope_rigol:RigolDS1000Z",
    "flash_lamp_firmata": "instruments.flash_lamp_firmata:FirmataLamp",
    "flash_lamp_mightex": "instruments.flash_lamp_mightex:MightexLamp",
    "light_box": "instruments.light_box:ScpiLightBox",
    "mightex_slc": "instruments.light_box_mightex:MightexLight",
    "thorlabs_dc2200": "instruments.light_box_thorlabs:ThorlabsDC2200",
    "lux_meter": "instruments.lux_meter:ScpiLuxMeter",
    "konica_t10a": "instruments.lux_meter_konica_t10a:KonicaT10A",
    "konica_cl200a": "instruments.lux_meter_konica_cl200a:KonicaCL200A",
    "climate_chamber": "instruments.climate_chamber:ScpiClimateChamber",
    "espec_p300": "instruments.climate_chamber_espec:EspecP300",
    "weiss_simserv": "instruments.climate_chamber_weiss:WeissSimServ",
    "relay_board": "instruments.relay_board:ScpiRelayBoard",
    "numato_relay": "instruments.relay_board_numato:NumatoRelayBoard",
    "devantech_rly16": "instruments.relay_board_devantech:DevantechRly16",
    "network_relay": "instruments.network_emulator:NetworkRelay",
    "tc_netem": "instruments.tc_netem:TcNetem",
}


@dataclass(frozen=True)
class About:
    """What a driver is written for. models: devices it speaks to; protocol: e.g. 'SCPI over VISA'; source: the
    public manual it was written from, with number and edition; hardware: device, firmware and date it was seen to
    work on; empty where it never was."""

    role: str
    models: str
    protocol: str
    source: str
    hardware: str = ""


def load_driver(name: str) -> type[Any]:
    """The class of a driver; its `about` is an About. Raises UnknownName with the names there are."""
    if name not in DRIVERS:
        raise UnknownName(f"no driver {name!r}; there are: {', '.join(sorted(DRIVERS))}")
    module, _, kind = DRIVERS[name].partition(":")
    found: type[Any] = getattr(import_module(module), kind)
    return found
