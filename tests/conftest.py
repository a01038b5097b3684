"""Branch coverage of the tests' workers, which `coverage run` itself does not see; what properties may take.

A busy machine makes no property fail: hypothesis has no deadline and does not call slow drawing a fault.

Only the workers are traced: the virtual cameras and `bench run` are processes of their own, whose timing a
tracer would disturb. What plugins import before this file is not counted.
"""

from __future__ import annotations

import os
from pathlib import Path

import coverage
import pytest
from hypothesis import HealthCheck, settings

settings.register_profile(
    "camcert",
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
    # In CI the same examples each time: what a new one finds belongs to whoever runs the tests by hand.
    derandomize=bool(os.environ.get("CI")),
)
settings.load_profile("camcert")

#: As tools/run-tests.sh asks for those that judge times.
_PACED = "paced"


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Read no module in vain that marks nothing as paced: to import them all takes ten seconds of each worker."""
    if config.option.markexpr != _PACED or not collection_path.match("test_*.py"):
        return None
    return True if f"mark.{_PACED}" not in collection_path.read_text("utf-8") else None


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
