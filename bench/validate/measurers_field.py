"""Measurers of colour, field and site: colours, white balance, distortion, pixel density.

Truth of a colour goes its own way: from the chart's light through the camera's logged gains and tone curve, and back to
CIELAB by colour-science; none of it is the code that measures.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import brentq

from bench.camera.stills import colour_pictures
from bench.measure.chart_view import ChartView
from bench.measure.colour import colour_error, patch_signals, white_balance_error
from bench.measure.geometry import geometric_distortion
from bench.measure.pixel_density import Board, pixel_density
from bench.validate.captures import Proof
from fixtures.charts import CHARTS
from fixtures.charts.colour import NOMINAL_LAB
from standards.quantity import Estimate

__all__ = ["CERTIFICATE_U", "FIELD", "colour_truth", "distortion_truth", "perturbed", "signal_of"]

Pictures = tuple[np.ndarray, ...]

_Floats = NDArray[np.float64]
#: Standard uncertainty of the chart's certificate that is drawn for every case: of L*, a* and b*.
CERTIFICATE_U = 0.3
_GREYS = slice(19, 23)


def perturbed(seed: int) -> dict[str, float]:
    """A certificate whose figures err as it says: CIELAB by "patch.N.L" ..."""
    draw = np.random.default_rng([seed, 0xC1E])
    return {
        f"patch.{number}.{axis}": value + CERTIFICATE_U * float(draw.standard_normal())
        for number, (_, lab) in enumerate(NOMINAL_LAB, start=1)
        for axis, value in zip("Lab", lab, strict=True)
    }


def signal_of(light: _Floats, tone: str) -> _Floats:
    """The camera's tone curve, as its file names it."""
    light = np.clip(light, 0.0, 1.0)
    if tone == "gamma22":
        return np.asarray(light ** (1 / 2.2))
    if tone == "linear":
        return light
    return np.where(light < 0.018, 4.5 * light, 1.099 * light**0.45 - 0.099)


def colour_signals(proof: Proof) -> _Floats:
    """(24, 3) R'G'B' that the camera made of the patches: light, lens, gains, saturation, tone."""
    chart, camera = proof.start["chart"], proof.camera
    frame = proof.frames[-1]["picture"]
    width, height = chart["width"], chart["height"]
    half = (width**2 + height**2) / 4
    parts = [chart["regions"][f"patch.{n}"] for n in range(1, 25)]
    light = np.array([part["linear_srgb"] for part in parts])
    places = np.array([part["centre"] for part in parts])
    squares = ((places - [(width - 1) / 2, (height - 1) / 2]) ** 2).sum(1) / half
    glare = camera["lens"]["glare"]
    # The mean signal is logged with the exposure in it; it counts the glare's share of itself.
    exposure = frame["illuminance_lx"] / 500 * 10 ** (frame["gain_db"] / 20)
    mean = frame["mean_signal"] / exposure
    light = (light * (1 - glare) + glare * mean) * (1 - camera["lens"]["vignetting"] * squares)[:, None]
    balanced = np.minimum(light * exposure, 1.0) * np.asarray(frame["white_balance"])
    return signal_of(balanced, camera["picture"]["tone"])


def colour_truth(proof: Proof) -> dict[str, float]:
    """Mean CIE 2000 difference and shift of the greys in u'v'."""
    import colour  # slow to import

    signals = colour_signals(proof)
    linear = np.where(signals < 0.081, signals / 4.5, ((signals + 0.099) / 1.099) ** (1 / 0.45))
    space = colour.RGB_COLOURSPACES["ITU-R BT.709"]
    d50 = colour.CCS_ILLUMINANTS["CIE 1931 2 Degree Standard Observer"]["D50"]
    xyz: Any = colour.RGB_to_XYZ(linear, space, illuminant=d50, chromatic_adaptation_transform="Bradford")
    nominal = np.array([lab for _, lab in NOMINAL_LAB])
    known: Any = colour.Lab_to_XYZ(nominal, d50)
    scale = known[_GREYS, 1].sum() / xyz[_GREYS, 1].sum()
    lab = colour.XYZ_to_Lab(xyz * scale, d50)
    shift = (_uv(xyz) - _uv(known))[_GREYS].mean(0)
    return {
        "picture.colour_error": float(np.mean(colour.delta_E(lab, nominal, method="CIE 2000"))),
        "picture.white_balance_error": float(np.hypot(*shift)),
    }


def _uv(xyz: _Floats) -> _Floats:
    import colour  # slow to import

    return np.asarray(colour.Luv_to_uv(colour.XYZ_to_Luv(xyz)))


