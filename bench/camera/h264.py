"""H.264 in RTP (RFC 6184, packetization modes 0 and 1): packets to access units in Annex B."""

from __future__ import annotations

from bench.camera.access_unit import AccessUnit, NalAssembler

__all__ = ["Assembler264"]

_IDR, _SEI, _SPS, _PPS, _DELIMITER = 5, 6, 7, 8, 9
_STAP_A, _FU_A = 24, 28


def _first_nal(payload: bytes) -> tuple[int, int]:
    """Type of the first NAL unit that begins in this payload (-1 if none), and its second byte (-1)."""
    kind = payload[0] & 0x1F
    if kind == _FU_A:
        if len(payload) < 2 or not payload[1] & 0x80:
            return -1, -1
        return payload[1] & 0x1F, payload[2] if len(payload) > 2 else -1
    if kind == _STAP_A:
        return (payload[3] & 0x1F, payload[4] if len(payload) > 4 else -1) if len(payload) > 3 else (-1, -1)
    return kind, payload[1] if len(payload) > 1 else -1


class Assembler264(NalAssembler):
    """Access units of H.264."""

    SETS = (_SPS, _PPS)
    KEYS = frozenset({_IDR})
    AGGREGATE, FRAGMENT = "STAP-A", "FU-A"

    @staticmethod
    def kind(nal: bytes) -> int:
        """nal_unit_type (H.264, 7.3.1)."""
        return nal[0] & 0x1F

    @staticmethod
    def is_picture(kind: int) -> bool:
        """Slices and their partitions (H.264, table 7-1)."""
        return 1 <= kind <= 5

    def _begins_picture(self, payload: bytes) -> bool:
        """Whether an access unit can begin here (H.264, 7.4.1.2.3): delimiter, SEI, SPS, PPS, first slice."""
        kind, second = _first_nal(payload)
        if self.is_picture(kind):
            return second >= 0x80  # first_mb_in_slice, ue(v): a leading one bit is 0
        return _SEI <= kind <= _DELIMITER

    def _payload(self, unit: AccessUnit, payload: bytes) -> None:
        kind = payload[0] & 0x1F
        if 1 <= kind <= 23:
            self._single(unit, payload)
        elif kind == _FU_A:
            if len(payload) < 3:
                self._broken(unit, "FU-A without content")
                return
            header = bytes(((payload[0] & 0xE0) | (payload[1] & 0x1F),))
            self._piece(unit, payload[1], header, payload[2:])
        elif kind == _STAP_A:
            self._aggregate(unit, payload, 1, 1)
        else:
            self._unbroken(unit)
            self._broken(unit, f"NAL unit type {kind} does not belong to packetization modes 0 and 1")
