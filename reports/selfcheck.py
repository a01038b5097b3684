"""Rules that reviewers hold inspection reports against, checked on the finished PDF before it is given out.

After the audit rules C01 to C11 seen in a public report checker (cover equal to first page, dates, verdict
follows result, no empty cell, serial numbers, continuation marks, page numbers), and the house's own: what
is simulated says so on every page, no mark of accreditation, no mandatory clause left unnamed.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from dataclasses import dataclass

from pypdf import PdfReader

from reports.sheet import Row, Sheet
from reports.wording import punctuated

__all__ = ["Broken", "check", "page_texts"]

_DATE = re.compile(r"\d{4}年\d{2}月\d{2}日")
_ITEMS = "检验项目汇总表"
_NEGATIVE = ("不合格", "不符合约定", "未满足推荐性要求", "未满足本条要求")


@dataclass(frozen=True)
class Broken:
    """A rule that a report breaks, and how."""

    rule: str
    text: str

    def __str__(self) -> str:
        return f"{self.rule}: {self.text}"


def page_texts(pdf: bytes) -> list[str]:
    """The text of every page without white space, as a reader program finds it."""
    pages = PdfReader(io.BytesIO(pdf)).pages
    return ["".join(page.extract_text().replace("\u200b", "").split()) for page in pages]


def _flat(text: str) -> str:
    return "".join(punctuated(text).split())


def check(pdf: bytes, sheet: Sheet) -> list[Broken]:
    """Every rule that the PDF breaks; an empty list for a report that may be given out."""
    pages = page_texts(pdf)
    if len(pages) < 4:
        return [Broken("pages", f"cover, statement, first page and items need four pages, got {len(pages)}")]
    rules = (
        _cover,
        _dates,
        _cells,
        _conclusions,
        _serials,
        _printed,
        _continued,
        _numbered,
        _ended,
        _marked,
        _named,
    )
    return [broken for rule in rules for broken in rule(pages, sheet)]


def _rows(sheet: Sheet) -> list[Row]:
    return [row for group in sheet.groups for row in group.rows]


def _cover(pages: list[str], sheet: Sheet) -> Iterator[Broken]:
    """C01: what the cover says of the sample, the first page says too."""
    for each in sheet.cover:
        wanted = _flat(each.label) + _flat(each.value)
        for name, page in (("cover", pages[0]), ("first page", pages[2])):
            if wanted not in page:
                yield Broken("C01", f"the {name} does not show {each.label} {each.value}")


def _dates(pages: list[str], sheet: Sheet) -> Iterator[Broken]:
    """C02: dates are written year, month, day."""
    for each in sheet.cover:
        if each.label.endswith("日期") and not _DATE.fullmatch(each.value):
            yield Broken("C02", f"{each.label} {each.value} is not of the form 2026年01月31日")


def _cells(pages: list[str], sheet: Sheet) -> Iterator[Broken]:
    """C06: no cell is empty; '/' stands for a blank."""
    texts = [(f"row {row.serial}", cell) for row in _rows(sheet) for cell in row.cells()]
    texts += [(field.label, field.value) for field in (*sheet.cover, *sheet.front, *sheet.front_wide)]
    texts += [(t.title, cell) for t in sheet.tables for row in t.rows for cell in row]
    for detail in sheet.details:
        texts += [(f"{detail.title} {f.label}", f.value) for f in detail.fields]
        texts += [(f"{detail.title} {t.title}", c) for t in detail.tables for row in t.rows for c in row]
    for where, text in texts:
        if not text.strip():
            yield Broken("C06", f"{where} has an empty cell")


def _conclusions(pages: list[str], sheet: Sheet) -> Iterator[Broken]:
    """C05: a verdict follows a result, and 不符合 is never called 合格."""
    for row in _rows(sheet):
        if row.result == "/" and row.conclusion != "/":
            yield Broken("C05", f"row {row.serial} concludes {row.conclusion} without a result")
        if (
            row.result == "不符合"
            and not row.conclusion.endswith(_NEGATIVE)
            and row.conclusion not in ("/", "未判定")
        ):
            yield Broken("C05", f"row {row.serial} concludes {row.conclusion} from 不符合")


def _serials(pages: list[str], sheet: Sheet) -> Iterator[Broken]:
    """C07: items are numbered 1, 2, 3 … through all groups."""
    serials = [row.serial for row in _rows(sheet)]
    if serials != list(range(1, len(serials) + 1)):
        yield Broken("C07", f"items are numbered {serials}")


def _printed(pages: list[str], sheet: Sheet) -> Iterator[Broken]:
    """Every line of the items stands on a page whole, cell by cell, in its order."""
    whole = [page for page in pages if _ITEMS in page]
    for row in _rows(sheet):
        line = "".join(_flat(cell) for cell in row.cells())
        if not any(line in page for page in whole):
            yield Broken(
                "printed", f"row {row.serial} ({row.item}) is not on paper as it stands in the record"
            )


def _continued(pages: list[str], sheet: Sheet) -> Iterator[Broken]:
    """C08: from its second page on the table of items is marked as continued."""
    tables = [page for page in pages if _ITEMS in page]
    for n, page in enumerate(tables):
        if (_flat(f"{_ITEMS}(续)") in page) != (n > 0):
            yield Broken("C08", f"page {n + 1} of the items has its continuation mark wrong")


def _numbered(pages: list[str], sheet: Sheet) -> Iterator[Broken]:
    """C11: 第 x 页 共 y 页 on each page, without a gap."""
    for n, page in enumerate(pages, 1):
        if f"第{n}页共{len(pages)}页" not in page:
            yield Broken("C11", f"page {n} is not marked 第 {n} 页 共 {len(pages)} 页")


def _ended(pages: list[str], sheet: Sheet) -> Iterator[Broken]:
    """以下空白 closes the last page and stands nowhere else."""
    for n, page in enumerate(pages, 1):
        if ("以下空白" in page) != (n == len(pages)):
            yield Broken("end", f"page {n}: 以下空白 belongs on the last page alone")


def _marked(pages: list[str], sheet: Sheet) -> Iterator[Broken]:
    """Simulated origin on every page, no number then; never a mark of accreditation drawn by software."""
    for n, page in enumerate(pages, 1):
        if sheet.simulated and _flat(sheet.banner) not in page:
            yield Broken("origin", f"page {n} does not say that the data are simulated")
        if re.search(r"CMA|CNAS|MA\d{6}", page):
            yield Broken("marks", f"page {n} bears a mark of accreditation")
        if _flat(f"报告编号:{sheet.number}") not in page:
            yield Broken("number", f"page {n} lacks the report number")
    if sheet.simulated and (not sheet.banner or re.search(r"\d", sheet.number)):
        yield Broken("origin", "a simulated record bears a report number or no banner")


def _named(pages: list[str], sheet: Sheet) -> Iterator[Broken]:
    """Each mandatory clause without a verdict is named beneath the conclusion."""
    for text in sheet.unjudged:
        if not any(_flat(text) in page for page in pages[2:4]):
            yield Broken("unjudged", f"the first page does not list {text}")
