"""What a verdict stands on, through whole runs: overlays, editions, documents, declared features, risk."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from virtual_world import Camera, bench, bench_here, scheme_file

from reports.found import read_found
from reports.grounds import grounds
from standards.quantity import Origin

OVERLAY = """
[overlay]
name = "lab-2026"
who = "示例检测中心"
text = "GA/T 1127-2025, printed copy no. 17"
on = 2026-03-02

[[limit]]
row = "CAM-11.frame_rate"
unit = "1/s"
lower = 20

[[contract]]
row = "IMG-10.width"
reason_zh = "合同第3条"
"""
DECLARATION = """
[camera]
ptz = true

[dates]
design = 2026-06-01

[[document]]
quantity = "sign.visible"
file = "sign.jpg"
value = true
by = "张三"
on = 2026-11-20

[[document]]
quantity = "document.design_scheme"
file = "scheme.pdf"
value = true
by = "张三"
on = 2026-11-20

[[document]]
quantity = "recording.retention"
file = "search.txt"
oldest = 2026-11-01
started = 2026-11-01
by = "李四"
on = 2026-11-20
"""
ROWS = ("CAM-11.frame_rate", "IMG-10.width", "DECL-ptz", "LAW-230-10a", "LAW-230-15a.design", "LAW-230-19-8a",
        "LAW-230-11*")  # fmt: skip


@pytest.fixture
def world(tmp_path: Path) -> dict[str, Path]:
    """Scheme, overlay, declaration and the papers beside it; the design scheme is not there."""
    rows = [{"match": row} for row in ROWS]
    scheme = scheme_file(
        tmp_path / "grounds.toml",
        {"capture": {"seconds": 4.0, "flashes": 0}, "gate": ["mandatory", "contract"], "rows": rows},
    )
    folder = tmp_path / "papers"
    folder.mkdir()
    (folder / "sign.jpg").write_bytes(b"\xff\xd8 a photograph of the sign")
    (folder / "search.txt").write_text("oldest recording 2026-11-01")
    (folder / "declaration.toml").write_text(DECLARATION, encoding="utf-8")
    (tmp_path / "overlay.toml").write_text(OVERLAY, encoding="utf-8")
    return {
        "scheme": scheme,
        "declaration": folder / "declaration.toml",
        "overlay": tmp_path / "overlay.toml",
    }


def _options(world: dict[str, Path], *names: str) -> list[str]:
    return [part for name in ("scheme", *names) for part in (f"--{name}", str(world[name]))]


def _items(record: Path) -> dict[str, dict[str, Any]]:
    return {item["row"]: item for item in json.loads((record / "results.json").read_text())["items"]}


@pytest.mark.timeout(180)
def test_verdicts_by_overlay_document_and_declaration(
    camera: Callable[..., Camera], world: dict[str, Path], tmp_path: Path
) -> None:
    one, record = camera(), tmp_path / "record"
    options = _options(world, "overlay", "declaration")
    done = bench("run", *options, "--camera", one.onvif, "--out", str(record), env=one.environment)
    assert done.returncode == 1, done.stderr
    items = _items(record)
    shown = {row: (item["conformity"], item["execution"]) for row, item in items.items()}
    assert shown["CAM-11.frame_rate"] == ("pass", "done"), items["CAM-11.frame_rate"]
    assert items["CAM-11.frame_rate"]["evidence_grade"] == "confirmed"
    assert items["CAM-11.frame_rate"]["risk"] == {"kind": "false_acceptance", "probability": 0.0}
    assert (items["IMG-10.width"]["bindingness"], shown["IMG-10.width"][0]) == ("contract", "pass")
    assert shown["DECL-ptz"] == ("fail", "done"), "declared, and the camera has none"
    assert shown["LAW-230-10a"] == ("pass", "done")
    assert items["LAW-230-10a"]["origin"] == "typed"
    assert shown["LAW-230-15a.design"] == ("fail", "done"), "declared, and not there"
    assert items["LAW-230-15a.design"]["reason"] == "declared, and not there"
    assert shown["LAW-230-19-8a"] == ("undecided", "done")
    assert items["LAW-230-19-8a"]["reason"].startswith("not yet mature")
    typed = [f for f in read_found(record).findings if f.origin is Origin.TYPED]
    assert len(typed) == 3 and {f.procedure for f in typed} == {"test_documents.test_document"}
    assert {shown[row] for row in shown if row.startswith("LAW-230-11")} <= {
        (None, "not_run"),
        (None, "not_applicable"),
    }
    results = json.loads((record / "results.json").read_text())
    assert (results["overall"], results["contract"]) == ("does_not_conform", "not_met")
    verified = bench_here("verify", str(record))
    assert verified.returncode == 0, verified.stdout + verified.stderr
    _report_names_them(record)


def _report_names_them(record: Path) -> None:
    """The tables of the report, and the PDF itself."""
    tables = {table.title: str(table.rows) for table in grounds(read_found(record))}
    overlays = next(text for title, text in tables.items() if title.startswith("补充依据"))
    assert "示例检测中心" in overlays and "CAM-11.frame_rate、IMG-10.width" in overlays
    documents = next(text for title, text in tables.items() if title.startswith("提交的文件"))
    assert "张三" in documents and "已申报，未见文件" in documents
    editions = next(text for title, text in tables.items() if title.startswith("标准版本"))
    assert "2026-02-01起实施" in editions
    made = bench_here("report", str(record))
    assert made.returncode == 0, made.stderr
    assert (record / "inspection.pdf").stat().st_size > 50_000


def test_an_overlay_is_in_the_plan_and_its_hash(world: dict[str, Path], tmp_path: Path) -> None:
    plans = {}
    for name, options in (("without", ()), ("with", ("overlay",))):
        file = tmp_path / f"{name}.json"
        made = bench_here(
            "plan",
            *_options(world, "declaration", *options),
            "--camera",
            "onvif://192.0.2.1",
            "--out",
            str(file),
        )
        assert made.returncode == 0, made.stderr
        plans[name] = json.loads(file.read_text()), made.stdout.splitlines()[-1].split()[-1]
    (without, first), (with_it, second) = plans["without"], plans["with"]
    assert first != second
    assert without["overlays"] == []
    assert [(entry["name"], entry["on"]) for entry in with_it["overlays"]] == [("lab-2026", "2026-03-02")]
    reasons = {item["key"]: item["reason"] for item in without["items"]}
    assert reasons["CAM-11.frame_rate"] == "limit unknown: text required"
    assert {i["key"]: i["applicability"] for i in with_it["items"]}["CAM-11.frame_rate"] == "run"
    refused = bench_here("run", "--plan", str(tmp_path / "with.json"), "--out", str(tmp_path / "r"))
    assert refused.returncode == 2 and "other overlays (lab-2026)" in refused.stderr


@pytest.mark.parametrize(
    ("day", "governs", "reason"),
    [
        ("2020-06-01", {"GB/T 28181-2016", "GA/T 1127-2013"}, "in force only from 2023-07-01"),
        ("2024-06-01", {"GB/T 28181-2022", "GA/T 1127-2013"}, "superseded by GB/T 28181-2022 on 2023-07-01"),
        ("2026-06-01", {"GB/T 28181-2022", "GA/T 1127-2025"}, "superseded by GA/T 1127-2025 on 2026-02-01"),
    ],
)
def test_the_date_of_the_product_picks_the_editions(
    day: str, governs: set[str], reason: str, tmp_path: Path
) -> None:
    file = tmp_path / "plan.json"
    made = bench_here(
        *("plan", "--scheme", "vendor_ci", "--camera", "onvif://192.0.2.1", "--date", day, "--out", str(file))
    )
    assert made.returncode == 0, made.stderr
    plan = json.loads(file.read_text())
    families = {e["name"]: e for e in plan["editions"] if e["family"] in ("GB/T 28181", "GA/T 1127")}
    assert {name for name, edition in families.items() if edition["governs"]} == governs
    assert reason in {edition["reason"] for edition in families.values()}
    judged = {i["clause"]["standard"] for i in plan["items"] if i["applicability"] == "run"}
    assert judged & set(families) <= governs


def test_a_document_that_changed_is_a_bench_fault(
    camera: Callable[..., Camera], world: dict[str, Path], tmp_path: Path
) -> None:
    """The plan froze another file: the run says so and judges nothing by it."""
    one, plan, record = camera(), tmp_path / "plan.json", tmp_path / "record"
    options = _options(world, "declaration")
    assert bench_here("plan", *options, "--camera", one.onvif, "--out", str(plan)).returncode == 0
    (world["declaration"].parent / "sign.jpg").write_bytes(b"another photograph")
    bench(
        *("run", "--plan", str(plan), "--camera", one.onvif, *_options(world, "declaration")),
        *("--out", str(record)),
        env=one.environment,
    )
    item = _items(record)["LAW-230-10a"]
    assert (item["execution"], item["conformity"]) == ("bench_fault", None)
    assert "not the file that the plan was made with" in item["reason"]
