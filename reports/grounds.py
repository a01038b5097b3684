"""What the verdicts stand on: editions in force, overlays, documents handed in, and the risk of each verdict."""

from __future__ import annotations

from reports.detail import quantity_zh
from reports.found import Found
from reports.sheet import BLANK, Table
from reports.typeset import printable
from reports.wording import punctuated, remark_zh, verdict_zh
from standards.decision import Execution

__all__ = ["grounds"]

_KIND_ZH = {"false_acceptance": "误接受", "false_rejection": "误拒绝"}
_LEAST = 1e-4


def grounds(found: Found) -> tuple[Table, ...]:
    """Editions, overlays, documents and risks; a table with nothing in it is left out."""
    every = (_editions(found), _inapplicable(found), _overlays(found), _documents(found), _risks(found))
    return tuple(table for table in every if table.rows)


def _editions(found: Found) -> Table:
    rows = tuple(
        (edition.name, "适用" if edition.governs else "不适用", punctuated(edition.reason_zh))
        for edition in found.plan.editions
    )
    return Table(
        f"标准版本（适用日期{found.plan.governing_date}）",
        ("标准版本", "是否适用", "理由"),
        (2.4, 1, 3.4),
        rows,
    )


def _inapplicable(found: Found) -> Table:
    """Clauses of the scheme that do not apply, with the reason: no item is left out unseen."""
    rows = tuple(
        (f"{clause.standard} {clause.number}".strip(), clause.title_zh, remark_zh(outcome))
        for outcome in found.outcomes
        if outcome.end.execution is Execution.NOT_APPLICABLE
        for clause in (outcome.item.clause,)
    )
    return Table("不适用的条款", ("标准条款", "检验项目", "理由"), (2.2, 2.2, 3.6), rows)


def _overlays(found: Found) -> Table:
    rows = tuple(
        (
            entry.name,
            printable(entry.who),
            printable(entry.text),
            f"{entry.on}",
            "、".join(entry.rows),
            entry.sha256,
        )
        for entry in found.plan.overlays
    )
    head = ("补充文件", "确认单位", "所据文本", "确认日期", "涉及条款", "摘要（SHA-256）")
    return Table("补充依据（由检验机构或合同方提供）", head, (1.2, 1.5, 2, 1.1, 1.6, 2), rows)


def _documents(found: Found) -> Table:
    rows = tuple(
        (
            quantity_zh(entry.quantity),
            printable(entry.file),
            f"{printable(entry.by)}\n{entry.on}",
            entry.sha256 or "已申报，未见文件",
        )
        for entry in found.plan.documents
    )
    return Table(
        "提交的文件、照片与声明", ("项目", "文件", "查阅人与日期", "摘要（SHA-256）"), (2, 2, 1.4, 2.4), rows
    )


def _risks(found: Found) -> Table:
    """JCGM 106:2012: specific to each value, for a normal or t-distributed measurement."""
    rows = []
    for outcome, entry in zip(found.outcomes, found.results.items, strict=True):
        if entry.risk is None:
            continue
        chance = entry.risk.probability
        shown = "小于0.01 %" if chance < _LEAST else f"{100 * chance:.2g} %"
        clause = outcome.item.clause
        rows.append(
            (f"{clause.standard} {clause.number}".strip(), clause.title_zh, verdict_zh(outcome) or BLANK,
             _KIND_ZH[entry.risk.kind], shown)
        )  # fmt: skip
    head = ("标准条款", "检验项目", "单项结论", "误判类型", "误判概率")
    return Table("判定风险（JCGM 106，按测得值及其不确定度计算）", head, (2.2, 2.4, 1.6, 1, 1.2), tuple(rows))
