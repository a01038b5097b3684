"""Plots and table of `bench validate image` for docs/: python -m tools.proof_pages out/validate/image.

With --carry, also bench/validated.json's entries of the same quantities: what `bench standards coverage` counts as proven.
One picture a quantity (errors against truth with the stated U, and how errors over U are spread), and docs/validation.md's
table between its marks. What stands there comes from the run, nothing by hand. Lines of
quantities that were not in this run stay.
"""

from __future__ import annotations

import argparse
import json
import re
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np

from bench.procedures import procedures
from bench.validate.measurers import Row
from bench.validate.summary import Summary, summarise

mpl.use("Agg")
from matplotlib import pyplot as plt

DOCS = Path(__file__).resolve().parents[1] / "docs"
CARRIED = DOCS.parent / "bench" / "validated.json"
LEAST = 100
_BEGIN, _END = "<!-- proof: begin -->", "<!-- proof: end -->"


def plot(rows: list[Row], summary: Summary, file: Path) -> None:
    """Errors with their U by case, sorted by truth, and the histogram of error over U."""
    good = [row for row in rows if row.value is not None and row.truth is not None and row.u95 is not None]
    good.sort(key=lambda row: row.truth or 0.0)
    truth, value, u95 = (
        np.array([getattr(row, key) for row in good], dtype=float) for key in ("truth", "value", "u95")
    )
    error = value - truth
    figure, (left, right) = plt.subplots(1, 2, figsize=(9, 2.8), width_ratios=(3, 1), constrained_layout=True)
    left.errorbar(range(len(good)), error, yerr=u95, fmt=".", markersize=3, linewidth=0.5, color="#1f5f8b")
    left.axhline(0, color="black", linewidth=0.6)
    left.set(xlabel="camera, by rising truth", ylabel="error, with U (95 %)", title=summary.quantity)
    right.hist(error / np.maximum(u95, 1e-12), bins=np.linspace(-2, 2, 33), color="#1f5f8b")
    right.axvspan(-1, 1, color="#1f5f8b", alpha=0.1)
    right.set(xlabel="error / U", title=f"{summary.covered} of {summary.cases} within U")
    figure.savefig(file, dpi=80)
    plt.close(figure)


def table(summaries: list[Summary], before: str = "") -> str:
    """The table as Markdown. before: the table that stood there, whose lines of other quantities are kept in their place."""
    lines = [
        "| quantity | cameras | refused | bias | sd | U (95 %) | p95 of errors | U / p95 | within U | CPU ms | |",
        "|---|---|---|---|---|---|---|---|---|---|---|",
    ]
    kept = {line.split("`")[1]: line for line in before.splitlines() if line.startswith("| `")}
    return "\n".join([*lines, *(kept | {s.quantity: _line(s) for s in summaries}).values()])


def _line(s: Summary) -> str:
    figures = " | ".join(f"{v:.3g}" for v in (s.bias, s.sd, s.u95, s.p95, s.ratio))
    return (
        f"| `{s.quantity}` | {s.cases} | {s.refused} | {figures} | {s.covered} (at least {s.least}) | {s.cpu_ms:.0f} | "
        f"{'holds' if s.met else '**missed**'} |"
    )


def carried(summaries: list[Summary], before: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The entries of bench/validated.json, those of these quantities anew; bias and scatter in the quantity's unit.
    before: what stands there. A run of fewer than LEAST cases proves nothing and changes none."""
    known = procedures()
    fresh = {
        s.quantity: {
            "quantity": s.quantity, "procedure": known[s.quantity].name,
            "version": known[s.quantity].version, "cases": s.cases,
            "bias": float(f"{s.bias:.3g}"), "sd": float(f"{s.sd:.3g}"), "expanded_uncertainty": float(f"{s.u95:.3g}"),
            "covered": f"{s.covered}/{s.cases}", "met": s.met,
        }
        for s in summaries
        if s.cases >= LEAST and s.quantity in known
    }  # fmt: skip
    return sorted(({e["quantity"]: e for e in before} | fresh).values(), key=lambda e: str(e["quantity"]))


def main() -> None:
    """Write the pictures and the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("proof", type=Path)
    parser.add_argument("--carry", action="store_true", help="write bench/validated.json, too")
    parser.add_argument("--no-table", action="store_true", help="leave docs/validation.md as it stands")
    told = parser.parse_args()
    found = json.loads((told.proof / "rows.json").read_text())
    rows = [Row(**row) for rows in found.values() for row in rows]
    summaries = summarise(rows)
    for summary in summaries:
        if summary.cases:
            name = f"proof-{summary.quantity.replace('.', '-')}.png"
            plot([r for r in rows if r.quantity == summary.quantity], summary, DOCS / "pictures" / name)
    if told.carry:
        plain = json.loads(CARRIED.read_text())
        plain["quantities"] = carried(summaries, plain["quantities"])
        CARRIED.write_text(json.dumps(plain, indent=1) + "\n")
    if told.no_table:
        return
    page = DOCS / "validation.md"
    text = page.read_text()
    page.write_text(
        re.sub(
            f"{_BEGIN}(.*?){_END}",
            lambda old: f"{_BEGIN}\n{table(summaries, old[1])}\n{_END}",
            text,
            flags=re.DOTALL,
        )
    )


if __name__ == "__main__":
    main()
