"""Limiting resolution of the picture, from slanted edges: what it resolves, never how many pixels it has.

The limiting resolution is the frequency where the response of the near-vertical edges falls to 10 %, in
lines a picture height (LW/PH, "TV lines"): 2 x picture height x f10. See docs/methods/resolution.md.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import GTC
import numpy as np
from numpy.typing import NDArray

from bench.measure.chart_mtf import ASSUMED, ChartMtf, pixels_per_mm, print_effect
from bench.measure.chart_view import ChartView
from bench.measure.coding import coding_u
from bench.measure.edge import EdgeSfr, edge_sfr
from bench.measure.noise import DENSITY_U
from bench.measure.tone import Tone
from bench.measure.tone_error import edge_errors
from fixtures.charts import Edge
from fixtures.charts.geometry import Orientation
from standards.errors import MeasurementRefused
from standards.quantity import Contribution, Estimate, Kind

__all__ = ["resolution"]

_Floats = NDArray[np.float64]
_NYQUIST = 0.5
_BEYOND = 1.0  # cycles a pixel that stands for "no fall to 10 % seen"
_MOST_CLIPPED = 0.01  # share of an edge's pixels outside the measured tone curve by this many codes
_CLIP_MARGIN = 6.0
#: Relative standard uncertainties (type B) of f10; docs/methods/resolution.md says where each comes from.
_METHOD_U = 0.001
_CODING_COMMON_U, _CODING_COMMON_POOR_U, _CODING_U = (
    0.0035,
    0.012,
    0.003,
)  # of all squares alike, which the ratio cancels; of each alone
_ONE_PICTURE_U = 0.015
_CURVE_POINTS = 51
_TONE = "tone curve and nominal reflectances"


@dataclass(frozen=True)
class _Series:
    """f10 of one square's near-vertical edges, (pictures, edges) cycles a pixel, and its noise alike."""

    values: _Floats
    noise_u: _Floats

    @property
    def mean(self) -> float:
        """Mean over pictures and edges."""
        return float(self.values.mean())

    @property
    def noise(self) -> float:
        """Standard uncertainty of the mean by noise alone."""
        return math.sqrt(float((self.noise_u**2).sum())) / self.values.size


@dataclass(frozen=True)
class _Scatter:
    """Relative standard deviations, pooled over the squares, with their degrees of freedom."""

    pictures: float
    pictures_dof: int
    edges: float
    edges_dof: int


def _measure(pictures: Sequence[NDArray[np.uint8]], view: ChartView, tone: Tone) -> dict[str, list[EdgeSfr]]:
    """Every edge in every picture, by the edge's name. Raises MeasurementRefused, naming the edge."""
    found: dict[str, list[EdgeSfr]] = {}
    for edge in view.chart.edges:
        if edge.orientation not in ("vertical", "horizontal"):
            continue  # told beside the value, by `_diagonals`
        box = view.edge_box(edge)
        rows = []
        for picture in pictures:
            _refuse_clipped(picture[box], tone, edge)
            try:
                rows.append(edge_sfr(tone.linear(picture[box])))
            except MeasurementRefused as refused:
                raise MeasurementRefused(f"{edge.name}: {refused}") from refused
        found[edge.name] = rows
    return found


def _diagonals(picture: NDArray[np.uint8], view: ChartView, tone: Tone) -> dict[str, dict[str, Any]]:
    """MTF50 and MTF10 of the diagonal edges in one picture, cycles a pixel, or why there are none."""
    found: dict[str, dict[str, Any]] = {}
    for edge in view.chart.edges:
        if edge.orientation in ("vertical", "horizontal"):
            continue
        try:
            _refuse_clipped(picture[view.edge_box(edge)], tone, edge)
            one = edge_sfr(tone.linear(picture[view.edge_box(edge)]))
        except MeasurementRefused as refused:
            found[edge.name] = {"refused": str(refused)}
            continue
        found[edge.name] = {
            name: None if math.isnan(value) else round(value, 6)
            for name, value in (
                ("mtf50", one.mtf50), ("mtf50_u", one.mtf50_u), ("mtf10", one.mtf10), ("mtf10_u", one.mtf10_u),
                ("angle_deg", one.angle_deg), ("snr_db", one.snr_db),
            )
        }  # fmt: skip
    return found


