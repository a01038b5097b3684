"""What errors of the grey steps' densities do to where a pattern's or an edge's response falls to a level."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bench.measure.edge import edge_sfr
from bench.measure.tone import Tone, measure_tone
from standards.errors import MeasurementRefused

__all__ = ["Wave", "drawn_tone", "edge_errors", "falling_slope", "frequency_errors"]

_Floats = NDArray[np.float64]
_DRAWS, _PHASES = 48, 64
_EDGE_DRAWS = 12
_BEYOND = 1.0  # cycles a pixel that stand for no fall to 10 %
_LEAST_SLOPE = 0.1


@dataclass(frozen=True)
class Wave:
    """A sine at the limit: mean light, in units of reflectance; modulation, of the light; slope: -d ln(response) /
    d ln(frequency) there, inf where it does not fall to the level."""

    mean: float
    modulation: float
    slope: float


def frequency_errors(tone: Tone, waves: Sequence[Wave], density_u: float) -> _Floats:
    """(draws, waves) relative errors of each wave's frequency.

    Every step errs by itself, density_u being its standard uncertainty; the tone curve through them is drawn anew, the sine
    is sent through it, and what its fundamental gains is divided by the response's slope.
    """
    draw = np.random.default_rng(20)
    turn = 2 * np.pi * np.arange(_PHASES) / _PHASES
    codes = np.arange(256.0)
    shown = [np.interp(w.mean * (1 + w.modulation * np.cos(turn)), tone.table, codes) for w in waves]
    errors = np.zeros((_DRAWS, len(waves)))
    for row in errors:
        other = drawn_tone(tone, density_u, draw)
        for k, (code, wave) in enumerate(zip(shown, waves, strict=True)):
            light = np.interp(code, codes, other.table)
            gained = 2 * float((light * np.cos(turn)).mean()) / float(light.mean()) / wave.modulation
            row[k] = (gained - 1) / wave.slope
    return errors


def edge_errors(tone: Tone, edges: Sequence[NDArray[np.uint8]], density_u: float) -> _Floats:
    """(draws, edges) relative errors of the frequency where each edge's response falls to 10 %: every edge is measured anew
    with tone curves whose steps err by density_u, each by itself.

    edges: (rows, columns) codes of each edge's rectangle. A draw in which an edge cannot be measured counts for none.
    """
    draw = np.random.default_rng(22)
    found = []
    for number in range(_EDGE_DRAWS + 1):
        other = drawn_tone(tone, density_u, draw) if number else tone
        try:
            falls = [edge_sfr(other.linear(edge)).mtf10 for edge in edges]
        except MeasurementRefused:
            if not number:
                return np.zeros((0, len(edges)))
            continue
        found.append([_BEYOND if math.isnan(f10) else f10 for f10 in falls])
    plain, *drawn = np.array(found)
    return np.asarray(np.array(drawn).reshape(-1, len(edges)) / plain - 1)


def drawn_tone(tone: Tone, density_u: float, draw: np.random.Generator) -> Tone:
    """The tone curve with the density of every step off by a draw of its own, of standard deviation density_u.

    Raises MeasurementRefused where the steps are so near each other that the curve would fall."""
    steps = np.asarray(tone.reflectances)
    return measure_tone(tone.codes, (steps * 10 ** (-density_u * draw.standard_normal(len(steps)))).tolist())


def falling_slope(frequency: _Floats, response: _Floats, weights: _Floats, at: float, level: float) -> float:
    """-d ln(response) / d ln(frequency) about where it falls to a level; inf where it does not, or too little is seen."""
    near = (frequency > 0.85 * at) & (frequency < 1.15 * at)
    if math.isnan(at) or np.count_nonzero(near) < 4:
        return math.inf
    slope = np.polyfit(frequency[near], response[near], 1, w=weights[near])[0]
    return max(-float(slope) * at / level, _LEAST_SLOPE)
