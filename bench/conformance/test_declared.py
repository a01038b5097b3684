"""What the camera is declared to have, held against what it offers: declared but absent is a failure."""

from __future__ import annotations

from collections.abc import Callable

from bench.judge import Judge
from bench.procedures import requirement
from standards.quantity import Estimate, Kind


@requirement("declared.ptz", "declared.audio")
def test_declared_features(features: Callable[[], dict[str, bool]], judge: Judge) -> None:
    """Pan and tilt, and audio, as ONVIF tells of them."""
    judge(
        *(
            Estimate(
                quantity=f"declared.{name}",
                kind=Kind.NOMINAL,
                value=there,
                unit="1",
                exact=True,
                absent=not there,
            )
            for name, there in features().items()
        )
    )
