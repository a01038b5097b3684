"""Uncertainty budgets: contributions and their combination (GUM, JCGM 100:2008).

A contribution is one line of a budget, already in the unit of the result. Contributions are taken as
independent; what is common to several of them has to be a line of its own.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from GTC import dof as effective_dof
from GTC import uncertainty, ureal
from numpy.typing import ArrayLike

from standards.errors import MeasurementRefused
from standards.quantity import Contribution

__all__ = ["combine", "normal", "rectangular", "type_a"]


_MOST_DEGREES = 1e4


def combine(budget: Sequence[Contribution]) -> tuple[float, float | None]:
    """Combined standard uncertainty and effective degrees of freedom (Welch-Satterthwaite).

    Degrees of freedom are None where infinite, and at least 1. An empty budget gives (0.0, None).
    Source: JCGM 100:2008, 5.1.2 and G.4.1, as carried out by GTC.
    """
    inputs = [ureal(0.0, c.u, math.inf if c.dof is None else c.dof, label=c.name) for c in budget if c.u > 0]
    if not inputs:
        return 0.0, None
    total = sum(inputs[1:], inputs[0])
    degrees = float(effective_dof(total))
    # Beyond ten thousand k is that of the normal distribution to four digits: nothing but noise to print.
    return float(uncertainty(total)), max(degrees, 1.0) if degrees < _MOST_DEGREES else None


def type_a(values: ArrayLike, name: str) -> Contribution:
    """Standard uncertainty of the mean of independent values, (n,) in the unit of the result.

    Raises MeasurementRefused below two values or where one is not finite. Source: JCGM 100:2008, 4.2.3.
    """
    sample = np.asarray(values, dtype=np.float64).ravel()
    if len(sample) < 2 or not np.isfinite(sample).all():
        raise MeasurementRefused(f"{name}: a scatter needs two or more finite values, got {len(sample)}")
    u = float(np.std(sample, ddof=1)) / math.sqrt(len(sample))
    return Contribution(name=name, u=u, dof=len(sample) - 1.0, method="A", source=f"{len(sample)} values")


def rectangular(name: str, half_width: float, source: str) -> Contribution:
    """A quantity anywhere within +-half_width, type B. Source: JCGM 100:2008, 4.3.7."""
    return Contribution(name=name, u=abs(half_width) / math.sqrt(3.0), method="B", source=source)


def normal(name: str, u: float, dof: float | None = None, source: str = "") -> Contribution:
    """A known standard uncertainty: type A if it has degrees of freedom, type B (a certificate) if not."""
    return Contribution(name=name, u=u, dof=dof, method="B" if dof is None else "A", source=source)
