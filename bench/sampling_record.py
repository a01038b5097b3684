"""A sample of many cameras: drawn by seed, journalled, repeatable by an inspector, doubled after a failure.

The folder holds ``journal.jsonl`` alone, chained like that of a run: DRAWN once, INSPECTED once a lot and round.
"""

from __future__ import annotations

import csv
import hashlib
import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from reports.folder import JOURNAL
from reports.journal import Event, Journal, replay
from reports.record import EventKind
from standards.errors import BadFile, RecordError, UnknownName, UsageError
from standards.sampling import SamplingRule, after, draw, sample_size

__all__ = ["Lot", "draw_sample", "lots_of", "read_sample", "record_round"]

_LARGEST = 64 << 20
_ENCODINGS = ("utf-8-sig", "gb18030")  # what spreadsheets in China write


@dataclass(frozen=True)
class Lot:
    """Cameras of one type and model. rounds: (inspected, failed) so far; sample: of the present round."""

    model: str
    names: tuple[str, ...]
    sample: tuple[str, ...]
    rounds: tuple[tuple[int, int], ...] = ()
    outcome: str = "open"


def lots_of(file: Path, name: str = "name", model: str = "model") -> dict[str, list[str]]:
    """Cameras by type and model from a CSV file with a head line.

    name, model: heads of the two columns. Raises BadFile for a column that is not there, an empty or doubled
    name, and a file without cameras.
    """
    content = file.read_bytes()
    if len(content) > _LARGEST:
        raise BadFile(file, "", f"is {len(content)} bytes long", f"keep it under {_LARGEST} bytes")
    table = csv.DictReader(io.StringIO(_text(file, content), newline=""))
    lots: dict[str, list[str]] = {}
    seen: set[str] = set()
    try:
        table.fieldnames = _heads(file, [head.strip() for head in table.fieldnames or ()], name, model)
        for row in table:
            camera, kind = (row[name] or "").strip(), (row[model] or "").strip()
            if not camera or not kind:
                raise BadFile(file, f"line {table.line_num}", "a name or model is empty", "fill both in")
            if camera in seen:
                raise BadFile(
                    file,
                    f"line {table.line_num}",
                    f"{camera!r} stands twice",
                    "give each camera its own name",
                )
            seen.add(camera)
            lots.setdefault(kind, []).append(camera)
    except csv.Error as error:
        raise BadFile(file, f"line {table.line_num}", str(error), "save it as CSV anew") from None
    if not lots:
        raise BadFile(file, "", "holds no camera", "list one a line under the head")
    return lots


def _heads(file: Path, heads: list[str], name: str, model: str) -> list[str]:
    """The columns, each of the two that matter there once."""
    for wanted, option in ((name, "--name"), (model, "--model")):
        if heads.count(wanted) != 1:
            problem = f"has no column {wanted!r}" if wanted not in heads else f"has {wanted!r} twice"
            raise BadFile(file, "line 1", problem, f"name one of {', '.join(heads)} by {option}")
    return heads


def _text(file: Path, content: bytes) -> str:
    for encoding in _ENCODINGS:
        try:
            return content.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise BadFile(file, "", "is neither UTF-8 nor GB 18030", "save it as CSV UTF-8")


def draw_sample(
    file: Path, lots: dict[str, list[str]], rule: SamplingRule, *, seed: str, by: str, out: Path
) -> tuple[Lot, ...]:
    """Draw from every lot and journal it before anybody sees it. Raises UsageError if out holds a sample."""
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UsageError(f"{out} cannot be made ({error.strerror}): give another --out") from None
    begun = (out / JOURNAL).exists()
    if begun and replay(out / JOURNAL):
        raise UsageError(
            f"{out} holds a sample already: give another --out, or go on with `bench sample result`"
        )
    drawn = {
        model: {
            "names": sorted(names),
            "sample": list(draw(names, sample_size(len(names), rule), f"{seed}/{model}")),
        }
        for model, names in lots.items()
    }
    with (Journal.open if begun else Journal.create)(out / JOURNAL) as journal:
        journal.append(
            EventKind.DRAWN,
            {
                "file": file.name,
                "file_sha256": hashlib.sha256(file.read_bytes()).hexdigest(),
                "rule": rule.model_dump(mode="json"),
                "seed": seed,
                "by": by,
                "lots": drawn,
            },
        )
    return read_sample(out)[1]


