"""The long proof of resolution: the whole chain against known truth, over randomised conditions.

A plain script: `main(seed, out)` draws cases, measures each, and writes one JSON file. It resumes: a case
that stands in the file already is not run again. The table compares bias and scatter with the U claimed.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from av.video.codeccontext import VideoCodecContext
from numpy.typing import NDArray

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))
from drawn_scene import Placement, Scene

from bench.measure.chart_view import locate
from bench.measure.resolution import resolution
from fixtures.charts import CHARTS
from standards.errors import MeasurementRefused
from standards.quantity import Estimate

_CASES_A_GROUP = 40
_SIZES = ((640, 360), (1280, 720), (1920, 1080))
_RATES = (0, 8_000_000, 4_000_000)  # bit/s; 0: not encoded
_LEAST_COVERAGE = 0.90  # of 40 at 95 %: fewer than 36 has a chance below 2 %
#: MTF50 uncompressed, %: within this, in this share of the cases (at 360p an edge has few pixels for its noise).
_GOAL, _WITHIN = 1.0, {360: 0.95, 720: 1.0, 1080: 1.0}
_PICTURES, _GOP = 5, 12
_LEFT, _RIGHT = "edge.centre.left", "edge.centre.right"


@dataclass(frozen=True)
class Case:
    """One drawn condition. noise_sd: of the chart's paper, code units."""

    key: str
    width: int
    height: int
    rate: int
    sigma: float
    noise_sd: float
    tone: str
    rotation_deg: float
    dx: float
    dy: float
    seed: int


