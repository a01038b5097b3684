"""The long proof of the text in the picture: sequences drawn with random time and label, coded and read again.

`python tests/validate/osd.py [--out DIR] [--cases 200] [--first 2000]` writes DIR/osd.jsonl (a row a case, Ctrl-C loses
none: the same command goes on) and prints the counts; four pictures a case. In a tenth no time stands there; the label that
is asked for stands there, or one that differs in one sign, a longer one, another, or none. Fixed seeds. --plot FILE draws
the errors.
"""

from __future__ import annotations

import argparse
import json
import math
import sys
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from fractions import Fraction
from pathlib import Path

import av
import cv2
import matplotlib as mpl
import numpy as np
from av.video.codeccontext import VideoCodecContext
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont
from scipy import ndimage

from bench.measure.osd import osd_time_offset, read_osd, shows_label, shows_time
from standards.errors import MeasurementRefused
from standards.quantity import Estimate

Luma = NDArray[np.uint8]
ROWS, COLUMNS, PICTURES, RATE = 360, 960, 4, 2.5  # PICTURES a case, RATE a second
OWN = ("sans", "uni")
FOREIGN = ("DejaVuSans", "DejaVuSansMono", "DejaVuSans-Bold", "Aileron")
_DRAWN = {"yyyy-mm-dd": "%Y-%m-%d", "yyyy/mm/dd": "%Y/%m/%d", "dd/mm/yyyy": "%d/%m/%Y", "mm/dd/yyyy": "%m/%d/%Y",
          "dd-mm-yyyy": "%d-%m-%Y", "yyyy.mm.dd": "%Y.%m.%d", "yyyy年mm月dd日": "%Y年%m月%d日"}  # fmt: skip


@dataclass(frozen=True)
class Case:
    """What was drawn, and what was found. size: font size, px; crf: of H.264, -1 uncoded; offset, U: s;
    timed: a time stands there; kind, label, drawn: which label does, which was asked for, its text; error: s, nan where
    refused; wrong, unread: pictures whose time was misread, or not read; says_...: 'yes' or 'refused'; lines: as read.
    """

    seed: int
    font: str
    size: int
    style: str
    layout: str
    crf: int
    noise: float
    truth: float
    timed: bool
    kind: str
    label: str
    drawn: str
    error: float
    U: float
    wrong: int
    unread: int
    says_time: str
    says_label: str
    lines: str
    reason: str = ""


def ink_of(text: str, font: str, size: int) -> Luma:
    """Coverage of a text, 0..255, with a margin of 8 pixels."""
    field = np.zeros((3 * size + 16, COLUMNS), np.uint8)
    if font in OWN:
        cv2.putText(field, text, (8, 2 * size), (255,), cv2.FontFace(font), size, 400)
    else:
        folder = Path(mpl.get_data_path()) / "fonts/ttf"
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


LABELS = (
    "渝北001", "CAM-0127", "解放碑步行街3号", "沙坪坝区 三峡广场",
    "Gate 12 North", "500112000013200001", "南大门-球机", "B2车库入口",
)  # fmt: skip
_OTHER = {"1": "7", "2": "3", "3": "8", "7": "4", "A": "R", "t": "f", "北": "南", "街": "桥", "区": "县", "球": "枪",
          "口": "东"}  # fmt: skip


def near_miss(label: str, chance: np.random.Generator) -> str:
    """A label that differs in one sign."""
    places = [n for n, sign in enumerate(label) if sign in _OTHER]
    place = int(chance.choice(places))
    return label[:place] + _OTHER[label[place]] + label[place + 1 :]


def answer(ask: Callable[[], Estimate]) -> str:
    """'yes' or 'refused'."""
    try:
        return "yes" if ask().value is True else "no"
    except MeasurementRefused:
        return "refused"


def labels(chance: np.random.Generator) -> tuple[str, str, str]:
    """What kind of label stands there, which is asked for, and which is drawn."""
    label = str(chance.choice(LABELS))
    kind = str(chance.choice(["right", "right", "near", "longer", "other", "none"]))
    drawn = {"right": label, "near": near_miss(label, chance), "none": "",
             "longer": label + ("2" if label.isascii() else "口"),
             "other": str(chance.choice([one for one in LABELS if one != label]))}[kind]  # fmt: skip
    return kind, label, drawn


def time_text(second: int, layout: str, *, halved: bool) -> str:
    """Date and time as the text shows them; halved: of 12 hours, the half in Chinese before them."""
    when = datetime.fromtimestamp(second, UTC)
    if not halved:
        return f"{when:{_DRAWN[layout]} %H:%M:%S}"
    return f"{when:{_DRAWN[layout]}} {'下午' if when.hour >= 12 else '上午'} {when:%I:%M:%S}"


