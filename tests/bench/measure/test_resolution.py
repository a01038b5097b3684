"""The whole chain: scene, H.264, chart found, edges measured, uncertainty that holds the truth."""

from __future__ import annotations

from fractions import Fraction

import av
import numpy as np
import pytest
from av.video.codeccontext import VideoCodecContext
from drawn_scene import Placement, Scene
from numpy.typing import NDArray

from bench.measure.chart_view import locate
from bench.measure.resolution import resolution
from fixtures.charts import CHARTS
from standards.errors import MeasurementRefused
from standards.quantity import Estimate

CHART = CHARTS["camcert-1"]
Luma = NDArray[np.uint8]
CENTRE = ("edge.centre.left", "edge.centre.right")


def scene(width: int, height: int, sigma: float, noise: float = 1.0, seed: int = 3) -> Scene:
    return Scene(width=width, height=height, blur_sigma_px=sigma, noise_sd=noise, tone="bt709", seed=seed)


def raw(source: Scene, count: int = 4) -> list[Luma]:
    return [source.render(counter=4 * i, lamp=0.0) for i in range(count)]


def coded(source: Scene, *, rate: int, groups: int, gop: int) -> list[Luma]:
    """The last picture of each GOP after H.264 at a constant rate, 25 pictures a second."""
    height, width = source.render(counter=0, lamp=0.0).shape
    encoder = av.CodecContext.create("libx264", "w")
    decoder = av.CodecContext.create("h264", "r")
    assert isinstance(encoder, VideoCodecContext)
    assert isinstance(decoder, VideoCodecContext)
    encoder.width, encoder.height, encoder.pix_fmt = width, height, "yuv420p"
    encoder.bit_rate, encoder.time_base, encoder.framerate = rate, Fraction(1, 25), Fraction(25)
    encoder.gop_size, encoder.max_b_frames = gop, 0
    limits = f"vbv-maxrate={rate // 1000}:vbv-bufsize={rate // 1000}:scenecut=0:keyint={gop}:min-keyint={gop}"
    encoder.thread_count = 1  # more threads code differently from run to run
    encoder.options = {"preset": "veryfast", "profile": "main", "x264-params": limits}
    chroma = np.full((height // 2, width), 128, np.uint8)
    packets = []
    for i in range(groups * gop):
        luma = source.render(counter=4 * i, lamp=0.0)
        frame = av.VideoFrame.from_ndarray(np.vstack([luma, chroma]), "yuv420p")
        frame.pts = i
        packets.extend(encoder.encode(frame))
    packets.extend(encoder.encode(None))
    frames = [frame for packet in [*packets, None] for frame in decoder.decode(packet)]
    assert len(frames) == groups * gop
    return [frame.to_ndarray()[:height].astype(np.uint8) for frame in frames[gop - 1 :: gop]]


def centre_error(estimate: Estimate, source: Scene) -> float:
    """Relative error of MTF50, mean of the centre's near-vertical edges."""
    found = np.mean([estimate.details["edges"][name]["mtf50"] for name in CENTRE])
    return float(found / source.truth["edges"][CENTRE[0]]["mtf50"] - 1)


def covers(estimate: Estimate, truth: float) -> bool:
    assert isinstance(estimate.value, float)
    assert estimate.expanded_uncertainty is not None
    return abs(estimate.value - truth) <= estimate.expanded_uncertainty


@pytest.mark.parametrize(
    ("width", "height", "sigma"), [(1280, 720, 0.5), (1280, 720, 0.8), (1280, 720, 1.6), (1920, 1080, 0.8)]
)
def test_uncompressed_within_one_percent(width: int, height: int, sigma: float) -> None:
    source = scene(width, height, sigma)
    pictures = raw(source, 3)
    centre, ratio = resolution(pictures, locate(pictures[0], CHART), density_u=0.0)  # the steps are exact
    assert abs(centre_error(centre, source)) < 0.01
    assert covers(ratio, 100.0)
    if sigma > 0.5:
        truth = 2 * height * source.truth["edges"][CENTRE[0]]["mtf10"]
        assert covers(centre, truth)
        assert centre.expanded_uncertainty is not None
        assert centre.expanded_uncertainty < 0.04 * truth


@pytest.mark.parametrize(("width", "height", "sigma"), [(1280, 720, 0.7), (1920, 1080, 0.9)])
def test_within_two_percent_through_h264_at_8_mbit(width: int, height: int, sigma: float) -> None:
    source = scene(width, height, sigma)
    pictures = coded(source, rate=8_000_000, groups=4, gop=12)
    centre, ratio = resolution(pictures, locate(pictures[0], CHART))
    assert abs(centre_error(centre, source)) < 0.02
    assert covers(centre, 2 * height * source.truth["edges"][CENTRE[0]]["mtf10"])
    assert covers(ratio, 100.0)


def test_estimates_carry_units_budget_and_curve() -> None:
    pictures = raw(scene(640, 360, 0.9))
    centre, ratio = resolution(pictures, locate(pictures[0], CHART))
    assert (centre.quantity, centre.unit) == ("resolution.centre", "TVL")
    assert (ratio.quantity, ratio.unit) == ("resolution.corner_ratio", "%")
    assert centre.u is not None
    assert centre.u == pytest.approx(float(np.sqrt(sum(c.u**2 for c in centre.budget))), rel=1e-6)
    assert ratio.u == pytest.approx(float(np.sqrt(sum(c.u**2 for c in ratio.budget))), rel=1e-6)
    curve = centre.details["curve"]
    assert len(curve["frequency"]) == len(curve["sfr"]) == len(curve["u"]) <= 60
    assert curve["sfr"][0] == pytest.approx(1.0, abs=1e-3)
    assert len(centre.details["edges"]) == 20
    assert centre.details["tone"]["code"] == sorted(centre.details["tone"]["code"])


def test_beyond_nyquist_is_capped_and_said() -> None:
    pictures = raw(scene(640, 360, 0.35))
    centre, _ = resolution(pictures, locate(pictures[0], CHART))
    assert centre.value == 360.0
    assert any("Nyquist limited" in note for note in centre.notes)


def test_soft_corners_lower_the_ratio_alone() -> None:
    sharp, soft = raw(scene(1280, 720, 0.8)), raw(scene(1280, 720, 1.4, seed=4))
    for a, b in zip(sharp, soft, strict=True):
        a[:260], a[-260:] = b[:260], b[-260:]
    truth = [scene(1280, 720, s).truth["edges"]["edge.centre.left"]["mtf10"] for s in (0.8, 1.4)]
    centre, ratio = resolution(sharp, locate(sharp[0], CHART))
    assert covers(centre, 1440 * truth[0])
    assert covers(ratio, 100 * truth[1] / truth[0])


def test_more_pixels_of_the_same_lens_do_not_resolve_more_lines() -> None:
    """Twice the pixels and twice the blur in pixels: the picture height holds the same lines."""
    values = []
    for height, factor in ((360, 1.0), (720, 2.0)):
        pictures = raw(scene(height * 16 // 9, height, 0.9 * factor))
        values.append(resolution(pictures, locate(pictures[0], CHART))[0].value)
    assert isinstance(values[0], float)
    assert isinstance(values[1], float)
    assert 1.0 < values[1] / values[0] < 1.25  # the smaller pixel's aperture costs less, and no more


def test_one_picture_is_measured_with_more_uncertainty_and_a_note() -> None:
    pictures = raw(scene(640, 360, 0.9))
    view = locate(pictures[0], CHART)
    one, many = resolution(pictures[:1], view)[0], resolution(pictures, view)[0]
    assert one.u is not None
    assert many.u is not None
    assert one.u > many.u
    assert any("one picture only" in note for note in one.notes)


def test_pictures_that_do_not_fit_are_refused() -> None:
    pictures = raw(scene(640, 360, 0.9), 1)
    with pytest.raises(MeasurementRefused, match="no intact picture"):
        resolution([np.zeros((10, 10), np.uint8)], locate(pictures[0], CHART))


def test_something_over_an_edge_is_refused_by_name() -> None:
    picture = raw(scene(640, 360, 0.9), 1)[0]
    view = locate(picture, CHART)
    edge = next(e for e in CHART.edges if e.name == "edge.top_left.left")
    picture[view.edge_box(edge)] = 150
    with pytest.raises(MeasurementRefused, match=r"edge\.top_left\.left: no edge"):
        resolution([picture], view)


def test_an_overexposed_chart_is_refused() -> None:
    picture = raw(scene(640, 360, 0.9), 1)[0]
    burnt = np.clip(picture.astype(int) * 1.0 + 45, 0, 235).astype(np.uint8)
    view = locate(picture, CHART)
    edge = view.edge_box(CHART.edges[0])
    burnt[edge] = np.clip(picture[edge].astype(int) + 90, 0, 255)
    with pytest.raises(MeasurementRefused, match="outside the grey steps"):
        resolution([burnt], view)


def test_a_placed_and_turned_chart_measures_the_same() -> None:
    placed = Scene(
        width=1280, height=720, blur_sigma_px=0.9, noise_sd=1.0, tone="bt709",
        placement=Placement(fill=0.93, dx=7.3, dy=-4.6, rotation_deg=-1.7),
    )  # fmt: skip
    pictures = raw(placed)
    centre, ratio = resolution(pictures, locate(pictures[0], CHART))
    assert covers(centre, 1440 * placed.truth["edges"]["edge.centre.left"]["mtf10"])
    assert covers(ratio, 100.0)
