"""Latency by a flashing lamp against known truth: bias, coverage, what is refused, what each clause gets."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lamp_world import LampWorld, Made, make_lamp_world

from bench.measure.latency import Chain, clauses, lamp_latency
from standards.errors import MeasurementRefused
from standards.quantity import Bound

CERTIFICATE_U = 0.0002


def measured(made: Made, *, error_s: float = 0.0) -> Chain:
    """What the bench finds with a certificate that is wrong by error_s."""
    return lamp_latency(
        made.frames, made.flashes, delay_s=made.world.lamp_delay_s + error_s, delay_u_s=CERTIFICATE_U
    )


def expanded(chain: Chain) -> float:
    u95 = clauses(chain, display_s=None, display_u_s=None)[0].expanded_uncertainty
    assert u95 is not None
    return u95


def _drawn(seed: int) -> Made:
    """A camera as the seed draws it: rhythm, shutter, delay, noise, clock, dropped and repeated pictures."""
    rng = np.random.default_rng(seed)
    fps = float(rng.choice([12.5, 15.0, 20.0, 25.0, 29.97]))
    return make_lamp_world(
        LampWorld(
            fps=fps,
            exposure_s=min(0.99 / fps, float(rng.uniform(0.004, 0.04))),
            latency_s=float(rng.choice([0.12, 0.4, 2.5])),
            jitter_s=float(rng.uniform(0, 0.005)),
            noise=float(rng.uniform(0.002, 0.03)),
            ppm=float(rng.uniform(-100, 100)),
            drop=tuple(range(30, 800, 60)) if rng.random() < 0.3 else (),
            repeat=tuple(range(50, 800, 50)) if rng.random() < 0.3 else (),
            damage=tuple(range(70, 90)) if rng.random() < 0.3 else (),
            counter=bool(rng.random() < 0.5),
            seed=int(rng.integers(1 << 30)),
        )
    )


def test_truth_lies_within_u_and_the_bias_is_small() -> None:
    """100 cameras: at least 95 % within U, |mean error| < 0.1 ms, every error < 3 ms, U <= 5 ms in 98 %."""
    rng = np.random.default_rng(99)
    errors, u95s = [], []
    for seed in range(100):
        made = _drawn(seed)
        chain = measured(made, error_s=CERTIFICATE_U * float(rng.standard_normal()))
        errors.append(chain.mean_s - made.true_latency_s)
        u95s.append(expanded(chain))
    error, u95 = np.abs(errors), np.array(u95s)
    assert (error <= u95).mean() >= 0.95
    assert abs(float(np.mean(errors))) < 0.1e-3
    assert error.max() < 3e-3
    assert (u95 <= 5e-3).mean() >= 0.98  # one in hundreds sees no partly lit picture: 6 ms
    assert np.median(u95) < 1.5e-3


def test_an_ordinary_run_says_how_it_came_about() -> None:
    made = make_lamp_world(LampWorld(seed=4))
    chain = measured(made)
    details = chain.details
    assert details["end_point"] == "arrival" and details["statistic"] == "mean"
    assert details["flashes"] == 28 and details["switches"] == 56 and details["partials"] >= 5
    assert details["exposure_s"] == pytest.approx(0.01, abs=0.002)
    assert details["median_s"] < details["p95_s"] < details["max_s"] < 0.14
    assert sum(details["histogram"]["counts"]) == details["pictures"] == 625
    assert len(details["histogram"]["counts"]) <= 60
    assert details["window_ns"][0] == made.frames.arrival[0]
    assert [c.name for c in chain.budget][:2] == ["lamp delay", "fit of the flashes"]


def test_the_camera_clock_is_followed() -> None:
    made = make_lamp_world(LampWorld(ppm=100.0, jitter_s=0.0005, seconds=60.0, flashes=60, seed=2))
    chain = measured(made)
    assert chain.details["drift_ppm"] == pytest.approx(-100.0, abs=40)
    assert abs(chain.mean_s - made.true_latency_s) < expanded(chain)


def test_without_calibration_the_result_is_wide_and_says_so() -> None:
    made = make_lamp_world(LampWorld(lamp_delay_s=0.016, seed=3))
    chain = lamp_latency(made.frames, made.flashes, delay_s=None, delay_u_s=None)
    assert any("not calibrated" in note for note in chain.notes)
    assert 0.009 < expanded(chain) < 0.013
    assert abs(chain.mean_s - made.true_latency_s) < expanded(chain)


def test_a_delay_without_uncertainty_counts_as_uncalibrated() -> None:
    made = make_lamp_world(LampWorld(seed=3))
    chain = lamp_latency(made.frames, made.flashes, delay_s=0.5, delay_u_s=None)
    assert abs(chain.mean_s - made.true_latency_s) < expanded(chain)


@pytest.mark.parametrize("scale", [1.03, 0.0])
def test_useless_timestamps_give_way_to_arrivals(scale: float) -> None:
    """Timestamps of a 3 % wrong clock, or that stand still: the mean holds, the spread is not stated."""
    made = make_lamp_world(LampWorld(clock_scale=scale, seed=5))
    chain = measured(made)
    assert any("do not follow the capture" in note for note in chain.notes)
    assert chain.details["p95_s"] is None
    assert abs(chain.mean_s - made.true_latency_s) < expanded(chain)
    assert any("spread" in note for note in clauses(chain, display_s=None, display_u_s=None)[0].notes)


def test_scattered_timestamps_widen_u() -> None:
    calm = measured(make_lamp_world(LampWorld(seed=6)))
    made = make_lamp_world(LampWorld(stamp_jitter_s=0.004, seed=6))
    rough = measured(made)
    assert expanded(rough) > 2 * expanded(calm)
    assert abs(rough.mean_s - made.true_latency_s) < expanded(rough)


@pytest.mark.parametrize(
    ("world", "said"),
    [
        (LampWorld(flashes=3), "flashes are too few"),
        (LampWorld(gain=0.0), r"too small|never changes"),
        (LampWorld(gain=0.05, noise=0.05), "contrast"),
        (LampWorld(regular=True, jitter_s=0.0), "random intervals"),
        (LampWorld(seconds=1.0, flashes=1), "fewer than 30"),
    ],
)
def test_refuses_what_cannot_be_told(world: LampWorld, said: str) -> None:
    with pytest.raises(MeasurementRefused, match=said):
        measured(make_lamp_world(world))


def test_refuses_flashes_that_are_not_those_in_the_pictures() -> None:
    made, other = make_lamp_world(LampWorld(seed=7)), make_lamp_world(LampWorld(seed=8))
    with pytest.raises(MeasurementRefused, match=r"do not follow the lamp|two delays fit"):
        lamp_latency(made.frames, other.flashes, delay_s=0.002, delay_u_s=0.0002)


@settings(max_examples=8, deadline=None)
@given(
    shift_ns=st.integers(-(10**17), 10**17),
    ticks=st.integers(-(2**40), 2**40),
    gain=st.floats(0.01, 1e4),
    offset=st.floats(-100, 100),
)
def test_neither_epoch_nor_scale_of_the_level_matters(
    shift_ns: int, ticks: int, gain: float, offset: float
) -> None:
    made = make_lamp_world(LampWorld(seed=9))
    moved = replace(
        made.frames,
        arrival=made.frames.arrival + shift_ns,
        timestamp=made.frames.timestamp + ticks,
        lamp=made.frames.lamp * gain + offset,
    )
    flashes = [replace(f, sent_ns=f.sent_ns + shift_ns, done_ns=f.done_ns + shift_ns) for f in made.flashes]
    chain = lamp_latency(moved, flashes, delay_s=0.0018, delay_u_s=CERTIFICATE_U)
    assert chain.mean_s == pytest.approx(measured(made).mean_s, abs=2e-6)


@settings(max_examples=8, deadline=None)
@given(later_ms=st.floats(-100, 5000))
def test_later_pictures_are_later_by_as_much(later_ms: float) -> None:
    made = make_lamp_world(LampWorld(seed=10))
    moved = replace(made.frames, arrival=made.frames.arrival + round(later_ms * 1e6))
    chain = lamp_latency(moved, made.flashes, delay_s=0.0018, delay_u_s=CERTIFICATE_U)
    assert chain.mean_s - measured(made).mean_s == pytest.approx(later_ms * 1e-3, abs=2e-5)


def test_a_stated_display_is_added_with_its_uncertainty() -> None:
    chain = measured(make_lamp_world(LampWorld(seed=11)))
    camera, centre, user = clauses(chain, display_s=0.030, display_u_s=0.004)
    for estimate in (camera, centre, user):
        assert estimate.value == pytest.approx(chain.mean_s + 0.030)
        assert estimate.u == pytest.approx(np.hypot(chain.u, 0.004), rel=1e-9)
        assert estimate.details["chain_s"] == chain.mean_s and estimate.unit == "s"
    assert (camera.bound, centre.bound, user.bound) == (None, None, Bound.LOWER)
    assert "platform" in user.bound_reason
    assert [e.quantity for e in (camera, centre, user)] == [
        "latency.camera", "latency.to_centre", "latency.to_user",
    ]  # fmt: skip


def test_without_a_display_all_three_are_lower_bounds() -> None:
    for estimate in clauses(measured(make_lamp_world(LampWorld(seed=12))), display_s=None, display_u_s=None):
        assert estimate.bound is Bound.LOWER and "display" in estimate.bound_reason


def test_a_display_without_uncertainty_leaves_u_open() -> None:
    camera, *_ = clauses(measured(make_lamp_world(LampWorld(seed=13))), display_s=0.03, display_u_s=None)
    assert camera.u is None and camera.bound is None
    assert any("without uncertainty" in note for note in camera.notes)