def _refuse_clipped(roi: NDArray[np.uint8], tone: Tone, edge: Edge) -> None:
    low, high = tone.span
    outside = np.mean((roi < low - _CLIP_MARGIN) | (roi > high + _CLIP_MARGIN))
    if outside > _MOST_CLIPPED:
        raise MeasurementRefused(
            f"{edge.name}: {100 * outside:.0f} % of its pixels lie outside the grey steps "
            f"(codes {low:.0f} to {high:.0f}): light the chart evenly, change exposure"
        )


def _series(
    edges: Sequence[Edge], found: dict[str, list[EdgeSfr]], square: str, way: Orientation = "vertical"
) -> _Series:
    names = [edge.name for edge in edges if edge.square == square and edge.orientation == way]
    values = np.array([[r.mtf10 for r in found[name]] for name in names]).T
    noise = np.array([[r.mtf10_u for r in found[name]] for name in names]).T
    beyond = np.isnan(values)
    return _Series(np.where(beyond, _BEYOND, values), np.where(beyond, 0.0, noise))


def _scatter(series: Sequence[_Series]) -> _Scatter:
    """Scatter between pictures and between edges of one square, each pooled over squares."""
    pictures = series[0].values.shape[0]
    edges = series[0].values.shape[1]
    by_picture = [s.values.mean(1) / s.mean for s in series]
    by_edge = [s.values.mean(0) / s.mean for s in series]
    between = math.sqrt(float(np.mean([p.var(ddof=1) for p in by_picture]))) if pictures > 1 else 0.0
    beside = math.sqrt(float(np.mean([e.var(ddof=1) for e in by_edge])))
    return _Scatter(between, len(series) * (pictures - 1), beside, len(series) * (edges - 1))


def _uncertain(series: _Series, scatter: _Scatter, label: str) -> tuple[GTC.lib.UncertainReal, list[Any]]:
    """f10 of one square as an uncertain number, with the elementary ones that belong to it alone.

    Noise stands in the scatter between pictures, and both in that between edges, so each adds only what
    it exceeds the one before by.
    """
    pictures, edges = series.values.shape
    value, noise = series.mean, series.noise
    parts = [GTC.ureal(0, noise, label=f"{label}: noise")]
    if pictures > 1:
        whole = scatter.pictures * value / math.sqrt(pictures)
        excess = math.sqrt(max(whole**2 - noise**2, 0.0))
        parts.append(GTC.ureal(0, excess, scatter.pictures_dof, label=f"{label}: scatter between GOPs"))
    else:
        excess = _ONE_PICTURE_U * value
        parts.append(GTC.ureal(0, excess, label=f"{label}: one picture only, coding error"))
    beside = scatter.edges * value / math.sqrt(edges)
    rest = math.sqrt(max(beside**2 - excess**2 - noise**2, 0.0))
    parts.append(GTC.ureal(0, rest, scatter.edges_dof, label=f"{label}: scatter between edges"))
    frozen = GTC.ureal(0, _CODING_U * value, label=f"{label}: coding error common to all GOPs")
    parts.append(frozen)
    return value + sum(parts), parts


def _budget(result: GTC.lib.UncertainReal, parts: Sequence[Any]) -> tuple[Contribution, ...]:
    """Contributions in the unit of the result; those of no effect are left out."""
    lines = []
    for part in parts:
        u = float(abs(GTC.component(result, part)))
        if u > 0:
            dof = None if math.isinf(part.df) else float(part.df)
            type_a = "scatter" in part.label or "noise" in part.label
            source = "statistics of this capture" if type_a else "docs/methods/resolution.md"
            source = "certificate" if part.label.startswith("chart:") else source
            lines.append(
                Contribution(name=part.label, u=u, dof=dof, method="A" if type_a else "B", source=source)
            )
    return tuple(lines)


