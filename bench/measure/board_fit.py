"""The board in a picture, fitted as a whole: pose, lens, blur and light that make a drawn board equal to the one seen.

Every pixel of the board tells something of where it stands, also where its lines are a pixel or two apart.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cache

import cv2
import numpy as np
from numpy.typing import NDArray

from fixtures.charts import CHARTS
from standards.errors import MeasurementRefused

__all__ = ["BoardFit", "Lens", "fit"]

_Floats = NDArray[np.float64]
_BOARD = CHARTS["board"]
_MIDDLE = (_BOARD.width / 2, _BOARD.height / 2)
_UNDISTORT_STEPS = 8
_FINE = 4  # drawn samples a pixel, each way
_GRID = 2  # of the drawn board, samples a millimetre
_INSET = 1.5  # pixels from the sheet's rim that what lies behind it still shines into
_ROUNDS = 14
_STARTS = (0.0, -0.13)  # distortion to begin with: from none alone, a strong one is not always reached
_SETTLED = 1e-5  # relative change of what is minimised
_NOISE, _FEWEST_FREE = 0.01, 2000  # share of _SCALE that a pixel is off; pixels that count as independent
_FEWEST = 80  # pixels
_TILT_SD = 0.4  # of the sine of a board's tilt that somebody holds towards the camera
_GEOMETRY = 9  # parameters that ask for a new drawing: 3 turns, 3 moves, focal length, distortion, blur
#: Size of a step for the derivative, by geometric parameter.
_STEPS = (5e-3, 5e-3, 2e-3, 2e-4, 2e-4, 3e-3, 5e-3, 2e-3, 3e-2)
_SCALE = 200.0  # codes, that light is counted in
#: The longest step of a round.
_LONGEST = np.array([0.2] * 3 + [0.02] * 2 + [0.1, 0.2, 0.1, 0.4] + [0.3] * 5)
#: What is taken for likely before the picture is looked at: (value, sd) of log blur, black, span, slopes, exponent.
_BEFORE = ((math.log(0.9), 0.7), (0.2, 0.5), (0.7, 0.5), (0.0, 0.2), (0.0, 0.2), (0.5, 0.15))


@dataclass(frozen=True)
class Lens:
    """What is known of the lens beforehand. focal: length in pixels; as the width and the field of
    view from side to side would have it without distortion; log_sd: sd of its logarithm; k1_sd: of the radial
    distortion at half a diagonal from the middle."""

    focal: float
    log_sd: float
    k1_sd: float


@dataclass(frozen=True)
class BoardFit:
    """across, down: pixels a millimetre of the drawn board, square to the line of sight; u_across, u_down: their
    standard uncertainties; tilt_deg: of the board against the line of sight; width: of the board, pixels; place: of
    its middle, pixels; misfit: rms over the span of the codes; span: codes from black to white; blur: sd, pixels."""

    across: float
    down: float
    u_across: float
    u_down: float
    tilt_deg: float
    width: float
    place: tuple[float, float]
    misfit: float
    span: float
    blur: float


@cache
def _drawn(grid: int) -> NDArray[np.float32]:
    """Light of the board, 0 black ink to 1 paper, in samples of 1 / _GRID mm, averaged over `grid` of them."""
    rows, columns = round(_BOARD.height * _GRID), round(_BOARD.width * _GRID)
    light = np.full((rows, columns), _BOARD.background, np.float32)
    for region in _BOARD.fillings:
        left, top, right, bottom = (round(v * _GRID) for v in region.bounds)
        light[top:bottom, left:right] = region.reflectance or 0.0
    light = (light - _BOARD.dark) / (_BOARD.background - _BOARD.dark)
    if grid == 1:
        return light
    return np.asarray(light.reshape(rows // grid, grid, columns // grid, grid).mean((1, 3)), np.float32)


def _rotation(vector: _Floats) -> _Floats:
    return np.asarray(cv2.Rodrigues(vector)[0], np.float64)


@dataclass
class _Scene:
    """One picture's board: what is looked at, and from where the parameters count."""

    luma: NDArray[np.float32]
    start: _Floats  # (3, 3) rotation
    move: _Floats  # (3,) mm
    focal: float
    origin: tuple[int, int]  # row, column of luma in the picture
    shape: tuple[int, int]  # of the picture
    #: Kept from one drawing to the next: what depends on distortion alone, and what does not depend on blur.
    _sights: tuple[float, _Floats, _Floats] | None = None
    _sharp: tuple[bytes, NDArray[np.float32]] | None = None

    def pose(self, p: _Floats) -> tuple[_Floats, _Floats]:
        """Rotation and place of the board's middle, mm."""
        depth = self.move[2] * math.exp(p[5] + p[6])  # a longer lens farther away shows the same size
        towards = self.move / self.move[2] + np.array([p[3], p[4], 0.0])
        return _rotation(p[:3]) @ self.start, depth * towards

    def lens(self, ideal: _Floats, p: _Floats) -> _Floats:
        """(n, 2) pixels of the picture from x/z, y/z."""
        middle = np.array([(self.shape[1] - 1) / 2, (self.shape[0] - 1) / 2])
        off = ideal * (self.focal * math.exp(p[6]))
        r2 = (off**2).sum(-1, keepdims=True) / (math.hypot(*self.shape) / 2) ** 2
        return np.asarray(off * (1 + p[7] * r2) + middle)

    def project(self, points: _Floats, p: _Floats) -> _Floats:
        """(n, 2) pixels of (n, 2) millimetres on the board."""
        turn, place = self.pose(p)
        away = np.column_stack([points - _MIDDLE, np.zeros(len(points))]) @ turn.T + place
        return self.lens(away[:, :2] / np.maximum(away[:, 2:], 1e-6), p)

    def sights(self, k1: float) -> tuple[_Floats, _Floats]:
        """x and y, pixels from the middle and (rows, columns) each, of luma's pixels before a lens without distortion."""
        if self._sights is None or self._sights[0] != k1:
            rows, columns = self.luma.shape
            x, y = np.meshgrid(
                np.arange(columns) + self.origin[1] - (self.shape[1] - 1) / 2,
                np.arange(rows) + self.origin[0] - (self.shape[0] - 1) / 2,
            )
            square = 4 / float(self.shape[0] ** 2 + self.shape[1] ** 2)
            away, gain = np.sqrt((x * x + y * y) * square), np.ones_like(x)
            for _ in range(_UNDISTORT_STEPS):
                gain = 1 / (1 + k1 * (away * gain) ** 2)
            self._sights = (k1, x * gain, y * gain)
        return self._sights[1], self._sights[2]

    def paper(self, p: _Floats) -> tuple[_Floats, _Floats]:
        """Millimetres on the board, across and down, (rows, columns) each, of luma's pixels."""
        x, y = self.sights(float(p[7]))
        turn, place = self.pose(p)
        matrix = np.linalg.inv(np.column_stack([turn[:, 0], turn[:, 1], place]))
        matrix = matrix @ np.diag([1.0, 1.0, self.focal * math.exp(p[6])])
        away = matrix[2, 0] * x + matrix[2, 1] * y + matrix[2, 2]
        across = (matrix[0, 0] * x + matrix[0, 1] * y + matrix[0, 2]) / away
        down = (matrix[1, 0] * x + matrix[1, 1] * y + matrix[1, 2]) / away
        return across + _MIDDLE[0], down + _MIDDLE[1]

    def light(self, p: _Floats) -> NDArray[np.float32]:
        """The board's light as the lens shows it, on the pixels of luma."""
        rows, columns = self.luma.shape
        seen = self.sharp(p)
        sigma = min(max(math.exp(p[8]), 0.15), 8.0) * _FINE
        soft = cv2.GaussianBlur(seen, (0, 0), sigma)
        return np.asarray(cv2.resize(soft, (columns, rows), interpolation=cv2.INTER_AREA), np.float32)

    def sharp(self, p: _Floats) -> NDArray[np.float32]:
        """The board's light before the lens blurs it, _FINE samples a pixel each way."""
        key = p[:8].tobytes()
        if self._sharp is None or self._sharp[0] != key:
            rows, columns = self.luma.shape
            across, down = self.paper(p)
            spacing = (
                abs(float(across[rows // 2, columns // 2] - across[rows // 2, columns // 2 - 1]))
                / _FINE
                * _GRID
            )
            grid = max(g for g in (1, 2, 4, 8) if g <= max(1.0, spacing))
            size = (columns * _FINE, rows * _FINE)
            x, y = (
                cv2.resize((at * _GRID / grid - 0.5).astype(np.float32), size, interpolation=cv2.INTER_LINEAR)
                for at in (across, down)
            )
            seen = cv2.remap(_drawn(grid), x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
            self._sharp = (key, np.asarray(seen, np.float32))
        return self._sharp[1]

    def inside(self, p: _Floats) -> NDArray[np.bool_]:
        """Pixels that nothing but the sheet shines into."""
        corners = self.project(np.asarray(_BOARD.frame.corners), p) - (self.origin[1], self.origin[0])
        mask = np.zeros(self.luma.shape, np.uint8)
        cv2.fillConvexPoly(mask, np.round(corners * 16).astype(np.int32), 1, shift=4)
        reach = max(_INSET, 2.5 * math.exp(p[8]))
        far = cv2.distanceTransform(np.pad(mask, 1), cv2.DIST_L2, 5)[1:-1, 1:-1]
        return np.asarray(far > reach)


def _codes(light: NDArray[np.float32], p: _Floats) -> tuple[_Floats, list[_Floats], _Floats]:
    """Codes over _SCALE, their derivatives by black, span, the two slopes and the exponent, and by the light."""
    rows, columns = light.shape
    x = np.linspace(-1, 1, columns)[None, :]
    y = np.linspace(-1, 1, rows)[:, None]
    base = np.maximum(0.055 + 0.945 * light.astype(np.float64), 1e-3)  # ink reflects a little, too
    toned = base ** p[13]
    falling = 1 + p[11] * x + p[12] * y
    by = [np.ones_like(toned), toned * falling, p[10] * toned * x, p[10] * toned * y]
    by.append(p[10] * falling * toned * np.log(base))
    by_light = np.where(base > 1e-3, 0.945 * p[10] * p[13] * falling * toned / base, 0.0)
    return p[9] + p[10] * toned * falling, by, by_light


def _leaning(scene: _Scene, p: _Floats) -> _Floats:
    """The part of the board's normal that is across the line of sight, over the sd taken for likely."""
    turn, place = scene.pose(p)
    sight = place / np.linalg.norm(place)
    return np.asarray((turn[:, 2] - (turn[:, 2] @ sight) * sight) / _TILT_SD)


@dataclass(frozen=True)
class _Step:
    """Residuals over _SCALE and their derivatives, of the pixels kept and of what was likely beforehand."""

    j: _Floats
    r: _Floats
    prior_j: _Floats
    prior_r: _Floats
    keep: NDArray[np.bool_]
    pixels: _Floats


def _linearised(scene: _Scene, p: _Floats, lens: Lens) -> _Step:
    keep = scene.inside(p)
    if keep.sum() < _FEWEST:
        raise MeasurementRefused("the board is too small in the picture: bring it nearer, or print it larger")
    light = scene.light(p)
    codes, photometric, by_light = _codes(light, p)
    by_light = by_light[keep]
    residual = codes - scene.luma / _SCALE
    leaning = _leaning(scene, p)
    j = np.zeros((int(keep.sum()), len(p)))
    sd = np.array([lens.log_sd, lens.k1_sd, *(s for _, s in _BEFORE)])
    likely = np.array([0.0, 0.0, *(v for v, _ in _BEFORE)])
    prior_j = np.zeros((3 + len(sd), len(p)))
    prior_j[3:, 6:] = np.diag(1 / sd)
    # A field of view is declared from side to side, distortion and all: it holds focal length and distortion together.
    side = (scene.shape[1] / math.hypot(*scene.shape)) ** 2
    prior_j[3, 7] = side / sd[0]
    for i in (_GEOMETRY - 1, *range(_GEOMETRY - 1)):  # blur first: its drawing is the one that was made last
        step = _STEPS[i]
        moved = p.copy()
        moved[i] += step
        j[:, i] = by_light * (scene.light(moved) - light)[keep] / step
        prior_j[:3, i] = (_leaning(scene, moved) - leaning) / step
    for i, by in enumerate(photometric):
        j[:, _GEOMETRY + i] = by[keep]
    prior_r = np.concatenate([leaning, (p[6:] - likely) / sd])
    prior_r[3] += side * p[7] / sd[0]
    return _Step(j, residual[keep], prior_j, prior_r, keep, residual)


def _correlation(step: _Step) -> float:
    """By how much neighbouring residuals of one sign make every variance larger: sum of the autocorrelation."""
    field = np.where(step.keep, step.pixels, 0.0)
    power = float((field**2).sum())
    total = 1.0
    for dy in range(-3, 4):
        for dx in range(-3, 4):
            if (dy, dx) > (0, 0):
                total += 2 * float((field * np.roll(field, (dy, dx), (0, 1))).sum()) / max(power, 1e-12)
    return min(max(total, 1.0), 30.0)


def _solve(scene: _Scene, lens: Lens, k1: float) -> tuple[_Floats, _Floats, float, float]:
    """Parameters, their covariance, the rms of what is left in codes, and the cost: minus twice the log likelihood."""
    p = np.array([0.0] * 7 + [k1] + [value for value, _ in _BEFORE])
    p[9], p[10] = 0.0, float(np.percentile(scene.luma, 95)) / _SCALE
    damping, cost, best = 1e-4, math.inf, p
    at: _Step | None = None
    for _ in range(_ROUNDS):
        tried = _linearised(scene, p, lens)
        fresh = float((tried.r**2).mean() * _FEWEST_FREE / _NOISE**2 + (tried.prior_r**2).sum())
        if fresh <= cost:
            settled = cost - fresh < _SETTLED * fresh
            best, cost, damping, at = p, fresh, max(damping / 10, 1e-9), tried
            if settled:
                break
        else:
            damping *= 30
            if damping > 1e3:
                break
        if at is None:
            break
        share = _FEWEST_FREE / len(at.r) / _NOISE**2
        a = share * at.j.T @ at.j + at.prior_j.T @ at.prior_j
        b = share * at.j.T @ at.r + at.prior_j.T @ at.prior_r
        step = -np.linalg.solve(a + damping * np.diag(np.diag(a)), b)
        p = best + np.clip(step, -_LONGEST, _LONGEST)
        p[8], p[10] = min(max(p[8], -1.5), 2.0), max(p[10], 0.02)
        p[7], p[13] = min(max(p[7], -0.6), 0.6), min(max(p[13], 0.2), 1.2)
    at = _linearised(scene, best, lens)
    rms = math.sqrt(float((at.r**2).mean()))
    spread = max(rms, 0.5 / _SCALE) * math.sqrt(_correlation(at))
    cost = 2 * len(at.r) * (rms / spread) ** 2 * math.log(rms) + float((at.prior_r**2).sum())
    covariance = np.asarray(np.linalg.inv(at.j.T @ at.j / spread**2 + at.prior_j.T @ at.prior_j), np.float64)
    return best, covariance, rms * _SCALE, cost


def _densities(scene: _Scene, p: _Floats) -> _Floats:
    """Pixels a millimetre across and down, square to the line of sight at the board's middle."""
    _, place = scene.pose(p)
    sight = place / np.linalg.norm(place)
    across = np.cross([0.0, 1.0, 0.0], sight)
    across /= np.linalg.norm(across)
    ways = np.stack([across, np.cross(sight, across)])
    points = np.concatenate([place + ways, place - ways])
    seen = scene.lens(points[:, :2] / points[:, 2:], p)
    return np.asarray(np.hypot(*(seen[:2] - seen[2:]).T) / 2)


def fit(picture: NDArray[np.float32], corners: _Floats, lens: Lens) -> BoardFit:
    """The board near the corners that were found.

    picture: (rows, columns) codes; corners: (8, 2) pixels of both markers' corners, clockwise from the top left.
    Raises MeasurementRefused where the board is too small, cut off or cannot be fitted.
    """
    paper = np.concatenate([np.asarray(marker.region.corners) for marker in _BOARD.markers])
    shape = (picture.shape[0], picture.shape[1])
    matrix, _ = cv2.findHomography(paper, corners, 0)
    if matrix is None or not np.isfinite(matrix).all():
        raise MeasurementRefused("the board's markers lie on one line: hold it towards the camera")
    frame = cv2.perspectiveTransform(np.asarray([_BOARD.frame.corners]), matrix)[0]
    if (frame < 1).any() or (frame > (shape[1] - 2, shape[0] - 2)).any():
        raise MeasurementRefused("the picture cuts off the board: show the whole of it")
    (left, top), (right, bottom) = np.floor(frame.min(0)).astype(int), np.ceil(frame.max(0)).astype(int)
    left, top = max(left - 4, 0), max(top - 4, 0)
    luma = picture[top : bottom + 5, left : right + 5]
    found = []
    for turn, move in _first_poses(paper, corners, shape, lens.focal):
        scene = _Scene(luma, turn, move, lens.focal, (top, left), shape)
        found += [(scene, *_solve(scene, lens, k1)) for k1 in _STARTS]
    scene, p, covariance, rms, _ = min(found, key=lambda one: one[4])
    across, down = _densities(scene, p)
    slope = np.zeros((2, len(p)))
    for i, step in enumerate(_STEPS[:8]):
        moved = p.copy()
        moved[i] += step
        slope[:, i] = (_densities(scene, moved) - (across, down)) / step
    u = np.sqrt(np.diag(slope @ covariance @ slope.T))
    turn, place = scene.pose(p)
    tilt = math.degrees(math.acos(min(1.0, abs(float(turn[:, 2] @ place)) / float(np.linalg.norm(place)))))
    edge = scene.project(np.asarray(_BOARD.frame.corners), p)
    at = scene.project(np.array([_MIDDLE]), p)[0]
    span = float(p[10]) * _SCALE
    return BoardFit(
        float(across), float(down), float(u[0]), float(u[1]), tilt,
        float(np.hypot(*(edge[0] - edge[1]))), (float(at[0]), float(at[1])), rms / max(span, 1.0), span,
        math.exp(p[8]),
    )  # fmt: skip


def _first_poses(
    paper: _Floats, corners: _Floats, shape: tuple[int, int], focal: float
) -> list[tuple[_Floats, _Floats]]:
    """Rotations and places of the board by its markers' corners alone: a plane seen from afar may lean either way."""
    camera = np.array([[focal, 0, (shape[1] - 1) / 2], [0, focal, (shape[0] - 1) / 2], [0, 0, 1.0]])
    flat = np.column_stack([paper - _MIDDLE, np.zeros(len(paper))])
    _, turns, moves, _ = cv2.solvePnPGeneric(flat, corners, camera, None, flags=cv2.SOLVEPNP_IPPE)
    found = [
        (_rotation(np.asarray(turn, np.float64).ravel()), np.asarray(move, np.float64).ravel())
        for turn, move in zip(turns, moves, strict=True)
        if np.isfinite(move).all() and np.isfinite(turn).all() and float(move[2, 0]) > 0
    ]
    if not found:
        raise MeasurementRefused("the board cannot be fitted: hold it upright, towards the camera")
    return found
