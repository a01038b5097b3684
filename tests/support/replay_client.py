"""A client for recordings: ONVIF's services by plain SOAP, and replay on a raw RTSP connection, extension included."""

from __future__ import annotations

import re
import struct
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from urllib.parse import urlsplit

import requests
from lxml import etree
from raw_rtsp import RawRtsp, Rtp
from requests.auth import HTTPDigestAuth

RECORDING = "http://www.onvif.org/ver10/recording/wsdl"
SEARCH = "http://www.onvif.org/ver10/search/wsdl"
REPLAY = "http://www.onvif.org/ver10/replay/wsdl"
DEVICE = "http://www.onvif.org/ver10/device/wsdl"
TT = "http://www.onvif.org/ver10/schema"
PATHS = {
    RECORDING: "recording_service",
    SEARCH: "search_service",
    REPLAY: "replay_service",
    DEVICE: "device_service",
}
TOKEN = "recording-main"
STREAM_SETUP = (
    "<q:StreamSetup><t:Stream>RTP-Unicast</t:Stream><t:Transport><t:Protocol>RTSP</t:Protocol></t:Transport>"
)
STREAM_SETUP += "</q:StreamSetup>"
SCOPE = f"<q:Scope><t:IncludedRecordings>{TOKEN}</t:IncludedRecordings></q:Scope>"


def utc_ns(text: str) -> int:
    """Nanoseconds of an xs:dateTime that ends with Z."""
    return round(datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp() * 1000) * 1_000_000


