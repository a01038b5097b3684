"""Measuring procedures: how a conformance test says which quantities it measures, and the list of them.

A procedure is a test function of ``bench.conformance`` marked with `requirement`. The plan reads the
list without running anything; the plugin makes one pytest item a clause of it.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

import bench.conformance
from reports.record import Intrusiveness

__all__ = ["Procedure", "procedures", "requirement"]

_Test = TypeVar("_Test", bound=Callable[..., object])
_MARK = "__camcert_procedure__"


@dataclass(frozen=True)
class Procedure:
    """One measuring procedure.

    name: module and function; quantities: keys of what it measures in one go; version: raised whenever
    the procedure changes what it reports; needs: station roles without which it cannot run;
    reads_documents: it reads what a declaration hands in.
    """

    name: str
    quantities: tuple[str, ...]
    version: str
    needs: tuple[str, ...] = ()
    intrusiveness: Intrusiveness = Intrusiveness.PASSIVE
    reads_documents: bool = False


def requirement(
    *quantities: str,
    version: str = "1",
    needs: tuple[str, ...] = (),
    intrusiveness: Intrusiveness = Intrusiveness.PASSIVE,
    reads_documents: bool = False,
) -> Callable[[_Test], _Test]:
    """Mark a conformance test as the procedure that measures these quantities."""

    def mark(test: _Test) -> _Test:
        name = f"{test.__module__.rpartition('.')[2]}.{test.__name__}"
        setattr(test, _MARK, Procedure(name, quantities, version, needs, intrusiveness, reads_documents))
        return test

    return mark


def procedure_of(test: object) -> Procedure | None:
    """The procedure a test function is marked as, or None."""
    found = getattr(test, _MARK, None)
    return found if isinstance(found, Procedure) else None


def procedures() -> dict[str, Procedure]:
    """All procedures of bench.conformance by quantity. Raises ValueError if two measure the same."""
    found: dict[str, Procedure] = {}
    for module in pkgutil.iter_modules(bench.conformance.__path__, "bench.conformance."):
        for test in vars(importlib.import_module(module.name)).values():
            procedure = procedure_of(test)
            if procedure is None:
                continue
            for quantity in procedure.quantities:
                if found.setdefault(quantity, procedure) != procedure:
                    raise ValueError(f"{quantity} is measured by {found[quantity].name} and {procedure.name}")
    return found
