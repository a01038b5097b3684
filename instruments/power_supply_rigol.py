"""Rigol DP800 series: outputs are CH1 to CH3, their state is ON or OFF."""

from __future__ import annotations

from instruments.drivers import About
from instruments.power_supply import ScpiPowerSupply, SupplyWords

__all__ = ["RigolDP800"]


class RigolDP800(ScpiPowerSupply):
    """One output of a DP832 or another DP800; '#2' behind the address names CH2."""

    about = About(
        role="power_supply",
        models="Rigol DP811, DP821, DP831, DP832 and their A variants (positive outputs)",
        protocol="SCPI over VISA: socket 5555, serial",
        source="Rigol Technologies: DP800 Series Programming Guide, chapter 2 "
        "(:MEASure, :OUTPut and [:SOURce[<n>]] commands)",
    )
    models = r"DP8[123][12]A?"
    words = SupplyWords(
        set_volts=":SOUR{channel}:VOLT {value:.3f}",
        set_amperes=":SOUR{channel}:CURR {value:.4f}",
        most_volts=":SOUR{channel}:VOLT? MAX",
        most_amperes=":SOUR{channel}:CURR? MAX",
        switch=":OUTP CH{channel},{value}",
        is_on=":OUTP? CH{channel}",
        volts=":MEAS:VOLT? CH{channel}",
        amperes=":MEAS:CURR? CH{channel}",
    )
