"""Noise, dynamic range and grey levels of the picture, from the grey steps of whichever chart is in view."""

from __future__ import annotations

from bench.live import Live
from bench.measure.dynamic_range import LitSteps, dynamic_range
from bench.measure.grey_levels import grey_levels
from bench.measure.noise import GreyStep, grey_steps, snr
from bench.procedures import requirement
from bench.session import Judge
from standards.errors import MeasurementRefused

#: Charts whose grey steps are many and large enough.
CHARTS = ("grey", "edges", "wedge", "star", "camcert-1")


def _steps(live: Live) -> list[GreyStep]:
    return grey_steps(live.stack.pictures, live.stack.run, live.view(*CHARTS), density_u=live.density_u)


@requirement("picture.snr", "picture.snr_encoded", version="4")
def test_signal_to_noise(live: Live, judge: Judge) -> None:
    """Signal-to-noise ratio at a reflectance of 18 %; after lossy coding it is another quantity."""
    stream = live.stream
    found = snr(_steps(live), stream.coding, density_u=live.density_u)
    judge(found)
    if found.quantity != "picture.snr":
        raise MeasurementRefused(
            f"the stream is coded with loss ({stream}): its noise is the coding's, not the camera's; give "
            "uncompressed pictures, or such that are coded alone with known steps smaller than the noise"
        )


@requirement("picture.dynamic_range", version="3")
def test_dynamic_range(live: Live, judge: Judge) -> None:
    """Dynamic range over the steps of the chart; a bound where the steps end first."""
    live.needs_intra()
    steps = [LitSteps(1.0, 0.0, _steps(live))]
    judge(dynamic_range(steps, stream=str(live.stream), density_u=live.density_u))


@requirement("picture.grey_levels", version="2")
def test_grey_levels(live: Live, judge: Judge) -> None:
    """Grey steps told from their neighbours, on the chart with 24 of them (GB 50198-2011)."""
    steps = grey_steps(
        live.stack.pictures, live.stack.run, live.view("grey", "camcert-1"), density_u=live.density_u
    )
    judge(grey_levels(steps, stream=str(live.stream)))
