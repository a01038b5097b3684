"""`bench sample`: a draw that anybody can repeat, its rounds, and a journal that shows what was altered."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bench import sampling_record
from bench.cli import main
from bench.sampling_record import draw_sample, lots_of, read_sample, record_round
from reports.journal import Journal, replay
from reports.record import EventKind
from standards.errors import BadFile, RecordError
from standards.sampling import Method, SamplingRule, draw, sample_size

DOMES = [f"CAM-{n:03}" for n in range(1, 41)]
BULLETS = ["东门", "西门", "南门"]
POINTS = "name,model\n" + "".join(f"{n},Dome 4M\n" for n in DOMES) + "".join(f"{n},枪机\n" for n in BULLETS)
ANY_TMP = settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


def bench(*arguments: object, code: int = 0) -> Result:
    done = CliRunner().invoke(main, ["sample", *map(str, arguments)], catch_exceptions=False)
    assert done.exit_code == code, done.output
    return done


def points(folder: Path, text: str = POINTS, encoding: str = "utf-8") -> Path:
    path = folder / "points.csv"
    path.write_bytes(text.encode(encoding))
    return path


def drawn(
    folder: Path, *arguments: str, text: str = POINTS, out: str = "s", seed: str = "7"
) -> dict[str, Any]:
    """Draw into folder/out, and what the command printed as JSON."""
    order = ["draw", points(folder, text), "--out", folder / out, "--by", "Li Ming", "--seed", seed, "--json"]
    printed: dict[str, Any] = json.loads(bench(*order, *arguments).stdout)
    return printed


def samples(printed: dict[str, Any]) -> dict[str, list[str]]:
    return {lot["model"]: lot["sample"] for lot in printed["lots"]}


def inspected(folder: Path, lot: str, failed: Sequence[str] = (), code: int = 0) -> dict[str, Any]:
    """Give a lot's result, and the lot as the command printed it as JSON."""
    failures = [word for name in failed for word in ("--failed", name)]
    done = bench("result", folder, "--lot", lot, "--by", "Wang Fang", "--json", *failures, code=code)
    (one,) = json.loads(done.stdout)["lots"]
    assert isinstance(one, dict)
    return one


def forged(folder: Path, source: Path, changes: dict[str, Any], *events: dict[str, Any]) -> Path:
    """A sample whose chain is whole again over a draw with changes to its first lot, and these rounds."""
    folder.mkdir()
    data = replay(source / "journal.jsonl")[0].data
    data["lots"]["Dome 4M"] |= changes
    with Journal.create(folder / "journal.jsonl") as journal:
        journal.append(EventKind.DRAWN, data)
        for event in events:
            journal.append(EventKind.INSPECTED, event)
    return folder


def test_draw_follows_the_scheme_and_the_seed(tmp_path: Path) -> None:
    printed = drawn(tmp_path)
    assert (
        printed["seed"] == "7" and printed["rule"]["method"] == "gb_50348" and printed["rule"]["level"] == "I"
    )
    assert samples(printed) == {
        "Dome 4M": list(draw(DOMES, 5, "7/Dome 4M")),
        "枪机": sorted(BULLETS, key=lambda name: hashlib.sha256(f"7/枪机/{name}".encode()).digest()),
    }
    assert [lot["names"] for lot in printed["lots"]] == [sorted(DOMES), sorted(BULLETS)]
    assert {(lot["outcome"], len(lot["rounds"])) for lot in printed["lots"]} == {("open", 0)}


def test_the_draw_is_journalled_with_its_file_rule_and_person(tmp_path: Path) -> None:
    printed = drawn(tmp_path)
    (event,) = replay(tmp_path / "s" / "journal.jsonl")
    assert event.kind is EventKind.DRAWN
    assert (event.data["by"], event.data["file"], event.data["seed"]) == ("Li Ming", "points.csv", "7")
    assert event.data["file_sha256"] == hashlib.sha256(POINTS.encode()).hexdigest()
    assert event.data["rule"] == printed["rule"]
    assert {model: lot["sample"] for model, lot in event.data["lots"].items()} == samples(printed)
    assert [path.name for path in (tmp_path / "s").iterdir()] == ["journal.jsonl"]


