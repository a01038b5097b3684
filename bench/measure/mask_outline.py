"""The outline of a part of the picture that is of one colour: where its straight sides are, and whether they were drawn."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from standards.thresholds.privacy_mask import MaskLimits

__all__ = ["Outline", "Side", "clipped", "find_outline", "inside", "normals_of", "polygon_area"]

_Floats = NDArray[np.float64]
_Bools = NDArray[np.bool_]
_CAP = 40.0  # codes: a bright lamp beyond the border counts as no more
_BLOCK = 16  # pixels along a side that a coder decides together
_NEAR = 6  # pixels off the whole side's place that a block of it is looked for
_STRAIGHT = 1.5  # pixels that a block may lie off a straight side
_LEAST_U, _LEAST_U_ASLANT = (
    0.08,
    0.2,
)  # pixels: what coding moves all of a side by; threefold where one block tells
_UNKNOWN = 1e5  # pixels: a side that was not found


@dataclass(frozen=True)
class Side:
    """normal: outward; place: distance along it from the picture's corner, pixels (1e5 where not found), of standard
    uncertainty u; drawn: straight and sharper than a lens makes it; at_edge: the colour reaches the picture's edge."""

    normal: tuple[float, float]
    place: float = _UNKNOWN
    u: float = 0.0
    sharpness: float = math.nan
    straight: bool = False
    drawn: bool = False
    at_edge: bool = False

    @property
    def found(self) -> bool:
        """Whether there is a step at all."""
        return self.place < _UNKNOWN


@dataclass(frozen=True)
class Outline:
    """sides: in the order of the corners they were sought with."""

    sides: tuple[Side, ...]

    @property
    def drawn(self) -> int:
        """How many sides were drawn."""
        return sum(side.drawn for side in self.sides)

    @property
    def is_mask(self) -> bool:
        """At least two sides were drawn, and half of those that could be: the others are too like what is beyond them."""
        could = sum(not side.at_edge for side in self.sides)
        return self.drawn >= 2 and 2 * self.drawn >= could


def polygon_area(corners: _Floats) -> float:
    """Area of a polygon, (n, 2) pixels."""
    x, y = corners.T
    return abs(float(x @ np.roll(y, -1) - y @ np.roll(x, -1))) / 2


def clipped(corners: _Floats, normal: tuple[float, float], place: float) -> _Floats:
    """The part of a polygon, (n, 2), for which normal . point <= place (Sutherland and Hodgman); may be empty, (0, 2)."""
    kept: list[_Floats] = []
    depth = place - corners @ np.asarray(normal)
    for k in range(len(corners)):
        after = (k + 1) % len(corners)
        a, b = float(depth[k]), float(depth[after])
        if a >= 0:
            kept.append(corners[k])
        if (a >= 0) != (b >= 0):
            kept.append(corners[k] + a / (a - b) * (corners[after] - corners[k]))
    return np.array(kept, np.float64).reshape(-1, 2)


def normals_of(corners: _Floats) -> list[tuple[float, float]]:
    """Outward unit normals of a convex polygon's sides."""
    middle, found = corners.mean(0), []
    for a, b in zip(corners, np.roll(corners, -1, 0), strict=True):
        along = (b - a) / np.hypot(*(b - a))
        normal = np.array([along[1], -along[0]])
        normal = normal if normal @ (a - middle) > 0 else -normal
        found.append((float(normal[0]), float(normal[1])))
    return found


def inside(corners: _Floats, shape: tuple[int, int]) -> _Bools:
    """(rows, columns): whether a pixel's middle lies in a convex polygon."""
    y, x = np.mgrid[: shape[0], : shape[1]] + 0.5
    found = np.ones(shape, bool)
    for normal, corner in zip(normals_of(corners), corners, strict=True):
        found &= normal[0] * x + normal[1] * y <= float(np.dot(normal, corner))
    return found


def _profiles(
    mean: _Floats, ends: tuple[_Floats, _Floats], side: Side, start: float
) -> tuple[_Floats, _Floats]:
    """Values (steps, profiles) across a side, NaN outside the picture, and where each step lies along the normal.

    ends: of the side; start: along the normal, within the colour. Upright sides are read at the pixels' middles.
    """
    normal = np.array(side.normal)
    along = np.array([-normal[1], normal[0]])
    low, high = sorted(float(end @ along) for end in ends)
    cut = 0.15 * (high - low)
    s = np.arange(math.floor(low + cut), max(math.floor(high - cut), math.floor(low + cut) + 1)) + 0.5
    far = max(float(ends[0] @ normal), start) + max(mean.shape)
    t = np.arange(math.floor(start), math.ceil(far)) + 0.5
    x = t[:, None] * normal[0] + s[None, :] * along[0] - 0.5
    y = t[:, None] * normal[1] + s[None, :] * along[1] - 0.5
    seen = (x >= -0.01) & (y >= -0.01) & (x <= mean.shape[1] - 0.99) & (y <= mean.shape[0] - 0.99)
    rows = seen.mean(1) >= 0.5
    last = len(t) if rows.all() else max(int(np.argmin(rows)), 1)
    t, x, y, seen = t[:last], x[:last], y[:last], seen[:last]
    values = ndimage.map_coordinates(mean, [y, x], order=1, mode="nearest")
    return np.where(seen, values, np.nan), t


