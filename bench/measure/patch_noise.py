"""Noise of grey patches over a stack of pictures: temporal, fixed and together, in code units.

Structure of ISO 15739 (temporal and fixed-pattern noise apart); its clause text was not read. Pictures are taken
one at a time: of a stack only sums for each pixel of the patches are kept.

Fixed pattern: covariance of a pixel between different runs of pictures, so that neither temporal filtering in the
camera nor prediction in the codec, which tie the pictures of one run together, can pass for it. Temporal: the
spatial variance of single pictures less that, which such ties cannot lower either.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bench.measure.reading import Box
from standards.errors import MeasurementRefused

__all__ = ["QUANTUM", "PatchNoise", "patch_noise", "runs_of"]

_Floats = NDArray[np.float64]
QUANTUM = 1.0 / 12.0  # variance of rounding to whole codes
_LEAST_SIDE, _LEAST_PIXELS = 8, 150
_BLOCKS = 4  # each way: pieces of a patch whose scatter tells how well its variance is known
_PIECES = 4  # that a single run is cut into, to stand in for runs


@dataclass(frozen=True)
class PatchNoise:
    """One patch. mean: code; u_mean; temporal, fixed, total: variances, code squared, rounding taken off and never
    negative; u_temporal, u_fixed, u_total: their standard uncertainties; drift: sd of the patch's mean from picture
    to picture; clipped: share of its pixels at code 0 or 255; pixels, pictures: how many.
    """

    mean: float
    u_mean: float
    temporal: float
    fixed: float
    total: float
    u_temporal: float
    u_fixed: float
    u_total: float
    drift: float
    clipped: float
    pixels: int
    pictures: int

    @property
    def temporal_dof(self) -> float:
        """How many independent values stand behind `temporal`."""
        return 2 * (self.temporal / self.u_temporal) ** 2 if self.u_temporal > 0 else math.inf

    @property
    def rounding(self) -> float:
        """Largest error, code squared, that rounding leaves in `total` after 1/12 was taken off: the first
        harmonic of the error of Sheppard's correction, for a mean at the worst place between two codes."""
        s2 = self.total
        return (4 * s2 + 1 / math.pi**2) * math.exp(-2 * math.pi**2 * s2)


class _Sums:
    """What is kept of one patch: for each pixel the sum of each run and of squares, patch means taken off."""

    def __init__(self, box: Box) -> None:
        self._box = box
        self._runs: dict[int, tuple[int, _Floats]] = {}
        self._squares: _Floats | None = None
        self._means: list[float] = []
        self._at_ends = 0

    def add(self, picture: NDArray[np.uint8], run: int) -> None:
        """Take one picture in."""
        codes = picture[self._box]
        self._at_ends += int(np.count_nonzero((codes == 0) | (codes == 255)))
        patch = codes.astype(np.float64)
        mean = float(patch.mean())
        patch -= mean
        count, held = self._runs.get(run, (0, np.zeros_like(patch)))
        held += patch
        self._runs[run] = count + 1, held
        self._squares = patch**2 if self._squares is None else self._squares + patch**2
        self._means.append(mean)

    def noise(self) -> PatchNoise:
        """What the sums say."""
        counts = np.array([count for count, _ in self._runs.values()], dtype=np.float64)
        means = np.stack([held / count for count, held in self._runs.values()])
        pictures = int(counts.sum())
        grand = np.tensordot(counts / pictures, means, axes=1)
        plane = _plane(grand)
        assert self._squares is not None  # noise_of added at least one picture
        every = self._squares / pictures - 2 * plane * grand + plane**2
        apart = means - plane
        runs = len(means)
        shared = (apart.sum(0) ** 2 - (apart**2).sum(0)) / (runs * (runs - 1))
        left = grand.size / (grand.size - 3.0)  # a plane has three parameters
        total, u_total = _mean_of_blocks(every * left)
        fixed, u_fixed = _mean_of_blocks(shared * left)
        temporal, u_temporal = _mean_of_blocks((every - shared) * left)
        drift = float(np.std(self._means, ddof=1))
        u_mean = math.sqrt(max(total, 0.0) / grand.size + drift**2 / pictures)
        return PatchNoise(
            mean=float(np.mean(self._means)),
            u_mean=u_mean,
            temporal=max(temporal - QUANTUM, 0.0),
            fixed=max(fixed, 0.0),
            total=max(total - QUANTUM, 0.0),
            u_temporal=u_temporal,
            u_fixed=u_fixed,
            u_total=u_total,
            drift=drift,
            clipped=self._at_ends / (grand.size * pictures),
            pixels=grand.size,
            pictures=pictures,
        )


