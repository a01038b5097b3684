"""The receiver against a scripted camera whose every packet is known."""

from __future__ import annotations

import random
import struct
import threading
import time
from collections.abc import Callable
from hashlib import md5, sha256
from typing import Any, Literal

import numpy as np
import pytest

from bench.camera.address import Secret
from bench.camera.limits import Limits
from bench.camera.receiver import Progress, capture
from standards.errors import CameraDenied, CameraUnreachable, CaptureFault, NoVideo, UsageError

START = b"\0\0\0\1"
QUICK = Limits(connect_s=1.0, answer_s=1.0, first_frame_s=1.0)


def take(url: str, seconds: float = 0.12, transport: Literal["tcp", "udp"] = "tcp", **more: Any) -> Any:
    more = {"user": None, "password": None, "limits": QUICK, **more}
    return capture(url, seconds=seconds, transport=transport, **more)


def kinds(result: Any) -> list[str]:
    return [e.kind for e in result.events]


@pytest.mark.parametrize("transport", ["tcp", "udp"])
def test_every_packet_and_unit_as_sent(camera: Any, clip: Any, tools: Any, transport: Any) -> None:
    sent = tools.packetise(clip.units)

    def script(wire: Any) -> None:
        wire.send(tools.sender_report(0x1234, 1_700_000_000.25, 2**32 - 9000, 5, 99), 1)
        wire.stream(sent, 0.005)
        wire.send(tools.sender_report(0x1234, 1_700_000_001.75, 2**32 - 9000 + 135_000, 9, 199), 1)
        wire.stream([sent[-1]], 0)  # duplicates, so that the window is seen to end

    result = take(camera(script).url, 0.4, transport)
    count = len(clip.units)
    assert len(result.units) == count
    assert np.diff(result.units["timestamp"]).tolist() == [3600] * (count - 1)
    assert int(result.units["timestamp"][0]) == 2**32 - 9000
    assert result.units["intact"].all()
    assert np.flatnonzero(result.units["key"]).tolist() == [0, 8, 16]
    assert np.diff(result.packets["sequence"]).tolist() == [1] * (sum(map(len, sent)) - 1)
    assert result.packets["size"].tolist() == [len(p) - 12 for unit in sent for p in unit]
    assert result.packets["unit"].tolist() == [i for i, unit in enumerate(sent) for _ in unit]
    for index, nals in enumerate(clip.units):
        unit = result.units[index]
        own = result.stream[unit["offset"] : unit["offset"] + unit["size"]]
        sets = START + clip.sps + START + clip.pps if index == 0 else b""
        assert own == sets + b"".join(START + n for n in nals)
    assert result.reports["ntp"].tolist() == [1_700_000_000_250_000_000, 1_700_000_001_750_000_000]
    assert result.reports["timestamp"].tolist() == [2**32 - 9000, 2**32 + 126_000]
    assert result.declared["width"], result.declared["height"] == (98, 54)
    assert result.declared["fps"] == 25.0 and result.declared["bitrate_kbit"] == 512
    assert result.seconds == pytest.approx(0.4)
    assert result.overflow == 0 and "lost" not in kinds(result)
    assert result.declared["arrival_clock"] == "kernel"
    assert (result.units["last"] <= result.ended_ns).all()
    assert result.started_ns == result.units["first"][0]


@pytest.mark.parametrize("transport", ["tcp", "udp"])
@pytest.mark.parametrize("which", [0, 1, -1])
def test_a_lost_packet_is_named_in_its_own_unit(
    camera: Any, clip: Any, tools: Any, transport: Any, which: int
) -> None:
    sent = tools.packetise(clip.units, mtu=90)
    assert len(sent[5]) > 2
    del sent[5][which]
    result = take(camera(lambda wire: wire.stream(sent, 0.005)).url, 0.3, transport)
    assert np.flatnonzero(~result.units["intact"]).tolist() == [5]
    assert [e.text.split()[0] for e in result.events if e.kind == "lost"] == ["1"]
    assert len(result.units) == len(clip.units)


