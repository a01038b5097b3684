"""The README's pictures, made by the program from the record of a demo: `python tools/pictures.py out/demo`."""

from __future__ import annotations

import sys
from pathlib import Path

import cv2
import numpy as np
from rich.console import Console

from bench.run import read_results
from bench.table import RunTable, conclusion
from fixtures.charts import CHARTS, draw
from fixtures.charts.raster import raster
from reports.inspection import inspection_pages
from reports.journal import replay

PICTURES = Path(__file__).parent.parent / "docs" / "pictures"
#: Pages the README shows: cover, first page, items and verdicts, a curve behind a number.
SHOWN = (1, 3, 4, 9)


def chart_sheets() -> None:
    """The charts of docs/charts.md, four to a picture."""
    for number, names in enumerate(
        (("edges", "wedge", "star", "grey"), ("colour", "grid", "chess", "timecode"))
    ):
        tiles = []
        for name in names:
            chart = CHARTS[name]
            codes = raster(chart, 3.75, lit=chart.shown(1236) if chart.panels else ())
            small = cv2.resize(codes, (400, 225), interpolation=cv2.INTER_AREA)
            small = small[..., ::-1] if small.ndim == 3 else cv2.cvtColor(small, cv2.COLOR_GRAY2BGR)
            tiles.append(cv2.copyMakeBorder(small, 6, 6, 6, 6, cv2.BORDER_CONSTANT, value=(255, 255, 255)))
        rows = [np.hstack(tiles[:2]), np.hstack(tiles[2:])]
        best = [cv2.IMWRITE_PNG_COMPRESSION, 9]
        cv2.imwrite(str(PICTURES / f"charts-{number + 1}.png"), np.vstack(rows), best)


def main(demo: Path) -> None:
    """Terminal as SVG, the report's pages as PNG, the chart as PNG."""
    PICTURES.mkdir(parents=True, exist_ok=True)
    record = demo / "record"
    plan, results = read_results(record)
    console = Console(record=True, width=128, force_terminal=True, file=open("/dev/null", "w"))  # noqa: SIM115
    table = RunTable(plan, console)
    for event in replay(record / "journal.jsonl"):
        table.event(event.kind, event.data)
    console.print("$ make demo", highlight=False)
    console.print(table.table(), table.left_out())
    console.print(conclusion(plan, results), highlight=False)
    console.save_svg(str(PICTURES / "run.svg"), title="bench demo")
    pages = inspection_pages(record, ppi=60.0)
    for number in SHOWN:
        (PICTURES / f"report-{number:02d}.png").write_bytes(pages[number - 1])
    draw(CHARTS["camcert-1"], PICTURES / "chart.png")
    chart_sheets()


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "out/demo"))
