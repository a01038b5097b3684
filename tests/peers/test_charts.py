"""Charts as programs of other hands see them: poppler measures the print, node runs the monitor's page."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from fixtures.charts import CHARTS, counter_cells, draw
from fixtures.charts.page import page_data
from fixtures.charts.sheet import PAPERS

SCRIPT = Path(__file__).parents[2] / "fixtures" / "charts" / "page.js"


def program(name: str, package: str) -> str:
    """The path of a program; without it the test is left out with its reason, in CI it fails."""
    found = shutil.which(name)
    if found is None:
        text = f"{name} is not on this machine: apt-get install {package}"
        if os.environ.get("CI"):
            pytest.fail(text)
        pytest.skip(text)
    return found


def printed(pdf: Path, dpi: int, box: tuple[float, float, float, float]) -> NDArray[np.uint8]:
    """What pdftoppm prints of a part of the page. box: left, top, width, height, mm."""
    left, top, width, height = (str(round(v / 25.4 * dpi)) for v in box)
    out = pdf.with_suffix("")
    subprocess.run(
        [
            program("pdftoppm", "poppler-utils"), "-r", str(dpi), "-gray", "-png", "-singlefile",
            "-x", left, "-y", top, "-W", width, "-H", height, pdf, out,
        ],
        check=True, timeout=60,
    )  # fmt: skip
    image = cv2.imread(str(out.with_suffix(".png")), cv2.IMREAD_GRAYSCALE)
    assert image is not None
    return np.asarray(image, np.uint8)


@pytest.mark.parametrize("paper", [None, "a4", "a3"])
def test_the_printed_bar_is_100_mm(paper: str | None, tmp_path: Path) -> None:
    dpi = 1200
    draw(CHARTS["edges"], tmp_path / "chart.pdf", paper=paper)
    width, height = PAPERS[paper] if paper else (320.0, 180.0)
    image = printed(tmp_path / "chart.pdf", dpi, (0.0, height - 12.0, 0.75 * width, 12.0))
    changes = np.diff((image < 60).astype(np.int8), axis=1, prepend=0)
    begins = (changes == 1).argmax(axis=1)  # of the first dark run of each row; the text stands beyond
    ends = np.array([np.nonzero(row == -1)[0][:1].sum() for row in changes])
    longest = int((ends - begins).max())  # the rule under the fields
    assert longest / dpi * 25.4 == pytest.approx(100.0, abs=0.1)


def test_the_printed_squares_are_15_mm(tmp_path: Path) -> None:
    dpi = 600
    draw(CHARTS["chess"], tmp_path / "chart.pdf")
    image = printed(tmp_path / "chart.pdf", dpi, (30.0, 15.0, 260.0, 10.0))
    steps = np.nonzero(np.diff((image[40] < 128).astype(int)))[0]
    assert len(steps) == 18
    assert np.diff(steps) / dpi * 25.4 == pytest.approx(15.0, abs=0.06)
    assert (steps[-1] - steps[0]) / dpi * 25.4 == pytest.approx(17 * 15.0, abs=0.1)


def test_the_printed_wedge_has_its_lines(tmp_path: Path) -> None:
    """Line widths across the first wedge where it has 200 LW/PH: 0.9 mm each of 180 mm."""
    dpi = 1200
    chart = CHARTS["wedge"]
    draw(chart, tmp_path / "chart.pdf")
    wedge: Any = chart.patterns[0]
    left, _, right, _ = wedge.region.bounds
    at = wedge.start[1] + float(wedge.position(200.0))
    image = printed(tmp_path / "chart.pdf", dpi, (left, at, right - left, 0.1))
    steps = np.nonzero(np.diff((image[0] < 128).astype(int)))[0]
    assert len(steps) == 2 * wedge.lines
    assert np.diff(steps) / dpi * 25.4 == pytest.approx(0.9, abs=0.03)


def in_node(code: str) -> Any:
    """What an expression gives that is evaluated after the page's script, through JSON."""
    source = f"{SCRIPT.read_text('utf-8')}\nconsole.log(JSON.stringify((() => {{ {code} }})()))"
    done = subprocess.run(
        [program("node", "nodejs"), "-"], input=source, check=True, capture_output=True, text=True, timeout=60
    )
    return json.loads(done.stdout)


def test_the_pages_cells_are_those_of_the_counter() -> None:
    for bits in (16, 27):
        numbers = [0, 1, 2, 3, 1000, 2**16 - 1, 2**16, 86_399_999, 2**27 - 1, *range(777, 60_000, 991)]
        states = in_node(f"return {numbers}.map((n) => cellStates(n, {bits}))")
        assert states == [list(counter_cells(number, bits=bits)) for number in numbers]


def test_the_pages_clocks_hold_as_the_charts_do() -> None:
    panels = json.dumps(page_data(CHARTS["timecode"])["panels"])
    held = in_node(f"return {panels}.map((p) => [...Array(40).keys()].map((n) => heldCount(p, n)))")
    assert held == [[panel.held(n) for n in range(40)] for panel in CHARTS["timecode"].panels]


def test_the_page_counts_refreshes_that_it_missed() -> None:
    """60 Hz with 0.2 ms of jitter; after the start, one call in ten comes a refresh late."""
    random = np.random.default_rng(3)
    beats = [i for i in range(500) if i < 60 or i % 10]
    times = [i * 1000 / 60 + float(random.uniform(-0.2, 0.2)) for i in beats]
    counts, period = in_node(
        f"const r = new Refresh(); const counts = {times}.map((t) => r.tick(t)); return [counts, r.period]"
    )
    first = counts.index(0)
    assert set(counts[:first]) == {-1} and 25 <= first <= 40
    assert [c - counts[first] for c in counts[first:]] == [b - beats[first] for b in beats[first:]]
    assert period == pytest.approx(1000 / 60, abs=0.05)


def test_the_page_paints_the_cells_where_the_chart_has_them() -> None:
    """A panel painted at 12 pixels a millimetre; the second number repaints only what changed."""
    chart = CHARTS["camcert-1"]
    panel = json.dumps(page_data(chart)["panels"][0])
    boxes = in_node(
        "const calls = []; let style = '';"
        "const context = { set fillStyle(s) { style = s; }, fillRect(...box) { calls.push([style, box]); } };"
        "const place = { scale: 12, left: 0, top: 0 }; const styles = { lit: 'lit', dark: 'dark' };"
        f"const states = drawPanel(context, {panel}, 77, null, place, styles);"
        f"const many = calls.length; drawPanel(context, {panel}, 78, states, place, styles);"
        "return { many, calls }"
    )
    assert boxes["many"] == 19
    expected = ["lit" if on else "dark" for on in counter_cells(77)]
    assert [style for style, _ in boxes["calls"][:19]] == expected
    for (_, box), cell in zip(boxes["calls"], chart.cells, strict=False):
        x0, y0, x1, y1 = cell.bounds
        assert box == [round(12 * v) for v in (x0, y0, x1 - x0, y1 - y0)]
    assert len(boxes["calls"]) == 19 + 2  # one code bit and the parity


def test_the_pages_codes_are_those_of_srgb() -> None:
    values = in_node("return [0, 0.001, 0.04, 0.18, 0.72, 1, 1.2, -0.1].map(toCode)")
    assert values == [0, 3, 56, 118, 221, 255, 255, 0]
    assert in_node("return [...Array(256).keys()].every((c) => toCode(toLinear(c)) === c)") is True
