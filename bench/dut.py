"""The camera under test as a run sees it: reached by ONVIF, or by an RTSP address alone."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bench.camera.address import CameraUrl, Secret
from bench.camera.codecs import DECODERS
from bench.camera.onvif import OnvifCamera, StreamProfile
from reports.record import CameraIdentity
from standards.errors import MeasurementRefused, NoVideo, PlanMismatch, ProtocolViolation, UsageError

__all__ = ["Dut", "same_camera"]

#: What is received: of profiles with pictures of one size the main one has the first of these codecs.
_RECEIVED = tuple(DECODERS)
#: What ONVIF Imaging tells of the exposure.
_EXPOSURE = ("exposure", "exposure_ms")


def same_camera(before: Mapping[str, Any], now: Mapping[str, Any], url: CameraUrl) -> None:
    """Raises PlanMismatch if maker, model or serial number are not those of the camera a run began with."""
    other = [key for key in ("manufacturer", "model", "serial") if before.get(key) != now.get(key)]
    if other:
        told = ", ".join(f"{key} was {before.get(key)!r}, is {now.get(key)!r}" for key in other)
        raise PlanMismatch(
            f"another camera answers at {url}: {told}. Mend: reach the one the run was begun with, or give "
            "another --out"
        )


class Dut:
    """One camera, logged in once. Over plain RTSP it has no identity and no settings."""

    def __init__(self, url: CameraUrl, password: Secret | None, *, timeout_s: float = 5.0) -> None:
        """Connects at once where the address is ONVIF. Raises CameraUnreachable, CameraDenied, …"""
        self.url = url
        self.password = password
        self._onvif: OnvifCamera | None = None
        self._profile: StreamProfile | None = None
        self.stream_url = str(url)
        if url.scheme == "onvif":
            self._onvif = OnvifCamera.connect(url, password, timeout_s=timeout_s)
            self._profile = self._main_profile()
            self.stream_url = self._onvif.stream_uri(self._profile)

    def _main_profile(self) -> StreamProfile:
        assert self._onvif is not None
        offered = self._onvif.profiles()
        if self.url.profile:
            named = next((p for p in offered if p.token == self.url.profile), None)
            if named is None:
                known = ", ".join(p.token for p in offered)
                raise UsageError(
                    f"{self.url} has no profile {self.url.profile!r} with video. Mend: one of {known}"
                )
            return named
        profiles = [p for p in offered if p.codec in _RECEIVED]
        if not profiles:
            told = ", ".join(f"{p.token}: {p.codec}" for p in offered)
            raise NoVideo(f"{self.url} offers no profile that can be received ({told})")
        return max(profiles, key=lambda p: (p.width * p.height, -_RECEIVED.index(p.codec)))

    def identity(self) -> CameraIdentity:
        """What the camera says it is; empty over plain RTSP."""
        return self._onvif.identity() if self._onvif is not None else CameraIdentity()

    def stream(self) -> dict[str, Any]:
        """What the camera declares of its main stream: width, height, fps, bitrate_kbit, gop, codec."""
        if self._onvif is None:
            return {}
        self._profile = self._main_profile()
        p = self._profile
        return {
            "profile": p.token,
            "codec": p.codec,
            "width": p.width,
            "height": p.height,
            "fps": p.fps,
            "bitrate_kbit": p.bitrate_kbit,
            "gop": p.gop,
            **self._exposure(p),
        }

    def exposure(self) -> str:
        """Mode, shutter and gain of the main stream as the camera tells them."""
        told = {key: value for key, value in self.stream().items() if key in _EXPOSURE}
        return ", ".join(f"{key} {value}" for key, value in told.items()) or "not told"

    def ir_cut_filter(self) -> str:
        """The infrared-cut filter as the camera tells it: "on", "off", "auto" or "not told"."""
        if self._onvif is None or self._profile is None:
            return "not told"
        return self._onvif.ir_cut_filter(self._profile)

    def _exposure(self, profile: StreamProfile) -> dict[str, Any]:
        """A camera whose Imaging service stumbles is tested all the same: the record says what it said."""
        assert self._onvif is not None
        try:
            return self._onvif.exposure(profile)
        except ProtocolViolation as error:
            return {"exposure": f"not told: {error}"[:200]}

    def features(self) -> dict[str, bool]:
        """What the camera offers of what may be declared. Raises MeasurementRefused over plain RTSP."""
        if self._onvif is None:
            raise MeasurementRefused(
                "features are told by ONVIF: give the camera as onvif://user@host[:port]"
            )
        return self._onvif.features()

    def settings(self) -> dict[str, Any]:
        """The encoder's settings, as restore() takes them. Raises UsageError over plain RTSP."""
        if self._onvif is None or self._profile is None:
            raise UsageError("settings need ONVIF: give the camera as onvif://user@host[:port]")
        return dict(self._onvif.encoder_settings(self._profile))

    def maximum(self) -> dict[str, Any]:
        """The settings with the largest picture and the highest frame rate that the camera offers."""
        now = self.settings()
        assert self._onvif is not None and self._profile is not None
        options = self._onvif.encoder_options(self._profile)
        width, height = max(options.sizes, key=lambda size: size[0] * size[1])
        return {**now, "width": width, "height": height, "fps": options.fps[1]}

    def apply(self, settings: dict[str, Any]) -> None:
        """Set the encoder."""
        if self._onvif is None or self._profile is None:
            raise UsageError("settings need ONVIF: give the camera as onvif://user@host[:port]")
        self._onvif.apply_encoder_settings(self._profile, settings)
