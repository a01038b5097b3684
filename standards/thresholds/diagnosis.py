"""From where on image diagnosis calls a picture faulty: diagnosis.toml, read once."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from importlib import resources

from pydantic import BaseModel, ConfigDict, model_validator

from standards.files import read_tree

__all__ = ["Threshold", "faults", "faulty", "thresholds"]


class Threshold(BaseModel):
    """quantity; faulty above or below a value, of which there is one; why: where it comes from."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    quantity: str
    above: float | None = None
    below: float | None = None
    why: str

    @model_validator(mode="after")
    def _one_side(self) -> Threshold:
        if (self.above is None) == (self.below is None):
            raise ValueError(f"{self.quantity}: a threshold is above or below a value, one of them")
        return self


@lru_cache(maxsize=1)
def thresholds() -> Mapping[str, Threshold]:
    """The thresholds by kind of fault. Raises BadFile if the file that comes with camcert is damaged."""
    tree = read_tree(resources.files("standards") / "thresholds" / "diagnosis.toml")
    return {kind: Threshold.model_validate(table) for kind, table in tree.items()}


def faulty(kind: str, values: Mapping[str, float]) -> bool | None:
    """Whether a picture has a fault of this kind by its measured values; None: not told, the value is not there.

    Raises KeyError for a kind that is none.
    """
    limit = thresholds()[kind]
    value = values.get(limit.quantity)
    if value is None:
        return None
    return value > limit.above if limit.above is not None else value < (limit.below or 0.0)


def faults(values: Mapping[str, float]) -> Mapping[str, bool | None]:
    """Every kind of fault, as `faulty` says; a picture without light is black, and nothing else is told of it."""
    if faulty("black", values):
        return {kind: True if kind == "black" else None for kind in thresholds()}
    return {kind: faulty(kind, values) for kind in thresholds()}
