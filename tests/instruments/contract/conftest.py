"""What the contract tests share: less waiting, for silence and for twins that need no time."""

from __future__ import annotations

import pytest


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Answers are waited for 0.4 s, so that silence is soon told."""
    monkeypatch.setattr("instruments.scpi.ANSWER_S", 0.4)
    monkeypatch.setattr("instruments.scpi._LAST_WORDS_S", 0.1)
    monkeypatch.setattr("instruments.line.ANSWER_S", 0.4)
    monkeypatch.setattr("instruments.multimeter._READING_S", 0.4)


@pytest.fixture(autouse=True)
def quick_meters(monkeypatch: pytest.MonkeyPatch) -> None:
    """Konica Minolta's meters are waited for a tenth of their time: the twins need none."""
    monkeypatch.setattr("instruments.lux_meter_konica_t10a._UPDATE_S", 0.05)
    monkeypatch.setattr("instruments.lux_meter_konica_cl200a._MEASURING_S", 0.05)
    monkeypatch.setattr("instruments.lux_meter_konica_cl200a._SETTLING_S", 0.02)