def read_sample(folder: Path) -> tuple[dict[str, Any], tuple[Lot, ...]]:
    """What was drawn, and every lot as it stands now.

    Raises RecordError if the journal is damaged, holds no sample, or holds one that its seed does not draw.
    """
    return _replayed(folder, replay(folder / JOURNAL))


def _replayed(folder: Path, events: Sequence[Event]) -> tuple[dict[str, Any], tuple[Lot, ...]]:
    """The journal gone through again, every draw and every round made anew and compared."""
    told = [event for event in events if event.kind in (EventKind.DRAWN, EventKind.INSPECTED)]
    if not told or told[0].kind is not EventKind.DRAWN:
        raise RecordError(f"{folder} holds no sample")
    head = told[0].data
    try:
        lots = _drawn(head)
        for event in told[1:]:
            if event.kind is EventKind.DRAWN:
                raise ValueError("a second draw")
            lots[event.data["lot"]] = _inspected(lots[event.data["lot"]], event.data, head["seed"])
    except (KeyError, TypeError, ValueError) as error:
        text = str(error).splitlines()[0]
        raise RecordError(f"{folder}: the sample is not what its rule and seed draw: {text}") from None
    return head, tuple(lots.values())


def _drawn(head: dict[str, Any]) -> dict[str, Lot]:
    rule = SamplingRule.model_validate(head["rule"])
    lots = {}
    for model, lot in head["lots"].items():
        sample = draw(lot["names"], sample_size(len(lot["names"]), rule), f"{head['seed']}/{model}")
        if sample != tuple(lot["sample"]):
            raise ValueError(f"another sample of {model}")
        lots[model] = Lot(model, tuple(lot["names"]), sample)
    return lots


def _inspected(lot: Lot, data: dict[str, Any], seed: str) -> Lot:
    """The lot after one more round. Raises ValueError for a round that does not follow."""
    if lot.outcome in ("passed", "failed"):
        raise ValueError(f"a round after the end of {lot.model}")
    failed = set(data["failed"])
    if data["inspected"] != len(lot.sample) or not failed <= set(lot.sample):
        raise ValueError(f"a round of {lot.model} that was not of its sample")
    rounds = (*lot.rounds, (len(lot.sample), len(failed)))
    then = after(rounds, len(lot.names))
    sample = draw(lot.names, then.size, f"{seed}/{lot.model}") if then.size else lot.sample
    if (data["round"], data["outcome"], tuple(data["sample"])) != (len(rounds), then.outcome, sample):
        raise ValueError(f"an outcome of {lot.model} that does not follow from its rounds")
    return Lot(lot.model, lot.names, sample, rounds, then.outcome)


def record_round(folder: Path, model: str, failed: Sequence[str], *, by: str) -> Lot:
    """Journal how a lot's sample did; after a first failure the doubled sample is drawn with it.

    Raises UnknownName for a lot or camera that is not in the sample, UsageError for a lot that has its end.
    """
    with Journal.open(folder / JOURNAL) as journal:  # repairs a torn line before it is read
        head, lots = _replayed(folder, journal.events)
        found = next((lot for lot in lots if lot.model == model), None)
        if found is None:
            raise UnknownName(f"no lot {model!r}; there is {', '.join(lot.model for lot in lots)}")
        if found.outcome in ("passed", "failed"):
            raise UsageError(f"{model} has its end already: {found.outcome}")
        strange = sorted(set(failed) - set(found.sample))
        if strange:
            raise UnknownName(f"{', '.join(strange)} not in the sample of {model}: {', '.join(found.sample)}")
        then = after((*found.rounds, (len(found.sample), len(set(failed)))), len(found.names))
        sample = draw(found.names, then.size, f"{head['seed']}/{model}") if then.size else found.sample
        data = {
            "lot": model,
            "round": len(found.rounds) + 1,
            "inspected": len(found.sample),
            "failed": sorted(set(failed)),
            "by": by,
            "outcome": then.outcome,
            "sample": list(sample),
        }
        journal.append(EventKind.INSPECTED, data)
        return _inspected(found, data, head["seed"])
