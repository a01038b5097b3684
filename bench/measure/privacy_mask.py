"""Privacy masks: what share of a declared region gives nothing away of the scene, and how far the mask's border is off."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from bench.measure.mask_outline import Outline, clipped, find_outline, inside, normals_of, polygon_area
from bench.measure.uncertainty import combine, normal
from standards.errors import MeasurementRefused
from standards.quantity import Contribution, Estimate, Kind
from standards.thresholds.privacy_mask import MaskLimits

__all__ = ["Region", "SeenMask", "mask_border", "mask_coverage", "see_masks"]

_Floats = NDArray[np.float64]
_Bools = NDArray[np.bool_]
_FEWEST, _MOST = 5, 24  # pictures: fewer show no change, more show it no better
_LEAST_SIDE = 24.0  # pixels: a smaller region is all border
_DRAWS, _SEED = 200, 799
_NEAR = 1.2  # times the region: where its mask is first looked for; its sides are then followed farther
_MACROBLOCK = 8.0  # pixels beyond the band that a coder of few bits may still carry the scene into the mask
_CUT = 0.02  # of the region: what a mask's border that is hard to see may be off by
_UNEXPLAINED = (
    0.03  # of the region: of the mask's colour, and not within its sides: something else was taken for a side
)
_LEAST_U = 5e-5  # of the region: no share is known better than that, whatever the limits give
_HALF = 0.5  # of the region: a flat part as large may be a mask and may be a wall


@dataclass(frozen=True)
class Region:
    """A declared region. corners: (n, 2) x, y of a convex polygon, shares of the picture's width and height."""

    name: str
    corners: tuple[tuple[float, float], ...]


@dataclass(frozen=True)
class SeenMask:
    """What was seen of a region. covered: %; low, high: of the interval at 95 %, %; parts: its uncertainties; offsets: of
    the mask's sides beyond the declared ones, pixels, with their u; what: for the report."""

    name: str
    covered: float
    low: float
    high: float
    parts: tuple[Contribution, ...]
    offsets: tuple[tuple[float, float], ...]
    what: dict[str, float | str]


@dataclass(frozen=True)
class _View:
    """mean, change: (rows, columns) codes, over the pictures; corners: (n, 2) of the region, pixels; region: its pixels."""

    mean: _Floats
    change: _Floats
    corners: _Floats
    region: _Bools


def _view(pictures: NDArray[np.uint8], region: Region) -> _View:
    """The part of the pictures around a region, as wide again on each side."""
    rows, columns = pictures.shape[1:]
    corners = np.array(region.corners, np.float64) * [columns, rows]
    size = np.ptp(corners, axis=0)
    if size.min() < _LEAST_SIDE:
        raise MeasurementRefused(
            f"region {region.name!r} is {size[0]:.0f} x {size[1]:.0f} pixels: under {_LEAST_SIDE:.0f} it is all border"
        )
    low = np.maximum(np.floor(corners.min(0) - size - 32), 0).astype(int)
    high = np.minimum(np.ceil(corners.max(0) + size + 32), [columns, rows]).astype(int)
    parts = pictures[:, low[1] : high[1], low[0] : high[0]]
    # Sums of whole codes picture by picture: exact, and 24 pictures of 3840 x 2160 as floats would take 800 MB.
    mean = parts.mean(0, dtype=np.float64)
    squares = np.zeros(mean.shape)
    for one in parts:
        squares += one.astype(np.float64) ** 2
    change = np.sqrt(np.maximum(squares / len(parts) - mean**2, 0.0))
    at = corners - low
    return _View(mean, change, at, inside(at, (mean.shape[0], mean.shape[1])))


def _colour(view: _View, limits: MaskLimits) -> float:
    """The code that most still pixels of the region have; nan where none is still."""
    still = view.mean[view.region & (view.change <= limits.change)]
    if not len(still):
        return math.nan
    counts = np.bincount(np.rint(still).astype(int), minlength=256).astype(np.float64)
    mode = int(np.argmax(np.convolve(counts, np.ones(3), "same")))
    return float(np.median(still[np.abs(still - mode) <= 1.5]))


def _flat(view: _View, colour: float, limits: MaskLimits, share: float = 1.0) -> _Bools:
    """Pixels of one still colour; share: of the limits."""
    still = view.change <= share * limits.change
    return np.asarray((np.abs(view.mean - colour) <= share * limits.level) & still)


