"""The RTP timestamp rule, on access units that keep it and break it in each way."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.camera.capture import PACKET, REPORT, UNIT, Capture
from bench.measure.transport import first_slices, timestamp_rule
from standards.errors import MeasurementRefused

_START = b"\0\0\0\1"
FIRST = _START + b"\x65\x88" + b"\x10" * 20  # first_mb_in_slice 0
LATER = _START + b"\x65\x41" + b"\x10" * 20  # first_mb_in_slice 1
SETS = _START + b"\x67\x42\x00\x1e" + _START + b"\x68\xce\x3c\x80"


@dataclass(frozen=True)
class Sent:
    """One unit as the receiver groups it. packets: (timestamp, marker) of each; lost: packets just before."""

    data: bytes
    timestamp: int
    packets: tuple[tuple[int, bool], ...] = ()
    intact: bool = True
    lost: int = 0


def captured(sent: list[Sent]) -> Capture:
    units = np.zeros(len(sent), UNIT)
    rows, stream, sequence = [], b"", 100
    for i, one in enumerate(sent):
        units[i] = (one.timestamp, i, i, len(stream), len(one.data), i == 0, one.intact)
        stream += one.data
        sequence += one.lost
        for timestamp, marker in one.packets or ((one.timestamp, False), (one.timestamp, True)):
            rows.append((i, sequence, timestamp, 20, 96, marker, i))
            sequence += 1
    return Capture(
        url="rtsp://127.0.0.1/main",
        transport="tcp",
        codec="h264",
        clock_rate=90000,
        started_ns=0,
        ended_ns=10**9,
        packets=np.array(rows, PACKET),
        reports=np.zeros(0, REPORT),
        units=units,
        stream=stream,
    )


def clean(count: int = 20, data: bytes = SETS + FIRST + LATER) -> list[Sent]:
    return [Sent(data, 3600 * i) for i in range(count)]


def test_a_camera_that_keeps_the_rule() -> None:
    found = timestamp_rule(captured(clean()))
    assert found.value is True and found.exact and found.details["pictures"] == 20
    assert found.notes == () and found.observed_s == 1.0


def test_slices_under_a_later_timestamp_split_the_picture() -> None:
    sent = clean()
    sent[7] = Sent(FIRST, 7 * 3600, ((7 * 3600, False),))
    sent.insert(8, Sent(LATER, 7 * 3600 + 10))
    found = timestamp_rule(captured(sent))
    assert found.value is False and found.details["split"] == [8] and found.details["shared"] == []


def test_a_nal_unit_torn_by_a_new_timestamp_is_split() -> None:
    sent = clean()
    sent[7] = Sent(FIRST, 7 * 3600, ((7 * 3600, False),), intact=False)
    assert timestamp_rule(captured(sent)).details["split"] == [7]


def test_two_pictures_in_one_unit_share_a_timestamp() -> None:
    sent = clean()
    sent[5] = Sent(FIRST + FIRST, 5 * 3600)
    found = timestamp_rule(captured(sent))
    assert found.value is False and found.details["shared"] == [5]


def test_two_units_with_one_timestamp_share_it() -> None:
    sent = clean()
    sent[6] = Sent(FIRST, 5 * 3600)
    found = timestamp_rule(captured(sent))
    assert found.value is False and found.details["shared"] == [6] and "unit 6" in found.notes[0]


@pytest.mark.parametrize("intact", [True, False])
def test_what_a_loss_explains_proves_nothing(intact: bool) -> None:
    """The first slice was lost on the way: the camera is not blamed."""
    sent = clean()
    sent[7] = Sent(LATER, 7 * 3600, ((7 * 3600, False),), intact=intact, lost=1)
    found = timestamp_rule(captured(sent))
    assert found.value is True and found.details["pictures"] == 18


def test_parameter_sets_of_their_own_time_are_noted_only() -> None:
    sent = clean()
    sent[9] = Sent(SETS + FIRST, 9 * 3600, ((9 * 3600 - 5, False), (9 * 3600, True)))
    found = timestamp_rule(captured(sent))
    assert found.value is True and found.details["own"] == 1 and "not judged" in found.notes[0]


def test_too_little_is_refused() -> None:
    with pytest.raises(MeasurementRefused, match="too few"):
        timestamp_rule(captured(clean(9)))
    with pytest.raises(MeasurementRefused, match="too few"):
        timestamp_rule(captured([Sent(s.data, s.timestamp, lost=1) for s in clean()]))


@given(st.binary(max_size=200))
def test_any_bytes_can_be_walked(data: bytes) -> None:
    begin, total = first_slices(data)
    assert 0 <= begin <= total <= len(data) // 4


@given(st.lists(st.sampled_from([FIRST, LATER, SETS]), max_size=8))
def test_slices_are_counted(nals: list[bytes]) -> None:
    assert first_slices(b"".join(nals)) == (nals.count(FIRST), nals.count(FIRST) + nals.count(LATER))
