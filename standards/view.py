"""What a declaration says of a camera's view: a reference picture of it, and the text that stands in the picture."""

from __future__ import annotations

from datetime import date
from typing import Literal, get_args

from pydantic import BaseModel, ConfigDict, Field

__all__ = ["LAYOUTS", "FrozenReference", "Layout", "Osd", "Reference"]

#: Layouts of a date; the time of day follows it, with or without a day of the week between.
Layout = Literal[
    "yyyy-mm-dd", "yyyy/mm/dd", "yyyy.mm.dd", "dd/mm/yyyy", "mm/dd/yyyy", "dd-mm-yyyy", "mm-dd-yyyy", "yyyy年mm月dd日"
]  # fmt: skip
LAYOUTS: tuple[Layout, ...] = get_args(Layout)


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


class Osd(_Strict):
    """[osd]: the text that has to stand in the picture.

    label: the camera's number or address, as it stands there; layout: of the date, found in the picture if not given;
    utc_offset_min: minutes that the time shown is ahead of UTC (480: Beijing time).
    """

    label: str | None = Field(default=None, min_length=2, max_length=64)
    layout: Layout | None = None
    utc_offset_min: int = Field(default=480, ge=-720, le=840)
