"""``bench edge``: slanted edges of a picture file, in regions given by hand, without any chart."""

from __future__ import annotations

import csv
import json
import math
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from bench.clear_errors import clear_errors
from bench.table import printer
from standards.errors import MeasurementRefused, UsageError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from bench.measure.edge import EdgeSfr

__all__ = ["edge"]

_MOST_BYTES, _MOST_PIXELS = 256 << 20, 200_000_000
_FORMATS = ("PNG", "TIFF", "JPEG", "BMP")
_LEAST_SIDE = 32  # pixels
_TILT = (2.0, 15.0)  # degrees
_CLIPPED = 0.02  # share of a region's pixels at either end of the picture's codes
_CONTRAST = 1.3  # of the light side over the dark one; ISO 12233's charts have 4
_CURVES = ("bt709", "srgb", "linear")

Region = tuple[int, int, int, int]


@dataclass(frozen=True)
class Reading:
    """One region. Frequencies in cycles a pixel and, with _lwph, in line widths a picture height; _u: standard
    uncertainty by noise; mtf10 None: beyond one cycle a pixel; iso_: by the ISO mode; refused: why there is no figure."""

    region: Region
    refused: str = ""
    angle_deg: float | None = None
    contrast: float | None = None
    snr_db: float | None = None
    mtf50: float | None = None
    mtf50_u: float | None = None
    mtf50_lwph: float | None = None
    mtf10: float | None = None
    mtf10_u: float | None = None
    mtf10_lwph: float | None = None
    iso_mtf50: float | None = None
    iso_mtf10: float | None = None
    sampling_efficiency: float | None = None
    oversharpening: float | None = None
    flags: tuple[str, ...] = ()


def _region(text: str) -> Region:
    """'X,Y,W,H' as numbers. Raises UsageError."""
    try:
        left, top, width, height = (int(part) for part in text.split(","))
    except ValueError:
        raise UsageError(
            f"--region {text}: four whole numbers are asked for. Mend: X,Y,W,H in pixels, as in 812,340,128,96"
        ) from None
    return left, top, width, height


def _curve(path: Path) -> Callable[[NDArray[np.float64]], NDArray[np.float64]]:
    """Codes to light by a file of pairs. Raises UsageError."""
    import numpy as np
    from scipy.interpolate import PchipInterpolator

    try:
        with path.open(encoding="utf-8", newline="") as file:
            rows = [row for row in csv.reader(file) if row and not row[0].lstrip().startswith("#")]
        pairs = np.array([[float(row[0]), float(row[1])] for row in rows])
    except (ValueError, IndexError, UnicodeDecodeError) as error:
        raise UsageError(
            f"{path}: {error}. Mend: a line a point, CODE,LIGHT, as in 118.5,0.18; # begins a remark"
        ) from None
    if len(pairs) < 4 or not np.isfinite(pairs).all() or (np.diff(pairs, axis=0) <= 0).any():
        raise UsageError(
            f"{path}: an OECF has four or more points, code and light both rising from line to line"
        )
    return lambda codes: np.asarray(
        PchipInterpolator(pairs[:, 0], pairs[:, 1])(np.clip(codes, pairs[0, 0], pairs[-1, 0]))
    )


def _light(
    curve: str, gamma: float | None, oecf: Path | None, top: float
) -> Callable[[NDArray[np.float64]], NDArray[np.float64]]:
    """How codes become light. top: the highest code."""
    import numpy as np

    if oecf is not None:
        return _curve(oecf)
    if gamma is not None:
        return lambda codes: np.asarray((codes / top) ** gamma)
    if curve == "linear":
        return lambda codes: np.asarray(codes / top)
    if curve == "srgb":  # IEC 61966-2-1
        return lambda codes: np.where(
            codes / top <= 0.04045, codes / top / 12.92, ((codes / top + 0.055) / 1.055) ** 2.4
        )
    return lambda codes: np.where(  # ITU-R BT.709-6, 1.2, over the whole range of codes
        codes / top < 0.081, codes / top / 4.5, ((codes / top + 0.099) / 1.099) ** (1 / 0.45)
    )


