"""The long proof of the time in the picture: sequences drawn with random text, coded and read again.

`python tests/validate/osd.py --out DIR --cases 125` writes DIR/osd.jsonl (a row a case) and prints the counts; four pictures
a case. Half the fonts are none that templates are drawn with. Fixed seeds.
"""

from __future__ import annotations

import argparse
import json
import math
import sys
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from fractions import Fraction
from pathlib import Path

import av
import cv2
import matplotlib
import numpy as np
from av.video.codeccontext import VideoCodecContext
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont
from scipy import ndimage

from bench.measure.osd import FORMATS, osd_time_offset, read_times
from standards.errors import MeasurementRefused

Luma = NDArray[np.uint8]
ROWS, COLUMNS, PICTURES, RATE = 360, 960, 4, 2.5  # PICTURES a case, RATE a second
OWN = ("sans", "uni")
FOREIGN = ("DejaVuSans", "DejaVuSansMono", "DejaVuSans-Bold", "Aileron")
_DRAWN = {"yyyy-mm-dd": "%Y-%m-%d", "yyyy/mm/dd": "%Y/%m/%d", "dd/mm/yyyy": "%d/%m/%Y", "mm/dd/yyyy": "%m/%d/%Y",
          "dd-mm-yyyy": "%d-%m-%Y", "yyyy年mm月dd日": "%Y年%m月%d日"}  # fmt: skip


@dataclass(frozen=True)
class Case:
    """What was drawn, and what was found. size: font size, px; crf: of H.264, -1 uncoded; offset, U: s;
    wrong, unread: pictures whose text was misread, or not read; error: s, nan where refused."""

    seed: int
    font: str
    size: int
    style: str
    layout: str
    crf: int
    noise: float
    truth: float
    error: float
    U: float
    wrong: int
    unread: int
    reason: str = ""


def ink_of(text: str, font: str, size: int) -> Luma:
    """Coverage of a text, 0..255, with a margin of 8 pixels."""
    field = np.zeros((3 * size + 16, COLUMNS), np.uint8)
    if font in OWN:
        cv2.putText(field, text, (8, 2 * size), (255,), cv2.FontFace(font), size, 400)
    else:
        folder = Path(matplotlib.get_data_path()) / "fonts/ttf"
        face = (
            ImageFont.load_default(size)
            if font == "Aileron"
            else ImageFont.truetype(folder / f"{font}.ttf", size)
        )
        drawn = Image.new("L", field.shape[::-1])
        ImageDraw.Draw(drawn).text((8, size), text, fill=255, font=face)
        field = np.array(drawn)
    rows, _ = np.nonzero(field)
    return np.asarray(field[max(rows.min() - 8, 0) : rows.max() + 9], np.uint8)


def scene(chance: np.random.Generator) -> NDArray[np.float64]:
    """A picture of soft and hard structure, codes."""
    soft = ndimage.gaussian_filter(chance.standard_normal((ROWS, COLUMNS)), chance.uniform(2, 20))
    field = chance.uniform(30, 210) + chance.uniform(5, 60) * soft / soft.std()
    for _ in range(int(chance.integers(0, 25))):
        y, x = chance.integers(0, ROWS), chance.integers(0, COLUMNS)
        field[y : y + chance.integers(5, 120), x : x + chance.integers(5, 200)] = chance.uniform(16, 235)
    return np.asarray(field)


