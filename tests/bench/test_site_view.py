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
MASK = """
[[mask]]
name = "window of house 12"
x = 0.5
y = 0.4
width = 0.2
height = 0.3
"""
MASKED = {"x": 0.5, "y": 0.4, "width": 0.15, "height": 0.3}  # a quarter of the declared width is left open
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

[[standard]]
name = "Site contract"
title_zh = "现场合同"

[[standard.clause]]
row = "S-1"
title_zh = "隐私遮挡"
title_en = "Privacy mask"
requirement_zh = "遮挡率不低于95%"
requirement_en = "at least 95 % masked"
quantity = "picture.privacy_mask_coverage"
unit = "%"
lower = 95
bindingness = "contract"
evidence = "seen-P"
source = "Site contract"
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
    with pytest.raises(MeasurementRefused, match=r"add \[\[mask\]\]"):
        view.masks  # noqa: B018


def test_the_plan_holds_the_regions_to_be_masked(tmp_path: Path) -> None:
    text = MASK + '[[mask]]\nname = "gable"\npoints = [[0.1, 0.1], [0.3, 0.1], [0.2, 0.3]]\n'
    found, file = declared(tmp_path, b"", text)
    assert json.loads(json.dumps(found)) == found
    window, gable = SiteView(found, file, str, tuple).masks
    assert window.corners == ((0.5, 0.4), (0.7, 0.4), (0.7, 0.7), (0.5, 0.7))
    assert gable.corners == ((0.1, 0.1), (0.3, 0.1), (0.2, 0.3))


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("x = 0.5", "x = 0.9", r"reaches beyond the picture"),
        ("x = 0.5", "x = 1.5", r"mask\[1\]\.x.*less than or equal to 1"),
        ("width = 0.2", "width = 0.004", r"under 0\.01 of the picture.*declare it larger"),
        ("height = 0.3", "", r"needs x, y, width and height, or points"),
        ("height = 0.3", "height = 0.3\npoints = [[0, 0], [0.5, 0], [0, 0.5]]", r"keep one of them"),
        ("height = 0.3", "heigt = 0.3", r"heigt"),
        (
            "x = 0.5\ny = 0.4\nwidth = 0.2\nheight = 0.3",
            "points = [[0, 0], [0.4, 0.4], [0.4, 0], [0, 0.4]]",
            "split it",
        ),
        (
            "x = 0.5\ny = 0.4\nwidth = 0.2\nheight = 0.3",
            "points = [[0.5, 0.1], [0.75, 0.9], [0.1, 0.4], [0.9, 0.4], [0.25, 0.9]]",
            "split it",
        ),
        ("[[mask]]", MASK + "[[mask]]", "two regions"),
        ("[[mask]]", "".join(MASK.replace("12", str(n)) for n in range(20, 36)) + "[[mask]]", "mask"),
    ],
)
def test_a_region_that_is_none(tmp_path: Path, old: str, new: str, words: str) -> None:
    with pytest.raises(BadFile, match=words) as caught:
        declared(tmp_path, b"", MASK.replace(old, new))
    assert "declaration.toml" in str(caught.value)


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
    """Record and items of a run before a camera that has turned, shows a text, seven seconds ahead, and a mask."""
    reference = imager(640, 360, scene={"chart": "edges", "dx": SHIFT}).frame(moment()).luma
    text = REFERENCE + '[osd]\nlabel = "Gate 3"\n' + MASK
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
        "mask": [MASKED],
    }
    one, record = camera(small), folder / "record"
    given = {"--scheme": scheme, "--camera": one.onvif, "--declaration": file, "--out": record,
             "--overlay": folder / "overlay.toml"}  # fmt: skip
    done = bench("run", *(str(word) for pair in given.items() for word in pair), env=one.environment)
    assert (record / "results.json").exists(), done.stderr
    return record, {i["row"]: i for i in json.loads((record / "results.json").read_text())["items"]}


@pytest.mark.timeout(120)
def test_a_run_measures_drift_and_mask_and_reads_the_text(
    camera: Callable[..., Camera], tmp_path: Path
) -> None:
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
    masked = found["picture.privacy_mask_coverage"]
    assert masked["value"] == pytest.approx(75.0, abs=max(3 * masked["u"], 0.1))
    assert items["S-1"]["conformity"] == "fail"
    digest = hashlib.sha256((tmp_path / "gate.png").read_bytes()).hexdigest()
    assert f"sha256:{digest}" in items["LAW-230-10b.coverage"]["evidence"]
    assert len(items["LAW-230-10b.coverage"]["evidence"]) > 1
    assert items["IMG-09.date_time"]["conformity"] == items["IMG-09.identity"]["conformity"] == "pass"
    offset = found["picture.osd_time_offset"]
    assert offset["value"] == pytest.approx(7.0, abs=0.5) and 0.1 < offset["u"] < 0.2
