"""H.265 sequence parameter set: picture size, profile and level (ITU-T H.265, 7.3.2.2.1 and 7.3.3)."""

from __future__ import annotations

from dataclasses import dataclass

from bench.camera.bits import Bits
from standards.errors import ProtocolViolation

__all__ = ["SequenceParameters265", "parse_sps_265"]

_SPS = 33
_LARGEST_SPS = 4096


@dataclass(frozen=True)
class SequenceParameters265:
    """profile: general_profile_idc; tier: 0 main, 1 high; level: general_level_idc, 30 times the level's number.

    width, height: visible pixels after the conformance window; coded_*: before it; depth: bits of luma.
    """

    profile: int
    tier: int
    level: int
    width: int
    height: int
    coded_width: int
    coded_height: int
    depth: int


def _skip_sub_layers(bits: Bits, count: int) -> None:
    present = [(bits.u(1), bits.u(1)) for _ in range(count)]
    if count:
        bits.u(2 * (8 - count))
    for profile, level in present:
        bits.u(88 * profile + 8 * level)


def parse_sps_265(nal: bytes) -> SequenceParameters265:
    """Read one SPS NAL unit, both header bytes included. Raises ProtocolViolation if it is not one."""
    if len(nal) < 4 or len(nal) > _LARGEST_SPS or nal[0] >> 1 & 0x3F != _SPS:
        raise ProtocolViolation("not an H.265 SPS")
    bits = Bits(nal[2:], "H.265 SPS")
    bits.u(4)
    layers = bits.u(3)
    bits.u(1)
    bits.u(2)
    tier, profile = bits.u(1), bits.u(5)
    bits.u(32 + 48)  # compatibility and constraint flags
    level = bits.u(8)
    _skip_sub_layers(bits, layers)
    bits.ue()
    chroma = bits.ue()
    separate = chroma == 3 and bool(bits.u(1))
    wide, tall = bits.ue(), bits.ue()
    left, right, top, bottom = (bits.ue() for _ in range(4)) if bits.u(1) else (0, 0, 0, 0)
    depth = 8 + bits.ue()
    step_x = 2 if chroma in (1, 2) and not separate else 1
    step_y = 2 if chroma == 1 and not separate else 1
    width, height = wide - step_x * (left + right), tall - step_y * (top + bottom)
    if not (0 < width <= 16384 and 0 < height <= 16384):
        raise ProtocolViolation(f"H.265 SPS declares {width}x{height} pixels")
    return SequenceParameters265(profile, tier, level, width, height, wide, tall, depth)
