"""Scenes for the proof of image diagnosis: photographs, windows of deep ones, and drawn ones; in linear light.

A scene is (rows, columns, 3) float32, R G B, 0 to 1, with a margin about the view so that it can move.
"""

from __future__ import annotations

import math
import tomllib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

__all__ = ["HELD_OUT", "HERE", "Scene", "scenes"]

HERE = Path(__file__).resolve().parent
Picture = NDArray[np.float32]
_W, _H, _MARGIN = 640, 360, 40
_MOST_WINDOWS = 9


@dataclass(frozen=True)
class Scene:
    """source: photograph or kind of drawing; what halves are split by. tuning: of the half that may be looked at."""

    key: str
    source: str
    tuning: bool
    light: Callable[[], Picture]


def _linear(codes: NDArray[np.uint8]) -> Picture:
    """sRGB codes, B G R, to light, R G B (IEC 61966-2-1)."""
    steps = np.arange(256) / 255.0
    table = np.where(steps <= 0.04045, steps / 12.92, ((steps + 0.055) / 1.055) ** 2.4).astype(np.float32)
    return np.asarray(table[codes[:, :, ::-1]], np.float32)


@lru_cache(maxsize=4)
def _read(path: Path) -> NDArray[np.uint8]:
    picture = cv2.imread(str(path), cv2.IMREAD_COLOR)
    assert picture is not None, path
    width = min(picture.shape[1], 3 * _W)
    height = round(picture.shape[0] * width / picture.shape[1])
    return np.asarray(cv2.resize(picture, (width, height), interpolation=cv2.INTER_AREA), np.uint8)


def _margined(view: NDArray[np.uint8]) -> Picture:
    border = (_MARGIN,) * 4
    return _linear(np.asarray(cv2.copyMakeBorder(view, *border, cv2.BORDER_REFLECT_101), np.uint8))


