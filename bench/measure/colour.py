"""Colour rendition and white balance, from the 24 patches of the chart `colour` (docs/methods/colour.md).

Codes are decoded as ITU-R BT.709-6 encodes (or as an sRGB display shows them), taken to CIELAB under D50 by the Bradford
adaptation, brought to the chart's exposure over its grey patches, and held against the chart's certified values by the CIE
2000 colour difference. Shading and flare of the lens are left in: they are colours that the camera got wrong.
Sources: CIE 15:2018 (8.2.1, by name), ISO/CIE 11664-6 (CIEDE2000), ITU-R BT.709-6 1.2; the ISO and CIE texts were not read.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from bench.measure.chart_view import ChartView
from bench.measure.colour_picture import ColourPicture
from bench.measure.uncertainty import combine
from fixtures.charts.colour import NOMINAL_LAB
from standards.errors import MeasurementRefused
from standards.quantity import Contribution, Estimate, Kind

__all__ = [
    "LAB_U", "LIGHT_U", "Decoding", "PatchSignals", "colour_error", "delta_e_2000", "lab_of_signals", "linear_light",
    "patch_signals", "white_balance_error",
]  # fmt: skip

_Floats = NDArray[np.float64]
Decoding = Literal["bt709", "srgb", "gamma22"]

#: Standard uncertainty of each certified L*, a*, b* where no certificate is given: what targets of one make differ by.
LAB_U = 0.6
#: Relative standard uncertainty of the light at a patch to that at the others: +-2 % over the chart.
LIGHT_U = 0.012
_CORE = 0.6  # inner share of a patch that is read
_LEAST_SIDE = 6  # pixels
_GREYS = slice(19, 23)  # neutral 8 to neutral 3.5: white may clip, black drowns in flare
#: Codes of R', G', B' by rounding of the colour differences, 0.29 each: patches are even, so noise does not blur it.
_CODING_U = np.array([0.46, 0.20, 0.54])
#: Linear BT.709 (D65) to XYZ of D50, Bradford. Rows add to D50's white.
_TO_XYZ = np.array(
    [[0.4360747, 0.3850649, 0.1430804], [0.2225045, 0.7168786, 0.0606169], [0.0139322, 0.0971045, 0.7141733]]
)
_WHITE = _TO_XYZ.sum(1)


@dataclass(frozen=True)
class PatchSignals:
    """signals: (24, 3) mean R'G'B' of the patches, 0.0 black to 1.0 white; u: (24, 3) standard uncertainties; clipped:
    (24,) where a patch touches the end of the code's range; pictures: how many were averaged."""

    signals: _Floats
    u: _Floats
    clipped: NDArray[np.bool_]
    pictures: int


def delta_e_2000(first: _Floats, second: _Floats) -> _Floats:
    """CIE 2000 colour differences of (..., 3) CIELAB values; by colour-science."""
    from colour.difference import delta_E_CIE2000  # takes 0.6 s, and only colour needs it

    return np.asarray(delta_E_CIE2000(first, second), dtype=np.float64)


def linear_light(signals: _Floats, decoding: Decoding) -> _Floats:
    """Linear light of R'G'B', a little below 0 and above 1 included."""
    size = np.abs(signals)
    if decoding == "bt709":
        light = np.where(size < 0.081, size / 4.5, ((size + 0.099) / 1.099) ** (1 / 0.45))
    elif decoding == "gamma22":
        light = size**2.2
    else:
        light = np.where(size <= 0.04045, size / 12.92, ((size + 0.055) / 1.055) ** 2.4)
    return np.asarray(light * np.sign(signals))


def _lab(xyz: _Floats) -> _Floats:
    t = xyz / _WHITE
    f = np.where(t > 216 / 24389, np.cbrt(t), (24389 / 27 * t + 16) / 116)
    return np.stack(
        [116 * f[..., 1] - 16, 500 * (f[..., 0] - f[..., 1]), 200 * (f[..., 1] - f[..., 2])], axis=-1
    )


def _luminance(lab: _Floats) -> _Floats:
    f = (lab[..., 0] + 16) / 116
    return np.asarray(np.where(f > 6 / 29, f**3, (116 * f - 16) * 27 / 24389))


def _xyz_of_lab(lab: _Floats) -> _Floats:
    f = (lab[..., 0] + 16) / 116
    parts = np.stack([f + lab[..., 1] / 500, f, f - lab[..., 2] / 200], axis=-1)
    return np.asarray(_WHITE * np.where(parts > 6 / 29, parts**3, (116 * parts - 16) * 27 / 24389))


def lab_of_signals(
    signals: _Floats, reference: _Floats, *, decoding: Decoding = "bt709", light: _Floats | None = None
) -> _Floats:
    """CIELAB (D50) of (..., 24, 3) R'G'B', at the exposure that gives the grey patches their luminance.

    reference: (24, 3) certified CIELAB; light: factors of luminance on each patch, (..., 24).
    """
    xyz = linear_light(signals, decoding) @ _TO_XYZ.T
    if light is not None:
        xyz = xyz * light[..., None]
    seen = xyz[..., _GREYS, 1].sum(-1)
    scale = _luminance(reference)[_GREYS].sum() / np.maximum(seen, 1e-6)
    return _lab(xyz * scale[..., None, None])


