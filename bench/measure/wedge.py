"""Limiting resolution from hyperbolic wedges, by a fit whose frequency and phase the chart's geometry gives.

Nobody counts lines here: along the wedge the signed amplitude of its fundamental falls through 10 % (and 5 %), and beyond
that it is noise about zero, not a doubtful line. docs/methods/wedge.md. The clause texts of ISO 12233 and CIPA DC-003 were
not read by us.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bench.measure.chart_map import ChartMap
from bench.measure.chart_view import ChartView
from bench.measure.coding import coding_u
from bench.measure.crossing import first_fall
from bench.measure.noise import DENSITY_U
from bench.measure.tone import Tone
from bench.measure.tone_error import Wave, falling_slope, frequency_errors
from bench.measure.uncertainty import combine
from fixtures.charts.patterns import Wedge
from standards.errors import MeasurementRefused
from standards.quantity import Contribution, Estimate, Kind

__all__ = ["NYQUIST_LIMITED", "WedgeLimit", "wedge_limit", "wedge_resolution"]

_Floats = NDArray[np.float64]
#: Cycles a pixel beyond which a limit is the pixel grid's, not the picture's.
NYQUIST_LIMITED = 0.46
_LOWEST = 0.02  # cycles a pixel: below, too few lines stand in the picture
_INNER = 0.75  # line pairs at either side that are left out: the outermost line has only one neighbour
_SURE = 0.35  # modulation down to which the phase is told from the wedge itself
_LEAST_BINS = 12
_LEVELS = (0.10, 0.05)
_METHOD_U = 0.002  # relative: third harmonic, bend of the modulation within a step; docs/methods/wedge.md
_CODING_U, _CODING_POOR_U = (
    0.0025,
    0.012,
)  # relative, of an encoded picture: error that is frozen into every GOP


_TONE = ("tone curve and nominal reflectances", "certificate, or taken for likely")


@dataclass(frozen=True)
class WedgeLimit:
    """Where one place's modulation falls to 10 % and 5 %, cycles a pixel across the lines; nan where it does not below
    Nyquist. u10, u05: standard uncertainty by noise. frequency, modulation: the bins behind it. wave: what the tone
    curve errs by at 10 % is told from."""

    f10: float
    u10: float
    f05: float
    u05: float
    frequency: _Floats
    modulation: _Floats
    wave: Wave

    @property
    def nyquist_limited(self) -> bool:
        """Whether the picture resolves all that its pixels can."""
        return math.isnan(self.f10) or self.f10 > NYQUIST_LIMITED


@dataclass(frozen=True)
class _Pixels:
    """Pixels of a wedge in one picture: place along and across its axis, mm, linear light, frequency in cycles a pixel."""

    position: _Floats
    offset: _Floats
    light: _Floats
    frequency: _Floats


def _wave(of: ChartMap, wedge: Wedge, position: float) -> float:
    """Cycles a pixel of the wedge's lines at a position along its axis."""
    x, y = wedge.start
    point = (x + position, y) if wedge.along == "x" else (x, y + position)
    across = np.array([0.0, 1.0]) if wedge.along == "x" else np.array([1.0, 0.0])
    pairs = float(wedge.frequency(position)) / (2 * wedge.chart_height)
    return float(np.hypot(*(np.linalg.inv(of.jacobian(point)).T @ (across * pairs))))


def _pixels(picture: NDArray[np.uint8], view: ChartView, tone: Tone, wedge: Wedge) -> _Pixels:
    """Every pixel well inside the bundle of lines."""
    corners = view.corners(wedge.region)
    (x0, y0), (x1, y1) = np.floor(corners.min(0)).astype(int), np.ceil(corners.max(0)).astype(int) + 1
    rows, columns = view.shape
    x0, y0, x1, y1 = max(x0, 0), max(y0, 0), min(x1, columns), min(y1, rows)
    yy, xx = np.mgrid[y0:y1, x0:x1]
    places = view.map.to_chart(np.column_stack([xx.ravel(), yy.ravel()]).astype(np.float64)) - wedge.start
    position, offset = (places[:, 0], places[:, 1]) if wedge.along == "x" else (places[:, 1], places[:, 0])
    knots = np.linspace(0.0, wedge.length, 9)
    frequency = np.interp(position, knots, [_wave(view.map, wedge, float(k)) for k in knots])
    inside = (position >= 0) & (position <= wedge.length)
    inside &= np.abs(wedge.cycles(np.clip(position, 0, wedge.length), offset)) < wedge.lines / 2 - _INNER
    light = tone.linear(picture[y0:y1, x0:x1]).ravel().astype(np.float64)
    return _Pixels(position[inside], offset[inside], light[inside], frequency[inside])


