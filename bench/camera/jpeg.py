"""JPEG in RTP (RFC 2435): packets to whole JPEG files, which any decoder reads.

The RFC sends the scan alone: frame header, quantisation and Huffman tables are put back here, the latter being those of
ITU-T T.81, annex K. Pictures wider or higher than 2040 pixels do not fit its header; ONVIF sends such with headers
in an RTP extension, which is not read: they are refused with that reason.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Callable
from dataclasses import dataclass

from bench.camera.access_unit import AccessUnit, Assembler
from bench.camera.jpeg_tables import HUFFMAN, quantisation
from bench.camera.limits import Limits

__all__ = ["AssemblerJpeg", "luma_step", "size_of"]

_HEADER = 8
_EOI = b"\xff\xd9"
_DQT, _SOF, _DRI, _SOS = 0xDB, 0xC0, 0xDD, 0xDA
_RESTARTS = range(64, 128)  # types whose packets carry a restart header
_SAMPLING = {0: 0x21, 1: 0x22}  # luma's factors: 4:2:2 and 4:2:0
_FIRST_IN_BAND, _ALWAYS_IN_BAND = 128, 255
_LONGEST_TABLES = 256  # bytes: two of 16 bit


@dataclass(frozen=True)
class _Header:
    """kind: of the RFC, 0 or 1 and restarts; q: quality; width, height: pixels."""

    kind: int
    q: int
    width: int
    height: int


class AssemblerJpeg(Assembler):
    """JPEG files, one a picture; each is a key picture. All packets of a picture carry its header: they have to agree."""

    def __init__(
        self, limits: Limits, unit: Callable[[AccessUnit], None], violation: Callable[[str], None]
    ) -> None:
        """See Assembler."""
        super().__init__(limits, unit, violation)
        self._header: _Header | None = None
        self._next = 0  # offset in the scan that the next packet has to have
        self._tables: dict[int, tuple[bytes, int]] = {}  # in-band tables by q, and their precisions
        self._ending = b""

    def provide(self, unit: AccessUnit) -> None:
        """Each picture is whole by itself."""

    def _begins_picture(self, payload: bytes) -> bool:
        return len(payload) > _HEADER and payload[1:4] == b"\0\0\0"

    def _payload(self, unit: AccessUnit, payload: bytes) -> None:
        if len(payload) <= _HEADER:
            self._broken(unit, "a JPEG payload of no more than its header")
            return
        field, offset = payload[0], int.from_bytes(payload[1:4], "big")
        header = _Header(payload[4], payload[5], payload[6] * 8, payload[7] * 8)
        if field or header.kind & 0x3F not in _SAMPLING or header.kind >= 128:
            what = f"field {field}" if field else f"type {header.kind}"
            self._broken(unit, f"JPEG of {what}: only whole pictures of types 0, 1, 64 and 65 are read")
            return
        place, interval = _HEADER, 0
        if header.kind in _RESTARTS:
            interval, place = int.from_bytes(payload[8:10], "big"), _HEADER + 4
        if offset == 0 and not unit.parts:
            begun = self._begin(unit, header, interval, payload, place)
            if begun is None:
                return
            place = begun
        elif not unit.parts or header != self._header or offset != self._next:
            if unit.intact:  # after loss this is no offence of the camera: the unit is marked already
                self._broken(unit, f"JPEG: a piece at {offset} of another picture, twice or out of place")
            unit.picture = True  # one that cannot be shown, in its own place
            return
        if place >= len(payload):
            self._broken(unit, "JPEG: a packet without a part of the scan")
            return
        scan = payload[place:]
        self._next = offset + len(scan)
        self._ending = (self._ending + scan)[-2:]
        self._add(unit, scan)

    def _begin(
        self, unit: AccessUnit, header: _Header, interval: int, payload: bytes, place: int
    ) -> int | None:
        """The first packet of a picture: the file's head. Returns where the scan begins; None where it is refused."""
        if not header.width or not header.height:
            self._broken(unit, "JPEG of more than 2040 pixels: headers in an RTP extension are not read")
            return None
        if header.kind in _RESTARTS and not interval:
            self._broken(unit, "JPEG: restart markers at an interval of 0")
            return None
        tables: tuple[bytes, int] | None
        if header.q >= _FIRST_IN_BAND:
            tables, place = self._in_band(header.q, payload, place)
        else:
            tables = (quantisation(header.q), 0) if 1 <= header.q <= 99 else None
        if tables is None:
            self._broken(unit, f"JPEG of quality {header.q} without its quantisation tables")
            return None
        self._header, self._next, self._ending = header, 0, b""
        unit.picture = unit.key = True
        self._add(unit, _head(header, interval, *tables))
        return place

    def _in_band(self, q: int, payload: bytes, place: int) -> tuple[tuple[bytes, int] | None, int]:
        """Tables that come with the picture (RFC 2435, 3.1.8), or came with an earlier one of the same q."""
        if place + 4 > len(payload):
            return None, place
        _, precision, length = struct.unpack_from("!BBH", payload, place)
        start, end = place + 4, place + 4 + length
        if length == 0:
            return (self._tables.get(q) if q != _ALWAYS_IN_BAND else None), start
        sizes = [128 if precision >> n & 1 else 64 for n in range(2)]
        if end > len(payload) or length > _LONGEST_TABLES or length not in (sizes[0], sum(sizes)):
            return None, start
        found = payload[start:end]
        if length == sizes[0]:  # one for all components
            found, precision = found + found, (precision & 1) * 3
        self._tables[q] = (found, precision)
        return self._tables[q], end

    def _seal(self, unit: AccessUnit) -> None:
        if unit.parts and self._ending != _EOI:
            self._add(unit, _EOI)


