"""Shared by the tests of measurements."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from tests_frames import make_frames

from bench.camera.capture import FrameTable


@pytest.fixture
def frames_of() -> Callable[..., FrameTable]:
    """make_frames()."""
    return make_frames
