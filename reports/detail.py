"""The detail pages of the inspection report: for each quantity its value, what it is made of, and a drawing."""

from __future__ import annotations

import math
from typing import Any

from reports.figures import figure_of, gap_cause
from reports.found import Found
from reports.phrases import edge_order, edge_zh, translated
from reports.sheet import BLANK, Detail, Field, Figure, Table
from reports.wording import number, result_zh, significant, unit_zh
from standards.catalogue import load
from standards.errors import UnknownName
from standards.quantity import Bound, Estimate, Finding

__all__ = ["METHODS_ZH", "details", "quantity_zh"]

_ORIGIN_ZH = {"real": "实测", "simulated": "模拟", "replayed": "回放", "typed": "人工录入"}
#: Side results worth printing, by their key in an estimate's details, with digits' scale and unit.
_SIDE_ZH = (
    ("p95_s", "95 %分位", 1e3, "ms"), ("median_s", "中位数", 1e3, "ms"), ("max_s", "最大值", 1e3, "ms"),
    ("chain_s", "不含显示", 1e3, "ms"), ("display_s", "显示(声明值)", 1e3, "ms"),
    ("exposure_s", "曝光(推算值)", 1e3, "ms"), ("flashes", "闪光次数", 1, "次"),
    ("pictures", "图像数", 1, "幅"), ("places", "应有图像数", 1, "幅"), ("fresh", "不重复图像数", 1, "幅"),
    ("time_base", "时间戳帧率", 1, "帧/s"), ("arrival", "到达帧率", 1, "帧/s"),
    ("picture_height", "图像高度", 1, "像素"),
)  # fmt: skip
_ANOMALY_ZH = (
    ("missing", "缺失图像"),
    ("skipped", "跳过图像"),
    ("repeated", "重复图像"),
    ("damaged", "损坏图像"),
)
_MOST_LISTED = 60


#: Procedures as a laboratory names its methods, by their tests' names.
METHODS_ZH = {
    "continuity": "连续性分析（时间戳、内容计数与到达）", "timestamp_rule": "RTP时间戳规则分析",
    "live_frame_rate": "帧率测量（时间戳、到达、非重复图像）", "lamp_latency": "闪光灯法延迟测量",
    "picture_size": "解码图像尺寸读取", "limiting_resolution": "斜边法分辨力测量",
    "declared_features": "ONVIF功能查询", "document": "文件与照片审查",
    "osd_time": "图像叠加文字识读（日期时间）", "osd_label": "图像叠加文字识读（标识）",
    "privacy_mask": "隐私遮挡区域检查", "view": "与基准图像比对", "colour_rendition": "色卡法色彩还原测量",
    "day_night_mode": "昼夜模式判别", "day_night_switching": "灯箱法昼夜转换测量", "blur": "图像模糊诊断",
    "cast": "图像偏色诊断", "clipped": "图像过亮诊断", "frozen": "画面冻结诊断（内容计数）", "hidden": "画面遮挡诊断",
    "levels": "图像过暗与黑屏诊断", "noise": "图像噪声诊断", "shake": "画面抖动诊断",
    "standstill": "画面静止诊断（疑似冻结）", "stripes": "图像条纹诊断",
    "fall_off": "边角照度衰减测量", "geometric_distortion": "网格法几何失真测量",
    "uniformity": "均匀视场分块测量", "flicker": "灯光闪烁测量", "maximum_illumination": "灯箱法最高照度测量",
    "minimum_illumination": "灯箱法最低照度测量", "dynamic_range": "灰阶法动态范围测量", "grey_levels": "灰阶级数测量",
    "signal_to_noise": "灰阶法信噪比测量", "sharpness": "斜边法采样效率与过度锐化测量",
    "peak_signal_to_noise": "与基准图像比对（PSNR、SSIM）", "pixel_density": "标板法像素密度测量",
    "star_resolution": "西门子星图法分辨力测量", "wedge_resolution": "双曲线楔形法分辨力测量",
}  # fmt: skip
#: Texts worth printing, by their key in an estimate's details.
_READ_ZH = (("label", "声明的标识"), ("read_text", "识读所得文字"))


def quantity_zh(quantity: str) -> str:
    """A quantity's name in Chinese, its key where the catalogue lacks it."""
    try:
        return load().quantity(quantity).name_zh
    except UnknownName:
        return quantity


def _dof(dof: float | None) -> str:
    """Degrees of freedom, cut to a whole number (GUM G.4.1); beyond 1000 k no longer changes."""
    if dof is None:
        return "∞"
    return f"{int(dof)}" if dof <= 1000 else "> 1000"


def _scaled(estimate: Estimate) -> tuple[float, str]:
    """Factor and unit for the lines of a budget: seconds are given in milliseconds."""
    return (1e3, "ms") if estimate.unit == "s" else (1.0, unit_zh(estimate.quantity, estimate.unit))


def _budget(estimate: Estimate) -> Table:
    factor, unit = _scaled(estimate)

    def shown(u: float) -> str:
        return f"{significant(u * factor)} {unit}".strip()

    rows = tuple(
        (translated(c.name), shown(c.u), c.method, _dof(c.dof), translated(c.source) or BLANK)
        for c in estimate.budget
    )
    k, expanded = estimate.coverage_factor, estimate.expanded_uncertainty
    if rows and estimate.u is not None and expanded is not None and k is not None:
        rows += (
            ("合成标准不确定度", shown(estimate.u), BLANK, _dof(estimate.dof), BLANK),
            ("扩展不确定度U", shown(expanded), BLANK, BLANK, f"k = {k:.2f}"),
        )
    head = ("不确定度分量", "标准不确定度", "类型", "自由度", "来源")
    return Table("不确定度评定", head, (3.2, 2.2, 0.8, 1.2, 3.4), rows)


