"""What a declaration says of a camera's view: a reference picture of it, text in the picture, regions to be masked."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Literal, get_args

from pydantic import BaseModel, ConfigDict, Field, model_validator

__all__ = ["LAYOUTS", "FrozenReference", "Layout", "MaskRegion", "Osd", "Reference"]

#: Layouts of a date; the time of day follows it, with or without a day of the week between.
Layout = Literal[
    "yyyy-mm-dd", "yyyy/mm/dd", "yyyy.mm.dd", "dd/mm/yyyy", "mm/dd/yyyy", "dd-mm-yyyy", "mm-dd-yyyy", "yyyy年mm月dd日"
]  # fmt: skip
LAYOUTS: tuple[Layout, ...] = get_args(Layout)
_Share = Annotated[float, Field(ge=0.0, le=1.0)]
_LEAST_SIZE = 0.01  # of the picture: a smaller region is a slip of the pen


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


class MaskRegion(_Strict):
    """[[mask]]: a region that has to be masked (privacy), shares of the main stream's width and height.

    x, y, width, height: of an upright rectangle; or points: x, y of the corners of a convex polygon, in turn. Something
    else that has to be masked is several regions.
    """

    name: str = Field(min_length=1, max_length=60)
    x: _Share | None = None
    y: _Share | None = None
    width: _Share | None = None
    height: _Share | None = None
    points: tuple[tuple[_Share, _Share], ...] | None = Field(default=None, min_length=3, max_length=16)
    note: str = ""

    @model_validator(mode="after")
    def _one_shape(self) -> MaskRegion:
        sides = (self.x, self.y, self.width, self.height)
        if self.points is None and None in sides:
            raise ValueError(f"region {self.name!r} needs x, y, width and height, or points")
        if self.points is not None and sides != (None,) * 4:
            raise ValueError(f"region {self.name!r} has x, y, width or height and points: keep one of them")
        corners = self.corners
        across, down = zip(*corners, strict=True)
        if max(across) > 1 + 1e-9 or max(down) > 1 + 1e-9:
            raise ValueError(
                f"region {self.name!r} reaches beyond the picture: x + width and y + height are at most 1"
            )
        if min(max(across) - min(across), max(down) - min(down)) < _LEAST_SIZE:
            raise ValueError(
                f"region {self.name!r} is under {_LEAST_SIZE:g} of the picture wide or high: declare it larger"
            )
        turns = [
            (b[0] - a[0]) * (c[1] - b[1]) - (b[1] - a[1]) * (c[0] - b[0])
            for a, b, c in zip(corners, corners[1:] + corners[:1], corners[2:] + corners[:2], strict=True)
        ]
        if not (min(turns) > 0 or max(turns) < 0) or _winds_twice(corners):
            raise ValueError(
                f"region {self.name!r} is not convex, or a corner lies on a side: name its corners in turn, or split it"
            )
        return self

    @property
    def corners(self) -> tuple[tuple[float, float], ...]:
        """x, y of the corners in turn, shares."""
        if self.points is not None:
            return self.points
        x, y, width, height = (float(v or 0.0) for v in (self.x, self.y, self.width, self.height))
        return (x, y), (x + width, y), (x + width, y + height), (x, y + height)


def _winds_twice(corners: tuple[tuple[float, float], ...]) -> bool:
    """Whether a polygon whose corners all turn one way is a star: its outline goes right, then left, more than once."""
    steps = [b[0] - a[0] for a, b in zip(corners, corners[1:] + corners[:1], strict=True) if b[0] != a[0]]
    return sum((a > 0) != (b > 0) for a, b in zip(steps, steps[1:] + steps[:1], strict=True)) > 2
