"""Digits and words: two significant digits of U, no digit on the wrong side of a limit, full-width marks."""

from __future__ import annotations

import ast
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reports.figures import figure_of
from reports.found import Found, read_found
from reports.phrases import edge_zh, known, translated
from reports.wording import number, punctuated, remark_zh, result_zh, rounded, value_text, verdict_zh
from standards.clause import Limit
from standards.quantity import Bound, Estimate, Kind

Make = Callable[..., Path]
REASONABLE = st.floats(min_value=-1e6, max_value=1e6, allow_nan=False)
WIDTHS = st.floats(min_value=1e-6, max_value=1e5)


@pytest.mark.parametrize(
    ("value", "expanded", "digits"),
    [
        (24.99952, 0.00218, ("24.9995", "0.0022")),
        (655.27, 11.6, ("655", "12")),
        (6553.0, 123.4, ("6550", "120")),
        (0.152341, 0.00996, ("0.152", "0.010")),
        (1.0, 0.0995, ("1.00", "0.10")),
        (0.15, 0.025, ("0.150", "0.025")),
        (3.0, 0.0, ("3", "")),
        (1280.0, 0.0, ("1280", "")),
        (0.1234567, None, ("0.123457", "")),
    ],
)
def test_value_is_rounded_to_the_uncertainty(
    value: float, expanded: float | None, digits: tuple[str, str]
) -> None:
    assert rounded(value, expanded) == digits


@given(value=REASONABLE, expanded=WIDTHS)
def test_uncertainty_keeps_two_significant_digits(value: float, expanded: float) -> None:
    shown, width = rounded(value, expanded)
    assert len(Decimal(width).normalize().as_tuple().digits) <= 2
    assert abs(float(width) / expanded - 1) <= 0.05
    exponent = Decimal(width).as_tuple().exponent
    assert isinstance(exponent, int)
    assert Decimal(shown).as_tuple().exponent == exponent
    assert abs(Decimal(shown) - Decimal(repr(value))) <= Decimal(10) ** (
        Decimal(width).adjusted() - 1
    ) / 2 + Decimal("1e-12")


@given(value=st.floats(1.0, 3.0), expanded=WIDTHS)
def test_printed_value_lies_on_the_side_of_the_limit_that_was_judged(value: float, expanded: float) -> None:
    for limit in (Limit(upper=Decimal("2")), Limit(lower=Decimal("2"))):
        shown, _ = rounded(value, expanded, limit)
        assert (Decimal(shown) > 2) == (Decimal(repr(value)) > 2) or limit.upper is None
        assert (Decimal(shown) < 2) == (Decimal(repr(value)) < 2) or limit.lower is None


def test_a_value_just_beyond_its_limit_is_printed_beyond_it() -> None:
    assert rounded(2.0004, 0.12, Limit(upper=Decimal("2")))[0] == "2.0004"


def _estimate(**more: object) -> Estimate:
    return Estimate.model_validate(
        {"quantity": "latency.camera", "kind": Kind.RATIO, "value": 0.1523, "unit": "s", "u": 0.002, **more}
    )


def test_values_on_the_terminal() -> None:
    assert value_text(_estimate()) == "0.1523 ± 0.0039 s"
    assert value_text(_estimate(bound=Bound.LOWER, bound_reason="x")) == "≥ 0.1523 ± 0.0039 s"
    assert value_text(_estimate(u=None)) == "0.1523 s"
    count = {"kind": Kind.COUNT, "value": 3.0, "unit": "1", "u": None, "exact": True}
    assert value_text(_estimate(**count)) == "3"
    assert value_text(_estimate(kind=Kind.NOMINAL, value=True, u=None)) == "yes"


def test_results_on_paper() -> None:
    assert result_zh(_estimate()) == "(0.1523 ± 0.0039) s\nk = 1.96"
    assert result_zh(_estimate(bound=Bound.LOWER, bound_reason="x")).startswith("≥ (0.1523")
    assert result_zh(_estimate(u=None)) == "0.1523 s\n不确定度未评定"
    count = {"kind": Kind.COUNT, "value": 3.0, "unit": "1", "u": None, "exact": True}
    assert result_zh(_estimate(quantity="stream.completeness", **count)) == "3 幅"
    assert result_zh(_estimate(kind=Kind.NOMINAL, value=False, u=None)) == "不符合"
    assert result_zh(_estimate(quantity="frame_rate.live", unit="1/s")).endswith("帧/s\nk = 1.96")


def test_chinese_punctuation_is_full_width() -> None:
    assert punctuated("图像(中心),帧率:25,合格;") == "图像\uff08中心\uff09\uff0c帧率\uff1a25\uff0c合格\uff1b"
    assert punctuated("摘要(SHA-256)") == "摘要\uff08SHA-256\uff09"
    for kept in ("ILAC-G8:09/2019", "rtsp://192.0.2.1:554/a,b", "(24.9 ± 0.1) s", "f(x), g(y); h"):
        assert punctuated(kept) == kept


@given(text=st.text(alphabet="图像(),:;ab1 "))
def test_punctuation_changes_nothing_but_marks(text: str) -> None:
    plain = str.maketrans({"\uff08": "(", "\uff09": ")", "\uff0c": ",", "\uff1a": ":", "\uff1b": ";"})
    assert punctuated(text).translate(plain) == text
    assert punctuated(punctuated(text)) == punctuated(text)


