"""Drivers that must wait for their device wait shorter here: the twins need no time."""

from __future__ import annotations

import pytest


@pytest.fixture(autouse=True)
def quick_meters(monkeypatch: pytest.MonkeyPatch) -> None:
    """Konica Minolta's meters are waited for a tenth of their time."""
    monkeypatch.setattr("instruments.lux_meter_konica_t10a._UPDATE_S", 0.05)
    monkeypatch.setattr("instruments.lux_meter_konica_cl200a._MEASURING_S", 0.05)
    monkeypatch.setattr("instruments.lux_meter_konica_cl200a._SETTLING_S", 0.02)