def cases(seed: int, each: int) -> Iterator[Case]:
    """The conditions, group by group: every size at every rate."""
    for width, height in _SIZES:
        for rate in _RATES:
            for i in range(each):
                key = f"{seed}/{height}/{rate // 1000}/{i}"
                draw = np.random.default_rng([seed, height, rate // 1000, i])
                yield Case(
                    key=key,
                    width=width,
                    height=height,
                    rate=rate,
                    sigma=float(draw.uniform(0.4, 2.0)),
                    noise_sd=float(draw.uniform(0.5, 2.0)),
                    tone=str(draw.choice(["bt709", "linear"])),
                    rotation_deg=float(draw.uniform(-2.5, 2.5)),
                    dx=float(draw.uniform(-4, 4)),
                    dy=float(draw.uniform(-4, 4)),
                    seed=int(draw.integers(2**31)),
                )


def _encoder(case: Case) -> VideoCodecContext:
    encoder = av.CodecContext.create("libx264", "w")
    assert isinstance(encoder, VideoCodecContext)
    encoder.width, encoder.height, encoder.pix_fmt = case.width, case.height, "yuv420p"
    encoder.bit_rate, encoder.time_base, encoder.framerate = case.rate, Fraction(1, 25), Fraction(25)
    encoder.gop_size, encoder.max_b_frames = _GOP, 0
    kilo = case.rate // 1000
    limits = f"vbv-maxrate={kilo}:vbv-bufsize={kilo}:scenecut=0:keyint={_GOP}:min-keyint={_GOP}"
    encoder.thread_count = 1  # more threads code differently from run to run
    encoder.options = {"preset": "veryfast", "profile": "main", "x264-params": limits}
    return encoder


def pictures(case: Case, scene: Scene) -> list[NDArray[np.uint8]]:
    """Pictures as the bench would keep them: the last of each GOP, or plain ones where not encoded."""
    if case.rate == 0:
        return [scene.render(counter=4 * i, lamp=0.0) for i in range(_PICTURES)]
    encoder, decoder = _encoder(case), av.CodecContext.create("h264", "r")
    assert isinstance(decoder, VideoCodecContext)
    chroma = np.full((case.height // 2, case.width), 128, np.uint8)
    packets = []
    for i in range(_PICTURES * _GOP):
        luma = scene.render(counter=4 * i, lamp=0.0)
        frame = av.VideoFrame.from_ndarray(np.vstack([luma, chroma]), "yuv420p")
        frame.pts = i
        packets.extend(encoder.encode(frame))
    packets.extend(encoder.encode(None))
    frames = [frame for packet in [*packets, None] for frame in decoder.decode(packet)]
    return [frame.to_ndarray()[: case.height].astype(np.uint8) for frame in frames[_GOP - 1 :: _GOP]]


def _error(estimate: Estimate, truth: float) -> dict[str, float]:
    """Relative error and claimed expanded uncertainty, %."""
    assert isinstance(estimate.value, float)
    assert estimate.expanded_uncertainty is not None
    return {
        "error": 100 * (estimate.value / truth - 1),
        "U": 100 * estimate.expanded_uncertainty / truth,
    }


def measure(case: Case) -> dict[str, object]:
    """Run one case; errors in %."""
    placement = Placement(fill=0.93, dx=case.dx, dy=case.dy, rotation_deg=case.rotation_deg)
    # A camera file states noise at a reflectance of 0.18. Shot noise is twice as large on paper of 0.72; the curve of
    # BT.709 takes that back, a linear one does not.
    noise_sd = case.noise_sd * (0.5 if case.tone == "linear" else 1.0)
    scene = Scene(
        width=case.width, height=case.height, blur_sigma_px=case.sigma, noise_sd=noise_sd,
        tone=case.tone, seed=case.seed, placement=placement,
    )  # fmt: skip
    shown = pictures(case, scene)
    truth = scene.truth["edges"][_LEFT]
    try:
        centre, ratio = resolution(shown, locate(shown[0], CHARTS["camcert-1"]))
    except MeasurementRefused as refused:
        return {**asdict(case), "refused": str(refused)}
    edges = centre.details["edges"]
    mtf50 = float(np.mean([edges[name]["mtf50"] for name in (_LEFT, _RIGHT)]))
    lines = 2 * case.height * min(truth["mtf10"], 0.5)
    return {
        **asdict(case),
        "mtf50_error": 100 * (mtf50 / truth["mtf50"] - 1),
        "centre": _error(centre, lines),
        "ratio": _error(ratio, 100.0),
        "capped": truth["mtf10"] > 0.5,
    }


def _line(name: str, found: list[dict[str, float]]) -> tuple[str, float]:
    errors, claimed = (np.array([f[key] for f in found]) for key in ("error", "U"))
    covered = float(np.mean(np.abs(errors) <= claimed))
    spread = f"bias {np.mean(errors):+6.2f}  sd {np.std(errors):5.2f}  U {np.median(claimed):5.2f}"
    return f"{name:8} {spread}  covered {100 * covered:4.0f} %", covered


def table(results: list[dict[str, object]]) -> tuple[list[str], bool]:
    """The table's lines, and whether every group is covered as claimed and MTF50 within its goal."""
    lines, good = [], True
    for height in sorted({int(str(r["height"])) for r in results}):
        for rate in _RATES:
            group = [r for r in results if r["height"] == height and r["rate"] == rate]
            done: list[dict[str, object]] = [r for r in group if "refused" not in r]
            if not done:
                continue
            mtf50 = np.array([float(str(r["mtf50_error"])) for r in done])
            name = f"{height}p {'raw' if rate == 0 else f'{rate // 1_000_000} Mbit/s'}"
            lines.append(
                f"{name}: {len(done)} cases, {len(group) - len(done)} refused; MTF50 % median "
                f"{np.median(mtf50):+.2f}  sd {np.std(mtf50):.2f}  max {np.max(np.abs(mtf50)):.2f}"
            )
            if rate == 0:
                good &= float(np.mean(np.abs(mtf50) <= _GOAL)) >= _WITHIN[height]
            for quantity in ("centre", "ratio"):
                free = [r[quantity] for r in done if quantity == "ratio" or not r["capped"]]
                text, covered = _line(quantity, [f for f in free if isinstance(f, dict)])
                lines.append(f"    {text}")
                good &= covered >= _LEAST_COVERAGE
    return lines, good


def main(seed: int, out: Path, *, each: int = _CASES_A_GROUP) -> int:
    """Run what is missing in out/resolution.json and print the table.

    Returns 0 if U holds the truth in at least 90 % of the cases of every group, and MTF50 of uncompressed
    pictures is within 1 %, else 1.
    """
    out.mkdir(parents=True, exist_ok=True)
    path = out / "resolution.json"
    results: dict[str, dict[str, object]] = json.loads(path.read_text()) if path.exists() else {}
    wanted = list(cases(seed, each))
    for number, case in enumerate(wanted):
        if case.key in results:
            continue
        results[case.key] = measure(case)
        fresh = path.with_suffix(".new")
        fresh.write_text(json.dumps(results, indent=1))
        os.replace(fresh, path)
        if number % 10 == 0:
            print(f"{number}/{len(wanted)}", file=sys.stderr)
    lines, good = table([results[case.key] for case in wanted])
    print("\n".join(lines))
    return 0 if good else 1


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, default=2)  # the budget was tuned on seed 1
    parser.add_argument("--out", type=Path, default=Path("out/validate"))
    parser.add_argument("--each", type=int, default=_CASES_A_GROUP)
    chosen = parser.parse_args()
    sys.exit(main(chosen.seed, chosen.out, each=chosen.each))