def _harmonics(pixels: _Pixels, wedge: Wedge, shift: _Floats, bins: NDArray[np.int64], count: int) -> _Floats:
    """(count, 5): mean, slope, cosine and sine of each bin's fit, and its residual variance; nan where it has none.

    shift: mm across the axis that each pixel's lines really lie off the geometry's.
    """
    phase = 2 * np.pi * wedge.cycles(pixels.position, pixels.offset - shift)
    basis = np.stack([np.ones(len(phase)), pixels.offset, np.cos(phase), np.sin(phase)])
    normal = np.empty((count, 4, 4))
    right = np.empty((count, 4))
    for i in range(4):
        right[:, i] = np.bincount(bins, basis[i] * pixels.light, minlength=count)
        for j in range(4):
            normal[:, i, j] = np.bincount(bins, basis[i] * basis[j], minlength=count)
    number = normal[:, 0, 0]
    found = np.full((count, 6), np.nan)
    good = np.flatnonzero(number >= 12)
    for k in good:
        inverse = np.linalg.pinv(normal[k])
        found[k, :4] = inverse @ right[k]
        found[k, 5] = inverse[2, 2]
    left = pixels.light - (found[bins, :4].T * basis).sum(0)
    with np.errstate(invalid="ignore"):
        found[:, 4] = np.bincount(bins, np.nan_to_num(left**2), minlength=count) / np.maximum(number - 4, 1)
    return found


def _full(wedge: Wedge) -> float:
    """Modulation of the printed lines' fundamental."""
    return (wedge.paper - wedge.dark) / (wedge.paper + wedge.dark) * 4 / math.pi


def _modulation(pixels: _Pixels, wedge: Wedge) -> tuple[_Floats, _Floats, _Floats]:
    """Frequency (cycles a pixel), signed modulation and its variance, bin by bin along the axis."""
    per_mm = len(pixels.position) / max(float(np.ptp(pixels.offset)) * wedge.length, 1e-9)
    count = max(_LEAST_BINS, int(wedge.length * math.sqrt(per_mm)))
    bins = np.minimum((pixels.position / wedge.length * count).astype(np.int64), count - 1)
    number = np.bincount(bins, minlength=count)
    frequency = np.bincount(bins, pixels.frequency, minlength=count) / np.maximum(number, 1)
    position = (np.arange(count) + 0.5) * wedge.length / count
    # A line pair is dark in its middle: the cosine is negative. Of a square wave, 4 / pi of the half step.
    full = _full(wedge)
    shift = np.zeros(count)
    for _ in range(2):
        found = _harmonics(pixels, wedge, shift[bins], bins, count)
        amplitude = np.hypot(found[:, 2], found[:, 3]) / (found[:, 0] * full)
        sure = np.isfinite(amplitude) & (amplitude > _SURE) & (frequency > _LOWEST) & (frequency < 0.4)
        if np.count_nonzero(sure) < 4:
            break
        turned = np.arctan2(-found[sure, 3], -found[sure, 2])
        pairs = wedge.frequency(position) / (2 * wedge.chart_height)
        order = 1 if np.count_nonzero(sure) > 8 else 0
        off = np.polynomial.Polynomial.fit(
            position[sure], turned / (2 * np.pi * pairs[sure]), order, w=pairs[sure]
        )
        # Beyond the sure ones the shift goes on as it ends: a lens does not bend within so little.
        shift = shift + off(np.clip(position, position[sure].min(), position[sure].max()))
    found = _harmonics(pixels, wedge, shift[bins], bins, count)
    with np.errstate(invalid="ignore"):
        modulation = -found[:, 2] / (found[:, 0] * full)
        variance = found[:, 4] * found[:, 5] / (found[:, 0] * full) ** 2
    kept = np.isfinite(modulation) & np.isfinite(variance) & (frequency > _LOWEST) & (frequency < 0.5)
    return frequency[kept], modulation[kept], np.maximum(variance[kept], 1e-10)


