"""Where the chart stands in the picture: found by its markers once, then every region is known in pixels."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import cv2
import numpy as np
from numpy.typing import ArrayLike, NDArray

from bench.measure.chart_map import ChartMap, fit_corners, refine
from bench.measure.reading import Box, Reader
from bench.measure.shading import Shading, fit_shading, paper_places
from bench.measure.tone import Tone, measure_tone
from fixtures.charts import CHARTS, Chart, Edge, Region, chart_of_markers
from standards.errors import MeasurementRefused

__all__ = ["ChartView", "copies_of", "locate", "which_chart"]

_Floats = NDArray[np.float64]
_LEAST_EDGE = 30  # pixels across an edge's rectangle: what the edge method has been proven with
_MOST_MISFIT = 0.004  # of the picture's width: markers that no flat chart can show so
_MOST_TURN = 8.0  # degrees; with the chart's own slant the edges leave the good range beyond
_BLUR, _SHARPENED_UP_TO = 2.5, 2000  # pixels: radius of sharpening; widest picture that is enlarged
_ASKEW = 0.2  # tangent of a side's slope, from which a region counts as askew
_SAME_STEP = 0.03  # difference of density below which two patches are copies of one step
_CORE = {"grey": 0.6, "counter": 0.6, "lamp": 0.7}  # inner share of a region that is read


@dataclass(frozen=True)
class ChartView:
    """A chart in a picture. map: from its millimetres to pixels; misfit: how far its sides lie off that, rms in
    pixels, nan where there were too few; picture: the luma it was found in."""

    chart: Chart
    map: ChartMap
    picture: NDArray[np.uint8]
    misfit: float = math.nan

    @property
    def shape(self) -> tuple[int, int]:
        """(rows, columns) of the pictures this view is valid for."""
        return self.picture.shape[0], self.picture.shape[1]

    def corners(self, region: Region) -> _Floats:
        """(n, 2) corners of a region, pixels."""
        return self.map.to_picture(np.asarray(region.corners, dtype=np.float64))

    def box(self, region: Region) -> Box:
        """The upright box of whole pixels inside a quadrilateral region.

        Of one that stands askew (a step of a ring) the largest about its middle.
        """
        corners = self.corners(region)
        side = corners[1] - corners[0]
        if min(abs(side[0]), abs(side[1])) > _ASKEW * max(abs(side[0]), abs(side[1])):
            corners = _inscribed(corners)
        (_, x0, x1, _), (_, y0, y1, _) = np.sort(corners, axis=0).T
        rows = slice(math.ceil(y0), max(math.floor(y1) + 1, math.ceil(y0) + 1))
        return rows, slice(math.ceil(x0), max(math.floor(x1) + 1, math.ceil(x0) + 1))

    def edge_box(self, edge: Edge) -> Box:
        """The rectangle that an edge is measured in."""
        return self.box(edge.roi)

    @cached_property
    def grey_boxes(self) -> tuple[Box, ...]:
        """Inner part of each grey step, in the chart's order."""
        return tuple(self.box(grey.inset(_CORE["grey"])) for grey in self.chart.greys)

    @property
    def lamp(self) -> Region:
        """The lamp's window. Raises MeasurementRefused for a chart without one."""
        if self.chart.lamp is None:
            raise MeasurementRefused(f"chart {self.chart.name} has no lamp window: use camcert-1")
        return self.chart.lamp

    @property
    def lamp_row(self) -> float:
        """Where the lamp's window lies, 0.0 at the top row to 1.0 at the last: for a rolling shutter."""
        return float(self.corners(self.lamp)[:, 1].mean()) / (self.shape[0] - 1)

    def tone(self, pictures: Sequence[NDArray[np.uint8]] = ()) -> Tone:
        """Tone curve from the grey steps, over the pictures given or the one of this view.

        Raises MeasurementRefused if the steps are covered, clipped or unevenly lit.
        """
        return self._lit(pictures)[1]

    def shading(self, pictures: Sequence[NDArray[np.uint8]] = ()) -> Shading:
        """How the light falls off from the picture's middle. Raises MeasurementRefused as `tone` does."""
        return self._lit(pictures)[0]

    def square_radius(self, points: _Floats) -> _Floats:
        """Squares of the distance of (n, 2) pixels from the picture's middle, in half diagonals."""
        return np.asarray((((points - self.map.centre) / self.map.half_diagonal) ** 2).sum(1))

    def _lit(self, pictures: Sequence[NDArray[np.uint8]]) -> tuple[Shading, Tone]:
        """Fall-off and tone curve together."""
        of = pictures or (self.picture,)
        read = [float(np.mean([p[box].mean() for p in of])) for box in self.grey_boxes]
        if not read:
            raise MeasurementRefused(
                f"chart {self.chart.name} has no grey steps: no tone curve can be had from it"
            )
        reflectance = np.array([grey.reflectance or 0.0 for grey in self.chart.greys])
        middles = np.array([self.corners(grey).mean(0) for grey in self.chart.greys])
        squares = self.square_radius(middles)

        of_step = copies_of(reflectance)
        copies = np.bincount(of_step)
        codes = (np.bincount(of_step, read) / copies).tolist()

        def tone_at(shading: Shading, tolerance: float | None = None) -> Tone:
            known = (np.bincount(of_step, reflectance * shading.at(squares)) / copies).tolist()
            return (
                measure_tone(codes, known)
                if tolerance is None
                else measure_tone(codes, known, tolerance=tolerance)
            )

        places = self.map.to_picture(paper_places(self.chart.name))
        rows, columns = self.shape
        inside = ((places > 3) & (places < (columns - 4, rows - 4))).all(1)
        near = np.rint(places[inside]).astype(int)
        paper = [np.mean([p[y - 2 : y + 3, x - 2 : x + 3].mean() for p in of]) for x, y in near]
        return fit_shading(np.array(paper), self.square_radius(places[inside]), tone_at)

    def reader(self) -> Reader:
        """Reader of counter and lamp for every picture; without a tone curve the lamp reads nan."""
        try:
            table = self.tone().table
        except MeasurementRefused:
            table = None  # light cannot be had from codes then, and the reading says so: nan
        cells = tuple(self.box(cell.inset(_CORE["counter"])) for cell in self.chart.cells)
        return Reader(self.shape, cells, self.box(self.lamp.inset(_CORE["lamp"])), table)


