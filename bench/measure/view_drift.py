"""Drift of the view: how far a camera turned since a reference picture was taken of the same scene."""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from bench.measure.uncertainty import combine, normal
from standards.errors import MeasurementRefused
from standards.quantity import Estimate, Kind

__all__ = ["Match", "coverage_shift", "direction_shift", "match_views"]

_Floats = NDArray[np.float64]
_Luma = NDArray[np.uint8]
_MOST_SIDE = 1280  # pixels: a larger picture is reduced to look for features
_FEATURES = 3000
_RATIO = 0.8  # of the best to the second best match (Lowe 2004)
_REACH = 2.0  # pixels that an inlier may lie off
_FEWEST, _LEAST_SHARE, _LEAST_CELLS = (
    24,
    0.25,
    8,
)  # inliers; share of the matches; of 8 x 6 cells of the picture
_CELLS = (8, 6)
_DRAWS, _SEED = 60, 230
_FLOOR = 0.2  # pixels: what coding, distortion and light move all features of a cell by
_MOST_ZOOM = 1.5


@dataclass(frozen=True)
class Match:
    """to_present: (3, 3) homography from pixels of the reference to those of the present picture; draws: (n, 3, 3) the
    same from resampled inliers; shape: (rows, columns) of both; inliers, matches: counts; residual: rms, pixels."""

    to_present: _Floats
    draws: _Floats
    shape: tuple[int, int]
    inliers: int
    matches: int
    residual: float


def _evened(luma: _Luma, scale: float) -> _Luma:
    """Reduced, with local contrast evened out: a scene by day and at dusk differ less so."""
    small = luma
    if scale < 1:
        small = np.asarray(cv2.resize(luma, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA), np.uint8)
    return np.asarray(cv2.createCLAHE(3.0, (8, 8)).apply(small), np.uint8)


def _matched(reference: _Luma, present: _Luma) -> tuple[_Floats, _Floats]:
    """(n, 2) pixels in both pictures of features that are each other's best match."""
    scale = min(1.0, _MOST_SIDE / max(reference.shape))
    finder = cv2.SIFT.create(nfeatures=_FEATURES, contrastThreshold=0.02)
    found = [finder.detectAndCompute(_evened(picture, scale), None) for picture in (reference, present)]
    (first, a), (second, b) = found
    if a is None or b is None or min(len(first), len(second)) < _FEWEST:
        least = min(len(first), len(second))
        raise MeasurementRefused(
            f"too little is to be seen to compare the views by: {least} features, {_FEWEST} are needed; take both "
            "pictures by day, of a scene with fixed detail"
        )
    pairs = cv2.BFMatcher().knnMatch(a, b, k=2)
    best = {
        p[0].queryIdx: p[0].trainIdx for p in pairs if len(p) == 2 and p[0].distance < _RATIO * p[1].distance
    }
    back = {m.queryIdx: m.trainIdx for m in cv2.BFMatcher().match(b, a)}
    kept = [(i, j) for i, j in best.items() if back.get(j) == i]
    at = np.array([[*first[i].pt, *second[j].pt] for i, j in kept], np.float64).reshape(-1, 4)
    return (at[:, :2] + 0.5) / scale - 0.5, (at[:, 2:] + 0.5) / scale - 0.5


def _whole(picture: _Luma, name: str) -> None:
    if picture.ndim != 2 or picture.dtype != np.uint8 or min(picture.shape) < 64:
        raise MeasurementRefused(f"the {name} picture is no luma picture of at least 64 rows and columns")


def _spread(points: _Floats, shape: tuple[int, int]) -> int:
    """In how many of 8 x 6 cells of the picture there are points."""
    x = np.clip(points[:, 0] * _CELLS[0] / shape[1], 0, _CELLS[0] - 1).astype(int)
    y = np.clip(points[:, 1] * _CELLS[1] / shape[0], 0, _CELLS[1] - 1).astype(int)
    return len(set(zip(x.tolist(), y.tolist(), strict=True)))