def _patch(view: _View, flat: _Bools) -> _Bools:
    """The connected part of a flat colour that has most of the region, without what is thinner than seven pixels."""
    parts, count = ndimage.label(ndimage.binary_opening(flat, np.ones((7, 7), bool)))
    shares = np.bincount(parts[view.region], minlength=count + 1)
    shares[0] = 0
    return np.asarray(parts == int(np.argmax(shares))) if shares.max() > 0 else np.zeros_like(flat)


def _scaled(corners: _Floats, by: float) -> _Floats:
    """A polygon about its middle."""
    return np.asarray((corners - corners.mean(0)) * by + corners.mean(0))


def _is_upright(corners: _Floats) -> bool:
    """Whether it is a rectangle along the picture's sides."""
    return len(corners) == 4 and all(min(abs(n[0]), abs(n[1])) < 1e-6 for n in normals_of(corners))


def _outline(view: _View, patch: _Bools, colour: float, limits: MaskLimits) -> tuple[Outline, bool]:
    """The patch's outline, and whether its sides run as the declared ones do: else it is an upright rectangle."""
    near = patch & (inside(_scaled(view.corners, _NEAR), patch.shape))
    y, x = np.nonzero(near)
    within = np.nonzero(patch & view.region)
    middle = np.array([np.median(within[1]), np.median(within[0])]) + 0.5
    low, high = np.percentile([x, y], 2, axis=1), np.percentile([x, y], 98, axis=1) + 1.0
    upright = np.array([low, [high[0], low[1]], high, [low[0], high[1]]])
    if _is_upright(view.corners):
        return find_outline(view.mean, colour, upright, middle, limits), True
    grown = math.sqrt(near.sum() / polygon_area(view.corners))
    like = _scaled(view.corners, min(max(grown, 0.2), _NEAR)) - view.corners.mean(0) + (low + high) / 2
    found = find_outline(view.mean, colour, like, middle, limits)
    other = find_outline(view.mean, colour, upright, middle, limits)
    return (other, False) if other.drawn > found.drawn else (found, True)


def _distances(view: _View, outline: Outline) -> _Floats:
    """(rows, columns): how far a pixel's middle lies within the nearest found side, pixels; negative beyond."""
    rows, columns = view.mean.shape
    y, x = np.mgrid[:rows, :columns] + 0.5
    found = np.full((rows, columns), np.inf)
    for side in outline.sides:
        if side.found:
            found = np.minimum(found, side.place - side.normal[0] * x - side.normal[1] * y)
    return found


def _share(view: _View, outline: Outline, shifts: Sequence[float]) -> float:
    """Share of the region within the outline, its sides moved outward by shifts, pixels."""
    left = view.corners
    for side, shift in zip(outline.sides, shifts, strict=True):
        if side.found and len(left):
            left = clipped(left, side.normal, side.place + shift)
    return polygon_area(left) / polygon_area(view.corners) if len(left) > 2 else 0.0


def _cut_by_scene(view: _View, outline: Outline) -> bool:
    """Whether a side that was not drawn leaves some of the region out: then it is the scene that ends there, not a mask."""
    area = polygon_area(view.corners)
    for side in outline.sides:
        if side.found and not side.drawn:
            left = clipped(view.corners, side.normal, side.place)
            if (polygon_area(left) if len(left) > 2 else 0.0) < (1 - _CUT) * area:
                return True
    return False


def _nothing(name: str, share: float, what: dict[str, float | str]) -> SeenMask:
    """A region whose scene is seen; share: of it, that is of one colour without the border of a mask."""
    part = Contribution(name="part of one colour without a border", u=50 * share / math.sqrt(3), method="B",
                        source="docs/methods/privacy_mask.md")  # fmt: skip
    return SeenMask(name, 0.0, 0.0, 100 * share, (part,), (), what)


def _surroundings(view: _View, distance: _Floats, region: Region, limits: MaskLimits) -> float:
    """How much the scene around a mask varies, codes. Raises MeasurementRefused where too little to see it shine through."""
    around = view.mean[(distance < -2) & (distance > -24)]
    varied = float(around.std()) if len(around) else 0.0
    if varied < limits.surroundings:
        raise MeasurementRefused(
            f"region {region.name!r}: the scene around the mask varies by {varied:.1f} codes only, {limits.surroundings:g} "
            "are needed to tell an opaque mask from one that shows through. Put something before the camera there"
        )
    return varied


