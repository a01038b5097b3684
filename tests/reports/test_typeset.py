"""The engine: own fonts only, equal bytes for equal records, a missing character stops the document."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from reports.found import read_found
from reports.inspection import TEMPLATE, inspection_pages, inspection_sheet
from reports.typeset import TEMPLATES, characters, check_fonts, printable, typeset
from standards.errors import BenchError

Make = Callable[..., Path]
WHEN = datetime(2026, 11, 24, tzinfo=UTC)


def test_fonts_hold_what_reports_need() -> None:
    assert check_fonts().startswith("Noto Sans CJK SC: ")
    names_and_units = "±≤≥²µ√①〇㎡×·—…℃Ω∞°龘䶮𬭎鑫淼喆"
    assert [c for c in names_and_units if ord(c) not in characters()] == []
    assert len([c for c in range(0x4E00, 0x9FA6) if c not in characters()]) == 0


def test_templates_can_be_shown_in_both_weights() -> None:
    for path in TEMPLATES.glob("*.typ"):
        text = set(path.read_text(encoding="utf-8")) - {"\n"}
        for weight in ("Regular", "Bold"):
            assert [c for c in text if ord(c) not in characters(weight)] == [], path.name


def test_equal_records_give_equal_bytes(make_record: Make) -> None:
    found = read_found(make_record())
    data = inspection_sheet(found).plain()
    first, second = (typeset(TEMPLATE, data, made=WHEN) for _ in range(2))
    assert first == second
    assert first.startswith(b"%PDF-1.7")
    assert b"pdfaid" in first


def test_a_missing_character_is_named_with_its_place(make_record: Make) -> None:
    data = inspection_sheet(read_found(make_record())).plain()
    data["groups"][0]["rows"][0]["item"] = "图像\U0001f600"
    with pytest.raises(BenchError, match=r"groups\[0\]\.rows\[0\]\.item: the font has no .* \(U\+1F600\)"):
        typeset(TEMPLATE, data, made=WHEN)


def test_what_a_device_says_is_written_as_codes_where_no_glyph_is() -> None:
    assert printable("SIM-C1 \U0001f600\x1b[2J") == "SIM-C1 [U+1F600][U+001B][2J"


def test_words_of_a_device_are_no_markup(make_record: Make) -> None:
    data = inspection_sheet(read_found(make_record())).plain()
    data["cover"][2]["value"] = '#panic("x") $x$ *a* \\ [b] "c" @d'
    assert typeset(TEMPLATE, data, made=WHEN)


def test_a_broken_template_is_the_benchs_fault() -> None:
    with pytest.raises(BenchError, match="cannot be set"):
        typeset("plot.typ.absent", {}, made=WHEN)


def test_pages_as_pictures(make_record: Make) -> None:
    pages = inspection_pages(make_record(), ppi=30.0)
    assert len(pages) >= 7
    assert all(page.startswith(b"\x89PNG") for page in pages)
