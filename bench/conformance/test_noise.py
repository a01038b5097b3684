"""Noise and dynamic range of the picture, from the grey steps of whichever chart is in view."""

from __future__ import annotations

from bench.live import Live
from bench.measure.dynamic_range import LitSteps, dynamic_range
from bench.measure.noise import GreyStep, grey_steps, snr
from bench.procedures import requirement
from bench.session import Judge

#: Charts whose grey steps are many and large enough.
CHARTS = ("grey", "edges", "wedge", "star", "camcert-1")


def _steps(live: Live) -> list[GreyStep]:
    return grey_steps(live.stack.pictures, live.stack.run, live.view(*CHARTS), density_u=live.density_u)


@requirement("picture.snr", "picture.snr_encoded")
def test_signal_to_noise(live: Live, judge: Judge) -> None:
    """Signal-to-noise ratio at a reflectance of 18 %; after prediction between pictures it is another quantity."""
    intra = live.stream.gop <= 1.0
    judge(snr(_steps(live), stream=str(live.stream), intra=intra))
    live.needs_intra()


@requirement("picture.dynamic_range")
def test_dynamic_range(live: Live, judge: Judge) -> None:
    """Dynamic range over the steps of the chart; a bound where the steps end first."""
    live.needs_intra()
    judge(dynamic_range([LitSteps(1.0, 0.0, _steps(live))], stream=str(live.stream)))
