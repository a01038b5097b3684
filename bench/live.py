"""The live capture that every procedure of a run reads from: taken once, kept as evidence, read lazily.

Nothing is captured before a procedure asks; after a resume the capture comes back from evidence.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property, partial

import numpy as np

from bench.camera import decode, receiver, store
from bench.camera.address import masked
from bench.camera.capture import Capture, FrameTable
from bench.camera.stills import Stack, StreamDescription, colour_pictures, describe, stack, timed
from bench.dut import Dut
from bench.flashing import FlashSequence, flashes_from_json, flashes_to_json
from bench.measure.chart_mtf import ChartMtf
from bench.measure.chart_view import ChartView, locate, which_chart
from bench.measure.colour import LAB_U
from bench.measure.colour_picture import ColourPicture
from bench.measure.noise import DENSITY_U
from bench.measure.osd import Readings, read_osd
from bench.measure.pixel_density import Board
from bench.measure.uniformity import EVENNESS_U
from bench.stall import StallWatch
from instruments.calibration import Calibration
from instruments.capability import Flash
from instruments.station import LAMP_DELAY, Station
from reports.record import Plan
from standards.errors import CaptureFault, MeasurementRefused
from standards.view import Osd

__all__ = ["LIGHT", "Live", "LiveSource", "capture_live"]

FLASHES, LIGHT = "flashes.json", "light.json"
_OSD_S, _OSD_PICTURES = 2.4, 30  # two ticks of a clock at least, pictures 0.08 s apart
_TAIL_S = 5.0  # no flash in the last seconds: a late picture of it would fall outside the window


@dataclass(frozen=True)
class LiveSource:
    """Where Live gets its data: get() returns the capture's files by role, taking them if need be."""

    get: Callable[[], dict[str, bytes]]
    progress: Callable[[str, float], None]


