"""A record with plausible figures for the tests of reports: plan, journal, evidence, as a run leaves them."""

from __future__ import annotations

import math
from collections.abc import Callable
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from reports.evidence import Evidence
from reports.folder import JOURNAL, write_plan
from reports.journal import Journal
from reports.record import (
    CaptureSettings,
    Certificate,
    EventKind,
    InstrumentEntry,
    Intrusiveness,
    Plan,
    PlanItem,
)
from reports.seal import seal
from standards.clause import Bindingness, Clause, Comparison, Limit, Measurand
from standards.clause import Evidence as Grade
from standards.decision import Execution, Rule, decide
from standards.quantity import Bound, Contribution, Estimate, Finding, Kind, Origin, Subject

CAMERA = Subject(camera="rtsp://192.0.2.10:554/main")
GB28181 = ("GB/T 28181-2022", "公共安全视频监控联网系统信息传输、交换、控制技术要求")
GB50395 = ("GB 50395-2007", "视频安防监控系统工程设计规范")
GA1127 = ("GA/T 1127-2025", "题名待原文核对")
LAW = ("渝府令第230号", "重庆市社会公共安全视频图像信息系统管理办法")


def clause(row: str, standard: tuple[str, str], number: str, quantity: str, unit: str, **more: Any) -> Clause:
    """One clause; limits as strings keep their digits."""
    limit = Limit(
        lower=None if more.get("lower") is None else Decimal(more["lower"]),
        upper=None if more.get("upper") is None else Decimal(more["upper"]),
        equals=more.get("equals"),
    )
    return Clause(
        row=row, standard=standard[0], standard_title_zh=standard[1], number=number,
        title_zh=more["title"], title_en=row, requirement_zh=more["requirement"], requirement_en=row,
        measurand=Measurand(quantity=quantity, unit=unit), limit=limit,
        comparison=more.get("comparison", Comparison.FULL),
        bindingness=more.get("bindingness", Bindingness.RECOMMENDED),
        evidence=more.get("evidence", Grade.SEEN_PRIMARY), source=more.get("source", "G28"),
        note_zh=more.get("note", ""),
    )  # fmt: skip


def clauses() -> list[Clause]:
    """The clauses of the golden plan: one of each kind that a report has to word."""
    return [
        clause("LAW-230-19-7", LAW, "第十九条(七)", "stream.interruptions", "1", upper="0",
               title="全天运行,不得无故中断", requirement="每天24小时运行,观察期内无故中断0次",
               bindingness=Bindingness.LAW, source="O230b", note="条文未定义中断时长,判据由检验方案给出"),
        clause("LAW-230-19-6", LAW, "第十九条(六)", "picture.clarity", "1", title="图像清晰",
               requirement="系统应定期维护,画面保持清晰(条文未给出数值)", bindingness=Bindingness.LAW,
               source="O230b"),
        clause("DB216-UNK", ("DB50/216-2006", "重庆市社会公共安全视频图像信息系统技术规范"), "5.3.1",
               "picture.local", "1", title="图像质量(地方标准)", requirement="限值待原文核对",
               bindingness=Bindingness.MANDATORY, evidence=Grade.UNKNOWN, source="DB216"),
        clause("NET-01", GB28181, "5.3 a", "latency.to_centre", "s", upper="2",
               title="端到端延迟,前端至监控中心",
               requirement="前端设备至直接接入的监控中心设备,端到端信息延迟不大于2 s"
               "(含采集、编码、网络、解码、显示)",
               note="含显示环节"),
        clause("NET-03", GB28181, "5.5 a", "network.delay", "s", upper="0.4", title="网络时延上限",
               requirement="网络时延上限值为400 ms"),
        clause("NET-07", GB28181, "5.6", "frame_rate.live", "1/s", lower="25", title="网络传输图像帧率",
               requirement="网络传输图像帧率不低于25帧/s", comparison=Comparison.ROUNDED),
        clause("NET-4.3.6", GB28181, "4.3.6", "rtp.timestamp_rule", "1", equals=True, title="RTP时间戳规则",
               requirement="同一图像的RTP包时间戳相同,相邻图像时间戳不同"),
        clause("IMG-10.width", GB50395, "5.0.10", "picture.width", "px", lower="352", title="数字图像宽度",
               requirement="数字视频图像宽度不小于352像素", evidence=Grade.MEMORY, source="G395"),
        clause("IMG-03", ("GB 50198-2011", "民用闭路监视电视系统工程技术规范"), "3.1.10",
               "resolution.centre", "TVL", lower="400", title="水平分辨力(数字系统)",
               requirement="摄像机标准照度下,数字系统水平分辨力不小于400 TVL",
               evidence=Grade.SEEN_SECONDARY, source="Q12"),
        clause("IMG-08", GB50395, "5.0.5", "stream.completeness", "1", upper="0",
               title="图像信息的原始完整性",
               requirement="保持图像信息的原始完整性:缺失、重复、损坏图像合计0幅",
               bindingness=Bindingness.MANDATORY_WHEN_ISSUED, source="G395"),
        clause("CAM-11.resolution", GA1127, "待核", "resolution.centre", "TVL", title="中心水平分辨力",
               requirement="限值待原文核对", evidence=Grade.UNKNOWN, source="GA1127c"),
        clause("NET-07.class3", GB28181, "5.6", "frame_rate.class3", "1/s", lower="15", title="三类点帧率",
               requirement="三类视频监控点帧率不低于15帧/s"),
    ]  # fmt: skip


