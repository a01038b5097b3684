"""What a declaration says of a camera's view: a reference picture of it, and where privacy masks have to lie."""

from __future__ import annotations

from datetime import date
from itertools import combinations
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, model_validator

__all__ = ["FrozenReference", "MaskRegion", "Reference"]

_Share = Annotated[float, Field(ge=0.0, le=1.0)]
_Point = tuple[_Share, _Share]
_LEAST_AREA = 1e-4  # of the picture: a square of 20 pixels' side in one of 1920 x 1080


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


class MaskRegion(_Strict):
    """[[privacy_mask]]: a part of the picture that has to be masked.

    polygon: corners in order, x and y as shares of the picture's width and height, from its upper left corner; name: for the
    report.
    """

    name: str = Field(min_length=1, max_length=40)
    polygon: tuple[_Point, ...] = Field(min_length=3, max_length=64)

    @property
    def area(self) -> float:
        """Share of the picture, 0 to 1."""
        following = (*self.polygon[1:], self.polygon[0])
        return abs(sum(a[0] * b[1] - b[0] * a[1] for a, b in zip(self.polygon, following, strict=True))) / 2

    @model_validator(mode="after")
    def _simple(self) -> MaskRegion:
        following = (*self.polygon[1:], self.polygon[0])
        sides = list(zip(self.polygon, following, strict=True))
        if any(_cross(*one, *other) for one, other in combinations(sides, 2)):
            raise ValueError("the polygon crosses itself: give its corners in order")
        if self.area < _LEAST_AREA:
            raise ValueError(f"the polygon covers less than {_LEAST_AREA:g} of the picture")
        return self


def _cross(a: _Point, b: _Point, c: _Point, d: _Point) -> bool:
    """Whether the inner parts of two sides cross."""

    def turn(p: _Point, q: _Point, r: _Point) -> float:
        return (q[0] - p[0]) * (r[1] - p[1]) - (q[1] - p[1]) * (r[0] - p[0])

    return turn(a, b, c) * turn(a, b, d) < 0 and turn(c, d, a) * turn(c, d, b) < 0
