"""Captures of a flashing lamp with known truth: a camera of chosen rhythm, clock, shutter and delay."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bench.camera.capture import FrameTable
from instruments.capability import Flash

_EPOCH_NS = 1_795_000_000_000_000_000
_CLOCK = 90_000


@dataclass(frozen=True)
class LampWorld:
    """A camera in front of a lamp, times in seconds.

    drop, repeat, damage: numbers in the camera's rhythm that suffer it; jitter_s: sd of the delay of single
    pictures; stamp_jitter_s: sd of the timestamps' own error; clock_scale: RTP ticks too many by this factor.
    """

    fps: float = 25.0
    seconds: float = 25.0
    ppm: float = 0.0
    latency_s: float = 0.12
    jitter_s: float = 0.002
    stamp_jitter_s: float = 0.0
    clock_scale: float = 1.0
    exposure_s: float = 0.01
    noise: float = 0.01
    lamp_delay_s: float = 0.0018
    lamp_jitter_s: float = 0.00015
    drop: tuple[int, ...] = ()
    repeat: tuple[int, ...] = ()
    damage: tuple[int, ...] = ()
    counter: bool = True
    flashes: int = 28
    gain: float = 0.8
    regular: bool = False
    seed: int = 0


@dataclass(frozen=True)
class Made:
    """What the bench would have, and the truth of it: mean delay of the intact pictures, seconds."""

    world: LampWorld
    frames: FrameTable
    flashes: tuple[Flash, ...]
    true_latency_s: float


def _commands(world: LampWorld, rng: np.random.Generator) -> list[tuple[float, bool]]:
    """Seconds after the start, on or off; random as bench.flashing draws them, or all alike if `regular`."""
    out: list[tuple[float, bool]] = []
    now, period = rng.uniform(0.3, 0.5), max(0.7, (world.seconds - 5.0) / max(world.flashes, 1))
    for _ in range(world.flashes):
        lit = 0.33 if world.regular else rng.uniform(0.26, 0.40)
        swing = 0.0 if world.regular else rng.uniform(-0.1, 0.1)
        out += [(now, True), (now + lit, False)]
        now += lit + max(0.26, period - lit + swing)
    return [command for command in out if command[0] < world.seconds]


def _lit_share(
    middle: NDArray[np.float64], exposure: float, light: NDArray[np.float64], on: NDArray[np.bool_]
) -> NDArray[np.float64]:
    """Share of each exposure for which the lamp shone. light: times of its changes, to `on`."""
    total = np.concatenate([[0.0], np.cumsum(np.diff(light) * on[:-1])])
    end, start = (np.interp(middle + sign * exposure / 2, light, total) for sign in (1, -1))
    return np.asarray((end - start) / exposure, dtype=np.float64)


def make_lamp_world(world: LampWorld) -> Made:
    """Draw one capture of the world."""
    rng = np.random.default_rng(world.seed)
    number = np.arange(int(world.seconds * world.fps))
    middle = rng.uniform(0, 1 / world.fps) + number / world.fps / (1 + world.ppm * 1e-6)
    commands = _commands(world, rng)
    light = np.array([t for t, _ in commands], dtype=np.float64) + world.lamp_delay_s
    light = light + world.lamp_jitter_s * np.clip(rng.standard_normal(len(light)), -3, 3)
    share = _lit_share(middle, world.exposure_s, light, np.array([on for _, on in commands]))
    content = np.floor((middle + 1.0) / 0.01).astype(np.int64)
    for k in (k for k in world.repeat if k < len(number)):
        share[k], content[k] = share[k - 1], content[k - 1]
    level = 0.05 + world.gain * share + 0.8 * world.noise * rng.standard_normal(len(number))
    delay = np.maximum(0.0, world.latency_s + world.jitter_s * rng.standard_normal(len(number)))
    arrival = np.maximum.accumulate(middle + delay)
    stamps = number / world.fps + world.stamp_jitter_s * rng.standard_normal(len(number))
    ticks = np.rint(_CLOCK * world.clock_scale * stamps).astype(np.int64) + int(rng.integers(0, 2**32))
    keep = ~np.isin(number, world.drop)
    whole = ~np.isin(number, world.damage)
    count = int(keep.sum())
    frames = FrameTable(
        clock_rate=_CLOCK,
        timestamp=ticks[keep],
        arrival=_EPOCH_NS + np.rint(arrival[keep] * 1e9).astype(np.int64),
        decoded=np.zeros(count, np.int64),
        intact=whole[keep],
        counter=content[keep] % 65536 if world.counter else np.full(count, -1, np.int64),
        lamp=level[keep],
        difference=np.ones(count),
        width=np.full(count, 1280, np.int32),
        height=np.full(count, 720, np.int32),
    )
    sent = [(_EPOCH_NS + round(t * 1e9), on) for t, on in commands]
    flashes = tuple(Flash(on=on, sent_ns=t, done_ns=t + 30_000) for t, on in sent)
    return Made(world, frames, flashes, float((arrival - middle)[keep & whole].mean()))
