"""RTSP messages, SDP, Digest and SPS as parsers of what anybody may send."""

from __future__ import annotations

import base64
from fractions import Fraction

import av
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.camera.digest import Authorizer, parse_challenges
from bench.camera.limits import Limits
from bench.camera.rtsp_message import Message, MessageReader, write_request
from bench.camera.sdp import parse_sdp
from bench.camera.sps import parse_sps
from standards.errors import CameraError, LimitExceeded, NoVideo, ProtocolViolation

NAMES = st.from_regex(r"[A-Za-z][A-Za-z-]{0,12}", fullmatch=True).filter(
    lambda n: n.lower() != "content-length"
)
VALUES = st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1, max_size=30)


def _feed(data: bytes, limits: Limits | None = None) -> Message | None:
    reader = MessageReader(limits or Limits())
    for place in range(len(data)):
        if (message := reader.feed(data[place : place + 1])) is not None:
            return message
    return None


@given(
    st.lists(st.tuples(NAMES, VALUES), max_size=10), st.binary(max_size=50), st.sampled_from(["\r\n", "\n"])
)
def test_message_round_trip(headers: list[tuple[str, str]], body: bytes, end: str) -> None:
    head = end.join(["RTSP/1.0 200 OK", *(f"{k}: {v}" for k, v in headers), f"Content-Length: {len(body)}"])
    message = _feed((head + end + end).encode() + body)
    assert message is not None
    assert (message.status, message.body) == (200, body)
    assert message.headers[:-1] == tuple((k.lower(), v) for k, v in headers)


@given(st.binary(max_size=300))
def test_any_bytes_are_a_message_or_refused(data: bytes) -> None:
    try:
        message = _feed(b"RTSP/1.0 200 OK\r\n" + data, Limits(header_bytes=100, body_bytes=50))
    except CameraError:
        return
    assert message is None or (message.status == 200 and len(message.body) <= 50)


def test_a_long_head_is_refused_at_the_bound() -> None:
    with pytest.raises(LimitExceeded):
        _feed(b"RTSP/1.0 200 " + b"a" * 200, Limits(header_bytes=100))


def test_no_line_breaks_get_into_a_request() -> None:
    with pytest.raises(ProtocolViolation):
        write_request("SETUP", "rtsp://h/a\r\nX: y", ())
    with pytest.raises(ProtocolViolation):
        write_request("SETUP", "rtsp://h/a", [("Session", "1\r\nX: y")])


@given(
    st.binary(max_size=400)
    | st.text("vmoa=:0123456789 /HVIDEOideortpmapcontrl\r\n", max_size=400).map(str.encode)
)
def test_any_bytes_are_sdp_or_refused(data: bytes) -> None:
    for body in (data, b"v=0\r\nm=video 0 RTP/AVP 96\r\na=rtpmap:96 H264/90000\r\n" + data):
        try:
            assert parse_sdp(body).clock_rate > 0
        except CameraError:
            continue


def test_sdp_of_a_camera_with_audio_and_two_encodings() -> None:
    sets = base64.b64encode(b"\x67abc").decode() + "," + base64.b64encode(b"\x68d").decode()
    video = parse_sdp(
        b"v=0\no=- 0 0 IN IP4 0\ns=Media\na=control:rtsp://h/all\nb=AS:9\nm=audio 0 RTP/AVP 8\na=control:a\n"
        b"m=video 0 RTP/AVP 98 96\nb=AS:4000\na=rtpmap:98 AV1/90000\na=rtpmap:96 h264/90000\na=control:v\n"
        b"a=framerate:29.97\na=fmtp:96 profile-level-id=42;sprop-parameter-sets=" + sets.encode() + b"\n"
    )
    assert (video.payload_type, video.control, video.session_control) == (96, "v", "rtsp://h/all")
    assert (video.framerate, video.bandwidth_kbit) == (29.97, 4000)
    assert video.parameter_sets == (b"\x67abc", b"\x68d")


