"""The schemes that come with camcert, and schemes of one's own."""

from __future__ import annotations

from importlib import resources
from pathlib import Path

import pytest

from standards import catalogue
from standards.clause import Evidence
from standards.decision import Rule
from standards.errors import BadFile, UnknownName
from standards.quantity import Basis
from standards.scheme import RULE_ZH, Scheme, load_scheme, scheme_names

ACCEPTANCE = resources.files("standards").joinpath("schemes", "acceptance.toml").read_text(encoding="utf-8")


def own(tmp_path: Path, text: str) -> Scheme:
    path = tmp_path / "own.toml"
    path.write_text(text, encoding="utf-8")
    return load_scheme(path)


def test_names_are_those_of_the_files() -> None:
    assert scheme_names() == ("acceptance", "certification", "system", "vendor_ci")
    assert all(load_scheme(name).name == name for name in scheme_names())


@pytest.mark.parametrize(
    ("name", "rule", "governed_by", "gate", "minimum_s", "flashes", "prepare"),
    [
        ("acceptance", Rule.SIMPLE, "design", ("mandatory", "contract"), 86400.0, 60, "as_found"),
        ("certification", Rule.GUARDED, "test", ("mandatory", "contract"), 86400.0, 200, "maximum"),
        ("vendor_ci", Rule.SIMPLE, "design", ("mandatory", "contract", "recommended"), 20.0, 30, "as_found"),
    ],
)
def test_what_they_ask(
    name: str,
    rule: Rule,
    governed_by: str,
    gate: tuple[str, ...],
    minimum_s: float,
    flashes: int,
    prepare: str,
) -> None:
    scheme = load_scheme(name)
    assert (scheme.rule, scheme.governed_by, scheme.gate) == (rule, governed_by, gate)
    assert (scheme.capture.flashes, scheme.capture.prepare) == (flashes, prepare)
    assert scheme.rule_zh == RULE_ZH[rule]
    setting = scheme.setting(catalogue.load().clause("LAW-230-19-7"))
    assert setting == (True, minimum_s, rule)


@pytest.mark.parametrize("name", ["acceptance", "certification", "vendor_ci"])
def test_the_schemes_of_one_camera_hold_the_same_clauses(name: str) -> None:
    known = catalogue.load()
    rows = [clause.row for clause in load_scheme(name).clauses(known)]
    assert rows[0] == "LAW-230-19-6", "in the order of the scheme's rows"
    installed = [clause.row for clause in load_scheme("acceptance").clauses(known)]
    text = [
        row for row in installed if row.startswith("IMG-09")
    ]  # the label is given where the camera is put up
    assert rows == [row for row in installed if name != "vendor_ci" or row not in text] and len(text) == 2
    assert not [row for row in rows if known.clause(row).by is not Basis.MEASURED]


def test_a_system_is_asked_for_its_documents_too() -> None:
    known = catalogue.load()
    system, camera = ({c.row for c in load_scheme(n).clauses(known)} for n in ("system", "acceptance"))
    assert camera < system
    papers = system - camera
    assert {known.clause(row).by for row in papers} == {Basis.DOCUMENT, Basis.PHOTOGRAPH, Basis.DECLARATION}
    assert {"LAW-230-10a", "LAW-230-15a.design", "LAW-799-17.deletion", "ENG-04.trial_run"} <= papers
    of_law = {c.row for c in known.clauses if c.row.startswith("LAW-230-") and c.by.by_person}
    assert of_law <= papers
    sampling = load_scheme("system").sampling
    assert sampling is not None and sampling.level == "I"


@pytest.mark.parametrize("name", ["acceptance", "certification", "vendor_ci", "system"])
def test_what_nobody_can_judge_is_outside_the_scope(name: str) -> None:
    scheme, known = load_scheme(name), catalogue.load()
    for clause in scheme.clauses(known):
        setting = scheme.setting(clause)
        assert setting is not None
        if not clause.limit.known or not scheme.accepts(clause) or clause.row in ("NET-03", "LAW-230-19-8a"):
            assert not setting.in_scope, clause.row


def test_certification_judges_by_the_text_alone() -> None:
    scheme, known = load_scheme("certification"), catalogue.load()
    scope = {c.row for c in known.clauses if (s := scheme.setting(c)) is not None and s.in_scope}
    assert scope == {
        *("LAW-230-19-7", "IMG-08", "NET-01", "NET-02", "NET-07", "NET-08.4cif", "NET-11"),
        *("NET-01.edition_2016", "NET-02.edition_2016", "DECL-ptz", "DECL-audio"),
    }
    assert scheme.evidence_accepted == (Evidence.CONFIRMED, Evidence.SEEN_PRIMARY)


def test_no_scheme_accepts_a_guess() -> None:
    for name in scheme_names():
        assert not {Evidence.UNKNOWN, Evidence.MEMORY_UNSURE} & set(load_scheme(name).evidence_accepted)


def test_later_rows_override_and_unmatched_clauses_are_left_out(tmp_path: Path) -> None:
    head = ACCEPTANCE.partition("[[rows]]")[0]
    rows = """
[[rows]]
match = "NET-*"
in_scope = false
minimum_s = 5.0
[[rows]]
match = "NET-07"
in_scope = true
rule = "guarded"
"""
    scheme, known = own(tmp_path, head + rows), catalogue.load()
    assert scheme.setting(known.clause("NET-01")) == (False, 5.0, Rule.SIMPLE)
    assert scheme.setting(known.clause("NET-07")) == (True, 5.0, Rule.GUARDED)
    assert scheme.setting(known.clause("CAM-02")) is None
    assert {c.row.partition("-")[0] for c in scheme.clauses(known)} == {"NET"}


def test_an_unknown_name_lists_the_schemes() -> None:
    with pytest.raises(
        UnknownName, match=r"did you mean 'acceptance'.*acceptance, certification, system, vendor_ci"
    ):
        load_scheme("acceptence")
    with pytest.raises(UnknownName, match="no scheme ''"):
        load_scheme("")


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ('match = "IMG-03"', 'match = "IGM-03"', "rows[10].match: no clause matches 'IGM-03'"),
        ('rule = "simple"', 'rule = "lenient"', "rule:"),
        ('rule = "simple"', "", "rule: is missing"),
        ("seconds = 60.0", "seconds = 0", "capture.seconds"),
        ("flashes = 60", "flash = 60", "did you mean 'flashes'?"),
        ("interruption_s = 1.0", "interruption_s = inf", "interruption_s"),
        ('governed_by = "design"', 'governed_by = "birth"', "governed_by"),
        ('gate = ["mandatory", "contract"]', "gate = []", "gate"),
    ],
)
def test_a_broken_scheme_names_key_and_mend(tmp_path: Path, old: str, new: str, words: str) -> None:
    assert old in ACCEPTANCE
    with pytest.raises(BadFile) as caught:
        own(tmp_path, ACCEPTANCE.replace(old, new))
    assert words in str(caught.value)
    assert "own.toml" in str(caught.value)