class Live:
    """One live capture of the main stream with everything read from it."""

    def __init__(self, plan: Plan, source: LiveSource) -> None:
        self._plan = plan
        self._source = source

    @cached_property
    def _files(self) -> dict[str, bytes]:
        return self._source.get()

    @cached_property
    def capture(self) -> Capture:
        """The packets and access units. Raises CaptureFault if the bench itself lost packets of it."""
        found = store.from_evidence({k: v for k, v in self._files.items() if k != FLASHES})
        if found.overflow:
            raise CaptureFault(
                f"the bench's own socket lost {found.overflow} packets: nothing can be said of the camera. "
                "Mend: free the machine of other work, or capture over TCP"
            )
        return found

    @cached_property
    def flashes(self) -> tuple[Flash, ...]:
        """The lamp's switches during the capture. Raises MeasurementRefused if there were none."""
        if FLASHES not in self._files:
            raise MeasurementRefused("no lamp flashed during the capture: give a station with a flash_lamp")
        return flashes_from_json(self._files[FLASHES])

    @cached_property
    def chart(self) -> ChartView:
        """The chart as found in the picture, whichever it is. Raises MeasurementRefused with the reason if none is."""
        refused: MeasurementRefused | None = None
        for picture in decode.first_pictures(self.capture, 3):
            try:
                return locate(picture, which_chart(picture))
            except MeasurementRefused as error:
                refused = error
        raise refused or MeasurementRefused("no picture could be decoded: nothing to look for the chart in")

    def view(self, *names: str) -> ChartView:
        """The chart in the picture, which has to be one of these. Raises MeasurementRefused."""
        if self.chart.chart.name not in names:
            raise MeasurementRefused(
                f"chart {self.chart.chart.name} is in the picture, this needs {' or '.join(names)}: "
                "put it before the camera"
            )
        return self.chart

    @cached_property
    def stack(self) -> Stack:
        """Runs of successive luma pictures. Raises MeasurementRefused if none is whole."""
        return stack(self.capture)

    @cached_property
    def colour(self) -> tuple[ColourPicture, ...]:
        """A few colour pictures, one a GOP. Raises MeasurementRefused if none is whole."""
        return colour_pictures(self.capture)

    @cached_property
    def stream(self) -> StreamDescription:
        """Codec, size, bit rate and GOP of what was captured."""
        return describe(self.capture, self.stack.pictures.shape[1:])

    @property
    def osd_declared(self) -> Osd:
        """The text that is declared to stand in the picture; its defaults where nothing is."""
        return Osd.model_validate(self._plan.declaration.get("osd", {}))

    @cached_property
    def osd(self) -> tuple[Readings, list[float]]:
        """What is read in pictures of 2.4 s, and when each came, seconds since 1970 by the bench's clock. Raises
        MeasurementRefused if there is none."""
        pictures, times = timed(self.capture, _OSD_S, _OSD_PICTURES)
        self._source.progress("reading text", 0.0)
        return read_osd(pictures, self.osd_declared.layout), times

    @property
    def frame_rate(self) -> float:
        """Pictures a second by the timestamps of the packets: the middle of the steps. nan for fewer than two."""
        stamps = self.capture.units["timestamp"].astype(np.int64)
        step = float(np.median(np.diff(stamps))) if len(stamps) > 1 else 0.0
        return self.capture.clock_rate / step if step > 0 else math.nan

    @cached_property
    def frames(self) -> FrameTable:
        """One decoding pass; counter and lamp are read where the chart is in view."""
        try:
            chart: ChartView | None = self.chart
        except MeasurementRefused:
            chart = None
        readable = chart is not None and chart.chart.lamp is not None and chart.chart.panels
        look = chart.reader() if chart is not None and readable else None
        return decode.read_frames(
            self.capture, look=look, progress=lambda share: self._source.progress("decoding", share)
        )

    def needs_intra(self) -> None:
        """Raises MeasurementRefused unless every picture is coded alone: prediction copies noise or leaves it out."""
        if self.stream.gop > 1.0:
            raise MeasurementRefused(
                f"the stream predicts pictures from others ({self.stream}): noise needs every picture coded alone; "
                "set a key frame in 1, at the highest rate"
            )

    @property
    def board(self) -> Board:
        """The board's certified width. Raises MeasurementRefused without a certificate of it: nominal is no length."""
        found = next((c for c in self._certificates("chart", "length") if c.part == "markers.width"), None)
        if found is None or found.value is None:
            raise MeasurementRefused(
                "the board's width has no certificate: measure it over both markers and enter it as certificate 'length' "
                "of part 'markers.width' of the station's [chart]"
            )
        return Board(found.value, found.standard_uncertainty)

    @property
    def density_u(self) -> float:
        """Standard uncertainty of a grey step's density: the certificate's, or that of a good print."""
        found = self._certificate("chart", "density")
        return found.standard_uncertainty if found is not None else DENSITY_U

    @property
    def evenness_u(self) -> float:
        """Relative standard uncertainty of the flat field's evenness: by the light's certificate of uniformity (lowest over
        highest), whose unevenness may lie anywhere; else what is taken for likely."""
        found = self._certificate("light_box", "uniformity") or self._certificate("illuminant", "uniformity")
        if found is None or found.value is None:
            return EVENNESS_U
        return math.hypot(found.standard_uncertainty, (1 - found.value) / math.sqrt(3))

    @property
    def chart_colours(self) -> dict[str, float] | None:
        """Certified CIELAB of the chart's patches by "patch.N.L" ...; None without a certificate of them."""
        found = {
            c.part: c.value for c in self._certificates("chart", "cielab") if c.value is not None and c.part
        }
        return found or None

    @property
    def colours_u(self) -> float:
        """Standard uncertainty of `chart_colours`, the largest; that of a target of the make where there are none."""
        return max(
            (c.standard_uncertainty for c in self._certificates("chart", "cielab") if c.part), default=LAB_U
        )

    @property
    def interruption_s(self) -> float:
        """Silence longer than this is an interruption, seconds."""
        return self._plan.interruption_s

    @property
    def lamp_delay_s(self) -> float | None:
        """Command-to-light delay of the station's lamp by its certificate, seconds; None without one."""
        certificate = self._lamp_certificate()
        return certificate[0] if certificate else None

    @property
    def lamp_delay_u_s(self) -> float | None:
        """Standard uncertainty of lamp_delay_s, seconds; None without a certificate."""
        certificate = self._lamp_certificate()
        return certificate[1] if certificate else None

    @property
    def display_delay_s(self) -> float | None:
        """Stated delay of the display, seconds; None where none is stated."""
        return self._plan.display_delay_s

    @property
    def display_delay_u_s(self) -> float | None:
        """Standard uncertainty of display_delay_s, seconds."""
        return self._plan.display_delay_u_s

    @property
    def chart_mtf(self) -> ChartMtf | None:
        """Certified modulation transfer of the chart's print; None without a certificate of it."""
        found = self._certificate("chart", "mtf")
        if found is None or not found.points:
            return None
        values = [found.corrected(point[0]) for point in found.points]
        frequency = tuple(point[0] for point in found.points)
        return ChartMtf(found.number, frequency, tuple(m for m, _ in values), tuple(u for _, u in values))

    def _lamp_certificate(self) -> tuple[float, float] | None:
        found = self._certificate("flash_lamp", LAMP_DELAY)
        return (
            (found.value, found.standard_uncertainty)
            if found is not None and found.value is not None
            else None
        )

    def _certificate(self, role: str, quantity: str) -> Calibration | None:
        """The first certificate of a quantity in the plan."""
        return next(iter(self._certificates(role, quantity)), None)

    def _certificates(self, role: str, quantity: str) -> list[Calibration]:
        every = (c for entry in self._plan.station if entry.role == role for c in entry.certificates)
        return [Calibration.model_validate(c.model_dump()) for c in every if c.quantity == quantity]