def _crossing(off: _Floats, step: float, first: int = 0, last: int | None = None) -> float | None:
    """Where the mean distance from the colour, (steps,), first rises to half of what follows; between steps.

    step: codes that what follows has to be off by at least.
    """
    for k in range(max(first, 1), min(last or len(off), len(off) - 1)):
        beyond = float(np.mean(off[k : k + 6]))
        if beyond < step or off[k] < 0.5 * beyond:
            continue
        rise = float(off[k] - off[k - 1])
        return k - float(np.clip((off[k] - 0.5 * beyond) / rise if rise > 0 else 0.5, 0.0, 1.0))
    return None


def _sharpness(values: _Floats, colour: float, at: int, step: float) -> float:
    """Median over profiles of the share of the step that is made within one pixel; nan for under eight profiles."""
    if at < 2 or at + 3 > len(values):
        return math.nan
    whole = np.abs(np.median(values[at + 1 : at + 3], 0) - colour)
    whole = np.maximum(whole, np.abs(values[at + 1] - colour))
    within = np.abs(np.diff(values[at - 2 : at + 3], axis=0)).max(0)
    good = np.isfinite(whole) & np.isfinite(within) & (whole >= 2 * step)
    return float(np.median(within[good] / whole[good])) if good.sum() >= 8 else math.nan


def _refined(off: _Floats, place: float, step: float) -> float:
    """Where half of the step is made, each profile of (steps, profiles) by its own step; place: about, between steps.

    A capped or mean profile would put a soft border too far inward beside bright parts.
    """
    k = math.ceil(place)
    if k < 3 or k + 4 > len(off):
        return place
    whole = np.median(off[k + 1 : k + 4], 0)
    good = np.isfinite(whole) & (whole >= step)
    if good.sum() < 3:
        return place
    risen = np.nanmedian(off[k - 3 : k + 3, good] / whole[good], 1)
    for n in range(1, len(risen)):
        if risen[n] >= 0.5 > risen[n - 1]:
            return k - 3 + n - float((risen[n] - 0.5) / (risen[n] - risen[n - 1]))
    return place


def _blocks(length: int) -> int:
    """Into how many parts a side, pixels long, is cut: sixteen pixels each, less where that gave under six."""
    return max(length // _BLOCK, min(length // 4, 6), 1)


def _located(
    mean: _Floats, colour: float, ends: tuple[_Floats, _Floats], side: Side, start: float, limits: MaskLimits
) -> Side:
    """A side, where it is found."""
    values, t = _profiles(mean, ends, side, start)
    off = np.fmin(np.abs(values - colour), _CAP)
    whole = np.nanmean(off, 1)
    place = _crossing(whole, limits.step)
    if place is None:
        return replace(side, at_edge=bool(np.mean(whole[-2:]) < limits.step))
    found = []
    for block in np.array_split(np.arange(off.shape[1]), _blocks(off.shape[1])):
        one = _crossing(
            np.nanmean(off[:, block], 1), limits.step, int(place) - _NEAR, math.ceil(place) + _NEAR + 1
        )
        if one is not None:
            found.append(_refined(np.abs(values[:, block] - colour), one, limits.step))
    if not found:
        return side
    middle = float(np.median(found))
    spread = 1.4826 * float(np.median(np.abs(np.array(found) - middle))) / math.sqrt(len(found))
    straight = len(found) >= 2 and float(np.mean(np.abs(np.array(found) - middle) < _STRAIGHT)) >= 0.7
    sharpness = _sharpness(values, colour, math.ceil(middle - 1e-6), limits.step)
    upright = min(abs(side.normal[0]), abs(side.normal[1])) < 1e-6
    least = limits.sharpness if upright else limits.sharpness_aslant
    floor = (_LEAST_U if upright else _LEAST_U_ASLANT) * (1 if len(found) > 1 else 3)
    drawn = straight and sharpness >= least
    return Side(side.normal, float(t[0] + middle), max(spread, floor), sharpness, straight, drawn)


def _corners_of(sides: tuple[Side, ...], before: _Floats) -> _Floats:
    """Corners of the sides; those of before where one of the sides was not found or the corner went far astray."""
    found = before.copy()
    reach = np.ptp(before, axis=0).max()
    for k, side in enumerate(sides):
        previous = sides[k - 1]
        if not (side.found and previous.found):
            continue
        corner = np.linalg.solve(np.array([previous.normal, side.normal]), [previous.place, side.place])
        if np.hypot(*(corner - before[k])) < reach:
            found[k] = corner
    return found


def find_outline(
    mean: _Floats, colour: float, corners: _Floats, middle: _Floats, limits: MaskLimits
) -> Outline:
    """The sides of a part of one colour.

    mean: (rows, columns) codes; colour: code; corners: (n, 2) x, y pixels of a convex polygon about as large, whose sides
    run the same way; middle: (2,) a place within the colour.
    """
    at, normals = corners, normals_of(corners)
    for _ in range(3):
        sides = []
        for k, normal in enumerate(normals):
            ends = at[k], at[(k + 1) % len(at)]
            sides.append(_located(mean, colour, ends, Side(normal), float(np.dot(normal, middle)), limits))
        at = _corners_of(tuple(sides), at)
    return Outline(tuple(sides))