def case(seed: int) -> Case:
    """Draw one camera's text and read it."""
    chance = np.random.default_rng(seed)
    layout = str(chance.choice(list(_DRAWN)))
    fonts = OWN if "年" in layout else OWN + FOREIGN
    font, size = str(chance.choice(fonts)), int(chance.integers(16, 49))
    style = str(chance.choice(["rim", "rim", "box", "inverse", "sheer"]))
    crf, noise = int(chance.choice([-1, 20, 24, 28, 32])), float(chance.choice([0, 2, 5]))
    truth = float(chance.choice([chance.uniform(-2, 2), chance.uniform(-4000, 4000)]))
    start = float(chance.uniform(1.6e9, 1.95e9))
    times = [start + n / RATE + float(chance.normal(0, 0.002)) for n in range(PICTURES)]
    zone = 480
    shown = [math.floor(t + truth) + zone * 60 for t in times]
    timed, halved = bool(chance.random() < 0.9), font == "uni" and bool(chance.random() < 0.5)
    kind, label, drawn = labels(chance)
    at = (int(chance.integers(4, ROWS // 2 - 20)), int(chance.integers(0, 60)))
    below = (int(chance.integers(ROWS // 2 + 60, ROWS - 3 * size // 2 - 20)), int(chance.integers(0, 300)))
    ground = scene(chance)
    pictures = []
    for second in shown:
        field: NDArray[np.float64] = ground + noise * chance.standard_normal(ground.shape)
        if timed:
            text = time_text(second, layout, halved=halved)
            field = burn(field, text, font, size, style, at).astype(np.float64)
        if drawn:
            field = burn(field, drawn, font if drawn.isascii() else "uni", size, style, below).astype(float)
        pictures.append(np.asarray(np.clip(field + 0.5, 0, 255), np.uint8))
    if crf >= 0:
        pictures = coded(pictures, crf)
    reads = read_osd(pictures, layout)
    wrong = sum(r is not None and r.shown != s for r, s in zip(reads.times, shown, strict=True))
    unread = sum(r is None for r in reads.times) if timed else 0
    head = (seed, font, size, style, layout, crf, noise, truth, timed, kind, label, drawn)
    told = (answer(lambda: shows_time(reads)), answer(lambda: shows_label(reads, label)))
    lines = " | ".join(line.text for line in reads.lines[0])
    try:
        found = osd_time_offset(reads, times, utc_offset_min=zone, clock_u=0.005)
    except MeasurementRefused as error:
        return Case(*head, math.nan, math.nan, wrong, unread, *told, lines, str(error))
    # Limits of what the seconds allow are hard: U is the half width with twice the time's u.
    return Case(*head, float(found.value) - truth, 2 * float(found.u or 0), wrong, unread, *told, lines)


def main(out: Path, cases: int, first: int = 0) -> int:
    """Run the cases that are not there yet, write each when it is done, print the counts; what `summary` returns."""
    out.mkdir(parents=True, exist_ok=True)
    kept = out / "osd.jsonl"
    done = {json.loads(line)["seed"] for line in kept.read_text().splitlines()} if kept.exists() else set()
    left = [number for number in range(first, first + cases) if number not in done]
    with kept.open("a") as rows:
        for at, number in enumerate(left):
            rows.write(json.dumps(asdict(case(number)), ensure_ascii=False) + "\n")
            rows.flush()
            print(f"\r{at + 1} of {len(left)}", end="", file=sys.stderr, flush=True)
    return summary(out)


def plot(out: Path, file: Path) -> None:
    """Errors of the offset with their U, in the order of the letters' size."""
    mpl.use("Agg")
    from matplotlib import pyplot as plt

    found = [Case(**json.loads(line)) for line in (out / "osd.jsonl").read_text().splitlines()]
    measured = sorted((c for c in found if not math.isnan(c.error)), key=lambda c: c.size)
    figure, axis = plt.subplots(figsize=(9, 2.8), constrained_layout=True)
    axis.errorbar(range(len(measured)), [c.error for c in measured], yerr=[c.U for c in measured],
                  fmt=".", markersize=3, linewidth=0.5, color="#1f5f8b")  # fmt: skip
    axis.axhline(0, color="black", linewidth=0.6)
    axis.set(xlabel="case, by the size of the letters (16 to 48 pixels)", ylabel="error, s, with U")
    figure.savefig(file, dpi=80)


def _count(name: str, of: list[Case]) -> None:
    with_time = [c for c in of if c.timed]
    refused, wrong = sum(math.isnan(c.error) for c in with_time), sum(c.wrong for c in of)
    print(f"{name}: {len(with_time)} cases with a time, {refused} refused; {wrong} pictures misread")


def summary(out: Path) -> int:
    """Print what DIR/osd.jsonl holds; 1 where a picture is misread, an answer wrong, or an offset off by over 0.6 s."""
    found = [Case(**json.loads(line)) for line in (out / "osd.jsonl").read_text().splitlines()]
    measured = [c for c in found if not math.isnan(c.error)]
    errors, bounds = np.abs([c.error for c in measured]), np.array([c.U for c in measured])
    print(
        f"cases {len(found)}; pictures unread {sum(c.unread for c in found)} of {PICTURES * sum(c.timed for c in found)}; "
        f"offsets covered {int((errors <= bounds).sum())} of {len(measured)}"
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
    for timed in (True, False):
        _answers(f"time there: {timed}", [c.says_time for c in found if c.timed == timed])
    for kind in ("right", "near", "longer", "other", "none"):
        _answers(f"label {kind}", [c.says_label for c in found if c.kind == kind])
    false = [
        c
        for c in found
        if (c.says_time == "yes" and not c.timed) or (c.says_label == "yes" and c.kind != "right")
    ]
    for one in false:
        print("false answer:", one)
    return int(bool(false) or any(c.wrong for c in found) or bool(len(errors) and errors.max() > 0.6))


def _answers(name: str, told: list[str]) -> None:
    print(f"{name}: {len(told)} cases, " + ", ".join(f"{told.count(a)} {a}" for a in ("yes", "refused")))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=Path("out/validate/osd"))
    parser.add_argument("--cases", type=int, default=200)
    parser.add_argument("--first", type=int, default=2000)
    parser.add_argument("--plot", type=Path)
    given = parser.parse_args()
    code = main(given.out, given.cases, given.first)
    if given.plot is not None:
        plot(given.out, given.plot)
    sys.exit(code)
