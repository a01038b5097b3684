"""Which clauses apply to a camera so declared, on the day that governs."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from standards import catalogue
from standards.declaration import Declaration, applies, governing_date, load_declaration
from standards.scheme import load_scheme, scheme_names

TODAY = date(2026, 11, 24)
BEFORE, AFTER = date(2025, 12, 1), date(2026, 2, 1)
CLASS_1 = {"point_class": 1, "kind": "network", "definition": "hd"}


def declared(camera: dict[str, object] | None = None, **dates: date) -> Declaration:
    return Declaration.model_validate({"camera": camera or {}, "dates": dates})


def how(row: str, declaration: Declaration, on: date, scheme: str = "acceptance") -> tuple[str, str]:
    applicability, reason_en, reason_zh = applies(
        catalogue.load().clause(row), declaration, on, load_scheme(scheme)
    )
    assert bool(reason_en) == bool(reason_zh)
    return applicability, reason_en


def test_the_editions_of_gat_1127_change_on_their_day() -> None:
    camera = declared(CLASS_1)
    assert how("CAM-01.hd", camera, BEFORE) == (
        "run",
        "first day not known, taken to have stood on 2025-12-01; definition hd declared",
    )
    assert how("CAM-11.resolution", camera, BEFORE) == (
        "not_applicable",
        "not yet in force on 2025-12-01 (in force from 2026-02-01)",
    )
    assert how("CAM-01.hd", camera, AFTER) == (
        "not_applicable",
        "superseded by GA/T 1127-2025 on 2026-02-01; the governing date is 2026-02-01",
    )
    assert how("CAM-11.resolution", camera, AFTER) == ("not_run", "limit unknown: text required")


@pytest.mark.parametrize(
    ("camera", "row", "applicability", "reason"),
    [
        ({}, "NET-07", "not_run", "declare point_class"),
        ({"point_class": 2}, "NET-07", "run", "point_class 2 declared"),
        (
            {"point_class": 3},
            "NET-07",
            "not_applicable",
            "the clause is for point_class 1, 2; the camera is 3",
        ),
        ({}, "CAM-01.hd", "not_run", "declare definition"),
        ({"definition": "sd"}, "CAM-01.hd", "not_applicable", "for definition hd; the camera is sd"),
        ({"kind": "analogue"}, "CAM-03", "not_applicable", "for kind network; the camera is analogue"),
        ({}, "NET-01", "run", "stood on"),
        ({}, "LAW-230-19-6", "not_run", "the text sets no number"),
        ({}, "CAM-08", "not_run", "limit unknown: text required"),
    ],
)
def test_conditions(camera: dict[str, object], row: str, applicability: str, reason: str) -> None:
    found, why = how(row, declared(camera), BEFORE)
    assert found == applicability
    assert reason in why and bool(reason) == bool(why)


def test_vendor_ci_takes_a_class_1_hd_network_camera_for_granted_and_says_so() -> None:
    assert how("NET-07", declared(), BEFORE, "vendor_ci") == (
        "run",
        "stood on 2025-12-01; point_class 1 taken for granted by vendor_ci",
    )
    assert how("CAM-01.hd", declared(), BEFORE, "vendor_ci")[0] == "run"
    found, why = how("CAM-01.quasi_hd", declared({"definition": "quasi_hd"}), BEFORE, "vendor_ci")
    assert found == "run" and why.endswith("definition quasi_hd declared")
    assert how("CAM-01.hd", declared({"definition": "quasi_hd"}), BEFORE, "vendor_ci")[0] == "not_applicable"


def test_a_declaration_outweighs_the_defaults_key_by_key() -> None:
    merged = declared({"definition": "sd"}).with_defaults(load_scheme("vendor_ci").defaults)
    assert merged.camera.model_dump(exclude_none=True) == {
        "point_class": 1,
        "kind": "network",
        "definition": "sd",
    }


def test_a_grade_that_is_not_accepted_is_carried_and_not_judged() -> None:
    camera = declared(CLASS_1)
    assert how("IMG-03", camera, BEFORE, "certification") == (
        "not_run",
        "grade seen-S is not accepted by certification: not judged",
    )
    assert how("IMG-03", camera, BEFORE, "acceptance")[0] == "run"
    assert how("NET-01", camera, BEFORE, "certification") == ("run", "stood on 2025-12-01")


@given(
    st.sampled_from([c.row for c in catalogue.load().clauses]),
    st.dates(),
    st.sampled_from(scheme_names()),
    st.fixed_dictionaries({}, optional={k: st.just(v) for k, v in CLASS_1.items()}),
)
def test_what_runs_stood_that_day_has_a_limit_and_an_accepted_grade(
    row: str, on: date, name: str, camera: dict[str, object]
) -> None:
    clause, scheme = catalogue.load().clause(row), load_scheme(name)
    found, why = how(row, declared(camera), on, name)
    if found == "run":
        assert clause.in_force_on(on) and clause.limit.known and scheme.accepts(clause)
    assert why, "every decision has its reason, in or out"


def test_the_date_that_governs() -> None:
    acceptance, certification = load_scheme("acceptance"), load_scheme("certification")
    both = declared(design=BEFORE, test=AFTER)
    given_day = date(2024, 1, 1)
    assert governing_date(acceptance, both, given_day, TODAY)[:2] == (given_day, "given on the command line")
    assert governing_date(acceptance, both, None, TODAY)[:2] == (BEFORE, "design date of the declaration")
    assert governing_date(certification, both, None, TODAY)[:2] == (AFTER, "test date of the declaration")
    assert governing_date(certification, declared(), None, TODAY)[:2] == (TODAY, "day of the test")
    day, basis, basis_zh = governing_date(acceptance, declared(), None, TODAY)
    assert (day, basis) == (TODAY, "no design date declared: today's texts apply")
    assert basis_zh == "未声明设计日期，按当日有效文本"


def test_a_declaration_file(tmp_path: Path) -> None:
    path = tmp_path / "declaration.toml"
    path.write_text('[camera]\npoint_class = 2\nkind = "network"\n[dates]\ndesign = 2025-12-01\n')
    assert load_declaration(path) == declared({"point_class": 2, "kind": "network"}, design=BEFORE)
    assert load_declaration(None) == Declaration()


def test_what_is_not_declared_is_not_held_against_the_declaration() -> None:
    assert how("DECL-ptz", declared(), BEFORE, "vendor_ci") == ("not_applicable", "ptz not declared")
    assert how("DECL-ptz", declared({"ptz": False}), BEFORE, "vendor_ci")[0] == "not_applicable"
    assert how("DECL-ptz", declared({"ptz": True}), BEFORE, "vendor_ci")[0] == "run"