def test_a_whole_lost_picture_damages_no_neighbour(camera: Any, clip: Any, tools: Any) -> None:
    sent = tools.packetise(clip.units)
    missing = len(sent[6])
    sent[6] = []
    result = take(camera(lambda wire: wire.stream(sent, 0.005)).url, 0.3)
    assert result.units["intact"].all()
    steps = np.diff(result.units["timestamp"])
    assert np.flatnonzero(steps == 7200).tolist() == [5]
    assert np.diff(result.packets["sequence"]).max() == missing + 1


def test_reordered_and_doubled_datagrams_are_put_right(camera: Any, clip: Any, tools: Any) -> None:
    sent = [p for unit in tools.packetise(clip.units, mtu=60) for p in unit]
    rng = random.Random(3)
    mixed = sent[:1]
    for place in range(1, len(sent), 6):
        group = sent[place : place + 6]
        rng.shuffle(group)
        mixed += [*group, group[0]]

    def script(wire: Any) -> None:
        for packet in mixed:
            wire.send(packet)
            time.sleep(0.0005)
        time.sleep(0.2)

    result = take(camera(script).url, 0.6, "udp")
    assert result.units["intact"].all() and len(result.units) == len(clip.units)
    assert np.diff(result.packets["sequence"]).tolist() == [1] * (len(sent) - 1)
    assert "lost" not in kinds(result)
    assert {"duplicate", "late"} & set(kinds(result))


@pytest.mark.parametrize("lie", ["always", "never"])
def test_a_marker_that_lies_changes_nothing(camera: Any, clip: Any, tools: Any, lie: str) -> None:
    sent = tools.packetise(clip.units)
    bit = 0x80 if lie == "always" else 0
    sent = [[p[:1] + bytes([p[1] & 0x7F | bit]) + p[2:] for p in unit] for unit in sent]
    result = take(camera(lambda wire: wire.stream(sent, 0.005)).url, 0.3)
    assert result.units["intact"].all()
    assert len(result.units) == len(clip.units) - (lie == "never")  # the last one has no proof of its end


def test_two_pictures_under_one_timestamp_stay_two(camera: Any, clip: Any, tools: Any) -> None:
    sent = tools.packetise(clip.units)
    stamp = sent[4][0][4:8]
    sent[5] = [p[:4] + stamp + p[8:] for p in sent[5]]
    result = take(camera(lambda wire: wire.stream(sent, 0.005)).url, 0.3)
    assert len(result.units) == len(clip.units)
    assert np.diff(result.units["timestamp"]).tolist()[3:6] == [3600, 0, 7200]


def test_timestamps_that_go_back_are_kept_as_they_are(camera: Any, clip: Any, tools: Any) -> None:
    sent = tools.packetise(clip.units)
    back = struct.pack("!I", (struct.unpack("!I", sent[9][0][4:8])[0] - 50_000) % 2**32)
    sent[9] = [p[:4] + back + p[8:] for p in sent[9]]
    result = take(camera(lambda wire: wire.stream(sent, 0.005)).url, 0.3)
    assert np.diff(result.units["timestamp"]).tolist()[8:10] == [3600 - 50_000, 3600 + 50_000]


def test_the_window_waits_for_a_complete_key_picture(camera: Any, clip: Any, tools: Any) -> None:
    sent = tools.packetise(clip.units, mtu=90)
    del sent[0][1]  # the first key picture is damaged, the next one is unit 8
    result = take(camera(lambda wire: wire.stream(sent, 0.005)).url, 0.05)
    assert result.units["key"][0] and result.units["intact"].all()
    assert int(result.units["timestamp"][0]) == 2**32 - 9000 + 8 * 3600


def test_a_broken_connection_is_an_event_and_the_capture_goes_on(camera: Any, clip: Any, tools: Any) -> None:
    def script(wire: Any) -> None:
        if wire.number == 1:
            wire.stream(tools.packetise(clip.units[:12]), 0.005)
            wire.conn.shutdown(2)
        else:
            wire.stream(tools.packetise(clip.units, seq=17, ts=123_456_789), 0.005)

    made = camera(script)
    result = take(made.url, 0.9)
    assert [k for k in kinds(result) if "connected" in k] == ["connected", "disconnected", "reconnected"]
    assert "rebased" in kinds(result)
    assert len(result.units) == 12 + len(clip.units)
    assert made.connections == 2
    step = int(np.diff(result.units["timestamp"])[11])
    arrival = int(np.diff(result.units["first"])[11])
    assert step == pytest.approx(arrival * 9e-5, abs=900)
    assert arrival > 400_000_000
    assert np.diff(result.packets["sequence"]).tolist() == [1] * (len(result.packets) - 1)
    assert result.seconds == pytest.approx(0.9)


