"""What a person sees: clear errors with their mend, exit codes, machine-readable output."""

from __future__ import annotations

import json
import signal
import socket
import subprocess
import sys
import time
import tomllib
from collections.abc import Callable
from pathlib import Path

import pytest
from virtual_world import ROOT, STATION, Camera, bench, bench_here, toml_text

SECRET = "camcert-sim"


def test_help_teaches() -> None:
    done = bench("--help")
    assert done.returncode == 0
    for word in ("bench demo", "BENCH_CAMERA_PASSWORD", "Exit codes", "verify", "chart", "doctor"):
        assert word in done.stdout


@pytest.mark.parametrize(
    ("arguments", "words", "code"),
    [
        (["run"], ["--camera"], 2),
        (["run", "--camera", "onvif://a:b@127.0.0.1"], ["$BENCH_CAMERA_PASSWORD"], 2),
        (["run", "--camera", "http://127.0.0.1"], ["onvif://"], 2),
        (["run", "--camera", "onvif://127.0.0.1", "--scheme", "aceptance"], ["aceptance", "acceptance"], 2),
        (["run", "--camera", "onvif://127.0.0.1", "--resume"], ["--out"], 2),
        (["chart", "nothing", "--out", "x.png"], ["camcert-1"], 2),
        (["verify", "/no/such/record"], ["/no/such/record"], 2),
    ],
)
def test_mistakes_are_named_with_their_mend(arguments: list[str], words: list[str], code: int) -> None:
    done = bench_here(*arguments)
    assert done.returncode == code
    for word in words:
        assert word in done.stderr


def test_an_unreachable_camera(tmp_path: Path) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    done = bench("run", "--camera", f"onvif://127.0.0.1:{port}", "--out", str(tmp_path / "r"))
    assert done.returncode == 3 and "Mend" in done.stderr and str(port) in done.stderr


def test_unknown_keys_in_each_file(tmp_path: Path) -> None:
    for name, option in (("station", "--station"), ("declaration", "--declaration"), ("scheme", "--scheme")):
        file = tmp_path / f"{name}.toml"
        file.write_text('colour = "red"\n')
        options = (option, str(file), "--out", str(tmp_path / "r"))
        done = bench_here("run", "--camera", "onvif://127.0.0.1", *options)
        assert done.returncode == 2, done.stderr
        assert "colour" in done.stderr and str(file) in done.stderr and "Mend" in done.stderr
    assert not (tmp_path / "r").exists()


def test_wrong_password_costs_one_attempt_and_no_secret(
    camera: Callable[..., Camera], short_scheme: Callable[..., Path], tmp_path: Path
) -> None:
    one = camera()
    wrong = {**one.environment, "BENCH_CAMERA_PASSWORD": "not-the-password"}
    for number, url in enumerate((one.onvif, one.rtsp)):
        record = tmp_path / f"record-{number}"
        done = bench("run", "--scheme", str(short_scheme()), "--camera", url, "--out", str(record), env=wrong)
        assert done.returncode == 3 and "refused" in done.stderr and "password" in done.stderr
        written = b"".join(p.read_bytes() for p in record.rglob("*") if p.is_file())
        assert b"not-the-password" not in written and "not-the-password" not in done.stderr


@pytest.mark.timeout(90)
def test_no_video_is_said(
    camera: Callable[..., Camera], short_scheme: Callable[..., Path], tmp_path: Path
) -> None:
    """A camera that answers everything and sends no picture."""
    one = camera(
        {"stream": {"width": 640, "height": 360}, "fault": [{"kind": "gap", "at_s": 0.0, "seconds": 3600.0}]}
    )
    record = tmp_path / "record"
    done = bench(
        "run",
        "--scheme",
        str(short_scheme()),
        "--camera",
        one.onvif,
        "--out",
        str(record),
        env=one.environment,
    )
    assert done.returncode == 3, done.stderr
    assert "no RTP packet" in done.stderr or "no video" in done.stderr


def test_expired_calibration(
    camera: Callable[..., Camera], short_scheme: Callable[..., Path], tmp_path: Path
) -> None:
    one = camera()
    table = tomllib.loads(STATION.read_text())
    table["instruments"]["flash_lamp"]["calibration"][0]["due"] = table["instruments"]["flash_lamp"][
        "calibration"
    ][0]["issued"]
    lamp = table.pop("instruments")["flash_lamp"]
    certificate = lamp.pop("calibration")[0]
    text = toml_text(table) + toml_text({"instruments.flash_lamp": lamp})
    text += toml_text({"instruments.flash_lamp.calibration": [certificate]})
    station = tmp_path / "station.toml"
    station.write_text(text)
    done = bench(
        *("run", "--scheme", str(short_scheme()), "--camera", one.onvif, "--station", str(station)),
        *("--out", str(tmp_path / "record")),
        env=one.environment,
    )
    assert done.returncode == 3 and "SIM-CAL-001" in done.stderr and "Mend" in done.stderr


