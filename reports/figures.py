"""The drawing behind a number, from the details of its estimate; none where the series is not there."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

from reports.phrases import translated
from reports.sheet import Figure
from reports.wording import number
from standards.quantity import Estimate

__all__ = ["figure_of"]

_LANES = (("missing", "缺失"), ("skipped", "跳过"), ("repeated", "重复"), ("damaged", "损坏"))


def figure_of(estimate: Estimate) -> Figure | None:
    """Curve, histogram or timeline of an estimate; None if its details hold no series that fits."""
    details = estimate.details
    curve = details.get("curve") if isinstance(details.get("curve"), dict) else details
    frequency, response = _series(curve, "frequency"), _series(curve, "sfr")
    if len(frequency) > 1 and len(frequency) == len(response):
        return _response(details, list(zip(frequency, response, strict=True)))
    histogram = details.get("histogram")
    if isinstance(histogram, dict):
        edges, counts = _series(histogram, "edges_ms"), _series(histogram, "counts")
        if counts and len(edges) == len(counts) + 1 and edges[-1] > edges[0]:
            return _bars(estimate, edges, counts)
    if isinstance(details.get("missing"), list) and isinstance(details.get("gaps"), list):
        return _timeline(details)
    return None


def _series(table: Any, key: str) -> list[float]:
    """A list of finite numbers, else an empty one."""
    values = table.get(key) if isinstance(table, dict) else None
    if not isinstance(values, list):
        return []
    numbers = [float(v) for v in values if isinstance(v, (int, float)) and math.isfinite(v)]
    return numbers if len(numbers) == len(values) else []


def _axis(low: float, high: float, label: str) -> dict[str, Any]:
    """An axis with about five round ticks."""
    span = high - low if high > low else 1.0
    raw = span / 5
    unit = 10.0 ** math.floor(math.log10(raw))
    step = next(m * unit for m in (1, 2, 2.5, 5, 10) if m * unit >= raw * 0.999)
    first = math.ceil(low / step - 1e-9)
    places = [n * step for n in range(first, math.floor(high / step + 1e-9) + 1)]
    ticks = [(round(p, 9), number(round(p, 9), 6)) for p in places]
    return {"min": low, "max": low + span, "ticks": ticks, "label": label}


def _response(details: dict[str, Any], points: list[tuple[float, float]]) -> Figure:
    """Spatial frequency response of centre and corners, with the 50 % and 10 % crossings marked."""
    lines: list[dict[str, Any]] = [{"name": "中心", "points": points, "dashed": False}]
    corners = details.get("curve_corners")
    f, s = _series(corners, "frequency"), _series(corners, "sfr")
    if len(f) > 1 and len(f) == len(s):
        lines.append({"name": "边角平均", "points": list(zip(f, s, strict=True)), "dashed": True})
    marks = []
    for level, name in ((0.5, "MTF50"), (0.1, "MTF10")):
        place = _crossing(points, level)
        if place is not None:
            marks.append((place, f"{name} = {number(place, 3)}"))
    top = max(1.0, *(y for line in lines for _, y in line["points"])) * 1.05
    return Figure(
        kind="plot",
        caption="刃边空间频率响应",
        x=_axis(0.0, max(x for x, _ in points), "空间频率(周期/像素)"),
        y=_axis(0.0, top, "调制度"),
        lines=tuple(lines),
        marks=tuple(marks),
    )


def _crossing(points: Sequence[tuple[float, float]], level: float) -> float | None:
    """First place where the response falls through a level, linear between points."""
    for (x0, y0), (x1, y1) in pairwise(points):
        if y0 >= level > y1:
            return x0 + (x1 - x0) * (y0 - level) / (y0 - y1)
    return None


def _bars(estimate: Estimate, edges: list[float], counts: list[float]) -> Figure:
    """Histogram; bins far from all others are shown, empty ends are cut off."""
    used = [i for i, count in enumerate(counts) if count > 0]
    if used:
        first, last = max(used[0] - 1, 0), min(used[-1] + 1, len(counts) - 1)
        edges, counts = edges[first : last + 2], counts[first : last + 1]
    latency = estimate.quantity.startswith("latency")
    marks = []
    for key, name in (("median_s", "中位"), ("p95_s", "95 %分位"), ("max_s", "最大")):
        place = estimate.details.get(key)
        if isinstance(place, float) and edges[0] <= place * 1e3 <= edges[-1]:
            marks.append((place * 1e3, name))
    label = "采集至到达的延迟(ms)" if latency else "相邻图像到达间隔(ms)"
    return Figure(
        kind="plot",
        caption="延迟分布(采集至到达)" if latency else "到达间隔分布",
        x=_axis(edges[0], edges[-1], label),
        y=_axis(0.0, max(max(counts), 1.0) * 1.1, "图像数"),
        bars=tuple((edges[i], edges[i + 1], counts[i]) for i in range(len(counts))),
        marks=tuple(marks),
    )


def _timeline(details: dict[str, Any]) -> Figure:
    """Anomalies over the run, a lane a kind."""
    lanes: list[dict[str, Any]] = []
    for key, name in _LANES:
        listed = details.get(key)
        if not isinstance(listed, list):
            continue
        places = [
            e["time_s"] for e in listed if isinstance(e, dict) and isinstance(e.get("time_s"), (int, float))
        ]
        totals = details.get("totals")
        total = totals.get(key, len(listed)) if isinstance(totals, dict) else len(listed)
        lanes.append({"name": f"{name} {total}", "points": places, "spans": []})
    spans = [
        (g["start_s"], g["start_s"] + g["seconds"])
        for g in details["gaps"]
        if isinstance(g, dict) and all(isinstance(g.get(k), (int, float)) for k in ("start_s", "seconds"))
    ]
    lanes.append({"name": f"间断 {len(details['gaps'])}", "points": [], "spans": spans})
    ends = [end for _, end in spans] + [p for lane in lanes for p in lane["points"]]
    seconds = details.get("seconds")
    end = max([float(seconds) if isinstance(seconds, (int, float)) else 0.0, *ends, 1.0])
    return Figure(kind="timeline", caption="观测期内的异常", x=_axis(0.0, end, "时间(s)"), lanes=tuple(lanes))


def gap_cause(gap: dict[str, Any]) -> str:
    """What a gap is put down to, in words; '/' where that is not known."""
    return translated(str(gap["cause"])) if gap.get("cause") else "/"
