"""What the bench receives: the assembler of each codec, and what its parameter sets promise."""

from __future__ import annotations

from collections.abc import Callable

from bench.camera.access_unit import AccessUnit, Assembler, NalAssembler
from bench.camera.h264 import Assembler264
from bench.camera.h265 import Assembler265
from bench.camera.jpeg import AssemblerJpeg
from bench.camera.limits import Limits
from bench.camera.sdp import Video
from bench.camera.sps import parse_sps
from bench.camera.sps_265 import parse_sps_265
from standards.errors import ProtocolViolation

__all__ = ["DECODERS", "assembler_of", "promised"]

_ASSEMBLERS: dict[str, type[Assembler]] = {
    "h264": Assembler264,
    "h265": Assembler265,
    "mjpeg": AssemblerJpeg,
}
#: What is received, and libavcodec's decoder of each.
DECODERS = {"h264": "h264", "h265": "hevc", "mjpeg": "mjpeg"}


def assembler_of(
    video: Video, limits: Limits, unit: Callable[[AccessUnit], None], violation: Callable[[str], None]
) -> Assembler:
    """An assembler of the stream's codec, which knows the parameter sets of the SDP."""
    made = _ASSEMBLERS[video.codec](limits, unit, violation)
    if isinstance(made, NalAssembler):
        made.know(video.parameter_sets)
    return made


def promised(video: Video) -> dict[str, object]:
    """What the parameter sets in the SDP say: width, height, profile_idc, level_idc, vui_fps; what can be read of it."""
    for nal in video.parameter_sets:
        try:
            if video.codec == "h264" and Assembler264.kind(nal) == 7:
                sps = parse_sps(nal)
                found: dict[str, object] = {
                    "width": sps.width,
                    "height": sps.height,
                    "profile_idc": sps.profile,
                }
                found["level_idc"] = sps.level
                return found | ({"vui_fps": sps.fps} if sps.fps is not None else {})
            if video.codec == "h265" and Assembler265.kind(nal) == 33:
                sequence = parse_sps_265(nal)
                return {
                    "width": sequence.width,
                    "height": sequence.height,
                    "profile_idc": sequence.profile,
                    "level_idc": sequence.level,
                }
        except ProtocolViolation:
            continue  # the decoder reads the stream's own; the SDP then promises no size
    return {}