def test_small_and_large_side_results() -> None:
    assert [number(v) for v in (0.0, 0.0018, 1500.0, 123456.0, 1e-9)] == [
        "0",
        "0.0018",
        "1500",
        "123500",
        "1.000e-9"[:5] + "e-09",
    ]


def test_remarks_are_translated_part_by_part() -> None:
    assert translated("limit unknown: text required") == "待取得标准文本"
    assert (
        translated("observed 61.2 s, the scheme asks for 86400 s") == "观测时间61.2 s,方案要求不少于86400 s"
    )
    both = "no platform in the path; arrival only: the display's delay is not stated"
    assert known(both)
    assert translated(both).count(";") == 1
    assert translated("something new; no platform in the path") == "something new;测量路径中不含平台"
    assert not known("something new")
    assert translated("edge.centre.left: noise") == "中心左缘:噪声"
    assert edge_zh("edge.top_left.bottom") == "左上下缘"


def _remarks(tree: ast.AST) -> list[str]:
    """Texts that a measuring module gives to a report: arguments of budget lines, and what goes to notes."""
    texts = []
    for node in ast.walk(tree):
        called = node.func if isinstance(node, ast.Call) else None
        if isinstance(called, ast.Name) and called.id in ("normal", "rectangular", "type_a", "Contribution"):
            assert isinstance(node, ast.Call)
            values = [*node.args, *(k.value for k in node.keywords if k.arg in ("name", "source"))]
            texts += [v.value for v in values if isinstance(v, ast.Constant) and isinstance(v.value, str)]
    return texts


def test_every_line_of_a_budget_has_its_chinese_words() -> None:
    folder = Path(__file__).parents[2] / "bench" / "measure"
    texts = {text for path in folder.glob("*.py") for text in _remarks(ast.parse(path.read_text()))}
    assert texts
    assert sorted(text for text in texts if text not in ("A", "B", "") and not known(text)) == []


def _by_row(found: Found) -> dict[str, tuple[str, str]]:
    return {o.item.clause.row: (verdict_zh(o), remark_zh(o)) for o in found.outcomes}


def test_verdicts_and_remarks_of_the_golden_record(make_record: Make) -> None:
    words = _by_row(read_found(make_record(drop=("rtp.timestamp_rule",))))
    assert words["LAW-230-19-7"] == ("合格", "观测时间61.2 s\uff0c方案要求不少于60 s")
    assert words["IMG-08"][0] == "未满足本条要求"
    assert words["IMG-08"][1].startswith("测得值为下限\uff1a画面中无内容计数器")
    assert words["CAM-11.resolution"] == ("/", "待取得标准文本")
    assert words["DB216-UNK"] == ("/", "未检\uff1a待取得标准文本")
    assert words["NET-03"][1] == "未检\uff1a本版本尚无检验方法"
    assert words["NET-07.class3"] == ("/", "申报为一类视频监控点\uff0c本条不适用")
    assert words["NET-4.3.6"] == ("/", "检测设备故障\uff0c未得出结果\uff1a画面中未找到测试卡")
    assert words["NET-07"] == ("满足推荐性要求", "按GB/T 8170修约到限值的位数后比较")
    assert words["IMG-10.width"][1] == "限值未见原文\uff0c须核对"


DETAILS = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers(-9, 9) | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(
        ["curve", "frequency", "sfr", "histogram", "edges_ms", "counts", "missing", "gaps", "time_s",
         "seconds", "start_s", "totals", "curve_corners", "p95_s"]), inner, max_size=6),
    max_leaves=20,
)  # fmt: skip


@given(
    details=st.dictionaries(
        st.sampled_from(["curve", "histogram", "missing", "gaps", "frequency", "sfr", "totals"]), DETAILS
    )
)
def test_any_details_give_a_drawing_or_none(details: dict[str, object]) -> None:
    drawn = figure_of(_estimate().model_copy(update={"details": details}))
    assert drawn is None or drawn.kind


def test_drawings_of_series() -> None:
    curve = figure_of(_estimate(details={"curve": {"frequency": [0.0, 0.25, 0.5], "sfr": [1.0, 0.5, 0.0]}}))
    assert curve is not None
    assert [(round(at, 3), words) for at, words in curve.marks] == [
        (0.25, "MTF50 = 0.25"),
        (0.45, "MTF10 = 0.45"),
    ]
    bars = figure_of(
        _estimate(
            details={"histogram": {"edges_ms": [0, 1, 2, 3, 4], "counts": [0, 0, 5, 0]}, "p95_s": 0.0025}
        )
    )
    assert bars is not None
    assert bars.bars == ((1.0, 2.0, 0.0), (2.0, 3.0, 5.0), (3.0, 4.0, 0.0))
    assert bars.marks == ((2.5, "95 %分位"),)
    gap = {"start_s": 2.0, "seconds": 3.0}
    line = figure_of(
        _estimate(details={"missing": [{"index": 1, "time_s": 0.5}], "gaps": [gap], "seconds": 60.0})
    )
    assert line is not None
    assert [lane["name"] for lane in line.lanes] == ["缺失 1", "间断 1"]
    assert line.x["max"] == 60.0
