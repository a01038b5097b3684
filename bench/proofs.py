"""Which procedures were held against known truth: what `make validate` showed of their present version."""

from __future__ import annotations

import json
from importlib import resources
from typing import Any

from bench.procedures import procedures
from standards.coverage import Proof

__all__ = ["proofs", "validated"]


def validated() -> dict[str, dict[str, Any]]:
    """The entries of bench/validated.json by quantity: cases, bias, scatter, U, coverage, met."""
    plain = json.loads(resources.files("bench").joinpath("validated.json").read_text("utf-8"))
    return {entry["quantity"]: entry for entry in plain["quantities"]}


def proofs() -> dict[str, Proof]:
    """How far the procedure of each quantity is proven; quantities without a procedure are not there."""
    shown = validated()
    found = {}
    for quantity, procedure in procedures().items():
        entry = shown.get(quantity)
        proven = (
            entry is not None
            and entry["met"]
            and (entry["procedure"], entry["version"])
            == (
                procedure.name,
                procedure.version,
            )
        )
        found[quantity] = Proof.VALIDATED if proven else Proof.UNPROVEN
    return found
