"""The long proof of the edge response: every numeric goal of the metrology notes on edges of known response.

`python tests/validate/edge.py --out DIR` writes DIR/edge.json and prints a line a goal: noise-free edges, noise from 50 to
20 dB on two sizes, the stated standard deviation, a bowed edge, H.264 of 1080p beside a moving texture. Fixed seeds.
"""

from __future__ import annotations

import argparse
import json
import math
import sys
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from av.video.codeccontext import VideoCodecContext
from numpy.typing import NDArray

from bench.measure.edge import EdgeSfr, edge_sfr
from fixtures.simulated.picture.lens import edge_profile, true_mtf
from fixtures.simulated.picture.tone import light_of, signal_of
from standards.errors import MeasurementRefused

Array = NDArray[np.float64]
LOW, HIGH = 0.2, 0.8
SIZES = {"128x96": (128, 96), "64x48": (64, 48)}
_WIDTH, _HEIGHT, _GOP, _GOPS = 1920, 1080, 50, 4
_TILE = (160, 128)  # rows, columns that one of the 32 edges of the coded picture has


@dataclass(frozen=True)
class Goal:
    """One figure against its goal. name: what and where; unit: of value and limit (|value| <= limit)."""

    name: str
    value: float
    limit: float
    unit: str = "%"

    @property
    def met(self) -> bool:
        """Whether the figure lies within its goal."""
        return abs(self.value) <= self.limit


def edge(rows: int, columns: int, angle: float, sigma: float, phase: float, bow: float = 0.0) -> Array:
    """(rows, columns) linear light of an edge `angle` degrees off vertical, bowed by so many pixels."""
    t = math.radians(angle)
    y = np.arange(rows)[:, None] - (rows - 1) / 2
    x = np.arange(columns)[None, :] - (columns - 1) / 2 - phase + bow * (2 * y / rows) ** 2
    distance = x * math.cos(t) + y * math.sin(t)
    return np.asarray(LOW + (HIGH - LOW) * edge_profile(distance, sigma, (math.cos(t), math.sin(t))))


def crossing(level: float, sigma: float, angle: float) -> float:
    """Frequency, cycles a pixel, at which the true response falls to a level; nan beyond 1."""
    f = np.linspace(0, 0.999, 20001)
    below = true_mtf(f, sigma, angle) - level
    return float(np.interp(0.0, -below, f)) if below[-1] < 0 else math.nan


def error(found: EdgeSfr, sigma: float, angle: float) -> tuple[float, float]:
    """Errors of MTF50 and MTF10, %."""
    pairs = ((found.mtf50, 0.5), (found.mtf10, 0.1))
    mtf50, mtf10 = (100 * (value / crossing(level, sigma, angle) - 1) for value, level in pairs)
    return mtf50, mtf10


def noise_free() -> list[Goal]:
    """168 edges: 7 angles of 2 to 15 degrees, sigma 0.3 to 2 pixels, 4 phases."""
    angles, sigmas, phases = (
        (2, 3.5, 5, 7.5, 10, 12.5, 15),
        (0.3, 0.5, 0.7, 1.0, 1.5, 2.0),
        (0.0, 0.21, 0.5, 0.83),
    )
    errors = np.array([
        error(edge_sfr(edge(128, 96, angle, sigma, phase)), sigma, angle)
        for angle in angles for sigma in sigmas for phase in phases
    ])  # fmt: skip
    worst50, worst10 = np.abs(errors[:, 0]).max(), np.nanmax(np.abs(errors[:, 1]))
    bowed = [error(edge_sfr(edge(128, 96, a, 0.7, p, bow=5.0)), 0.7, a)[0] for a in (5, 10) for p in phases]
    return [
        Goal("noise-free MTF50, worst of 168", float(worst50), 0.1),
        Goal("noise-free MTF10, worst of 168", float(worst10), 0.2),
        Goal("bowed by 5 px, MTF50, worst of 8", float(np.max(np.abs(bowed))), 0.5),
    ]


#: size, dB -> goals of scatter and of the 95th percentile of |error|, %.
NOISE: dict[tuple[str, int], tuple[float, float]] = {
    ("128x96", 50): (0.4, 1.0), ("128x96", 40): (0.4, 1.0), ("128x96", 30): (1.3, 2.5), ("128x96", 20): (math.inf, 10.0),
    ("64x48", 40): (0.55, math.inf), ("64x48", 30): (math.inf, math.inf), ("64x48", 20): (math.inf, math.inf),
}  # fmt: skip