def patch_signals(pictures: Sequence[ColourPicture], view: ChartView) -> PatchSignals:
    """R'G'B' of every patch over some pictures, each of another GOP.

    Of each patch the inner 60 % a side; of its pixels the mean of those between the quartiles of luma, which dust and
    specks do not move as they do a mean, nor rounding as it does a median. Raises MeasurementRefused if the pictures do
    not show the chart, or patches are smaller than 6 pixels.
    """
    fitting = [p for p in pictures if p.shape == view.shape]
    patches = view.chart.patches
    if not fitting or len(patches) != len(NOMINAL_LAB):
        raise MeasurementRefused(
            "no whole picture of the colour chart: put the chart `colour` before the camera"
        )
    boxes = [view.box(patch.inset(_CORE)) for patch in patches]
    least = min(min(rows.stop - rows.start, columns.stop - columns.start) for rows, columns in boxes)
    if least < _LEAST_SIDE:
        raise MeasurementRefused(f"a colour patch is {least} pixels across: let the chart fill the picture")
    every = np.array([[_core(picture, box) for box in boxes] for picture in fitting])
    mean = every[..., :3].mean(0)
    white = 255.0 if fitting[0].full_range else 219.0
    within = every[..., 3].mean(0)[:, None] / math.sqrt(len(fitting))
    u = np.hypot(within, _CODING_U / white)
    clipped = (mean > 0.998).any(1) | (mean < -0.03).any(1)
    return PatchSignals(mean, u, clipped, len(fitting))


def _core(picture: ColourPicture, box: tuple[slice, slice]) -> _Floats:
    """R', G', B' of the middle half of a patch's pixels, and the standard uncertainty of that mean by noise."""
    rgb = picture.rgb(box).reshape(-1, 3)
    luma = picture.luma[box].ravel()
    low, high = np.percentile(luma, (25, 75))
    kept = rgb[(luma >= low) & (luma <= high)]
    # Coding smooths noise over blocks of 8: so many values stand on their own.
    u = float(rgb.std(0).mean()) / math.sqrt(max(len(rgb) / 16, 1.0))
    return np.append(kept.mean(0), u)


def _reference(certified: Mapping[str, float] | None) -> _Floats:
    """(24, 3) CIELAB: certified, by "patch.N.L" ..., or else nominal."""
    nominal = np.array([lab for _, lab in NOMINAL_LAB])
    if certified is None:
        return nominal
    found = nominal.copy()
    for number in range(len(nominal)):
        for axis, name in enumerate("Lab"):
            key = f"patch.{number + 1}.{name}"
            if key not in certified:
                raise MeasurementRefused(f"the chart's certificate says nothing of {key}: have it completed")
            found[number, axis] = certified[key]
    return found


_Figure = Callable[[_Floats, _Floats, _Floats], _Floats]


def _budget(
    figure: _Figure, seen: PatchSignals, reference: _Floats, lab_u: float, light_u: float
) -> tuple[list[Contribution], float]:
    """Contributions to a figure of (n, 24, 3) signals, (n, 24, 3) references and (n, 24) light, each input moved by its
    own uncertainty; and what errors of that size add to the figure in the mean (a distance never errs below nought)."""
    count = reference.size
    moved = np.eye(count).reshape(count, *reference.shape)
    even = np.ones((count, len(reference)))
    signals, references = np.broadcast_to(seen.signals, moved.shape), np.broadcast_to(reference, moved.shape)
    middle = float(figure(signals[:1], references[:1], even[:1])[0])
    by_signal, by_lab = seen.u * moved, lab_u * moved
    some, lit = slice(0, len(reference)), light_u * np.eye(len(reference))
    pairs = [
        (figure(signals + by_signal, references, even), figure(signals - by_signal, references, even)),
        (figure(signals, references + by_lab, even), figure(signals, references - by_lab, even)),
        (figure(signals[some], references[some], 1 + lit), figure(signals[some], references[some], 1 - lit)),
    ]
    u = [float(np.sqrt((((up - down) / 2) ** 2).sum())) for up, down in pairs]
    added = [float((up + down - 2 * middle).sum() / 2) for up, down in pairs]
    page = "docs/methods/colour.md"
    return [
        Contribution(name="noise and coding of the patches", u=u[0], source=page),
        Contribution(name="certified colours of the chart", u=u[1], source=f"u = {lab_u:g} of L*, a*, b*"),
        Contribution(name="evenness of the light", u=u[2], source=f"u = {100 * light_u:g} %"),
    ], sum(added)


