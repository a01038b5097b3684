"""Pixels of the decoded pictures, held beside what the camera declared."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from bench.camera.capture import FrameTable
from standards.errors import MeasurementRefused
from standards.quantity import Estimate, Kind

__all__ = ["picture_size"]


def picture_size(frames: FrameTable, declared: Mapping[str, object]) -> tuple[Estimate, Estimate]:
    """Width and height, pixels, that the stream decodes to (cropping applied): counted, hence exact.

    declared: what SDP and ONVIF promised, keys "width" and "height". Where the pictures disagree the
    smallest counts. Raises MeasurementRefused if no picture was decoded.
    """
    sizes = np.stack([frames.width, frames.height], axis=1)
    sizes = sizes[(sizes > 0).all(axis=1)]
    if len(sizes) == 0:
        raise MeasurementRefused("no picture could be decoded: its size is not known")
    seen, counts = np.unique(sizes, axis=0, return_counts=True)
    notes: list[str] = []
    if len(seen) > 1:
        listed = ", ".join(
            f"{w} x {h} ({n} pictures)" for (w, h), n in zip(seen.tolist(), counts, strict=True)
        )
        notes.append(f"the size changed during the capture: {listed}; the smallest counts")
    width, height = (int(v) for v in seen[np.argmin(seen[:, 0] * seen[:, 1])])
    claimed = declared.get("width"), declared.get("height")
    if None not in claimed and claimed != (width, height):
        notes.append(f"declared {claimed[0]} x {claimed[1]}, decoded {width} x {height}")
    details = {"declared": {"width": claimed[0], "height": claimed[1]}, "pictures": len(sizes)}
    first, second = (
        Estimate(
            quantity=f"picture.{name}",
            kind=Kind.COUNT,
            value=float(value),
            unit="px",
            exact=True,
            details=details,
            notes=tuple(notes),
        )
        for name, value in (("width", width), ("height", height))
    )
    return first, second
