"""检验报告: from the record alone, marked where simulated, and held against the rules of reviewers."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from pypdf import PdfReader, PdfWriter

from reports import sections
from reports.folder import JOURNAL
from reports.found import read_found
from reports.inspection import TEMPLATE, inspection_sheet, write_inspection
from reports.journal import Journal
from reports.record import EventKind, Plan
from reports.seal import read_documents, read_seal, seal
from reports.selfcheck import check, page_texts
from reports.sheet import Group, Row, Sheet
from reports.typeset import typeset
from reports.verify import verify
from standards.errors import BenchError, RecordError, UsageError
from standards.quantity import Origin

Make = Callable[..., Path]
MakePlan = Callable[..., Plan]


def _set(sheet: Sheet, folder: Path) -> bytes:
    return typeset(TEMPLATE, sheet.plain(), made=read_found(folder).sealed_at)


def _broken(sheet: Sheet, folder: Path, printed: Sheet | None = None) -> set[str]:
    return {broken.rule for broken in check(_set(printed or sheet, folder), sheet)}


def test_the_report_of_a_sealed_record(make_record: Make) -> None:
    folder = make_record()
    path = write_inspection(folder)
    assert path == folder / "inspection.pdf"
    assert verify(folder) == []
    documents = read_documents(folder)
    assert documents is not None
    assert documents.documents["inspection.pdf"].kind == "inspection"
    text = "".join(page_texts(path.read_bytes()))
    for wanted in ("GB/T28181-2022", "(655±12)TVL", "未满足推荐性要求", "待取得标准文本",
                   read_seal(folder).digest, "SIM-CAL-001", "2027-01-09",
                   "不确定度评定", "以下空白"):  # fmt: skip
        assert wanted in text
    first = path.read_bytes()
    assert write_inspection(folder).read_bytes() == first


def test_the_equipment_says_what_stands_behind_each_value(make_record: Make) -> None:
    """Drivers never run on hardware, values typed by a person, interim checks, certificates with points."""
    text = "".join(page_texts(write_inspection(make_record()).read_bytes()))
    for wanted in ("驱动未经实物验证", "驱动经实物验证\uff1aExamplePS-2", "人工操作与读数", "CAL-2026-0117", "3点",
                   "100~2000lx", "U≤40lx", "仪器期间核查", "500±15lx", "501.5±9.0lx", "人工录入\uff1a王工", "环境温度",
                   "23.12±0.40℃", "环境相对湿度"):  # fmt: skip
        assert wanted in text, wanted


def test_an_instrument_in_doubt_leaves_every_conclusion_open(make_record: Make) -> None:
    folder = make_record(checked=False)
    found = read_found(folder)
    assert (found.results.overall, found.results.recommended) == ("inconclusive", "inconclusive")
    assert any(item.conformity is not None for item in found.results.items), (
        "the single verdicts stay in the record"
    )
    text = "".join(page_texts(write_inspection(folder).read_bytes()))
    assert (
        "不合格" in text
        and "不能作出是否符合强制性要求的结论" in text
        and "所检强制性项目符合要求" not in text
    )
    assert verify(folder) == []


def test_a_report_elsewhere_is_not_listed(make_record: Make, tmp_path: Path) -> None:
    folder = make_record()
    assert write_inspection(folder, tmp_path / "report.pdf").exists()
    assert read_documents(folder) is None


def test_simulated_data_are_marked_on_every_page_and_bear_no_number(make_record: Make) -> None:
    folder = make_record()
    pages = page_texts(write_inspection(folder).read_bytes())
    assert all("模拟样品" in page and "无报告编号" in page for page in pages)
    with pytest.raises(UsageError, match="no report number"):
        write_inspection(folder, number="CQ-2026-001")


def test_a_real_record_has_no_banner_and_takes_a_number(make_record: Make, make_plan: MakePlan) -> None:
    folder = make_record(frozen=make_plan(origin=Origin.REAL))
    pages = page_texts(write_inspection(folder, number="CQ-2026-001").read_bytes())
    assert all("模拟样品" not in page and "报告编号\uff1aCQ-2026-001" in page for page in pages)
    assert "批准" in pages[2] and "审核" in pages[2] and "主检" in pages[2]


def test_one_simulated_finding_marks_the_whole(make_record: Make, make_plan: MakePlan) -> None:
    """The plan says real, one value came out of a simulator: the report is a simulated one."""
    folder = make_record(frozen=make_plan(origin=Origin.REAL), sealed=False)
    with Journal.open(folder / JOURNAL) as journal:
        events = journal.events
    (folder / JOURNAL).unlink()
    with Journal.create(folder / JOURNAL) as journal:
        for event in events:
            data: dict[str, Any] = dict(event.data)
            if event.kind is EventKind.MEASURED and not any(
                e.kind is EventKind.MEASURED for e in journal.events
            ):
                data = {"finding": {**data["finding"], "origin": "simulated"}}
            journal.append(event.kind, data)
    seal(folder)
    assert read_found(folder).simulated
    with pytest.raises(UsageError):
        write_inspection(folder, number="1")


def test_only_a_sealed_record_gets_a_report(make_record: Make) -> None:
    with pytest.raises(RecordError, match="not sealed"):
        write_inspection(make_record(sealed=False))


def test_bench_faults_and_early_ends_can_be_reported(make_record: Make) -> None:
    everything = ("stream.interruptions", "latency.to_centre", "frame_rate.live", "rtp.timestamp_rule",
                  "picture.width", "resolution.centre", "stream.completeness")  # fmt: skip
    folder = make_record(drop=everything)
    text = "".join(page_texts(write_inspection(folder).read_bytes()))
    assert "不能作出是否符合强制性要求的结论" in text
    assert "画面中未找到测试卡" in text


def test_hostile_words_of_a_camera_stay_words(make_record: Make) -> None:
    folder = make_record(sealed=False)
    with Journal.open(folder / JOURNAL) as journal:
        events = journal.events
    (folder / JOURNAL).unlink()
    with Journal.create(folder / JOURNAL) as journal:
        for event in events:
            data: dict[str, Any] = dict(event.data)
            if event.kind is EventKind.ENVIRONMENT:
                data["camera"] = {**data["camera"], "model": '#[x]$"\\\U0001f600\x07', "serial": "A" * 300}
                data["stream"] = {"\U0001f600": "\x00", "codec": None}
            journal.append(event.kind, data)
    seal(folder)
    assert "[U+1F600]" in "".join(page_texts(write_inspection(folder).read_bytes()))


def test_a_long_table_of_items_is_marked_as_continued(make_record: Make) -> None:
    folder = make_record()
    sheet = inspection_sheet(read_found(folder))
    rows = tuple(dataclasses.replace(sheet.groups[1].rows[0], serial=n) for n in range(1, 61))
    long = dataclasses.replace(sheet, groups=(Group("推荐性条款", rows),))
    pdf = _set(long, folder)
    assert check(pdf, long) == []
    tables = [page for page in page_texts(pdf) if "检验项目汇总表" in page]
    assert len(tables) >= 3
    assert all("序号检验项目标准条款标准要求检验结果单项结论备注" in page for page in tables)


def _with_row(sheet: Sheet, **change: Any) -> Sheet:
    first, *rest = sheet.groups[0].rows
    group = dataclasses.replace(sheet.groups[0], rows=(dataclasses.replace(first, **change), *rest))
    return dataclasses.replace(sheet, groups=(group, *sheet.groups[1:]))


def _with_cover(sheet: Sheet, index: int, value: str) -> Sheet:
    cover = list(sheet.cover)
    cover[index] = dataclasses.replace(cover[index], value=value)
    return dataclasses.replace(sheet, cover=tuple(cover))


BREAKS: dict[str, Callable[[Sheet], Sheet]] = {
    "C01": lambda s: _with_cover(s, 2, "SIM-C2"),
    "C02": lambda s: _with_cover(s, 6, "2026-11-24"),
    "C05": lambda s: _with_row(s, result="/"),
    "C06": lambda s: _with_row(s, remark=""),
    "C07": lambda s: _with_row(s, serial=7),
    "marks": lambda s: dataclasses.replace(s, deviations=("CMA 230001",)),
    "end": lambda s: dataclasses.replace(s, statement=("以下空白",)),
    "origin": lambda s: dataclasses.replace(s, number="CQ-2026-001"),
}


@pytest.mark.parametrize("rule", sorted(BREAKS))
def test_each_rule_finds_what_breaks_it(make_record: Make, rule: str) -> None:
    folder = make_record()
    sheet = inspection_sheet(read_found(folder))
    assert _broken(sheet, folder) == set()
    assert rule in _broken(BREAKS[rule](sheet), folder)


def test_rules_see_the_paper_and_not_the_intention(make_record: Make) -> None:
    """What was set differs from what the record says: another verdict, no banner, a clause left out."""
    folder = make_record()
    sheet = inspection_sheet(read_found(folder))
    cases = {
        "printed": _with_row(sheet, conclusion="不合格"),
        "origin": dataclasses.replace(sheet, simulated=False, signatures=("批准",)),
        "unjudged": dataclasses.replace(sheet, unjudged=sheet.unjudged[:1]),
        "number": dataclasses.replace(sheet, number="/"),
    }
    for rule, printed in cases.items():
        assert rule in _broken(sheet, folder, printed), rule


def test_pages_taken_out_or_turned_round_are_found(make_record: Make, tmp_path: Path) -> None:
    folder = make_record()
    sheet = inspection_sheet(read_found(folder))
    whole = _set(sheet, folder)
    (tmp_path / "whole.pdf").write_bytes(whole)
    reader = PdfReader(tmp_path / "whole.pdf")
    for kept in ([0, 1, 2, 3, 5], [1, 0, 2, 3, 4], [0, 1, 2]):
        writer = PdfWriter()
        for index in kept:
            writer.add_page(reader.pages[index])
        writer.write(tmp_path / "cut.pdf")
        rules = {broken.rule for broken in check((tmp_path / "cut.pdf").read_bytes(), sheet)}
        assert rules & {"C11", "pages"}


def test_a_report_that_breaks_a_rule_is_not_written(
    make_record: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = make_record()

    def empty(found: object) -> tuple[Group, ...]:
        return (Group("推荐性条款", (Row(1, "项目", "条款", "要求", "/", "合格", "/"),)),)

    monkeypatch.setattr(sections, "groups", empty)
    with pytest.raises(BenchError, match="C05"):
        write_inspection(folder)
    assert not (folder / "inspection.pdf").exists()