def wedge_limit(
    pictures: Sequence[NDArray[np.uint8]], view: ChartView, tone: Tone, place: str, direction: str
) -> WedgeLimit:
    """Limit at one place. place: "centre", "top_left" ... as the chart names them; direction: "horizontal" or "vertical".

    Both wedges of the place are taken together. Raises MeasurementRefused if none of them shows lines in the picture.
    """
    names = [f"wedge.{place}.{direction}.{span}" for span in ("low", "high")]
    wedges = [w for w in view.chart.patterns if isinstance(w, Wedge) and w.name in names]
    mean = np.mean([p.astype(np.float64) for p in pictures], axis=0)
    average = np.asarray(np.clip(np.round(mean), 0, 255).astype(np.uint8))
    found, light = [], math.nan
    for wedge in wedges:
        pixels = _pixels(average, view, tone, wedge)
        if len(pixels.position) >= 200:
            found.append(_modulation(pixels, wedge))
            light = float(np.mean(pixels.light))  # of the finer one, where the limit mostly lies
    if not found or sum(len(f) for f, _, _ in found) < _LEAST_BINS:
        raise MeasurementRefused(f"the wedge at {place} shows no lines: let the chart fill the picture")
    f, m, v = (np.concatenate([part[i] for part in found]) for i in range(3))
    order = np.argsort(f)
    f, m, v = f[order], m[order], v[order]
    if float(np.max(m[: max(4, len(m) // 10)])) < _LEVELS[0]:
        raise MeasurementRefused(
            f"the wedge at {place} has no contrast even where its lines are coarse: focus, light"
        )
    (f10, u10), (f05, u05) = (first_fall(f, m, v, level, highest=0.5) for level in _LEVELS)
    keep = slice(None, None, max(1, len(f) // 60))
    slope = falling_slope(f, m, 1 / np.sqrt(v), f10, _LEVELS[0])
    wave = Wave(light, _LEVELS[0] * _full(wedges[0]), slope)
    return WedgeLimit(f10, u10, f05, u05, f[keep], m[keep], wave)


def _places(view: ChartView) -> list[str]:
    seen = (p.name.split(".")[1] for p in view.chart.patterns if isinstance(p, Wedge))
    return list(dict.fromkeys(seen))


def _lines(limit: WedgeLimit, rows: int) -> tuple[float, float]:
    """TV lines (LW/PH) and standard uncertainty; capped where Nyquist limits."""
    if math.isnan(limit.f10):
        return float(rows), 0.0
    return 2 * rows * limit.f10, 2 * rows * limit.u10


def _told(limit: WedgeLimit, rows: int) -> dict[str, Any]:
    return {
        "lines_10": None if math.isnan(limit.f10) else round(2 * rows * limit.f10, 2),
        "lines_5": None if math.isnan(limit.f05) else round(2 * rows * limit.f05, 2),
        "nyquist_limited": limit.nyquist_limited,
        "frequency": np.round(limit.frequency, 4).tolist(),
        "modulation": np.round(limit.modulation, 4).tolist(),
    }


def _corner_ratio(
    centre: tuple[float, float],
    corners: Sequence[tuple[float, float]],
    coding: float,
    tone_u: float,
    details: dict[str, Any],
    notes: Sequence[str],
) -> Estimate:
    """The mean of the corners over the centre, %; each a value and its standard uncertainty by noise. coding, tone_u:
    relative."""
    mean = float(np.mean([value for value, _ in corners]))
    ratio = 100 * mean / centre[0]
    spread = math.sqrt(sum(own**2 for _, own in corners)) / len(corners)
    noise = ratio * math.hypot(centre[1] / centre[0], spread / mean)
    page = "docs/methods/wedge.md"
    parts = [
        Contribution(name="noise of the picture", u=noise, dof=50.0, method="A", source="this capture"),
        Contribution(name="method", u=ratio * _METHOD_U, source=page),
        Contribution(name=_TONE[0], u=ratio * tone_u, source=_TONE[1]),
        Contribution(name="coding error of each place", u=ratio * 0.4 * coding, source=page),
    ]
    u, dof = combine(parts)
    return Estimate(
        quantity="resolution.wedge_corner_ratio", kind=Kind.RATIO, value=ratio, unit="%", u=u, dof=dof,
        budget=tuple(c for c in parts if c.u > 0), details={"places": details}, notes=tuple(notes),
    )  # fmt: skip


def _tone_u(
    tone: Tone, centre: WedgeLimit, corners: Sequence[WedgeLimit], density_u: float
) -> tuple[float, float]:
    """Relative standard uncertainties of the centre and of the corners' share of it, by the grey steps' densities."""
    errors = frequency_errors(tone, [limit.wave for limit in (centre, *corners)], density_u)
    shares = np.array([0.5 if math.isnan(limit.f10) else limit.f10 for limit in corners])
    return float(errors[:, 0].std()), float((errors[:, 1:] @ (shares / shares.sum()) - errors[:, 0]).std())


def _budget(centre: float, noise: float, tone_u: float, coding: float) -> list[Contribution]:
    """Of the centre. noise: standard uncertainty by it, TV lines; tone_u, coding: relative."""
    page = "docs/methods/wedge.md"
    return [
        Contribution(name="noise of the picture", u=noise, dof=50.0, method="A", source="this capture"),
        Contribution(name="method", u=_METHOD_U * centre, source=page),
        Contribution(name=_TONE[0], u=tone_u * centre, source=_TONE[1]),
        Contribution(name="coding error common to all GOPs", u=coding * centre, source=page),
    ]


def wedge_resolution(
    pictures: Sequence[NDArray[np.uint8]],
    view: ChartView,
    *,
    bits_per_pixel: float | None = None,
    density_u: float = DENSITY_U,
) -> tuple[Estimate, Estimate]:
    """Limiting resolution of the centre, TV lines at 10 %, and the mean of the corners' share of it, %.

    pictures: (rows, columns) luma, each of a different GOP. "resolution.wedge_centre" is of the lines that run down the
    picture (horizontal resolution); details carry both directions of every place and the 5 % figure.
    bits_per_pixel: of the coded stream, for the coding error; density_u: standard uncertainty of each grey step's density.
    Raises MeasurementRefused if a place shows no lines, or the grey steps cannot be measured.
    """
    fitting = [p for p in pictures if p.shape == view.shape]
    places = _places(view)
    if not fitting or not places:
        raise MeasurementRefused(
            "no intact picture of a wedge chart: put the chart `wedge` before the camera"
        )
    tone, rows = view.tone(fitting), view.shape[0]
    coding = coding_u(bits_per_pixel, _CODING_U, _CODING_POOR_U)
    limits = {
        (place, way): wedge_limit(fitting, view, tone, place, way)
        for place in places
        for way in ("horizontal", "vertical")
    }
    details = {f"{place}.{way}": _told(limit, rows) for (place, way), limit in limits.items()}
    centre, centre_u = _lines(limits["centre", "horizontal"], rows)
    about = [limits[place, "horizontal"] for place in places if place != "centre"]
    corners = [_lines(limit, rows) for limit in about]
    tone_u, ratio_u = _tone_u(tone, limits["centre", "horizontal"], about, density_u)
    budget = _budget(centre, centre_u, tone_u, coding)
    u, dof = combine(budget)
    limited = [name for name, limit in limits.items() if limit.nyquist_limited]
    notes = (
        ["Nyquist limited: the lines are told up to the pixel grid's limit"]
        if ("centre", "horizontal") in limited
        else []
    )
    first = Estimate(
        quantity="resolution.wedge_centre", kind=Kind.RATIO, value=centre, unit="TVL", u=u, dof=dof,
        budget=tuple(c for c in budget if c.u > 0), details={"places": details}, notes=tuple(notes),
    )  # fmt: skip
    return first, _corner_ratio((centre, centre_u), corners, coding, ratio_u, details, notes)
