"""``bench validate``: the measuring procedures against known truth."""

from __future__ import annotations

from pathlib import Path

import click

from bench.clear_errors import clear_errors
from bench.table import printer
from bench.validate.conditions import CHARTS
from standards.errors import UsageError

__all__ = ["validate"]


@click.group()
def validate() -> None:
    """Prove the procedures: virtual cameras of known truth, the whole chain, bias and coverage of the stated U."""


def _seeds(text: str) -> range:
    """'1000:1200' as a range. Raises UsageError."""
    first, _, last = text.partition(":")
    try:
        found = range(int(first), int(last) if last else int(first) + 1)
    except ValueError:
        found = range(0)
    if not found or found[0] < 0:
        raise UsageError(
            f"--seeds {text}: no range of seeds. Mend: FIRST:LAST, the last not included, as in 1000:1200"
        )
    return found


@validate.command()
@click.option(
    "--out",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path("out/validate/image"),
    show_default=True,
    help="Where captures, rows and summary are kept; what is there is not made again.",
)
@click.option("--chart", "charts", multiple=True, type=click.Choice(list(CHARTS)), help="Only these charts.")
@click.option(
    "--seeds",
    default="1000:1200",
    show_default=True,
    help="FIRST:LAST; a seed is a camera and its conditions.",
)
@click.option("--only", default="", help="Only quantities whose key contains this.")
@click.option("--jobs", default=2, show_default=True, type=click.IntRange(1, 16), help="Cameras at a time.")
@click.option("--again", is_flag=True, help="Measure anew from the captures that are there.")
@clear_errors
def image(out: Path, charts: tuple[str, ...], seeds: str, only: str, jobs: int, again: bool) -> int:
    """Figures of the picture, before every chart.

    \b
    Draws a camera a seed and chart (conditions.toml: pose, lens, noise, tone, rate), runs it as a
    process of its own, captures it over RTSP and H.264, finds the chart, measures, and holds value
    and U against the truth the camera logged. 200 cameras a chart take about ten minutes a chart
    on two cores; Ctrl-C loses nothing, the same command goes on.

    \b
      bench validate image                          all, 200 cameras a chart
      bench validate image --chart wedge --seeds 0:5   a taste of it
      bench validate image --again                  a procedure has changed: measure the same captures

    Exit codes: 0 every goal holds (181 of 200 covered, U at most 1.5 times the 95th percentile of the
    errors), 1 one is missed.
    """
    from bench.validate.image import prove  # half a second of imports, for this command alone

    found = prove(
        out,
        charts=charts or tuple(CHARTS),
        seeds=_seeds(seeds),
        only=only,
        jobs=jobs,
        again=again,
        console=printer(),
    )
    return 0 if found and all(s.met for s in found) else 1
