"""H.264 sequence parameter set: picture size, profile and time base (ITU-T H.264, 7.3.2.1.1 and annex E)."""

from __future__ import annotations

from dataclasses import dataclass

from bench.camera.bits import Bits
from standards.errors import ProtocolViolation

__all__ = ["SequenceParameters", "parse_sps"]

_LARGEST_SPS = 4096
_HIGH_PROFILES = frozenset({100, 110, 122, 244, 44, 83, 86, 118, 128, 138, 139, 134, 135})
_EXTENDED_SAR = 255


@dataclass(frozen=True)
class SequenceParameters:
    """width, height: visible pixels after cropping; coded_*: before it. fps: of the VUI, or None."""

    profile: int
    level: int
    width: int
    height: int
    coded_width: int
    coded_height: int
    fps: float | None


def _skip_scaling_lists(bits: Bits, count: int) -> None:
    for index in range(count):
        if not bits.u(1):
            continue
        last = following = 8
        for _ in range(16 if index < 6 else 64):
            if following:
                following = (last + bits.se()) % 256
            last = following or last


def _skip_order_count(bits: Bits) -> None:
    kind = bits.ue()
    if kind == 0:
        bits.ue()
    elif kind == 1:
        bits.u(1)
        bits.se()
        bits.se()
        count = bits.ue()
        if count > 255:
            raise ProtocolViolation("H.264 SPS: more than 255 reference frames in one cycle")
        for _ in range(count):
            bits.se()


def _vui_fps(bits: Bits) -> float | None:
    if bits.u(1) and bits.u(8) == _EXTENDED_SAR:
        bits.u(32)
    if bits.u(1):  # overscan_info
        bits.u(1)
    if bits.u(1):  # video_signal_type
        bits.u(4)
        if bits.u(1):
            bits.u(24)
    if bits.u(1):  # chroma_loc_info
        bits.ue()
        bits.ue()
    if not bits.u(1):
        return None
    units, scale = bits.u(32), bits.u(32)
    return scale / (2.0 * units) if units and scale else None


def parse_sps(nal: bytes) -> SequenceParameters:
    """Read one SPS NAL unit, header byte included. Raises ProtocolViolation if it is not one."""
    if len(nal) < 4 or len(nal) > _LARGEST_SPS or nal[0] & 0x1F != 7:
        raise ProtocolViolation("not an H.264 SPS")
    bits = Bits(nal[1:], "H.264 SPS")
    profile, _, level = bits.u(8), bits.u(8), bits.u(8)
    bits.ue()
    chroma = 1
    separate = False
    if profile in _HIGH_PROFILES:
        chroma = bits.ue()
        separate = chroma == 3 and bool(bits.u(1))
        bits.ue()
        bits.ue()
        bits.u(1)
        if bits.u(1):
            _skip_scaling_lists(bits, 12 if chroma == 3 else 8)
    bits.ue()
    _skip_order_count(bits)
    bits.ue()
    bits.u(1)
    wide, tall = 16 * (bits.ue() + 1), 16 * (bits.ue() + 1)
    frames_only = bits.u(1)
    if not frames_only:
        bits.u(1)
    tall *= 2 - frames_only
    bits.u(1)
    left, right, top, bottom = (bits.ue() for _ in range(4)) if bits.u(1) else (0, 0, 0, 0)
    step_x = 2 if chroma in (1, 2) and not separate else 1
    step_y = (2 if chroma == 1 and not separate else 1) * (2 - frames_only)
    width, height = wide - step_x * (left + right), tall - step_y * (top + bottom)
    if not (0 < width <= 16384 and 0 < height <= 16384):
        raise ProtocolViolation(f"H.264 SPS declares {width}x{height} pixels")
    fps = _vui_fps(bits) if bits.u(1) else None
    return SequenceParameters(profile, level, width, height, wide, tall, fps)
