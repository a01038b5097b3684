"""The instruments of a run on paper: what they are, how they are calibrated, how their checks came out, what air."""

from __future__ import annotations

from typing import Any

from reports.found import Found
from reports.record import Certificate, EventKind, InstrumentEntry
from reports.sheet import BLANK, Table
from reports.typeset import printable
from reports.wording import number, rounded

__all__ = ["air_rows", "checks", "instruments"]

_ROLE_ZH = {
    "flash_lamp": "闪光灯", "chart": "测试卡", "light_box": "灯箱", "lux_meter": "照度计", "display": "显示器",
    "power_supply": "直流电源", "climate_chamber": "环境试验箱", "oscilloscope": "示波器", "multimeter": "数字万用表",
    "relay_board": "继电器板", "network_emulator": "网络损伤仪", "illuminant": "照明光源", "tape": "卷尺",
    "temperature": "温度计", "humidity": "湿度计",
}  # fmt: skip
_QUANTITY_ZH = {
    "illuminance": "照度", "illuminance_set": "设定照度", "voltage": "电压", "current": "电流", "temperature": "温度",
    "dc_voltage": "直流电压", "dc_current": "直流电流", "humidity": "相对湿度", "response": "响应",
    "command_to_light_delay": "指令至发光延迟", "correlated_colour_temperature": "相关色温", "uniformity": "均匀度",
    "flicker_depth": "闪烁深度", "density": "光学密度", "reflectance": "反射比", "mtf": "调制传递函数", "length": "长度",
    "cielab": "CIELAB色度", "counter_tick": "计数间隔", "display_delay": "显示延迟", "vertical_scale": "垂直灵敏度",
    "time_base": "时基", "photodiode_delay": "光电二极管延迟", "switching_delay": "切换延迟", "delay": "延迟",
    "rate": "速率",
}  # fmt: skip
_UNIT_ZH = {"degC": "℃", "1": ""}


def _role(name: str) -> str:
    return _ROLE_ZH.get(name, printable(name))


def _quantity(name: str) -> str:
    return _QUANTITY_ZH.get(name, printable(name))


def _with_unit(value: str, unit: str) -> str:
    return f"{value} {_UNIT_ZH.get(unit, printable(unit))}".strip()


def _calibrated(c: Certificate) -> str:
    """What a certificate gives, in a few lines."""
    if c.value is not None and c.expanded_uncertainty is not None:
        value = _with_unit(f"{number(c.value)} ± {number(c.expanded_uncertainty)}", c.unit)
        return f"{value}\nk = {c.coverage_factor:g}"
    low, high = c.range or (c.points[0][0], c.points[-1][0])
    widest = max(c.points, key=lambda point: point[2])
    span = _with_unit(f"{number(low)}~{number(high)}", c.argument_unit or c.unit)
    largest = _with_unit(f"U ≤ {number(widest[2])}", c.unit)
    return f"{_quantity(c.quantity)},{len(c.points)}点\n{span}\n{largest},k = {widest[3]:g}"


def _remark(entry: InstrumentEntry) -> str:
    """Who or what stands between the instrument and the record."""
    if entry.driver == "manual":
        return "人工操作与读数"
    if entry.hardware is None:
        return BLANK
    return f"驱动经实物验证:{printable(entry.hardware)}" if entry.hardware else "驱动未经实物验证"


def _stated(found: Found) -> str:
    """The display's delay as the station states it."""
    plan = found.plan
    if plan.display_delay_s is None:
        return BLANK
    u = "" if plan.display_delay_u_s is None else f"\nu = {number(plan.display_delay_u_s * 1e3, 3)} ms"
    return f"声明延迟{number(plan.display_delay_s * 1e3)} ms{u}"


def instruments(found: Found) -> Table:
    """主要仪器设备: a line a certificate; drivers never run on hardware are said to be so."""
    rows: list[tuple[str, ...]] = []
    for serial, entry in enumerate(found.plan.station, 1):
        kind = " ".join(part for part in (entry.manufacturer, entry.model) if part) or BLANK
        about = (str(serial), _role(entry.role), printable(kind), printable(entry.serial) or BLANK)
        remark = _remark(entry)
        if not entry.certificates:
            stated = _stated(found) if entry.role == "display" else BLANK
            rows.append((*about, "未校准", stated, BLANK, remark))
        for c in entry.certificates:
            paper = f"{printable(c.number)}\n{printable(c.laboratory)}"
            rows.append((*about, paper, _calibrated(c), f"{c.due}", remark))
    if not rows:
        rows.append((BLANK,) * 8)
    head = ("序号", "名称", "型号", "编号", "校准证书", "校准值", "有效期至", "备注")
    return Table("主要仪器设备", head, (0.8, 1.3, 1.9, 1.4, 2.6, 2.5, 1.6, 2.0), tuple(rows))


def checks(found: Found) -> Table:
    """期间核查: every interim check before and after the run, failed ones included."""
    rows = []
    for event in found.of(EventKind.CHECKED):
        data = event.data
        reading = data.get("reading") or {}
        unit = str(reading.get("unit", ""))
        wanted = BLANK
        if data.get("reference") is not None:
            wanted = _with_unit(f"{number(data['reference'])} ± {number(data['allowed'])}", unit)
        seen = (
            _read(reading)
            if reading
            else BLANK
            if data.get("ok")
            else printable(str(data.get("text", "")))[:120]
        )
        rows.append((
            "检验前" if data.get("when") == "start" else "检验后",
            _role(str(data.get("role"))),
            _quantity(str(data.get("quantity"))),
            wanted, seen,
            "合格" if data.get("ok") else "不合格",
        ))  # fmt: skip
    head = ("时机", "设备", "核查项目", "要求", "结果", "结论")
    return Table("仪器期间核查", head, (1, 1.4, 1.4, 2, 3, 1), tuple(rows))


def _read(reading: dict[str, Any]) -> str:
    """One reading: value, U at k = 2 where its certificate gives one, and who typed it where a person did."""
    digits, u = number(float(reading["value"]), 5), reading.get("u")
    if u:
        digits = " ± ".join(rounded(float(reading["value"]), 2 * float(u)))
    value = _with_unit(digits, str(reading.get("unit", ""))) + (",k = 2" if u else "")
    if reading.get("origin") != "typed":
        return value
    who, at = printable(str(reading.get("who", "")))[:40], str(reading.get("at", ""))[:16].replace("T", " ")
    return f"{value}\n人工录入:{who},{at}"


def air_rows(start: dict[str, Any], end: dict[str, Any]) -> list[tuple[str, str, str]]:
    """(what, at the start, at the end) of the air around the camera."""
    first, last = _by_quantity(start), _by_quantity(end)
    return [
        (f"环境{_quantity(name)}", first.get(name, BLANK), last.get(name, BLANK))
        for name in dict.fromkeys([*first, *last])
    ]


def _by_quantity(environment: dict[str, Any]) -> dict[str, str]:
    found = environment.get("air")
    return (
        {str(r["quantity"]): _read(r) for r in found if isinstance(r, dict)}
        if isinstance(found, list)
        else {}
    )
