"""The README's pictures, made by the program from the record of a demo: `python tools/pictures.py out/demo`."""

from __future__ import annotations

import sys
from pathlib import Path

from rich.console import Console

from bench.run import read_results
from bench.table import RunTable, conclusion
from fixtures.charts import CHARTS, draw
from reports.inspection import inspection_pages
from reports.journal import replay

PICTURES = Path(__file__).parent.parent / "docs" / "pictures"
#: Pages the README shows: cover, first page, items and verdicts, a curve behind a number.
SHOWN = (1, 3, 4, 9)


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


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "out/demo"))
