"""How probable it is that a verdict is wrong: the specific risk of JCGM 106:2012. Pure.

With no knowledge of the quantity but the measurement, the true value has the distribution of the estimate:
normal, or Student's t where the degrees of freedom are finite. An accepted value is wrong with the
probability that the true value lies outside the limits (false acceptance); a rejected one with the
probability that it lies inside (false rejection).
"""

from __future__ import annotations

import math
from decimal import Decimal
from typing import Literal

from pydantic import BaseModel, ConfigDict, field_validator

from standards.clause import Clause, Comparison
from standards.decision import Verdict
from standards.quantity import Estimate

__all__ = ["Risk", "conformance_probability", "risk_of"]

_ACCEPTED = (Verdict.PASS, Verdict.CONDITIONAL_PASS)
_REJECTED = (Verdict.FAIL, Verdict.CONDITIONAL_FAIL)


class Risk(BaseModel):
    """kind: what would be wrong; probability: of that, 0 to 1, for this value (not for a population)."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    kind: Literal["false_acceptance", "false_rejection"]
    probability: float

    @field_validator("probability")
    @classmethod
    def _three_digits(cls, value: float) -> float:
        """A record made on one machine is recomputed on another, whose last binary digit may differ."""
        return float(f"{value:.3g}")


def conformance_probability(estimate: Estimate, clause: Clause) -> float | None:
    """Probability that the true value meets the limits; None where it cannot be said.

    It cannot without limits or uncertainty, for attributes, counts read exactly, values that only bound the
    quantity, and asymmetric intervals. A clause that compares rounded values has its limits moved out by
    half of their last digit, since that is what it accepts.
    """
    limit = clause.limit
    numeric = isinstance(estimate.value, float) and not isinstance(estimate.value, bool)
    if (limit.lower is None and limit.upper is None) or not numeric or not estimate.u:
        return None
    if estimate.bound is not None or estimate.interval is not None:
        return None
    lower = -math.inf if limit.lower is None else float(limit.lower - _slack(limit.lower, clause))
    upper = math.inf if limit.upper is None else float(limit.upper + _slack(limit.upper, clause))
    value, u, dof = float(estimate.value), estimate.u, estimate.dof

    from scipy.special import ndtr, stdtr  # here: it is slow to load, and most commands judge nothing

    def tail(distance: float) -> float:
        return float(ndtr(-distance / u) if dof is None else stdtr(dof, -distance / u))

    return 1.0 - min(1.0, tail(value - lower) + tail(upper - value))


def risk_of(estimate: Estimate, clause: Clause, verdict: Verdict) -> Risk | None:
    """The risk of this verdict; None where there is no verdict, or it cannot be said."""
    probability = conformance_probability(estimate, clause)
    if probability is None:
        return None
    if verdict in _ACCEPTED:
        return Risk(kind="false_acceptance", probability=1.0 - probability)
    if verdict in _REJECTED:
        return Risk(kind="false_rejection", probability=probability)
    return None


def _slack(limit: Decimal, clause: Clause) -> Decimal:
    """Half of the limit's last digit where values are rounded before they are compared."""
    if clause.comparison is not Comparison.ROUNDED:
        return Decimal(0)
    return Decimal(5).scaleb(int(limit.as_tuple().exponent) - 1)
