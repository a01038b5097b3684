"""Pictures tied to their units, damage contained, evidence exact: on real H.264."""

from __future__ import annotations

import dataclasses
import math
from typing import Any

import numpy as np
import pytest

from bench.camera.capture import Capture
from bench.camera.decode import first_pictures, read_frames
from bench.camera.limits import Limits
from bench.camera.recorder import Recorder
from bench.camera.sdp import Video
from bench.camera.store import STREAMS, TABLES, WIRE, from_evidence, to_evidence
from bench.measure.reading import Reading
from standards.errors import RecordError

NOW = 1_700_000_000_000_000_000


@pytest.fixture
def taken(clip: Any, tools: Any) -> Capture:
    """The clip as captured, without a network: 40 ms between pictures."""
    return _record(clip, tools.packetise(clip.units))


def _record(clip: Any, sent: list[list[bytes]]) -> Capture:
    recorder = Recorder(Limits(), 60.0, 1)
    recorder.begin(Video(97, "H264", 90_000, parameter_sets=(clip.sps, clip.pps)))
    for index, unit in enumerate(sent):
        for k, packet in enumerate(unit):
            recorder.rtp(memoryview(packet), NOW + index * 40_000_000 + k * 10_000)
    recorder.finish(NOW + len(sent) * 40_000_000)
    return recorder.capture(url="rtsp://h/x", transport="tcp", declared={"fps": 25.0}, overflow=0)


def test_every_picture_belongs_to_its_unit(taken: Capture, clip: Any) -> None:
    seen: list[np.ndarray] = []

    def look(luma: np.ndarray) -> Reading:
        seen.append(luma.copy())
        return Reading(len(seen), float(luma[0, 0]))

    table = read_frames(taken, look=look)
    assert table.errors == ()
    assert table.intact.all()
    assert table.counter.tolist() == list(range(1, 25))
    assert all((a == b).all() for a, b in zip(seen, clip.luma, strict=True))
    assert table.lamp.tolist() == [float(p[0, 0]) for p in clip.luma]
    assert set(table.width) == {98}
    assert set(table.height) == {54}
    expected = [
        float(np.abs(a.astype(int) - b).mean()) for a, b in zip(clip.luma, clip.luma[1:], strict=False)
    ]
    assert table.difference[1:] == pytest.approx(expected, abs=1e-4)
    assert math.isnan(table.difference[0])
    assert (table.arrival == taken.units["last"]).all()


def test_pictures_kept_are_the_ends_of_gops(taken: Capture, clip: Any) -> None:
    kept = read_frames(taken, look=None, keep=8).pictures
    assert [k.tolist() for k in kept] == [clip.luma[7].tolist(), clip.luma[15].tolist()]
    assert len(read_frames(taken, look=None, keep=1).pictures) == 1
    assert [k.tolist() for k in first_pictures(taken, 2)] == [clip.luma[0].tolist(), clip.luma[4].tolist()]


def test_damage_lasts_until_the_next_key_picture(taken: Capture) -> None:
    stream = bytearray(taken.stream)
    unit = taken.units[11]
    middle = int(unit["offset"]) + int(unit["size"]) // 2
    stream[middle : middle + 60] = b"\xa5" * 60
    table = read_frames(dataclasses.replace(taken, stream=bytes(stream)), look=None)
    assert np.flatnonzero(~table.intact).tolist() == [11, 12, 13, 14, 15]
    assert {index for index, _ in table.errors} >= {11}
    assert len(table.pictures) == 1  # the end of the damaged GOP is not kept


@pytest.mark.parametrize("whole", [False, True])
def test_what_was_lost_on_the_wire_is_not_intact(clip: Any, tools: Any, whole: bool) -> None:
    sent = tools.packetise(clip.units, mtu=90)
    if whole:
        sent[10] = []
    else:
        del sent[10][1]
    table = read_frames(_record(clip, sent), look=None)
    first = 10
    last = 14 if whole else 15
    assert np.flatnonzero(~table.intact).tolist() == list(range(first, last + 1))


def test_garbage_decodes_to_errors_not_to_a_crash(taken: Capture) -> None:
    noise = np.random.default_rng(1).integers(0, 256, len(taken.stream), dtype=np.uint8).tobytes()
    table = read_frames(dataclasses.replace(taken, stream=noise), look=None)
    assert not table.intact.any()
    assert len(table.errors) == len(taken.units)
    assert table.pictures == ()
    assert first_pictures(dataclasses.replace(taken, stream=noise), 3) == ()


def test_a_repeated_picture_differs_by_nothing(clip: Any, tools: Any) -> None:
    key = clip.units[0]
    table = read_frames(_record(clip, tools.packetise([key, key, clip.units[8]])), look=None)
    assert table.difference[1] == 0.0
    assert table.difference[2] > 1.0


def test_evidence_round_trip_is_exact(taken: Capture) -> None:
    files = to_evidence(taken)
    again = from_evidence(files)
    assert to_evidence(again) == files
    for name in ("packets", "reports", "units"):
        assert (getattr(again, name) == getattr(taken, name)).all()
        assert getattr(again, name).dtype == getattr(taken, name).dtype
    for field in dataclasses.fields(taken):
        if field.name not in ("packets", "reports", "units"):
            assert getattr(again, field.name) == getattr(taken, field.name)


@pytest.mark.parametrize("name", [STREAMS["h264"], TABLES, WIRE])
def test_evidence_that_is_not_whole_is_refused(taken: Capture, name: str) -> None:
    files = to_evidence(taken)
    with pytest.raises(RecordError):
        from_evidence({k: v for k, v in files.items() if k != name})
    with pytest.raises(RecordError):
        from_evidence(files | {name: files[name][: len(files[name]) // 2]})
