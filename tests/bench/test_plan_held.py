"""A plan made before is run only as it was made; the camera and the day are what they are called."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from bench import calendar_day
from bench.calendar_day import beijing_today
from bench.camera.address import CameraUrl
from bench.lease import lease_file
from bench.plan import make_plan, read_plan_file
from reports.folder import json_text
from standards.errors import BadFile, PlanMismatch

CAMERA = CameraUrl.parse("onvif://192.0.2.1")


@pytest.fixture
def plan(tmp_path: Path) -> Path:
    file = tmp_path / "plan.json"
    made = make_plan(scheme="vendor_ci", camera=CAMERA)
    file.write_bytes(json_text(made.model_dump(mode="json")))
    return file


def test_an_unedited_plan_is_taken(plan: Path) -> None:
    assert read_plan_file(plan, CAMERA, None).scheme == "vendor_ci"


def _without(row: str) -> Callable[[dict[str, Any]], None]:
    def edit(plain: dict[str, Any]) -> None:
        plain["items"] = [item for item in plain["items"] if item["key"] != row]

    return edit


def _item(key: str, **changes: Any) -> Callable[[dict[str, Any]], None]:
    def edit(plain: dict[str, Any]) -> None:
        next(item for item in plain["items"] if item["key"] == key).update(changes)

    return edit


@pytest.mark.parametrize(
    ("edit", "words"),
    [
        (_without("NET-07"), "NET-07"),
        (_item("NET-07", applicability="not_applicable"), "NET-07"),
        (_item("NET-07", in_scope=False), "NET-07"),
        (lambda plain: plain["items"].append(plain["items"][0]), "LAW-230-19-6|not as"),
        (lambda plain: plain["items"].clear(), "CAM-01.hd, .* not as"),
        (lambda plain: plain.update(interruption_s=9999.0), "interruption_s"),
        (lambda plain: plain["capture"].update(seconds=21.0), "capture"),
        (lambda plain: plain.update(gate=["contract"]), "gate"),
        (lambda plain: plain.update(origin="simulated"), "origin"),
        (lambda plain: plain.update(evidence_accepted=["memory?"]), "evidence_accepted"),
        (lambda plain: plain.update(display_delay_s=0.0), "display_delay_s"),
        (lambda plain: plain.update(scheme="mine"), "give its file with --scheme"),
    ],
)
def test_an_edited_plan_is_refused(plan: Path, edit: Callable[[dict[str, Any]], None], words: str) -> None:
    plain = json.loads(plan.read_text())
    edit(plain)
    plan.write_text(json.dumps(plain))
    with pytest.raises(PlanMismatch, match=words):
        read_plan_file(plan, CAMERA, None)


def test_a_chart_that_the_bench_cannot_read_is_refused(tmp_path: Path) -> None:
    station = tmp_path / "station.toml"
    station.write_text(
        '[station]\nname = "s"\nlaboratory = "l"\norigin = "real"\n\n[chart]\nname = "camcert-77"\n'
    )
    with pytest.raises(BadFile, match=r"chart.name: no chart 'camcert-77'. Mend: use one of camcert-1"):
        make_plan(scheme="vendor_ci", camera=CAMERA, station=station)


def test_one_camera_has_one_lease_whatever_it_is_called() -> None:
    ways = ("onvif://a@192.0.2.7:80", "rtsp://b@192.0.2.7:554/main", "onvif://192.0.2.7")
    assert len({lease_file(CameraUrl.parse(way)) for way in ways}) == 1
    beside = {lease_file(CameraUrl.parse(f"rtsp://127.0.0.1:{port}/main")) for port in (5541, 5542)}
    assert len(beside) == 2, "virtual cameras stand side by side"
    assert lease_file(CameraUrl.parse("rtsp://localhost:5541/x")) in beside


def test_the_day_is_beijings(monkeypatch: pytest.MonkeyPatch) -> None:
    class Evening(datetime):
        @classmethod
        def now(cls, tz: Any = None) -> datetime:
            return datetime(2026, 1, 31, 16, 30, tzinfo=UTC).astimezone(tz)

    monkeypatch.setattr(calendar_day, "datetime", Evening)
    assert beijing_today().isoformat() == "2026-02-01"
