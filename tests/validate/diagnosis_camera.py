"""The camera of the proof of image diagnosis: light to a coded stream and back, good or with one defect.

Light -> view (sway, pan, shake, bodies, obstacle) -> lens -> exposure, white balance -> curve of BT.709 -> 4:2:0 codes
-> stripes, noise, text -> H.264 -> the stack of successive pictures and the colour pictures that the bench keeps.
"""

from __future__ import annotations

import math
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any

import av
import cv2
import numpy as np
from av.video.codeccontext import VideoCodecContext
from diagnosis_scenes import HERE, Picture
from numpy.typing import NDArray

from bench.measure.colour_picture import ColourPicture
from bench.measure.reading import read_counter
from fixtures.charts import counter_cells

__all__ = ["DEFECTS", "RULES", "Seen", "Settings", "good", "in_scope", "see", "spoilt"]

RULES: Mapping[str, Any] = tomllib.loads((HERE / "diagnosis.toml").read_text())
DEFECTS: Mapping[str, Mapping[str, Any]] = RULES["defect"]
_W, _H = int(RULES["sequence"]["width"]), int(RULES["sequence"]["height"])
_RUNS, _PICTURES = int(RULES["sequence"]["runs"]), int(RULES["sequence"]["pictures"])
_GAP_S, _FPS = float(RULES["sequence"]["gap_s"]), 25.0
_FROM_RGB = np.array(
    [[0.2126, 0.7152, 0.0722], [-0.114572, -0.385428, 0.5], [0.5, -0.454153, -0.045847]], np.float32
)  # ITU-R BT.709-6, 3.2 and 3.3
_LEVELS = np.linspace(0, 1, 1 << 15)
_CURVE = np.where(_LEVELS < 0.018, 4.5 * _LEVELS, 1.099 * _LEVELS**0.45 - 0.099).astype(np.float32)
#: The content counter's panel: cells of 10 pixels in a row, as much smaller than on chart camcert-1 as a tablet far off is.
_CELL, _AT = 10, (300, 420)  # pixels; row, column of its corner
_CELLS = tuple(
    (slice(_AT[0] + 2, _AT[0] + _CELL), slice(_AT[1] + _CELL * i + 2, _AT[1] + _CELL * i + _CELL - 2))
    for i in range(19)
)
_BANK = np.random.default_rng(5).standard_normal((2 * _H + 7, 2 * _W + 13), np.float32)


@dataclass(frozen=True)
class Settings:
    """One drawn condition. Lengths in pixels, noise in codes, ev against `mean_code`."""

    seed: int
    ev: float
    blur: float
    noise: float
    red: float
    blue: float
    rate: float
    bodies: int
    sway: float
    pan: float
    night: bool
    osd: bool
    mean_code: float
    kind: str = ""
    size: float = 0.0  # of the defect, in the unit of its table
    shift: tuple[float, float] = (0.0, 0.0)
    clipped: float = 0.0
    panel: bool = False  # whether the content counter is in view


@dataclass(frozen=True)
class Seen:
    """pictures: (n, rows, columns) luma; run: (n,); colour: one a run; counter: (n,) read of a panel in view."""

    pictures: NDArray[np.uint8]
    run: NDArray[np.int64]
    colour: tuple[ColourPicture, ...]

    @property
    def counter(self) -> NDArray[np.int64]:
        """The content counter of each picture, as the bench reads it."""
        return np.array([read_counter(p, _CELLS) for p in self.pictures])


def _drawn(draw: np.random.Generator, rule: Mapping[str, Any]) -> float:
    low, high = float(rule["low"]), float(rule["high"])
    if rule.get("log"):
        return float(math.exp(draw.uniform(math.log(low), math.log(high))))
    return float(draw.uniform(low, high))


