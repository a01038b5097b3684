"""The declared reference picture: hashed for the plan, put into evidence, refused when changed; a run measures the drift."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from imaging_world import imager, moment
from virtual_world import Camera, bench, findings, scheme_file

from bench.site_view import SiteView, frozen_view, luma_of_png
from standards.declaration import load_declaration
from standards.errors import BadFile, CaptureFault, MeasurementRefused, UsageError

REFERENCE = """[reference]
file = "gate.png"
by = "Li Ming"
on = 2026-03-02
hfov_deg = 60.0
"""
OVERLAY = """[overlay]
name = "site"
who = "Site"
text = "Site contract"
on = 2026-03-02

[[limit]]
row = "LAW-230-10b.coverage"
unit = "%"
upper = 5

[[limit]]
row = "LAW-230-10b.direction"
unit = "deg"
upper = 1
"""
SHIFT = 12.0  # pixels of 640 across


def png(picture: np.ndarray[Any, np.dtype[np.uint8]]) -> bytes:
    done, content = cv2.imencode(".png", picture)
    assert done
    return content.tobytes()


def declared(folder: Path, content: bytes, text: str = REFERENCE) -> tuple[dict[str, Any], Path]:
    (folder / "gate.png").write_bytes(content)
    file = folder / "declaration.toml"
    file.write_text(text)
    return frozen_view(load_declaration(file), file), file


def test_the_plan_holds_the_digest_and_evidence_the_picture(tmp_path: Path) -> None:
    picture = np.arange(64 * 64, dtype=np.uint8).reshape(64, 64)
    found, file = declared(tmp_path, png(picture))
    assert found["reference"]["sha256"] == hashlib.sha256(png(picture)).hexdigest()
    kept: list[bytes] = []
    view = SiteView(found, file, lambda data: kept.append(data) or "sha256:ours", lambda: ("sha256:live",))
    assert np.array_equal(view.picture, picture)
    assert view.evidence() == ("sha256:live", "sha256:ours") and kept == [png(picture)]
    assert json.loads(json.dumps(found)) == found


def test_a_picture_that_was_changed_is_no_reference(tmp_path: Path) -> None:
    found, file = declared(tmp_path, png(np.zeros((64, 64), np.uint8)))
    (tmp_path / "gate.png").write_bytes(png(np.ones((64, 64), np.uint8)))
    with pytest.raises(CaptureFault, match=r"gate\.png is not the picture"):
        SiteView(found, file, str, tuple).picture  # noqa: B018
    with pytest.raises(UsageError, match="give the --declaration"):
        SiteView(found, None, str, tuple).picture  # noqa: B018


def test_what_is_not_declared_is_refused() -> None:
    view = SiteView({}, None, str, tuple)
    with pytest.raises(MeasurementRefused, match=r"add \[reference\]"):
        view.picture  # noqa: B018


@pytest.mark.parametrize(
    ("content", "name", "words"),
    [
        (b"\xff\xd8\xff\xe0 a photograph", "gate.png", "is no PNG picture"),
        (b"\x89PNG\r\n\x1a\n" + bytes(4) + b"IHDR" + bytes([127] * 8), "gate.png", "is no PNG picture"),
        (png(np.zeros((64, 64), np.uint8))[:60], "gate.png", "is no PNG picture"),
        (b"", "gone.png", "is not there"),
        (b"", "../gate.png", "lies outside"),
    ],
)
def test_a_reference_that_is_none(tmp_path: Path, content: bytes, name: str, words: str) -> None:
    with pytest.raises(BadFile, match=words) as caught:
        declared(tmp_path, content, REFERENCE.replace("gate.png", name))
    assert "reference.file" in str(caught.value)


def test_colour_and_depth_are_brought_to_luma() -> None:
    colour = np.zeros((64, 64, 3), np.uint8)
    colour[:] = (10, 200, 30)
    found = luma_of_png(png(colour))
    assert found is not None and found.shape == (64, 64) and abs(int(found[0, 0]) - 128) <= 1
    deep = luma_of_png(png(np.full((64, 64), 40_000, np.uint16)))
    assert deep is not None and abs(int(deep[0, 0]) - 156) <= 1


@pytest.mark.timeout(120)
def test_a_run_measures_how_far_the_view_has_drifted(camera: Callable[..., Camera], tmp_path: Path) -> None:
    reference = imager(640, 360, scene={"chart": "edges", "dx": SHIFT}).frame(moment()).luma
    _, file = declared(tmp_path, png(np.asarray(reference, np.uint8)), REFERENCE)
    (tmp_path / "overlay.toml").write_text(OVERLAY)
    scheme = scheme_file(
        tmp_path / "scheme.toml",
        {
            "capture": {"seconds": 3.0, "flashes": 0},
            "gate": ["mandatory", "contract"],
            "rows": [{"match": "LAW-230-10b*"}],
        },
    )
    small = {"stream": {"width": 640, "height": 360, "bitrate_kbit": 2500}, "scene": {"chart": "edges"}}
    one, record = camera(small), tmp_path / "record"
    done = bench(
        *(
            "run",
            "--scheme",
            str(scheme),
            "--camera",
            one.onvif,
            "--declaration",
            str(file),
            "--out",
            str(record),
        ),
        *("--overlay", str(tmp_path / "overlay.toml")),
        env=one.environment,
    )
    assert (record / "results.json").exists(), done.stderr
    items = {i["row"]: i for i in json.loads((record / "results.json").read_text())["items"]}
    assert items["LAW-230-10b.coverage"]["conformity"] == "pass", done.stderr
    assert items["LAW-230-10b.direction"]["conformity"] == "fail"
    assert items["LAW-230-10b.position"]["execution"] == "not_run"
    found = findings(record)
    focal = 320 / math.tan(math.radians(30))
    for key, truth in (
        ("mounting.coverage_shift", 100 * SHIFT / 640),
        ("mounting.direction_shift", math.degrees(math.atan(SHIFT / focal))),
    ):
        estimate = found[key]
        assert estimate["value"] == pytest.approx(truth, abs=max(3 * estimate["u"], 0.02)), key
    digest = hashlib.sha256((tmp_path / "gate.png").read_bytes()).hexdigest()
    assert f"sha256:{digest}" in items["LAW-230-10b.coverage"]["evidence"]
    assert len(items["LAW-230-10b.coverage"]["evidence"]) > 1
