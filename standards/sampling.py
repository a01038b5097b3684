"""How many of many cameras are inspected, which ones, and what follows of the result. Pure.

Sample sizes: GB 50348-2018, 9.1.5 and 9.1.6 (engineering inspection; rows ACC-01 to ACC-04), with the code
letters of GB/T 2828.1-2012 (ISO 2859-1; row ACC-16, known from memory), and GB 50339-2013, 19.0.4 (row
ACC-06). The inspection level is the scheme's to give: the copy of 9.1.5 that was read lost its numeral.
"""

from __future__ import annotations

import hashlib
import math
from bisect import bisect_left
from collections.abc import Iterable, Sequence
from enum import StrEnum
from typing import Literal, NamedTuple

from pydantic import BaseModel, ConfigDict, Field

__all__ = [
    "CODE_LETTERS", "LOT_BOUNDS", "Level", "Method", "Next", "SamplingRule", "after", "code_letter", "draw",
    "sample_size",
]  # fmt: skip

Level = Literal["I", "II"]

#: Sample size of each code letter (GB/T 2828.1, normal inspection, single sampling).
CODE_LETTERS: dict[str, int] = {
    "A": 2, "B": 3, "C": 5, "D": 8, "E": 13, "F": 20, "G": 32, "H": 50, "J": 80, "K": 125, "L": 200,
    "M": 315, "N": 500, "P": 800, "Q": 1250, "R": 2000,
}  # fmt: skip

#: For each level, the largest lot of each code letter from A on; the last letter has no end.
LOT_BOUNDS: dict[Level, tuple[tuple[int, str], ...]] = {
    "I": (
        (15, "A"), (25, "B"), (90, "C"), (150, "D"), (280, "E"), (500, "F"), (1200, "G"), (3200, "H"),
        (10_000, "J"), (35_000, "K"), (150_000, "L"), (500_000, "M"),
    ),
    "II": (
        (8, "A"), (15, "B"), (25, "C"), (50, "D"), (90, "E"), (150, "F"), (280, "G"), (500, "H"),
        (1200, "J"), (3200, "K"), (10_000, "L"), (35_000, "M"), (150_000, "N"), (500_000, "P"),
    ),
}  # fmt: skip
_LAST: dict[Level, str] = {"I": "N", "II": "Q"}
_SMALLEST_LOT = 2
_ALL_UP_TO = 5
_PARTS = 1_000_000


class Method(StrEnum):
    """Which text sets the sample size."""

    GB_50348 = "gb_50348"
    GB_50339 = "gb_50339"
    ALL = "all"


class SamplingRule(BaseModel):
    """A scheme's sampling plan. level: of GB/T 2828.1, for gb_50348; fraction, least: for gb_50339;
    enlarge: factor on the sample, for high-risk objects (GB 50348-2018, 9.1.5(3): may be enlarged)."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    method: Method
    level: Level = "I"
    fraction: float = Field(default=0.20, gt=0, le=1)
    least: int = Field(default=3, ge=1)
    enlarge: float = Field(default=1.0, ge=1, le=1000, allow_inf_nan=False)


class Next(NamedTuple):
    """What follows of one round: 'passed', 'reinspect' after correction with so many cameras, or 'failed'."""

    outcome: Literal["passed", "reinspect", "failed"]
    size: int
    reason: str


def code_letter(lot: int, level: Level) -> str:
    """Code letter of a lot of so many (GB/T 2828.1, table 1). Raises ValueError below two."""
    if lot < _SMALLEST_LOT:
        raise ValueError(f"GB/T 2828.1 begins at a lot of {_SMALLEST_LOT}, not {lot}")
    bounds = LOT_BOUNDS[level]
    place = bisect_left([largest for largest, _ in bounds], lot)
    return bounds[place][1] if place < len(bounds) else _LAST[level]


def sample_size(lot: int, rule: SamplingRule) -> int:
    """How many of a lot of one product type and model are inspected; never more than there are.

    GB 50348-2018: all of five or fewer, else the sample of GB/T 2828.1 and at least five. GB 50339-2013:
    a fifth and at least three, all of fewer than three. Raises ValueError for a lot below one.
    """
    if lot < 1:
        raise ValueError(f"a lot has at least one camera, not {lot}")
    if rule.method is Method.ALL:
        return lot
    if rule.method is Method.GB_50348:
        size = lot if lot <= _ALL_UP_TO else max(CODE_LETTERS[code_letter(lot, rule.level)], _ALL_UP_TO)
    else:
        size = max(math.ceil(_exactly(rule.fraction) * lot / _PARTS), rule.least)
    return min(lot, math.ceil(size * rule.enlarge))


def _exactly(fraction: float) -> int:
    """A fraction in millionths, so that a fifth of 15 is 3 and not 3.0000000000000004."""
    return round(fraction * _PARTS)


def draw(names: Iterable[str], size: int, seed: str) -> tuple[str, ...]:
    """The sample: the names whose SHA-256 of 'seed/name' comes first, in that order.

    Anybody can repeat it with any tool; the order in which the names are given does not matter, and a
    larger sample of the same seed begins with the smaller one. Raises ValueError for names that stand
    twice, or a size that is not between 0 and their number.
    """
    every = list(names)
    if len(set(every)) != len(every):
        twice = sorted({name for name in every if every.count(name) > 1})
        raise ValueError(f"names stand twice: {', '.join(twice[:5])}")
    if not 0 <= size <= len(every):
        raise ValueError(f"{size} of {len(every)} cannot be drawn")
    return tuple(sorted(every, key=lambda name: hashlib.sha256(f"{seed}/{name}".encode()).digest())[:size])


def after(rounds: Sequence[tuple[int, int]], lot: int) -> Next:
    """What follows of the rounds so far, each (inspected, failed): GB 50348-2018, 9.1.6.

    A round without a failure passes. After the first round with one, correction and a sample of twice the
    size; a second failure fails the item. Raises ValueError for rounds that cannot be.
    """
    if not rounds or len(rounds) > 2:
        raise ValueError(f"one round or two, not {len(rounds)}")
    for inspected, failed in rounds:
        if not 0 <= failed <= inspected <= lot or inspected == 0:
            raise ValueError(f"{failed} of {inspected} in a lot of {lot} cannot be")
    inspected, failed = rounds[-1]
    if len(rounds) == 2 and rounds[0][1] == 0:
        raise ValueError("a round that passed needs no second one")
    if len(rounds) == 2 and inspected < min(lot, 2 * rounds[0][0]):
        raise ValueError(f"the second round needs {min(lot, 2 * rounds[0][0])}, not {inspected}")
    if failed == 0:
        return Next("passed", 0, f"0 of {inspected} failed")
    if len(rounds) == 2:
        return Next("failed", 0, f"{failed} of {inspected} failed in the second round")
    doubled = min(lot, 2 * inspected)
    return Next("reinspect", doubled, f"{failed} of {inspected} failed: correct, then inspect {doubled}")
