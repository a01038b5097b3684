"""Limiting resolution and MTF50 of the picture from the chart's Siemens stars, in lines a picture height."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bench.measure.chart_view import ChartView
from bench.measure.coding import coding_u
from bench.measure.noise import DENSITY_U
from bench.measure.star import StarSfr, star_sfr
from bench.measure.tone import Tone
from bench.measure.tone_error import Wave, falling_slope, frequency_errors
from bench.measure.uncertainty import combine
from fixtures.charts.patterns import Star
from standards.errors import MeasurementRefused
from standards.quantity import Contribution, Estimate, Kind

__all__ = ["star_of", "star_resolution"]

_Floats = NDArray[np.float64]
_PAGE = "docs/methods/star.md"
_RIM = 0.97  # of the radius: beyond, the lens mixes in the paper
_NYQUIST = 0.5
_CLIP_MARGIN, _MOST_CLIPPED = 6.0, 0.01
#: Relative standard uncertainties, type B.
_METHOD_U = 0.001
_CODING_U, _CODING_POOR_U, _CODING_HALF = 0.002, 0.012, 0.5  # the last: what of it reaches the 50 %


def star_of(picture: NDArray[np.floating], view: ChartView, tone: Tone, star: Star) -> StarSfr:
    """Response of one star of the chart.

    picture: (rows, columns) luma codes, a mean of several pictures or one. Raises MeasurementRefused if the star is not
    whole in the picture, clipped, or shows no contrast.
    """
    corners = view.corners(star.region)
    (x0, y0), (x1, y1) = np.floor(corners.min(0)).astype(int), np.ceil(corners.max(0)).astype(int) + 1
    rows, columns = view.shape
    if x0 < 0 or y0 < 0 or x1 > columns or y1 > rows:
        raise MeasurementRefused(f"{star.name} is cut off by the picture: move the camera back")
    yy, xx = np.mgrid[y0:y1, x0:x1]
    places = view.map.to_chart(np.column_stack([xx.ravel(), yy.ravel()]).astype(np.float64)) - star.centre
    across, down = (np.gradient(places.reshape(*xx.shape, 2), axis=axis) for axis in (1, 0))
    dx, dy = places.reshape(*xx.shape, 2)[..., 0], places.reshape(*xx.shape, 2)[..., 1]
    radius = np.maximum(np.hypot(dx, dy), 1e-9)
    steps = [(way[..., 1] * dx - way[..., 0] * dy) / radius for way in (across, down)]
    frequency = star.frequency(radius) * np.hypot(*steps)
    inside = (radius > star.hub * 1.1) & (radius < _RIM * star.radius)
    codes = np.asarray(picture[y0:y1, x0:x1], dtype=np.float64)[inside]
    low, high = tone.span
    outside = float(np.mean((codes < low - _CLIP_MARGIN) | (codes > high + _CLIP_MARGIN)))
    if outside > _MOST_CLIPPED:
        raise MeasurementRefused(
            f"{star.name}: {100 * outside:.0f} % of its pixels lie outside the grey steps "
            f"(codes {low:.0f} to {high:.0f}): light the chart evenly, change exposure"
        )
    light = np.interp(codes, np.arange(256.0), tone.table)
    modulation = (star.high - star.low) / (star.high + star.low)
    try:
        return star_sfr(
            light, np.arctan2(dy, dx)[inside], frequency[inside], cycles=star.cycles, modulation=modulation
        )
    except MeasurementRefused as refused:
        raise MeasurementRefused(f"{star.name}: {refused}") from refused


def _told(found: StarSfr, rows: int) -> dict[str, Any]:
    """What the report draws of one star; lines a picture height, None where it does not fall below Nyquist."""

    def lines(f: float) -> float | None:
        return None if math.isnan(f) else round(2 * rows * f, 2)

    keep = slice(None, None, max(1, len(found.frequency) // 60))
    return {
        "lines_50": lines(found.mtf50), "lines_10": lines(found.f10), "lines_5": lines(found.f05),
        "segments_10": [lines(float(f)) for f in found.segments],
        "segments_50": [lines(float(f)) for f in found.segments50],
        "nyquist_limited": found.nyquist_limited,
        "frequency": np.round(found.frequency[keep], 4).tolist(),
        "sfr": np.round(found.sfr[keep], 4).tolist(),
        "sfr_u": np.round(found.sfr_u[keep], 5).tolist(),
    }  # fmt: skip


def _certified_u(tone: Tone, found: Sequence[StarSfr], level: float, density_u: float) -> _Floats:
    """(draws, stars) relative errors of the frequency where each falls to a level, by the grey steps' densities."""
    waves = [Wave(s.mean, level * s.full, _slope(s, level)) for s in found]
    return frequency_errors(tone, waves, density_u)


def _slope(found: StarSfr, level: float) -> float:
    """How steeply a star's response falls to a level; one that does not counts as 0."""
    at = {0.5: found.mtf50, 0.1: found.f10}[level]
    return falling_slope(found.frequency, found.sfr, 1 / np.maximum(found.sfr_u, 1e-6), at, level)