def _segment(marker: int, body: bytes) -> bytes:
    return struct.pack("!BBH", 0xFF, marker, len(body) + 2) + body


def _head(header: _Header, interval: int, tables: bytes, precision: int) -> bytes:
    """Everything before the scan (ITU-T T.81, annex B)."""
    first = 128 if precision & 1 else 64
    out = b"\xff\xd8"
    for n, table in enumerate((tables[:first], tables[first:])):
        out += _segment(_DQT, bytes(((precision >> n & 1) << 4 | n,)) + table)
    sampling = _SAMPLING[header.kind & 0x3F]
    frame = struct.pack("!BHHB", 8, header.height, header.width, 3)
    frame += bytes((1, sampling, 0, 2, 0x11, 1, 3, 0x11, 1))
    out += _segment(_SOF, frame) + HUFFMAN
    if interval:
        out += _segment(_DRI, struct.pack("!H", interval))
    return out + _segment(_SOS, bytes((3, 1, 0x00, 2, 0x11, 3, 0x11, 0, 63, 0)))


def _segments(file: bytes) -> list[tuple[int, bytes]]:
    """Markers before the scan with what they hold; empty for what is no JPEG."""
    found: list[tuple[int, bytes]] = []
    place = 2 if file[:2] == b"\xff\xd8" else len(file)
    while place + 4 <= len(file) and file[place] == 0xFF and file[place + 1] != _SOS:
        size = int.from_bytes(file[place + 2 : place + 4], "big")
        found.append((file[place + 1], file[place + 4 : place + 2 + size]))
        place += 2 + size
    return found


def size_of(file: bytes) -> tuple[int, int] | None:
    """(width, height) of a baseline JPEG file in pixels; None if it names none."""
    for marker, body in _segments(file):
        if marker == _SOF and len(body) >= 5:
            height, width = struct.unpack_from("!HH", body, 1)
            return width, height
    return None


def luma_step(file: bytes) -> float | None:
    """Root mean square of luma's 64 quantiser steps of a JPEG file, in codes: T.81's transform is orthonormal.

    None if the file holds no table 0.
    """
    for marker, body in _segments(file):
        while marker == _DQT and body:
            wide, size = body[0] >> 4, 128 if body[0] >> 4 else 64
            if body[0] & 0x0F == 0 and len(body) > size:
                steps = struct.unpack_from("!64H" if wide else "64B", body, 1)
                return math.sqrt(sum(step * step for step in steps) / 64)
            body = body[1 + size :]
    return None