def test_the_same_seed_draws_the_same_whatever_the_order(tmp_path: Path) -> None:
    head, *lines = POINTS.splitlines()
    again = "\n".join([head, *reversed(lines)])
    first, second, other = (
        samples(drawn(tmp_path, text=text, out=out, seed=seed))
        for text, out, seed in ((POINTS, "1", "7"), (again, "2", "7"), (POINTS, "3", "8"))
    )
    assert first == second != other


def test_without_a_seed_chance_draws_and_is_journalled(tmp_path: Path) -> None:
    order = ["draw", points(tmp_path), "--by", "Li Ming", "--json", "--out"]
    seeds = [json.loads(bench(*order, tmp_path / out).stdout)["seed"] for out in ("1", "2")]
    assert seeds[0] != seeds[1] and all(len(seed) == 16 for seed in seeds)
    for out, seed in zip(("1", "2"), seeds, strict=True):
        told = bench("check", tmp_path / out).stdout
        assert told.startswith(f"{tmp_path / out}: drawn as journalled, 1 entries, head ")
        assert read_sample(tmp_path / out)[0]["seed"] == seed


@pytest.mark.parametrize(
    ("arguments", "domes", "bullets"),
    [
        (["--level", "II"], 8, 3),
        (["--enlarge", "1.5"], 8, 3),
        (["--method", "gb_50339"], 8, 3),
        (["--method", "all"], 40, 3),
        (["--scheme", "acceptance", "--method", "gb_50339", "--enlarge", "2"], 16, 3),
        (["--scheme", "acceptance", "--method", "gb_50348", "--level", "II"], 8, 3),
    ],
)
def test_other_rules(tmp_path: Path, arguments: list[str], domes: int, bullets: int) -> None:
    printed = drawn(tmp_path, *arguments)
    assert [len(sample) for sample in samples(printed).values()] == [domes, bullets]
    assert sample_size(40, SamplingRule.model_validate(printed["rule"])) == domes
    bench("check", tmp_path / "s")


def test_the_table_names_every_camera_drawn(tmp_path: Path) -> None:
    drawn(tmp_path)
    shown = bench("show", tmp_path / "s").stdout
    for words in (
        "gb_50348, level I, seed 7",
        "Dome 4M",
        "枪机",
        *draw(DOMES, 5, "7/Dome 4M"),
        *BULLETS,
        "open",
    ):
        assert words in shown
    table = bench("draw", points(tmp_path), "--out", tmp_path / "t", "--by", "Li Ming", "--seed", "7").stdout
    assert table == shown


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030"])
def test_what_spreadsheets_write(tmp_path: Path, encoding: str) -> None:
    text = POINTS.replace("\n", "\r\n")
    assert lots_of(points(tmp_path, text, encoding)) == {"Dome 4M": DOMES, "枪机": BULLETS}


def test_columns_of_other_names(tmp_path: Path) -> None:
    text = '序号, 点位名称 ,备注,型号\n1,"东门, 北侧","两\n行", 枪机 \n2,西门,,球机\n'
    assert samples(drawn(tmp_path, "--name", "点位名称", "--model", "型号", text=text)) == {
        "枪机": ["东门, 北侧"],
        "球机": ["西门"],
    }


