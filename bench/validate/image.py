"""``bench validate image``: draws cameras, captures each through the wire, measures, and holds U against the errors.

Captures and rows are kept: what is there is not made again, so Ctrl-C and a kill lose nothing but what was under way.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import asdict
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from bench.validate.captures import load, take
from bench.validate.measurers import MEASURERS, Row, measure
from bench.validate.summary import Summary, summarise, table
from standards.errors import CamcertError

__all__ = ["prove"]

ROWS, SUMMARY = "rows.json", "summary.json"
_ATTEMPTS = 3


def _case(out: str, chart: str, seed: int) -> list[Row]:
    """One case, in a process of its own. A camera that a busy machine did not let start is tried again."""
    for attempt in range(_ATTEMPTS):
        try:
            take(Path(out), chart, seed)
            break
        except CamcertError as error:
            if attempt == _ATTEMPTS - 1:
                quantities = [q for m in MEASURERS if m.chart == chart for q in m.quantities]
                return [Row(q, chart, seed, refused=f"not captured: {error}") for q in quantities]
    return measure(load(Path(out), chart, seed))


def _kept(file: Path) -> dict[str, list[Row]]:
    if not file.exists():
        return {}
    return {key: [Row(**row) for row in rows] for key, rows in json.loads(file.read_text()).items()}


def _write(file: Path, data: object) -> None:
    fresh = file.with_suffix(".new")
    fresh.write_text(json.dumps(data, indent=1))
    os.replace(fresh, file)


def prove(
    out: Path, *, charts: Iterable[str], seeds: range, only: str, jobs: int, again: bool, console: Console
) -> list[Summary]:
    """Run what is missing and print the table. again: measure anew from the captures that are there.

    only: part of a quantity's key; rows of other quantities are neither made nor shown.
    """
    out.mkdir(parents=True, exist_ok=True)
    file = out / ROWS
    kept = {} if again else _kept(file)
    served = dict.fromkeys(m.chart for m in MEASURERS if any(only in q for q in m.quantities))
    wanted = [(chart, seed) for chart in charts if chart in served for seed in seeds]
    missing = [(chart, seed) for chart, seed in wanted if f"{chart}/{seed}" not in kept]
    columns = (
        TextColumn("cameras"), BarColumn(), MofNCompleteColumn(), TextColumn("left"), TimeRemainingColumn(),
    )  # fmt: skip
    with Progress(*columns, console=console, transient=True) as progress, ProcessPoolExecutor(jobs) as pool:
        task = progress.add_task("cameras", total=len(wanted), completed=len(wanted) - len(missing))
        running = {pool.submit(_case, str(out), chart, seed): (chart, seed) for chart, seed in missing}
        try:
            for done, future in enumerate(as_completed(running), 1):
                chart, seed = running[future]
                kept[f"{chart}/{seed}"] = future.result()
                progress.advance(task)
                if done % 10 == 0:
                    _write(file, {key: [asdict(row) for row in rows] for key, rows in kept.items()})
        finally:
            pool.shutdown(wait=False, cancel_futures=True)
            _write(file, {key: [asdict(row) for row in rows] for key, rows in kept.items()})
    rows = [row for chart, seed in wanted for row in kept.get(f"{chart}/{seed}", []) if only in row.quantity]
    summaries = summarise(rows)
    _write(
        out / SUMMARY,
        {"schema": "camcert/proof/1", "quantities": [asdict(s) | {"met": s.met} for s in summaries]},
    )
    console.print(table(summaries))
    reasons: dict[str, int] = {}
    for row in rows:
        if row.refused:
            reasons[row.refused[:90]] = reasons.get(row.refused[:90], 0) + 1
    for reason, count in sorted(reasons.items(), key=lambda item: -item[1])[:8]:
        console.print(f"refused {count}: {reason}", highlight=False)
    return summaries
