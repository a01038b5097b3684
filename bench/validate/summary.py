"""What the proof says: bias, spread, stated U, coverage and refusals by quantity, and whether the goals hold."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from rich.table import Table
from scipy.stats import beta

from bench.validate.measurers import Row

__all__ = ["Summary", "summarise", "table"]

#: Of 200 at 95 %: fewer than 181 has a chance of 0.05 over about twenty quantities.
_LEAST_OF_200 = 181
_NONE = math.nan
_MOST_RATIO = 1.5  # stated U over the 95th percentile of the errors


@dataclass(frozen=True)
class Summary:
    """One quantity. cases: with a value and a truth; refused: without; bias, sd, u95 (median), p95 (of |error|): in the
    quantity's unit; ratio: of the stated U to the 95th percentile of |error|, both as shares of each case's own U, so that
    cases of different U can be taken together; covered: how often truth lies within U; cpu_ms: median."""

    quantity: str
    cases: int
    refused: int
    bias: float
    sd: float
    u95: float
    p95: float
    ratio: float
    covered: int
    cpu_ms: float

    @property
    def least(self) -> int:
        """Cases that have to be covered: 181 of 200, in proportion."""
        return math.ceil(self.cases * _LEAST_OF_200 / 200)

    @property
    def met(self) -> bool:
        """Whether coverage and tightness hold."""
        return self.cases > 0 and self.covered >= self.least and self.ratio <= _MOST_RATIO

    @property
    def coverage_bound(self) -> float:
        """One-sided 95 % lower bound of the true coverage (Clopper and Pearson)."""
        if self.covered == 0:
            return 0.0
        return float(beta.ppf(0.05, self.covered, self.cases - self.covered + 1))


def summarise(rows: Sequence[Row]) -> list[Summary]:
    """A line a quantity, in the order they come."""
    found = []
    for quantity in dict.fromkeys(row.quantity for row in rows):
        of = [row for row in rows if row.quantity == quantity]
        good = [row for row in of if row.value is not None]
        if not good:
            found.append(Summary(quantity, 0, len(of), _NONE, _NONE, _NONE, _NONE, _NONE, 0, _NONE))
            continue
        value, u95, truth = (
            np.array([getattr(r, k) for r in good], dtype=float) for k in ("value", "u95", "truth")
        )
        error = value - truth
        within = np.abs(error) / np.maximum(u95, 1e-12)
        found.append(
            Summary(
                quantity=quantity, cases=len(good), refused=len(of) - len(good), bias=float(error.mean()),
                sd=float(error.std(ddof=1)) if len(good) > 1 else math.nan, u95=float(np.median(u95)),
                p95=float(np.quantile(np.abs(error), 0.95)), ratio=1 / max(float(np.quantile(within, 0.95)), 1e-9),
                covered=int(np.count_nonzero(within <= 1)), cpu_ms=float(np.median([r.cpu_ms for r in good])),
            )
        )  # fmt: skip
    return found


def table(summaries: Sequence[Summary]) -> Table:
    """For the terminal."""
    shown = Table(box=None, pad_edge=False)
    for name in (
        "quantity",
        "cases",
        "refused",
        "bias",
        "sd",
        "U (95 %)",
        "p95 |error|",
        "U/p95",
        "covered",
        "CPU ms",
        "",
    ):
        shown.add_column(name, justify="left" if name == "quantity" else "right", no_wrap=True)
    for s in summaries:
        figures = (f"{v:.4g}" for v in (s.bias, s.sd, s.u95, s.p95, s.ratio))
        verdict = "[green]holds[/]" if s.met else "[red]missed[/]"
        shown.add_row(
            s.quantity,
            str(s.cases),
            str(s.refused),
            *figures,
            f"{s.covered} ({s.least})",
            f"{s.cpu_ms:.0f}",
            verdict,
        )
    return shown
