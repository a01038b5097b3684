"""Grey levels: counted as the definition says, whatever the order of noise and codes."""

from __future__ import annotations

import math
from itertools import pairwise

import pytest
from grey_camera import GreyCamera
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from bench.measure.chart_view import locate
from bench.measure.grey_levels import grey_levels
from bench.measure.noise import GreyStep, grey_steps
from bench.measure.patch_noise import PatchNoise
from fixtures.charts import CHARTS
from standards.errors import MeasurementRefused


def ladder(codes: list[float], sd: float, u: float = 0.01) -> list[GreyStep]:
    return [
        GreyStep(
            0.05 + 0.1 * i,
            PatchNoise(
                mean=code, u_mean=u, temporal=sd**2, fixed=0.0, total=sd**2, u_temporal=0.02 * sd**2, u_fixed=0.0,
                u_total=0.02 * sd**2, drift=0.0, clipped=0.0, pixels=1000, pictures=12,
            ),
            5.0,
            0.01,
        )
        for i, code in enumerate(codes)
    ]  # fmt: skip


@settings(deadline=None)
@given(
    st.lists(st.floats(0.0, 6.0), min_size=2, max_size=23),
    st.floats(0.0, 5.0),
    st.floats(-20, 20),
    st.floats(1, 3),
)
def test_counts_by_the_definition_and_follows_offset_and_gain(
    differences: list[float], sd: float, offset: float, gain: float
) -> None:
    assume(all(abs(d - max(1.0, sd)) > 1e-6 for d in differences))
    codes = [200.0]
    for difference in differences:
        codes.append(codes[-1] - difference)
    true = 1 + sum(a - b >= max(1.0, sd) for a, b in pairwise(codes))
    if true == 1:
        with pytest.raises(MeasurementRefused, match="told from"):
            grey_levels(ladder(codes, sd), stream="raw")
        return
    found = grey_levels(ladder([c + offset for c in codes], sd), stream="raw")
    assert found.interval is not None and isinstance(found.value, float)
    assert found.interval[0] <= true <= found.interval[1]
    louder = grey_levels(ladder([gain * c for c in codes], gain * sd), stream="raw")
    assert isinstance(louder.value, float)
    assert louder.value >= found.value  # more codes to tell a difference by


@pytest.mark.parametrize(("noise_sd", "ev"), [(0.7, 0.0), (3.0, 0.0), (1.0, 1.0), (1.0, -2.0)])
def test_camera_counts_what_its_own_figures_say(noise_sd: float, ev: float) -> None:
    camera = GreyCamera(picture={"noise_sd": noise_sd}, exposure={"ev": ev})
    pictures = [camera.luma() for _ in range(12)]
    found = grey_levels(
        grey_steps(pictures, [i // 4 for i in range(12)], locate(pictures[0], CHARTS["grey"])), stream="raw"
    )
    white = camera.sees(1.0)

    def code(density: float) -> float:
        light = min(white * 10**-density, 1.0)
        return 16 + 219 * (4.5 * light if light < 0.018 else 1.099 * light**0.45 - 0.099)

    def sd(density: float) -> float:
        light = white * 10**-density
        if light >= 1:
            return 0.0
        slope = 4.5 * light if light < 0.018 else 1.099 * 0.45 * light**0.45
        return float(219 * slope / 10 ** (camera.snr_db(10**-density)[1] / 20))

    steps = [0.05 + 0.1 * i for i in range(24)]
    true = 1 + sum(code(a) - code(b) >= max(1.0, sd(a), sd(b)) for a, b in pairwise(steps))
    assert found.interval is not None
    assert found.interval[0] - 1 <= true <= found.interval[1] + 1
    assert isinstance(found.value, float) and math.isclose(found.value, true, abs_tol=1)


def test_too_few_steps_are_refused() -> None:
    with pytest.raises(MeasurementRefused, match="more of them"):
        grey_levels(ladder([100.0], 1.0), stream="raw")
