"""What a declaration says of a camera's view: a reference picture of it."""

from __future__ import annotations

from datetime import date

from pydantic import BaseModel, ConfigDict, Field

__all__ = ["FrozenReference", "Reference"]


class _Strict(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class Reference(_Strict):
    """[reference]: the view as it was accepted, to hold later views against.

    file: PNG, relative to the declaration, of the same stream; by, on: who took it, and the day; hfov_deg: horizontal
    field of view, degrees, which a turn in degrees needs; hfov_u: relative standard uncertainty of the focal length.
    """

    file: str = Field(min_length=1)
    by: str = Field(min_length=1)
    on: date
    hfov_deg: float | None = Field(default=None, ge=1.0, le=170.0)
    hfov_u: float = Field(default=0.02, gt=0.0, le=0.5)
    note: str = ""


class FrozenReference(Reference):
    """A reference as the plan freezes it. sha256: of the file."""

    sha256: str = Field(pattern=r"^[0-9a-f]{64}$")
