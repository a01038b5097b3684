"""Drift of the view against truth: pictures that scikit-image carries, turned in the computer by known angles.

    python tests/validate/view.py [--cases 200] [--from 0] [--out out/validate/view]
    python -m tools.proof_pages out/validate/view --no-table      # the plots of docs/methods/view_drift.md

Each pair has its own turn (0.03 to 5 degrees), roll, tone, light that falls aslant, foreign bodies, noise, JPEG, size and
field of view, which is declared with an error of 2 %. Every fourth pair is of two scenes: it has to be refused.
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
from drawn import Rows, main, row, scene

from bench.measure.view_drift import coverage_shift, direction_shift, match_views
from bench.validate.measurers import Row
from standards.errors import MeasurementRefused

Luma = NDArray[np.uint8]
Floats = NDArray[np.float64]
SCENES = (
    "astronaut", "brick", "camera", "cat", "chelsea", "coffee", "coins", "grass", "gravel", "hubble_deep_field",
    "immunohistochemistry", "moon", "motorcycle", "page", "retina", "rocket", "text",
)  # fmt: skip
HFOV_U = 0.02
_QUANTITIES = ("mounting.direction_shift", "mounting.coverage_shift")


def seen_by(source: Luma, to_view: Floats, shape: tuple[int, int], draw: np.random.Generator) -> Luma:
    """A picture through a camera: tone, light that falls aslant, noise, JPEG. to_view: from source to picture."""
    rows, columns = shape
    flat = cv2.warpPerspective(
        source, to_view, (columns, rows), flags=cv2.INTER_AREA, borderMode=cv2.BORDER_REFLECT
    )
    light = (flat / 255.0) ** draw.uniform(0.7, 1.4) * draw.uniform(0.7, 1.05)
    across, down = draw.uniform(-0.2, 0.2, 2)
    light *= 1 + across * np.linspace(-1, 1, columns)[None, :] + down * np.linspace(-1, 1, rows)[:, None]
    codes = 255 * light + draw.uniform(1, 5) * draw.standard_normal(shape)
    quality = [cv2.IMWRITE_JPEG_QUALITY, int(draw.integers(40, 91))]
    packed = cv2.imencode(".jpg", np.clip(np.rint(codes), 0, 255).astype(np.uint8), quality)[1]
    return np.asarray(cv2.imdecode(packed, cv2.IMREAD_GRAYSCALE), np.uint8)


def lost(matrix: Floats, shape: tuple[int, int]) -> float:
    """Share of the reference that a homography puts outside the present picture, %: its outline, cut by the four sides of
    the present picture as they lie in it (Sutherland and Hodgman)."""
    rows, columns = shape
    outline = np.array([[0, 0], [columns, 0], [columns, rows], [0, rows]]) - 0.5
    sides = np.array([[1, 0, 0.5], [0, 1, 0.5], [-1, 0, columns - 0.5], [0, -1, rows - 0.5]])
    kept = outline
    for line in sides @ matrix:  # positive inside, up to the depth, which is positive here
        inside = kept @ line[:2] + line[2]
        cut = []
        for k in range(len(kept)):
            a, b = inside[k], inside[(k + 1) % len(kept)]
            cut += [kept[k]] if a >= 0 else []
            cut += (
                [kept[k] + a / (a - b) * (kept[(k + 1) % len(kept)] - kept[k])]
                if (a >= 0) != (b >= 0)
                else []
            )
        kept = np.array(cut)
    x, y = kept.T
    return 100 * (1 - float(abs(x @ np.roll(y, -1) - y @ np.roll(x, -1)) / 2 / (rows * columns)))


def camera_of(draw: np.random.Generator) -> tuple[tuple[int, int], float, Floats, Floats]:
    """(rows, columns), focal length in pixels, the drawn turn, and what it makes of the old picture's pixels."""
    columns = int(draw.integers(400, 1001))
    shape = (columns * 9 // 16, columns)
    hfov = float(draw.uniform(35, 95))
    focal = columns / 2 / math.tan(math.radians(hfov) / 2)
    turn = 10 ** draw.uniform(math.log10(0.03), math.log10(5.0))
    way, roll = draw.uniform(0, 2 * math.pi), draw.uniform(-1, 1) * min(turn, 1.0)
    rotation, _ = cv2.Rodrigues(np.radians([turn * math.sin(way), turn * math.cos(way), roll]))
    camera = np.array([[focal, 0, (columns - 1) / 2], [0, focal, (shape[0] - 1) / 2], [0, 0, 1.0]])
    return shape, focal, rotation, camera @ rotation @ np.linalg.inv(camera)


def of_seed(seed: int) -> tuple[int, Rows]:
    """One pair: refused, or both figures beside their truth. Raises AssertionError where two scenes are taken for one."""
    draw = np.random.default_rng([61, seed])
    name, other = draw.choice(SCENES, 2, replace=False)
    strange = seed % 4 == 3 and {str(name), str(other)} != {"cat", "chelsea"}  # two names of one picture
    shape, focal, rotation, moved = camera_of(draw)
    columns = shape[1]
    source = scene(str(name))
    zoom = columns / (0.75 * min(source.shape[1], source.shape[0] * 16 / 9))
    crop = np.array([
        [zoom, 0, (columns - 1) / 2 - zoom * source.shape[1] / 2],
        [0, zoom, (shape[0] - 1) / 2 - zoom * source.shape[0] / 2], [0, 0, 1],
    ])  # fmt: skip
    reference = seen_by(source, crop, shape, draw)
    present = seen_by(scene(str(other)) if strange else source, moved @ crop, shape, draw)
    for _ in range(int(draw.integers(4))):
        size = draw.integers(columns // 30, columns // 4, 2)
        y, x = draw.integers(0, shape[0] - 10), draw.integers(0, columns - 10)
        present[y : y + size[0], x : x + size[1]] = draw.integers(10, 240)
    declared = 2 * math.degrees(math.atan(columns / 2 / (focal * (1 + HFOV_U * draw.standard_normal()))))
    began = time.process_time()
    try:
        match = match_views(reference, present)
    except MeasurementRefused as refused:
        kind = "two scenes" if strange else "drawn"
        return seed, [Row(one, kind, seed, refused=str(refused).split(":")[0]) for one in _QUANTITIES]
    assert not strange, f"seed {seed}: {name} and {other} were taken for one scene"
    found = direction_shift(match, hfov_deg=declared, hfov_u=HFOV_U), coverage_shift(match)
    spent = 1000 * (time.process_time() - began)
    true = math.degrees(math.acos(float(rotation[2, 2]))), lost(moved, shape)
    return seed, [row(one, value, seed=seed, cpu_ms=spent) for one, value in zip(found, true, strict=True)]


if __name__ == "__main__":
    sys.exit(main(__doc__, of_seed, "view"))
