"""The catalogue that comes with camcert against the evidence table, and what it refuses."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

from standards import catalogue
from standards.catalogue import Catalogue, read
from standards.clause import Comparison, Evidence
from standards.errors import BadFile, UnknownName

LIMITS = {
    "LAW-230-19-7": ("stream.interruptions", "1", None, "0"),
    "LAW-230-19-8a": ("recording.retention", "d", "30", None),
    "NET-01": ("latency.to_centre", "s", None, "2"),
    "NET-02": ("latency.to_user", "s", None, "4"),
    "NET-03": ("network.delay", "s", None, "0.400"),
    "NET-04": ("network.delay_variation", "s", None, "0.050"),
    "NET-05": ("network.loss_ratio", "1", None, "0.001"),
    "NET-06": ("network.error_ratio", "1", None, "0.0001"),
    "NET-07": ("frame_rate.live", "1/s", "25", None),
    "IMG-03": ("resolution.centre", "TVL", "400", None),
    "IMG-08": ("stream.completeness", "1", None, "0"),
    "IMG-10.width": ("picture.width", "px", "352", None),
    "IMG-10.height": ("picture.height", "px", "288", None),
    "IMG-10.frame_rate": ("frame_rate.time_base", "1/s", "25", None),
    "CAM-01.sd": ("resolution.centre", "TVL", "450", None),
    "CAM-01.quasi_hd": ("resolution.centre", "TVL", "650", None),
    "CAM-01.hd": ("resolution.centre", "TVL", "900", None),
    "CAM-01.uhd": ("resolution.centre", "TVL", "1700", None),
    "CAM-02": ("resolution.corner_ratio", "%", "70", None),
    "CAM-03": ("latency.camera", "s", None, "0.200"),
}

QUANTITIES = """
[[quantity]]
key = "q"
name_zh = "量"
name_en = "quantity"
kind = "ratio"
unit = "s"
definition = "a quantity"
"""
STANDARD = """
[standard]
name = "TEST"
title_zh = "试"
"""
CLAUSE = """
[[clause]]
row = "TEST-1"
title_zh = ""
title_en = ""
requirement_zh = ""
requirement_en = ""
quantity = "q"
unit = "ms"
upper = 200
bindingness = "recommended"
evidence = "seen-P"
source = "X"
"""


@pytest.fixture
def known() -> Catalogue:
    return catalogue.load()


def write(root: Path, *, quantities: str = QUANTITIES, clauses: str = STANDARD + CLAUSE) -> Path:
    (root / "clauses").mkdir()
    (root / "quantities").mkdir()
    (root / "quantities" / "test.toml").write_text(quantities, encoding="utf-8")
    (root / "clauses" / "test.toml").write_text(clauses, encoding="utf-8")
    return root


def test_limits_are_those_of_the_table_digit_by_digit(known: Catalogue) -> None:
    """Copied by hand from the evidence table; every other figure is held by the golden file."""
    for row, wanted in LIMITS.items():
        clause = known.clause(row)
        ends = [None if end is None else str(end) for end in (clause.limit.lower, clause.limit.upper)]
        assert (clause.measurand.quantity, clause.measurand.unit, *ends) == wanted, row
    assert known.clause("NET-11").limit.equals is True


def test_unknown_limits_stay_unknown(known: Catalogue) -> None:
    unknown = [c for c in known.clauses if c.evidence is Evidence.UNKNOWN]
    assert not [c.row for c in unknown if c.limit.known]
    assert {"CAM-08", "CAM-11.resolution", "DB216-UNK", "CAM-15"} <= {
        c.row.partition(".")[0] for c in unknown
    } | {c.row for c in unknown}


def test_only_frame_rates_are_compared_rounded(known: Catalogue) -> None:
    rounded = {c.measurand.quantity for c in known.clauses if c.comparison is Comparison.ROUNDED}
    assert rounded and all("frame_rate" in quantity for quantity in rounded)


def test_conditions(known: Catalogue) -> None:
    assert known.clause("NET-07").condition.point_class == (1, 2)
    assert known.clause("CAM-03").condition.kind == ("network",)
    for name in ("sd", "quasi_hd", "hd", "uhd"):
        assert known.clause(f"CAM-01.{name}").condition.definition == (name,)


@pytest.mark.parametrize(
    ("on", "row", "stands"),
    [
        ("2026-01-31", "CAM-01.hd", True),
        ("2026-02-01", "CAM-01.hd", False),
        ("2026-01-31", "CAM-11.resolution", False),
        ("2026-02-01", "CAM-11.resolution", True),
        ("2009-12-10", "LAW-230-19-7", False),
        ("2009-12-11", "LAW-230-19-7", True),
        ("2023-06-30", "NET-07", False),
        ("2023-07-01", "NET-07", True),
        ("1990-01-01", "IMG-10.width", True),  # first day not known: not excluded
    ],
)
def test_editions_begin_and_end_on_their_day(known: Catalogue, on: str, row: str, stands: bool) -> None:
    assert (known.clause(row) in known.in_force(date.fromisoformat(on))) is stands


def test_every_clause_has_its_texts_and_its_quantity(known: Catalogue) -> None:
    for clause in known.clauses:
        assert known.quantity(clause.measurand.quantity).unit == clause.measurand.unit
        assert clause.title_zh and clause.title_en and clause.requirement_zh and clause.requirement_en
    used = {clause.measurand.quantity for clause in known.clauses}
    # Measured and shown, or kept to be told from what looks like them; judged by none.
    assert set(known.quantities) - used == {
        "frame_rate.arrival",
        "frame_rate.nominal",
        "network.jitter_rfc3550",
        "picture.colour_uniformity",
        "picture.corner_illumination",
        "picture.day_night_hysteresis",
        "picture.day_night_mode",
        "picture.osd_time_offset",
        "picture.flicker",
        "picture.luminance_uniformity",
        "picture.maximum_illumination",
        "picture.pixel_density_vertical",
        "picture.privacy_mask_border",
        "picture.privacy_mask_coverage",
        "picture.snr_encoded",
        "picture.ssim",
        "picture.to_day_illuminance",
        "picture.to_day_time",
        "picture.to_night_illuminance",
        "picture.to_night_time",
        "picture.tv_distortion",
        "picture.white_balance_error",
        "resolution.oversharpening",
        "resolution.sampling_efficiency",
        "resolution.star_centre",
        "resolution.star_corner_ratio",
        "resolution.star_mtf50",
        "resolution.wedge_centre",
        "resolution.wedge_corner_ratio",
        "clock.error_to_beijing_time",
    }


def test_a_requirement_names_its_number(known: Catalogue) -> None:
    written = {"0.400": "400", "0.050": "50", "0.200": "200"}
    for row, (_, _, lower, upper) in LIMITS.items():
        figure = lower or upper or ""
        assert written.get(figure, figure) in known.clause(row).requirement_zh


def test_names_that_are_not_there(known: Catalogue) -> None:
    with pytest.raises(UnknownName, match="no clause 'NET-0'; there is NET-"):
        known.clause("NET-0")
    with pytest.raises(UnknownName, match=r"frame_rate\.live"):
        known.quantity("frame_rate.lives")


def test_it_is_read_once() -> None:
    assert catalogue.load() is catalogue.load()


def test_an_id_without_a_number_is_the_standard_alone(known: Catalogue) -> None:
    assert known.clause("NET-07").id == "GB/T 28181-2022:5.6"
    assert known.clause("CAM-01.hd").id == "GA/T 1127-2013"


@pytest.mark.parametrize(
    ("written", "converted"),
    [("upper = 200", "0.200"), ("upper = 50.0", "0.0500"), ("upper = 0", "0.000"), ("upper = 2e3", "2.000")],
)
def test_conversion_is_exact_and_keeps_the_digits(tmp_path: Path, written: str, converted: str) -> None:
    clauses = STANDARD + CLAUSE.replace("upper = 200", written)
    limit = read(write(tmp_path, clauses=clauses)).clause("TEST-1").limit
    assert limit.upper == Decimal(converted)
    if "e" not in written:
        assert str(limit.upper) == converted


@pytest.mark.parametrize(
    ("old", "new", "key", "words"),
    [
        ('source = "X"', 'source = "X"\nlimt = 2', r"clause\[1\].limt", "unknown key"),
        ('source = "X"', 'source = "X"\nuper = 2', r"clause\[1\].uper", "did you mean 'upper'"),
        ('quantity = "q"', 'quantity = "p"', r"TEST-1\).quantity", "no quantity 'p'"),
        ('unit = "ms"', 'unit = "kg"', r"TEST-1\).unit", "Cannot convert"),
        ('unit = "ms"', 'unit = "fps"', r"TEST-1\).unit", "Cannot convert"),  # foot per second, to pint
        ('unit = "ms"', 'unit = "furlongs per"', r"TEST-1\).unit", "Mend"),
        ('unit = "ms"', "", r"TEST-1\).unit", "is missing"),
        ('unit = "ms"', 'unit = "month"', r"TEST-1\).unit", "write calendar_month"),
        ("upper = 200", "equals = true", r"TEST-1\).equals", "which is a number"),
        ('evidence = "seen-P"', 'evidence = "unknown"', "TEST-1", "must stay empty"),
        ('evidence = "seen-P"', 'evidence = "read"', r"clause\[1\].evidence", "seen-P"),
        ("upper = 200", "upper = 200\nlower = 300", "TEST-1", "above the upper"),
        ("upper = 200", "upper = nan", r"clause\[1\].upper", "finite"),
        (
            'title_zh = "试"',
            'title_zh = "试"\nin_force = 2020-01-01\nsuperseded = 2019-01-01',
            "TEST-1",
            "before",
        ),
        ('name = "TEST"', "", "standard.name", "is missing"),
        ("[standard]", "[standard", "test.toml", "not TOML"),
        ('source = "X"', 'source = "X"' + CLAUSE, r"clause\[2\].row", "TEST-1 is there already"),
    ],
)
def test_a_broken_clause_file_names_file_key_and_mend(
    tmp_path: Path, old: str, new: str, key: str, words: str
) -> None:
    text = STANDARD + CLAUSE
    assert old in text
    with pytest.raises(BadFile, match=key) as caught:
        read(write(tmp_path, clauses=text.replace(old, new)))
    assert words in str(caught.value)
    assert "test.toml" in str(caught.value) and "Mend:" in str(caught.value)


def test_a_quantity_twice_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadFile, match=r"quantities/test.toml:11: quantity\[2\].key: q is there already"):
        read(write(tmp_path, quantities=QUANTITIES * 2))