@given(
    st.lists(st.tuples(st.integers(0, 99), st.sampled_from("AB")), min_size=1, unique_by=lambda row: row[0])
)
@ANY_TMP
def test_every_camera_is_in_one_lot(tmp_path: Path, cameras: list[tuple[int, str]]) -> None:
    text = "model,name\n" + "".join(f"{kind},{number}\n" for number, kind in cameras)
    assert lots_of(points(tmp_path, text)) == {
        kind: [str(number) for number, k in cameras if k == kind]
        for kind in dict.fromkeys(k for _, k in cameras)
    }


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("名称,model\nA,x\n", "line 1: has no column 'name'. Mend: name one of 名称, model by --name"),
        ("name,型号\nA,x\n", "line 1: has no column 'model'. Mend: name one of name, 型号 by --model"),
        ("name;model\nA;x\n", "has no column 'name'. Mend: name one of name;model by --name"),
        ("name,model\nA,x\n ,x\n", "line 3: a name or model is empty. Mend: fill both in"),
        ("name,model\nA,x\nB\n", "line 3: a name or model is empty"),
        ("name,model\nA,x\nB,y\nA,y\n", "line 4: 'A' stands twice. Mend: give each camera its own name"),
        ("name,model\n", "holds no camera. Mend: list one a line under the head"),
        ("", "line 1: has no column 'name'"),
    ],
)
def test_a_list_that_is_refused(tmp_path: Path, text: str, words: str) -> None:
    done = bench("draw", points(tmp_path, text), "--out", tmp_path / "s", "--by", "x", code=2)
    assert words in done.stderr and str(tmp_path / "points.csv") in done.stderr
    assert not (tmp_path / "s").exists()


def test_bytes_that_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(BadFile, match=r"neither UTF-8 nor GB 18030\. Mend: save it as CSV UTF-8"):
        lots_of(points(tmp_path, encoding="utf-16"))
    size = len(POINTS.encode())
    monkeypatch.setattr(sampling_record, "_LARGEST", size)
    assert len(lots_of(points(tmp_path))) == 2
    monkeypatch.setattr(sampling_record, "_LARGEST", size - 1)
    with pytest.raises(BadFile, match=f"is {size} bytes long. Mend: keep it under {size - 1}"):
        lots_of(points(tmp_path))


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--scheme", "acceptance"], "scheme acceptance has no [sampling]: give --method"),
        (["--scheme", "acceptance", "--level", "II"], "give --method"),
        (["--scheme", "sistem"], "did you mean 'system'?"),
        (["--level", "III"], "'III' is not one of 'I', 'II'"),
        (["--method", "some"], "gb_50348"),
        (["--enlarge", "twice"], "--enlarge"),
    ],
)
def test_a_draw_that_is_refused(tmp_path: Path, arguments: list[str], words: str) -> None:
    order = ["draw", points(tmp_path), "--out", tmp_path / "s", "--by", "x", *arguments]
    assert words in bench(*order, code=2).stderr
    assert not (tmp_path / "s").exists()


def test_nobody_draws_twice_into_one_folder(tmp_path: Path) -> None:
    drawn(tmp_path)
    before = (tmp_path / "s" / "journal.jsonl").read_bytes()
    done = bench("draw", points(tmp_path), "--out", tmp_path / "s", "--by", "x", code=2)
    assert "holds a sample already: give another --out" in done.stderr
    assert (tmp_path / "s" / "journal.jsonl").read_bytes() == before


def test_a_lot_that_passes_has_its_end(tmp_path: Path) -> None:
    drawn(tmp_path)
    assert inspected(tmp_path / "s", "枪机") == {
        "model": "枪机",
        "names": sorted(BULLETS),
        "sample": list(draw(BULLETS, 3, "7/枪机")),
        "rounds": [[3, 0]],
        "outcome": "passed",
    }
    done = bench("result", tmp_path / "s", "--lot", "枪机", "--by", "x", code=2)
    assert "枪机 has its end already: passed" in done.stderr
    assert read_sample(tmp_path / "s")[1][0].outcome == "open", "the other lot is not touched"
    event = replay(tmp_path / "s" / "journal.jsonl")[-1]
    assert event.kind is EventKind.INSPECTED and event.data["by"] == "Wang Fang"
    assert (event.data["lot"], event.data["round"], event.data["inspected"]) == ("枪机", 1, 3)


