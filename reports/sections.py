"""The sections of the inspection report, each worded from the record."""

from __future__ import annotations

from collections import Counter
from typing import Any

from reports.equipment import air_rows, checks, instruments
from reports.found import Found
from reports.grounds import grounds
from reports.record import EventKind
from reports.results import Outcome
from reports.sheet import BLANK, Group, Row, Table
from reports.typeset import printable
from reports.wording import AXIS_ZH, grade_zh, number, remark_zh, result_zh, verdict_zh
from standards.clause import Axis
from standards.decision import Execution, Verdict

__all__ = ["basis", "conclusion", "deviations", "groups", "remaining_tables", "unjudged"]

_FAILED = (Verdict.FAIL, Verdict.CONDITIONAL_FAIL)
_STREAM_ZH = {
    "codec": "编码", "width": "图像宽度(像素)", "height": "图像高度(像素)", "fps": "帧率(帧/s)",
    "bitrate_kbit": "码率(kbit/s)", "gop": "图像组长度", "transport": "传输方式", "exposure": "曝光",
    "exposure_ms": "曝光时间(ms)", "profile": "编码档次",
}  # fmt: skip
_IDENTITY_ZH = {
    "manufacturer": "制造商", "model": "型号", "firmware": "固件版本", "serial": "序列号",
    "hardware": "硬件版本",
}  # fmt: skip
_HOST_ZH = {"system": "检测主机系统", "python": "Python版本", "cpus": "处理器数", "clock": "主机时钟",
            "temperature_c": "环境温度(℃)", "humidity_percent": "相对湿度(%)"}  # fmt: skip


def groups(found: Found) -> tuple[Group, ...]:
    """检验项目汇总表: binding clauses first, then what was agreed, then the others, numbered through.

    Clauses that do not apply stand in a table of their own (reports.grounds).
    """
    made, serial = [], 0
    for axis, title in AXIS_ZH.items():
        rows = []
        for outcome in found.outcomes:
            clause = outcome.item.clause
            if clause.bindingness.axis is not axis or outcome.end.execution is Execution.NOT_APPLICABLE:
                continue  # 不适用的条款另列, with the reason
            serial += 1
            result = result_zh(outcome.finding.estimate, clause.limit) if outcome.finding else BLANK
            rows.append(
                Row(serial, clause.title_zh, f"{clause.standard}\n{clause.number}".strip(),
                    clause.requirement_zh or BLANK, result, verdict_zh(outcome), remark_zh(outcome))
            )  # fmt: skip
        if rows:
            made.append(Group(title, tuple(rows)))
    return tuple(made)


def basis(found: Found) -> tuple[tuple[str, str, str], ...]:
    """检验依据: the standards of the items that were tested, in the plan's order, each with its title and
    how well its limits are known ('' where the text itself was seen)."""
    titles: dict[str, str] = {}
    grades: dict[str, list[str]] = {}
    for outcome in found.outcomes:
        clause = outcome.item.clause
        if outcome.end.execution is Execution.DONE:
            titles.setdefault(clause.standard, clause.standard_title_zh)
            grades.setdefault(clause.standard, []).append(grade_zh(clause))
    listed = []
    for name, title in titles.items():
        shown = f"({title})" if "待" in title else f"《{title}》"
        listed.append((name, shown, ";".join(dict.fromkeys(filter(None, grades[name])))))
    return tuple(listed)


def _counted(outcomes: list[Outcome]) -> tuple[int, int, int]:
    """How many were judged, how many of these not met, how many could not be judged."""
    verdicts = [o.verdict for o in outcomes]
    judged = [v for v in verdicts if v is not None and v is not Verdict.UNDECIDED]
    applicable = [o for o in outcomes if o.end.execution is not Execution.NOT_APPLICABLE]
    return len(judged), sum(v in _FAILED for v in judged), len(applicable) - len(judged)


_HEAD_ZH = {
    Axis.MANDATORY: ("强制性条款", "不合格"),
    Axis.CONTRACT: ("合同约定条款", "不符合约定"),
    Axis.RECOMMENDED: ("推荐性及效力待核条款", "未满足推荐性要求"),
}
_TAIL_ZH = {
    Axis.MANDATORY: {
        "conforms": "所检强制性项目符合要求。",
        "does_not_conform": "所检强制性项目不符合要求。",
        "inconclusive": "不能作出是否符合强制性要求的结论。",
    },
    Axis.CONTRACT: {
        "met": "所检合同约定项目符合约定。",
        "not_met": "所检合同约定项目不符合约定。",
        "inconclusive": "不能作出是否符合合同约定的结论。",
    },
    Axis.RECOMMENDED: {
        "met": "所检推荐性项目满足要求。",
        "not_met": "所检项目中有未满足推荐性要求者。",
        "inconclusive": "不能作出是否满足推荐性要求的结论。",
    },
}


