"""Modulation of the picture by lamps on the mains: how deep, and of which mains (docs/methods/flicker.md).

Light of lamps pulses at twice the mains frequency. A picture sees that folded by its own rate, and a rolling shutter sees
it as bands down the rows. Both are one wave over time and rows, which is fitted to the light of rows in successive pictures.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bench.measure.chart_view import ChartView
from bench.measure.uncertainty import combine, normal, rectangular, type_a
from standards.errors import MeasurementRefused
from standards.quantity import Estimate, Kind

__all__ = ["LIGHT_HZ", "flicker"]

_Floats = NDArray[np.float64]
#: Frequencies that lamps pulse at: twice 50 Hz and twice 60 Hz.
LIGHT_HZ = (100.0, 120.0)
_BANDS, _BLOCKS = 60, 16
_LEAST_LIGHT = 0.2  # of the brightest block's
_LEAST_TURNS = 0.5  # of the folded wave in one run of pictures: below it is not told from the scene
_OFF_HZ = np.array([-0.4, -0.2, 0.0, 0.2, 0.4])  # by which a mains may be off
_MOST_BANDS_SEEN = 5.0  # periods of light in one read-out
_ROUNDS, _FREED = 4, 1  # of putting right the mean in time; of reading the tone curve again
_FEWEST_PICTURES, _FEWEST_BANDS = 5, 12
_SHALLOW = 0.02  # modulation below which the tone curve does not ask for it to be taken out
_HIGHEST_CODE = 229.0  # of a white step: 235 is the end of codes in video range
_TONE_U, _METHOD = 0.015, 0.06  # of the value; half width, %
_CLEAR = 3.0  # standard uncertainties at which a wave is there


@dataclass(frozen=True)
class _Wave:
    """A fitted wave. hertz: of the light; rows: periods from the first row to the last; each: (runs,) modulations, free of
    noise on average."""

    hertz: float
    rows: float
    each: _Floats
    left: float
    found: tuple[float, float, float]
    phases: _Floats

    @property
    def depth(self) -> float:
        return float(self.each.mean())


def flicker(
    pictures: NDArray[np.uint8], run: NDArray[np.int64], view: ChartView, *, frame_rate: float
) -> Estimate:
    """`picture.flicker`: modulation of the light that pictures show, (max - min) / (max + min), %.

    pictures: (n, rows, columns) luma; run: (n,) which run of successive pictures each is of; view: the chart, with grey
    steps; frame_rate: pictures a second. Raises MeasurementRefused for too few pictures, a clipped or dark picture, or
    where the pulse of a mains would stand still against the pictures and no other is seen.
    """
    if not math.isfinite(frame_rate) or frame_rate <= 0:
        raise MeasurementRefused("the frame rate is not known: no pulse of light can be told from another")
    if pictures.shape[1:] != view.shape:
        raise MeasurementRefused("no intact picture of the chart's size: the pulse of light needs a few")
    _not_clipped(pictures, view)
    time, kinds = _times(run, frame_rate)
    longest = max(int(np.count_nonzero(run == kind)) for kind in kinds)
    seen = [hertz for hertz in LIGHT_HZ if _turns(hertz, frame_rate, longest) >= _LEAST_TURNS]
    still = [hertz for hertz in LIGHT_HZ if hertz not in seen]
    if longest < _FEWEST_PICTURES or len(kinds) < 2 or not seen:
        raise MeasurementRefused(
            f"{longest} successive pictures in {len(kinds)} runs at {frame_rate:.2f} a second do not show the pulse of "
            "the mains: capture longer, or set another frame rate"
        )
    best = _best(pictures, run, time, view, seen)
    value = 100 * best.depth
    budget = (
        type_a(100 * best.each, "scatter between runs of pictures"),
        normal("slope of the tone curve", _TONE_U * value, source="docs/methods/flicker.md"),
        rectangular("method", _METHOD, "docs/methods/flicker.md"),
    )
    u, dof = combine(budget)
    clear = value > _CLEAR * u
    if still and not clear:
        raise MeasurementRefused(
            f"light that pulses at {still[0]:.0f} Hz stands still in {frame_rate:.2f} pictures a second and is not told "
            "from the scene: set another frame rate (30 for a mains of 50 Hz, 25 for 60 Hz)"
        )
    details = {
        "mains_hz": best.hertz / 2 if clear else None, "frame_rate": round(frame_rate, 4),
        "readout_ms": round(float(1000 * best.rows / best.hertz), 3) if clear else None,
        "each": (100 * best.each).round(4).tolist(), "left": round(100 * best.left, 4),
    }  # fmt: skip
    said = f"mains of {best.hertz / 2:.0f} Hz" if clear else "no pulse of a mains is clear of the noise"
    return Estimate(
        quantity="picture.flicker", kind=Kind.RATIO, value=value, unit="%", u=u, dof=dof,
        budget=tuple(part for part in budget if part.u > 0), details=details, notes=(said,),
    )  # fmt: skip


def _not_clipped(pictures: NDArray[np.uint8], view: ChartView) -> None:
    """Raises MeasurementRefused where a grey step reaches the end of the codes at the height of the light."""
    highest = max(
        (float(pictures[:, rows, columns].mean(2).max()) for rows, columns in view.grey_boxes), default=0.0
    )
    if highest > _HIGHEST_CODE:
        raise MeasurementRefused(
            f"the white step reads up to {highest:.0f} where the light is strongest: expose less, it may not clip"
        )


def _best(
    pictures: NDArray[np.uint8], run: NDArray[np.int64], time: _Floats, view: ChartView, seen: list[float]
) -> _Wave:
    """The deepest wave. The tone curve is read from pictures freed of it: the mean code of light that pulses is not that
    of its mean."""
    turns, every = seen[0] * time[run == run[0]], np.flatnonzero(run == run[0])
    # As many pictures as make whole turns: their mean has no bands that would pass for a lens that falls off.
    sums = np.abs(np.cumsum(np.exp(2j * math.pi * turns))) / np.arange(1, len(turns) + 1)
    some = every[: _FEWEST_PICTURES + int(np.argmin(sums[_FEWEST_PICTURES - 1 :]))]
    first, when = pictures[some], time[some]
    table = view.tone(list(first)).table
    light, place = _bands(pictures, table)
    best = max((_fit(light, place, time, run, hertz) for hertz in seen), key=lambda wave: wave.depth)
    for _ in range(_FREED if best.depth > _SHALLOW else 0):
        table = view.tone(_freed(first, table, best, when)).table
        light, place = _bands(pictures, table)
        best = _settled(light, place, time, run, best.hertz, best.found)
    return best


def _freed(
    pictures: NDArray[np.uint8], table: NDArray[np.float32], wave: _Wave, time: _Floats
) -> list[NDArray[np.uint8]]:
    """Pictures of the first run without the wave."""
    rows = pictures.shape[1]
    place = (np.arange(rows) + 0.5) / rows
    out = []
    for picture, when in zip(pictures, time, strict=True):
        angle = 2 * math.pi * (wave.found[1] * when + wave.found[2] * place)
        factor = 1 + wave.phases[0, 0] * np.cos(angle) + wave.phases[0, 1] * np.sin(angle)
        light = table[picture] / np.maximum(factor, 0.1)[:, None]
        out.append(np.rint(np.interp(light, table, np.arange(256.0))).astype(np.uint8))
    return out


def _turns(hertz: float, frame_rate: float, pictures: int) -> float:
    """Turns of the folded wave over a run of pictures."""
    turns = hertz / frame_rate
    return abs(turns - round(turns)) * pictures


def _times(run: NDArray[np.int64], frame_rate: float) -> tuple[_Floats, NDArray[np.int64]]:
    """(n,) seconds from each run's first picture, and the runs there are."""
    kinds = np.unique(run)
    time = np.zeros(len(run))
    for kind in kinds:
        mine = run == kind
        time[mine] = np.arange(np.count_nonzero(mine)) / frame_rate
    return time, kinds