def test_a_failure_doubles_and_corrected_cameras_pass(tmp_path: Path) -> None:
    first = samples(drawn(tmp_path))["Dome 4M"]
    again = inspected(tmp_path / "s", "Dome 4M", [first[2], first[0], *[first[2]] * 5])
    assert (again["outcome"], again["rounds"], len(again["sample"])) == ("reinspect", [[5, 2]], 10)
    assert again["sample"] == list(draw(DOMES, 10, "7/Dome 4M")) and again["sample"][:5] == first
    assert replay(tmp_path / "s" / "journal.jsonl")[-1].data["failed"] == sorted([first[0], first[2]])
    bench("check", tmp_path / "s")
    ended = inspected(tmp_path / "s", "Dome 4M")
    assert (ended["outcome"], ended["rounds"]) == ("passed", [[5, 2], [10, 0]])
    bench("check", tmp_path / "s")
    assert "passed round 1: 2 of 5 failed; round 2: 0 of 10 failed" in bench("show", tmp_path / "s").stdout


def test_a_second_failure_fails_the_lot(tmp_path: Path) -> None:
    drawn(tmp_path)
    assert inspected(tmp_path / "s", "枪机", ["东门"])["sample"] == list(draw(BULLETS, 3, "7/枪机"))
    ended = inspected(tmp_path / "s", "枪机", ["西门"], code=1)
    assert (ended["outcome"], ended["rounds"]) == ("failed", [[3, 1], [3, 1]])
    assert "failed" in bench("result", tmp_path / "s", "--lot", "枪机", "--by", "x", code=2).stderr
    bench("check", tmp_path / "s")


@given(st.integers(1, 60), st.text("abc", max_size=3), st.sampled_from(Method), st.data())
@ANY_TMP
def test_whatever_is_journalled_is_drawn_again(
    tmp_path: Path, count: int, seed: str, method: Method, data: st.DataObject
) -> None:
    folder = tmp_path / str(len(list(tmp_path.iterdir())))
    lots = {"A": [str(number) for number in range(count)], "B": ["b"]}
    file = points(tmp_path)
    (lot, _) = draw_sample(file, lots, SamplingRule(method=method), seed=seed, by="x", out=folder)
    while lot.outcome in ("open", "reinspect"):
        failed = data.draw(st.lists(st.sampled_from(lot.sample), max_size=3, unique=True))
        rounds = (*lot.rounds, (len(lot.sample), len(failed)))
        lot = record_round(folder, "A", failed, by="x")
        assert lot.rounds == rounds and len(rounds) <= 2
        assert lot in read_sample(folder)[1]
    assert (lot.outcome == "passed") == (lot.rounds[-1][1] == 0)


@pytest.mark.parametrize(
    ("lot", "failed", "words"),
    [
        ("Dome 8M", "CAM-001", "no lot 'Dome 8M'; there is Dome 4M, 枪机"),
        ("枪机", "CAM-001", "CAM-001 not in the sample of 枪机: "),
        ("Dome 4M", "CAM-999", "CAM-999 not in the sample of Dome 4M"),
    ],
)
def test_a_result_that_is_refused(tmp_path: Path, lot: str, failed: str, words: str) -> None:
    drawn(tmp_path)
    before = (tmp_path / "s" / "journal.jsonl").read_bytes()
    order = ["result", tmp_path / "s", "--lot", lot, "--failed", failed, "--by", "x"]
    assert words in bench(*order, code=2).stderr
    assert (tmp_path / "s" / "journal.jsonl").read_bytes() == before


def test_a_folder_without_a_sample(tmp_path: Path) -> None:
    for command in (["show"], ["check"], ["result", "--lot", "x", "--by", "x"]):
        assert "no journal can be" in bench(*command, tmp_path, code=3).stderr
    with Journal.create(tmp_path / "journal.jsonl") as journal:
        journal.append(EventKind.NOTE, {"text": "of something else"})
    assert f"{tmp_path} holds no sample" in bench("check", tmp_path, code=3).stderr


@given(st.data())
@ANY_TMP
def test_one_altered_byte_shows(tmp_path: Path, data: st.DataObject) -> None:
    path = tmp_path / "s" / "journal.jsonl"
    if not path.exists():
        drawn(tmp_path)
        inspected(tmp_path / "s", "枪机")
        (tmp_path / "whole").write_bytes(path.read_bytes())
    whole = (tmp_path / "whole").read_bytes()
    place = data.draw(st.integers(0, len(whole) - 1))
    byte = data.draw(st.integers(0, 255).filter(lambda value: value != whole[place]))
    path.write_bytes(whole[:place] + bytes([byte]) + whole[place + 1 :])
    with pytest.raises(RecordError, match="journal line"):
        read_sample(tmp_path / "s")
    assert "error: journal line" in bench("check", tmp_path / "s", code=3).stderr