def good(seed: int) -> Settings:
    """A good camera in good conditions."""
    draw, rule = np.random.default_rng([7, seed]), RULES["good"]
    return Settings(
        seed=seed, ev=_drawn(draw, rule["exposure_ev"]), blur=_W * _drawn(draw, rule["blur"]),
        noise=_drawn(draw, rule["noise_codes"]), red=_drawn(draw, rule["gain_red"]), blue=_drawn(draw, rule["gain_red"]),
        rate=_drawn(draw, rule["rate_bit_px"]), bodies=int(draw.integers(0, 4)), sway=_W * _drawn(draw, rule["sway"]),
        pan=_W * 0.001 * draw.uniform(-1, 1) if draw.random() < rule["pan_share"]["value"] else 0.0,
        night=draw.random() < rule["night_share"]["value"], osd=draw.random() < rule["osd_share"]["value"],
        mean_code=_drawn(draw, rule["mean_code"]),
    )  # fmt: skip


def spoilt(camera: Settings, kind: str) -> Settings:
    """The same camera with one defect, as severe as its table draws it."""
    draw, rule = np.random.default_rng([11, camera.seed, list(DEFECTS).index(kind)]), DEFECTS[kind]
    key = next((k for k, v in rule.items() if isinstance(v, dict)), None)
    made = replace(camera, kind=kind, size=_drawn(draw, rule[key]) if key else 0.0)
    if kind == "blur":
        return replace(made, blur=_W * made.size)
    if kind == "noise":
        return replace(made, noise=made.size)
    if kind == "underexposure":
        return replace(made, ev=made.size)
    if kind == "overexposure":
        return replace(made, clipped=made.size)
    if kind == "cast":
        side = math.sqrt(made.size) ** (1 if draw.random() < 0.5 else -1)
        return replace(made, red=side, blue=1 / side)
    if kind == "view":
        turn = draw.uniform(0, 2 * math.pi)
        size = made.size if draw.random() >= rule["another_share"] else 0.0  # 0: another view altogether
        return replace(made, size=size, shift=(size * _W * math.cos(turn), size * _W * math.sin(turn)))
    return made


def _codes(light: Picture) -> Picture:
    """BT.709-6, 1.2."""
    return np.asarray(_CURVE[np.rint(light * (len(_CURVE) - 1)).astype(np.intp)], np.float32)


def _luma(light: Picture) -> Picture:
    return np.asarray(16 + 219 * (_codes(np.clip(light, 0, 1)) @ _FROM_RGB[0]), np.float32)


def in_scope(light: Picture, kind: str, night: bool) -> bool:
    """Whether a clean scene holds what a defect would take away: by the rules, without any detector."""
    rule = RULES["scope"]
    if kind == "cast":
        if night:
            return False
        codes = _codes(np.clip(light, 0, 1)) @ _FROM_RGB[1:].T
        return bool(np.percentile(np.hypot(codes[..., 0], codes[..., 1]), 95) >= rule["chroma_p95"])
    if kind not in ("blur", "shake", "view", "occlusion"):
        return True
    luma = _luma(light)
    slope = np.hypot(cv2.Sobel(luma, cv2.CV_32F, 1, 0), cv2.Sobel(luma, cv2.CV_32F, 0, 1)) / 8
    edges = (slope >= rule["edge_codes_px"]).astype(np.float32)
    if kind == "occlusion":
        columns, rows = rule["cells"]
        cells = cv2.resize(edges, (columns, rows), interpolation=cv2.INTER_AREA)
        return bool((cells >= rule["structured_cell"]).mean() >= rule["structured_share"])
    return bool(edges.mean() >= rule["edges_share"])


def _exposed(light: Picture, camera: Settings) -> float:
    """The gain that exposure control settles at, or that the defect asks for."""
    if camera.clipped:
        brightest = light.max(axis=2)
        return float(1.05 / max(np.quantile(brightest, 1 - camera.clipped), 1e-4))
    gain = 1.0
    for _ in range(12):
        gain *= (camera.mean_code / float(_luma(light * gain).mean())) ** 1.5
    gain *= 2**camera.ev
    if camera.kind != "underexposure":
        most = RULES["good"]["clipped_most"]["value"]
        gain = min(gain, float(1.0 / max(np.quantile(light.max(axis=2), 1 - most), 1e-4)))
    return gain


