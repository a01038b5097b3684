"""`bench standards` as a person, a script and an editor use it."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from bench import catalogue_commands
from bench.catalogue_check import contradictions, differences
from bench.cli import main
from bench.proofs import proofs
from standards.catalogue import Catalogue, load
from standards.clause import Clause, Limit
from standards.coverage import State, tally

ORDER_230, ORDER_799 = "重庆市人民政府令第230号", "国务院令第799号"
OVERLAY = """[overlay]
name = "lab"
who = "Lab 7"
text = "GA/T 1127-2025, copy 17"
on = 2026-03-02

[[limit]]
row = "CAM-11.resolution"
unit = "TVL"
lower = 1000

[[contract]]
row = "NET-07"
reason_zh = "合同第3条"
"""
DECLARATION = """[camera]
kind = "network"

[[document]]
quantity = "works.trial_run"
file = "trial.pdf"
value = 31
by = "Li Ming"
on = 2026-06-01

[[document]]
quantity = "sign.visible"
file = "photographs/sign.jpg"
value = true
by = "Li Ming"
on = 2026-06-01
"""


def bench(*arguments: str | Path, code: int = 0) -> Result:
    done = CliRunner().invoke(main, ["standards", *map(str, arguments)], catch_exceptions=False)
    assert done.exit_code == code, done.output
    return done


def rows(*arguments: str | Path) -> list[str]:
    return [clause["row"] for clause in json.loads(bench("list", *arguments, "--json").stdout)]


def wanted(takes: Callable[[Clause], bool]) -> list[str]:
    found = [clause.row for clause in load().clauses if takes(clause)]
    assert found and len(found) < len(load().clauses)
    return found


def file(folder: Path, text: str, name: str = "lab.toml") -> Path:
    (folder / name).write_text(text, encoding="utf-8")
    return folder / name


@pytest.mark.parametrize(
    ("word", "attribute"), [("帧率", "title_zh"), ("frame rate", "title_en"), ("FRAME RATE", "title_en")]
)
def test_list_by_a_word_of_either_language(word: str, attribute: str) -> None:
    found = rows(word)
    assert "NET-07" in found and "LAW-230-10a" not in found
    assert set(wanted(lambda c: word.casefold() in getattr(c, attribute).casefold())) <= set(found)


@pytest.mark.parametrize(
    "word",
    [
        "NET-07",
        "GB/T 28181-2022:5.6",
        "frame_rate.live",
        "不小于25 帧/s",
        "class 1 and 2",
        "联网系统信息传输",
    ],
)
def test_list_looks_into_every_field(word: str) -> None:
    assert "NET-07" in rows(word)


def test_list_asks_for_every_word() -> None:
    assert set(rows("帧率", "class 1 and 2")) == set(rows("帧率")) & set(rows("class 1 and 2")) != set()
    assert rows("帧率", "no such word") == []


def test_list_filters() -> None:
    assert rows("--standard", "GB/T 28181-2022") == wanted(lambda c: c.standard == "GB/T 28181-2022")
    assert rows("--standard", "GB/T 28181") == wanted(lambda c: c.standard.startswith("GB/T 28181"))
    assert rows("--quantity", "frame_rate.live") == wanted(
        lambda c: c.measurand.quantity == "frame_rate.live"
    )
    assert rows("--article", "19") == wanted(lambda c: c.article == 19)
    assert rows("--standard", ORDER_230, "--article", "10") == wanted(
        lambda c: (c.standard, c.article) == (ORDER_230, 10)
    )


@pytest.mark.parametrize("day", [date(2020, 6, 1), date(2023, 6, 30), date(2023, 7, 1), date(2026, 6, 1)])
def test_list_what_stood_on_a_day(day: date) -> None:
    assert rows("--on", str(day)) == wanted(lambda c: c.in_force_on(day))


def test_list_as_json_carries_every_clause_whole() -> None:
    every = json.loads(bench("list", "--json").stdout)
    assert len(every) == len(load().clauses)
    for plain, clause in zip(every, load().clauses, strict=True):
        assert plain.pop("id") == clause.id
        assert Clause.model_validate(plain) == clause


def test_list_as_a_table() -> None:
    done = bench("list", "--quantity", "frame_rate.live")
    for words in ("NET-07", "GB/T 28181-2022:5.6", "视频帧率", "≥ 25 1/s", "recommended", "seen-P"):
        assert words in done.stdout
    count = len(wanted(lambda c: c.measurand.quantity == "frame_rate.live"))
    assert done.stdout.endswith(f"{count} of {len(load().clauses)} clauses\n")


def test_list_with_an_overlay(tmp_path: Path) -> None:
    path = file(tmp_path, OVERLAY)
    known = {c["row"]: c for c in json.loads(bench("list", "--overlay", path, "--json").stdout)}
    assert known["CAM-11.resolution"]["limit"]["lower"] == "1000"
    assert {row for row, clause in known.items() if clause["overlay"]} == {"CAM-11.resolution", "NET-07"}
    assert "1000 TVL" in bench("list", "CAM-11.resolution", "--overlay", path).stdout
    assert "text required" in bench("list", "CAM-11.resolution").stdout


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["list", "--quantity", "frame_rate.life"], ["no quantity 'frame_rate.life'", "frame_rate.live"]),
        (["list", "--on", "yesterday"], ["--on", "yesterday"]),
        (["list", "--article", "nineteen"], ["--article"]),
        (["list", "--overlay", "/no/such.toml"], ["/no/such.toml"]),
        (["show", "NET-7"], ["no clause 'NET-7'", "NET-07"]),
        (["show"], ["NAME"]),
        (["diff", "GB/T 28181-2016", "GB/T 28181-2020"], ["no text 'GB/T 28181-2020'", "GB/T 28181-2022"]),
        (["diff", "GB/T 28181-2011", "GB/T 28181-2022"], ["no text 'GB/T 28181-2011'"]),
        (["check", "/no/such.toml"], ["/no/such.toml"]),
        (["schema", "station"], ["overlay"]),
    ],
)
def test_mistakes_end_with_2_and_say_what_there_is(arguments: list[str], words: list[str]) -> None:
    done = bench(*arguments, code=2)
    assert done.stdout == ""
    for word in words:
        assert word in done.stderr


def test_show_a_row_its_parts_and_a_number() -> None:
    def shown(name: str) -> list[str]:
        return [clause["row"] for clause in json.loads(bench("show", name, "--json").stdout)]

    assert shown("NET-07") == wanted(lambda c: c.row == "NET-07" or c.row.startswith("NET-07."))
    assert shown("NET-07.local") == ["NET-07.local"]
    assert shown("CAM-11") == wanted(lambda c: c.row.startswith("CAM-11."))
    assert shown("GB/T 28181-2022:5.6") == wanted(lambda c: c.id == "GB/T 28181-2022:5.6")
    (plain,) = json.loads(bench("show", "CAM-11.latency", "--json").stdout)
    assert plain.pop("id") == "GA/T 1127-2025"
    assert Clause.model_validate(plain) == load().clause("CAM-11.latency")


def test_show_tells_the_whole_clause(tmp_path: Path) -> None:
    shown = bench("show", "NET-07", "--overlay", file(tmp_path, OVERLAY)).stdout
    clause = load().clause("NET-07")
    for words in (
        "NET-07  GB/T 28181-2022:5.6", clause.title_zh, clause.title_en, clause.requirement_zh, "≥ 25 1/s",
        "compared rounded", "frame_rate.live", "measured", "contract", "seen-P, G28", "point_class: 1 or 2",
        "2023-07-01 … open", "合同第3条", "│ overlay",
    ):  # fmt: skip
        assert words in shown
    superseded = bench("show", "NET-08.4cif").stdout
    assert "not known … 2023-07-01 (GB/T 28181-2022)" in superseded and "│ overlay" not in superseded


def test_diff_of_two_editions() -> None:
    found = json.loads(bench("diff", "GB/T 28181-2016", "GB/T 28181-2022", "--json").stdout)
    assert all(set(row) == {"quantity", "older", "newer", "what"} for row in found)
    by_quantity = {row["quantity"]: row for row in found}
    assert by_quantity["latency.to_centre"]["what"] == "same"
    assert by_quantity["frame_rate.live"] == {
        "quantity": "frame_rate.live",
        "older": "NET-08.4cif: ≥ 15 1/s (definition sd/quasi_hd/hd/uhd)",
        "newer": "NET-07: ≥ 25 1/s (point_class 1/2)",
        "what": "changed",
    }
    assert by_quantity["bandwidth.front_end"] == {
        "quantity": "bandwidth.front_end",
        "older": "NET-09.front_end: ≥ 0.512 Mbit/s",
        "newer": "",
        "what": "removed",
    }
    assert by_quantity["sip.udp"]["what"] == "added"
    shown = bench("diff", "GB/T 28181-2016", "GB/T 28181-2022").stdout
    assert "NET-09.front_end: ≥ 0.512 Mbit/s" in shown and "removed" in shown and "added" in shown


@pytest.mark.parametrize(
    ("older", "newer"),
    [
        ("GB/T 28181-2016", "GB/T 28181-2022"),
        ("GB 50348-2004", "GB 50348-2018"),
        ("GA/T 1127-2013", "GA/T 1127-2025"),
        ("IEC 62676-4:2014", "IEC 62676-4:2025"),
    ],
)
def test_diff_loses_no_clause_of_either_edition(older: str, newer: str) -> None:
    found = json.loads(bench("diff", older, newer, "--json").stdout)
    for side, name in (("older", older), ("newer", newer)):
        shown = [row[side].partition(": ")[0] for row in found if row[side]]
        assert sorted(shown) == sorted(c.row for c in load().clauses if c.standard == name)
    for row in found:
        if row["what"] != "text required":  # of what nobody has read nothing is said to have gone or come
            assert ["added", "removed"].count(row["what"]) == [row["older"], row["newer"]].count("")
    assert newer != "GA/T 1127-2025" or {row["what"] for row in found} == {"text required"}


@pytest.mark.parametrize(
    ("changes", "what"),
    [({}, "same"), ({"comparison": "rounded"}, "changed"), ({"limit": Limit(upper=Decimal(3))}, "changed")],
)
def test_diff_minds_limit_and_comparison(changes: dict[str, Any], what: str) -> None:
    found = differences(bent("NET-01", **changes), "GB/T 28181-2016", "GB/T 28181-2022")
    assert [row["what"] for row in found if row["quantity"] == "latency.to_centre"] == [what]


def test_coverage_names_each_article_and_each_text() -> None:
    shown = bench("coverage").stdout
    lines = [[cell.strip() for cell in line.split("│")[1:-1]] for line in shown.splitlines() if "│" in line]
    table = {cells[0]: dict(zip(State, cells[1:], strict=True)) for cells in lines}
    found = json.loads(bench("coverage", "--json").stdout)
    assert found[0]["name"] == ORDER_230, "the law comes first"
    for article in range(7, 21):
        assert f"{ORDER_230} 第{article}条" in table
    assert {clause.standard for clause in load().clauses} <= set(table)
    named = {t["name"] + (f" 第{t['article']}条" if t["article"] else ""): t["counts"] for t in found}
    assert len(named) == len(found) and set(named) | {"all"} == set(table)
    for name, counts in named.items():
        assert table[name] == {state: str(counts[state] or "") for state in State}, name
    totals = {state: sum(counts[state] for counts in named.values()) for state in State}
    assert table["all"] == {state: str(total) for state, total in totals.items()}
    assert sum(totals.values()) == len(load().clauses)
    assert {tuple(one["rows"]) for one in found} == {
        t.rows for t in tally(load().clauses, proofs(), ORDER_230)
    }


def test_coverage_with_an_overlay_has_one_text_fewer_to_wait_for(tmp_path: Path) -> None:
    def waiting(*arguments: str | Path) -> int:
        found = json.loads(bench("coverage", "--json", *arguments).stdout)
        return sum(one["counts"]["text_required"] for one in found)

    assert waiting("--overlay", file(tmp_path, OVERLAY)) == waiting() - 1


def test_check_of_what_comes_with_camcert() -> None:
    texts = {clause.standard for clause in load().clauses}
    assert bench("check").stdout == (
        f"{len(load().clauses)} clauses of {len(texts)} texts, {len(load().quantities)} quantities: all well\n"
    )


def test_check_says_what_each_file_is(tmp_path: Path) -> None:
    scheme = Path(catalogue_commands.__file__).parents[1] / "standards" / "schemes" / "acceptance.toml"
    overlay, declaration = file(tmp_path, OVERLAY), file(tmp_path, DECLARATION, "declaration.toml")
    (tmp_path / "trial.pdf").write_bytes(b"log")
    lines = bench("check", overlay, scheme, declaration).stdout.splitlines()
    assert lines[:3] == [
        f"{overlay}: an overlay of Lab 7, 2 clauses: well",
        f"{scheme}: scheme acceptance: well",
        f"{declaration}: a declaration: well, 1 of 2 documents there; absent: photographs/sign.jpg",
    ]
    (tmp_path / "photographs").mkdir()
    (tmp_path / "photographs" / "sign.jpg").write_bytes(b"sign")
    assert "2 of 2 documents there\n" in bench("check", declaration).stdout


@pytest.mark.parametrize(
    ("text", "place", "words"),
    [
        (OVERLAY.replace("unit", "units"), ":9: limit[1].units: ", "unknown key. Mend: did you mean 'unit'?"),
        (
            OVERLAY.replace("NET-07", "LAW-230-10a"),
            ":13: contract[1].row: ",
            "is law. Mend: leave",
        ),
        (OVERLAY.replace("CAM-11", "CAM-12"), ":8: limit[1].row: ", "Mend: see `bench standards list`"),
        (DECLARATION.replace("trial.pdf", "../t.pdf"), ":6: document[1].file: ", "Mend: put it beside"),
        (
            DECLARATION.replace("network", "web"),
            ":2: camera.kind: ",
            "Mend: write a value that fits; it is web",
        ),
        ('rule = "simple"\n', "lab.toml: name: ", "is missing. Mend: add it"),
        ("x = = 1", "lab.toml: ", "is not TOML: Invalid value (at line 1, column 5). Mend: mend that line"),
        ("[overly]\n", "lab.toml: ", "holds overly. Mend: write an overlay ([overlay]), a scheme"),
        ("", "lab.toml: ", "holds nothing. Mend: write an overlay"),
    ],
)
def test_check_of_a_wrong_file(tmp_path: Path, text: str, place: str, words: str) -> None:
    path = file(tmp_path, text)
    done = bench("check", path, code=2)
    assert done.stderr.startswith(f"error: {tmp_path}")
    assert place in done.stderr and words in done.stderr and str(path) in done.stderr
    assert "all well" not in done.stdout


def bent(row: str, **changes: Any) -> Catalogue:
    known = load()
    clauses = tuple(c.model_copy(update=changes) if c.row == row else c for c in known.clauses)
    return replace(known, clauses=clauses)


@pytest.mark.parametrize(
    ("known", "words"),
    [
        (bent("NET-07", limit=Limit(equals=True)), "NET-07: 'equals' on frame_rate.live, which is a ratio"),
        (
            bent("LAW-230-10a", limit=Limit(lower=Decimal(1))),
            "LAW-230-10a: a numeric limit on sign.visible, which is nominal",
        ),
        (
            bent("NET-07", superseded=date(2030, 1, 1), superseded_by="GB/T 28181-2030"),
            "NET-07: superseded by 'GB/T 28181-2030', which is not in the catalogue",
        ),
    ],
)
def test_check_tells_contradictions(known: Catalogue, words: str, monkeypatch: pytest.MonkeyPatch) -> None:
    assert contradictions(load()) == ()
    assert contradictions(known) == (words,)
    monkeypatch.setattr(catalogue_commands, "load", lambda: known)
    done = bench("check", code=2)
    assert done.stdout == f"{words}\n" and "1 contradictions in the catalogue" in done.stderr


def strange(schema: dict[str, Any], node: dict[str, Any], data: Any) -> list[str]:
    """Keys of data that the schema does not know, and keys it requires that are not there."""
    while "$ref" in node:
        node = schema["$defs"][node["$ref"].rpartition("/")[2]]
    if isinstance(data, list):
        return [found for each in data for found in strange(schema, node.get("items", {}), each)]
    if not isinstance(data, dict) or node.get("type") != "object":
        return []
    assert node["additionalProperties"] is False
    known = node["properties"]
    found = [f"{key}?" for key in data if key not in known]
    found += [f"{key}!" for key in node.get("required", []) if key not in data]
    return found + [more for key in data if key in known for more in strange(schema, known[key], data[key])]


@pytest.mark.parametrize(
    ("kind", "text", "wrong"),
    [
        ("overlay", OVERLAY, []),
        ("overlay", OVERLAY.replace("unit", "units"), ["units?"]),
        ("overlay", OVERLAY.replace('reason_zh = "合同第3条"', ""), ["reason_zh!"]),
        ("overlay", OVERLAY.replace("on = 2026-03-02", "") + "[scope]\n", ["scope?", "on!"]),
        ("declaration", DECLARATION, []),
        ("declaration", DECLARATION.replace("file", "fill"), ["fill?", "file!"] * 2),
    ],
)
def test_the_schema_knows_the_keys_of_a_file(kind: str, text: str, wrong: list[str]) -> None:
    schema = json.loads(bench("schema", kind).stdout)
    assert strange(schema, schema, tomllib.loads(text)) == wrong


@pytest.mark.parametrize("kind", ["clauses", "quantities", "scheme"])
def test_the_schema_knows_the_files_that_come_with_camcert(kind: str) -> None:
    schema = json.loads(bench("schema", kind).stdout)
    folder = (
        Path(catalogue_commands.__file__).parents[1] / "standards" / ("schemes" if kind == "scheme" else kind)
    )
    files = sorted(folder.glob("*.toml"))
    assert files
    for path in files:
        assert strange(schema, schema, tomllib.loads(path.read_text("utf-8"))) == [], path
