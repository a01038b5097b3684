"""What an active procedure may do to the world: set the light before the chart, read it, and capture what is seen.

Every step has a name. What a step read and captured is journalled and kept, so that a resumed run does not repeat it.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from bench.camera import decode, store
from bench.camera.capture import Capture
from bench.dut import Dut
from bench.live import LIGHT
from bench.measure.chart_view import ChartView, locate, which_chart
from instruments.capability import LightSource
from instruments.station import Station
from standards.errors import BenchError, MeasurementRefused

__all__ = ["Lit", "Stage", "Watched"]

_READINGS = 5
_SETTLE_S, _CAPTURE_S = 2.5, 1.2  # of light box and automatic exposure; of a step's capture


@dataclass(frozen=True)
class Lit:
    """One step: illuminance as the certified meter has it, lux; u: standard uncertainty by certificate and scatter; capture:
    what the camera sent under it."""

    illuminance: float
    u: float
    capture: Capture


@dataclass(frozen=True)
class Watched:
    """A capture while the light changes. set_ns: host realtime at which the light box had taken the command."""

    capture: Capture
    set_ns: int


class _Captures(Protocol):
    def __call__(
        self, step: str, seconds: float, during: Callable[[], bytes] | None = None
    ) -> Mapping[str, bytes]: ...


class Stage:
    """Light box, lux meter and camera of a run. capture: takes or finds a step's capture; note: journals a reading."""

    def __init__(
        self,
        station: Callable[[], Station | None],
        capture: _Captures,
        digests: Callable[[str], tuple[str, ...]],
        note: Callable[[str, dict[str, Any]], None],
        camera: Callable[[], Dut],
    ) -> None:
        """digests: evidence of a step's capture; camera: the one under test."""
        self._station, self._capture, self._digests, self._note = station, capture, digests, note
        self._camera = camera
        #: What the meter read, by step; the journal's notes fill it after a resume.
        self.readings: dict[str, dict[str, Any]] = {}
        self._steps: list[str] = []

    @property
    def evidence(self) -> tuple[str, ...]:
        """Digests of every capture that the steps so far looked at."""
        return tuple(digest for step in self._steps for digest in self._digests(step))

    @property
    def exposure(self) -> str:
        """Shutter and gain as the camera tells them."""
        return self._camera().exposure()

    @property
    def ir_cut_filter(self) -> str:
        """The infrared-cut filter as the camera tells it: "on", "off", "auto" or "not told"."""
        return self._camera().ir_cut_filter()

    def lit(self, step: str, lux: float, wait_s: float = _SETTLE_S) -> Lit:
        """Set the light, wait until light, exposure and whatever else is waited for have settled, read the meter, capture.

        Raises BenchError if the station has no light box or lux meter, or one does not answer.
        """
        name = f"light.{step}"
        fresh = name not in self.readings
        if fresh:
            self._note(name, self._read(lux, wait_s))
        elif not self._digests(name):
            self._set(lux, wait_s)  # killed between reading and capturing: the light has to be there again
        told = self.readings[name]
        files = self._capture(name, _CAPTURE_S)
        self._steps.append(name)
        return Lit(float(told["illuminance_lx"]), float(told["u_lx"]), store.from_evidence(files))

    def watch(self, step: str, lux: float, seconds: float) -> Watched:
        """Capture for a time, and set the light as soon as the capture has begun. Raises BenchError without a light box."""
        name = f"light.{step}"

        def change() -> bytes:
            self._box().set_illuminance(lux)
            return json.dumps({"set_lx": lux, "set_ns": time.time_ns()}).encode()

        files = dict(self._capture(name, seconds, change))
        self._steps.append(name)
        set_ns = int(json.loads(files.pop(LIGHT))["set_ns"])
        return Watched(store.from_evidence(files), set_ns)

    def restore(self, lux: float) -> None:
        """The light as it was; for the procedures that come after."""
        box = self._open().light_box
        if box is not None:
            box.set_illuminance(lux)

    @property
    def illuminance_set(self) -> float:
        """What the light box is set to now, lux."""
        return self._box().illuminance_set()

    def _box(self) -> LightSource:
        box = self._open().light_box
        if box is None:
            raise BenchError("the station has no light_box: give one in station.toml")
        return box

    def _open(self) -> Station:
        station = self._station()
        if station is None:
            raise BenchError("no station is open: give --station with a light_box and a lux_meter")
        return station

    def _set(self, lux: float, wait_s: float) -> Station:
        self._box().set_illuminance(lux)
        time.sleep(wait_s)
        return self._open()

    def _read(self, lux: float, wait_s: float) -> dict[str, Any]:
        station = self._set(lux, wait_s)
        found = [station.reading("lux_meter", "illuminance") for _ in range(_READINGS)]
        mean = sum(reading.value for reading in found) / len(found)
        spread = sum((reading.value - mean) ** 2 for reading in found) / (len(found) - 1)
        own = found[0].u
        if own is None:
            raise BenchError(
                "the lux meter has no certificate of illuminance that covers this reading: enter it"
            )
        return {
            "set_lx": lux,
            "illuminance_lx": mean,
            "u_lx": float((own**2 + spread / len(found)) ** 0.5),
            "certificate": found[0].certificate,
        }

    @staticmethod
    def chart(lit: Lit) -> ChartView:
        """The chart in a step's pictures. Raises MeasurementRefused."""
        refused: MeasurementRefused | None = None
        for picture in decode.first_pictures(lit.capture, 3):
            try:
                return locate(picture, which_chart(picture))
            except MeasurementRefused as error:
                refused = error
        raise refused or MeasurementRefused("no picture could be decoded")
