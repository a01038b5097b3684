"""Image diagnosis: each fault of the picture a quantity; what needs a reference takes the capture's first picture for it."""

from __future__ import annotations

import numpy as np

from bench.live import Live
from bench.measure.diagnosis import bands, detail, grain, hidden, levels, view
from bench.measure.diagnosis import time as motion
from bench.measure.diagnosis.reference import Reference
from bench.procedures import requirement
from bench.session import Judge


@requirement("diagnosis.bright_level", "diagnosis.mean_level")
def test_levels(live: Live, judge: Judge) -> None:
    """Black, underexposed: how the codes of the pictures are spread."""
    judge(*levels.levels(live.stack.pictures))


@requirement("diagnosis.clipped")
def test_clipped(live: Live, judge: Judge) -> None:
    """Share of the picture that is at white in one colour at least."""
    judge(levels.clipped(live.colour))


@requirement("diagnosis.blur")
def test_blur(live: Live, judge: Judge) -> None:
    """Blur of the sharper part of the picture."""
    judge(detail.blur(live.stack.pictures))


@requirement("diagnosis.noise")
def test_noise(live: Live, judge: Judge) -> None:
    """Noise that is seen in the decoded pictures."""
    judge(grain.noise(live.stack.pictures, live.stack.run))


@requirement("diagnosis.stripes")
def test_stripes(live: Live, judge: Judge) -> None:
    """Bands across the whole picture."""
    judge(bands.stripes(live.stack.pictures))


@requirement("diagnosis.standstill")
def test_standstill(live: Live, judge: Judge) -> None:
    """Steps in which nothing moved: a suspicion, which the counter on the chart settles."""
    judge(motion.standstill(live.stack.pictures, live.stack.run))


@requirement("diagnosis.frozen")
def test_frozen(live: Live, judge: Judge) -> None:
    """Steps over which the counter on the chart stood still: what decides whether the picture froze."""
    counter = live.frames.counter
    judge(motion.frozen(counter, np.zeros(len(counter), np.int64)))


@requirement("diagnosis.shake", version="2")
def test_shake(live: Live, judge: Judge) -> None:
    """Motion of the whole view about an even pan."""
    judge(motion.shake(live.stack.pictures, live.stack.run))


@requirement("diagnosis.view_agreement", version="2")
def test_view(live: Live, judge: Judge) -> None:
    """Whether the capture's last picture still shows the view of its first."""
    pictures, run = live.stack.pictures, live.stack.run
    judge(view.agreement(pictures[run == run[-1]], run[run == run[-1]], _first_run(live)))


@requirement("diagnosis.hidden")
def test_hidden(live: Live, judge: Judge) -> None:
    """Share of the first picture's view that the last no longer shows."""
    pictures, run = live.stack.pictures, live.stack.run
    judge(hidden.occlusion(pictures[run == run[-1]], run[run == run[-1]], _first_run(live)))


@requirement("diagnosis.cast")
def test_cast(live: Live, judge: Judge) -> None:
    """Change of colour from the capture's first to its last picture."""
    colour = live.colour
    judge(view.cast(colour[-1], Reference(live.stack.pictures[0], colour[0])))


def _first_run(live: Live) -> Reference:
    """The view as the capture began."""
    pictures, run = live.stack.pictures, live.stack.run
    return Reference.taken(pictures[run == run[0]], run[run == run[0]])