def _see(pictures: NDArray[np.uint8], region: Region, limits: MaskLimits) -> SeenMask:
    """What is seen of one region."""
    view = _view(pictures, region)
    colour = _colour(view, limits)
    what: dict[str, float | str] = {"region": region.name}
    if not math.isfinite(colour):
        return _nothing(region.name, 0.0, what | {"seen": "all of it moves"})
    flat = _flat(view, colour, limits)
    patch = _patch(view, flat)
    share = float((patch & view.region).sum() / view.region.sum())
    what |= {"colour_code": round(colour, 1), "one_colour_percent": round(100 * share, 1)}
    if share < 0.01:
        return _nothing(region.name, 0.0, what | {"seen": "no part of one colour"})
    outline, as_declared = _outline(view, patch, colour, limits)
    if not outline.is_mask or _cut_by_scene(view, outline):
        if share < _HALF:
            return _nothing(region.name, share, what | {"seen": "a part of one colour without drawn borders"})
        raise MeasurementRefused(
            f"region {region.name!r}: {100 * share:.0f} % of it is of one colour, but only {outline.drawn} of its borders "
            "are straight and sharper than a lens makes them: a mask, a wall or a dark window look like that. Light the "
            "scene around it, or choose another colour of mask"
        )
    distance = _distances(view, outline)
    what |= {"surroundings_codes": round(_surroundings(view, distance, region, limits), 1)}
    band = min(limits.band, 0.4 * float(distance[patch].max()))
    deep = flat & view.region & (distance > band)
    scatter = float(view.mean[deep].std()) if deep.any() else 0.0
    what |= {"scatter_codes": round(scatter, 2)}
    if scatter > limits.scatter:
        return _nothing(region.name, 0.0, what | {"seen": "the scene shines through"})
    within = view.region & (distance > band)
    if float((within & ~flat).sum()) > limits.foreign * max(float(within.sum()), 1.0):
        return _nothing(region.name, 0.0, what | {"seen": "the scene shines through"})
    deeper = within & (distance > band + _MACROBLOCK)
    holes = [float((within & ~_flat(view, colour, limits, k)).sum()) for k in (1.0, 0.7, 1.4)]
    holes.append(float((deeper & ~flat).sum()))
    # A hole or a text in the band along the border: wider than what a coder mixes there.
    beside = ndimage.binary_opening(
        view.region & ~flat & (distance > 1) & (distance <= band), np.ones((5, 5), bool)
    )
    return _covered(
        view,
        outline,
        region.name,
        what,
        as_declared=as_declared,
        holes=holes,
        flat=flat,
        hidden=float(beside.sum()),
    )


def _check_parts(view: _View, flat: _Bools, name: str, whole: float, open_: float) -> None:
    """Raises MeasurementRefused where more of the region has the mask's colour than its sides hold. whole, open_: shares."""
    alike = float((ndimage.binary_opening(flat, np.ones((7, 7), bool)) & view.region).sum())
    alike /= polygon_area(view.corners)
    if alike > whole - open_ + _UNEXPLAINED:
        raise MeasurementRefused(
            f"region {name!r}: {100 * alike:.0f} % of it has the mask's colour, but the mask's sides hold "
            f"{100 * whole:.0f} % only: a text, a hole or a second mask stands there. Move the text off the mask, or "
            "declare the masks one by one"
        )


