"""What is declared of the view: a reference that is hashed for the plan, put into evidence, refused when changed; a run
measures the drift, and reads the text in the picture."""

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


def measured(camera: Callable[..., Camera], folder: Path) -> tuple[Path, dict[str, Any]]:
    """Record and items of a run before a camera that has turned and shows a text, seven seconds ahead."""
    reference = imager(640, 360, scene={"chart": "edges", "dx": SHIFT}).frame(moment()).luma
    text = REFERENCE + '[osd]\nlabel = "Gate 3"\n'
    _, file = declared(folder, png(np.asarray(reference, np.uint8)), text)
    (folder / "overlay.toml").write_text(OVERLAY)
    changes = {
        "capture": {"seconds": 3.0, "flashes": 0},
        "gate": ["mandatory", "contract"],
        "rows": [{"match": "LAW-230-10b*"}, {"match": "IMG-09*"}],
    }
    scheme = scheme_file(folder / "scheme.toml", changes)
    small = {
        "stream": {"width": 640, "height": 360, "bitrate_kbit": 2500},
        "scene": {"chart": "edges"},
        "osd": {"show": True, "label": "Gate 3", "height": 0.05, "offset_s": 7.0},
    }
    one, record = camera(small), folder / "record"
    given = {"--scheme": scheme, "--camera": one.onvif, "--declaration": file, "--out": record,
             "--overlay": folder / "overlay.toml"}  # fmt: skip
    done = bench("run", *(str(word) for pair in given.items() for word in pair), env=one.environment)
    assert (record / "results.json").exists(), done.stderr
    return record, {i["row"]: i for i in json.loads((record / "results.json").read_text())["items"]}


@pytest.mark.timeout(120)
def test_a_run_measures_drift_and_reads_the_text(camera: Callable[..., Camera], tmp_path: Path) -> None:
    record, items = measured(camera, tmp_path)
    assert items["LAW-230-10b.coverage"]["conformity"] == "pass"
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
    assert items["IMG-09.date_time"]["conformity"] == items["IMG-09.identity"]["conformity"] == "pass"
    offset = found["picture.osd_time_offset"]
    assert offset["value"] == pytest.approx(7.0, abs=0.5) and 0.1 < offset["u"] < 0.2
