"""Keysight E36300 series: outputs are named by channel lists."""

from __future__ import annotations

from instruments.drivers import About
from instruments.power_supply import ScpiPowerSupply, SupplyWords

__all__ = ["KeysightE36300"]


class KeysightE36300(ScpiPowerSupply):
    """One output of an E36311A, E36312A or E36313A; '#2' behind the address names output 2 (25 V)."""

    about = About(
        role="power_supply",
        models="Keysight E36311A, E36312A, E36313A",
        protocol="SCPI over VISA: socket 5025, HiSLIP",
        source="Keysight Technologies: E36300 Series Programmable DC Power Supplies, Programming Guide "
        "(SCPI Programming Reference: Voltage, Current, Output and Measure subsystems)",
    )
    models = r"E3631[123]A"
    words = SupplyWords(
        set_volts="VOLT {value:.4f},(@{channel})",
        set_amperes="CURR {value:.4f},(@{channel})",
        most_volts="VOLT? MAX,(@{channel})",
        most_amperes="CURR? MAX,(@{channel})",
        switch="OUTP {value},(@{channel})",
        is_on="OUTP? (@{channel})",
        volts="MEAS:VOLT? (@{channel})",
        amperes="MEAS:CURR? (@{channel})",
    )
