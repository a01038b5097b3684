"""Evenness over the field is judged where a contract gives a limit; the light's own evenness comes of its certificate."""

from __future__ import annotations

import math
from pathlib import Path

import pytest

from bench.camera.address import CameraUrl
from bench.live import Live, LiveSource
from bench.measure.uniformity import EVENNESS_U
from bench.plan import make_plan
from reports.record import Plan

_OVERLAY = """
[overlay]
name = "evenness"
who = "示例检测中心"
text = "contract 17, annex B"
on = 2026-03-02

[[standard]]
name = "Contract 17"
title_zh = "17号合同"
in_force = 2026-01-05
"""
_CLAUSE = """
[[standard.clause]]
row = "{row}"
number = "{row}"
title_zh = "均匀性"
title_en = "Uniformity"
quantity = "{quantity}"
unit = "{unit}"
{limit}
bindingness = "contract"
evidence = "confirmed"
source = "Contract 17"
"""
_STATION = """
[station]
name = "light room"
laboratory = "L"
origin = "simulated"

[instruments.light_box]
driver = "light_box"
address = "/dev/ttyUSB0"
set_point = { illuminance_lx = 300.0, settle_s = 0.5 }
"""
_CERTIFICATE = """
[[instruments.light_box.calibration]]
number = "C-1"
laboratory = "L"
quantity = "uniformity"
unit = "1"
value = 0.97
expanded_uncertainty = 0.01
issued = 2026-01-10
due = 2036-01-09
"""


def _plan(folder: Path, station: str) -> Plan:
    clauses = (
        _CLAUSE.format(row="C17-1", quantity="picture.luminance_uniformity", unit="%", limit="lower = 60"),
        _CLAUSE.format(row="C17-2", quantity="picture.colour_uniformity", unit="1", limit="upper = 0.004"),
    )
    overlay, room = folder / "overlay.toml", folder / "station.toml"
    overlay.write_text(_OVERLAY + "".join(clauses), encoding="utf-8")
    room.write_text(station)
    camera = CameraUrl.parse("onvif://192.0.2.1")
    return make_plan(scheme="vendor_ci", camera=camera, overlay=[overlay], station=room)


def _evenness_u(plan: Plan) -> float:
    return Live(plan, LiveSource(dict, lambda what, share: None)).evenness_u


def test_a_contract_has_it_judged_and_the_light_boxs_certificate_counts(tmp_path: Path) -> None:
    plan = _plan(tmp_path, _STATION + _CERTIFICATE)
    items = {item.key: item for item in plan.items}
    assert {items[row].procedure for row in ("C17-1", "C17-2")} == {"test_field.test_uniformity"}
    assert _evenness_u(plan) == pytest.approx(math.hypot(0.005, 0.03 / math.sqrt(3)))


def test_without_a_certificate_one_per_cent_is_taken_for_likely(tmp_path: Path) -> None:
    assert _evenness_u(_plan(tmp_path, _STATION)) == EVENNESS_U
