"""``bench run``: pytest on bench.conformance with the bench's own ini, a live table, and an exit code."""

from __future__ import annotations

import os
from collections.abc import Generator
from contextlib import contextmanager
from importlib.resources import files
from pathlib import Path

import pytest
from rich.console import Console

from bench.plugin import PREPARED, Run
from bench.request import RunRequest
from bench.table import RunTable
from instruments.signals import terminable
from reports.record import Plan, Results
from standards.clause import Axis
from standards.decision import Execution

__all__ = ["EXIT_BY_OVERALL", "execute", "exit_code", "read_results"]

EXIT_BY_OVERALL = {"conforms": 0, "met": 0, "none": 0, "does_not_conform": 1, "not_met": 1, "inconclusive": 3}


class _Prepared:
    """Hands the run whose plan was made already to the plugin."""

    def __init__(self, run: Run) -> None:
        self._run = run

    @pytest.hookimpl(tryfirst=True)
    def pytest_configure(self, config: pytest.Config) -> None:
        config.stash[PREPARED] = self._run


@contextmanager
def _undisturbed() -> Generator[None]:
    """A user's PYTEST_ADDOPTS must not change a run."""
    kept = os.environ.pop("PYTEST_ADDOPTS", None)
    try:
        yield
    finally:
        if kept is not None:
            os.environ["PYTEST_ADDOPTS"] = kept


def execute(request: RunRequest, console: Console) -> tuple[Path, int]:
    """Run to the end. Returns the record's folder and the exit code of the run itself.

    The exit code is pytest's own trouble only (interrupted, usage, a lost camera); verdicts are in
    the results: see exit_code(). Raises UsageError before anything is touched.
    """
    directory = request.directory()
    run = Run(request, None)
    table = RunTable(run.plan, console)
    run.observer = table
    ini = str(files("bench") / "conformance.ini")
    arguments = [
        "-c",
        ini,
        "--rootdir",
        str(Path(ini).parent),
        "--pyargs",
        "bench.conformance",
        "-p",
        "no:randomly",
    ]
    arguments += [
        "-p",
        "no:terminal",
        "-p",
        "no:cacheprovider",
        "--camera",
        request.camera or run.plan.camera,
    ]
    with _undisturbed(), terminable(), table:
        code = pytest.main(arguments, plugins=[_Prepared(run)])
    return directory, run.trouble(int(code))


def read_results(directory: Path) -> tuple[Plan, Results]:
    """Plan and results of a sealed record."""
    plan = Plan.model_validate_json((directory / "plan.json").read_bytes())
    return plan, Results.model_validate_json((directory / "results.json").read_bytes())


def exit_code(plan: Plan, results: Results) -> int:
    """0 conforms · 1 does not conform · 3 inconclusive, over the axes that the scheme lets decide."""
    codes = [EXIT_BY_OVERALL[results.overall]]
    if any(item.execution is Execution.BENCH_FAULT for item in results.items):
        codes.append(3)  # on whichever axis: a bench that failed proves nothing
    if Axis.CONTRACT in plan.gate:
        codes.append(EXIT_BY_OVERALL[results.contract])
    if Axis.RECOMMENDED in plan.gate:
        breach = EXIT_BY_OVERALL[results.recommended]
        codes.append(breach if breach == 1 else 0)
    return 1 if 1 in codes else max(codes)
