"""Cameras of the proof, drawn from conditions.toml by seed: the same seed is the same camera for ever."""

from __future__ import annotations

import json
import tomllib
from importlib.resources import files
from typing import Any

import numpy as np

__all__ = ["CHARTS", "camera_tables", "toml_text"]

#: Charts that the proof shows, and how long each is captured, seconds.
CHARTS: dict[str, float] = {
    "edges": 2.2,
    "camcert-1": 2.2,
    "wedge": 2.2,
    "star": 2.2,
    "grey": 2.2,
    "colour": 1.6,
    "grid": 1.2,
    "board": 1.2,
    "uniform": 2.2,
}
PASSWORD = "camcert-proof"  # of a simulated camera


def _drawn(draw: np.random.Generator, wanted: Any) -> Any:
    if isinstance(wanted, list) and len(wanted) == 2 and all(isinstance(v, int | float) for v in wanted):
        value = draw.uniform(wanted[0], wanted[1])
        whole = all(isinstance(v, int) for v in wanted)
        return round(float(value)) if whole else round(float(value), 6)
    return wanted[int(draw.integers(len(wanted)))]


#: JPEG whose steps are one code: H.264 puts the encoder's noise in place of the camera's.
_KEEPS_NOISE = {"codec": "mjpeg", "quality": 100, "fps": 10, "gop": 1}


def _of_noise(drawn: dict[str, Any], grey: dict[str, Any]) -> dict[str, Any]:
    """Tables for the noise's proof: more of it, a fixed pattern; light and colours whose noise has a closed form."""
    return {
        **drawn,
        "picture": {**drawn["picture"], "noise_sd": grey["noise_sd"]},
        "sensor": {"prnu": grey["prnu"]},
        "lens": {**drawn["lens"], "glare": 0.0},
        "white_balance": {"red": 1.0, "blue": 1.0},
    }


#: Times the picture's size that the chart has: its bare paper is a flat field beyond every side of the picture.
_FLAT_FILL = 6.0


def _flat(drawn: dict[str, Any], flat: dict[str, Any]) -> dict[str, Any]:
    """Tables for the evenness over the field: red and blue pixels that lose light, too, and light far from clipping."""
    shading = {key: flat[key] for key in ("red_shading", "blue_shading")}
    return {**drawn, "lens": {**drawn["lens"], **shading}, "scene": {"fill": _FLAT_FILL}}


def camera_tables(chart: str, seed: int) -> dict[str, Any]:
    """The camera file of one seed before one chart, as tables."""
    ranges = tomllib.loads((files("bench.validate") / "conditions.toml").read_text())
    draw = np.random.default_rng([seed, sum(map(ord, chart))])
    drawn = {
        table: {key: _drawn(draw, wanted) for key, wanted in keys.items()}
        for table, keys in ranges.items()
    }  # fmt: skip
    stream = drawn.pop("stream")
    width, height = stream["size"]
    world = drawn.pop("world")
    board = drawn.pop("board")
    grey = drawn.pop("grey")
    if chart == "grey":
        drawn = _of_noise(drawn, grey)
    flat = drawn.pop("flat")
    if chart == "uniform":
        drawn = _flat(drawn, flat)
        world = {"illuminance_lx": flat["illuminance_lx"]}
    scene = {"chart": chart, **drawn["scene"], **(board if chart == "board" else {})}
    return {
        "title": f"proof {chart} {seed}",
        "device": {"manufacturer": "Simulated", "model": "PROOF", "serial": f"{chart}-{seed}", "password": PASSWORD},
        "stream": {
            "width": width, "height": height, "fps": 25, "gop": stream["gop"],
            "bitrate_kbit": stream[f"bitrate_kbit_{height}"],
            **(_KEEPS_NOISE if chart == "grey" else {}),
        },
        **drawn,
        "scene": scene,
        "picture": {**drawn["picture"], "seed": seed},
        "world": {"initial": world},
    }  # fmt: skip


def toml_text(tables: dict[str, Any], prefix: str = "") -> str:
    """Tables of plain values as TOML; tables in tables by their dotted name."""
    lines = [f"[{prefix}]"] if prefix else []
    lines += [f"{key} = {json.dumps(value)}" for key, value in tables.items() if not isinstance(value, dict)]
    for key, value in tables.items():
        if isinstance(value, dict):
            lines += ["", toml_text(value, f"{prefix}.{key}" if prefix else key)]
    return "\n".join(lines)
