"""Likeness to a reference: only where there is one that is aligned."""

from __future__ import annotations

from bench.measure.similarity import no_reference
from bench.procedures import requirement


@requirement("picture.psnr", "picture.ssim")
def test_peak_signal_to_noise() -> None:
    """PSNR of a live stream (GB 50198-2011): a camera gives no aligned reference, so it cannot be measured here."""
    no_reference()