def _curve(results: Sequence[EdgeSfr]) -> dict[str, list[float]]:
    """Mean response of some edges up to 1 cycle a pixel, at most 60 points."""
    pick = slice(None, None, (len(results[0].frequency) - 1) // (_CURVE_POINTS - 1))
    mean = np.mean([r.sfr for r in results], axis=0)
    u = np.sqrt(np.mean([r.sfr_u**2 for r in results], axis=0) / len(results))
    return {
        "frequency": np.round(results[0].frequency[pick], 4).tolist(),
        "sfr": np.round(mean[pick], 5).tolist(),
        "u": np.round(u[pick], 5).tolist(),
    }


def _details(view: ChartView, tone: Tone, found: dict[str, list[EdgeSfr]], pictures: int) -> dict[str, Any]:
    """What the report draws: curves, figures by edge, tone curve. Frequencies in cycles a pixel."""
    vertical = [edge for edge in view.chart.edges if edge.near_vertical]
    centre = [r for edge in vertical if edge.square == "edge.centre" for r in found[edge.name]]
    corners = [r for edge in vertical if edge.square != "edge.centre" for r in found[edge.name]]

    def mean(name: str, field: str) -> float | None:
        values = [getattr(r, field) for r in found[name]]
        return None if any(math.isnan(v) for v in values) else round(float(np.mean(values)), 6)

    return {
        "curve": _curve(centre),
        "curve_corners": _curve(corners),
        "frequency_unit": "cycles/pixel",
        "picture_height": view.shape[0],
        "normalisation": centre[0].normalisation,
        "edges": {
            name: {
                "mtf50": mean(name, "mtf50"),
                "mtf10": mean(name, "mtf10"),
                "angle_deg": mean(name, "angle_deg"),
                "snr_db": mean(name, "snr_db"),
            }
            for name in found
        },
        "tone": {
            "code": [round(c, 3) for c in tone.codes],
            "reflectance": [round(r, 5) for r in tone.reflectances],
        },
        "pictures": pictures,
    }


def _notes(found: dict[str, list[EdgeSfr]], names: Sequence[str], pictures: int) -> list[str]:
    """Remarks that belong beside the values: doubtful edges, a single picture."""
    notes = []
    if pictures == 1:
        notes.append("one picture only: the coding error is taken from experience, not from this stream")
    doubts = {f"{name}: {flag}" for name in names for r in found[name] for flag in r.flags}
    notes.extend(sorted(doubts)[:4])
    return notes


def _estimate(
    quantity: str, unit: str, result: GTC.lib.UncertainReal, parts: Sequence[Any], value: float, **more: Any
) -> Estimate:
    dof = float(result.df)
    return Estimate(
        quantity=quantity,
        kind=Kind.RATIO,
        value=value,
        unit=unit,
        u=float(result.u),
        dof=None if math.isinf(dof) or dof > 1e6 else dof,
        budget=_budget(result, parts),
        **more,
    )


def _through_print(
    numbers: dict[str, tuple[GTC.lib.UncertainReal, list[Any]]],
    view: ChartView,
    found: dict[str, list[EdgeSfr]],
    chart_mtf: ChartMtf | None,
) -> tuple[dict[str, GTC.lib.UncertainReal], Any, list[str]]:
    """f10 of each square without what the print takes off it, the print's elementary number, and notes.

    One certificate, so one number: in the ratio of corners to centre it cancels as far as it acts alike.
    """
    plain = {name: number for name, (number, _) in numbers.items()}
    if chart_mtf is None:
        return plain, GTC.ureal(0, 0, label="chart"), [ASSUMED]
    error = GTC.ureal(0, 1, label=f"chart: modulation transfer of the print, certificate {chart_mtf.number}")
    out, notes = {}, []
    for square in view.chart.squares:
        near = [e.name for e in view.chart.edges if e.square == square.name and e.near_vertical]
        results = [result for name in near for result in found[name]]
        effect = print_effect(results, pixels_per_mm(view, square), chart_mtf)
        out[square.name] = plain[square.name] * (effect.factor + effect.u * error)
        notes += [effect.note] if effect.note else []
    return out, error, sorted(set(notes))


def _tone_u(picture: NDArray[np.uint8], view: ChartView, tone: Tone, density_u: float) -> tuple[float, float]:
    """Relative standard uncertainties of the centre and of the corners' share of it, by the densities of the grey steps.

    Copies of a step err each by itself, so that their mean errs less.
    """
    squares = [s.name for s in view.chart.squares]
    first = [next(e for e in view.chart.edges if e.square == name and e.near_vertical) for name in squares]
    copies = max(len(view.chart.greys) / len(tone.codes), 1.0)
    errors = edge_errors(
        tone, [picture[view.edge_box(edge)] for edge in first], density_u / math.sqrt(copies)
    )
    if len(errors) < 2:
        raise MeasurementRefused(
            "the tone curve is too uncertain for the edges: mend light or exposure, or give the chart's certificate"
        )
    centre = errors[:, squares.index("edge.centre")]
    corners = np.delete(errors, squares.index("edge.centre"), axis=1).mean(axis=1)
    return float(centre.std(ddof=1)), float((corners - centre).std(ddof=1))


def _method(bits_per_pixel: float | None, tone_u: float) -> list[Any]:
    """Elementary numbers common to all squares: of the method, the tone curve and the codec."""
    return [
        GTC.ureal(1, _METHOD_U, label="method: bias of the edge response"),
        GTC.ureal(1, tone_u, label=_TONE),
        GTC.ureal(
            1,
            coding_u(bits_per_pixel, _CODING_COMMON_U, _CODING_COMMON_POOR_U),
            label="coding error common to all edges",
        ),
    ]


def resolution(
    pictures: Sequence[NDArray[np.uint8]],
    view: ChartView,
    *,
    chart_mtf: ChartMtf | None = None,
    bits_per_pixel: float | None = None,
    density_u: float = DENSITY_U,
) -> tuple[Estimate, Estimate]:
    """Limiting resolution of the centre, TV lines, and the corners' share of it, %.

    pictures: (rows, columns) luma, each of a different GOP, as a static chart's coding error does not
    average out within one. chart_mtf: certified modulation transfer of the print; without it the print is taken as
    ideal, and a note says so. bits_per_pixel: of the coded stream, for the coding error; density_u: standard uncertainty of
    each grey step's density.
    Returns "resolution.centre" (LW/PH at 10 %, capped at the pixel grid's limit) and
    "resolution.corner_ratio" (mean of four corners over centre). Raises MeasurementRefused if no picture
    has the view's size, an edge cannot be measured, or the grey steps cannot.
    """
    fitting = [picture for picture in pictures if picture.shape == view.shape]
    if not fitting:
        raise MeasurementRefused("no intact picture of the chart's size: resolution needs at least one")
    tone = view.tone(fitting)
    found = _measure(fitting, view, tone)
    series = {s.name: _series(view.chart.edges, found, s.name) for s in view.chart.squares}
    across = [_series(view.chart.edges, found, s.name, "horizontal") for s in view.chart.squares]
    scatter = _scatter([*series.values(), *across])
    numbers = {name: _uncertain(s, scatter, name.removeprefix("edge.")) for name, s in series.items()}
    tone_u, ratio_u = _tone_u(fitting[0], view, tone, density_u)
    method, levels = _method(bits_per_pixel, tone_u), GTC.ureal(1, ratio_u, label=_TONE)
    true, printed, remarks = _through_print(numbers, view, found, chart_mtf)
    _, centre_parts = numbers.pop("edge.centre")
    centre = true.pop("edge.centre")
    lines = 2 * view.shape[0] * centre * method[0] * method[1] * method[2]
    ratio = 100 * levels * sum(true.values()) / len(true) / centre
    details = _details(view, tone, found, len(fitting)) | {"diagonals": _diagonals(fitting[0], view, tone)}
    capped = min(float(lines.x), 2 * view.shape[0] * _NYQUIST)
    vertical = [e.name for e in view.chart.edges if e.near_vertical]
    notes = _notes(found, [n for n in vertical if n.startswith("edge.centre")], len(fitting))
    limited = [f"Nyquist limited: 10 % lies beyond {_NYQUIST} cycles/pixel"] if capped < lines.x else []
    first = _estimate(
        "resolution.centre", "TVL", lines, [*centre_parts, *method, printed], capped,
        details=details, notes=(*limited, *remarks, *notes),
    )  # fmt: skip
    corner_parts = [part for _, parts in numbers.values() for part in parts]
    second = _estimate(
        "resolution.corner_ratio", "%", ratio, [*centre_parts, *corner_parts, levels, printed], float(ratio.x),
        details={"edges": details["edges"]}, notes=(*remarks, *_notes(found, vertical, len(fitting))),
    )  # fmt: skip
    return first, second