def _plane(patch: _Floats) -> _Floats:
    """The least-squares plane of a patch, (rows, columns)."""
    y, x = (np.linspace(-1.0, 1.0, n) for n in patch.shape)
    at_y = float((patch.mean(1) @ y) / (y @ y))
    at_x = float((patch.mean(0) @ x) / (x @ x))
    return np.asarray(patch.mean() + at_y * y[:, None] + at_x * x[None, :])


def _mean_of_blocks(field: _Floats) -> tuple[float, float]:
    """Mean of a field and its standard uncertainty from the scatter of 16 pieces: neighbouring pixels may hang
    together (denoising, codec) as far as a piece reaches."""
    pieces = [
        float(piece.mean())
        for band in np.array_split(field, _BLOCKS, axis=0)
        for piece in np.array_split(band, _BLOCKS, axis=1)
    ]
    return float(field.mean()), float(np.std(pieces, ddof=1)) / _BLOCKS


def runs_of(pictures: int) -> NDArray[np.int64]:
    """(pictures,) numbers of runs for one stack of successive pictures: it is cut into up to four pieces."""
    return np.arange(pictures) * min(_PIECES, pictures) // max(pictures, 1)


def _check(box: Box, shape: tuple[int, ...]) -> None:
    rows, columns = (len(range(*s.indices(n))) for s, n in zip(box, shape, strict=True))
    if min(rows, columns) < _LEAST_SIDE or rows * columns < _LEAST_PIXELS:
        raise MeasurementRefused(
            f"a grey patch of {columns} x {rows} pixels is too small to tell noise from: "
            f"{_LEAST_PIXELS} pixels are needed; let the chart fill the picture"
        )


def patch_noise(
    pictures: Iterable[NDArray[np.uint8]],
    runs: Iterable[int],
    boxes: Sequence[Box],
    *,
    shape: tuple[int, ...] | None = None,
) -> tuple[PatchNoise, ...]:
    """Noise of each patch over pictures of one still scene.

    pictures: (rows, columns) luma, uint8, all of one size, one at a time; runs: which run each belongs to (pictures of
    different runs share no codec state); boxes: rows and columns of each patch;
    shape: size that they are valid for, if it is known. Raises MeasurementRefused for fewer
    than two pictures, two sizes, patches under 150 pixels. A single run is cut into four pieces.
    """
    sums = [_Sums(box) for box in boxes]
    labels = list(runs)
    if len(set(labels)) < 2:
        labels = runs_of(len(labels)).tolist()
    taken = 0
    for picture, run in zip(pictures, labels, strict=True):
        if picture.ndim != 2 or picture.dtype != np.uint8:
            raise ValueError(f"a luma picture is (rows, columns) uint8, not {picture.shape} {picture.dtype}")
        shape = shape or picture.shape
        if taken == 0:
            for box in boxes:
                _check(box, shape)
        if picture.shape != shape:
            raise MeasurementRefused(f"the pictures' size changed from {shape} to {picture.shape}: run again")
        for one in sums:
            one.add(picture, int(run))
        taken += 1
    if taken < 2:
        raise MeasurementRefused(
            f"{taken} picture(s): temporal noise needs two or more of the same scene: capture longer"
        )
    return tuple(one.noise() for one in sums)