def copies_of(reflectance: ArrayLike) -> NDArray[np.int64]:
    """(n,) which step of the scale each is, from dark to light. Copies of a step at several places count as one: apart, they
    would pass for a step in the curve. Each has its own density in a certificate, a few thousandths from the others'."""
    density = -np.log10(np.maximum(np.asarray(reflectance, dtype=np.float64), 1e-6))
    order = np.argsort(-density, kind="stable")
    new = np.concatenate([[False], -np.diff(density[order]) > _SAME_STEP])
    found = np.empty(len(order), np.int64)
    found[order] = np.cumsum(new)
    return found


def _inscribed(corners: _Floats) -> _Floats:
    """Corners of the largest upright rectangle about the middle of a convex polygon."""
    middle = corners.mean(0)
    side = np.roll(corners, -1, axis=0) - corners
    normal = np.abs(np.column_stack([-side[:, 1], side[:, 0]]) / np.hypot(side[:, 0], side[:, 1])[:, None])
    room = np.abs(((corners - middle) * np.column_stack([-side[:, 1], side[:, 0]])).sum(1)) / np.hypot(
        *side.T
    )
    turns = np.radians(np.linspace(5.0, 85.0, 33))
    ways = np.column_stack([np.cos(turns), np.sin(turns)])
    reach = (room[None, :] / (ways @ normal.T)).min(1)
    best = int(np.argmax(reach**2 * ways[:, 0] * ways[:, 1]))
    half = reach[best] * ways[best]
    return np.asarray(middle + half * np.array([[-1, -1], [1, -1], [1, 1], [-1, 1]]))