def conclusion(found: Found) -> tuple[str, ...]:
    """检验结论, for the items tested only; each axis by itself, a contract only where there is one."""
    results, lines = found.results, []
    said = {
        Axis.MANDATORY: results.overall,
        Axis.CONTRACT: results.contract,
        Axis.RECOMMENDED: results.recommended,
    }
    for axis, word in said.items():
        if word == "none":
            continue
        judged, broken, open_ = _counted(
            [o for o in found.outcomes if o.item.clause.bindingness.axis is axis]
        )
        name, not_met = _HEAD_ZH[axis]
        lines.append(
            f"{name}:已判定{judged}项,其中{not_met}{broken}项,未能判定{open_}项。{_TAIL_ZH[axis][word]}"
        )
    lines.append("以上结论仅对所检样品的所检项目有效。")
    if found.simulated:
        lines.append("数据来自模拟样品,仅用于演示检验流程,不构成对任何产品的检验结论。")
    return tuple(lines)


def unjudged(found: Found) -> tuple[str, ...]:
    """Binding clauses without a verdict, each with its reason and whether the scheme asks for it."""
    listed = []
    for outcome in found.outcomes:
        clause = outcome.item.clause
        settled = outcome.verdict not in (None, Verdict.UNDECIDED)
        if not clause.bindingness.binding or settled or outcome.end.execution is Execution.NOT_APPLICABLE:
            continue
        scope = "方案要求" if outcome.item.in_scope else "方案范围外"
        listed.append(f"{clause.standard} {clause.number} {clause.title_zh}({scope}):{remark_zh(outcome)}")
    return tuple(listed)


def _value(value: Any) -> str:
    if value is None or value == "":
        return BLANK
    if isinstance(value, float):
        return number(value, 6)
    return printable(str(value))[:80]


def _part(data: dict[str, Any], key: str) -> dict[str, Any]:
    part = data.get(key)
    return part if isinstance(part, dict) else {}


def _environment(found: Found) -> Table:
    """Parameters of the stream and of the host, at start and end."""
    start, end = found.environments()
    rows: list[tuple[str, ...]] = []
    for part, labels in (("camera", _IDENTITY_ZH), ("stream", _STREAM_ZH), ("host", _HOST_ZH)):
        first, last = _part(start, part), _part(end, part)
        for key in dict.fromkeys([*labels, *first, *last]):
            if key in first or key in last:
                label = labels.get(key, printable(str(key)))
                rows.append((label, _value(first.get(key)), _value(last.get(key))))
    rows += air_rows(start, end)
    if not rows:
        rows.append((BLANK, BLANK, BLANK))
    return Table("检验环境与被测码流参数", ("参数", "检验开始", "检验结束"), (2, 3, 3), tuple(rows))


def _evidence(found: Found) -> Table:
    objects = sum(name.startswith("objects/") for name in found.seal.files)
    rows = (
        ("检验软件", found.plan.software),
        ("运行编号", found.seal.run),
        ("检验方案", f"{found.plan.scheme_title_zh}({found.plan.scheme})"),
        ("方案摘要(SHA-256)", found.seal.plan_sha256),
        ("日志链首(SHA-256)", found.seal.chain_head),
        ("记录摘要(SHA-256)", found.seal.digest),
        ("日志行数", str(len(found.events))),
        ("原始数据对象数", str(objects)),
        ("核验方法", "bench verify 记录目录:重算全部摘要、日志链与单项结论"),
    )
    return Table("软件与证据", ("项目", "内容"), (1.6, 5), rows)


def remaining_tables(found: Found) -> tuple[Table, ...]:
    """What the verdicts stand on, instruments, environment, software and evidence."""
    checked = checks(found)
    return (
        *grounds(found),
        instruments(found),
        *([checked] if checked.rows else []),
        _environment(found),
        _evidence(found),
    )


def deviations(found: Found) -> tuple[str, ...]:
    """方法偏离: what in the run differed from a smooth one, and what the camera was left with."""
    plan, lines = found.plan, []
    restored = [event.data.get("difference") for event in found.of(EventKind.SETTINGS_RESTORED)]
    if not found.of(EventKind.SETTINGS_CHANGED):
        lines.append("检验未改变摄像机设置。")
    elif restored and not restored[-1]:
        lines.append("检验中改变的摄像机设置已全部恢复。")
    else:
        left = printable(str(restored[-1])) if restored else "未恢复"
        lines.append(f"检验中改变的摄像机设置与检验前的差异:{left}。")
    if plan.display_delay_s is None:
        lines.append("未声明显示环节的延迟,端到端延迟只作为下限。")
    else:
        u = "未给出" if plan.display_delay_u_s is None else f"{number(plan.display_delay_u_s * 1e3, 3)} ms"
        lines.append(f"显示环节延迟取检测台声明值{number(plan.display_delay_s * 1e3)} ms,标准不确定度{u}。")
    lines.append(f"视频流静默达到{number(plan.interruption_s)} s计为一次中断(检验方案规定)。")
    sessions = len(found.of(EventKind.OPENED))
    if sessions > 1:
        lines.append(f"检验中断后续检,共{sessions}次运行;已有结果保留,未重复测量。")
    for event in found.of(EventKind.REPAIRED):
        lines.append(f"日志末行写入不完整,已修复,舍去{event.data.get('dropped_bytes')}字节。")
    faults = Counter(str(event.data.get("text", "")) for event in found.of(EventKind.FAULT))
    for text, times in faults.items():
        lines.append(f"故障记录({times}次):{printable(text)[:300]}")
    return tuple(lines)