STATES = {
    "LAW-230-19-6": ("not_run", "no procedure", "定性要求,无检验方法"),
    "DB216-UNK": ("not_run", "no procedure; text required", "待取得标准文本"),
    "NET-03": ("not_run", "no procedure", "本版本尚无检验方法"),
    "NET-07.class3": ("not_applicable", "declared class is 1", "申报为一类视频监控点,本条不适用"),
}


def _station(origin: Origin) -> tuple[InstrumentEntry, ...]:
    """Instruments of every kind that the report words."""
    certificate = Certificate(
        number="SIM-CAL-001", laboratory="模拟校准实验室(虚构)", quantity="command_to_light_delay",
        value=0.0018, expanded_uncertainty=0.0004, unit="s", issued=date(2026, 1, 10), due=date(2027, 1, 9),
    )  # fmt: skip
    table = Certificate(
        number="CAL-2026-0117", laboratory="某省计量院(虚构)", quantity="illuminance", unit="lx", gives="correction",
        points=((100.0, 1.0, 3.0, 2.0), (500.0, -4.0, 9.0, 2.0), (2000.0, -11.0, 40.0, 2.0)),
        issued=date(2026, 3, 2), due=date(2027, 3, 1),
    )  # fmt: skip
    return (
        InstrumentEntry(role="flash_lamp", driver="flash_lamp", hardware="", manufacturer="Camcert-Sim", model="FL-1",
                        serial="SN001", address="/dev/pts/3", origin=origin, certificates=(certificate,)),
        InstrumentEntry(role="lux_meter", driver="manual", manufacturer="某仪器厂", model="LX-10", serial="9931",
                        address="terminal", origin=origin, certificates=(table,)),
        InstrumentEntry(role="power_supply", driver="power_supply", hardware="Example PS-2, 1.07, 2026-05-04",
                        manufacturer="Example", model="PS-2", serial="77", origin=origin),
        InstrumentEntry(role="chart", driver="chart", manufacturer="camcert", model="camcert-1",
                        serial="C-0001", origin=origin),
    )  # fmt: skip


def plan(*, origin: Origin = Origin.SIMULATED, interruption_s: float = 2.0) -> Plan:
    """The golden plan."""
    items = []
    for each in clauses():
        applicability, reason, reason_zh = STATES.get(each.row, ("run", "", ""))
        items.append(
            PlanItem.model_validate({
                "key": each.row, "clause": each, "subject": CAMERA, "applicability": applicability,
                "reason": reason, "reason_zh": reason_zh, "procedure": f"test.{each.measurand.quantity}",
                "procedure_version": "1", "rule": Rule.GUARDED if each.row == "IMG-03" else Rule.SIMPLE,
                "minimum_s": 60.0 if each.row == "LAW-230-19-7" else None,
                "in_scope": each.row not in ("DB216-UNK", "LAW-230-19-6", "NET-03"),
            })
        )  # fmt: skip
    return Plan(
        scheme="acceptance", scheme_title_zh="公共视频系统验收检验方案",
        gate=("mandatory",), rule=Rule.SIMPLE,
        rule_zh="简单接受(w = 0):测得值在限值内判为合格", evidence_accepted=("seen-P", "seen-S", "memory"),
        governing_date=date(2026, 11, 24), governing_basis="date of test",
        governing_basis_zh="以检验日期为准", camera=CAMERA.camera,
        declaration={"camera": {"point_class": 1, "kind": "network"}, "dates": {}}, origin=origin,
        station=_station(origin),
        display_delay_s=0.030, display_delay_u_s=0.004, interruption_s=interruption_s,
        capture=CaptureSettings(seconds=60.0, flashes=40), allow=(Intrusiveness.PASSIVE,),
        software="camcert 0.1.0", items=tuple(items),
    )  # fmt: skip