class _View:
    """What stands before the lens at a time, in codes: developed once, then moved and covered."""

    def __init__(self, light: Picture, camera: Settings) -> None:
        self._draw, self._camera = np.random.default_rng([13, camera.seed]), camera
        height, width = light.shape[:2]
        if camera.night:
            y, x = np.mgrid[-1 : 1 : height * 1j, -1 : 1 : width * 1j]
            fall = 1 - 0.65 * np.clip((x * x + y * y) / 2, 0, 1)
            light = np.repeat((light.mean(axis=2) * fall)[:, :, None], 3, axis=2).astype(np.float32)
        self._margin = margin = (width - _W) // 2
        inner = light[margin:-margin, margin:-margin]
        gain = 0.0 if camera.kind == "black" else _exposed(inner, camera)
        usual = _exposed(inner, replace(camera, kind="", ev=0.0, clipped=0.0))
        light = np.asarray(cv2.GaussianBlur(light, (0, 0), max(camera.blur, 0.2)), np.float32)
        balance = np.float32((1.0, 1.0, 1.0) if camera.night else (camera.red, 1.0, camera.blue))
        codes = _codes(np.clip(light * (gain * balance), 0, 1)) @ _FROM_RGB.T
        self._luma = np.asarray(16 + 219 * codes[..., 0], np.float32)
        small = cv2.resize(codes[..., 1:], (width // 2, height // 2), interpolation=cv2.INTER_AREA)
        self._chroma = np.asarray(128 + 224 * small, np.float32)
        self._bodies = [
            (self._draw.uniform(0, _W), self._draw.uniform(0, _H), self._draw.uniform(-60, 60), self._draw.uniform(30, 75),
             self._draw.uniform(60, 120), self._grey(self._draw.uniform(0.02, 0.5) * gain / usual))
            for _ in range(camera.bodies)
        ]  # fmt: skip
        self._phase = self._draw.uniform(0, 2 * math.pi, 3)
        self._cover = self._obstacle(gain / usual)

    @staticmethod
    def _grey(light: float) -> float:
        return float(16 + 219 * _codes(np.float32([min(light, 1.0)]))[0])

    def _obstacle(self, exposure: float) -> Picture | None:
        if self._camera.kind != "occlusion":
            return None
        rule, share = DEFECTS["occlusion"], self._camera.size
        side = int(self._draw.integers(0, 4))
        cover = np.zeros((_H, _W), np.float32)
        across, down = round(share * _W), round(share * _H)
        part = (slice(None), slice(0, across)), (slice(None), slice(_W - across, _W))
        more = (slice(0, down), slice(None)), (slice(_H - down, _H), slice(None))
        cover[(*part, *more)[side]] = 1.0
        turned = cv2.getRotationMatrix2D((_W / 2, _H / 2), float(self._draw.uniform(-8, 8)), 1.0)
        cover = np.asarray(
            cv2.warpAffine(cover, turned, (_W, _H), borderMode=cv2.BORDER_REPLICATE), np.float32
        )
        self._tone = self._grey(_drawn(self._draw, rule["reflectance"]) * exposure)
        return np.asarray(cv2.GaussianBlur(cover, (0, 0), _W * _drawn(self._draw, rule["soft"])), np.float32)

    def _aside(self, seconds: float, picture: int) -> tuple[float, float]:
        camera = self._camera
        dx, dy = camera.shift
        sway = camera.sway * math.sqrt(2) * math.sin(2 * math.pi * 1.1 * seconds + self._phase[0])
        dx, dy = dx + sway + camera.pan * picture, dy + 0.5 * sway
        if camera.kind == "shake":
            rule = DEFECTS["shake"]["hz"]
            hz = rule["low"] + (rule["high"] - rule["low"]) * self._phase[1] / (2 * math.pi)
            swing = camera.size * _W * math.sin(2 * math.pi * hz * seconds + self._phase[2])
            dx, dy = dx + swing, dy + 0.7 * swing
        return dx, dy

    def at(self, seconds: float, picture: int) -> tuple[Picture, Picture]:
        """(360, 640) luma and (180, 320, 2) colour differences, codes, without noise."""
        dx, dy = self._aside(seconds, picture)
        planes = []
        for plane, scale in ((self._luma, 1.0), (self._chroma, 0.5)):
            move = np.float32([[1, 0, scale * (dx - self._margin)], [0, 1, scale * (dy - self._margin)]])
            size, linear = (
                (round(_W * scale), round(_H * scale)),
                cv2.INTER_CUBIC if scale == 1 else cv2.INTER_LINEAR,
            )
            moved = cv2.warpAffine(plane, move, size, flags=linear, borderMode=cv2.BORDER_REFLECT_101)
            planes.append(np.asarray(moved, np.float32))
        luma, chroma = planes
        for x, y, speed, wide, tall, tone in self._bodies:
            cover = np.zeros((_H, _W), np.float32)
            left, top = round((x + speed * seconds) % _W), round(y)
            cover[top : top + round(tall), left : left + round(wide)] = 1.0
            if self._camera.blur > 1.0:
                cover = np.asarray(cv2.GaussianBlur(cover, (0, 0), self._camera.blur), np.float32)
            luma, chroma = self._before(luma, chroma, cover, tone)
        if self._cover is not None:
            luma, chroma = self._before(luma, chroma, self._cover, self._tone)
        return luma, chroma

    @staticmethod
    def _before(luma: Picture, chroma: Picture, cover: Picture, tone: float) -> tuple[Picture, Picture]:
        small = cv2.resize(cover, (_W // 2, _H // 2), interpolation=cv2.INTER_AREA)[:, :, None]
        return luma + cover * (np.float32(tone) - luma), chroma + small * (np.float32(128) - chroma)


def _stripes(draw: np.random.Generator, amplitude: float) -> Picture:
    """Bands of rows or columns: a wave or random steps, rms as given, (rows, columns) broadcastable."""
    rule = DEFECTS["stripes"]["period"]
    upright = draw.random() < 0.5
    length, period = (_W if upright else _H), max(2.0, _W * _drawn(draw, rule))
    place = np.arange(length)
    if draw.random() < 0.5:
        band = math.sqrt(2) * np.sin(2 * math.pi * place / period + draw.uniform(0, 6))
    else:
        band = draw.standard_normal(length)[(place / (period / 2)).astype(int)]
    band = (amplitude * band / max(float(np.std(band)), 1e-6)).astype(np.float32)
    return band[None, :] if upright else band[:, None]


def _noise(draw: np.random.Generator, halved: int) -> Picture:
    """Normal noise, sd 1: a window of a bank, turned one of four ways."""
    rows, columns = _H >> halved, _W >> halved
    top, left = draw.integers(0, _BANK.shape[0] - rows), draw.integers(0, _BANK.shape[1] - columns)
    window = _BANK[top : top + rows, left : left + columns]
    return np.asarray(window[:: int(draw.choice([-1, 1])), :: int(draw.choice([-1, 1]))], np.float32)


def _planes(
    codes: tuple[Picture, Picture],
    camera: Settings,
    stripes: Picture | None,
    draw: np.random.Generator,
    text: str,
    number: int,
) -> NDArray[np.uint8]:
    luma, chroma = codes
    if stripes is not None:
        luma = luma + stripes
    luma = luma + np.float32(camera.noise) * _noise(draw, 0)
    if not camera.night:
        chroma = chroma + np.float32(0.5 * camera.noise) * np.stack(
            [_noise(draw, 1), _noise(draw, 1)], axis=-1
        )
    out = np.empty((_H * 3 // 2, _W), np.uint8)
    out[:_H] = np.clip(np.rint(luma), 16, 255)
    if camera.panel:
        states = np.repeat(np.where(counter_cells(number), 170.0, 45.0), _CELL)[None, :].repeat(
            _CELL + 2, axis=0
        )
        states = (
            cv2.GaussianBlur(states, (0, 0), 0.8)
            + camera.noise * _noise(draw, 0)[: _CELL + 2, : states.shape[1]]
        )
        out[_AT[0] : _AT[0] + _CELL + 2, _AT[1] : _AT[1] + states.shape[1]] = np.clip(
            np.rint(states), 16, 255
        )
    if camera.osd:
        for thick, tone in ((3, 16), (1, 235)):
            cv2.putText(out[:_H], text, (8, 18), cv2.FONT_HERSHEY_SIMPLEX, 0.5, tone, thick, cv2.LINE_AA)
    quarter = np.clip(np.rint(np.moveaxis(chroma, 2, 0)), 16, 240).astype(np.uint8)
    out[_H:] = quarter.reshape(_H // 2, _W)
    return out


def _encoder(camera: Settings) -> VideoCodecContext:
    encoder = av.CodecContext.create("libx264", "w")
    assert isinstance(encoder, VideoCodecContext)
    encoder.width, encoder.height, encoder.pix_fmt = _W, _H, "yuv420p"
    encoder.bit_rate = int(camera.rate * _W * _H * _FPS)
    encoder.time_base, encoder.framerate, encoder.thread_count = Fraction(1, 25), Fraction(25), 1
    encoder.gop_size, encoder.max_b_frames = _PICTURES, 0
    same = f"scenecut=0:keyint={_PICTURES}:min-keyint={_PICTURES}:colormatrix=bt709"
    encoder.options = {"preset": "superfast", "profile": "main", "x264-params": same}
    return encoder


def see(light: Picture, camera: Settings, count: int = _RUNS * _PICTURES) -> Seen:
    """What the bench keeps of this scene by this camera; count: pictures."""
    encoder, decoder = _encoder(camera), av.CodecContext.create("h264", "r")
    assert isinstance(decoder, VideoCodecContext)
    view, draw = _View(light, camera), np.random.default_rng([17, camera.seed, len(camera.kind)])
    stripes = _stripes(draw, camera.size) if camera.kind == "stripes" else None
    moving = stripes is not None and draw.random() < 0.5
    packets, held = [], None
    for index in range(count):
        run, picture = divmod(index, _PICTURES)
        seconds = run * _GAP_S + picture / _FPS
        if moving and stripes is not None:
            stripes = np.roll(stripes, int(draw.integers(1, 60)), axis=int(stripes.shape[0] == 1))
        if held is None or camera.kind != "freeze":
            held = _planes(
                view.at(seconds, picture),
                camera,
                stripes,
                draw,
                f"2026-11-26 10:00:{int(seconds):02d} CAM 01",
                round(100 * seconds),  # the counter goes on every hundredth of a second
            )
        frame = av.VideoFrame.from_ndarray(held, "yuv420p")
        frame.pts = index
        packets.extend(encoder.encode(frame))
    packets.extend(encoder.encode(None))
    frames = [frame for packet in [*packets, None] for frame in decoder.decode(packet)]
    planes = [frame.to_ndarray() for frame in frames]
    colour = []
    for last in planes[min(count, _PICTURES) - 1 :: _PICTURES]:
        parts = last[_H:].reshape(2, _H // 2, _W // 2)
        colour.append(ColourPicture(last[:_H], parts[0], parts[1], "bt709", False, True))
    pictures = np.stack([p[:_H] for p in planes]).astype(np.uint8)
    return Seen(pictures, np.arange(count) // _PICTURES, tuple(colour))