def noisy(size: str, decibels: int, draws: int, seed: int) -> Array:
    """(draws, 2): error of MTF50 and stated standard uncertainty, %; 5 and 10 degrees, sigma 0.5 and 0.9."""
    found = []
    rows, columns = SIZES[size]
    for i in range(draws):
        draw = np.random.default_rng([seed, decibels, rows, i])
        angle, sigma = (5.0, 10.0)[i % 2], (0.5, 0.9)[i // 2 % 2]
        roi = edge(rows, columns, angle, sigma, draw.uniform(-0.5, 0.5))
        roi = roi + (HIGH - LOW) / 10 ** (decibels / 20) * draw.standard_normal(roi.shape)
        sfr = edge_sfr(roi)
        found.append((error(sfr, sigma, angle)[0], 100 * sfr.mtf50_u / sfr.mtf50))
    return np.array(found)


def with_noise(draws: int, seed: int) -> list[Goal]:
    """Scatter, 95th percentile and stated standard deviation of each cell; a failure raises."""
    goals = []
    for (size, decibels), (sd, p95) in NOISE.items():
        found = noisy(size, decibels, draws, seed)
        z = float(np.std(found[:, 0] / found[:, 1]))
        name = f"{size}, {decibels} dB"
        goals += [
            Goal(f"{name}: median", float(np.median(found[:, 0])), 1.0),
            Goal(f"{name}: sd", float(np.std(found[:, 0])), sd),
            Goal(f"{name}: 95th percentile", float(np.quantile(np.abs(found[:, 0]), 0.95)), p95),
            Goal(f"{name}: sd over stated, from 1", 100 * (z - 1), 25.0),
        ]
    return goals


def diagonal(side: int, decibels: float, draws: int, seed: int) -> tuple[Array, int]:
    """(edges, 4): errors of MTF50 and MTF10 and their stated standard uncertainties, %; how many were refused.

    30 to 60 degrees, sigma 0.5 to 1.5, all drawn. What is refused lies where distances repeat (45 degrees and 2:3).
    """
    found, refused = [], 0
    for i in range(draws):
        draw = np.random.default_rng([seed, round(decibels), side, 45, i])
        angle, sigma = draw.uniform(30, 60), draw.uniform(0.5, 1.5)
        roi = edge(side, side, angle, sigma, draw.uniform(-1, 1))
        roi = roi + (HIGH - LOW) / 10 ** (decibels / 20) * draw.standard_normal(roi.shape)
        try:
            sfr = edge_sfr(roi)
        except MeasurementRefused:
            refused += 1
            continue
        u = (100 * sfr.mtf50_u / sfr.mtf50, 100 * sfr.mtf10_u / sfr.mtf10)
        found.append((*error(sfr, sigma, angle), *u))
    return np.array(found), refused


def diagonals(draws: int, seed: int) -> list[Goal]:
    """Bias, scatter, stated u and its coverage of edges near 45 degrees."""
    goals = []
    for side in (96, 48):
        for decibels in (100.0, 40.0, 30.0):
            found, refused = diagonal(side, decibels, draws, seed)
            name = f"diagonal {side}x{side}, {decibels:g} dB"
            covered = 100 * float(np.mean(np.abs(found[:, 0]) <= 1.96 * found[:, 2]))
            goals += [
                Goal(f"{name}: MTF50, median", float(np.median(found[:, 0])), 1.0),
                Goal(f"{name}: MTF50, sd", float(np.std(found[:, 0])), math.inf),
                Goal(
                    f"{name}: MTF50, 95th percentile", float(np.quantile(np.abs(found[:, 0]), 0.95)), math.inf
                ),
                Goal(f"{name}: MTF10, median", float(np.nanmedian(found[:, 1])), 2.0),
                Goal(f"{name}: MTF10, sd", float(np.nanstd(found[:, 1])), math.inf),
                Goal(f"{name}: refused", 100 * refused / draws, 15.0),
            ]
            if decibels < 90:  # without noise nothing is stated
                z = float(np.std(found[:, 0] / found[:, 2]))
                goals += [
                    Goal(f"{name}: sd over stated, from 1", 100 * (z - 1), 25.0),
                    Goal(f"{name}: outside U (95 %), from 5", 100 - covered - 5, 3.0),
                ]
    return goals


def _pictures(
    sigma: float, decibels: float, seed: int
) -> Iterator[tuple[NDArray[np.uint8], list[tuple[int, int, float]]]]:
    """1080p luma, BT.709 in 16 to 235, of 32 still edges with fresh noise beside a moving texture; the edges' places."""
    draw = np.random.default_rng([seed, round(100 * sigma), round(decibels)])
    light = np.full((_HEIGHT, _WIDTH), LOW)
    places = []
    for i in range(32):
        top, left = 20 + (i // 8) * (_TILE[0] + 16), 20 + (i % 8) * (_TILE[1] + 16)
        angle = float(draw.uniform(3, 12))
        light[top : top + _TILE[0], left : left + _TILE[1]] = edge(
            *_TILE, angle, sigma, draw.uniform(-0.5, 0.5)
        )
        places.append((top, left, angle))
    texture = draw.uniform(0.05, 0.9, (700, 700))
    sd = (HIGH - LOW) / 10 ** (decibels / 20)
    for number in range(_GOP * _GOPS):
        shown = light + sd * draw.standard_normal(light.shape, dtype=np.float32)
        move = 3 * number % 100
        shown[-540 + 16 :, -600:] = texture[move : move + 524, move : move + 600]
        signal = signal_of(np.clip(shown, 0, 1), "bt709")
        yield np.round(16 + 219 * signal).astype(np.uint8), places


def coded(sigma: float, decibels: float, rate: int, seed: int) -> Array:
    """(groups, 32) errors of MTF50, %, in the last picture of each group of pictures, after H.264."""
    encoder, decoder = av.CodecContext.create("libx264", "w"), av.CodecContext.create("h264", "r")
    assert isinstance(encoder, VideoCodecContext) and isinstance(decoder, VideoCodecContext)
    encoder.width, encoder.height, encoder.pix_fmt = _WIDTH, _HEIGHT, "yuv420p"
    encoder.bit_rate, encoder.time_base, encoder.framerate = rate, Fraction(1, 25), Fraction(25)
    encoder.gop_size, encoder.max_b_frames, encoder.thread_count = _GOP, 0, 1
    kilo = rate // 1000
    limits = f"vbv-maxrate={kilo}:vbv-bufsize={kilo}:scenecut=0:keyint={_GOP}:min-keyint={_GOP}"
    encoder.options = {"preset": "veryfast", "profile": "main", "x264-params": limits}
    chroma = np.full((_HEIGHT // 2, _WIDTH), 128, np.uint8)
    errors: list[float] = []
    shown = 0

    def read(packets: list[av.Packet | None], places: list[tuple[int, int, float]]) -> None:
        nonlocal shown
        for frame in [f for packet in packets for f in decoder.decode(packet)]:
            shown += 1
            if shown % _GOP:
                continue
            light = light_of((frame.to_ndarray()[:_HEIGHT] - 16.0) / 219, "bt709")
            for top, left, angle in places:
                roi = light[top + 16 : top + 144, left + 16 : left + 112]
                errors.append(error(edge_sfr(roi), sigma, angle)[0])

    for number, (luma, places) in enumerate(_pictures(sigma, decibels, seed)):
        frame = av.VideoFrame.from_ndarray(np.vstack([luma, chroma]), "yuv420p")
        frame.pts = number
        read([*encoder.encode(frame)], places)
    read([*encoder.encode(None), None], places)
    return np.array(errors).reshape(-1, 32)


def with_coding(seed: int) -> list[Goal]:
    """4 and 8 Mbit/s at 40 dB, sigma 0.5 and 0.9."""
    goals = []
    for rate in (8_000_000, 4_000_000):
        for sigma in (0.5, 0.9):
            errors = coded(sigma, 40.0, rate, seed)
            name = f"H.264 {rate // 1_000_000} Mbit/s, sigma {sigma}"
            # What is reported is a mean over IDR periods: coding errs alike in all pictures of one.
            several = f"mean of {len(errors)} IDR periods"
            for what, shown, limit in (("one picture", errors, math.inf), (several, errors.mean(0), 1.0)):
                goals.append(Goal(f"{name}, {what}: median", float(np.median(shown)), limit))
                goals.append(Goal(f"{name}, {what}: sd", float(np.std(shown)), limit))
    return goals


def main(seed: int, out: Path, *, draws: int = 1000) -> int:
    """Run all, print a line a figure and write out/edge.json; 0 if every goal is met."""
    out.mkdir(parents=True, exist_ok=True)
    goals = noise_free() + with_noise(draws, seed) + diagonals(draws, seed) + with_coding(seed)
    (out / "edge.json").write_text(json.dumps([{**asdict(g), "met": g.met} for g in goals], indent=1))
    for goal in goals:
        limit = f"goal {goal.limit:g}" if math.isfinite(goal.limit) else "no goal"
        print(f"{goal.name:58} {goal.value:+8.3f} {goal.unit}  {limit:9}  {'met' if goal.met else 'NOT MET'}")
    return 0 if all(goal.met for goal in goals) else 1


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, default=3)
    parser.add_argument("--out", type=Path, default=Path("out/validate"))
    parser.add_argument("--draws", type=int, default=1000)
    chosen = parser.parse_args()
    sys.exit(main(chosen.seed, chosen.out, draws=chosen.draws))