@pytest.mark.timeout(120)
def test_json_resume_guard_and_plan_file(
    camera: Callable[..., Camera], short_scheme: Callable[..., Path], tmp_path: Path
) -> None:
    one, record, plan = camera(), tmp_path / "record", tmp_path / "plan.json"
    scheme = short_scheme(seconds=4.0)
    made = bench_here(
        "plan", "--scheme", str(scheme), "--camera", one.onvif, "--out", str(plan), env=one.environment
    )
    assert made.returncode == 0 and "sha256" in made.stdout
    done = bench(
        *("run", "--plan", str(plan), "--scheme", str(scheme), "--camera", one.onvif),
        *("--out", str(record), "--json"),
        env=one.environment,
    )
    results = json.loads(done.stdout)
    assert results["schema"] == "camcert/results/1"
    assert results["run"]["plan_sha256"] in made.stdout
    assert results["run"]["origin"] == "simulated", "the stream says that it is simulated"
    lines = [json.loads(line) for line in (record / "journal.jsonl").read_text().splitlines()]
    around = [e["data"] for e in lines if e["kind"] == "environment"]
    assert [data["when"] for data in around] == ["start", "end"]
    assert all((d["stream"]["exposure"], d["stream"]["exposure_ms"]) == ("manual", 10.0) for d in around)
    again = bench_here(
        "run", "--scheme", str(scheme), "--camera", one.onvif, "--out", str(record), env=one.environment
    )
    assert again.returncode == 2 and "--resume" in again.stderr
    other = bench_here(
        "run",
        "--scheme",
        "acceptance",
        "--camera",
        one.onvif,
        "--out",
        str(record),
        "--resume",
        env=one.environment,
    )
    assert other.returncode == 2 and "another plan" in other.stderr and "scheme" in other.stderr


def test_discover_finds_the_virtual_camera(camera: Callable[..., Camera]) -> None:
    one = camera()
    found = json.loads(bench("discover", "--seconds", "1.5", "--json").stdout)
    assert one.onvif.replace("admin@", "") in [f["url"] for f in found]


def test_chart_is_drawn(tmp_path: Path) -> None:
    for kind, magic in (("png", b"\x89PNG"), ("svg", b"<"), ("pdf", b"%PDF")):
        file = tmp_path / f"chart.{kind}"
        assert bench_here("chart", "camcert-1", "--out", str(file)).returncode == 0
        assert file.read_bytes().startswith(magic)


def test_doctor_says_what_it_saw() -> None:
    done = bench("doctor", "--json")
    checks = {c["check"]: c for c in json.loads(done.stdout)}
    assert checks["decoder h264"]["ok"] and checks["kernel receive times"]["ok"] and checks["catalogue"]["ok"]


def test_a_plan_is_held_against_camera_and_catalogue(tmp_path: Path) -> None:
    """A plan made for one camera certifies no other; an edited one none at all."""
    plan = tmp_path / "plan.json"
    made = bench_here("plan", "--scheme", "acceptance", "--camera", "onvif://127.0.0.1:9", "--out", str(plan))
    assert made.returncode == 0
    other = bench_here(
        "run", "--plan", str(plan), "--camera", "onvif://127.0.0.1:10", "--out", str(tmp_path / "a")
    )
    assert other.returncode == 2 and "made for onvif://127.0.0.1:9" in other.stderr
    edited = json.loads(plan.read_text())
    law = next(i for i in edited["items"] if i["key"] == "LAW-230-19-7")
    law["minimum_s"] = 1.0
    plan.write_text(json.dumps(edited))
    refused = bench_here(
        "run", "--plan", str(plan), "--camera", "onvif://127.0.0.1:9", "--out", str(tmp_path / "b")
    )
    assert refused.returncode == 2 and "LAW-230-19-7" in refused.stderr
    plan.write_text("{}")
    broken = bench_here(
        "run", "--plan", str(plan), "--camera", "onvif://127.0.0.1:9", "--out", str(tmp_path / "c")
    )
    assert broken.returncode == 2 and "Mend" in broken.stderr


def test_a_password_in_the_query_is_refused(tmp_path: Path) -> None:
    url = "rtsp://127.0.0.1:9/x?user=a&password=SECRETPW"
    done = bench("run", "--camera", url, "--out", str(tmp_path / "r"))
    assert done.returncode == 2 and "SECRETPW" not in done.stderr and not (tmp_path / "r").exists()


@pytest.mark.timeout(90)
def test_a_bench_that_stood_still_blames_itself(
    camera: Callable[..., Camera], short_scheme: Callable[..., Path], tmp_path: Path
) -> None:
    """SIGSTOP for two seconds: a bench fault, never an interruption of the camera's."""
    one, record = camera(), tmp_path / "record"
    process = subprocess.Popen(
        [
            *(sys.executable, "-m", "bench.cli", "run", "--scheme", str(short_scheme(seconds=8.0))),
            *("--camera", one.onvif, "--out", str(record)),
        ],
        cwd=ROOT,
        env=one.environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    while (
        not (record / "journal.jsonl").exists()
        or b'"capturing"' not in (record / "journal.jsonl").read_bytes()
    ):
        assert process.poll() is None
        time.sleep(0.05)
    time.sleep(3.0)
    process.send_signal(signal.SIGSTOP)
    time.sleep(2.0)
    process.send_signal(signal.SIGCONT)
    assert process.wait(timeout=60) == 3
    items = json.loads((record / "results.json").read_text())["items"]
    assert not [i for i in items if i["conformity"] in ("fail", "conditional_fail")]
    assert [i for i in items if i["execution"] == "bench_fault"]
