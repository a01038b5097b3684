"""Control of the camera by ONVIF (Device and Media services), on onvif-zeep.

Every answer is bounded (soap_transport), every login is deliberate: one wrong password costs one attempt.
HTTP Digest is used where the camera challenges, since it asks for no common clock; else WS-UsernameToken,
stamped by the camera's own clock.
Addresses that the camera reports are used as reported, never rewritten.
"""

from __future__ import annotations

import datetime as dt
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from lxml.etree import LxmlError, _Element
from zeep.exceptions import Error as ZeepError
from zeep.exceptions import Fault
from zeep.wsse.username import UsernameToken

from bench.camera.address import CameraUrl, Secret
from bench.camera.soap_transport import BoundedTransport
from reports.record import CameraIdentity
from standards.errors import CamcertError, CameraDenied, ProtocolViolation

__all__ = ["ClockReading", "EncoderOptions", "OnvifCamera", "StreamProfile"]

_MOST_BYTES = 1 << 20
_DENIALS = ("NotAuthorized", "Unauthorized", "FailedAuthentication", "InvalidSecurity")
_SETTINGS = ("width", "height", "fps", "bitrate_kbit", "gop")
_CODECS = {"H264": "h264", "JPEG": "mjpeg", "MPEG4": "mpeg4"}


@dataclass(frozen=True)
class StreamProfile:
    """One media profile with its encoder. fps: frame rate limit; bitrate_kbit: limit; gop: pictures;
    source: token of the video source."""

    token: str
    name: str
    encoder: str
    codec: str
    width: int
    height: int
    fps: float
    bitrate_kbit: int
    gop: int
    source: str = ""


@dataclass(frozen=True)
class EncoderOptions:
    """What the encoder may be set to: sizes (width, height), fps and gop as (least, most)."""

    sizes: tuple[tuple[int, int], ...]
    fps: tuple[int, int]
    gop: tuple[int, int]


@dataclass(frozen=True)
class ClockReading:
    """The camera's wall clock between two of the host's times, all ns since the epoch.

    camera_ns: cut to the whole second, as ONVIF carries it: the true reading lies within a second above.
    sent_ns: before the request's first byte left; received_ns: after the answer's first byte came.
    """

    camera_ns: int
    sent_ns: int
    received_ns: int


@contextmanager
def _understood(camera: str) -> Iterator[None]:
    """What SOAP, zeep and a strange camera can raise, as whose fault it is."""
    try:
        yield
    except Exception as error:  # noqa: BLE001  onvif-zeep wraps everything alike; the real one is its context
        _translate(camera, error)


def _translate(camera: str, error: BaseException) -> None:
    chain: list[BaseException] = []
    one: BaseException | None = error
    while one is not None and one not in chain:
        chain.append(one)
        one = one.__cause__ or one.__context__
    for cause in chain:
        if isinstance(cause, CamcertError):
            raise cause from None
        if isinstance(cause, Fault):
            text = " ".join(str(part) for part in (cause.message, cause.code, *(cause.subcodes or ())))
            if any(word in text for word in _DENIALS):
                raise CameraDenied(f"{camera} refused the user or the password") from None
            raise ProtocolViolation(f"{camera} answered with a fault: {text[:300]}") from None
    known = (ZeepError, LxmlError, ValueError, TypeError, KeyError, AttributeError, IndexError)
    for cause in chain:
        if isinstance(cause, known):
            text = f"{type(cause).__name__}: {str(cause)[:300]}"
            raise ProtocolViolation(f"{camera} sent SOAP that does not fit ONVIF: {text}") from None
    raise error