def _anomalies(estimate: Estimate) -> Table:
    """Every picture and gap by index and time, as far as the record names them."""
    rows: list[tuple[str, ...]] = []
    for key, name in _ANOMALY_ZH:
        named = [e for e in estimate.details.get(key) or () if isinstance(e, dict)]
        for entry in named[:_MOST_LISTED]:
            rows.append((name, str(entry.get("index", BLANK)), _seconds(entry.get("time_s")), BLANK))
        if len(named) > _MOST_LISTED:
            rows.append((name, f"其余{len(named) - _MOST_LISTED}幅", "见记录", BLANK))
    for gap in estimate.details.get("gaps") or ():
        if isinstance(gap, dict):
            long = f"{_seconds(gap.get('seconds'))} s,原因:{gap_cause(gap)}"
            rows.append(("间断", BLANK, _seconds(gap.get("start_s")), long))
    return Table("异常清单", ("类别", "图像序号", "时间(s)", "时长与原因"), (2, 2, 2, 4), tuple(rows))


def _seconds(value: Any) -> str:
    return f"{value:.3f}" if isinstance(value, (int, float)) else BLANK


def _edges(estimate: Estimate) -> Table:
    """Figures edge by edge, where the estimate has them."""
    edges = estimate.details.get("edges") if "curve" in estimate.details else None
    rows = []
    named = edges if isinstance(edges, dict) else {}
    for name, each in sorted(named.items(), key=lambda item: edge_order(str(item[0]))):
        if isinstance(each, dict):
            cells = (each.get(k) for k in ("mtf50", "mtf10", "angle_deg", "snr_db"))
            shown = tuple(number(c, 4) if isinstance(c, (int, float)) else BLANK for c in cells)
            rows.append((edge_zh(str(name)), *shown))
    head = ("刃边", "MTF50(周期/像素)", "MTF10(周期/像素)", "倾角(°)", "信噪比(dB)")
    return Table("各刃边结果", head, (3, 2.2, 2.2, 1.5, 1.8), tuple(rows))


def _method(finding: Finding) -> str:
    name = finding.procedure.rpartition(".")[2].removeprefix("test_")
    return f"{METHODS_ZH.get(name, name)},第{finding.procedure_version}版" if name else BLANK


def _fields(finding: Finding) -> tuple[Field, ...]:
    """The value and how it came about."""
    estimate = finding.estimate
    return (
        Field("测得值", result_zh(estimate).replace("\n", "\uff0c")),
        Field("有效自由度", BLANK if estimate.u is None else _dof(estimate.dof)),
        Field("观测时间", BLANK if estimate.observed_s is None else f"{number(estimate.observed_s, 4)} s"),
        Field("数据来源", _ORIGIN_ZH[finding.origin]),
        Field("检验方法", _method(finding)),
        Field("原始数据", f"{len(finding.evidence)}个对象" if finding.evidence else BLANK),
    )


def _side(estimate: Estimate) -> tuple[Field, ...]:
    """Side results that belong beside the value."""
    fields = []
    for key, label, scale, unit in _SIDE_ZH:
        value = estimate.details.get(key)
        if isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value):
            shown = str(value) if isinstance(value, int) else number(value * scale, 4)
            fields.append(Field(label, f"{shown} {unit}"))
    for key, label in _READ_ZH:
        text = estimate.details.get(key)
        if isinstance(text, str) and text:
            fields.append(Field(label, text))
    return tuple(fields)


def _uneventful(figure: Figure) -> bool:
    return figure.kind == "timeline" and not any(lane["points"] or lane["spans"] for lane in figure.lanes)


def _notes(estimate: Estimate) -> tuple[str, ...]:
    notes = [translated(text) for text in estimate.notes]
    if estimate.bound_reason:
        side = "下限" if estimate.bound is Bound.LOWER else "上限"
        notes.append(f"测得值为{side}:{translated(estimate.bound_reason)}")
    return tuple(notes)


def details(found: Found) -> tuple[Detail, ...]:
    """One section a finding, in the order it was measured. What an earlier section shows is not repeated."""
    made: list[Detail] = []
    drawn: list[tuple[str, Figure, Table]] = []
    for finding in found.findings:
        estimate, name = finding.estimate, quantity_zh(finding.estimate.quantity)
        figure, note, budget = figure_of(estimate), "", _budget(estimate)
        fields = (*_fields(finding), *_side(estimate))
        tables: tuple[Table, ...] = (budget, _edges(estimate), _anomalies(estimate))
        same = next((each for each in drawn if each[1] == figure), None)
        if same is not None:
            note = f"图形见“{same[0]}”。"
            fields, tables = _fields(finding), (budget,)
            if budget.rows and budget == same[2]:
                note, tables = f"图形、分布与不确定度评定见“{same[0]}”。", ()
        elif figure is not None:
            drawn.append((name, figure, budget))
        if figure is not None and _uneventful(figure):
            note = "观测期内未发现缺失、跳过、重复、损坏的图像和间断。"
        shown = None if note else figure
        made.append(Detail(name, fields, shown, note, tables, _notes(estimate)))
    return tuple(made)
