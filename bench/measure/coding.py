"""What a codec does to a still chart, as it enters budgets: an error that no averaging over a GOP takes away."""

from __future__ import annotations

__all__ = ["WELL_CODED", "coding_u"]

#: Bits a pixel of the picture from which an encoder has enough for a still chart (4 Mbit/s of 1280 x 720 at 25 1/s is
#: 0.17). Below, fine detail of low contrast is dropped first. docs/methods/resolution.md has the figures.
WELL_CODED = 0.1


def coding_u(bits_per_pixel: float | None, well: float, poorly: float) -> float:
    """Relative standard uncertainty by coding: `well` from 0.1 bits a pixel on, `poorly` below or where unknown."""
    return well if bits_per_pixel is not None and bits_per_pixel >= WELL_CODED else poorly
