"""``bench chart``: the test charts there are, and drawings of them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from bench.clear_errors import clear_errors
from bench.table import printer
from standards.errors import UnknownName, UsageError

if TYPE_CHECKING:
    from fixtures.charts import Chart

__all__ = ["chart"]

_PAPERS = ("a4", "a3", "a2", "a1", "a0")  # fixtures.charts.sheet has them, and is not loaded for `--help`


@click.command()
@click.argument("name", required=False)
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    help="FILE.pdf or FILE.svg to print, FILE.png to look at, FILE.html for a monitor.",
)
@click.option("--list", "listed", is_flag=True, help="List the charts [default without a name].")
@click.option("--json", "as_json", is_flag=True, help="The list, or one chart's geometry, as JSON.")
@click.option("--paper", type=click.Choice(_PAPERS), help="Fit it on a sheet; else a page of its own size.")
@click.option("--count", type=click.IntRange(min=0), help="What the counter shows, on a chart that has one.")
@clear_errors
def chart(
    name: str | None, out: Path | None, listed: bool, as_json: bool, paper: str | None, count: int | None
) -> int:
    """Draw a test chart, or list them.

    PDF and SVG are at true size for printing, with a bar of 100 mm to check it by; HTML is a full-screen
    page for a monitor, whose counters run.

    \b
    Examples:
      bench chart
      bench chart edges --out edges.pdf --paper a3
      bench chart timecode --out timecode.html
    """
    from fixtures.charts import CHARTS, draw

    if name is None or listed:
        if out is not None:
            raise UsageError(f"{out}: no chart is named. Mend: bench chart NAME --out {out}")
        _list(as_json)
        return 0
    if name not in CHARTS:
        raise UnknownName(f"no chart {name!r}; there are: {', '.join(CHARTS)}")
    if out is None and not as_json:
        raise UsageError(f"nothing to do with {name}. Mend: give --out FILE.(pdf|svg|png|html), or --json")
    if out is not None:
        try:
            draw(CHARTS[name], out, paper=paper, count=count)
        except OSError as error:
            raise UsageError(f"{out} cannot be written ({error.strerror}): give another --out") from None
        click.echo(str(out), err=as_json)
    if as_json:
        click.echo(json.dumps(_described(CHARTS[name]), ensure_ascii=False, indent=1))
    return 0


def _list(as_json: bool) -> None:
    from rich.table import Table

    from fixtures.charts import CHARTS

    if as_json:
        click.echo(json.dumps([_summary(chart) for chart in CHARTS.values()], ensure_ascii=False, indent=1))
        return
    table = Table(box=None, pad_edge=False)
    for heading in ("chart", "size", "markers", "for"):
        table.add_column(heading, no_wrap=heading != "for")
    for chart in CHARTS.values():
        ids = [marker.id for marker in chart.markers]
        size = f"{chart.width:g} x {chart.height:g} mm"
        table.add_row(chart.name, size, f"{min(ids)} to {max(ids)}", chart.purpose)
    printer().print(table, highlight=False)


def _summary(chart: Chart) -> dict[str, Any]:
    return {
        "name": chart.name,
        "purpose": chart.purpose,
        "width_mm": chart.width,
        "height_mm": chart.height,
        "marker_ids": [marker.id for marker in chart.markers],
        "density_range": chart.density_range,
    }


def _described(chart: Chart) -> dict[str, Any]:
    """A chart's geometry for other programs: millimetres, reflectances, linear sRGB."""
    from fixtures.charts import certificate_quantities

    markers = [marker.region for marker in chart.markers]
    return {
        **_summary(chart),
        "background": chart.background,
        "regions": {
            region.name: {
                "corners_mm": region.corners,
                "reflectance": region.reflectance,
                "linear_srgb": region.colour,
            }
            for region in (*markers, *chart.regions.values())
        },
        "lattice_mm": [list(at) for at in chart.lattice.points.values()] if chart.lattice else [],
        "certificates": [
            {"quantity": q.key, "unit": q.unit, "what": q.what, "nominal": dict(q.nominal)}
            for q in certificate_quantities(chart)
        ],
    }
