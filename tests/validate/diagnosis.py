"""The proof of image diagnosis: every kind of defect over many scenes, with bounds of detection and false alarms.

`python tests/validate/diagnosis.py --pictures DIR` (tools/diagnosis_pictures.py fetches them) resumes: what stands in
out/validate/diagnosis.jsonl is not run again. `--half tuning` is what thresholds were set on; `held-out` is the proof.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent))
from diagnosis_camera import DEFECTS, RULES, Seen, good, in_scope, see, spoilt
from diagnosis_scenes import HELD_OUT, Scene, scenes
from scipy.stats import beta

from bench.measure.diagnosis import bands, detail, grain, hidden, levels, view
from bench.measure.diagnosis import time as motion
from bench.measure.diagnosis.reference import Reference
from standards.errors import MeasurementRefused
from standards.quantity import Estimate
from standards.thresholds.diagnosis import faulty

Found = dict[str, Any]
#: Pictures that a defect is seen through where less than two runs tells it: less is harder, never easier.
_FEWER = {"blur": 3, "black": 3, "overexposure": 3, "underexposure": 3, "cast": 3, "view": 3, "stripes": 3,
          "noise": 9}  # fmt: skip
#: How many of the scenes one defect is tried on: every defect gets as many.
_EVERY_DEFECT = 640
#: Cameras of the held-out half are other ones than those of any earlier proof.
_FRESH = 500_000


def _measured(seen: Seen, reference: Reference, kinds: set[str]) -> tuple[Found, dict[str, float]]:
    """Value of each quantity, None where it is refused; and CPU ms."""

    def one(made: Callable[[], Estimate]) -> Callable[[], tuple[Estimate, ...]]:
        return lambda: (made(),)

    ways: Mapping[str, Callable[[], tuple[Estimate, ...]]] = {
        "level": lambda: levels.levels(seen.pictures[:: max(1, len(seen.pictures) // 4)]),
        "overexposure": one(lambda: levels.clipped(seen.colour)),
        "blur": one(lambda: detail.blur(seen.pictures, reference.blur)),
        "noise": one(lambda: grain.noise(seen.pictures, seen.run, reference.noise)),
        "stripes": one(lambda: bands.stripes(seen.pictures)),
        "suspect_freeze": one(lambda: motion.standstill(seen.pictures, seen.run)),
        "shake": one(lambda: motion.shake(seen.pictures, seen.run)),
        "view": one(lambda: view.agreement(seen.pictures, seen.run, reference)),
        "occlusion": one(lambda: hidden.occlusion(seen.pictures, seen.run, reference)),
        "cast": one(lambda: view.cast(seen.colour[-1], reference)),
    }
    levelled = {"black", "underexposure"}
    kinds = kinds | ({"suspect_freeze"} & {f"suspect_{kind}" for kind in kinds})
    found: Found = {}
    spent: dict[str, float] = {}
    for name, way in ways.items():
        if name not in kinds and not (name == "level" and kinds & levelled):
            continue
        began = time.process_time()
        try:
            found |= {e.quantity: e.value for e in way()}
        except MeasurementRefused as refused:
            found[f"refused {name}"] = str(refused)
        spent[name] = 1000 * (time.process_time() - began)
    return found, spent


def _frozen(seen: Seen) -> Found:
    """What the counter in view says; nothing where it is not read."""
    try:
        return {"diagnosis.frozen": motion.frozen(seen.counter, seen.run).value}
    except MeasurementRefused as refused:
        return {"refused freeze": str(refused)}


def examine(
    scene: Scene, number: int, kinds: list[str], another: Scene, asked: Sequence[str] = tuple(DEFECTS)
) -> list[Found]:
    """One scene: good, asked for these kinds, then with each of these defects."""
    light = scene.light()
    camera = good(number)
    clean = light[40:-40, 40:-40]
    # The reference was taken on another day: other exposure, noise, bodies; the same view, day or night.
    day = replace(good(number + 1_000_000), night=camera.night, pan=0.0)
    first = see(light, day, 24)
    reference = Reference.taken(first.pictures, first.run, first.colour[0])
    base = {"key": scene.key, "source": scene.source, "half": "tuning" if scene.tuning else "held-out"}
    values, spent = _measured(see(light, camera), reference, set(asked))
    if "freeze" in asked:
        values |= _frozen(see(light, replace(camera, panel=True)))
    found = [{**base, "kind": "", "values": values, "ms": spent}]
    for kind in kinds:
        if not in_scope(clean, kind, camera.night):
            continue
        made = spoilt(replace(camera, panel=kind == "freeze"), kind)
        shown = another.light() if kind == "view" and made.size == 0 else light
        seen = see(shown, made, _FEWER.get(kind, 16))
        values, spent = _measured(seen, reference, {kind})
        if kind == "freeze":
            values |= _frozen(seen)
        found.append({**base, "kind": kind, "size": made.size, "values": values, "ms": spent})
    return found


def bound(events: int, trials: int, *, upper: bool) -> float:
    """One-sided 95 % Clopper-Pearson bound of a share."""
    if trials == 0:
        return 1.0 if upper else 0.0
    if upper:
        return 1.0 if events == trials else float(beta.ppf(0.95, events + 1, trials - events))
    return 0.0 if events == 0 else float(beta.ppf(0.05, events, trials - events + 1))


def table(results: list[Found], kinds: Sequence[str] = tuple(DEFECTS)) -> tuple[list[str], bool]:
    """The table's lines, and whether every kind meets its goals."""
    lines, met = [], True
    fine = [r for r in results if r["kind"] == ""]
    places = {r["source"] for r in fine}
    lines.append(f"{len(fine)} good scenes, {len(places)} photographs and kinds of drawing")
    lines.append("kind           scenes found  told>=%   good alarms  false<=%  not told   goals")
    for kind in [*kinds, *(["suspect_freeze"] if "freeze" in kinds else [])]:
        spoiled = [r for r in results if r["kind"] == kind.removeprefix("suspect_")]
        hits = sum(bool(faulty(kind, r["values"])) for r in spoiled)
        alarms = [r for r in fine if faulty(kind, r["values"])]
        untold = sum(faulty(kind, r["values"]) is None for r in fine)
        low, high = bound(hits, len(spoiled), upper=False), bound(len(alarms), len(fine), upper=True)
        reached = low >= RULES["goal"]["detection"] and high <= RULES["goal"]["false_alarm"]
        met &= reached or kind == "suspect_freeze"
        lines.append(
            f"{kind:14} {len(spoiled):5} {hits:6}  {100 * low:6.2f}   {len(fine):5} {len(alarms):5}  {100 * high:7.2f}"
            f"  {untold:8}   {'suspects' if kind.startswith('suspect') else 'met' if reached else 'NOT MET'}"
        )
    return lines, met