def _sharpened(luma: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Twice the size and sharpened: shows markers that a blurred lens hides. Only to find, not to measure."""
    soft = cv2.GaussianBlur(luma, (0, 0), _BLUR)
    crisp = cv2.addWeighted(luma, 3.0, soft, -2.0, 0.0)
    return np.asarray(cv2.resize(crisp, None, fx=2, fy=2, interpolation=cv2.INTER_CUBIC), dtype=np.uint8)


def _find_markers(luma: NDArray[np.uint8], chart: Chart) -> dict[int, _Floats]:
    """Markers of the picture as it is, or else sharpened where that shows more of them."""
    found = _markers(luma, chart)
    if len(found) < len(chart.markers) and luma.shape[1] <= _SHARPENED_UP_TO:
        again = _markers(_sharpened(luma), chart)
        if len(again) > len(found):
            return {number: (quad + 0.5) / 2 - 0.5 for number, quad in again.items()}
    return found


def _detected(luma: NDArray[np.uint8]) -> list[tuple[int, _Floats]]:
    """Every marker of the charts' dictionary: its number and corners, (4, 2) pixels."""
    parameters = cv2.aruco.DetectorParameters()
    parameters.cornerRefinementMethod = cv2.aruco.CORNER_REFINE_SUBPIX
    parameters.adaptiveThreshWinSizeMax = 63
    parameters.perspectiveRemovePixelPerCell = 8
    parameters.perspectiveRemoveIgnoredMarginPerCell = 0.33
    dictionary = cv2.aruco.getPredefinedDictionary(cv2.aruco.DICT_4X4_50)
    corners, ids, _ = cv2.aruco.ArucoDetector(dictionary, parameters).detectMarkers(luma)
    numbers = [] if ids is None else [int(i) for i in np.asarray(ids).ravel()]
    quads = [np.asarray(quad, dtype=np.float64).reshape(4, 2) for quad in corners]
    return list(zip(numbers, quads, strict=True))


def _markers(luma: NDArray[np.uint8], chart: Chart) -> dict[int, _Floats]:
    """Corners, (4, 2) pixels, of the chart's markers that the picture shows just once."""
    found = _detected(luma)
    numbers = [number for number, _ in found]
    wanted = {marker.id for marker in chart.markers}
    return {n: quad for n, quad in found if n in wanted and numbers.count(n) == 1}


def which_chart(picture: NDArray[np.uint8]) -> Chart:
    """The chart that the picture shows, told by its markers.

    picture: (rows, columns) luma. Raises MeasurementRefused if it shows none, or several.
    """
    ids = {number for number, _ in _detected(picture)}
    if chart_of_markers(ids) is None and picture.shape[1] <= _SHARPENED_UP_TO:
        ids |= {number for number, _ in _detected(_sharpened(picture))}
    counts = {c.name: len(ids & {m.id for m in c.markers}) for c in CHARTS.values()}
    names = sorted((name for name, count in counts.items() if count), key=lambda name: -counts[name])
    if not names:
        raise MeasurementRefused("no chart found in the picture: put one before the camera")
    # A single false marker of another chart is noise; two charts in view are two.
    if len(names) > 1 and counts[names[1]] > 1:
        raise MeasurementRefused(f"charts {', '.join(names)} are in the picture at once: show one")
    return CHARTS[names[0]]


def _fit(found: dict[int, _Floats], chart: Chart, picture: NDArray[np.uint8]) -> tuple[ChartMap, float]:
    """The map over all marker corners, then over the chart's sides; and the misfit of these, pixels rms."""
    shape = (picture.shape[0], picture.shape[1])
    paper = np.concatenate([np.asarray(marker.region.corners) for marker in chart.markers])
    seen = np.concatenate([found[marker.id] for marker in chart.markers])
    rough = fit_corners(paper, seen, shape)
    if rough is None:
        raise MeasurementRefused(
            "the chart's markers lie on one line: put the chart upright before the camera"
        )
    misfit = float(np.abs(rough.to_picture(paper) - seen).max())
    if misfit > max(2.0, _MOST_MISFIT * shape[1]):
        raise MeasurementRefused(
            f"the markers lie {misfit:.1f} pixels off a flat chart: flatten it, or the lens distorts too much"
        )
    return refine(rough, picture, chart)


def _check(view: ChartView) -> None:
    """Refuse a chart that is cut off, too small or turned too far to be measured."""
    rows, columns = view.shape
    for region in view.chart.regions.values():
        corners = view.corners(region)
        if (corners < 0).any() or (corners > (columns - 1, rows - 1)).any():
            raise MeasurementRefused(
                f"the picture cuts off '{region.name}' of the chart: move the camera back"
            )
    for edge in view.chart.edges:
        across = min(s.stop - s.start for s in view.edge_box(edge))
        if across < _LEAST_EDGE:
            raise MeasurementRefused(
                f"the chart is too small: '{edge.name}' is {across} pixels across, {_LEAST_EDGE} are needed; "
                "let the chart fill the picture"
            )
    level = view.corners(view.chart.panel or view.chart.frame)
    top = level[1] - level[0]
    turn = math.degrees(math.atan2(top[1], top[0]))
    if abs(turn) > _MOST_TURN:
        raise MeasurementRefused(f"the chart is turned by {turn:.1f} degrees: put it upright")


def locate(picture: NDArray[np.uint8], chart: Chart) -> ChartView:
    """Find the chart in a picture.

    picture: (rows, columns) luma. Raises MeasurementRefused if the chart is not found, is cut off or
    covered, too small, turned or bent; the message says which, and the mend.
    """
    if picture.ndim != 2 or picture.dtype != np.uint8:
        raise ValueError(f"a luma picture is (rows, columns) uint8, not {picture.shape} {picture.dtype}")
    found = _find_markers(picture, chart)
    missing = [place for place, marker in enumerate(chart.markers) if marker.id not in found]
    if len(missing) == len(chart.markers):
        raise MeasurementRefused(f"chart {chart.name} not found in the picture: put it before the camera")
    if missing:
        names = ("top left", "top right", "bottom right", "bottom left")  # in the order of every chart's
        listed = ", ".join(names[place] for place in missing)
        raise MeasurementRefused(f"the chart's marker {listed} is cut off or covered: show the whole chart")
    fitted, misfit = _fit(found, chart, picture)
    view = ChartView(chart, fitted, picture, misfit)
    _check(view)
    return view
