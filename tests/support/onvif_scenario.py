"""One request of every operation of the virtual camera's ONVIF device, in an order that makes sense of them.

In the inside of a request 'q:' is its own namespace, 't:' the common schema; `{…}` is taken from earlier answers.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field

from lxml import etree

from fixtures.simulated.onvif.soap import (
    ADDRESSING,
    DEVICE,
    EVENTS,
    IMAGING,
    MEDIA,
    MEDIA2,
    NOTIFICATION,
    PTZ,
    SCHEMA,
)

__all__ = ["SCENARIO", "Step", "Track", "request"]

_PROFILE = "<q:ProfileToken>main</q:ProfileToken>"
_CONFIGURATION = "<q:ConfigurationToken>{}</q:ConfigurationToken>"
_SOURCE = "<q:VideoSourceToken>source</q:VideoSourceToken>"
_ENCODER = _CONFIGURATION.format("ve_main")
_VS = _CONFIGURATION.format("vs_main")
_MD = _CONFIGURATION.format("md_main")
_GROUP = (
    "<t:Multicast><t:Address><t:Type>IPv4</t:Type><t:IPv4Address>0.0.0.0</t:IPv4Address></t:Address><t:Port>0</t:Port>"
    "<t:TTL>0</t:TTL><t:AutoStart>false</t:AutoStart></t:Multicast>"
)
_RATE = (
    "<t:FrameRateLimit>12</t:FrameRateLimit><t:EncodingInterval>1</t:EncodingInterval>"
    "<t:BitrateLimit>900</t:BitrateLimit>"
)
_SIZE = "<t:Resolution><t:Width>640</t:Width><t:Height>360</t:Height></t:Resolution>"
_USER = "<q:User><t:Username>{}</t:Username><t:Password>long enough</t:Password><t:UserLevel>{}</t:UserLevel></q:User>"
_OSD = (
    '<q:OSD token="{}"><t:VideoSourceConfigurationToken>vs_main</t:VideoSourceConfigurationToken><t:Type>Text</t:Type>'
    "<t:Position><t:Type>{}</t:Type>{}</t:Position><t:TextString><t:Type>{}</t:Type>{}</t:TextString></q:OSD>"
)
_PLAIN = _OSD.format("{osd}", "UpperLeft", "", "Plain", "<t:PlainText>gate 4</t:PlainText>")
_CLOCK = _OSD.format(
    "{osd}", "Custom", '<t:Pos x="0.5" y="-0.5"/>', "DateAndTime", "<t:FontSize>40</t:FontSize>"
)
_METADATA = (
    '<q:Configuration token="md_main"><t:Name>metadata</t:Name><t:UseCount>2</t:UseCount><t:Analytics>false'
    f"</t:Analytics>{_GROUP}<t:SessionTimeout>PT60S</t:SessionTimeout></q:Configuration>"
)
_FILTER = (
    '<{0}:Filter><n:TopicExpression Dialect="http://www.onvif.org/ver10/tev/topicExpression/ConcreteSet">'
    "tns1:VideoSource//.|tns1:Device/Trigger/DigitalInput</n:TopicExpression></{0}:Filter>"
)
_IMAGING = (
    "<q:ImagingSettings><t:Brightness>60</t:Brightness><t:Exposure><t:Mode>{}</t:Mode>{}</t:Exposure>"
    "<t:IrCutFilter>AUTO</t:IrCutFilter><t:WideDynamicRange><t:Mode>ON</t:Mode><t:Level>30</t:Level>"
    "</t:WideDynamicRange><t:WhiteBalance><t:Mode>AUTO</t:Mode></t:WhiteBalance></q:ImagingSettings>"
)


@dataclass(frozen=True)
class Step:
    """One request. path: of the address it goes to, '' for the device service."""

    space: str
    name: str
    inside: str
    path: str = ""

    @property
    def key(self) -> str:
        """'{namespace}operation'."""
        return f"{{{self.space}}}{self.name}"


@dataclass
class Track:
    """What later requests take from earlier answers: tokens that the camera made up."""

    known: dict[str, str] = field(default_factory=dict)

    def fill(self, text: str) -> str:
        """Text with its {…} filled in."""
        return re.sub(r"\{([a-z_]+)\}", lambda found: self.known.get(found[1], ""), text)

    def learn(self, step: Step, body: etree._Element) -> None:
        """Take what an answer brings."""
        wanted: dict[str, tuple[str, Callable[[str], str]]] = {
            f"{{{MEDIA}}}CreateOSD": ("osd", str),
            f"{{{MEDIA2}}}CreateOSD": ("osd", str),
            f"{{{MEDIA2}}}CreateProfile": ("made", str),
            f"{{{PTZ}}}SetPreset": ("preset", str),
            f"{{{EVENTS}}}CreatePullPointSubscription": ("pull", lambda url: "/" + url.split("/", 3)[3]),
            f"{{{NOTIFICATION}}}Subscribe": ("push", lambda url: "/" + url.split("/", 3)[3]),
        }
        if step.key in wanted:
            name, make = wanted[step.key]
            leaf = next(e for e in body.iter() if len(e) == 0 and (e.text or "").strip())
            self.known[name] = make((leaf.text or "").strip())


def _steps(space: str, *lines: tuple[str, ...]) -> list[Step]:
    return [
        Step(space, line[0], line[1] if len(line) > 1 else "", line[2] if len(line) > 2 else "")
        for line in lines
    ]


_DEVICE = _steps(
    DEVICE,
    ("GetSystemDateAndTime",), ("GetDeviceInformation",), ("GetServiceCapabilities",), ("GetCapabilities",),
    ("GetCapabilities", "<q:Category>All</q:Category>"), ("GetCapabilities", "<q:Category>PTZ</q:Category>"),
    ("GetServices", "<q:IncludeCapability>false</q:IncludeCapability>"),
    ("GetServices", "<q:IncludeCapability>true</q:IncludeCapability>"),
    ("GetWsdlUrl",), ("GetEndpointReference",), ("GetSystemLog", "<q:LogType>System</q:LogType>"),
    ("SetSystemDateAndTime", "<q:DateTimeType>Manual</q:DateTimeType><q:DaylightSavings>false</q:DaylightSavings>"
     "<q:TimeZone><t:TZ>CET-1CEST,M3.5.0,M10.5.0/3</t:TZ></q:TimeZone>"),
    ("SetSystemDateAndTime", "<q:DateTimeType>NTP</q:DateTimeType><q:DaylightSavings>false</q:DaylightSavings>"),
    ("GetSystemDateAndTime",), ("GetNTP",),
    ("SetNTP", "<q:FromDHCP>false</q:FromDHCP><q:NTPManual><t:Type>IPv4</t:Type><t:IPv4Address>192.0.2.1"
     "</t:IPv4Address></q:NTPManual><q:NTPManual><t:Type>DNS</t:Type><t:DNSname>time.example</t:DNSname></q:NTPManual>"),
    ("GetNTP",), ("GetHostname",), ("SetHostname", "<q:Name>gate-4</q:Name>"), ("GetDNS",),
    ("SetDNS", "<q:FromDHCP>false</q:FromDHCP><q:DNSManual><t:Type>IPv4</t:Type><t:IPv4Address>192.0.2.7"
     "</t:IPv4Address></q:DNSManual>"),
    ("GetNetworkInterfaces",), ("GetNetworkProtocols",), ("GetNetworkDefaultGateway",), ("GetUsers",),
    ("CreateUsers", _USER.format("guard", "Operator") + _USER.format("guest", "User")), ("GetUsers",),
    ("SetUser", _USER.format("guest", "Operator")), ("DeleteUsers", "<q:Username>guest</q:Username>"),
    ("GetScopes",), ("AddScopes", "<q:ScopeItem>onvif://www.onvif.org/location/hall</q:ScopeItem>"), ("GetScopes",),
    ("RemoveScopes", "<q:ScopeItem>onvif://www.onvif.org/location/hall</q:ScopeItem>"),
    ("SetScopes", "<q:Scopes>onvif://www.onvif.org/location/gate</q:Scopes>"), ("GetDiscoveryMode",),
    ("SetDiscoveryMode", "<q:DiscoveryMode>Discoverable</q:DiscoveryMode>"), ("GetRelayOutputs",),
    ("SetRelayOutputSettings", "<q:RelayOutputToken>relay_1</q:RelayOutputToken><q:Properties><t:Mode>Monostable"
     "</t:Mode><t:DelayTime>PT2S</t:DelayTime><t:IdleState>open</t:IdleState></q:Properties>"),
    ("SetRelayOutputState", "<q:RelayOutputToken>relay_1</q:RelayOutputToken><q:LogicalState>active</q:LogicalState>"),
)  # fmt: skip
_MEDIA = _steps(
    MEDIA,
    ("GetServiceCapabilities",), ("GetProfiles",), ("GetProfile", _PROFILE), ("GetVideoSources",),
    ("GetVideoSourceConfigurations",), ("GetVideoSourceConfiguration", _VS),
    ("GetCompatibleVideoSourceConfigurations", _PROFILE), ("GetVideoSourceConfigurationOptions", _VS),
    ("SetVideoSourceConfiguration", '<q:Configuration token="vs_main"><t:Name>source</t:Name><t:UseCount>2</t:UseCount>'
     '<t:SourceToken>source</t:SourceToken><t:Bounds x="0" y="0" width="1280" height="720"/></q:Configuration>'
     "<q:ForcePersistence>true</q:ForcePersistence>"),
    ("GetVideoEncoderConfigurations",), ("GetVideoEncoderConfiguration", _ENCODER),
    ("GetCompatibleVideoEncoderConfigurations", _PROFILE), ("GetVideoEncoderConfigurationOptions", _PROFILE),
    ("GetVideoEncoderConfigurationOptions",), ("GetVideoEncoderConfigurationOptions", _ENCODER),
    ("GetGuaranteedNumberOfVideoEncoderInstances", _VS),
    ("SetVideoEncoderConfiguration", '<q:Configuration token="ve_main"><t:Name>encoder</t:Name><t:UseCount>1</t:UseCount>'
     f"<t:Encoding>JPEG</t:Encoding>{_SIZE}<t:Quality>7.5</t:Quality><t:RateControl>{_RATE}</t:RateControl>{_GROUP}"
     "<t:SessionTimeout>PT60S</t:SessionTimeout></q:Configuration><q:ForcePersistence>true</q:ForcePersistence>"),
    ("GetVideoEncoderConfiguration", _ENCODER), ("GetProfiles",),
    ("GetMetadataConfigurations",), ("GetMetadataConfiguration", _MD), ("GetCompatibleMetadataConfigurations", _PROFILE),
    ("GetMetadataConfigurationOptions",),
    ("SetMetadataConfiguration", _METADATA + "<q:ForcePersistence>true</q:ForcePersistence>"),
    ("CreateProfile", "<q:Name>mine</q:Name><q:Token>mine</q:Token>"),
    ("GetProfile", "<q:ProfileToken>mine</q:ProfileToken>"),
    *((f"Add{kind}Configuration", f"<q:ProfileToken>mine</q:ProfileToken>{configuration}") for kind, configuration in (
        ("VideoSource", _VS), ("VideoEncoder", _ENCODER), ("Metadata", _MD), ("PTZ", _CONFIGURATION.format("ptz_main")))),
    ("GetProfile", "<q:ProfileToken>mine</q:ProfileToken>"),
    ("GetStreamUri", "<q:StreamSetup><t:Stream>RTP-Unicast</t:Stream><t:Transport><t:Protocol>RTSP</t:Protocol>"
     "</t:Transport></q:StreamSetup><q:ProfileToken>mine</q:ProfileToken>"),
    ("GetSnapshotUri", _PROFILE), ("SetSynchronizationPoint", _PROFILE),
    *((f"Remove{kind}Configuration", "<q:ProfileToken>mine</q:ProfileToken>")
      for kind in ("VideoSource", "VideoEncoder", "Metadata", "PTZ")),
    ("DeleteProfile", "<q:ProfileToken>mine</q:ProfileToken>"), ("GetOSDOptions", _VS), ("CreateOSD", _PLAIN),
    ("GetOSDs",), ("GetOSD", "<q:OSDToken>{osd}</q:OSDToken>"), ("SetOSD", _CLOCK), ("GetOSDs", _VS),
    ("DeleteOSD", "<q:OSDToken>{osd}</q:OSDToken>"),
)  # fmt: skip
_MEDIA2 = _steps(
    MEDIA2,
    ("GetServiceCapabilities",), ("GetProfiles",), ("GetProfiles", "<q:Type>All</q:Type>"),
    ("GetProfiles", "<q:Token>sub</q:Token><q:Type>VideoEncoder</q:Type><q:Type>PTZ</q:Type>"),
    ("GetVideoSourceConfigurations",), ("GetVideoSourceConfigurationOptions", _VS),
    ("GetVideoEncoderConfigurations",), ("GetVideoEncoderConfigurationOptions", _ENCODER),
    ("SetVideoEncoderConfiguration", '<q:Configuration token="ve_main" GovLength="60" Profile="Main"><t:Name>encoder'
     f"</t:Name><t:UseCount>1</t:UseCount><t:Encoding>H265</t:Encoding>{_SIZE}<t:RateControl><t:FrameRateLimit>12.5"
     "</t:FrameRateLimit><t:BitrateLimit>700</t:BitrateLimit></t:RateControl><t:Quality>6</t:Quality></q:Configuration>"),
    ("GetVideoEncoderConfigurations", _ENCODER), ("GetVideoEncoderInstances", _VS), ("GetMetadataConfigurations",),
    ("GetMetadataConfigurationOptions",),
    ("GetStreamUri", "<q:Protocol>RtspUnicast</q:Protocol>" + _PROFILE), ("GetSnapshotUri", _PROFILE),
    ("CreateProfile", "<q:Name>second</q:Name><q:Configuration><q:Type>VideoSource</q:Type></q:Configuration>"),
    ("AddConfiguration", "<q:ProfileToken>{made}</q:ProfileToken><q:Configuration><q:Type>VideoEncoder</q:Type>"
     "<q:Token>ve_sub</q:Token></q:Configuration>"),
    ("GetProfiles", "<q:Token>{made}</q:Token><q:Type>All</q:Type>"),
    ("RemoveConfiguration", "<q:ProfileToken>{made}</q:ProfileToken><q:Configuration><q:Type>All</q:Type>"
     "</q:Configuration>"),
    ("DeleteProfile", "<q:Token>{made}</q:Token>"), ("SetSynchronizationPoint", _PROFILE),
    ("GetOSDOptions", _VS), ("CreateOSD", _CLOCK), ("GetOSDs",), ("SetOSD", _PLAIN),
    ("DeleteOSD", "<q:OSDToken>{osd}</q:OSDToken>"),
)  # fmt: skip
_IMAGING_STEPS = _steps(
    IMAGING,
    ("GetServiceCapabilities",), ("GetImagingSettings", _SOURCE), ("GetOptions", _SOURCE), ("GetMoveOptions", _SOURCE),
    ("GetStatus", _SOURCE),
    ("SetImagingSettings", _SOURCE + _IMAGING.format("AUTO", "<t:MaxExposureTime>20000</t:MaxExposureTime>")),
    ("GetImagingSettings", _SOURCE),
    ("SetImagingSettings", _SOURCE + _IMAGING.format("MANUAL", "<t:ExposureTime>5000</t:ExposureTime><t:Gain>3</t:Gain>")),
    ("GetImagingSettings", _SOURCE),
)  # fmt: skip
_PTZ = _steps(
    PTZ,
    ("GetServiceCapabilities",), ("GetNodes",), ("GetNode", "<q:NodeToken>node_1</q:NodeToken>"), ("GetConfigurations",),
    ("GetConfiguration", "<q:PTZConfigurationToken>ptz_main</q:PTZConfigurationToken>"),
    ("GetCompatibleConfigurations", _PROFILE), ("GetConfigurationOptions", _CONFIGURATION.format("ptz_main")),
    ("GetStatus", _PROFILE),
    ("AbsoluteMove", _PROFILE + '<q:Position><t:PanTilt x="0.5" y="-0.25"/><t:Zoom x="0.5"/></q:Position>'),
    ("RelativeMove", _PROFILE + '<q:Translation><t:PanTilt x="-0.1" y="0.1"/></q:Translation>'
     '<q:Speed><t:PanTilt x="0.5" y="0.5"/></q:Speed>'),
    ("ContinuousMove", _PROFILE + '<q:Velocity><t:PanTilt x="0.5" y="0"/></q:Velocity><q:Timeout>PT1S</q:Timeout>'),
    ("GetStatus", _PROFILE), ("Stop", _PROFILE + "<q:PanTilt>true</q:PanTilt><q:Zoom>true</q:Zoom>"),
    ("SetPreset", _PROFILE + "<q:PresetName>door</q:PresetName>"), ("GetPresets", _PROFILE),
    ("GotoPreset", _PROFILE + "<q:PresetToken>{preset}</q:PresetToken>"),
    ("RemovePreset", _PROFILE + "<q:PresetToken>{preset}</q:PresetToken>"),
    ("SetHomePosition", _PROFILE), ("GotoHomePosition", _PROFILE),
)  # fmt: skip
_EVENTS = [
    *_steps(
        EVENTS, ("GetServiceCapabilities",), ("GetEventProperties",),
        ("CreatePullPointSubscription", _FILTER.format("q") + "<q:InitialTerminationTime>PT30S</q:InitialTerminationTime>"),
        ("PullMessages", "<q:Timeout>PT0S</q:Timeout><q:MessageLimit>10</q:MessageLimit>", "{pull}"),
        ("SetSynchronizationPoint", "", "{pull}"),
        ("PullMessages", "<q:Timeout>PT1S</q:Timeout><q:MessageLimit>10</q:MessageLimit>", "{pull}"),
    ),
    *_steps(
        NOTIFICATION, ("Renew", "<q:TerminationTime>PT40S</q:TerminationTime>", "{pull}"), ("Unsubscribe", "", "{pull}"),
        ("Subscribe", f'<q:ConsumerReference><a:Address xmlns:a="{ADDRESSING}">http://127.0.0.1:9/</a:Address>'
         f'</q:ConsumerReference>{_FILTER.format("q")}<q:InitialTerminationTime>PT5S</q:InitialTerminationTime>'),
        ("Unsubscribe", "", "{push}"),
    ),
]  # fmt: skip
_LAST = _steps(
    DEVICE, ("SetSystemFactoryDefault", "<q:FactoryDefault>Soft</q:FactoryDefault>"), ("SystemReboot",)
)
#: Every request, in order.
SCENARIO: list[Step] = [*_DEVICE, *_MEDIA, *_MEDIA2, *_IMAGING_STEPS, *_PTZ, *_EVENTS, *_LAST]


def request(step: Step, track: Track, header: str = "") -> bytes:
    """The envelope of a step."""
    return (
        f'<s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope" xmlns:q="{step.space}" xmlns:t="{SCHEMA}" '
        f'xmlns:n="{NOTIFICATION}" xmlns:tns1="http://www.onvif.org/ver10/topics"><s:Header>{header}</s:Header>'
        f"<s:Body><q:{step.name}>{track.fill(step.inside)}</q:{step.name}></s:Body></s:Envelope>"
    ).encode()