def burn(
    field: NDArray[np.float64], text: str, font: str, size: int, style: str, at: tuple[int, int]
) -> Luma:
    """A text in a picture: 'rim' light with dark rim, 'inverse' dark with light rim, 'box' on a half-transparent ground,
    'sheer' light at 70 % with rim."""
    ink = ink_of(text, font, size).astype(np.float64) / 255
    reach = 2 * max(1, size // 14) + 1
    rim = cv2.dilate(ink, np.ones((reach, reach)))
    part = field[at[0] : at[0] + ink.shape[0], at[1] :]
    ink, rim = ink[: part.shape[0], : part.shape[1]], rim[: part.shape[0], : part.shape[1]]
    dark, light = (225.0, 20.0) if style == "inverse" else (16.0, 235.0)
    sheer = 0.7 if style == "sheer" else 1.0
    ground = part * (1 - rim) + dark * rim
    if style == "box":
        wide = min(part.shape[1], int(np.flatnonzero(ink.any(0)).max()) + 8)
        ground = part.copy()
        ground[:, :wide] = 0.4 * part[:, :wide] + 0.6 * 16
    out = field.copy()
    out[at[0] : at[0] + ink.shape[0], at[1] :] = ground * (1 - sheer * ink) + light * sheer * ink
    return np.asarray(np.clip(out + 0.5, 0, 255), np.uint8)


def coded(pictures: list[Luma], crf: int) -> list[Luma]:
    """The pictures through H.264 (one GOP) and back."""
    coder = av.CodecContext.create("libx264", "w")
    assert isinstance(coder, VideoCodecContext)
    coder.width, coder.height, coder.pix_fmt = COLUMNS, ROWS, "yuv420p"
    coder.time_base, coder.options = (
        Fraction(1, 25),
        {"crf": str(crf), "preset": "veryfast", "tune": "zerolatency"},
    )
    reader = av.CodecContext.create("h264", "r")
    assert isinstance(reader, VideoCodecContext)
    packets = []
    for number, luma in enumerate(pictures):
        frame = av.VideoFrame.from_ndarray(
            np.vstack([luma, np.full((ROWS // 2, COLUMNS), 128, np.uint8)]), "yuv420p"
        )
        frame.pts = number
        packets += coder.encode(frame)
    packets += coder.encode(None)
    frames = [f for p in packets for f in reader.decode(p)] + reader.decode(None)
    return [f.to_ndarray()[:ROWS].copy() for f in frames]


def case(seed: int) -> Case:
    """Draw one camera's text and read it."""
    chance = np.random.default_rng(seed)
    layout = str(chance.choice(list(FORMATS)))
    fonts = OWN if "年" in layout else OWN + FOREIGN
    font, size = str(chance.choice(fonts)), int(chance.integers(16, 49))
    style = str(chance.choice(["rim", "rim", "box", "inverse", "sheer"]))
    crf, noise = int(chance.choice([-1, 20, 24, 28, 32])), float(chance.choice([0, 2, 5]))
    truth = float(chance.choice([chance.uniform(-2, 2), chance.uniform(-4000, 4000)]))
    start = float(chance.uniform(1.6e9, 1.95e9))
    times = [start + n / RATE + float(chance.normal(0, 0.002)) for n in range(PICTURES)]
    zone = 480
    shown = [math.floor(t + truth) + zone * 60 for t in times]
    at = (int(chance.integers(4, ROWS - 3 * size - 20)), int(chance.integers(0, 60)))
    ground = scene(chance)
    pictures = []
    for second in shown:
        text = f"{datetime.fromtimestamp(second, UTC):{_DRAWN[layout]} %H:%M:%S}"
        pictures.append(
            burn(ground + noise * chance.standard_normal(ground.shape), text, font, size, style, at)
        )
    if crf >= 0:
        pictures = coded(pictures, crf)
    reads = read_times(pictures, layout)
    wrong = sum(r is not None and r.shown != s for r, s in zip(reads, shown, strict=True))
    unread = sum(r is None for r in reads)
    head = (seed, font, size, style, layout, crf, noise, truth)
    try:
        found = osd_time_offset(reads, times, utc_offset_min=zone, time_u=0.005)
    except MeasurementRefused as error:
        return Case(*head, math.nan, math.nan, wrong, unread, str(error))
    # Limits of what the seconds allow are hard: U is the half width with twice the time's u.
    return Case(*head, float(found.value) - truth, 2 * float(found.u or 0), wrong, unread)


def main(out: Path, cases: int, first: int = 0) -> int:
    """Run the cases, write each when it is done, print the counts; what `summary` returns."""
    out.mkdir(parents=True, exist_ok=True)
    with (out / "osd.jsonl").open("w") as rows:
        for number in range(first, first + cases):
            rows.write(json.dumps(asdict(case(number)), ensure_ascii=False) + "\n")
            rows.flush()
    return summary(out)


def _count(name: str, of: list[Case]) -> None:
    refused, wrong = sum(math.isnan(c.error) for c in of), sum(c.wrong for c in of)
    print(f"{name}: {len(of)} cases, {refused} refused; {wrong} pictures misread")


def summary(out: Path) -> int:
    """Print what DIR/osd.jsonl holds; 1 where a picture was misread or an offset is off by more than 0.6 s."""
    found = [Case(**json.loads(line)) for line in (out / "osd.jsonl").read_text().splitlines()]
    cases = len(found)
    measured = [c for c in found if not math.isnan(c.error)]
    errors, bounds = np.abs([c.error for c in measured]), np.array([c.U for c in measured])
    print(
        f"pictures {PICTURES * cases}: unread {sum(c.unread for c in found)}; covered {int((errors <= bounds).sum())}"
    )
    if len(measured):
        print(
            f"error p95 {np.percentile(errors, 95):.3f} s, most {errors.max():.3f} s; median U {np.median(bounds):.3f} s"
        )
    _count("all", found)
    for name in ("font", "style", "layout"):
        for value in sorted({getattr(c, name) for c in found}):
            _count(f"{name} {value}", [c for c in found if getattr(c, name) == value])
    for low, high in ((16, 24), (25, 36), (37, 48)):
        _count(f"size {low} to {high}", [c for c in found if low <= c.size <= high])
    return int(any(c.wrong for c in found) or bool((errors > 0.6).any()))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--cases", type=int, default=125)
    parser.add_argument("--first", type=int, default=0)
    given = parser.parse_args()
    sys.exit(main(given.out, given.cases, given.first))
