"""The relay's twin: the world's path is what was imposed, and nothing is swallowed."""

from __future__ import annotations

from pathlib import Path

import pytest
from instrument_world import CASES, bench_of

from instruments.capability import NetworkPath
from standards.errors import InstrumentError, UsageError

(CASE,) = CASES["network_emulator"]


def test_the_world_has_the_path_towards_the_bench(tmp_path: Path) -> None:
    with bench_of(CASE, "socket", tmp_path) as bench:
        path = NetworkPath(
            delay_ms=40.0, jitter_ms=3.0, loss=0.02, rate_kbit=2000.0, reorder=0.1, duplicate=0.1
        )
        bench.instrument.apply(path)
        assert bench.instrument.path() == path and bench.instrument.path(direction="to_camera") == path
        value = bench.world.value
        assert (value("path_delay_ms"), value("path_jitter_ms")) == (40.0, 3.0)
        assert (value("path_loss"), value("path_rate_kbit"), value("link_up")) == (0.02, 2000.0, 1.0)
        bench.instrument.apply(NetworkPath(up=False), direction="to_camera")
        assert (value("path_delay_ms"), value("link_up")) == (40.0, 0.0)
        bench.instrument.safe()
        assert (value("path_delay_ms"), value("path_loss"), value("link_up")) == (0.0, 0.0, 1.0)


@pytest.mark.parametrize(
    ("request_", "words"),
    [
        ({"do": "apply", "direction": "both", "path": {"loss": 2}}, "loss"),
        ({"do": "apply", "direction": "both", "path": {"colour": 1}}, "colour"),
        ({"do": "apply", "direction": "both", "path": {"up": 1}}, "up"),
        ({"do": "apply", "direction": "both", "path": {}, "now": True}, "unknown key"),
        ({"do": "apply", "direction": "sideways", "path": {}}, "do must be"),
        ({"do": "identify", "loudly": True}, "do must be"),
    ],
)
def test_it_is_strict(tmp_path: Path, request_: dict[str, object], words: str) -> None:
    with bench_of(CASE, "socket", tmp_path) as bench:
        with pytest.raises(InstrumentError, match=words):
            bench.instrument._ask(request_)
        with pytest.raises(UsageError):
            bench.instrument.apply(NetworkPath(loss=-1.0))
        assert bench.instrument.path() == NetworkPath()
