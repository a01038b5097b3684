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
from reports.journal import Journal, replay
from reports.record import EventKind
from standards.errors import BadFile, RecordError, UnknownName, UsageError
from standards.sampling import SamplingRule, after, draw, sample_size

__all__ = ["Lot", "draw_sample", "lots_of", "read_sample", "record_round", "verify_sample"]

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
    heads = [head.strip() for head in table.fieldnames or ()]
    table.fieldnames = heads
    for wanted, option in ((name, "--name"), (model, "--model")):
        if wanted not in heads:
            raise BadFile(
                file, "line 1", f"has no column {wanted!r}", f"name one of {', '.join(heads)} by {option}"
            )
    lots: dict[str, list[str]] = {}
    seen: set[str] = set()
    for number, row in enumerate(table, start=2):
        camera, kind = (row[name] or "").strip(), (row[model] or "").strip()
        if not camera or not kind:
            raise BadFile(file, f"line {number}", "a name or model is empty", "fill both in")
        if camera in seen:
            raise BadFile(file, f"line {number}", f"{camera!r} stands twice", "give each camera its own name")
        seen.add(camera)
        lots.setdefault(kind, []).append(camera)
    if not lots:
        raise BadFile(file, "", "holds no camera", "list one a line under the head")
    return lots


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
    if (out / JOURNAL).exists():
        raise UsageError(
            f"{out} holds a sample already: give another --out, or go on with `bench sample result`"
        )
    out.mkdir(parents=True, exist_ok=True)
    drawn = {
        model: {
            "names": sorted(names),
            "sample": list(draw(names, sample_size(len(names), rule), f"{seed}/{model}")),
        }
        for model, names in lots.items()
    }
    with Journal.create(out / JOURNAL) as journal:
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
    """What was drawn, and every lot as it stands now. Raises RecordError if the journal is damaged or none."""
    events = replay(folder / JOURNAL)
    if not events or events[0].kind is not EventKind.DRAWN:
        raise RecordError(f"{folder} holds no sample")
    head = events[0].data
    lots = {m: Lot(m, tuple(lot["names"]), tuple(lot["sample"])) for m, lot in head["lots"].items()}
    for event in events[1:]:
        if event.kind is not EventKind.INSPECTED:
            continue
        old, data = lots[event.data["lot"]], event.data
        rounds = (*old.rounds, (data["inspected"], len(data["failed"])))
        lots[old.model] = Lot(old.model, old.names, tuple(data["sample"]), rounds, data["outcome"])
    return head, tuple(lots.values())


def record_round(folder: Path, model: str, failed: Sequence[str], *, by: str) -> Lot:
    """Journal how a lot's sample did; after a first failure the doubled sample is drawn with it.

    Raises UnknownName for a lot or camera that is not in the sample, UsageError for a lot that has its end.
    """
    head, lots = read_sample(folder)
    found = next((lot for lot in lots if lot.model == model), None)
    if found is None:
        raise UnknownName(f"no lot {model!r}; there is {', '.join(lot.model for lot in lots)}")
    if found.outcome in ("passed", "failed"):
        raise UsageError(f"{model} has its end already: {found.outcome}")
    strange = sorted(set(failed) - set(found.sample))
    if strange:
        raise UnknownName(f"{', '.join(strange)} not in the sample of {model}: {', '.join(found.sample)}")
    rounds = (*found.rounds, (len(found.sample), len(set(failed))))
    then = after(rounds, len(found.names))
    sample = found.sample if then.size == 0 else draw(found.names, then.size, f"{head['seed']}/{model}")
    with Journal.open(folder / JOURNAL) as journal:
        journal.append(
            EventKind.INSPECTED,
            {
                "lot": model,
                "round": len(rounds),
                "inspected": len(found.sample),
                "failed": sorted(set(failed)),
                "by": by,
                "outcome": then.outcome,
                "sample": list(sample),
            },
        )
    return next(lot for lot in read_sample(folder)[1] if lot.model == model)


def verify_sample(folder: Path) -> tuple[str, ...]:
    """Draw everything again from rule and seed, and judge every round again: what differs, nothing if all is well.

    Raises RecordError if the journal's chain is broken.
    """
    head, lots = read_sample(folder)
    rule, wrong = SamplingRule.model_validate(head["rule"]), []
    for model, lot in head["lots"].items():
        size = sample_size(len(lot["names"]), rule)
        if tuple(lot["sample"]) != draw(lot["names"], size, f"{head['seed']}/{model}"):
            wrong.append(f"{model}: the sample is not the one that the seed draws")
    for one in lots:
        if not one.rounds:
            continue
        then = after(one.rounds, len(one.names))
        wanted = then.size or len(one.sample)
        if then.outcome != one.outcome or one.sample != draw(
            one.names, wanted, f"{head['seed']}/{one.model}"
        ):
            wrong.append(f"{one.model}: the outcome does not follow from its rounds")
    return tuple(wrong)
