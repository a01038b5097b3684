"""Stacks and colour pictures of a capture: the right ones, whole ones, with the stream's own matrix."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import av
import numpy as np
import pytest
from av.video.codeccontext import VideoCodecContext
from numpy.typing import NDArray

from bench.camera.capture import PACKET, REPORT, UNIT, Capture
from bench.camera.stills import colour_pictures, describe, stack
from standards.errors import MeasurementRefused

ROWS, COLUMNS, GOP, COUNT = 64, 96, 10, 40
LUMA_STEP = 4  # code by which each picture is brighter than the one before


def _encoded(matrix: str, full: bool) -> list[bytes]:
    encoder = av.CodecContext.create("libx264", "w")
    assert isinstance(encoder, VideoCodecContext)
    encoder.width, encoder.height, encoder.pix_fmt = COLUMNS, ROWS, "yuv420p"
    encoder.time_base, encoder.gop_size, encoder.max_b_frames = Fraction(1, 25), GOP, 0
    signal = f":colormatrix={matrix}" if matrix else ""
    signal += ":fullrange=on" if full else ""
    encoder.options = {"qp": "1", "x264-params": f"scenecut=0:keyint={GOP}:min-keyint={GOP}{signal}"}
    packets = []
    for index in range(COUNT):
        luma = np.full((ROWS, COLUMNS), 40 + LUMA_STEP * index, np.uint8)
        chroma = np.concatenate([np.full(ROWS * COLUMNS // 4, c, np.uint8) for c in (100, 160)])
        frame = av.VideoFrame.from_ndarray(np.vstack([luma, chroma.reshape(-1, COLUMNS)]), "yuv420p")
        frame.pts = index
        packets += encoder.encode(frame)
    return [bytes(p) for p in packets + encoder.encode(None)]


def captured(units: list[bytes]) -> Capture:
    """Coded pictures as a capture of 40 ms each."""
    table = np.zeros(len(units), UNIT)
    table["size"] = [len(u) for u in units]
    table["offset"] = np.concatenate([[0], np.cumsum(table["size"])[:-1]])
    table["key"] = np.arange(len(units)) % GOP == 0
    table["intact"] = True
    second = 1_000_000_000
    return Capture(
        "rtsp://h/x", "tcp", "h264", 90_000, 0, len(units) * second // 25,
        np.zeros(0, PACKET), np.zeros(0, REPORT), table, b"".join(units),
    )  # fmt: skip


@pytest.fixture(scope="module")
def taken() -> Capture:
    return captured(_encoded("bt709", full=False))


def _means(pictures: NDArray[np.uint8]) -> list[int]:
    return [round(float(p.mean())) for p in pictures]


def test_a_stack_is_runs_of_successive_pictures(taken: Capture) -> None:
    found = stack(taken)
    assert found.run.tolist() == [0] * 8 + [1] * 8 + [2] * 8 + [3] * 8
    expected = [40 + LUMA_STEP * (GOP * run + i) for run in range(4) for i in range(8)]
    assert np.abs(np.array(_means(found.pictures)) - expected).max() <= 1


def test_a_run_ends_before_what_was_damaged(taken: Capture) -> None:
    units = taken.units.copy()
    units["intact"][[3, 10]] = False
    found = stack(Capture(**{**vars(taken), "units": units}))
    assert found.run.tolist() == [0] * 3 + [2] * 8 + [3] * 8


def test_colour_pictures_are_ends_of_gops(taken: Capture) -> None:
    pictures = colour_pictures(taken)
    assert [round(float(p.luma.mean())) for p in pictures] == [
        40 + LUMA_STEP * (GOP * (k + 1) - 1) for k in range(4)
    ]
    assert {(p.matrix, p.full_range, p.stated) for p in pictures} == {("bt709", False, True)}


def test_red_green_and_blue_are_of_the_streams_own_matrix_and_range() -> None:
    box = (slice(8, 40), slice(10, 70))
    for matrix, full, weights in (("smpte170m", False, (0.299, 0.114)), ("bt709", True, (0.2126, 0.0722))):
        picture = colour_pictures(captured(_encoded(matrix, full)))[0]
        rgb = picture.rgb(box)
        assert rgb.shape == (32, 60, 3)
        luma = float(picture.luma[box].mean())
        y = luma / 255 if full else (luma - 16) / 219
        blue, red = ((c - 128) / (255 if full else 224) for c in (100, 160))
        r, b = y + 2 * (1 - weights[0]) * red, y + 2 * (1 - weights[1]) * blue
        g = (y - weights[0] * r - weights[1] * b) / (1 - sum(weights))
        assert rgb.mean((0, 1)) == pytest.approx([r, g, b], abs=0.006)


def test_a_stream_that_says_nothing_is_taken_as_bt709() -> None:
    picture = colour_pictures(captured(_encoded("", full=False)))[0]
    assert (picture.matrix, picture.full_range, picture.stated) == ("bt709", False, False)


def test_nothing_whole_is_refused(taken: Capture) -> None:
    units = taken.units.copy()
    units["intact"] = False
    broken = Capture(**{**vars(taken), "units": units})
    for take in (stack, colour_pictures):
        with pytest.raises(MeasurementRefused, match="capture longer"):
            take(broken)
    with pytest.raises(MeasurementRefused):
        stack(captured([]))


def test_the_stream_is_told(taken: Capture) -> None:
    told = describe(taken, (ROWS, COLUMNS))
    assert told.gop == GOP
    assert told.rate == pytest.approx(8 * len(taken.stream) / (COUNT / 25))
    assert str(told).startswith("h264, 96 x 64, ")


def test_runs_never_share_a_picture(taken: Capture) -> None:
    units = taken.units.copy()
    units["key"] = True  # as JPEG has it; the decoder does not ask
    every = replace(taken, units=units[:GOP])
    assert len(set(_means(stack(every).pictures))) == len(stack(every).pictures)
