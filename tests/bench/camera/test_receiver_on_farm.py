"""The bench's receiver on one stream of a farm: what it counts is what the farm's truth says."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from typing import Literal

import numpy as np
import pytest
from farm_world import farm_file, running_farm

from bench.camera.address import Secret
from bench.camera.receiver import capture


@pytest.mark.parametrize("transport", ["tcp", "udp"])
def test_one_stream_of_many(tmp_path: Path, transport: Literal["tcp", "udp"]) -> None:
    defect = [{"kind": "drop", "streams": [1], "every": 20}]
    with running_farm(
        farm_file(tmp_path / "farm.toml", {"defect": defect}), tmp_path / "truth.jsonl"
    ) as farm:
        result = capture(
            farm.urls[1], seconds=3.0, transport=transport, user="admin", password=Secret("camcert-sim")
        )
        truth = {d["timestamp"] for d in farm.defects(1)}
        first = farm.truth("start")[0]["first_ticks"][1]
    assert result.units["intact"].all()
    stamps = [int(t) for t in result.units["timestamp"]]
    assert all((t - first) % 3600 == 0 for t in stamps)
    holes = [(a + 3600) % 2**32 for a, b in pairwise(stamps) if b - a == 7200]
    assert len(holes) >= 2 and set(holes) <= truth
    assert set(np.diff(result.packets["sequence"]).tolist()) == {1}