def _whole(path: Path) -> Picture:
    picture = _read(path)
    height, width = picture.shape[:2]
    across, down = (width, width * _H // _W) if width * _H <= height * _W else (height * _W // _H, height)
    left, top = (width - across) // 2, (height - down) // 2
    view = picture[top : top + down, left : left + across]
    return _margined(np.asarray(cv2.resize(view, (_W, _H), interpolation=cv2.INTER_AREA), np.uint8))


def _window(path: Path, place: int) -> Picture:
    picture = _read(path)
    across = picture.shape[1] // _W
    top, left = place // across * _H, place % across * _W
    return _margined(picture[top : top + _H, left : left + _W])


def _fractal(draw: np.random.Generator, shape: tuple[int, int], slope: float) -> Picture:
    """Noise whose amplitude falls with the frequency to this power; mean 0, sd 1."""
    fy, fx = np.fft.fftfreq(shape[0])[:, None], np.fft.rfftfreq(shape[1])[None]
    size = np.maximum(np.hypot(fy, fx), 1.0 / max(shape)) ** -slope
    field = np.fft.irfft2(np.fft.rfft2(draw.standard_normal(shape)) * size, shape)
    return np.asarray((field - field.mean()) / field.std(), np.float32)


def _colour(draw: np.random.Generator) -> tuple[float, float, float]:
    """A surface: reflectance 0.03 to 0.8, mostly pale, one in six strong."""
    grey = math.exp(draw.uniform(math.log(0.03), math.log(0.8)))
    strength = draw.uniform(0.3, 0.9) if draw.random() < 1 / 6 else abs(draw.normal(0, 0.1))
    turn = draw.uniform(0, 2 * math.pi)
    tint = [math.exp(strength * math.cos(turn + k * 2 * math.pi / 3)) for k in range(3)]
    red, green, blue = (min(grey * t, 0.95) for t in tint)
    return red, green, blue


def _leaves(draw: np.random.Generator) -> Picture:
    """Dead leaves: discs and boxes that hide one another, sizes by a power law, each with its texture."""
    height, width = _H + 2 * _MARGIN, _W + 2 * _MARGIN
    picture = np.full((height, width, 3), _colour(draw), np.float32)
    smallest = draw.uniform(6, 14)
    sizes = np.sort((smallest**-1.5 + draw.random(420) * (140**-1.5 - smallest**-1.5)) ** (-1 / 1.5))[::-1]
    for size in sizes[: int(draw.integers(60, 420))]:
        x, y = draw.uniform(0, width), draw.uniform(0, height)
        if draw.random() < 0.5:
            half = float(size), float(size * draw.uniform(0.3, 1))
            box = cv2.boxPoints(((x, y), half, float(draw.uniform(0, 90))))
            cv2.fillConvexPoly(picture, np.rint(box).astype(np.int32), _colour(draw), cv2.LINE_AA)
        else:
            cv2.circle(picture, (round(x), round(y)), max(int(size / 2), 2), _colour(draw), -1, cv2.LINE_AA)
    return _textured(picture, draw)


def _textured(picture: Picture, draw: np.random.Generator) -> Picture:
    """Light that varies over the view, and surfaces that are not plain."""
    broad = np.exp(0.25 * _fractal(draw, picture.shape[:2], 2.0))
    fine = np.exp(draw.uniform(0.01, 0.08) * _fractal(draw, picture.shape[:2], 1.0))
    return np.asarray(np.clip(picture * (broad * fine)[:, :, None], 0.002, 1.0), np.float32)


def _street(draw: np.random.Generator) -> Picture:
    """A street: sky, houses with windows to both sides, road with marks, trees, posts."""
    height, width = _H + 2 * _MARGIN, _W + 2 * _MARGIN
    middle, horizon = draw.uniform(0.3, 0.7) * width, draw.uniform(0.3, 0.5) * height
    rows = np.linspace(0, 1, height, dtype=np.float32)[:, None, None]
    sky = np.float32([0.5, 0.6, 0.8]) * (0.6 + 0.6 * rows) * np.float32(draw.uniform(0.6, 1.1))
    picture = np.ascontiguousarray(np.broadcast_to(sky, (height, width, 3)), np.float32)
    asphalt = draw.uniform(0.08, 0.25)
    picture[int(horizon) :] = asphalt
    for side in (-1, 1):
        depth = 1.0
        while depth > 0.08:
            further = depth * draw.uniform(0.55, 0.8)
            near, far = (middle + side * width * 0.8 * d for d in (depth, further))
            tall = draw.uniform(0.5, 1.6) * height
            _house(picture, (near, far), (depth, further), horizon, tall, draw)
            depth = further * draw.uniform(0.85, 1.0)
    for k in range(int(draw.integers(3, 9))):
        top, low = horizon + height * 0.6 / (k + 2), horizon + height * 0.6 / (k + 1.4)
        half = 3.0 * 4 / (k + 2)
        corners = [
            (middle - half, low),
            (middle + half, low),
            (middle + half / 1.3, top),
            (middle - half / 1.3, top),
        ]
        cv2.fillConvexPoly(picture, np.rint(corners).astype(np.int32), (0.7, 0.7, 0.65), cv2.LINE_AA)
    for _ in range(int(draw.integers(1, 6))):
        _post(picture, draw, horizon)
    return _textured(picture, draw)


def _house(
    picture: Picture, sides: tuple[float, float], depths: tuple[float, float], horizon: float, tall: float,
    draw: np.random.Generator,
) -> None:  # fmt: skip
    def at(across: float, up: float) -> tuple[float, float]:
        x = sides[0] + across * (sides[1] - sides[0])
        scale = depths[0] + across * (depths[1] - depths[0])
        return x, horizon + scale * (0.25 * picture.shape[0] - up * tall)

    def fill(a: float, b: float, c: float, d: float, colour: tuple[float, float, float]) -> None:
        corners = np.rint([at(a, c), at(b, c), at(b, d), at(a, d)]).astype(np.int32)
        cv2.fillConvexPoly(picture, corners, colour, cv2.LINE_AA)

    fill(0, 1, 0, 1, _colour(draw))
    glass, storeys, axes = _colour(draw), int(draw.integers(2, 7)), int(draw.integers(2, 6))
    for i in range(axes):
        for j in range(storeys):
            a, c = (i + 0.25) / axes, (j + 0.3) / storeys
            fill(a, a + 0.5 / axes, c, c + 0.45 / storeys, glass)


def _post(picture: Picture, draw: np.random.Generator, horizon: float) -> None:
    height, width = picture.shape[:2]
    x, foot = draw.uniform(0, width), horizon + draw.uniform(0.05, 0.5) * height
    tone = _colour(draw)
    size = (foot - horizon) / height
    if draw.random() < 0.5:
        top = round(foot - size * 1.2 * height)
        cv2.line(
            picture, (round(x), round(foot)), (round(x), top), tone, max(1, round(14 * size)), cv2.LINE_AA
        )
        return
    for _ in range(60):  # a tree
        spot = x + draw.normal(0, 0.12) * size * width, foot - size * height * draw.uniform(0.5, 1.3)
        green = draw.uniform(0.03, 0.2)
        cv2.circle(
            picture,
            (round(spot[0]), round(spot[1])),
            max(2, round(18 * size)),
            (0.6 * green, green, 0.3 * green),
            -1,
        )


def _room(draw: np.random.Generator) -> Picture:
    """A room or yard: plain walls, a tiled floor, doors, things standing about. Much of it has no texture."""
    height, width = _H + 2 * _MARGIN, _W + 2 * _MARGIN
    picture = np.full((height, width, 3), np.float32(draw.uniform(0.3, 0.8)), np.float32)
    picture *= np.float32([1.0, draw.uniform(0.95, 1.05), draw.uniform(0.85, 1.05)])
    floor = int(draw.uniform(0.5, 0.75) * height)
    picture[floor:] = _colour(draw)
    for x in np.arange(-8, 9) * draw.uniform(60, 140):
        line = (round(width / 2 + 0.3 * x), floor), (round(width / 2 + 2 * x), height)
        cv2.line(picture, *line, (0.1, 0.1, 0.1), 1, cv2.LINE_AA)
    for k in range(int(draw.integers(3, 15))):
        w, h = draw.uniform(0.03, 0.25) * width, draw.uniform(0.05, 0.5) * height
        x, y = draw.uniform(-0.1, 0.95) * width, floor + draw.uniform(-0.4, 0.4) * height - h * (k % 2)
        corners = np.rint([(x, y), (x + w, y), (x + w, y + h), (x, y + h)]).astype(np.int32)
        cv2.fillConvexPoly(picture, corners, _colour(draw), cv2.LINE_AA)
        cv2.polylines(picture, [corners], True, (0.05, 0.05, 0.05), 1, cv2.LINE_AA)
    return _textured(picture, draw)


_DRAWN = {"leaves": _leaves, "street": _street, "room": _room}


def _drawn(kind: str, seed: int) -> Picture:
    draw = np.random.default_rng([20261126, seed])
    light = _DRAWN[kind](draw)
    if draw.random() < 0.08:  # fog
        light = np.asarray(0.6 + (light - 0.6) * draw.uniform(0.25, 0.6), np.float32)
    # Edges were drawn finer than a lens and pixels would make them.
    return np.asarray(cv2.GaussianBlur(light, (0, 0), 0.6), np.float32)


#: Drawn scenes of the held-out half are drawn from seeds that no tuning and no earlier proof has seen.
HELD_OUT = 20_000


def scenes(pictures: Path | None, drawn: int, held_out: int = HELD_OUT) -> Iterator[Scene]:
    """Every scene: those of the photographs in a folder, then so many drawn ones of each half, the kinds in turn.

    held_out: first seed of the drawn scenes of the held-out half.
    """
    if pictures is not None:
        listed = tomllib.loads((HERE / "diagnosis_pictures.toml").read_text())
        seen = {key.rpartition("/")[0] for key in listed["looked_at"]}
        for number, name in enumerate(sorted([*listed["whole"], *listed["deep"]])):
            file, tuning = pictures / name.replace("/", "_"), number % 2 == 0 or name in seen
            # One scene is cut from a photograph under another's name where they show the same thing: none here does.
            key = f"{name}/whole"
            yield Scene(key, name, tuning, lambda f=file: _whole(f))  # type: ignore[misc]
            if name in listed["deep"]:
                height, width = _read(file).shape[:2]
                count = min((height // _H) * (width // _W), _MOST_WINDOWS)
                for place in range(count if width >= 2 * _W else 0):
                    key = f"{name}/{place}"
                    yield Scene(key, name, tuning, lambda f=file, p=place: _window(f, p))  # type: ignore[misc]
    for number in range(2 * drawn):
        seed, kind = number // 2 + number % 2 * held_out, list(_DRAWN)[number // 2 % 3]
        yield Scene(f"{kind}/{seed}", kind, number % 2 == 0, lambda k=kind, s=seed: _drawn(k, s))  # type: ignore[misc]
