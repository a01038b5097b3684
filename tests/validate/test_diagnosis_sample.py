"""A sample of the proof of image diagnosis, for CI: two drawn scenes, and what the bounds are."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import pytest

HERE = Path(__file__).parent


@pytest.fixture(scope="module")
def proof() -> ModuleType:
    spec = importlib.util.spec_from_file_location("validate_diagnosis", HERE / "diagnosis.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("number", [0, 1])
def test_every_defect_of_a_scene_is_told_and_the_good_picture_has_none(
    proof: ModuleType, number: int
) -> None:
    scene, other = list(proof.scenes(None, 6))[2 * number : 2 * number + 4 : 2]
    found = proof.examine(scene, number, list(proof.DEFECTS), other)
    assert [kind for kind in proof.DEFECTS if proof.faulty(kind, found[0]["values"])] == []
    assert [row["kind"] for row in found[1:] if not proof.faulty(row["kind"], row["values"])] == []


def test_bounds_are_those_of_clopper_and_pearson(proof: ModuleType) -> None:
    assert proof.bound(299, 299, upper=False) == pytest.approx(0.99, abs=5e-5)
    assert proof.bound(0, 598, upper=True) == pytest.approx(0.005, abs=5e-6)
    assert proof.bound(0, 0, upper=True) == 1.0 and proof.bound(0, 0, upper=False) == 0.0
