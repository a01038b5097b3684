"""What an active procedure may do to the world: set the light before the chart, read it, and capture what is seen.

Every step has a name. What a step read and captured is journalled and kept, so that a resumed run does not repeat it.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from bench.camera import decode, store
from bench.camera.capture import Capture
from bench.measure.chart_view import ChartView, locate, which_chart
from instruments.station import Station
from standards.errors import BenchError, MeasurementRefused

__all__ = ["Lit", "Stage"]

_READINGS = 5
_SETTLE_S, _CAPTURE_S = 2.5, 1.2  # of light box and automatic exposure; of a step's capture


@dataclass(frozen=True)
class Lit:
    """One step: illuminance as the certified meter has it, lux; u: standard uncertainty by certificate and scatter; capture:
    what the camera sent under it."""

    illuminance: float
    u: float
    capture: Capture


class Stage:
    """Light box, lux meter and camera of a run. capture: takes or finds a step's capture; note: journals a reading."""

    def __init__(
        self,
        station: Callable[[], Station | None],
        capture: Callable[[str, float], Mapping[str, bytes]],
        digests: Callable[[str], tuple[str, ...]],
        note: Callable[[str, dict[str, Any]], None],
        exposure: Callable[[], str],
    ) -> None:
        """digests: evidence of a step's capture; exposure: what the camera tells of it now."""
        self._station, self._capture, self._digests, self._note = station, capture, digests, note
        self._exposure = exposure
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
        return self._exposure()

    def lit(self, step: str, lux: float) -> Lit:
        """Set the light, wait until light and exposure have settled, read the meter, capture.

        Raises BenchError if the station has no light box or lux meter, or one does not answer.
        """
        name = f"light.{step}"
        fresh = name not in self.readings
        if fresh:
            self._note(name, self._read(lux))
        elif not self._digests(name):
            self._set(lux)  # killed between reading and capturing: the light has to be there again
        told = self.readings[name]
        files = self._capture(name, _CAPTURE_S)
        self._steps.append(name)
        return Lit(float(told["illuminance_lx"]), float(told["u_lx"]), store.from_evidence(files))

    def restore(self, lux: float) -> None:
        """The light as it was; for the procedures that come after."""
        box = self._open().light_box
        if box is not None:
            box.set_illuminance(lux)

    @property
    def illuminance_set(self) -> float:
        """What the light box is set to now, lux."""
        box = self._open().light_box
        if box is None:
            raise BenchError("the station has no light_box: give one in station.toml")
        return box.illuminance_set()

    def _open(self) -> Station:
        station = self._station()
        if station is None:
            raise BenchError("no station is open: give --station with a light_box and a lux_meter")
        return station

    def _set(self, lux: float) -> Station:
        station = self._open()
        if station.light_box is None:
            raise BenchError("the station has no light_box: give one in station.toml")
        station.light_box.set_illuminance(lux)
        time.sleep(_SETTLE_S)
        return station

    def _read(self, lux: float) -> dict[str, Any]:
        station = self._set(lux)
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