class OnvifCamera:
    """A camera that has let us in."""

    def __init__(self, url: CameraUrl, password: Secret | None, *, timeout_s: float) -> None:
        """Use connect()."""
        self._url = url
        self._password = password
        self._camera = str(url.without_user())
        self._transport = BoundedTransport(
            url.user, password, host=url.host, total_s=timeout_s, most_bytes=_MOST_BYTES
        )
        self._offset = dt.timedelta(0)
        self._device_address = f"http://{url.authority}/onvif/device_service"
        self._media_address = ""
        self._token = False
        self._clock_open = True
        self._services: dict[str, Any] = {}

    @classmethod
    def connect(cls, url: CameraUrl, password: Secret | None, *, timeout_s: float = 5.0) -> OnvifCamera:
        """Read the camera's clock, find its media service, log in once.

        timeout_s: what one exchange may take in all. Raises CameraUnreachable, CameraDenied,
        ProtocolViolation, LimitExceeded.
        """
        camera = cls(url, password, timeout_s=timeout_s)
        try:
            reading = camera.clock()
        except (
            CameraDenied
        ):  # some cameras (older Axis) keep their clock behind the login, against ONVIF Core
            if camera._transport.digest:
                raise
            camera._clock_open = False
        else:
            middle = (reading.sent_ns + reading.received_ns) / 2
            camera._offset = dt.timedelta(seconds=round((reading.camera_ns - middle) / 1e9))
        camera._log_in()
        camera._media_address = camera._find_media()
        return camera

    def _log_in(self) -> None:
        """Ask something that needs a login, first without one, to learn which kind the camera wants."""
        try:
            self.identity()
        except CameraDenied:
            if self._url.user is None or self._password is None:
                raise CameraDenied(
                    f"{self._camera} asks for a user and a password: write onvif://user@{self._url.host} "
                    "and set $BENCH_CAMERA_PASSWORD"
                ) from None
            if self._transport.digest:
                raise
            self._token = True
            self.identity()
        else:
            self._token = self._url.user is not None and not self._transport.digest

    def clock(self) -> ClockReading:
        """The camera's wall clock; by ONVIF Core it needs no login, and gets one only where it is refused."""
        with _understood(self._camera):
            service = self._service(
                "devicemgmt", self._device_address, login=self._token and not self._clock_open
            )
            utc = service.GetSystemDateAndTime().UTCDateTime
            moment = dt.datetime(
                *(utc.Date.Year, utc.Date.Month, utc.Date.Day),
                *(utc.Time.Hour, utc.Time.Minute, min(utc.Time.Second, 59)),
                tzinfo=dt.UTC,
            )
            return ClockReading(
                int(moment.timestamp()) * 10**9, self._transport.sent_ns, self._transport.received_ns
            )

    def identity(self) -> CameraIdentity:
        """What the camera says it is."""
        with _understood(self._camera):
            found = self._device().GetDeviceInformation()
            return CameraIdentity(
                manufacturer=_text(found.Manufacturer),
                model=_text(found.Model),
                firmware=_text(found.FirmwareVersion),
                serial=_text(found.SerialNumber),
                hardware=_text(found.HardwareId),
            )

    def profiles(self) -> tuple[StreamProfile, ...]:
        """Profiles that hold a video encoder. Raises ProtocolViolation if there is none."""
        with _understood(self._camera):
            found = tuple(
                _profile(p)
                for p in self._media().GetProfiles() or ()
                if p.VideoEncoderConfiguration is not None
            )
        if not found:
            raise ProtocolViolation(f"{self._camera} has no media profile with a video encoder")
        return found

    def stream_uri(self, profile: StreamProfile) -> str:
        """RTSP address of the profile's stream, exactly as the camera reports it."""
        with _understood(self._camera):
            setup = {"Stream": "RTP-Unicast", "Transport": {"Protocol": "RTSP"}}
            answer = self._media().GetStreamUri({"StreamSetup": setup, "ProfileToken": profile.token})
            uri = _text(answer.Uri, 2048)
        if not uri.startswith("rtsp://"):
            raise ProtocolViolation(
                f"{self._camera} reports {uri[:100]!r} as its stream: not an RTSP address"
            )
        return uri

    def snapshot_uri(self, profile: StreamProfile) -> str:
        """HTTP address of a snapshot, as reported."""
        with _understood(self._camera):
            return _text(self._media().GetSnapshotUri({"ProfileToken": profile.token}).Uri, 2048)

    def encoder_options(self, profile: StreamProfile) -> EncoderOptions:
        """What the profile's encoder offers in its own codec; of JPEG every picture is a key picture."""
        with _understood(self._camera):
            asked = {"ConfigurationToken": profile.encoder, "ProfileToken": profile.token}
            answer = self._media().GetVideoEncoderConfigurationOptions(asked)
            offered = answer.JPEG if profile.codec == "mjpeg" else answer.H264
            gop = (1, 1)
            if profile.codec != "mjpeg":
                gop = (int(offered.GovLengthRange.Min), int(offered.GovLengthRange.Max))
            return EncoderOptions(
                sizes=tuple((int(s.Width), int(s.Height)) for s in offered.ResolutionsAvailable),
                fps=(int(offered.FrameRateRange.Min), int(offered.FrameRateRange.Max)),
                gop=gop,
            )

    def encoder_settings(self, profile: StreamProfile) -> dict[str, Any]:
        """The encoder's settings: width, height, fps, bitrate_kbit, gop (1 of JPEG)."""
        with _understood(self._camera):
            found = self._media().GetVideoEncoderConfiguration({"ConfigurationToken": profile.encoder})
            return {
                "width": int(found.Resolution.Width),
                "height": int(found.Resolution.Height),
                "fps": int(found.RateControl.FrameRateLimit),
                "bitrate_kbit": int(found.RateControl.BitrateLimit),
                "gop": int(found.H264.GovLength) if found.H264 is not None else 1,
            }

    def apply_encoder_settings(self, profile: StreamProfile, settings: dict[str, Any]) -> None:
        """Set what encoder_settings() gives; everything else of the configuration stays."""
        wanted = {name: int(settings[name]) for name in _SETTINGS}
        asked = {"ConfigurationToken": profile.encoder}
        with _understood(self._camera):
            configuration = self._media().GetVideoEncoderConfiguration(asked)
            configuration.Resolution.Width = wanted["width"]
            configuration.Resolution.Height = wanted["height"]
            configuration.RateControl.FrameRateLimit = wanted["fps"]
            configuration.RateControl.BitrateLimit = wanted["bitrate_kbit"]
            if configuration.H264 is not None:
                configuration.H264.GovLength = wanted["gop"]
            self._media().SetVideoEncoderConfiguration(
                {"Configuration": configuration, "ForcePersistence": True}
            )

    def scopes(self) -> tuple[str, ...]:
        """The camera's scopes."""
        with _understood(self._camera):
            return tuple(_text(s.ScopeItem, 1024) for s in self._device().GetScopes() or ())

    def exposure(self, profile: StreamProfile) -> dict[str, Any]:
        """Exposure of the profile's source as ONVIF Imaging tells it: its mode, and its time where it is set."""
        with _understood(self._camera):
            settings = self._imaging(profile)
            if settings is None:
                return {"exposure": "not offered"}
            found = settings.Exposure
            if found is None:
                return {"exposure": "not told"}
            told: dict[str, Any] = {"exposure": _text(found.Mode).lower()}
            if found.ExposureTime is not None:
                told["exposure_ms"] = float(found.ExposureTime) / 1000  # ONVIF gives microseconds
            return told

    def ir_cut_filter(self, profile: StreamProfile) -> str:
        """The infrared-cut filter as ONVIF Imaging tells it: "on" (day), "off" (night), "auto" or "not told"."""
        with _understood(self._camera):
            settings = self._imaging(profile)
            told = None if settings is None else settings.IrCutFilter
            return _text(told).lower() if told is not None else "not told"

    def _imaging(self, profile: StreamProfile) -> Any:
        """The profile's imaging settings; None where no service offers them."""
        offered = self._device().GetCapabilities({"Category": "All"}).Imaging
        if offered is None or not offered.XAddr or not profile.source:
            return None
        service = self._service("imaging", _text(offered.XAddr, 2048), login=self._token)
        return service.GetImagingSettings({"VideoSourceToken": profile.source})

    def features(self) -> dict[str, bool]:
        """What the camera offers of what a declaration may say: ptz (a PTZ service), audio (a source of it)."""
        with _understood(self._camera):
            offered = self._device().GetCapabilities({"Category": "All"}).PTZ
            audio = any(p.AudioSourceConfiguration is not None for p in self._media().GetProfiles() or ())
            return {"ptz": offered is not None and bool(offered.XAddr), "audio": audio}

    def _find_media(self) -> str:
        with _understood(self._camera):
            found = self._device().GetCapabilities({"Category": "Media"})
            return _text(found.Media.XAddr, 2048)

    def _device(self) -> Any:
        return self._service("devicemgmt", self._device_address, login=self._token)

    def _media(self) -> Any:
        return self._service("media", self._media_address, login=self._token)

    def _service(self, name: str, address: str, *, login: bool) -> Any:
        """An onvif-zeep service on the bounded transport; made once. login: with a WS-UsernameToken."""
        key = f"{name} {login}"
        if key not in self._services:
            service = _make_service(name, address, self._transport)
            token = None
            if login and self._url.user is not None and self._password is not None:
                token = _Token(self._url.user, self._password, self._offset)
            service.zeep_client.wsse = token
            self._services[key] = service
        return self._services[key]


