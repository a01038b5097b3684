"""What a part of the picture has to be like to be taken for a privacy mask: privacy_mask.toml, read once."""

from __future__ import annotations

from functools import lru_cache
from importlib import resources

from pydantic import BaseModel, ConfigDict, Field

from standards.files import read_tree

__all__ = ["MaskLimits", "mask_limits"]


class _Figure(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    value: float = Field(gt=0)
    unit: str
    why: str


class MaskLimits(BaseModel):
    """level, scatter, change: codes that one colour may be off, scatter by, and change by from picture to picture; step:
    codes at a border; sharpness, sharpness_aslant: share of a step within a pixel; surroundings: codes that the scene
    around has to vary by; band: pixels along a border that the coder mixes; foreign: share within
    that may be of other codes."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    level: float = Field(gt=0)
    scatter: float = Field(gt=0)
    change: float = Field(gt=0)
    step: float = Field(gt=0)
    sharpness: float = Field(gt=0, lt=1)
    sharpness_aslant: float = Field(gt=0, lt=1)
    surroundings: float = Field(gt=0)
    band: float = Field(gt=0)
    foreign: float = Field(gt=0, lt=1)


@lru_cache(maxsize=1)
def mask_limits() -> MaskLimits:
    """The limits. Raises BadFile if the file that comes with camcert is damaged."""
    tree = read_tree(resources.files("standards") / "thresholds" / "privacy_mask.toml")
    return MaskLimits(**{name: _Figure.model_validate(table).value for name, table in tree.items()})
