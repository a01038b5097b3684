"""Branch coverage of the tests' workers, which `coverage run` itself does not see.

Only the workers are traced: the virtual cameras and `bench run` are processes of their own, whose timing a
tracer would disturb. What plugins import before this file is not counted.
"""

from __future__ import annotations

import os

import coverage
import pytest

_TRACED = pytest.StashKey[coverage.Coverage]()


def pytest_configure(config: pytest.Config) -> None:
    """Start tracing in a worker, if `make test` asked for it."""
    if os.environ.get("CAMCERT_COVERAGE") and hasattr(config, "workerinput"):
        config.stash[_TRACED] = coverage.Coverage(data_suffix=True)
        config.stash[_TRACED].start()


def pytest_unconfigure(config: pytest.Config) -> None:
    """Save what was traced."""
    traced = config.stash.get(_TRACED, None)
    if traced is not None:
        traced.stop()
        traced.save()