def test_a_camera_that_stays_away_is_given_up_after_a_few_times(camera: Any, clip: Any, tools: Any) -> None:
    def script(wire: Any) -> None:
        wire.stream(tools.packetise(clip.units[:3]), 0.005)
        wire.conn.shutdown(2)

    made = camera(script)
    result = take(made.url, 60.0, limits=Limits(reconnects=1, first_frame_s=1.0, answer_s=1.0))
    assert made.connections == 2
    assert "abandoned" in kinds(result)
    assert result.seconds < 10  # what was not watched is not claimed


def test_ready_progress_and_stop(camera: Any, clip: Any, tools: Any) -> None:
    stop = threading.Event()
    seen: list[Progress] = []
    ready: list[float] = []

    def progress(p: Progress) -> None:
        seen.append(p)
        stop.set()

    sent = tools.packetise(clip.units)
    result = take(
        camera(lambda wire: wire.stream(sent, 0.03)).url,
        30.0,
        on_progress=progress,
        ready=lambda: ready.append(time.monotonic()),
        stop=stop,
    )
    assert len(ready) == 1 and seen[0].frames > 0 and seen[0].bytes > 0
    assert 0 < result.seconds < 5
    assert (result.units["last"] <= result.ended_ns).all()


def test_stopping_before_the_first_picture_is_no_capture(camera: Any) -> None:
    stop = threading.Event()
    stop.set()
    with pytest.raises(CaptureFault, match="stopped"):
        take(camera(lambda wire: time.sleep(0.3)).url, stop=stop)


def test_an_error_of_the_callback_ends_the_capture(camera: Any, clip: Any, tools: Any) -> None:
    def ready() -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        take(camera(lambda w: w.stream(tools.packetise(clip.units))).url, 30.0, ready=ready)
    assert not [t for t in threading.enumerate() if t.name == "receiver"]


def test_the_session_is_kept_alive_reported_to_and_torn_down(camera: Any, clip: Any, tools: Any) -> None:
    sent = tools.packetise(clip.units)
    made = camera(lambda wire: wire.stream(sent, 0.06), session="9a;timeout=4")
    take(made.url, 1.3)
    assert made.methods()[:4] == ["OPTIONS", "DESCRIBE", "SETUP", "PLAY"]
    assert "GET_PARAMETER" in made.methods() and made.methods()[-1] == "TEARDOWN"
    assert all(h["session"] == "9a" for m, h in made.requests if m in ("PLAY", "GET_PARAMETER", "TEARDOWN"))
    report = made.received[0]
    assert report[0] == 0x81 and report[1] == 201 and struct.unpack("!H", report[2:4]) == (7,)
    source, word, highest = struct.unpack("!III", report[8:20])
    assert source == 0x1234 and word == 0
    assert highest >> 16 == 1 or highest < 65_500  # extended: it wrapped
    assert report[32] == 0x81 and report[33] == 202  # SDES with its CNAME


def _challenged(
    algorithm: str | None, qop: bool, stale_first: bool = False
) -> tuple[Callable[..., Any], list[str]]:
    """An answer hook that demands Digest of admin/secret, worked out here from RFC 7616 alone."""
    nonces = ["n1", "n2"] if stale_first else ["n1"]
    tried: list[str] = []

    def digest(text: str) -> str:
        return (sha256 if algorithm == "SHA-256" else md5)(text.encode()).hexdigest()

    def answer(method: str, headers: dict[str, str]) -> bytes | None:
        nonce = nonces[-1]
        given = headers.get("authorization")
        stale = ""
        if given is not None:
            tried.append(given)
            f = dict(p.split("=", 1) for p in given.removeprefix("Digest ").split(", "))
            f = {k: v.strip('"') for k, v in f.items()}
            first, second = digest("admin:c a m:secret"), digest(f"{method}:{f['uri']}")
            middle = f":{f['nc']}:{f['cnonce']}:auth" if qop else ""
            if f["nonce"] == nonce and f["response"] == digest(f"{first}:{f['nonce']}{middle}:{second}"):
                return None
            if f["nonce"] != nonce:
                stale = ", stale=TRUE"
        shown = nonces[0] if stale_first and given is None else nonce
        name = f", algorithm={algorithm}" if algorithm else ""
        demand = f'Digest realm="c a m", nonce="{shown}"{name}{stale}' + (
            ', qop="auth,auth-int"' if qop else ""
        )
        return (
            f"RTSP/1.0 401 Unauthorized\r\nCSeq: {headers['cseq']}\r\n"
            f'WWW-Authenticate: Basic realm="c a m"\r\nWWW-Authenticate: {demand}\r\n\r\n'
        ).encode()

    return answer, tried