def clock(ns: int) -> str:
    """A moment for a Range header."""
    moment = datetime.fromtimestamp(ns // 10**9, UTC)
    return f"{moment:%Y%m%dT%H%M%S}.{ns % 10**9 // 10**6:03d}Z"


def iso(ns: int) -> str:
    """A moment for SOAP."""
    return f"{datetime.fromtimestamp(ns // 10**9, UTC):%Y-%m-%dT%H:%M:%S}.{ns % 10**9 // 10**6:03d}Z"


@dataclass
class Soap:
    """Plain SOAP over HTTP with Digest. onvif: the camera's address as it prints it."""

    onvif: str
    password: str = "camcert-sim"
    last: tuple[etree._Element, etree._Element] | None = None

    def ask(self, space: str, name: str, inside: str = "", status: int = 200) -> etree._Element:
        """The response element of one operation, or the fault. q: its namespace, t: the common schema."""
        parts = urlsplit(self.onvif)
        sent = (
            f'<s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope"><s:Body><q:{name} xmlns:q="{space}" '
            f'xmlns:t="{TT}">{inside}</q:{name}></s:Body></s:Envelope>'
        )
        answer = requests.post(
            f"http://{parts.hostname}:{parts.port}/onvif/{PATHS[space]}", data=sent, timeout=10,
            auth=HTTPDigestAuth("admin", self.password), headers={"Content-Type": "application/soap+xml"},
        )  # fmt: skip
        root = etree.fromstring(answer.content)
        assert answer.status_code == status, answer.text
        self.last = etree.fromstring(sent)[-1][0], root[-1][0]
        return root[-1][0]

    def text(self, space: str, name: str, wanted: str, inside: str = "") -> str:
        """Text of the first element of a name in an answer."""
        found = self.ask(space, name, inside).find(f".//{{*}}{wanted}")
        assert found is not None and found.text
        return found.text

    def span(self) -> tuple[int, int]:
        """First and last moment of the recording."""
        root = self.ask(SEARCH, "GetRecordingSummary")
        first, last = (root.findtext(f".//{{*}}{name}") or "" for name in ("DataFrom", "DataUntil"))
        return utc_ns(first), utc_ns(last)

    def presence(self, begin_ns: int, end_ns: int) -> list[tuple[int, bool]]:
        """When data of the track begins (True) and ends (False), by FindEvents."""
        topic = (
            '<n:TopicExpression xmlns:n="http://docs.oasis-open.org/wsn/b-2" '
            'xmlns:tns1="http://www.onvif.org/ver10/topics" '
            'Dialect="http://www.onvif.org/ver10/tev/topicExpression/ConcreteSet">'
            "tns1:RecordingHistory/Track/State</n:TopicExpression>"
        )
        inside = f"<q:StartPoint>{iso(begin_ns)}</q:StartPoint><q:EndPoint>{iso(end_ns)}</q:EndPoint>{SCOPE}"
        inside += f"<q:SearchFilter>{topic}</q:SearchFilter><q:IncludeStartState>false</q:IncludeStartState>"
        inside += "<q:KeepAliveTime>PT10S</q:KeepAliveTime>"
        token = self.text(SEARCH, "FindEvents", "SearchToken", inside)
        root = self.ask(SEARCH, "GetEventSearchResults", f"<q:SearchToken>{token}</q:SearchToken>")
        self.ask(SEARCH, "EndSearch", f"<q:SearchToken>{token}</q:SearchToken>")
        out = []
        for one in root.iter(f"{{{TT}}}Result"):
            item = one.find(".//{*}Data/{*}SimpleItem")
            assert item is not None and item.get("Name") == "IsDataPresent"
            out.append((utc_ns(one.findtext("{*}Time") or ""), item.get("Value") == "true"))
        return out

    def set_clock(self, ns: int) -> None:
        """Set the camera's clock by hand, to the second."""
        m = datetime.fromtimestamp(ns // 10**9, UTC)
        time_of_day = (
            f"<t:Hour>{m.hour}</t:Hour><t:Minute>{m.minute}</t:Minute><t:Second>{m.second}</t:Second>"
        )
        date = f"<t:Year>{m.year}</t:Year><t:Month>{m.month}</t:Month><t:Day>{m.day}</t:Day>"
        inside = "<q:DateTimeType>Manual</q:DateTimeType><q:DaylightSavings>false</q:DaylightSavings>"
        inside += f"<q:UTCDateTime><t:Time>{time_of_day}</t:Time><t:Date>{date}</t:Date></q:UTCDateTime>"
        self.ask(DEVICE, "SetSystemDateAndTime", inside)

    def replay_uri(self) -> str:
        """Where the recording plays."""
        inside = f"{STREAM_SETUP}<q:RecordingToken>{TOKEN}</q:RecordingToken>"
        return self.text(REPLAY, "GetReplayUri", "Uri", inside)


@dataclass(frozen=True)
class Extension:
    """ONVIF's header extension. utc_ns: from its NTP time."""

    utc_ns: int
    clean: bool
    end: bool
    discontinuity: bool
    terminal: bool
    cseq: int


@dataclass
class Played:
    """One picture of a replay."""

    extension: Extension
    timestamp: int
    packets: list[Rtp] = field(default_factory=list)
    arrival: float = 0.0


class ReplayClient(RawRtsp):
    """Plays a recording. extensions: of the packet that was read last."""

    def __init__(self, url: str, password: str = "camcert-sim") -> None:
        super().__init__(url, password)
        self.extension: Extension | None = None

    def packet(self) -> Rtp | None:
        """The next RTP packet, its extension taken off; None for RTCP."""
        frame = self._frame()
        assert frame is not None, "an answer nobody asked for"
        channel, data = frame
        if channel == 1:
            self._rtcp(data)
            return None
        flags, kind, sequence, timestamp, ssrc = struct.unpack("!BBHII", data[:12])
        assert flags in (0x80, 0x90)
        self.extension = None
        body = data[12:]
        if flags & 0x10:
            profile, words, ntp, bits, cseq, _ = struct.unpack("!HHQBBH", body[:16])
            assert (profile, words, bits & 0x0F) == (0xABAC, 3, 0)
            ns = (ntp >> 32) * 10**9 + ((ntp & 0xFFFFFFFF) * 10**9 >> 32) - 2_208_988_800 * 10**9
            clean, end, discontinuity, terminal = (bool(bits & place) for place in (0x80, 0x40, 0x20, 0x10))
            self.extension, body = Extension(ns, clean, end, discontinuity, terminal, cseq), body[16:]
        return Rtp(sequence, timestamp, bool(kind & 0x80), body, kind & 0x7F, ssrc)

    def open(self) -> None:
        """DESCRIBE and SETUP."""
        head = {"Require": "onvif-replay"}
        assert self.request("DESCRIBE", headers=head).status == 200
        reply = self.request(
            "SETUP", self.url + "/video", {"Transport": "RTP/AVP/TCP;unicast;interleaved=0-1", **head}
        )
        assert reply.status == 200
        self.session = reply.headers["session"][0].split(";")[0]

    def start(self, from_ns: int | None, until_ns: int | None = None, **more: str) -> Mapping[str, list[str]]:
        """PLAY from a moment; the answer's headers."""
        headers = {"Require": "onvif-replay", **{k.replace("_", "-"): v for k, v in more.items()}}
        if from_ns is not None:
            headers["Range"] = f"clock={clock(from_ns)}-" + (clock(until_ns) if until_ns is not None else "")
        reply = self.request("PLAY", headers=headers)
        assert reply.status == 200
        return reply.headers

    def take(self, count: int = 10**9, seconds: float = 10.0) -> list[Played]:
        """Pictures until one says that it is the last, or there are `count`."""
        out: list[Played] = []
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            packet = self.packet()
            if packet is None:
                continue
            if self.extension is not None and (not out or packet.timestamp != out[-1].timestamp):
                out.append(Played(self.extension, packet.timestamp))
            out[-1].packets.append(packet)
            if packet.marker:
                out[-1].arrival = time.monotonic()
                if out[-1].extension.terminal or len(out) >= count:
                    return out
        raise AssertionError(f"{len(out)} pictures in {seconds} s")


def rtptime(headers: Mapping[str, list[str]]) -> int:
    """The timestamp that RTP-Info promises."""
    found = re.search(r"rtptime=(\d+)", headers["rtp-info"][0])
    assert found is not None
    return int(found[1])