def _gauss(centre: float, sd: float, edges: list[float], n: int) -> list[int]:
    return [
        round(n * (edges[1] - edges[0]) / sd / 2.5066 * math.exp(-(((e - centre) / sd) ** 2) / 2))
        for e in edges[:-1]
    ]


def estimates() -> list[Estimate]:
    """What the measuring functions would return, with the series behind the curves."""
    frequency = [i / 100 for i in range(51)]
    intervals = [39.0 + 0.1 * i for i in range(21)]
    delays = [100.0 + 5.0 * i for i in range(13)]
    sfr = [math.exp(-2 * (math.pi * 0.7 * f) ** 2) for f in frequency]
    return [
        Estimate(quantity="stream.interruptions", kind=Kind.COUNT, value=0.0, unit="1", exact=True,
                 observed_s=61.2),
        Estimate(
            quantity="latency.to_centre", kind=Kind.RATIO, value=0.152341, unit="s", u=0.0020379, dof=39.0,
            budget=(
                Contribution(name="灯光指令至发光延迟的校准", u=0.0002, source="SIM-CAL-001"),
                Contribution(name="闪光间重复性(40次)", u=0.00034, dof=39.0, method="A", source="本次检验"),
                Contribution(name="显示环节", u=0.004 / 2, source="检验台声明"),
            ),
            details={"histogram": {"edges_ms": delays, "counts": _gauss(122.3, 9.0, delays, 40)},
                     "mean_s": 0.1223, "median_s": 0.1219, "p95_s": 0.1382, "max_s": 0.1451, "flashes": 40},
            notes=("终点:解码完成加声明的显示延迟",),
        ),
        Estimate(
            quantity="frame_rate.live", kind=Kind.RATIO, value=24.9995, unit="1/s", u=0.0010630, dof=None,
            details={"histogram": {"edges_ms": intervals, "counts": _gauss(40.0, 0.3, intervals, 1499)},
                     "time_base": 25.0, "arrival": 24.9994, "frames": 1500},
            budget=(Contribution(name="主机时钟", u=0.0008, source="NTP"),
                    Contribution(name="到达时刻抖动", u=0.0007, dof=1498.0, method="A", source="本次检验")),
        ),
        Estimate(quantity="rtp.timestamp_rule", kind=Kind.NOMINAL, value=True, unit="1"),
        Estimate(quantity="picture.width", kind=Kind.COUNT, value=1280.0, unit="px", exact=True,
                 details={"declared": {"sdp": 1280, "onvif": 1280}}),
        Estimate(
            quantity="resolution.centre", kind=Kind.RATIO, value=655.27, unit="TVL", u=5.323, dof=12.0,
            details={"curve": {"frequency": frequency, "sfr": sfr},
                     "curve_corners": {"frequency": frequency, "sfr": [v * v for v in sfr]},
                     "edges": {"edge.centre.left": {"mtf50": 0.268, "mtf10": 0.488, "angle_deg": 5.0,
                                                    "snr_db": 40.2},
                               "edge.top_left.left": {"mtf50": 0.19, "mtf10": None}}},
            budget=(Contribution(name="刃边函数噪声", u=4.1, dof=8.0, method="A", source="本次检验"),
                    Contribution(name="编码", u=3.3, source="docs/methods/resolution.md"),
                    Contribution(name="色调校正", u=0.8, source="灰阶")),
        ),
        Estimate(
            quantity="stream.completeness", kind=Kind.COUNT, value=3.0, unit="1", exact=True, observed_s=61.2,
            bound=Bound.LOWER, bound_reason="no content counter in view: repeated pictures stay unseen",
            details={"missing": [{"index": 60, "time_s": 2.4}, {"index": 1200, "time_s": 48.0}],
                     "repeated": [{"index": 50, "time_s": 2.0}], "damaged": [],
                     "gaps": [{"start_s": 20.0, "seconds": 1.0}], "seconds": 61.2},
        ),
    ]  # fmt: skip


