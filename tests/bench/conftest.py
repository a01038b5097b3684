"""Shared by the tests of whole runs: short schemes and small, fast virtual cameras."""

from __future__ import annotations

from collections.abc import Callable, Generator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from virtual_world import Camera, camera_file, running, scheme_file

#: Small pictures keep two cores free; everything else is the reference camera.
SMALL: dict[str, Any] = {"stream": {"width": 640, "height": 360, "bitrate_kbit": 2500}}


@pytest.fixture
def camera(tmp_path: Path) -> Generator[Callable[..., Camera]]:
    """Start a virtual camera: camera(changes) -> Camera; all are ended with the test."""
    with ExitStack() as stack:

        def start(changes: dict[str, Any] | None = None, base: Path | None = None) -> Camera:
            count = len(list(tmp_path.glob("camera-*.toml")))
            file = tmp_path / f"camera-{count}.toml"
            camera_file(file, SMALL if changes is None else changes, *([base] if base else []))
            return stack.enter_context(running(file, tmp_path / f"truth-{count}.jsonl"))

        yield start


@pytest.fixture
def short_scheme(tmp_path: Path) -> Callable[..., Path]:
    """A vendor_ci of a few seconds: short_scheme(seconds=5, flashes=5, **capture)."""

    def make(seconds: float = 5.0, flashes: int = 5, **capture: Any) -> Path:
        changes = {"capture": {"seconds": seconds, "flashes": flashes, **capture}}
        return scheme_file(tmp_path / "short.toml", changes)

    return make
