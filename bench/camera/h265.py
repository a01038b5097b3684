"""H.265 in RTP (RFC 7798, in the order of decoding): packets to access units in Annex B.

Interleaved streams, whose packets carry decoding order numbers (sprop-max-don-diff > 0), are refused with the SDP.
"""

from __future__ import annotations

from bench.camera.access_unit import AccessUnit, NalAssembler

__all__ = ["Assembler265"]

_VPS, _SPS, _PPS, _DELIMITER, _PREFIX_SEI = 32, 33, 34, 35, 39
_AP, _FU, _PACI = 48, 49, 50
_HEADER = 2  # bytes


def _kind(data: bytes) -> int:
    return data[0] >> 1 & 0x3F


def _first_nal(payload: bytes) -> tuple[int, int]:
    """Type of the first NAL unit that begins in this payload (-1 if none), and its third byte (-1)."""
    kind = _kind(payload)
    if kind == _FU:
        if len(payload) < 3 or not payload[2] & 0x80:
            return -1, -1
        return payload[2] & 0x3F, payload[3] if len(payload) > 3 else -1
    if kind == _AP:
        payload = payload[4:]
        if len(payload) < _HEADER:
            return -1, -1
        kind = _kind(payload)
    return kind, payload[_HEADER] if len(payload) > _HEADER else -1


class Assembler265(NalAssembler):
    """Access units of H.265."""

    SETS = (_VPS, _SPS, _PPS)
    KEYS = frozenset(range(16, 22))  # BLA, IDR and CRA: intra random access points (H.265, table 7-1)
    AGGREGATE, FRAGMENT = "AP", "FU"

    @staticmethod
    def kind(nal: bytes) -> int:
        """nal_unit_type (H.265, 7.3.1.2)."""
        return _kind(nal)

    @staticmethod
    def is_picture(kind: int) -> bool:
        """Slice segments: the types of the video coding layer (H.265, table 7-1)."""
        return 0 <= kind < 32

    def _begins_picture(self, payload: bytes) -> bool:
        """Whether an access unit can begin here (H.265, 7.4.2.4.4): delimiter, sets, SEI before, first slice segment."""
        kind, third = _first_nal(payload)
        if self.is_picture(kind):
            return third >= 0x80  # first_slice_segment_in_pic_flag
        return _VPS <= kind <= _DELIMITER or kind == _PREFIX_SEI or 41 <= kind <= 44 or 51 <= kind <= 55

    def _payload(self, unit: AccessUnit, payload: bytes) -> None:
        if len(payload) <= _HEADER:
            self._unbroken(unit)
            self._broken(unit, "an H.265 payload of no more than its header")
            return
        kind = _kind(payload)
        if kind < _AP:
            self._single(unit, payload)
        elif kind == _FU:
            if len(payload) < 4:
                self._broken(unit, "FU without content")
                return
            header = bytes((payload[0] & 0x81 | (payload[2] & 0x3F) << 1, payload[1]))
            self._piece(unit, payload[2], header, payload[3:])
        elif kind == _AP:
            self._aggregate(unit, payload, _HEADER, _HEADER + 1)
        else:
            self._unbroken(unit)
            what = "PACI packets are not read" if kind == _PACI else f"NAL unit type {kind} is reserved"
            self._broken(unit, f"H.265: {what}")