def test_a_chain_made_anew_over_another_sample_shows(tmp_path: Path) -> None:
    first = samples(drawn(tmp_path))["Dome 4M"]
    kind = next(name for name in DOMES if name not in first)
    same = forged(tmp_path / "same", tmp_path / "s", {})
    assert read_sample(same) == read_sample(tmp_path / "s")
    for number, sample in enumerate([[kind, *first[1:]], first[::-1], first[:4], [*first, kind]]):
        folder = forged(tmp_path / f"forged-{number}", tmp_path / "s", {"sample": sample})
        done = bench("check", folder, code=3)
        assert (
            f"error: {folder}: the sample is not what its rule and seed draw: another sample" in done.stderr
        )


@pytest.mark.parametrize(
    ("failures", "outcome", "size"),
    [(1, "passed", 5), (0, "reinspect", 10), (1, "failed", 5), (1, "reinspect", 5), (1, "reinspect", 11)],
)
def test_a_chain_made_anew_over_another_outcome_shows(
    tmp_path: Path, failures: int, outcome: str, size: int
) -> None:
    first = samples(drawn(tmp_path))["Dome 4M"]
    event: dict[str, Any] = {
        "lot": "Dome 4M", "round": 1, "inspected": 5, "failed": first[:failures], "by": "x",
        "outcome": outcome, "sample": list(draw(DOMES, size, "7/Dome 4M")),
    }  # fmt: skip
    folder = forged(tmp_path / "forged", tmp_path / "s", {}, event)
    done = bench("check", folder, code=3)
    assert "an outcome of Dome 4M that does not follow from its rounds" in done.stderr


FORGED: list[dict[str, Any]] = [
    {"inspected": 1, "sample": ["CAM-001"]}, {"failed": ["CAM-999"]}, {"round": 9}, {"lot": "D"}, {"outcome": "passed"},
]  # fmt: skip


@pytest.mark.parametrize("change", FORGED)
def test_a_forged_round_is_no_round(tmp_path: Path, change: dict[str, Any]) -> None:
    first = samples(drawn(tmp_path))["Dome 4M"]
    event: dict[str, Any] = {
        "lot": "Dome 4M", "round": 1, "inspected": 5, "failed": first[:1], "by": "x",
        "outcome": "reinspect", "sample": list(draw(DOMES, 10, "7/Dome 4M")),
    }  # fmt: skip
    assert bench("check", forged(tmp_path / "true", tmp_path / "s", {}, event)).exit_code == 0
    bench("check", forged(tmp_path / "forged", tmp_path / "s", {}, event | change), code=3)


def test_names_with_brackets_are_shown_whole(tmp_path: Path) -> None:
    (tmp_path / "b.csv").write_text("name,model\nGate[north],X[/y]\n")
    shown = bench("draw", tmp_path / "b.csv", "--out", tmp_path / "b", "--by", "x").output
    assert "Gate[north]" in shown and "X[/y]" in shown


def test_a_torn_line_is_repaired_before_the_result(tmp_path: Path) -> None:
    drawn(tmp_path)
    with (tmp_path / "s" / "journal.jsonl").open("ab") as journal:
        journal.write(b'{"torn')
    bench("result", tmp_path / "s", "--lot", "Dome 4M", "--by", "x")
    assert bench("check", tmp_path / "s").exit_code == 0


@pytest.mark.parametrize("enlarge", ["0.5", "nan", "inf"])
def test_an_impossible_factor_is_refused(tmp_path: Path, enlarge: str) -> None:
    (tmp_path / "b.csv").write_text("name,model\na,b\n")
    done = bench(
        "draw", tmp_path / "b.csv", "--out", tmp_path / "b", "--by", "x", "--enlarge", enlarge, code=2
    )
    assert "--enlarge" in done.stderr and not (tmp_path / "b").exists()