def _resampled(first: _Floats, second: _Floats, fitted: _Floats, shape: tuple[int, int]) -> _Floats:
    """Homographies of inliers drawn anew by cells of the picture, since neighbours err together."""
    chance = np.random.default_rng(_SEED)
    cell = (first // (np.array([shape[1], shape[0]]) / _CELLS)).astype(int)
    number = cell[:, 0] + _CELLS[0] * cell[:, 1]
    names = np.unique(number)
    places = [np.flatnonzero(number == name) for name in names]
    found = []
    for _ in range(_DRAWS):
        taken = [places[i] for i in chance.integers(0, len(names), len(names))]
        one = np.concatenate(taken)
        shake = np.repeat(_FLOOR * chance.standard_normal((len(taken), 2)), [len(t) for t in taken], axis=0)
        if len(set(one.tolist())) < 8:
            continue
        matrix, _ = cv2.findHomography(first[one], second[one] + shake, 0)
        if matrix is not None and np.isfinite(matrix).all():
            found.append(matrix)
    return np.asarray(found if len(found) > 10 else [fitted], np.float64)


def match_views(reference: _Luma, present: _Luma) -> Match:
    """Find the reference's scene in the present picture.

    reference, present: (rows, columns) uint8 luma, of one aspect ratio; the reference is brought to the present size.
    Raises MeasurementRefused where the two cannot be matched, with the counts; never guesses.
    """
    _whole(reference, "reference")
    _whole(present, "present")
    shape = (present.shape[0], present.shape[1])
    if abs(reference.shape[0] / reference.shape[1] - shape[0] / shape[1]) > 0.01:
        raise MeasurementRefused(
            "the reference picture has another aspect ratio: take it anew from this stream"
        )
    if reference.shape != shape:
        reference = np.asarray(cv2.resize(reference, shape[::-1], interpolation=cv2.INTER_AREA), np.uint8)
    first, second = _matched(reference, present)
    matrix, inside = None, np.zeros(0, bool)
    if len(first) >= 8:
        cv2.setRNGSeed(_SEED)
        matrix, mask = cv2.findHomography(
            first, second, cv2.USAC_MAGSAC, _REACH, maxIters=5000, confidence=0.9999
        )
        inside = np.asarray(mask).ravel().astype(bool) if mask is not None else inside
    count = int(inside.sum())
    if matrix is None or count < max(_FEWEST, _LEAST_SHARE * len(first)):
        raise MeasurementRefused(
            f"not the same view, or too changed: {count} of {len(first)} features agree, {_FEWEST} and a quarter of "
            "them are needed; compare pictures of like light, or take a new reference"
        )
    first, second = first[inside], second[inside]
    if _spread(first, shape) < _LEAST_CELLS:
        raise MeasurementRefused(
            f"not the same view, or too changed: the {count} features that agree lie in one part of the picture only"
        )
    again, _ = cv2.findHomography(first, second, 0)
    fitted = np.full((3, 3), np.nan) if again is None else np.asarray(again, np.float64)
    if not np.isfinite(fitted).all() or not _sane(fitted, shape):
        raise MeasurementRefused(
            f"not the same view, or too changed: {count} features agree on no possible turn"
        )
    off = cv2.perspectiveTransform(first[None], fitted)[0] - second
    residual = math.sqrt(float((off**2).sum(1).mean()))
    return Match(fitted, _resampled(first, second, fitted, shape), shape, count, len(inside), residual)


def _corners(shape: tuple[int, int]) -> _Floats:
    rows, columns = shape
    return np.array([[-0.5, -0.5], [columns - 0.5, -0.5], [columns - 0.5, rows - 0.5], [-0.5, rows - 0.5]])


def _sane(matrix: _Floats, shape: tuple[int, int]) -> bool:
    """Whether it can come from a turn, a zoom of at most 1.5 and a small move of the camera."""
    corners = np.column_stack([_corners(shape), np.ones(4)])
    depth = corners @ matrix[2]
    if (depth <= 0.3 * depth.max()).any():
        return False
    seen = cv2.perspectiveTransform(_corners(shape)[None], matrix)[0].astype(np.float32)
    grown = cv2.contourArea(seen, True) / -cv2.contourArea(_corners(shape).astype(np.float32), True)
    return bool(cv2.isContourConvex(seen)) and 1 / _MOST_ZOOM**2 < abs(grown) < _MOST_ZOOM**2


def _lost(matrix: _Floats, shape: tuple[int, int]) -> float:
    """Part of the reference picture that the present one does not cover, %."""
    whole = _corners(shape).astype(np.float32)
    back = cv2.perspectiveTransform(whole[None], np.linalg.inv(matrix))[0].astype(np.float32)
    common, _ = cv2.intersectConvexConvex(whole, back)
    return 100.0 * min(max(1.0 - float(common) / (shape[0] * shape[1]), 0.0), 1.0)


def _turn(matrix: _Floats, shape: tuple[int, int], focal: float) -> float:
    """Angle between the axis then and now, degrees: where the old axis is seen now."""
    middle = np.array([(shape[1] - 1) / 2, (shape[0] - 1) / 2])
    off = cv2.perspectiveTransform(middle[None, None], matrix)[0, 0] - middle
    return math.degrees(math.atan(float(np.hypot(*off)) / focal))


def _details(match: Match) -> dict[str, float]:
    return {"inliers": match.inliers, "matches": match.matches, "residual_px": round(match.residual, 3)}


def coverage_shift(match: Match) -> Estimate:
    """Part of the reference picture that the present picture no longer covers, %. Source: docs/methods/view_drift.md."""
    value = _lost(match.to_present, match.shape)
    draws = np.array([_lost(one, match.shape) for one in match.draws])
    spread = float(np.sqrt(np.mean((draws - value) ** 2)))
    budget = (normal("place of the features", spread, source="resampled by cells of the picture"),)
    u, dof = combine(budget)
    return Estimate(quantity="mounting.coverage_shift", kind=Kind.RATIO, value=value, unit="%", u=u, dof=dof,
                    budget=budget, details=_details(match))  # fmt: skip


def direction_shift(match: Match, *, hfov_deg: float, hfov_u: float = 0.02) -> Estimate:
    """Angle between the optical axis then and now, degrees.

    hfov_deg: horizontal field of view, degrees, with hfov_u the relative standard uncertainty of the focal length.
    Raises ValueError for a field of view outside 1 to 170 degrees.
    """
    if not 1.0 <= hfov_deg <= 170.0:
        raise ValueError(f"a field of view is 1 to 170 degrees, not {hfov_deg}")
    focal = match.shape[1] / 2 / math.tan(math.radians(hfov_deg) / 2)
    value = _turn(match.to_present, match.shape, focal)
    middle = np.array([[[(match.shape[1] - 1) / 2, (match.shape[0] - 1) / 2]]])
    there = [cv2.perspectiveTransform(middle, one)[0, 0] for one in (match.to_present, *match.draws)]
    apart = np.asarray(there[1:]) - there[0]
    spread = math.degrees(math.sqrt(float((apart**2).mean())) / focal)
    budget = (
        normal("place of the features", spread, source="resampled by cells of the picture"),
        normal("field of view", value * hfov_u, source="declaration"),
    )
    u, dof = combine(budget)
    return Estimate(quantity="mounting.direction_shift", kind=Kind.RATIO, value=value, unit="deg", u=u, dof=dof,
                    budget=budget, details=_details(match))  # fmt: skip