def colour_error(
    seen: PatchSignals, *, certified: Mapping[str, float] | None = None, lab_u: float = LAB_U,
    light_u: float = LIGHT_U, decoding: Decoding = "bt709",
) -> Estimate:  # fmt: skip
    """Mean CIE 2000 colour difference of the 24 patches, at equal exposure; greatest and by patch in the details.

    certified: CIELAB (D50) by "patch.N.L" ...; None: nominal. Raises MeasurementRefused if the greys are black.
    """
    reference = _reference(certified)
    _check(seen)

    def figure(signals: _Floats, references: _Floats, light: _Floats) -> _Floats:
        return np.asarray(delta_e_2000(_lab_each(signals, references, light, decoding), references).mean(-1))

    lab = lab_of_signals(seen.signals, reference, decoding=decoding)
    each = delta_e_2000(lab, reference)
    chroma = np.hypot(lab[:, 1] - reference[:, 1], lab[:, 2] - reference[:, 2])
    parts, added = _budget(figure, seen, reference, lab_u, light_u)
    value = max(float(each.mean()) - added, 0.0)
    # What is taken off is right where the colours are further off than their errors reach; near nought it is a guess.
    sure = min(max(2 * abs(added) / max(value, 1e-9), 0.2), 1.0)
    parts.append(
        Contribution(
            name="what errors add to a distance", u=sure * abs(added), source=f"{added:.3f} was taken off"
        )
    )
    u, dof = combine(parts)
    names = [name for name, _ in NOMINAL_LAB]
    worst = int(np.argmax(each))
    notes = [f"{name}: clipped" for name, clipped in zip(names, seen.clipped, strict=True) if clipped]
    if certified is None:
        notes.append("no certificate of the chart's colours: held against the nominal ones")
    return Estimate(
        quantity="picture.colour_error", kind=Kind.RATIO, value=value, unit="1", u=u, dof=dof,
        budget=tuple(c for c in parts if c.u > 0), notes=tuple(notes),
        details={
            "formula": "CIEDE2000", "as_read": round(float(each.mean()), 3), "decoding": decoding, "worst": names[worst],
            "worst_delta_e": round(float(each[worst]), 3), "mean_delta_c": round(float(chroma.mean()), 3),
            "worst_delta_c": round(float(chroma.max()), 3),
            "delta_e": dict(zip(names, np.round(each, 3).tolist(), strict=True)),
            "lab": dict(zip(names, np.round(lab, 2).tolist(), strict=True)),
        },
    )  # fmt: skip


def _lab_each(signals: _Floats, references: _Floats, light: _Floats, decoding: Decoding) -> _Floats:
    """`lab_of_signals` where every one of (n, 24, 3) has a reference of its own."""
    xyz = (linear_light(signals, decoding) @ _TO_XYZ.T) * light[..., None]
    scale = _luminance(references)[..., _GREYS].sum(-1) / np.maximum(xyz[..., _GREYS, 1].sum(-1), 1e-6)
    return _lab(xyz * scale[..., None, None])


def _check(seen: PatchSignals) -> None:
    greys = seen.signals[_GREYS]
    if float(greys.mean(1).min()) < 0.02 or float(np.ptp(greys.mean(1))) < 0.05:
        raise MeasurementRefused(
            "the chart's grey patches cannot be told apart: give light, mend the exposure"
        )
    if seen.clipped[_GREYS].any():
        raise MeasurementRefused("a grey patch is clipped: lower the exposure until none is")


def _uv(xyz: _Floats) -> _Floats:
    """CIE 1976 u', v'."""
    total = np.maximum(xyz @ np.array([1.0, 15.0, 3.0]), 1e-9)
    return np.stack([4 * xyz[..., 0] / total, 9 * xyz[..., 1] / total], axis=-1)


def white_balance_error(
    seen: PatchSignals, *, certified: Mapping[str, float] | None = None, lab_u: float = LAB_U,
    decoding: Decoding = "bt709",
) -> Estimate:  # fmt: skip
    """Distance in CIE 1976 u'v' of the grey patches' mean colour from their certified one, both under D50.

    Of neutral 8 to neutral 3.5. Details: its two components, and the mean HSV saturation S of R'G'B' in the picture.
    Raises MeasurementRefused as `colour_error` does.
    """
    reference = _reference(certified)
    _check(seen)

    def off(signals: _Floats, references: _Floats) -> _Floats:
        picture = _uv(linear_light(signals, decoding) @ _TO_XYZ.T)
        return np.asarray((picture - _uv(_xyz_of_lab(references)))[..., _GREYS, :].mean(-2))

    shift = off(seen.signals, reference)
    distance = float(np.hypot(*shift))
    way = shift / distance if distance > 0 else np.array([1.0, 0.0])

    def figure(signals: _Floats, references: _Floats, light: _Floats) -> _Floats:
        return np.asarray(off(signals, references) @ way)

    parts, _ = _budget(figure, seen, reference, lab_u, 0.0)
    u, dof = combine(parts)
    greys = seen.signals[_GREYS]
    saturation = float(np.mean(1 - greys.min(1) / np.maximum(greys.max(1), 1e-9)))
    return Estimate(
        quantity="picture.white_balance_error", kind=Kind.RATIO, value=distance, unit="1", u=u, dof=dof,
        budget=tuple(c for c in parts if c.u > 0),
        details={"du": round(float(shift[0]), 5), "dv": round(float(shift[1]), 5), "saturation": round(saturation, 4),
                 "decoding": decoding},
    )  # fmt: skip