def test_sdp_without_known_video_says_what_it_offers() -> None:
    with pytest.raises(NoVideo, match="AV1"):
        parse_sdp(b"v=0\r\nm=video 0 RTP/AVP 98\r\na=rtpmap:98 AV1/90000\r\n")
    with pytest.raises(NoVideo, match="interleaved"):
        parse_sdp(
            b"v=0\r\nm=video 0 RTP/AVP 98\r\na=rtpmap:98 H265/90000\r\na=fmtp:98 sprop-max-don-diff=2\r\n"
        )
    with pytest.raises(ProtocolViolation, match="clock rate"):
        parse_sdp(b"v=0\r\nm=video 0 RTP/AVP 98\r\na=rtpmap:98 H264/0\r\n")


def test_sdp_of_h265_and_of_jpeg_by_its_static_type() -> None:
    sets = [base64.b64encode(nal).decode() for nal in (b"\x40\x01v", b"\x42\x01s", b"\x44\x01p")]
    format_text = "a=fmtp:98 sprop-vps={};sprop-sps={};sprop-pps={}\n".format(*sets)
    video = parse_sdp(b"v=0\nm=video 0 RTP/AVP 98\na=rtpmap:98 H265/90000\n" + format_text.encode())
    assert (video.codec, video.parameter_sets) == ("h265", (b"\x40\x01v", b"\x42\x01s", b"\x44\x01p"))
    jpeg = parse_sdp(b"v=0\nm=video 0 RTP/AVP 26\na=control:v\n")
    assert (jpeg.codec, jpeg.payload_type, jpeg.clock_rate) == ("mjpeg", 26, 90_000)


def test_digest_of_rfc_2617_without_qop() -> None:
    authorizer = Authorizer("Mufasa", "Circle Of Life")
    authorizer.take(
        parse_challenges(['Digest realm="testrealm@host.com", nonce="dcd98b7102dd2f0e8b11d0f600bfb0c093"'])
    )
    header = authorizer.header("GET", "/dir/index.html")
    assert header is not None
    assert 'response="670fd8c2df070c60b045671b8b24ff02"' in header  # RFC 2617, 3.5, without its qop
    assert "Circle" not in repr(authorizer)


def test_the_best_challenge_is_taken_and_basic_only_alone() -> None:
    offers = parse_challenges(
        ['Basic realm="x", Digest realm="a, b", nonce="1", Digest realm="x", nonce="2", algorithm=SHA-256']
    )
    assert [o.scheme for o in offers] == ["basic", "digest", "digest"]
    assert offers[1].parameters["realm"] == "a, b"
    authorizer = Authorizer("u", "p")
    assert authorizer.take(offers).parameters["nonce"] == "2"
    authorizer.take(offers[:1])
    assert authorizer.header("GET", "x") == "Basic dTpw"


@given(st.text(max_size=200))
def test_any_challenge_is_answered_or_refused(text: str) -> None:
    authorizer = Authorizer("u", "p")
    try:
        authorizer.take(parse_challenges([text, "Digest " + text]))
    except ProtocolViolation:
        return
    assert authorizer.header("DESCRIBE", "rtsp://h/") is not None


@pytest.mark.parametrize(
    ("size", "fps"), [((1920, 1080), 25), ((98, 52), 12), ((352, 288), 30), ((720, 576), 50)]
)
@pytest.mark.parametrize("options", [{}, {"profile": "high444"}, {"x264-params": "interlaced=1"}])
def test_sps_of_a_real_encoder(size: tuple[int, int], fps: int, options: dict[str, str]) -> None:
    context = av.CodecContext.create("libx264", "w")
    context.width, context.height = size
    context.pix_fmt = "yuv444p" if "profile" in options else "yuv420p"
    context.framerate = Fraction(fps)
    context.options = {"preset": "ultrafast", **options}
    frame = av.VideoFrame(*size, context.pix_fmt)
    frame.pts = 0
    data = b"".join(bytes(p) for p in [*context.encode(frame), *context.encode(None)])
    nal = next(n for n in data.replace(b"\0\0\0\1", b"\0\0\1").split(b"\0\0\1") if n and n[0] & 31 == 7)
    sps = parse_sps(nal)
    assert (sps.width, sps.height) == size
    assert sps.coded_width % 16 == 0 and sps.coded_height % 16 == 0
    assert sps.fps == pytest.approx(fps)


@given(st.binary(max_size=60))
def test_any_sps_is_read_or_refused(data: bytes) -> None:
    try:
        assert parse_sps(b"\x67" + data).width > 0
    except ProtocolViolation:
        return
