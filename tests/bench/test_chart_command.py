"""`bench chart`: the list, the drawings, the JSON, and what it refuses."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from bench.chart_command import _PAPERS
from bench.cli import main
from fixtures.charts import CHARTS
from fixtures.charts.sheet import PAPERS


def bench(*arguments: str) -> tuple[int, str]:
    """Exit code and output of a command."""
    done = CliRunner().invoke(main, ["chart", *arguments])
    return done.exit_code, done.output


def test_without_a_name_the_charts_are_listed() -> None:
    code, text = bench()
    assert code == 0
    for chart in CHARTS.values():
        assert chart.name in text and "320 x 180 mm" in text
    assert bench("--list") == (code, text)


def test_the_list_as_json_says_size_purpose_and_markers() -> None:
    code, text = bench("--json")
    found = json.loads(text)
    assert code == 0
    assert [entry["name"] for entry in found] == list(CHARTS)
    assert {key for entry in found for key in entry} == {
        "name", "purpose", "width_mm", "height_mm", "marker_ids", "density_range",
    }  # fmt: skip
    assert found[1]["marker_ids"] == [4, 5, 6, 7]


@pytest.mark.parametrize("kind", ["png", "svg", "pdf", "html"])
def test_a_chart_is_drawn(kind: str, tmp_path: Path) -> None:
    file = tmp_path / f"chart.{kind}"
    assert bench("uniform", "--out", str(file)) == (0, f"{file}\n")
    assert file.stat().st_size > 1000


def test_a_chart_is_fitted_on_paper_and_shows_a_count(tmp_path: Path) -> None:
    file = tmp_path / "chart.svg"
    assert bench("timecode", "--out", str(file), "--paper", "a3", "--count", "9")[0] == 0
    assert 'width="420mm" height="297mm"' in file.read_text("utf-8")
    assert tuple(PAPERS) == _PAPERS


def test_a_chart_as_json_has_its_geometry_and_certificates() -> None:
    code, text = bench("grid", "--json")
    found = json.loads(text)
    assert code == 0
    assert len(found["lattice_mm"]) == 511
    assert {"marker.24", "dot.5.5"} <= set(found["regions"])
    assert [entry["quantity"] for entry in found["certificates"]] == ["reflectance", "length"]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("nothing", "--out", "x.png"), "no chart 'nothing'; there are: camcert-1, edges"),
        (("grey",), "Mend: give --out"),
        (("--out", "x.pdf"), "Mend: bench chart NAME --out x.pdf"),
        (("grey", "--out", "x.bmp"), "cannot draw '.bmp'"),
        (("grey", "--out", "x.png", "--count", "3"), "no count can be shown"),
        (("grey", "--out", "x.png", "--paper", "a4"), "for .svg or .pdf"),
        (("grey", "--out", "/nowhere/at/all/x.svg"), "cannot be written"),
        (("grey", "--out", "x.pdf", "--paper", "letter"), "a4"),
    ],
)
def test_mistakes_are_named_with_their_mend(
    arguments: tuple[str, ...], words: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    code, text = bench(*arguments)
    assert code == 2
    assert words in text
    assert list(tmp_path.iterdir()) == []