def _bands(pictures: NDArray[np.uint8], table: NDArray[np.float32]) -> tuple[_Floats, _Floats]:
    """(n, bands) light of bands of rows over their mean in time, less 1; and where they lie, 0 to 1 down the picture.

    A band is the median of blocks across the picture, so that what moves or flashes in some of them does not count.
    """
    count, rows, columns = pictures.shape
    tall, wide = max(1, rows // _BANDS), max(1, columns // _BLOCKS)
    bands, blocks = min(_BANDS, rows), min(_BLOCKS, columns)
    shape = (bands, tall, blocks, wide)
    means = np.empty((count, bands, blocks))
    for number, picture in enumerate(pictures):
        inner = picture[: bands * tall, : blocks * wide]
        means[number] = table[inner].reshape(shape).mean((1, 3), dtype=np.float64)
    steady = means.mean(0)
    usable = steady > _LEAST_LIGHT * float(steady.max())
    kept = usable.sum(1) >= 3
    if float(steady.max()) <= 0 or np.count_nonzero(kept) < _FEWEST_BANDS:
        raise MeasurementRefused("too little of the picture is lit: set the exposure")
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = np.where(usable, means / steady, np.nan)[:, kept]
    light = np.nanmedian(ratio, axis=2)
    place = (np.arange(bands) + 0.5) * tall / rows
    return light - light.mean(0), place[kept]


def _fit(light: _Floats, place: _Floats, time: _Floats, run: NDArray[np.int64], nominal: float) -> _Wave:
    """The best wave about a frequency of light. Each run has a phase of its own: a mains wanders."""
    coarse = np.arange(-_MOST_BANDS_SEEN, _MOST_BANDS_SEEN + 1e-9, 0.125)
    found = min(
        (_solve(light, place, time, run, nominal + off, rows)[1], nominal + off, rows)
        for off in _OFF_HZ
        for rows in coarse
    )
    for width in (0.06, 0.03, 0.015, 0.007):
        near = (found[2] - width, found[2] + width)
        found = min(
            found, *((_solve(light, place, time, run, found[1], rows)[1], found[1], rows) for rows in near)
        )
    return _settled(light, place, time, run, nominal, found)


def _settled(
    light: _Floats,
    place: _Floats,
    time: _Floats,
    run: NDArray[np.int64],
    nominal: float,
    found: tuple[float, float, float],
) -> _Wave:
    """The wave of a frequency and a number of bands, its part in the mean over time put right."""
    raw = light
    for _ in range(
        _ROUNDS
    ):  # the mean in time of a band still has some of the wave, by which all of it was divided
        phases, left = _solve(light, place, time, run, found[1], found[2])
        share = 1 + _mean_wave(phases, place, time, run, found)
        light = (1 + raw) * share - share
    phases, left = _solve(light, place, time, run, found[1], found[2])
    noise = 4 * left / light.size * len(np.unique(run))  # of a squared amplitude, two parts
    squares = (phases**2).sum(1)
    noiseless = math.sqrt(max(0.0, 1 - noise / max(float(squares.mean()), 1e-30)))
    return _Wave(nominal, found[2], np.sqrt(squares) * noiseless, math.sqrt(left / light.size), found, phases)


def _mean_wave(
    phases: _Floats, place: _Floats, time: _Floats, run: NDArray[np.int64], found: tuple[float, float, float]
) -> _Floats:
    """(bands,) mean over all pictures of a fitted wave."""
    number = np.unique(run, return_inverse=True)[1]
    angle = 2 * math.pi * (found[1] * time[:, None] + found[2] * place[None, :])
    cosine, sine = phases[number, 0][:, None], phases[number, 1][:, None]
    return np.asarray((cosine * np.cos(angle) + sine * np.sin(angle)).mean(0))


def _solve(
    light: _Floats, place: _Floats, time: _Floats, run: NDArray[np.int64], hertz: float, rows: float
) -> tuple[_Floats, float]:
    """(runs, 2) cosine and sine of each run, and the sum of squares that is left.

    The mean over time of each band is the scene's: it is taken from the wave as it was from the light. That of all runs is
    wanted, so the parts are found by normal equations: cosines and sines of the time, turned by each band's phase.
    """
    kinds, number = np.unique(run, return_inverse=True)
    angle = 2 * math.pi * (hertz * time[:, None] + rows * place[None, :])
    cosine, sine = np.cos(angle), np.sin(angle)
    member = (number[:, None] == np.arange(len(kinds))[None, :]).astype(np.float64)
    # sums over the pictures of a run, band by band: (runs, bands)
    c, s = member.T @ cosine, member.T @ sine
    parts = np.concatenate([c, s])
    count, size = len(run), len(kinds)
    normal_matrix = np.zeros((2 * size, 2 * size))
    for offset, first, second in ((0, cosine, cosine), (1, cosine, sine), (2, sine, sine)):
        own = np.diag((member.T @ (first * second)).sum(1))
        a, b = (0, 0) if offset == 0 else (0, size) if offset == 1 else (size, size)
        normal_matrix[a : a + size, b : b + size] += own
        if offset == 1:
            normal_matrix[b : b + size, a : a + size] += own
    normal_matrix -= parts @ parts.T / count
    right = np.concatenate([(member.T @ (light * cosine)).sum(1), (member.T @ (light * sine)).sum(1)])
    solved = np.linalg.lstsq(normal_matrix, right, rcond=1e-9)[0]
    left = max(float((light**2).sum() - solved @ right), 0.0)
    return np.column_stack([solved[:size], solved[size:]]), left
