"""What the proof showed of each procedure, in the form that camcert carries: bench/validated.json.

`bench standards coverage` counts a quantity as measured only where an entry of it stands for the procedure in
its present version.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

from bench.procedures import procedures

_OF_ROWS = {
    "latency": ("latency.camera", "latency.to_centre"),
    "missing named wrongly or not at all": ("stream.completeness",),
    "repeated named wrongly or not at all": ("stream.completeness",),
}


def validated(out: Path, seed: int) -> dict[str, Any]:
    """The entries from out/wire.json and out/resolution.json, whole or not."""
    errors: dict[str, list[tuple[float, float | None, bool]]] = {}
    for rows in _read(out / "wire.json").values():
        for row in rows:
            label = row["quantity"].partition(" (of")[0]
            for quantity in _OF_ROWS.get(label, (label,)):
                errors.setdefault(quantity, []).append((row["error"], row["U"], row["met"]))
    for case in _read(out / "resolution.json").values():
        for key, quantity in (("centre", "resolution.centre"), ("ratio", "resolution.corner_ratio")):
            if "refused" not in case and not (key == "centre" and case["capped"]):
                errors.setdefault(quantity, []).append((case[key]["error"], case[key]["U"], True))
    known = procedures()
    entries = [
        _entry(quantity, found, known[quantity].name, known[quantity].version)
        for quantity, found in sorted(errors.items())
        if quantity in known
    ]
    return {"schema": "camcert/validated/1", "seed": seed, "quantities": entries}


def _read(path: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(path.read_text()) if path.exists() else {}
    return found


def _entry(
    quantity: str, found: list[tuple[float, float | None, bool]], procedure: str, version: str
) -> dict[str, Any]:
    """Bias and scatter in the unit of the proof (relative, %, for resolution), U its median."""
    errors = np.array([error for error, _, _ in found])
    claims = [(abs(error) <= u, u) for error, u, _ in found if u is not None]
    covered = sum(inside for inside, _ in claims)
    return {
        "quantity": quantity,
        "procedure": procedure,
        "version": version,
        "cases": len(found),
        "bias": float(f"{errors.mean():.3g}"),
        "sd": float(f"{errors.std():.3g}"),
        "expanded_uncertainty": float(f"{np.median([u for _, u in claims]):.3g}") if claims else None,
        "covered": f"{covered}/{len(claims)}" if claims else None,
        "met": all(met for _, _, met in found) and covered >= 0.9 * len(claims),
    }
