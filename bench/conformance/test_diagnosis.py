"""Image diagnosis: each fault of the picture a quantity; what needs a reference takes the capture's first picture for it."""

from __future__ import annotations

from bench.live import Live
from bench.measure.diagnosis import detail, levels, view
from bench.measure.diagnosis import time as motion
from bench.procedures import requirement
from bench.session import Judge


@requirement("diagnosis.bright_level", "diagnosis.clipped", "diagnosis.mean_level")
def test_levels(live: Live, judge: Judge) -> None:
    """Black, overexposed, underexposed: how the codes of the pictures are spread."""
    judge(*levels.levels(live.stack.pictures))


@requirement("diagnosis.blur")
def test_blur(live: Live, judge: Judge) -> None:
    """Blur of the sharper part of the picture."""
    judge(detail.blur(live.stack.pictures))


@requirement("diagnosis.noise")
def test_noise(live: Live, judge: Judge) -> None:
    """Noise that is seen in the decoded pictures."""
    judge(detail.noise(live.stack.pictures, live.stack.run))


@requirement("diagnosis.stripes")
def test_stripes(live: Live, judge: Judge) -> None:
    """Bands across the whole picture."""
    judge(detail.stripes(live.stack.pictures))


@requirement("diagnosis.standstill")
def test_standstill(live: Live, judge: Judge) -> None:
    """Steps in which nothing moved: a suspicion, which the counter on the chart settles."""
    judge(motion.standstill(live.stack.pictures, live.stack.run))


@requirement("diagnosis.shake")
def test_shake(live: Live, judge: Judge) -> None:
    """Motion of the whole view about an even pan."""
    judge(motion.shake(live.stack.pictures, live.stack.run))


@requirement("diagnosis.view_agreement")
def test_view(live: Live, judge: Judge) -> None:
    """Whether the capture's last picture still shows the view of its first."""
    pictures = live.stack.pictures
    judge(view.agreement(pictures[-1], view.Reference(pictures[0])))


@requirement("diagnosis.hidden")
def test_hidden(live: Live, judge: Judge) -> None:
    """Share of the first picture's view that the last no longer shows."""
    pictures = live.stack.pictures
    judge(view.occlusion(pictures[-1], view.Reference(pictures[0])))


@requirement("diagnosis.cast")
def test_cast(live: Live, judge: Judge) -> None:
    """Change of colour from the capture's first to its last picture."""
    colour = live.colour
    judge(view.cast(colour[-1], view.Reference(live.stack.pictures[0], colour[0])))