def _budget(noise: float, value: float, coding: float, tone: float) -> list[Contribution]:
    """noise: standard uncertainty by it, unit of the value; coding, tone: relative."""
    return [
        Contribution(name="noise of the picture", u=noise, dof=50.0, method="A", source="this capture"),
        Contribution(name="method", u=_METHOD_U * value, source=_PAGE),
        Contribution(
            name="tone curve and nominal reflectances",
            u=tone * value,
            source="certificate, or taken for likely",
        ),
        Contribution(name="coding error common to all GOPs", u=coding * value, source=_PAGE),
    ]


def _estimate(
    quantity: str, unit: str, value: float, budget: Sequence[Contribution], **more: Any
) -> Estimate:
    u, dof = combine(budget)
    kept = tuple(part for part in budget if part.u > 0)
    return Estimate(
        quantity=quantity, kind=Kind.RATIO, value=value, unit=unit, u=u, dof=dof, budget=kept, **more
    )


def _corner_ratio(
    centre: tuple[float, float],
    corners: Sequence[tuple[float, float]],
    coding: float,
    tone_u: float,
    notes: Sequence[str],
) -> Estimate:
    """The mean of the corners over the centre, %; each a value and its standard uncertainty by noise; the rest relative."""
    average = float(np.mean([line for line, _ in corners]))
    ratio = 100 * average / centre[0]
    spread = math.sqrt(sum(u**2 for _, u in corners)) / len(corners)
    noise = ratio * math.hypot(centre[1] / centre[0], spread / average)
    parts = [
        Contribution(name="noise of the picture", u=noise, dof=50.0, method="A", source="this capture"),
        Contribution(name="method", u=ratio * _METHOD_U, source=_PAGE),
        Contribution(
            name="tone curve and nominal reflectances",
            u=ratio * tone_u,
            source="certificate, or taken for likely",
        ),
        Contribution(name="coding error of each place", u=ratio * 0.4 * coding, source=_PAGE),
    ]
    return _estimate("resolution.star_corner_ratio", "%", ratio, parts, notes=tuple(notes))


def star_resolution(
    pictures: Sequence[NDArray[np.uint8]],
    view: ChartView,
    *,
    bits_per_pixel: float | None = None,
    density_u: float = DENSITY_U,
) -> tuple[Estimate, ...]:
    """Limiting resolution of the centre's star (TV lines at 10 %), its MTF50 (TV lines), the corners' share, %.

    pictures: (rows, columns) luma, each of a different GOP. "resolution.star_centre", capped at the pixel grid's limit;
    "resolution.star_mtf50", left out where 50 % lies outside the star's frequencies; "resolution.star_corner_ratio".
    bits_per_pixel: of the coded stream; density_u: standard uncertainty of each grey step's density.
    Raises MeasurementRefused if a star or the grey steps cannot be measured.
    """
    fitting = [p for p in pictures if p.shape == view.shape]
    stars = [p for p in view.chart.patterns if isinstance(p, Star)]
    if not fitting or not stars:
        raise MeasurementRefused("no intact picture of a star chart: put the chart `star` before the camera")
    tone, rows = view.tone(fitting), view.shape[0]
    mean = np.mean([p.astype(np.float64) for p in fitting], axis=0)
    found = {star.name.removeprefix("star."): star_of(mean, view, tone, star) for star in stars}
    coding = coding_u(bits_per_pixel, _CODING_U, _CODING_POOR_U)
    details = {"places": {name: _told(one, rows) for name, one in found.items()}, "picture_height": rows}
    names = list(found)
    errors = _certified_u(tone, list(found.values()), 0.1, density_u)
    of_centre = errors[:, names.index("centre")]
    of_corners = errors[:, [k for k, name in enumerate(names) if name != "centre"]].mean(1)
    centre = found.pop("centre")
    limited = [f"Nyquist limited: 10 % lies beyond {_NYQUIST} cycles/pixel"] if centre.nyquist_limited else []
    value, noise = _lines(centre, rows)
    estimates = [
        _estimate(
            "resolution.star_centre",
            "TVL",
            value,
            _budget(noise, value, coding, float(np.std(of_centre))),
            details=details,
            notes=tuple(limited),
        )
    ]
    if not math.isnan(centre.mtf50):
        half = 2 * rows * centre.mtf50
        tone_u = float(np.std(_certified_u(tone, [centre], 0.5, density_u)))
        parts = _budget(2 * rows * centre.mtf50_u, half, _CODING_HALF * coding, tone_u)
        estimates.append(_estimate("resolution.star_mtf50", "TVL", half, parts))
    tone_u = float(np.std(of_corners - of_centre))
    corners = [_lines(one, rows) for one in found.values()]
    estimates.append(_corner_ratio((value, noise), corners, coding, tone_u, limited))
    return tuple(estimates)


def _lines(found: StarSfr, rows: int) -> tuple[float, float]:
    """TV lines and their standard uncertainty by noise; the pixel grid's limit where Nyquist limits."""
    return (float(rows), 0.0) if found.nyquist_limited else (2 * rows * found.f10, 2 * rows * found.f10_u)