def _kept(out: Path) -> list[Found]:
    """What stands in every part's file; a line that a crash cut short is not counted."""
    found = []
    for path in sorted(out.glob("diagnosis*.jsonl")):
        for line in path.read_text().splitlines():
            try:
                found.append(json.loads(line))
            except json.JSONDecodeError:
                continue
    return found


def main(
    out: Path,
    pictures: Path | None,
    *,
    half: str,
    drawn: int,
    most: int | None = None,
    part: tuple[int, int] = (0, 1),
    kinds: Sequence[str] = tuple(DEFECTS),
    held_out: int = HELD_OUT,
) -> int:
    """Run what is missing and print the table; 0 if every kind meets its goals.

    part: (i, n): every nth scene from the ith on, into a file of its own, so that n processes share the work.
    kinds: asked for; held_out: first seed of the held-out half's drawn scenes.
    """
    out.mkdir(parents=True, exist_ok=True)
    path = out / (f"diagnosis-{part[0]}.jsonl" if part[1] > 1 else "diagnosis.jsonl")
    results = _kept(out)
    done = {r["key"] for r in results if r["kind"] == ""}
    every = list(scenes(pictures, drawn, held_out))
    fresh_from = 0 if half == "tuning" else _FRESH
    wanted = [(fresh_from + i, s) for i, s in enumerate(every) if s.tuning == (half == "tuning")]
    # Spread, so that a run that is cut short has seen every source.
    wanted.sort(key=lambda item: (item[0] * 7919) % 100_003)
    wanted = wanted[:most]
    with path.open("a") as file:
        for place, (number, scene) in enumerate(wanted):
            if scene.key in done or place % part[1] != part[0]:
                continue
            spoiled = list(kinds) if place < _EVERY_DEFECT else []
            other = wanted[(place + len(wanted) // 2) % len(wanted)][1]
            fresh = examine(scene, number, spoiled, other, kinds)
            file.write("".join(json.dumps(r) + "\n" for r in fresh))
            file.flush()
    keys = {s.key for _, s in wanted}
    lines, met = table([r for r in _kept(out) if r["key"] in keys], kinds)
    print("\n".join(lines))
    return 0 if met else 1


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=Path("out/validate"))
    parser.add_argument("--pictures", type=Path)
    parser.add_argument("--half", choices=["tuning", "held-out"], default="held-out")
    parser.add_argument("--drawn", type=int, default=1000, help="drawn scenes of each half")
    parser.add_argument("--most", type=int)
    parser.add_argument(
        "--part", default="0/1", metavar="I/N", help="every Nth scene from the Ith on (from 0)"
    )
    parser.add_argument("--kinds", default=",".join(DEFECTS), help="of defects, with commas between")
    parser.add_argument(
        "--seeds-from", type=int, default=HELD_OUT, help="first seed of the held-out half's drawn scenes"
    )
    chosen = parser.parse_args()
    first, _, count = chosen.part.partition("/")
    code = main(
        chosen.out, chosen.pictures, half=chosen.half, drawn=chosen.drawn, most=chosen.most, part=(int(first), int(count)),
        kinds=chosen.kinds.split(","), held_out=chosen.seeds_from,
    )  # fmt: skip
    sys.exit(code)
