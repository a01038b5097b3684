"""What the proofs of drawn cases share: rows that are kept as they come, the table, and what tools.proof_pages plots."""

from __future__ import annotations

import argparse
import json
import multiprocessing
import sys
from collections.abc import Callable, Sequence
from dataclasses import asdict
from functools import cache
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from skimage import data

from bench.validate.measurers import Row
from bench.validate.summary import summarise, table
from standards.quantity import Estimate

Rows = list[Row]
Luma = NDArray[np.uint8]


@cache
def scene(name: str) -> Luma:
    """Luma of a carried picture, 1600 pixels wide."""
    seen = data.stereo_motorcycle()[0] if name == "motorcycle" else getattr(data, name)()
    luma = seen if seen.ndim == 2 else cv2.cvtColor(seen, cv2.COLOR_RGB2GRAY)
    size = (1600, round(1600 * luma.shape[0] / luma.shape[1]))
    return np.asarray(cv2.resize(luma, size, interpolation=cv2.INTER_CUBIC), np.uint8)


def row(
    found: Estimate,
    truth: float,
    *,
    seed: int,
    kind: str = "drawn",
    cpu_ms: float = 0.0,
    unsure: float | None = None,
) -> Row:
    """A value beside its truth; unsure: U, where it is not the estimate's own."""
    assert isinstance(found.value, float)
    return Row(
        found.quantity, kind, seed, found.value, found.expanded_uncertainty if unsure is None else unsure, truth, "", cpu_ms
    )  # fmt: skip


def kept(of_seed: Callable[[int], tuple[int, Rows]], seeds: Sequence[int], out: Path, jobs: int) -> Rows:
    """Rows of all seeds: those that OUT/cases.json has are not drawn again, the others are kept as they come.

    of_seed: a function of a module, since it is called in another process. OUT/rows.json is what tools.proof_pages reads.
    """
    out.mkdir(parents=True, exist_ok=True)
    file = out / "cases.json"
    have: dict[str, list[dict[str, Any]]] = json.loads(file.read_text()) if file.exists() else {}
    with multiprocessing.Pool(jobs) as pool:
        for seed, found in pool.imap_unordered(of_seed, [s for s in seeds if str(s) not in have]):
            have[str(seed)] = [asdict(one) for one in found]
            fresh = file.with_suffix(".new")
            fresh.write_text(json.dumps(have))
            fresh.replace(file)
            print(f"\r{len(have)} cases", end="", file=sys.stderr, flush=True)
    every = [Row(**one) for seed in seeds for one in have[str(seed)]]
    (out / "rows.json").write_text(json.dumps({"drawn": [asdict(one) for one in every]}))
    return every


def told(rows: Rows) -> int:
    """Print the table and why cases were refused; 0 if truth lies within U often enough and U is no wider than need be."""
    found = summarise(rows)
    Console(width=140).print(table(found))
    for reason in sorted({one.refused for one in rows if one.refused}):
        print(f"{sum(one.refused == reason for one in rows)} refused: {reason}")
    return 0 if all(one.met for one in found) else 1


def main(
    about: str | None,
    of_seed: Callable[[int], tuple[int, Rows]],
    name: str,
    *,
    cases: int = 200,
    first: int = 0,
    wrong: Callable[[Rows], int] | None = None,
) -> int:
    """The command line of a proof: run what is missing, print, keep; 0 if the goals hold and `wrong`, which prints and
    counts wrong decisions, finds none."""
    parser = argparse.ArgumentParser(description=about)
    parser.add_argument("--cases", type=int, default=cases)
    parser.add_argument("--from", dest="first", type=int, default=first)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--out", type=Path, default=Path("out/validate") / name)
    given = parser.parse_args()
    seeds = range(given.first, given.first + given.cases)
    rows = kept(of_seed, seeds, given.out, given.jobs)
    mistaken = wrong(rows) if wrong is not None else 0
    return int(mistaken > 0) | told(rows)