def capture_live(
    dut: Dut,
    station: Station | None,
    plan: Plan,
    progress: Callable[[str, float], None],
    during: Callable[[], bytes] | None = None,
) -> dict[str, bytes]:
    """Capture the main stream for the plan's time, the lamp flashing; its files by role.

    during: called once when the capture has begun, without a lamp; what it returns is kept as LIGHT.
    """
    seconds = plan.capture.seconds
    lamp = station.flash_lamp if station is not None and plan.capture.flashes else None
    sequence = (
        FlashSequence(lamp, count=plan.capture.flashes, seconds=max(seconds - _TAIL_S, seconds / 2))
        if lamp is not None
        else None
    )
    said: list[bytes] = []
    begin = sequence.start if sequence is not None else None
    if begin is None and during is not None:
        begin = partial(_say, during, said)
    try:
        with StallWatch() as watch:
            capture = receiver.capture(
                dut.stream_url,
                user=dut.url.user,
                password=dut.password,
                seconds=seconds,
                transport=plan.capture.transport,
                on_progress=lambda p: progress("capturing", min(1.0, p.seconds / seconds)),
                ready=begin,
            )
    finally:
        flashes = sequence.stop() if sequence is not None else ()
    # A stall matters where the wire seems silent for as long as an interruption: then nobody knows whose it was.
    silence_s = float(np.diff(capture.units["last"]).max(initial=0)) / 1e9
    if silence_s > plan.interruption_s and watch.longest_s > plan.interruption_s / 2:
        raise CaptureFault(
            f"the bench itself stood still for {watch.longest_s:.2f} s while it captured: nothing can be said of the "
            "camera. Mend: free the machine of other work, keep it from sleeping, then run again"
        )
    files = dict(store.to_evidence(replace(capture, url=masked(capture.url))))
    if sequence is not None:
        files[FLASHES] = flashes_to_json(flashes)
    if said:
        files[LIGHT] = said[0]
    return files


def _say(during: Callable[[], bytes], said: list[bytes]) -> None:
    said.append(during())
