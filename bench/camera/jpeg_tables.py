"""Tables of JPEG that RFC 2435 takes for granted: ITU-T T.81, annex K, in the order of the file (zigzag)."""

from __future__ import annotations

import struct
from functools import cache

__all__ = ["HUFFMAN", "quantisation"]

#: K.1 and K.2: steps of luma and of chroma at quality 50.
_LUMA = bytes.fromhex(
    "100b0c0e0c0a100e0d0e1211101318281a181616183123251d283a333d3c3933383740485c4e404457453738506d5157"
    "5f626768673e4d71797064785c656763"
)
_CHROMA = bytes.fromhex(
    "1112121815182f1a1a2f6342384263636363636363636363636363636363636363636363636363636363636363636363"
    "63636363636363636363636363636363"
)
#: K.3 to K.6, each with its class and place: DC and AC of luma, DC and AC of chroma.
_CODES = (
    bytes.fromhex("0000010501010101010100000000000000000102030405060708090a0b"),
    bytes.fromhex(
        "100002010303020403050504040000017d01020300041105122131410613516107227114328191a1082342b1c11552d1"
        "f02433627282090a161718191a25262728292a3435363738393a434445464748494a535455565758595a636465666768"
        "696a737475767778797a838485868788898a92939495969798999aa2a3a4a5a6a7a8a9aab2b3b4b5b6b7b8b9bac2c3c4"
        "c5c6c7c8c9cad2d3d4d5d6d7d8d9dae1e2e3e4e5e6e7e8e9eaf1f2f3f4f5f6f7f8f9fa"
    ),
    bytes.fromhex("0100030101010101010101010000000000000102030405060708090a0b"),
    bytes.fromhex(
        "1100020102040403040705040400010277000102031104052131061241510761711322328108144291a1b1c109233352"
        "f0156272d10a162434e125f11718191a262728292a35363738393a434445464748494a535455565758595a6364656667"
        "68696a737475767778797a82838485868788898a92939495969798999aa2a3a4a5a6a7a8a9aab2b3b4b5b6b7b8b9bac2"
        "c3c4c5c6c7c8c9cad2d3d4d5d6d7d8d9dae2e3e4e5e6e7e8e9eaf2f3f4f5f6f7f8f9fa"
    ),
)
#: The four tables as segments of a file.
HUFFMAN = b"".join(struct.pack("!BBH", 0xFF, 0xC4, len(code) + 2) + code for code in _CODES)


@cache
def quantisation(quality: int) -> bytes:
    """Steps of luma and chroma, 64 each, of a quality from 1 to 99 (RFC 2435, 4.2)."""
    scale = 5000 // quality if quality < 50 else 200 - 2 * quality
    return bytes(min(255, max(1, (step * scale + 50) // 100)) for step in _LUMA + _CHROMA)
