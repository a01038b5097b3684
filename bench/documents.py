"""The documents of a run: found and hashed when the plan is made, read into evidence when it runs."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable
from pathlib import Path

from pydantic import ValidationError

from standards.catalogue import Catalogue
from standards.decision import Rule, decide
from standards.documents import CALENDAR, Claim, DocumentEntry, estimate_of
from standards.errors import BadFile, CaptureFault, UnknownName, UsageError
from standards.quantity import Basis, Estimate, Quantity

__all__ = ["Documents", "content_of", "frozen"]

_LARGEST = 64 << 20  # bytes: a scanned file of a hundred pages; more belongs into several files


def frozen(claims: Iterable[Claim], declaration: Path, known: Catalogue) -> tuple[DocumentEntry, ...]:
    """The claims of a declaration with the digests of their files.

    Raises BadFile for a quantity that no document shows, one declared twice, a file outside the
    declaration's folder, one too large, and a value that does not fit.
    """
    entries: list[DocumentEntry] = []
    for number, claim in enumerate(claims, start=1):
        where = f"document[{number}]"
        try:
            quantity = known.quantity(claim.quantity)
        except UnknownName as error:
            raise BadFile(
                declaration, f"{where}.quantity", str(error), "see `bench standards list`"
            ) from None
        dated = claim.oldest is not None and quantity.unit in CALENDAR and quantity.by is Basis.MEASURED
        if not quantity.by.by_person and not dated:
            raise BadFile(
                declaration,
                f"{where}.quantity",
                f"{quantity.key} is {quantity.by}",
                "no paper can show it: leave it out",
            )
        if any(entry.quantity == claim.quantity for entry in entries):
            raise BadFile(declaration, f"{where}.quantity", f"{claim.quantity} stands twice", "keep one")
        content = content_of(declaration.parent, claim.file, declaration, f"{where}.file")
        digest = "" if content is None else hashlib.sha256(content).hexdigest()
        entry = DocumentEntry(**claim.model_dump(), sha256=digest)
        key = "oldest" if claim.oldest is not None else "value"
        try:
            estimate = estimate_of(entry, quantity)
            for clause in known.clauses:
                if clause.measurand.quantity == quantity.key:
                    decide(estimate, clause, Rule.SIMPLE)
        except ValidationError as error:
            text = error.errors(include_url=False)[0]["msg"].removeprefix("Value error, ")
            raise BadFile(declaration, f"{where}.{key}", text, f"write it in {quantity.unit}") from None
        except ValueError as error:
            mend = (
                "put the days in order"
                if key == "oldest"
                else "write the kind of value that the clause asks for"
            )
            raise BadFile(declaration, f"{where}.{key}", str(error), mend) from None
        entries.append(entry)
    return tuple(entries)


def content_of(folder: Path, name: str, declaration: Path, where: str) -> bytes | None:
    """The bytes of a file beside the declaration; None where there is none. where: its key.

    Raises BadFile for a file outside the folder, one that is too large, and a name that is none.
    """
    try:
        path = (folder / name).resolve()
        there = path.is_file()
    except (OSError, ValueError) as error:
        raise BadFile(declaration, where, f"is no name of a file ({error})", "name a file") from None
    if not path.is_relative_to(folder.resolve()):
        raise BadFile(declaration, where, f"{name} lies outside {folder}", "put it beside the declaration")
    if not there:
        return None
    if path.stat().st_size > _LARGEST:
        raise BadFile(declaration, where, f"{name} is larger than {_LARGEST >> 20} MiB", "split it")
    return path.read_bytes()


class Documents:
    """What the procedure for documents reads from."""

    def __init__(
        self,
        entries: tuple[DocumentEntry, ...],
        declaration: Path | None,
        quantity: Callable[[str], Quantity],
        put: Callable[[bytes], str],
    ) -> None:
        self._entries = {entry.quantity: entry for entry in entries}
        self._declaration = declaration
        self._quantity = quantity
        self._put = put

    def look(self, quantity: str) -> tuple[Estimate, tuple[str, ...]]:
        """What the document shows, and the digest of the file, which is in evidence from now on.

        Raises UsageError without the declaration's folder, CaptureFault if the file is no longer the one
        that the plan was made with.
        """
        entry = self._entries[quantity]
        if not entry.sha256:
            return estimate_of(entry, self._quantity(quantity)), ()
        if self._declaration is None:
            raise UsageError("the plan holds documents: give the --declaration that they lie beside")
        content = content_of(self._declaration.parent, entry.file, self._declaration, "file")
        if content is None or hashlib.sha256(content).hexdigest() != entry.sha256:
            raise CaptureFault(
                f"{entry.file} is not the file that the plan was made with. Mend: put it back, or run anew"
            )
        return estimate_of(entry, self._quantity(quantity)), (self._put(content),)
