"""Minimum illumination through light box, lux meter, camera and stream, against what the world itself logged."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from dark_room import dark_room
from scipy.optimize import brentq
from virtual_world import bench, camera_file, findings, running, scheme_file

from bench.measure.minimum_illumination import CRITERION, Level, minimum_illumination, search
from fixtures.charts import CHARTS
from reports.verify import verify
from standards.errors import MeasurementRefused
from standards.quantity import Bound, Estimate

pytestmark = pytest.mark.paced

OVERLAY = """
[overlay]
name = "little-light"
who = "示例检测中心"
text = "contract 17, annex B"
on = 2026-03-02

[[limit]]
row = "CAM-09.minimum_illumination"
unit = "lx"
upper = 5

[[contract]]
row = "CAM-09.minimum_illumination"
reason_zh = "合同附件B"
"""
#: U = 3 % of the reading from 1 lx on, more below.
POINTS = [
    [0.1, 0.0, 0.004, 2],
    [0.5, 0, 0.012, 2],
    [0.9, 0, 0.024, 2],
    [1.2, 0, 0.03, 2],
    [2, 0, 0.05, 2],
    [10, 0, 0.3, 2],
]
EXPOSURE = {"mode": "auto", "max_ms": 20.0, "max_gain_db": 30.0, "tau_s": 0.25}


def curve(lux: float) -> float:
    """A camera whose automatic exposure gives up at 10 lx."""
    light = min(lux / 10.0, 1.0)
    return 0.7 * (1.099 * max(light * 0.9, 1e-9) ** 0.45 - 0.099)


def level(lux: float, u: float = 0.01, noise: float = 0.0) -> Level:
    return Level(lux, u * lux, max(curve(lux) + noise, 0.0), 0.001)


def truth() -> float:
    lux = np.geomspace(0.05, 10, 20001)
    return float(np.interp(CRITERION, [curve(x) for x in lux], lux))


def test_the_search_ends_beside_the_thirty_per_cent_and_the_line_between_is_right() -> None:
    found = minimum_illumination(search(lambda step, lux: level(lux), 500.0), exposure="auto")
    assert found.value == pytest.approx(truth(), rel=0.005)
    assert found.u is not None and 0.008 < found.u / found.value < 0.025


def test_coverage_over_drawn_meters_and_noise() -> None:
    """Truth lies within U: the meter's error is drawn within its certificate."""
    draw = np.random.default_rng(6)
    true, covered, errors, stated = truth(), 0, [], []
    for gain in 1 + 0.01 * draw.standard_normal(100):

        def look(step: str, lux: float, gain: float = gain) -> Level:
            return Level(lux * gain, 0.01 * lux, curve(lux) + 0.001 * draw.standard_normal(), 0.001)

        found = minimum_illumination(search(look, 4.0), exposure="auto")
        assert found.expanded_uncertainty is not None
        errors.append(abs(found.value - true))
        stated.append(found.expanded_uncertainty)
        covered += errors[-1] <= stated[-1]
    assert covered >= 91
    assert np.median(stated) <= 1.5 * np.quantile(errors, 0.95)


def test_what_cannot_be_told() -> None:
    with pytest.raises(MeasurementRefused, match="brightest"):
        minimum_illumination([level(0.1)], exposure="")
    bright = minimum_illumination(
        search(lambda step, lux: Level(lux, 0.01 * lux, 0.5, 0.001), 500.0), exposure=""
    )
    assert bright.bound is Bound.UPPER and bright.value < 0.1
    with pytest.raises(MeasurementRefused, match="step by step"):
        minimum_illumination([level(20.0), Level(30.0, 0.3, 0.1, 0.001), level(0.1)], exposure="")


@pytest.mark.timeout(300)
def test_through_light_box_and_lux_meter_within_five_per_cent(tmp_path: Path) -> None:
    camera = camera_file(
        tmp_path / "camera.toml",
        {
            "stream": {"width": 1280, "height": 720, "gop": 10},
            "picture": {"noise_sd": 0.2},  # so little that black does not clip it
            "exposure": EXPOSURE,
            "world": {"initial": {"illuminance_lx": 4.0}},
            "instruments": {
                "light_box": {
                    "kind": "light_box",
                    "transport": "socket",
                    "errors": {"gain": 0.03, "settle_s": 0.2},
                },
                "lux_meter": {"kind": "lux_meter", "transport": "socket", "errors": {"gain": 0.004}},
            },
        },
    )
    scheme_file(
        tmp_path / "scheme.toml",
        {
            "capture": {"seconds": 2.0, "flashes": 0},
            "gate": ["contract"],
            "rows": [{"match": "CAM-09.minimum_illumination"}],
        },
    )
    (tmp_path / "overlay.toml").write_text(OVERLAY, encoding="utf-8")
    (tmp_path / "station.toml").write_text(dark_room(POINTS, start_lx=4.0), encoding="utf-8")
    (tmp_path / "declaration.toml").write_text("[dates]\ndesign = 2025-06-01\n")
    record, options = tmp_path / "record", []
    for name in ("scheme", "station", "overlay", "declaration"):
        options += [f"--{name}", str(tmp_path / f"{name}.toml")]
    with running(camera, tmp_path / "truth.jsonl") as one:
        addresses = {role.upper(): address for role, address in one.instruments.items()}
        done = bench(
            *("run", "--camera", one.onvif, *options, "--out", str(record)),
            env={**one.environment, **addresses, "BENCH_LEASES": os.fspath(tmp_path / "leases")},
        )
        log = one.truth()
    found = findings(record)["picture.minimum_illumination"]
    true = true_minimum(log)
    assert found["value"] == pytest.approx(true, rel=0.05), done.stdout
    assert abs(found["value"] - true) <= Estimate.model_validate(found).expanded_uncertainty
    assert not verify(record)
    results = json.loads((record / "results.json").read_text())
    item = next(i for i in results["items"] if i["row"] == "CAM-09.minimum_illumination")
    assert item["conformity"] == "pass" and len(item["evidence"]) >= 3 * 5


def true_minimum(log: list[dict[str, Any]]) -> float:
    """Lux at which white and black of camcert-1 differ by 30 % of 219 codes, at the longest exposure and the most gain.

    A white of reflectance 1 under 500 lx fills the scale at the file's manual exposure and 0 dB (docs/virtual-camera.md).
    """
    frames = [r["picture"] for r in log if r["kind"] == "frame" and "picture" in r]
    darkest = min(frames, key=lambda f: f["illuminance_lx"])
    assert darkest["exposure_ms"] == pytest.approx(EXPOSURE["max_ms"])
    assert darkest["gain_db"] == pytest.approx(EXPOSURE["max_gain_db"])
    manual_ms = next(r for r in log if r["kind"] == "start")["picture"]["exposure_ms"]
    a_lux = darkest["exposure_ms"] / manual_ms * 10 ** (darkest["gain_db"] / 20) / 500.0
    greys = [grey.reflectance or 0.0 for grey in CHARTS["camcert-1"].greys]

    def excess(lux: float) -> float:
        return signal(lux * a_lux * max(greys)) - signal(lux * a_lux * min(greys)) - CRITERION

    return float(brentq(excess, 1e-3, 1 / a_lux / max(greys)))


def signal(light: float) -> float:
    """ITU-R BT.709-6, 1.2; full at 1."""
    return 4.5 * light if light < 0.018 else 1.099 * min(light, 1.0) ** 0.45 - 0.099
