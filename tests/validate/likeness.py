"""PSNR and SSIM against truth: ten pictures of an encoder loop stand for all three hundred of the stream.

    python tests/validate/likeness.py [--cases 100] [--from 0] [--out out/validate/likeness]
    python -m tools.proof_pages out/validate/likeness --no-table      # the plots of docs/methods/psnr.md

The figure of the pictures compared is exact; what its U states is how well it stands for pictures like these. Truth is the
squared error, and the structural similarity, of every picture of the stream, worked out here by numpy and by OpenCV.
"""

from __future__ import annotations

import math
import sys
import time
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

sys.path.insert(0, str(Path(__file__).parent))
sys.path.insert(0, str(Path(__file__).parents[1] / "support"))
from coding_loop import through_h264
from drawn import Rows, main, row
from grey_camera import GreyCamera

from bench.measure.similarity import similarity
from bench.validate.measurers import Row
from standards.errors import MeasurementRefused

Luma = NDArray[np.uint8]
_ROWS, _COLUMNS, _PICTURES, _TAKEN = 240, 432, 300, 10


def ssim(picture: Luma, reference: Luma) -> float:
    """Wang et al. 2004 with a uniform window of 7 and unbiased variances, over windows that lie inside."""
    a, b = picture.astype(np.float64), reference.astype(np.float64)

    def mean(x: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.asarray(cv2.blur(x, (7, 7)))[3:-3, 3:-3]

    ma, mb, grown = mean(a), mean(b), 49 / 48
    va, vb, both = (grown * (mean(x * y) - mean(x) * mean(y)) for x, y in ((a, a), (b, b), (a, b)))
    c1, c2 = (0.01 * 255) ** 2, (0.03 * 255) ** 2
    return float(((2 * ma * mb + c1) * (2 * both + c2) / ((ma**2 + mb**2 + c1) * (va + vb + c2))).mean())


def of_seed(seed: int) -> tuple[int, Rows]:
    """One camera and encoder: ten pictures, each from another GOP and at another place in it."""
    draw = np.random.default_rng([77, seed])
    camera = GreyCamera(
        _COLUMNS, _ROWS,
        scene={"chart": str(draw.choice(["camcert-1", "colour", "star", "grey"])), "fill": 0.9},
        picture={"noise_sd": float(draw.uniform(0.5, 4.0)), "seed": int(draw.integers(1 << 30))},
    )  # fmt: skip
    planes = [camera.planes().copy() for _ in range(_PICTURES)]
    source = [one[:_ROWS] for one in planes]
    rate, gop = int(10 ** draw.uniform(5.3, 6.8)), int(draw.integers(8, 26))
    shown = through_h264(planes, rate, gop=gop)
    # The rate control settles in the first second; the stream is what follows.
    first, step = 30, (_PICTURES - 30) // _TAKEN
    taken = [first + step * k + int(draw.integers(step)) for k in range(_TAKEN)]
    began = time.process_time()
    try:
        found = similarity([shown[i] for i in taken], [source[i] for i in taken], stream=f"h264, {rate}")
    except MeasurementRefused as refused:
        return seed, [
            Row(one, "drawn", seed, refused=str(refused)) for one in ("picture.psnr", "picture.ssim")
        ]
    spent = 1000 * (time.process_time() - began)
    pairs = list(zip(shown[first:], source[first:], strict=True))
    squared = float(np.mean([np.mean((a.astype(np.float64) - b) ** 2) for a, b in pairs]))
    true = 10 * math.log10(255**2 / squared), float(np.mean([ssim(a, b) for a, b in pairs]))
    return seed, [row(one, value, seed=seed, cpu_ms=spent) for one, value in zip(found, true, strict=True)]


if __name__ == "__main__":
    sys.exit(main(__doc__, of_seed, "likeness", cases=100))
