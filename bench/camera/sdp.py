"""The part of a session description (SDP, RFC 8866) that a receiver of one video stream needs."""

from __future__ import annotations

import base64
import binascii
import re
from dataclasses import dataclass, field

from standards.errors import NoVideo, ProtocolViolation

__all__ = ["ENCODINGS", "Video", "parse_sdp"]

#: Encodings that are received, by their names in RTP (RFC 6184, RFC 7798, RFC 2435), and the bench's name of each.
ENCODINGS = {"H264": "h264", "H265": "h265", "JPEG": "mjpeg"}
_STATIC = {26: ("JPEG", 90_000)}  # payload types that need no map (RFC 3551, 6)
_SETS = {  # where a format's parameters hold sets, and what NAL types they are
    "H264": (("sprop-parameter-sets", (7, 8)),),
    "H265": (("sprop-vps", (32,)), ("sprop-sps", (33,)), ("sprop-pps", (34,))),
}

_MOST_LINES = 512
_RTPMAP = re.compile(r"(\d{1,3}) ([A-Za-z0-9.-]{1,32})/(\d{1,9})(?:/\S*)?")


@dataclass(frozen=True)
class Video:
    """One video stream as promised. control: as written, may be relative; session_control likewise.

    encoding: its name in RTP, one of ENCODINGS; clock_rate: RTP ticks/s; framerate: a=framerate in 1/s;
    bandwidth_kbit: b=AS; parameter_sets: those of the format's parameters (sprop-...), without start codes.
    """

    payload_type: int
    encoding: str
    clock_rate: int
    control: str = ""
    session_control: str = ""
    framerate: float | None = None
    bandwidth_kbit: int | None = None
    parameter_sets: tuple[bytes, ...] = ()
    packetization_mode: int = 0

    @property
    def codec(self) -> str:
        """'h264', 'h265' or 'mjpeg'."""
        return ENCODINGS[self.encoding]


@dataclass
class _Media:
    kind: str = ""
    payload_types: list[int] = field(default_factory=list)
    maps: dict[int, tuple[str, int]] = field(default_factory=dict)
    formats: dict[int, str] = field(default_factory=dict)
    control: str = ""
    framerate: float | None = None
    bandwidth: int | None = None


def _lines(body: bytes) -> list[tuple[str, str]]:
    text = body.decode("utf-8", "replace").replace("\r\n", "\n").replace("\r", "\n")
    rows = [row for row in text.split("\n") if row.strip()]
    if not rows or rows[0].strip() != "v=0":
        raise ProtocolViolation("SDP does not begin with v=0")
    if len(rows) > _MOST_LINES:
        raise ProtocolViolation(f"SDP has more than {_MOST_LINES} lines")
    # A line that is no 'x=value' is left out: cameras write such, and the video can be read without it.
    return [(row[0], row[2:].strip()) for row in rows if len(row) > 1 and row[1] == "="]


def _number(text: str, largest: int) -> int | None:
    text = text.strip()
    return (
        int(text) if text.isascii() and text.isdigit() and len(text) < 12 and int(text) <= largest else None
    )


def _attribute(media: _Media, text: str) -> None:
    name, _, value = text.partition(":")
    value = value.strip()
    if name == "control":
        media.control = value
    elif name == "rtpmap" and (match := _RTPMAP.fullmatch(value)):
        media.maps[int(match[1])] = (match[2].upper(), int(match[3]))
    elif name == "fmtp":
        number, _, rest = value.partition(" ")
        if (payload_type := _number(number, 127)) is not None:
            media.formats[payload_type] = rest
    elif name in ("framerate", "x-framerate"):
        match = re.fullmatch(r"\d{1,4}(?:\.\d{1,9})?", value)
        media.framerate = float(match[0]) if match and float(match[0]) > 0 else media.framerate


def _parameters(format_text: str) -> dict[str, str]:
    values = {}
    for part in format_text.split(";"):
        key, _, value = part.partition("=")
        values[key.strip().lower()] = value.strip()
    return values


def _parameter_sets(encoding: str, values: dict[str, str]) -> tuple[bytes, ...]:
    sets: list[bytes] = []
    for name, kinds in _SETS.get(encoding, ()):
        for text in values.get(name, "").split(",")[:16]:
            try:
                nal = base64.b64decode(text + "=" * (-len(text) % 4), validate=True)
            except (binascii.Error, ValueError):
                continue  # the stream may carry them itself; if not, the decoder will say so
            kind = (nal[0] & 0x1F if encoding == "H264" else nal[0] >> 1 & 0x3F) if nal else -1
            if kind in kinds and len(nal) <= 4096:
                sets.append(nal)
    return tuple(sets)


def parse_sdp(body: bytes) -> Video:
    """The first video stream of an SDP in an encoding that is received.

    Raises ProtocolViolation if it is not SDP or contradicts itself, NoVideo if it offers no such video.
    """
    session, media = _Media(), []
    current = session
    for kind, value in _lines(body):
        if kind == "m":
            words = value.split()
            current = _Media(kind=words[0].lower() if words else "")
            numbers = (_number(w, 127) for w in words[3:])
            current.payload_types = [n for n in numbers if n is not None]
            media.append(current)
        elif kind == "a":
            _attribute(current, value)
        elif kind == "b" and value.upper().startswith("AS:"):
            current.bandwidth = _number(value[3:], 10_000_000)
    offered: list[str] = []
    for entry in (m for m in media if m.kind == "video"):
        for number in entry.payload_types:
            encoding, rate = entry.maps.get(number) or _STATIC.get(number, ("", 0))
            offered.append(encoding or f"payload type {number}")
            if encoding in ENCODINGS:
                return _video(session, entry, number, encoding, rate)
    raise NoVideo(
        f"the SDP offers no H.264, H.265 or JPEG video (video offered: {', '.join(offered[:8]) or 'none'})"
    )


def _video(session: _Media, entry: _Media, number: int, encoding: str, rate: int) -> Video:
    if not 1 <= rate <= 10_000_000:
        raise ProtocolViolation(f"SDP: clock rate {rate} of {encoding}")
    values = _parameters(entry.formats.get(number, ""))
    if encoding == "H265" and (_number(values.get("sprop-max-don-diff", "0"), 32767) or 0) > 0:
        raise NoVideo("the SDP offers interleaved H.265 (sprop-max-don-diff), which is not received")
    return Video(
        number, encoding, rate, entry.control, session.control,
        entry.framerate if entry.framerate is not None else session.framerate,
        entry.bandwidth if entry.bandwidth is not None else session.bandwidth,
        _parameter_sets(encoding, values), _number(values.get("packetization-mode", "0"), 2) or 0,
    )  # fmt: skip