@pytest.mark.parametrize("stale", [False, True])
@pytest.mark.parametrize(("algorithm", "qop"), [(None, False), ("MD5", True), ("SHA-256", True)])
def test_digest(camera: Any, clip: Any, tools: Any, algorithm: Any, qop: bool, stale: bool) -> None:
    answer, tried = _challenged(algorithm, qop, stale)
    made = camera(lambda w: w.stream(tools.packetise(clip.units)), answer=answer)
    result = take(made.url, user="admin", password="secret")
    assert len(result.units) > 0
    assert not any(t.startswith("Basic") for t in tried)
    assert "secret" not in repr(result.declared) + repr(result.events) + result.url


def test_a_wrong_password_is_tried_once(camera: Any) -> None:
    answer, tried = _challenged("MD5", True)
    made = camera(lambda w: None, answer=answer)
    with pytest.raises(CameraDenied, match="admin") as caught:
        take(made.url, user="admin", password="hunter2")
    assert len(tried) == 1
    assert "hunter2" not in str(caught.value)


def test_no_user_given(camera: Any) -> None:
    answer, tried = _challenged("MD5", True)
    with pytest.raises(CameraDenied, match="none were given"):
        take(camera(lambda w: None, answer=answer).url)
    assert tried == []


def test_a_password_may_hide_itself_and_the_url_may_name_the_user(camera: Any, clip: Any, tools: Any) -> None:
    answer, _ = _challenged("MD5", True)
    made = camera(lambda w: w.stream(tools.packetise(clip.units)), answer=answer)
    result = take(made.url.replace("//", "//admin@"), password=Secret("secret"))
    assert result.url == made.url


def test_nobody_there() -> None:
    with pytest.raises(CameraUnreachable):
        take("rtsp://127.0.0.1:1/live")


@pytest.mark.parametrize(
    "url", ["http://h/", "rtsp:///x", "rtsp://h:99999/", "rtsp://h/a b", "rtsp://h/\r\nX: y"]
)
def test_what_is_no_camera_url(url: str) -> None:
    with pytest.raises(UsageError):
        take(url)


def test_a_camera_that_plays_nothing(camera: Any) -> None:
    with pytest.raises(NoVideo, match="no RTP packet"):
        take(camera(lambda wire: time.sleep(1.5)).url)


def test_no_key_picture(camera: Any, clip: Any, tools: Any) -> None:
    sent = tools.packetise(clip.units[1:8])
    with pytest.raises(NoVideo, match="key frame"):
        take(camera(lambda wire: wire.stream(sent)).url)


def test_the_time_is_that_of_the_kernel_not_of_reading(camera: Any, clip: Any, tools: Any) -> None:
    sent = tools.packetise(clip.units)
    came: list[int] = []

    def script(wire: Any) -> None:
        for unit in sent:
            for packet in unit:
                wire.send(packet)
            came.append(time.time_ns())
            time.sleep(0.01)

    busy = threading.Event()

    def hog() -> None:  # holds the interpreter for long stretches
        while not busy.is_set():
            sum(range(400_000))

    thread = threading.Thread(target=hog)
    thread.start()
    try:
        result = take(camera(script).url, 0.5, "udp")
    finally:
        busy.set()
        thread.join()
    lateness = result.units["last"][: len(came)] - np.array(came[: len(result.units)])
    assert np.median(lateness) <= 0  # stamped before the sender's own clock was read after sending