def _covered(
    view: _View,
    outline: Outline,
    name: str,
    what: dict[str, float | str],
    *,
    as_declared: bool,
    holes: list[float],
    flat: _Bools,
    hidden: float,
) -> SeenMask:
    """A mask and its uncertainty. holes: pixels within that are not of its colour, at limits as they are, lower, higher; the
    same a macroblock away from the border. flat: pixels of its colour. hidden: those of another beside the border that are
    more than a coder mixes."""
    area = polygon_area(view.corners)
    still = [0.0] * len(outline.sides)
    whole = _share(view, outline, still)
    _check_parts(view, flat, name, whole, open_=holes[0] / area)
    chance = np.random.default_rng(_SEED)
    u = np.array([side.u for side in outline.sides])
    drawn = [_share(view, outline, one) for one in (u * chance.standard_normal((_DRAWS, len(u)))).tolist()]
    open_ = holes[0] / area
    unsure, coded = max((holes[1] - holes[2]) / area / math.sqrt(12), _LEAST_U), (holes[0] - holes[3]) / area
    parts = (
        normal("place of the mask's border", 100 * float(np.sqrt(np.mean((np.array(drawn) - whole) ** 2))),
               source="scatter along each side"),
        normal("pixels at the limit of one colour", 100 * unsure, source="limits lowered and raised by 30 and 40 %"),
        normal("pixels that the coder mixes", 100 * coded / math.sqrt(3), source="a macroblock along the border"),
    )  # fmt: skip
    low, high = (float(v) for v in np.quantile([*drawn, whole], [0.025, 0.975]))
    covered = min(max(whole - open_, 0.0), 1.0)
    spread = 2 * unsure
    low, high = (
        max(min(low - open_ - spread - hidden / area, covered), 0.0),
        min(max(high - open_ + coded + spread, covered), 1.0),
    )
    offsets = []
    if as_declared and all(side.straight or side.at_edge for side in outline.sides):
        for side, declared, corner in zip(outline.sides, normals_of(view.corners), view.corners, strict=True):
            if not side.at_edge:
                offsets.append((side.place - float(np.dot(declared, corner)), side.u))
    what |= {"seen": "a mask", "drawn_sides": float(outline.drawn), "open_percent": round(100 * open_, 2)}
    return SeenMask(name, 100 * covered, 100 * low, 100 * high, parts, tuple(offsets), what)


def see_masks(
    pictures: NDArray[np.uint8], regions: Sequence[Region], limits: MaskLimits
) -> tuple[SeenMask, ...]:
    """What pictures show of declared regions.

    pictures: (n, rows, columns) luma of one stream over some seconds, five or more, of which 24 are looked at. Raises
    MeasurementRefused for too few, a region too small, or one of which it can't be told whether there is a mask.
    """
    if pictures.ndim != 3 or pictures.dtype != np.uint8 or len(pictures) < _FEWEST:
        raise MeasurementRefused(
            f"a mask needs {_FEWEST} pictures of 8-bit luma: one that comes and goes is none"
        )
    if not regions:
        raise MeasurementRefused("no region is declared that has to be masked")
    chosen = np.unique(np.linspace(0, len(pictures) - 1, min(len(pictures), _MOST)).astype(int))
    seen: list[SeenMask] = []
    doubtful: MeasurementRefused | None = None
    for region in regions:
        try:
            seen.append(_see(pictures[chosen], region, limits))
        except MeasurementRefused as error:
            doubtful = doubtful or error
    # A region that is open tells the least, whatever another may be.
    if doubtful is not None and not any(one.covered <= 0 for one in seen):
        raise doubtful
    return tuple(seen)


def mask_coverage(seen: Sequence[SeenMask]) -> Estimate:
    """Share of a declared region that gives nothing away, %: of the region of which it is least.

    Source: docs/methods/privacy_mask.md.
    """
    worst = min(seen, key=lambda one: one.covered)
    u, dof = combine(worst.parts)
    return Estimate(
        quantity="picture.privacy_mask_coverage", kind=Kind.RATIO, value=worst.covered, unit="%", u=u, dof=dof,
        interval=(min(one.low for one in seen), worst.high), budget=worst.parts,
        details={"regions": [one.what | {"covered_percent": round(one.covered, 2)} for one in seen]},
    )  # fmt: skip


def mask_border(seen: Sequence[SeenMask]) -> Estimate:
    """How far a side of a mask lies off the declared side, pixels, the farthest of all; the details say which way.

    Raises MeasurementRefused where a region has no mask or none of its sides is there to be compared.
    """
    bare = [one.name for one in seen if not one.offsets]
    if bare:
        raise MeasurementRefused(
            f"no mask with sides like the declared ones to measure from: {', '.join(bare)}"
        )
    offset, u = max((pair for one in seen for pair in one.offsets), key=lambda pair: abs(pair[0]))
    budget = (normal("place of the mask's border", u, source="scatter along each side"),)
    spread, dof = combine(budget)
    return Estimate(
        quantity="picture.privacy_mask_border", kind=Kind.RATIO, value=abs(offset), unit="px", u=spread, dof=dof,
        budget=budget,
        details={one.name: [round(value, 2) for value, _ in one.offsets] for one in seen},
    )  # fmt: skip
