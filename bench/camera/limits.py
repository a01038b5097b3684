"""Bounds that protect the bench from what a camera sends: every parser of wire data takes them from here."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Limits"]


@dataclass(frozen=True)
class Limits:
    """Bounds in bytes, packets and seconds. The defaults suit one stream of up to 100 Mbit/s for minutes.

    header_bytes: head of one RTSP message; body_bytes: its body, so also the SDP; unit_bytes: one access
    unit; total_bytes: access units of one capture together; packets: RTP packets of one capture; events:
    events kept (the rest is counted). connect_s, answer_s: time for a connection and for one whole
    answer; first_frame_s: from PLAY to the first complete key frame; reconnects: times that a lost
    connection is opened again within one capture.
    """

    header_bytes: int = 16 * 1024
    body_bytes: int = 64 * 1024
    unit_bytes: int = 16 * 1024 * 1024
    total_bytes: int = 1024 * 1024 * 1024
    packets: int = 10_000_000
    events: int = 5_000
    connect_s: float = 5.0
    answer_s: float = 5.0
    first_frame_s: float = 10.0
    reconnects: int = 5
