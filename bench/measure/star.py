"""Spatial frequency response of a Siemens star (s-SFR): at each radius the wave of known count is fitted, not looked at.

Pixels of one radius see one frequency and all directions. Constant, cosine and sine of the star's own angle are fitted by
least squares to their linear light, in eight segments and all round. docs/methods/star.md. Source: the method that
Loebich et al. described in 2007 and ISO 12233 took up as s-SFR; the clause text was not read by us.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from bench.measure.crossing import first_fall
from standards.errors import MeasurementRefused

__all__ = ["SEGMENTS", "StarSfr", "star_sfr"]

_Floats = NDArray[np.float64]
SEGMENTS = 8
_NYQUIST = 0.5
_HIGHEST = 0.7  # cycles a pixel up to which the wave is fitted; what lies beyond Nyquist only steadies the fall's fit
_LEAST_PIXELS = 12  # of a ring in a segment
_LEAST_RINGS = 12
_PASSES = 3
_SURE, _SURE_SD, _SURE_BELOW = (
    0.06,
    6.0,
    0.45,
)  # modulation, also in its sd, and frequency whose phase is trusted
_CONTRAST_NEEDED = 0.1
_LAST, _LEFT = 0.42, 0.08  # below Nyquist: from there on, what has to be left where no fall to 10 % was seen


@dataclass(frozen=True)
class StarSfr:
    """Response of one star in linear light, all round.

    frequency, sfr, sfr_u: (rings,) cycles a pixel along the circle, response (the star's own modulation is 1), its standard
    uncertainty by noise. mtf50, f10, f05: where it falls to 50, 10, 5 %, nan beyond Nyquist or below the coarsest ring;
    _u: by noise. segments, segments50: (8,) f10 and MTF50 of each segment, from the x axis on towards y, nan likewise.
    offset: (2,) pixels that the star lies off where it was expected; mean: of its light; full: modulation that counts as 1.
    """

    frequency: _Floats
    sfr: _Floats
    sfr_u: _Floats
    mtf50: float
    mtf50_u: float
    f10: float
    f10_u: float
    f05: float
    f05_u: float
    segments: _Floats
    segments50: _Floats
    offset: _Floats
    mean: float
    full: float

    @property
    def nyquist_limited(self) -> bool:
        """Whether more than 10 % is left at the pixel grid's limit."""
        return math.isnan(self.f10)


@dataclass(frozen=True)
class _Rings:
    """Fit of every ring (and segment): (rings,) frequency, mean, cosine, sine, variance of cosine; nan where too few."""

    frequency: _Floats
    mean: _Floats
    cosine: _Floats
    sine: _Floats
    variance: _Floats


def _fit(
    light: _Floats, phase: _Floats, frequency: _Floats, at: NDArray[np.int64], count: int, third: bool
) -> _Rings:
    """Constant, cosine and sine (and those of the third wave) of each group of pixels. at: (pixels,) its group."""
    basis = [np.ones(len(phase)), np.cos(phase), np.sin(phase)]
    basis += [np.cos(3 * phase), np.sin(3 * phase)] if third else []
    size = len(basis)
    normal, right = np.empty((count, size, size)), np.empty((count, size))
    for i in range(size):
        right[:, i] = np.bincount(at, basis[i] * light, minlength=count)
        for j in range(i, size):
            normal[:, i, j] = normal[:, j, i] = np.bincount(at, basis[i] * basis[j], minlength=count)
    number = normal[:, 0, 0]
    good = number >= _LEAST_PIXELS + size
    inverse = np.full((count, size, size), np.nan)
    inverse[good] = np.linalg.pinv(normal[good])
    solved = np.einsum("kij,kj->ki", inverse, right)
    left = light - (solved[at].T * np.asarray(basis)).sum(0)
    residual = np.bincount(at, np.nan_to_num(left**2), minlength=count) / np.maximum(number - size, 1)
    middle = np.bincount(at, frequency, minlength=count) / np.maximum(number, 1)
    return _Rings(middle, solved[:, 0], solved[:, 1], solved[:, 2], residual * inverse[:, 1, 1])


def _misplaced(rings: _Rings, of_segment: NDArray[np.int64], full: float) -> _Floats:
    """(5,) how the star lies off: x and y in pixels, turn, and two of a stretch, by the phase of the sure rings."""
    amplitude = np.hypot(rings.cosine, rings.sine) / (rings.mean * full)
    with np.errstate(invalid="ignore"):
        sd = np.sqrt(rings.variance) / (rings.mean * full)
        sure = (amplitude > np.maximum(_SURE, _SURE_SD * sd)) & (rings.frequency < _SURE_BELOW)
    if np.count_nonzero(sure) < 3 * SEGMENTS:
        return np.zeros(5)
    weight = np.sqrt(1 / np.maximum(rings.variance[sure], 1e-12)) * np.hypot(
        rings.cosine[sure], rings.sine[sure]
    )
    weight = np.minimum(weight, 10 * np.median(weight))
    basis = _places(rings.frequency[sure], (of_segment[sure] + 0.5) * 2 * np.pi / SEGMENTS)
    shown = np.arctan2(rings.sine[sure], rings.cosine[sure])
    return np.asarray(np.linalg.lstsq(basis * weight[:, None], shown * weight, rcond=None)[0])


def _places(frequency: _Floats, angle: _Floats) -> _Floats:
    """(pixels, 5) phase, radians, by one unit of each part of `_misplaced`."""
    per_pixel = 2 * np.pi * frequency
    return np.column_stack(
        [
            -per_pixel * np.sin(angle),
            per_pixel * np.cos(angle),
            np.ones(len(angle)),
            np.cos(2 * angle),
            np.sin(2 * angle),
        ]
    )


def _falls(rings: _Rings, full: float, level: float) -> tuple[float, float]:
    """Where the signed modulation falls to a level; nan where it does not between the coarsest ring and Nyquist."""
    modulation, variance = rings.cosine / (rings.mean * full), rings.variance / (rings.mean * full) ** 2
    kept = np.flatnonzero(np.isfinite(modulation) & np.isfinite(variance))[::-1]
    kept = kept[np.argsort(rings.frequency[kept], kind="stable")]
    if len(kept) < _LEAST_RINGS or float(np.mean(modulation[kept[:4]])) < level:
        return math.nan, math.nan
    return first_fall(
        rings.frequency[kept], modulation[kept], np.maximum(variance[kept], 1e-10), level, highest=_NYQUIST
    )


def star_sfr(
    light: NDArray[np.floating], angle: NDArray[np.floating], frequency: NDArray[np.floating], *,
    cycles: int, modulation: float, wave: Literal["sine", "square"] = "sine",
) -> StarSfr:  # fmt: skip
    """Response of one star from the pixels that show it.

    light, angle, frequency: (pixels,) linear light of any scale, angle about the star's centre in radians (as the
    reflectance is mean + amplitude * cos(cycles * angle)), cycles a pixel there. modulation: (light - dark) / (light + dark)
    of the chart, 0 to 1. wave: a "square" star's first wave is 4 / pi of its step, and its third is fitted beside it.
    Raises MeasurementRefused where the pixels show no star. ValueError for a wrong count or modulation.
    """
    if not (8 <= cycles <= 1000 and 0 < modulation <= 1):
        raise ValueError(
            f"a star has 8 to 1000 cycles and a modulation to 1, not {cycles} and {modulation:g}"
        )
    inside = (frequency > 0) & (frequency < _HIGHEST) & np.isfinite(light)
    values, turned, waves = (np.asarray(a, dtype=np.float64)[inside] for a in (light, angle, frequency))
    full = modulation * (4 / math.pi if wave == "square" else 1.0)
    ring = (cycles / (2 * np.pi * waves)).astype(np.int64)
    if len(values) == 0 or np.ptp(ring) < _LEAST_RINGS:
        raise MeasurementRefused("the star is too small in the picture: let the chart fill it")
    ring -= ring.min()
    count = int(ring.max()) + 1
    segment = (np.mod(turned, 2 * np.pi) / (2 * np.pi) * SEGMENTS).astype(np.int64) % SEGMENTS
    of_segment = np.repeat(np.arange(SEGMENTS), count)
    off = np.zeros(5)
    for pass_ in range(_PASSES + 1):
        phase = cycles * turned - _places(waves, turned) @ off
        cut = _fit(values, phase, waves, segment * count + ring, SEGMENTS * count, wave == "square")
        off = off + (_misplaced(cut, of_segment, full) if pass_ < _PASSES else 0.0)
    whole = _fit(values, phase, waves, ring, count, wave == "square")
    return _told(whole, [_part(cut, of_segment == k) for k in range(SEGMENTS)], full, off[:2])


def _part(rings: _Rings, kept: NDArray[np.bool_]) -> _Rings:
    return _Rings(
        rings.frequency[kept], rings.mean[kept], rings.cosine[kept], rings.sine[kept], rings.variance[kept]
    )


def _told(whole: _Rings, parts: list[_Rings], full: float, offset: _Floats) -> StarSfr:
    """Limits of all round and of each segment. Raises MeasurementRefused where none can be told."""
    sfr, u = whole.cosine / (whole.mean * full), np.sqrt(whole.variance) / (whole.mean * full)
    order = np.flatnonzero(np.isfinite(sfr) & np.isfinite(u))[::-1]
    if (
        len(order) < _LEAST_RINGS
        or not float(np.mean(sfr[order[: max(4, len(order) // 10)]])) > _CONTRAST_NEEDED
    ):
        raise MeasurementRefused(
            "the star has no contrast even where its lines are coarse: focus, light, let the chart fill the picture"
        )
    falls = [_falls(whole, full, level) for level in (0.5, 0.1, 0.05)]
    last = order[(whole.frequency[order] > _LAST) & (whole.frequency[order] < _NYQUIST)]
    if math.isnan(falls[1][0]) and not (len(last) and float(np.mean(sfr[last])) > _LEFT):
        raise MeasurementRefused("the star's fall to 10 % cannot be told: more light, less noise")
    segments, segments50 = (
        np.array([_falls(part, full, level)[0] for part in parts]) for level in (0.1, 0.5)
    )
    return StarSfr(
        whole.frequency[order],
        sfr[order],
        u[order],
        *falls[0],
        *falls[1],
        *falls[2],
        segments,
        segments50,
        offset,
        float(np.nanmean(whole.mean)),
        full,
    )
