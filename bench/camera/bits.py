"""Bits of a parameter set, as H.264 and H.265 write them (9.1 of both)."""

from __future__ import annotations

from standards.errors import ProtocolViolation

__all__ = ["Bits"]


class Bits:
    """Reads bits of a NAL unit's payload, most significant first."""

    def __init__(self, payload: bytes, what: str) -> None:
        """payload: with its emulation prevention bytes; what: is read, for errors."""
        data = payload.replace(b"\0\0\3", b"\0\0")
        self._value = int.from_bytes(data, "big")
        self._left = len(data) * 8
        self._what = what

    def u(self, count: int) -> int:
        """An unsigned number of so many bits. Raises ProtocolViolation beyond the end."""
        self._left -= count
        if self._left < 0:
            raise ProtocolViolation(f"{self._what} ends too early")
        return (self._value >> self._left) & ((1 << count) - 1)

    def ue(self) -> int:
        """An unsigned Exp-Golomb code. Raises ProtocolViolation over 32 bits."""
        zeros = 0
        while self.u(1) == 0:
            zeros += 1
            if zeros > 32:
                raise ProtocolViolation(f"{self._what} holds an Exp-Golomb code over 32 bits")
        return (1 << zeros) - 1 + self.u(zeros)

    def se(self) -> int:
        """A signed Exp-Golomb code."""
        code = self.ue()
        return (code + 1) // 2 if code % 2 else -(code // 2)