ENVIRONMENT: dict[str, Any] = {
    "when": "start",
    "camera": {"manufacturer": "Simulated", "model": "SIM-C1", "firmware": "1.0.0", "serial": "SIM0001",
               "hardware": "1.0"},
    "stream": {"codec": "h264", "width": 1280, "height": 720, "fps": 25.0, "bitrate_kbit": 4000,
               "transport": "tcp"},
    "host": {"system": "Linux 6.1", "cpus": 2, "clock": "NTP", "temperature_c": 23.1},
    "air": [
        {"role": "climate_chamber", "quantity": "temperature", "value": 23.12, "unit": "degC", "raw": 23.1,
         "origin": "simulated", "at": "2026-11-24T02:00:00+00:00", "u": 0.2, "certificate": "T-1", "who": ""},
        {"role": "environment", "quantity": "humidity", "value": 45.0, "unit": "%", "raw": 45.0, "origin": "typed",
         "at": "2026-11-24T09:58:00+08:00", "u": None, "certificate": "", "who": "王工"},
    ],
}  # fmt: skip
_LUX: dict[str, Any] = {
    "role": "lux_meter", "quantity": "illuminance", "value": 501.5, "unit": "lx", "raw": 505.5, "origin": "typed",
    "at": "2026-11-24T09:59:00+08:00", "u": 4.5, "certificate": "CAL-2026-0117", "who": "王工",
}  # fmt: skip
CHECKS: tuple[dict[str, Any], ...] = (
    {"role": "lux_meter", "quantity": "illuminance", "reference": 500.0, "allowed": 15.0, "ok": True,
     "text": "lux_meter: illuminance by lux_meter is 501.5 lx, 500 ± 15 lx wanted", "mend": "", "reading": _LUX},
    {"role": "flash_lamp", "quantity": "response", "reference": None, "allowed": None, "ok": True,
     "text": "flash_lamp responds", "mend": "", "reading": None},
)  # fmt: skip


def _judge(journal: Journal, frozen: Plan, found: dict[str, Estimate]) -> None:
    """Journal the verdict of every item that has an estimate."""
    for item in frozen.items:
        got = found.get(item.clause.measurand.quantity)
        if item.applicability != "run" or got is None:
            continue
        verdict = decide(got, item.clause, item.rule, minimum_s=item.minimum_s)
        end = {"item": item.key, "execution": Execution.DONE, "conformity": verdict.model_dump(mode="json")}
        journal.append(EventKind.JUDGED, {**end, "reason": "", "reason_zh": ""})


def _around(journal: Journal, when: str, checked: bool = True) -> None:
    """Journal the interim checks and the environment."""
    for each in CHECKS:
        journal.append(EventKind.CHECKED, {"when": when, **each, "ok": checked})
    journal.append(EventKind.ENVIRONMENT, {**ENVIRONMENT, "when": when})


def write_record(
    folder: Path,
    frozen: Plan | None = None,
    *,
    sealed: bool = True,
    drop: tuple[str, ...] = (),
    checked: bool = True,
) -> Path:
    """Write a run folder as a run would. drop: quantities that are refused as bench faults instead; checked: how the
    interim checks after the run came out."""
    folder.mkdir(parents=True, exist_ok=True)
    frozen = frozen or plan()
    digest = write_plan(folder, frozen)
    evidence = Evidence(folder)
    with Journal.create(folder / JOURNAL) as journal:
        head = {"plan_sha256": digest, "run": "20261124-0001", "software": frozen.software}
        journal.append(EventKind.PLANNED, {**head, "origin": frozen.origin})
        journal.append(EventKind.OPENED, {"session": 1, "resumed": False})
        _around(journal, "start")
        journal.append(EventKind.SETTINGS_SAVED, {"settings": {"bitrate_kbit": 4000}})
        journal.append(EventKind.CAPTURING, {"capture": "live"})
        stored = {"stream": evidence.put(b"\x00\x00\x01" * 999), "packets": evidence.put(b"packets")}
        journal.append(
            EventKind.CAPTURED, {"capture": "live", "evidence": stored, "summary": {"units": 1500}}
        )
        found: dict[str, Estimate] = {}
        for estimate in estimates():
            if estimate.quantity in drop:
                journal.append(EventKind.REFUSED, {
                    "quantity": estimate.quantity, "subject": CAMERA.model_dump(), "execution": "bench_fault",
                    "reason": "the chart is not in the picture",
                    "reason_zh": "画面中未找到测试卡"})  # fmt: skip
                continue
            found[estimate.quantity] = estimate
            finding = Finding(
                estimate=estimate, subject=CAMERA, origin=frozen.origin, procedure="test",
                procedure_version="1", evidence=tuple(stored.values()),
            )  # fmt: skip
            journal.append(EventKind.MEASURED, {"finding": finding.model_dump(mode="json")})
        _judge(journal, frozen, found)
        journal.append(EventKind.SETTINGS_RESTORED, {"difference": {}})
        _around(journal, "end", checked)
        journal.append(EventKind.CLOSED, {"session": 1})
    if sealed:
        seal(folder)
    return folder


@pytest.fixture
def make_record(tmp_path: Path) -> Callable[..., Path]:
    """write_record into a folder of the test."""

    def make(name: str = "run", **options: Any) -> Path:
        return write_record(tmp_path / name, **options)

    return make


@pytest.fixture
def make_plan() -> Callable[..., Plan]:
    """The golden plan, with options."""
    return plan
