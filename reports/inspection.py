"""检验报告: the inspection report of a sealed record, as PDF/A-3b, made from the record alone.

It never draws marks of accreditation (CMA, CNAS): these are the laboratory's to give. A record that holds
anything simulated is marked on every page and can bear no report number.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from reports import sections
from reports.detail import details
from reports.folder import write_whole
from reports.found import Found, read_found
from reports.record import EventKind, Plan
from reports.seal import register
from reports.selfcheck import check
from reports.sheet import Field, Sheet
from reports.typeset import printable, typeset, typeset_pages
from standards.clause import Comparison
from standards.decision import Rule
from standards.errors import BenchError, UsageError

__all__ = ["inspection_pages", "inspection_sheet", "write_inspection"]

TEMPLATE = "inspection.typ"
NAME = "inspection.pdf"
_NO_NUMBER = "模拟运行,无报告编号"
_PENDING = "待签发时编号"
_BANNER = "模拟样品——数据来自虚拟摄像机,不得作为检验结论使用"
_KIND_ZH = {"network": "网络摄像机", "analogue": "模拟摄像机"}
_STATEMENT = (
    "本报告由检验记录自动生成,报告内容以记录为准;记录摘要见“软件与证据”。",
    "本报告无批准人、审核人、主检人签字无效,涂改无效,部分复制无效。",
    "检验结果仅对所检样品和所检项目有效;“/”表示该栏无内容或不作判定。",
    "强制性条款与推荐性条款分别下结论;未满足推荐性要求不等于违反强制性标准。",
    "测量不确定度为扩展不确定度U,包含概率约95 %\uff0ck为包含因子。",
    "限值的来源等级列于备注;“待取得标准文本”的条款只给出测得值,不作判定。",
    "资质认定、认可标志由检验机构按其批准范围加注,软件不生成任何标志。",
    "对本报告如有异议,应在收到报告之日起十五日内向检验机构提出。",
)
_RISK_ZH = {
    Rule.SIMPLE: "简单接受(ILAC-G8:09/2019第4.2.1条,保护带w = 0):测得值恰在限值处时,误判概率至多50 %",
    Rule.GUARDED: "带保护带的接受(ILAC-G8:09/2019第4.2.3条,保护带w = U):判为合格时,误判概率至多2.5 %",
}


def write_inspection(folder: Path, out: Path | None = None, *, number: str | None = None) -> Path:
    """Write the report of a sealed run folder and return its path (inspection.pdf in the folder).

    number: the laboratory's report number. A report inside the folder is listed in documents.json.
    Raises RecordError if the record is not sealed or damaged, UsageError for a number on simulated data,
    BenchError if the page breaks a rule of `reports.selfcheck` or holds a character without a glyph.
    """
    found = read_found(folder)
    sheet = inspection_sheet(found, number=number)
    pdf = typeset(TEMPLATE, sheet.plain(), made=found.sealed_at)
    broken = check(pdf, sheet)
    if broken:
        raise BenchError("the report breaks its own rules: " + "; ".join(str(each) for each in broken))
    path = out or folder / NAME
    write_whole(path, pdf)
    if path.resolve().is_relative_to(folder.resolve()):
        register(folder, path, kind="inspection", software=found.plan.software)
    return path


def inspection_pages(folder: Path, *, ppi: float = 96.0) -> list[bytes]:
    """The report's pages as PNG pictures, for a README or a screen. Raises as `write_inspection` does."""
    return typeset_pages(TEMPLATE, inspection_sheet(read_found(folder)).plain(), ppi=ppi)


def inspection_sheet(found: Found, *, number: str | None = None) -> Sheet:
    """All the report says, worded. Raises UsageError for a number on simulated data."""
    if number is not None and found.simulated:
        raise UsageError("a record with simulated data can bear no report number: leave --number out")
    shown = _NO_NUMBER if found.simulated else number or _PENDING
    sample = _sample(found, shown)
    return Sheet(
        number=shown,
        simulated=found.simulated,
        banner=_BANNER if found.simulated else "",
        cover=sample,
        statement=_STATEMENT,
        front=_front(found, sample),
        front_wide=_front_wide(found),
        conclusion=sections.conclusion(found),
        unjudged=sections.unjudged(found),
        signatures=("模拟运行,不签发",) if found.simulated else ("批准", "审核", "主检"),
        groups=sections.groups(found),
        basis=sections.basis(found),
        details=details(found),
        tables=sections.remaining_tables(found),
        deviations=sections.deviations(found),
    )


def _declared(found: Found) -> dict[str, Any]:
    camera = found.plan.declaration.get("camera")
    return camera if isinstance(camera, dict) else {}


def _sample(found: Found, number: str) -> tuple[Field, ...]:
    """Fields of the cover, which the first page repeats."""
    kind = _KIND_ZH.get(str(_declared(found).get("kind")), "摄像机")
    day = found.sealed_at
    return (
        Field("报告编号", number),
        Field("样品名称", kind),
        Field("型号规格", printable(found.camera.model) or "/"),
        Field("生产单位", printable(found.camera.manufacturer) or "/"),
        Field("委托单位", "/"),
        Field("检验类别", found.plan.scheme_title_zh),
        Field("报告日期", f"{day.year}年{day.month:02d}月{day.day:02d}日"),
    )


def _front(found: Found, sample: tuple[Field, ...]) -> tuple[Field, ...]:
    """Short fields of the first page: the cover's, and more of the sample."""
    classed = _declared(found).get("point_class")
    return (
        *sample,
        Field("样品编号", printable(found.camera.serial) or "/"),
        Field("固件版本", printable(found.camera.firmware) or "/"),
        Field("监控点类别", f"{classed}类(申报)" if classed else "/"),
        Field("样品数量", "1台"),
        Field("检验地点", "/"),
    )


def _front_wide(found: Found) -> tuple[Field, ...]:
    """Long fields of the first page: address, when, by which edition and rule."""
    opened = found.of(EventKind.OPENED) or list(found.events[:1])
    first, last = found.time(opened[0]), found.sealed_at
    plan = found.plan
    used = {item.rule for item in plan.items if item.applicability == "run"} or {plan.rule}
    return (
        Field("网络地址", printable(plan.camera)),
        Field("检验时间", f"{first:%Y年%m月%d日 %H:%M}至{last:%Y年%m月%d日 %H:%M}(北京时间)"),
        Field("标准适用日期", f"{plan.governing_date:%Y年%m月%d日},{plan.governing_basis_zh}"),
        Field(
            "判定规则",
            "\n".join([*(words for rule, words in _RISK_ZH.items() if rule in used), _compared(plan)]),
        ),
    )


def _compared(plan: Plan) -> str:
    """How values are held against their limits, as agreed before the run (GB/T 8170-2008, 4.3)."""
    rounded = [item.clause.id for item in plan.items if item.clause.comparison is Comparison.ROUNDED]
    if not rounded:
        return "检验前约定：测得值按全数值与限值比较（GB/T 8170）"
    return f"检验前约定：{'、'.join(rounded)}按GB/T 8170修约到限值的位数后比较，其余按全数值比较"
