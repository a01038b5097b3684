"""Sample sizes at every boundary of the tables, draws that repeat, and rounds that double."""

from __future__ import annotations

import hashlib
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from standards.sampling import (
    CODE_LETTERS,
    LOT_BOUNDS,
    Level,
    Method,
    SamplingRule,
    after,
    code_letter,
    draw,
    sample_size,
)

#: Row ACC-16 of the evidence table, written out once more by hand: first lot, last lot, letter.
LEVEL_I = """2-15 A, 16-25 B, 26-90 C, 91-150 D, 151-280 E, 281-500 F, 501-1200 G, 1201-3200 H, 3201-10000 J,
10001-35000 K, 35001-150000 L, 150001-500000 M, 500001- N"""
LEVEL_II = """2-8 A, 9-15 B, 16-25 C, 26-50 D, 51-90 E, 91-150 F, 151-280 G, 281-500 H, 501-1200 J,
1201-3200 K, 3201-10000 L, 10001-35000 M, 35001-150000 N, 150001-500000 P, 500001- Q"""
SIZES = "A2 B3 C5 D8 E13 F20 G32 H50 J80 K125 L200 M315 N500 P800 Q1250 R2000"


def rows(text: str) -> list[tuple[int, int | None, str]]:
    found = []
    for part in text.replace("\n", " ").split(","):
        lots, letter = part.split()
        first, _, last = lots.partition("-")
        found.append((int(first), int(last) if last else None, letter))
    return found


@pytest.mark.parametrize(("level", "text"), [("I", LEVEL_I), ("II", LEVEL_II)])
def test_the_letter_at_every_boundary(level: Level, text: str) -> None:
    for first, last, letter in rows(text):
        for lot in (first, first + 1, last or first * 10):
            assert code_letter(lot, level) == letter, lot
    assert len(rows(text)) == len(LOT_BOUNDS[level]) + 1
    with pytest.raises(ValueError, match="begins at a lot of 2"):
        code_letter(1, level)


def test_the_size_of_every_letter() -> None:
    assert {part[0]: int(part[1:]) for part in SIZES.split()} == CODE_LETTERS


@pytest.mark.parametrize(
    ("lot", "level", "size"),
    [
        (1, "I", 1), (4, "I", 4), (5, "I", 5), (6, "I", 5), (15, "I", 5), (90, "I", 5), (91, "I", 8),
        (150, "I", 8), (151, "I", 13), (500, "I", 20), (501, "I", 32), (5, "II", 5), (6, "II", 5),
        (26, "II", 8), (51, "II", 13), (91, "II", 20), (280, "II", 32), (281, "II", 50), (1_000_000, "I", 500),
    ],
)  # fmt: skip
def test_engineering_inspection(lot: int, level: Level, size: int) -> None:
    assert sample_size(lot, SamplingRule(method=Method.GB_50348, level=level)) == size


@pytest.mark.parametrize(
    ("lot", "size"),
    [(1, 1), (2, 2), (3, 3), (4, 3), (15, 3), (16, 4), (20, 4), (21, 5), (100, 20), (101, 21)],
)
def test_a_fifth_and_three(lot: int, size: int) -> None:
    assert sample_size(lot, SamplingRule(method=Method.GB_50339)) == size


def test_a_high_risk_object_may_have_more() -> None:
    rule = SamplingRule(method=Method.GB_50348, enlarge=1.5)
    assert [sample_size(lot, rule) for lot in (4, 6, 100)] == [4, 6, 12]
    assert sample_size(7, SamplingRule(method=Method.ALL)) == 7
    with pytest.raises(ValueError, match="at least one"):
        sample_size(0, rule)


@given(st.integers(1, 600_000), st.sampled_from(["I", "II"]))
def test_a_larger_lot_never_has_a_smaller_sample(lot: int, level: Level) -> None:
    rule = SamplingRule(method=Method.GB_50348, level=level)
    assert sample_size(lot, rule) <= sample_size(lot + 1, rule)
    assert min(lot, 5) <= sample_size(lot, rule) <= lot


NAMES = st.lists(st.text(min_size=1, max_size=8), min_size=1, max_size=40, unique=True)


@given(NAMES, st.text(max_size=8), st.randoms(use_true_random=False), st.data())
def test_a_draw_repeats_whatever_the_order(
    names: list[str], seed: str, rng: object, data: st.DataObject
) -> None:
    size = data.draw(st.integers(0, len(names)))
    taken = draw(names, size, seed)
    shuffled = list(names)
    rng.shuffle(shuffled)  # type: ignore[attr-defined]
    assert draw(shuffled, size, seed) == taken
    assert len(set(taken)) == size and set(taken) <= set(names)
    assert draw(names, len(names), seed)[:size] == taken, "a doubled sample holds the first one"


def test_an_inspector_repeats_it_by_hand() -> None:
    names = [f"CAM-{n:03}" for n in range(1, 41)]
    by_hand = sorted(names, key=lambda name: hashlib.sha256(b"2026-11-24/" + name.encode()).hexdigest())
    assert draw(names, 5, "2026-11-24") == tuple(by_hand[:5])
    assert draw(names, 5, "2026-11-25") != tuple(by_hand[:5])


def test_every_camera_is_drawn_equally_often() -> None:
    names = [str(n) for n in range(20)]
    counts = dict.fromkeys(names, 0)
    for seed in range(2000):
        for name in draw(names, 5, str(seed)):
            counts[name] += 1
    assert max(abs(count - 500) for count in counts.values()) < 5 * (2000 * 0.25 * 0.75) ** 0.5


def test_what_cannot_be_drawn() -> None:
    with pytest.raises(ValueError, match="stand twice: b"):
        draw(["a", "b", "b"], 1, "s")
    with pytest.raises(ValueError, match="3 of 2"):
        draw(["a", "b"], 3, "s")


def test_a_failure_doubles_and_a_second_one_fails() -> None:
    assert after([(8, 0)], 100).outcome == "passed"
    again = after([(8, 1)], 100)
    assert (again.outcome, again.size) == ("reinspect", 16)
    assert after([(8, 1), (16, 0)], 100).outcome == "passed"
    assert after([(8, 1), (16, 1)], 100).outcome == "failed"
    assert after([(8, 1)], 10).size == 10, "never more than there are"


@pytest.mark.parametrize(
    ("rounds", "text"),
    [
        ([], "one round or two"),
        ([(8, 1), (16, 0), (32, 0)], "one round or two"),
        ([(8, 9)], "9 of 8"),
        ([(0, 0)], "0 of 0"),
        ([(8, 0), (16, 0)], "needs no second"),
        ([(8, 1), (15, 0)], "needs 16, not 15"),
    ],
)
def test_rounds_that_cannot_be(rounds: list[tuple[int, int]], text: str) -> None:
    with pytest.raises(ValueError, match=text):
        after(rounds, 100)


def test_the_tables_rise() -> None:
    for bounds in LOT_BOUNDS.values():
        assert all(a[0] < b[0] and a[1] < b[1] for a, b in pairwise(bounds))
