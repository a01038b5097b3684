"""A procedure counts as proven only in the version that was held against known truth, and met it."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from bench import proofs as module
from bench.procedures import Procedure, procedures
from bench.proofs import proofs, validated
from bench.validate.measurers import Row
from bench.validate.summary import summarise
from reports.detail import METHODS_ZH
from standards.catalogue import load
from standards.coverage import Proof, State, state_of
from tools.proof_pages import carried

FILE = Path(module.__file__).with_name("validated.json")
ENTRIES = json.loads(FILE.read_text("utf-8"))["quantities"]
PROVEN = sorted(quantity for quantity, proof in proofs().items() if proof is Proof.VALIDATED)


def entry(**changes: Any) -> dict[str, Any]:
    return {"quantity": "a", "procedure": "test_a.test_a", "version": "2", "met": True, **changes}


@pytest.mark.parametrize(
    ("shown", "proof"),
    [
        ({"a": entry()}, Proof.VALIDATED),
        ({"a": entry(met=False)}, Proof.UNPROVEN),
        ({"a": entry(version="1")}, Proof.UNPROVEN),
        ({"a": entry(version="3")}, Proof.UNPROVEN),
        ({"a": entry(procedure="test_a.test_b")}, Proof.UNPROVEN),
        ({"b": entry(quantity="b")}, Proof.UNPROVEN),
        ({}, Proof.UNPROVEN),
    ],
)
def test_what_proves_a_procedure(
    monkeypatch: pytest.MonkeyPatch, shown: dict[str, dict[str, Any]], proof: Proof
) -> None:
    monkeypatch.setattr(module, "validated", lambda: shown)
    monkeypatch.setattr(module, "procedures", lambda: {"a": Procedure("test_a.test_a", ("a",), "2")})
    assert proofs() == {"a": proof}, "what has no procedure is not there"


def test_every_procedure_has_a_proof_or_lacks_one() -> None:
    assert set(proofs()) == set(procedures())


@pytest.mark.parametrize("one", ENTRIES, ids=lambda one: one["quantity"])
def test_what_did_not_meet_its_truth_is_not_counted(one: dict[str, Any]) -> None:
    procedure = procedures().get(one["quantity"])
    now = procedure is not None and (procedure.name, procedure.version) == (one["procedure"], one["version"])
    counted = proofs().get(one["quantity"]) is Proof.VALIDATED
    assert counted == (now and one["met"])
    assert one["met"] is True or not counted
    assert one["cases"] > 0 and one["quantity"] in load().quantities


def test_every_procedure_has_a_chinese_name() -> None:
    unnamed = {
        p.name
        for p in procedures().values()
        if p.name.rpartition(".")[2].removeprefix("test_") not in METHODS_ZH
    }
    assert not unnamed


def test_each_quantity_was_validated_once() -> None:
    names = [one["quantity"] for one in ENTRIES]
    assert len(names) == len(set(names))
    assert validated() == {one["quantity"]: one for one in ENTRIES}


@pytest.mark.parametrize("quantity", PROVEN)
def test_a_new_version_is_unproven(monkeypatch: pytest.MonkeyPatch, quantity: str) -> None:
    known, before = procedures(), proofs()
    known[quantity] = replace(known[quantity], version=known[quantity].version + "+")
    monkeypatch.setattr(module, "procedures", lambda: known)
    assert proofs() == before | {quantity: Proof.UNPROVEN}


def test_a_new_version_takes_its_clauses_out_of_the_measured(monkeypatch: pytest.MonkeyPatch) -> None:
    clause = load().clause("NET-07")
    quantity = clause.measurand.quantity
    assert quantity in PROVEN, "run `make validate`: the frame rate is what everything else stands on"
    assert state_of(clause, proofs()) is State.MEASURED
    changed = procedures()
    changed[quantity] = replace(changed[quantity], version="next")
    monkeypatch.setattr(module, "procedures", lambda: changed)
    assert state_of(clause, proofs()) is State.UNPROVEN


def test_a_run_of_the_image_proof_is_carried_and_a_taste_of_it_is_not() -> None:
    """tools/proof_pages.py --carry: entries of the quantities that were run, in the procedure's present version."""
    name = "picture.tv_distortion"

    def rows(count: int) -> list[Row]:
        return [
            Row(name, "grid", seed, value=1.0 + 0.01 * (-1) ** seed, u95=0.02, truth=1.0)
            for seed in range(count)
        ]

    before = [entry(quantity="b", version="1"), entry(quantity=name, version="0")]
    assert carried(summarise(rows(50)), before) == sorted(before, key=lambda e: e["quantity"])
    (told,) = [e for e in carried(summarise(rows(200)), before) if e["quantity"] == name]
    assert (told["version"], told["covered"]) == (procedures()[name].version, "200/200")
    assert told["met"] is False, "U is twice the errors: wider than the goal"
