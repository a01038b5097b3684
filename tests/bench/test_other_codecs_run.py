"""A run on MJPEG and on H.265: which profile is measured, and what MJPEG alone can tell: the camera's own noise."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from virtual_world import bench, camera_file, findings, running, scheme_file

from bench.validate.captures import Proof
from bench.validate.measurers_noise import snr_truth
from standards.quantity import Estimate

pytestmark = pytest.mark.paced

OVERLAY = """
[overlay]
name = "noise"
who = "示例检测中心"
text = "contract 17, annex B"
on = 2026-03-02

[[limit]]
row = "CAM-08"
unit = "dB"
lower = 20

[[contract]]
row = "CAM-08"
reason_zh = "合同附件B"
"""
NOISY = {
    "stream": {"codec": "mjpeg", "quality": 100, "fps": 10, "width": 1280, "height": 720, "gop": 1},
    "sub": {"codec": "h264", "width": 640, "height": 360},
    "picture": {"noise_sd": 3.0, "tone": "bt709"},
    "sensor": {"prnu": 0.005},
    "lens": {"glare": 0.0, "vignetting": 0.05},
    "scene": {"chart": "grey", "fill": 0.88},
}


def run(tmp_path: Path, camera: Any, url: str, rows: list[str]) -> tuple[Any, Path]:
    """One short run of these rows."""
    scheme_file(
        tmp_path / "scheme.toml",
        {
            "capture": {"seconds": 2.2, "flashes": 0},
            "gate": ["contract"],
            "rows": [{"match": row} for row in rows],
        },
    )
    (tmp_path / "overlay.toml").write_text(OVERLAY, encoding="utf-8")
    (tmp_path / "declaration.toml").write_text("[dates]\ndesign = 2025-06-01\n")
    options = []
    for name in ("scheme", "overlay", "declaration"):
        options += [f"--{name}", str(tmp_path / f"{name}.toml")]
    record = tmp_path / "record"
    return bench("run", "--camera", url, *options, "--out", str(record), env=camera.environment), record


@pytest.mark.timeout(120)
def test_the_noise_of_a_camera_is_measured_through_mjpeg(tmp_path: Path) -> None:
    file = camera_file(tmp_path / "camera.toml", NOISY)
    with running(file, tmp_path / "truth.jsonl") as camera:
        done, record = run(tmp_path, camera, camera.onvif, ["CAM-08"])
        log = camera.truth()
    found = findings(record)["picture.snr"]
    start = next(r for r in log if r["kind"] == "start")
    proof = Proof("grey", 0, None, start, start, [r for r in log if r["kind"] == "frame"])  # type: ignore[arg-type]
    true = snr_truth(proof)["picture.snr"]
    expanded = Estimate.model_validate(found).expanded_uncertainty
    assert expanded is not None and expanded < 0.35, done.stdout
    assert abs(found["value"] - true) <= 0.35
    assert found["details"]["codec"] == "mjpeg" and found["details"]["quantiser_step"] == 1.0
    items = {item["row"]: item for item in json.loads((record / "results.json").read_text())["items"]}
    assert items["CAM-08"]["conformity"] == "pass"


@pytest.mark.timeout(120)
def test_a_profile_may_be_named_and_a_wrong_one_is_told(tmp_path: Path) -> None:
    file = camera_file(tmp_path / "camera.toml", NOISY)
    with running(file, tmp_path / "truth.jsonl") as camera:
        wrong = bench(
            "run", "--camera", f"{camera.onvif}/nope", "--out", str(tmp_path / "w"), env=camera.environment
        )
        assert wrong.returncode != 0 and "no profile 'nope'" in wrong.stderr + wrong.stdout
        done, record = run(tmp_path, camera, f"{camera.onvif}/sub", ["CAM-08"])
    assert (record / "results.json").exists(), done.stderr
    assert "stream.h264" in (record / "journal.jsonl").read_text()