def _colour(proof: Proof, view: ChartView, pictures: Pictures) -> Iterable[Estimate]:
    """The simulated light is even, so that nothing stands in the budget for it."""
    seen, certified = patch_signals(colour_pictures(proof.capture), view), perturbed(proof.seed)
    yield colour_error(seen, certified=certified, lab_u=CERTIFICATE_U, light_u=0.0)
    yield white_balance_error(seen, certified=certified, lab_u=CERTIFICATE_U)


def distortion_truth(proof: Proof) -> dict[str, float]:
    """From focal length and k1, k2, k3 of the lens, which count radii in focal lengths."""
    chart = proof.start["chart"]
    lens, width, height = chart["lens"], chart["width"] / 2, chart["height"] / 2
    k1, k2, k3 = lens["distortion"]

    def seen(ideal: float, across: float = 0.0) -> float:
        """How far off a point is seen, of (across, ideal); in focal lengths."""
        square = ideal * ideal + across * across
        return float(ideal * (1 + square * (k1 + square * (k2 + square * k3))))

    def ideal_of(wanted: float, across: float = 0.0) -> float:
        steps = np.linspace(0.0, 2 * wanted, 2001)
        above = next(i for i, r in enumerate(steps) if seen(float(r), across) >= wanted)
        return float(brentq(lambda r: seen(r, across) - wanted, steps[above - 1], steps[above]))

    corner = float(np.hypot(width, height)) / lens["focal_px"]
    up, side = 0.9 * height / lens["focal_px"], 0.9 * width / lens["focal_px"]
    y = ideal_of(up)
    x = ideal_of(side, y)
    return {
        "picture.geometric_distortion": 100 * abs(corner / ideal_of(corner) - 1),
        "picture.tv_distortion": 100 * abs(seen(y, x) / up - 1),
    }


def _distortion(proof: Proof, view: ChartView, pictures: Pictures) -> Iterable[Estimate]:
    """The simulated chart is flat."""
    return geometric_distortion(pictures, view, flatness_u_mm=0.0)


#: Standard uncertainties of what is told of a board and a lens, and drawn for every case: mm, share of the focal length.
_BOARD_U_MM, _FOCAL_U = 0.2, 0.02
_BOARD_MM = 280.0


def density_truth(proof: Proof) -> dict[str, float]:
    """Pixels a metre across and down, square to the line of sight at the board's middle: by the pose's own geometry."""
    scene, lens = proof.camera["scene"], proof.start["chart"]["lens"]
    focal, (k1, k2, k3) = lens["focal_px"], lens["distortion"]
    x, y = scene["dx"] / focal, scene["dy"] / focal
    scale = 1000 * scene["fill"] * proof.start["chart"]["width"] / CHARTS["board"].width
    sight = np.array([x, y, 1.0]) / np.sqrt(1 + x * x + y * y)
    across = np.array([sight[2], 0, -sight[0]]) / np.hypot(sight[0], sight[2])
    found = []
    for way in (across, np.cross(sight, across)):
        ends = []
        for sign in (1e-5, -1e-5):
            at = np.array([x, y, 1.0]) + sign * way
            at = at[:2] / at[2]
            square = float(at @ at)
            ends.append(at * (1 + square * (k1 + square * (k2 + square * k3))))
        found.append(scale * float(np.hypot(*(ends[0] - ends[1]))) / 2e-5)
    return dict(zip(("picture.pixel_density", "picture.pixel_density_vertical"), found, strict=True))


def _density(proof: Proof, view: ChartView | None, pictures: Pictures) -> Iterable[Estimate]:
    """The board's length and the lens's field of view are told with errors as their certificates state them."""
    draw = np.random.default_rng([proof.seed, 0xB0A])
    board = Board(_BOARD_MM + _BOARD_U_MM * float(draw.standard_normal()), _BOARD_U_MM)
    told = np.tan(np.radians(proof.camera["lens"]["hfov_deg"]) / 2) * (1 + _FOCAL_U * draw.standard_normal())
    hfov = 2 * float(np.degrees(np.arctan(told)))
    return pixel_density(pictures[:3], board, hfov_deg=hfov, hfov_u=_FOCAL_U)


_Row = tuple[
    str, tuple[str, ...], Callable[[Proof, Any, Pictures], Iterable[Estimate]],
    Callable[[Proof], dict[str, float]],
]  # fmt: skip
#: Chart, quantities, measure, truth: what a `Measurer` is made of.
FIELD: tuple[_Row, ...] = (
    ("colour", ("picture.colour_error", "picture.white_balance_error"), _colour, colour_truth),
    ("board", ("picture.pixel_density", "picture.pixel_density_vertical"), _density, density_truth),
    ("grid", ("picture.geometric_distortion", "picture.tv_distortion"), _distortion, distortion_truth),
)
