"""`bench edge`: what a picture file's slanted edge resolves, region by hand, against the closed form; and every refusal."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from click.testing import CliRunner
from numpy.typing import NDArray

from bench.cli import main
from fixtures.simulated.picture.lens import edge_profile, falls_to, true_mtf

SIGMA, ANGLE = 0.9, 5.0
REGION = "40,30,128,96"


def picture(low: float = 0.15, high: float = 0.6, angle: float = ANGLE) -> NDArray[np.float64]:
    """(160, 240) linear light: one edge through the middle of REGION."""
    y, x = np.mgrid[:160, :240].astype(np.float64)
    turn = np.radians(angle)
    away = (x - 104) * np.cos(turn) + (y - 78) * np.sin(turn)
    return np.asarray(
        low + (high - low) * edge_profile(away, SIGMA, (float(np.cos(turn)), float(np.sin(turn))))
    )


def saved(path: Path, light: NDArray[np.float64], bits: int = 8) -> Path:
    """As linear codes; noise below one code, so that rounding leaves no steps."""
    top = 255 if bits == 8 else 65535
    noisy = light + np.random.default_rng(1).normal(0, 0.5 / 255, light.shape)
    codes = np.clip(np.rint(noisy * top), 0, top)
    assert cv2.imwrite(str(path), codes.astype(np.uint8 if bits == 8 else np.uint16))
    return path


def run(*arguments: str) -> tuple[int, str]:
    done = CliRunner().invoke(main, ["edge", *arguments])
    assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
    return done.exit_code, done.output + done.stderr


def told(*arguments: str) -> list[dict[str, Any]]:
    code, text = run(*arguments, "--json")
    assert code in (0, 3), text
    found: list[dict[str, Any]] = json.loads(text)
    return found


@pytest.mark.parametrize(("bits", "name"), [(8, "a.png"), (16, "a.png"), (16, "a.tiff"), (8, "a.bmp")])
def test_both_modes_agree_with_the_closed_form(bits: int, name: str, tmp_path: Path) -> None:
    (one,) = told(str(saved(tmp_path / name, picture(), bits)), "--region", REGION, "--curve", "linear")
    for level, key in ((0.5, "mtf50"), (0.1, "mtf10")):
        true = falls_to(level, lambda f: true_mtf(f, SIGMA, ANGLE))
        assert one[key] == pytest.approx(true, rel=0.01)
        assert one[f"{key}_lwph"] == pytest.approx(2 * 160 * one[key], rel=1e-3)
        assert 0 < one[f"{key}_u"] < 0.01 * true
    assert one["iso_mtf50"] == pytest.approx(one["mtf50"], rel=0.03)
    assert one["angle_deg"] == pytest.approx(ANGLE, abs=0.05)
    assert one["contrast"] == pytest.approx(4.0, rel=0.03)
    assert one["sampling_efficiency"] == pytest.approx(min(one["mtf10"] / 0.5, 1) * 100, abs=0.1)
    assert one["refused"] == "" and one["region"] == [40, 30, 128, 96]


def test_curve_gamma_and_oecf_say_how_codes_become_light(tmp_path: Path) -> None:
    light = picture()
    file = saved(tmp_path / "power.png", light ** (1 / 2.2), 16)
    curve = tmp_path / "oecf.csv"
    points = np.linspace(0.05, 0.95, 30)
    rows = "".join(f"{65535 * p},{p**2.2}\n" for p in points)
    curve.write_text("# code, light\n" + rows)
    plain = told(str(saved(tmp_path / "linear.png", light, 16)), "--region", REGION, "--curve", "linear")[0]
    for choice in (("--gamma", "2.2"), ("--oecf", str(curve))):
        assert told(str(file), "--region", REGION, *choice)[0]["mtf10"] == pytest.approx(
            plain["mtf10"], rel=0.01
        )
    assert told(str(file), "--region", REGION, "--curve", "linear")[0]["mtf10"] != pytest.approx(
        plain["mtf10"], rel=0.01
    )


@pytest.mark.parametrize(
    ("light", "region", "words"),
    [
        (picture(), "150,30,128,96", "outside"),
        (picture(), "-4,30,128,96", "outside"),
        (picture(), "90,60,20,20", "too small"),
        (picture(high=1.4), REGION, "clipped"),
        (picture(low=0.5, high=0.6), REGION, "contrast"),
        (picture(low=0.4, high=0.4), REGION, "no edge"),
        (picture(angle=22.0), REGION, "tilt"),
        (picture(angle=0.3), REGION, "turn the chart"),
    ],
)
def test_every_refusal_names_its_reason(
    light: NDArray[np.float64], region: str, words: str, tmp_path: Path
) -> None:
    file = saved(tmp_path / "a.png", light, 16)
    both = told(str(file), "--region", region, "--curve", "linear")
    assert words in both[0]["refused"] and both[0]["mtf50"] is None
    code, text = run(str(file), "--region", region, "--curve", "linear")
    assert code == 3 and "refused" in text


def test_a_refused_region_stops_no_other(tmp_path: Path) -> None:
    file = saved(tmp_path / "a.png", picture())
    found = told(str(file), "--region", "0,0,10,10", "--region", REGION, "--curve", "linear")
    assert found[0]["refused"] and found[1]["mtf50"] > 0


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ([], "--region"),
        (["--region", "1,2,3"], "X,Y,W,H"),
        (["--region", REGION, "--gamma", "2", "--oecf", "oecf.csv"], "give one"),
    ],
)
def test_mistakes_are_named_with_their_mend(arguments: list[str], words: str, tmp_path: Path) -> None:
    file = saved(tmp_path / "a.png", picture())
    (tmp_path / "oecf.csv").write_text("0,0\n")
    arguments = [str(tmp_path / a) if a.endswith(".csv") else a for a in arguments]
    code, text = run(str(file), *arguments)
    assert code == 2 and words in text and "Mend" in text


@pytest.mark.parametrize("content", [b"", b"\x89PNG\r\n\x1a\n" + bytes(40), b"no picture", b"BM" + bytes(60)])
def test_a_file_that_is_no_picture_is_a_usage_error(content: bytes, tmp_path: Path) -> None:
    file = tmp_path / "a.png"
    file.write_bytes(content)
    code, text = run(str(file), "--region", REGION)
    assert code == 2 and "a.png" in text and "Traceback" not in text


def test_a_picture_cut_short_is_a_usage_error_or_read(tmp_path: Path) -> None:
    file = saved(tmp_path / "a.png", picture())
    file.write_bytes(file.read_bytes()[:2000])
    code, text = run(str(file), "--region", REGION)
    assert code in (2, 3) and "Traceback" not in text


def test_a_bad_oecf_names_file_and_mend(tmp_path: Path) -> None:
    file, curve = saved(tmp_path / "a.png", picture()), tmp_path / "oecf.csv"
    for content in ("1,2\n", "a,b\n", "1,2\n2,1\n3,4\n4,5\n", "1\n"):
        curve.write_text(content)
        code, text = run(str(file), "--region", REGION, "--oecf", str(curve))
        assert code == 2 and "oecf.csv" in text