class _Token(UsernameToken):
    """A WS-UsernameToken with a digest, stamped by the camera's clock: cameras with a wrong one are usual."""

    def __init__(self, user: str, password: Secret, offset: dt.timedelta) -> None:
        """offset: camera's clock minus host's."""
        super().__init__(  # type: ignore[no-untyped-call]
            user, password.reveal(), use_digest=True, zulu_timestamp=True
        )
        self._offset = offset

    def apply(self, envelope: _Element, headers: dict[str, str]) -> tuple[_Element, dict[str, str]]:
        self.created = dt.datetime.now(dt.UTC) + self._offset
        done: tuple[_Element, dict[str, str]] = super().apply(envelope, headers)  # type: ignore[no-untyped-call]
        return done


def _make_service(name: str, address: str, transport: BoundedTransport) -> Any:
    root = logging.getLogger()
    before = list(root.handlers), root.level
    from onvif import ONVIFService  # configures the root logger when imported: undone below
    from onvif.definition import SERVICES

    root.handlers[:] = before[0]
    root.setLevel(before[1])
    definition = SERVICES[name]
    return ONVIFService(
        address,
        None,
        None,
        str(_wsdl_folder() / definition["wsdl"]),
        no_cache=True,
        binding_name=f"{{{definition['ns']}}}{definition['binding']}",
        transport=transport,
    )


def _wsdl_folder() -> Path:
    """The WSDL files that onvif-zeep installs beside its package."""
    spec = find_spec("onvif")
    assert spec is not None and spec.origin is not None
    return Path(spec.origin).parent.parent / "wsdl"


def _profile(found: Any) -> StreamProfile:
    encoder = found.VideoEncoderConfiguration
    rate = encoder.RateControl
    return StreamProfile(
        token=_text(found.token),
        name=_text(found.Name),
        encoder=_text(encoder.token),
        codec=_CODECS.get(str(encoder.Encoding), str(encoder.Encoding).lower()),
        width=int(encoder.Resolution.Width),
        height=int(encoder.Resolution.Height),
        fps=float(rate.FrameRateLimit) if rate is not None else 0.0,
        bitrate_kbit=int(rate.BitrateLimit) if rate is not None else 0,
        gop=int(encoder.H264.GovLength) if encoder.H264 is not None else int(encoder.Encoding == "JPEG"),
        source=_text(found.VideoSourceConfiguration.SourceToken) if found.VideoSourceConfiguration else "",
    )


def _text(value: Any, most: int = 128) -> str:
    """A camera's text, bounded, control characters out."""
    return "".join(c for c in str(value if value is not None else "")[:most] if c.isprintable())