def _luma(path: Path) -> NDArray[np.float64]:
    """(rows, columns) luma codes of a picture file. Raises UsageError."""
    import cv2
    import numpy as np
    from PIL import Image, UnidentifiedImageError

    if path.stat().st_size > _MOST_BYTES:
        raise UsageError(f"{path}: {path.stat().st_size >> 20} MiB; at most {_MOST_BYTES >> 20} are read")
    try:
        with Image.open(path, formats=_FORMATS) as header:
            width, height = header.size
    except (UnidentifiedImageError, OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        raise UsageError(f"{path}: no picture that is read: {error}. Mend: {', '.join(_FORMATS)}") from None
    if width * height > _MOST_PIXELS:
        raise UsageError(f"{path}: {width} x {height} pixels; at most {_MOST_PIXELS} are read. Mend: cut it")
    try:
        picture = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
    except cv2.error as error:
        raise UsageError(f"{path}: the picture is damaged: {error.err}") from None
    if picture is None or picture.dtype not in (np.uint8, np.uint16):
        raise UsageError(
            f"{path}: the picture is damaged, or has neither 8 nor 16 bits. Mend: save it as PNG"
        )
    codes = picture.astype(np.float64) * (1.0 if picture.dtype == np.uint16 else 257.0)
    if codes.ndim == 3 and codes.shape[2] >= 3:
        codes = codes[..., :3] @ np.array([0.0722, 0.7152, 0.2126])  # blue, green, red
    return np.asarray(codes if codes.ndim == 2 else codes[..., 0])


def _cut(codes: NDArray[np.float64], region: Region) -> NDArray[np.float64]:
    """The region's codes. Raises MeasurementRefused."""
    left, top, width, height = region
    rows, columns = codes.shape
    if min(width, height) < _LEAST_SIDE:
        raise MeasurementRefused(f"too small: {width} x {height}; take {_LEAST_SIDE} pixels or more each way")
    if left < 0 or top < 0 or left + width > columns or top + height > rows:
        raise MeasurementRefused(f"outside the picture of {columns} x {rows}: move it")
    cut = codes[top : top + height, left : left + width]
    for end, words in ((cut <= 0.0, "black"), (cut >= 65535.0, "white")):
        if float(end.mean()) > _CLIPPED:
            raise MeasurementRefused(
                f"clipped: {100 * float(end.mean()):.0f} % is {words}; mend the exposure"
            )
    return cut


def _contrast(light: NDArray[np.float64]) -> float:
    """Light side over dark side, each the median of a quarter of the pixels."""
    import numpy as np

    values = np.sort(light, axis=None)
    quarter = max(len(values) // 4, 1)
    return float(np.median(values[-quarter:]) / max(float(np.median(values[:quarter])), 1e-9))


def _checked(light: NDArray[np.float64]) -> tuple[EdgeSfr, float]:
    """The edge's response and its contrast. Raises MeasurementRefused."""
    from bench.measure.edge import edge_sfr

    contrast = _contrast(light)
    found = edge_sfr(light, normalisation="wide")
    if not _TILT[0] <= found.angle_deg <= _TILT[1]:
        raise MeasurementRefused(
            f"tilt of {found.angle_deg:.1f} degrees to the pixel grid: turn the chart to {_TILT[0]:g} to {_TILT[1]:g}"
        )
    if contrast < _CONTRAST:
        raise MeasurementRefused(
            f"contrast of {contrast:.2f}:1 is too low: take an edge of {_CONTRAST:g}:1 or more"
        )
    return found, contrast


def read(
    codes: NDArray[np.float64], region: Region, light: Callable[[NDArray[np.float64]], NDArray[np.float64]]
) -> Reading:
    """One region of a picture, (rows, columns) codes of 16 bits: both modes, or why not."""
    from bench.measure.edge_iso import edge_sfr_iso

    try:
        cut = light(_cut(codes, region))
        found, contrast = _checked(cut)
        iso = edge_sfr_iso(cut)
    except MeasurementRefused as refused:
        return Reading(region, refused=str(refused))

    def told(value: float, scale: float = 1.0) -> float | None:
        return None if math.isnan(value) else round(scale * value, 5)

    lines = 2.0 * codes.shape[0]
    reach = 1.0 if math.isnan(found.mtf10) else min(found.mtf10 / 0.5, 1.0)
    return Reading(
        region, angle_deg=told(found.angle_deg), contrast=told(contrast), snr_db=told(found.snr_db),
        mtf50=told(found.mtf50), mtf50_u=told(found.mtf50_u), mtf50_lwph=told(found.mtf50, lines),
        mtf10=told(found.mtf10), mtf10_u=told(found.mtf10_u), mtf10_lwph=told(found.mtf10, lines),
        iso_mtf50=told(iso.mtf50), iso_mtf10=told(iso.mtf10), sampling_efficiency=told(reach, 100.0),
        oversharpening=told(max(float(found.sfr.max()) - 1.0, 0.0), 100.0),
        flags=(*found.flags, *(("Nyquist limited",) if found.nyquist_limited else ())),
    )  # fmt: skip


def _table(readings: list[Reading]) -> Any:
    from rich.table import Table

    def number(value: float | None, digits: int = 4, u: float | None = None) -> str:
        if value is None:
            return "-"
        return f"{value:.{digits}f}" + (f" ± {2 * u:.{digits}f}" if u is not None else "")

    table = Table(show_lines=False)
    for name in ("region", "MTF50, c/px (U)", "LW/PH", "MTF10, c/px (U)", "LW/PH", "ISO mode 50, 10 %",
                 "efficiency", "oversharp.", "tilt", "remarks"):  # fmt: skip
        table.add_column(name)
    for r in readings:
        place = ",".join(map(str, r.region))
        if r.refused:
            table.add_row(place, *[""] * 8, f"[red]refused[/]: {r.refused}")
            continue
        table.add_row(
            place, number(r.mtf50, 4, r.mtf50_u), number(r.mtf50_lwph, 0), number(r.mtf10, 4, r.mtf10_u),
            number(r.mtf10_lwph, 0), f"{number(r.iso_mtf50)}, {number(r.iso_mtf10)}",
            f"{number(r.sampling_efficiency, 0)} %",
            f"{number(r.oversharpening, 1)} %", f"{number(r.angle_deg, 1)}°", "; ".join(r.flags),
        )  # fmt: skip
    return table


@click.command()
@click.argument("picture", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option(
    "--region",
    "regions",
    multiple=True,
    metavar="X,Y,W,H",
    help="Left, top, width, height in pixels. Repeatable.",
)
@click.option(
    "--curve", type=click.Choice(_CURVES), default="bt709", show_default=True, help="From codes to light."
)
@click.option(
    "--gamma", type=click.FloatRange(0.1, 10.0), help="Light is the code to this power, instead of --curve."
)
@click.option(
    "--oecf", type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="CSV of CODE,LIGHT, codes as 16 bits (8-bit ones times 257), instead of --curve.",
)  # fmt: skip
@click.option("--json", "as_json", is_flag=True, help="One object a region, instead of the table.")
@clear_errors
def edge(
    picture: Path, regions: tuple[str, ...], curve: str, gamma: float | None, oecf: Path | None, as_json: bool
) -> int:
    """Measure slanted edges of a picture file in regions given by hand.

    \b
    A region holds one straight edge, 2 to 15 degrees off the rows or columns, with some 20 pixels to both
    sides. Both modes are told: robust (docs/methods/edge_sfr.md) and ISO 12233's as sfrmat5 computes it.
    U is of the picture's noise alone. PNG, TIFF, JPEG and BMP of 8 or 16 bits; colour becomes luma.

    \b
    Examples:
      bench edge frame.png --region 812,340,128,96
      bench edge raw.tiff --region 60,60,128,96 --region 1700,60,128,96 --curve linear --json

    Exit codes: 0 every region is measured, 2 usage, 3 a region is refused (the reason stands beside it).
    """
    if not regions:
        raise UsageError(f"{picture}: no region is given. Mend: --region X,Y,W,H, as in 812,340,128,96")
    if gamma is not None and oecf is not None:
        raise UsageError("--gamma and --oecf both say how codes become light. Mend: give one of them")
    wanted = [_region(text) for text in regions]
    codes = _luma(picture)
    light = _light(curve, gamma, oecf, 65535.0)
    readings = [read(codes, region, light) for region in wanted]
    if as_json:
        click.echo(json.dumps([asdict(reading) for reading in readings], ensure_ascii=False, indent=1))
    else:
        printer().print(_table(readings))
    return 3 if any(reading.refused for reading in readings) else 0
