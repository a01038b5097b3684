"""The measuring receiver: captures one window of one stream, with the kernel's receive time of each packet.

One thread receives and does as little as it can; callbacks run in the caller's thread. What goes wrong
before the window has begun is raised; afterwards a lost connection is noted as an event, opened again a
few times, and the capture goes on, since an interruption is itself a result.
"""

from __future__ import annotations

import os
import secrets
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from bench.camera.address import Secret
from bench.camera.capture import Capture
from bench.camera.codecs import promised
from bench.camera.digest import Authorizer
from bench.camera.limits import Limits
from bench.camera.recorder import Recorder
from bench.camera.rtsp import RTP_CHANNEL, RtspAddress, RtspSession
from bench.camera.sdp import Video
from bench.camera.wire import ConnectionLost, Stamps
from standards.errors import (
    CameraUnreachable,
    CaptureFault,
    NoVideo,
    ProtocolViolation,
    UsageError,
)

__all__ = ["Progress", "capture"]

_REPORT_EVERY_S = 4.0
_CLOCK_EVERY_S = 1.0
_CLOCK_STEP_NS = 20_000_000
_SILENCE_S = 10.0
_PRIORITY = 10
_PROGRESS_S = 0.2
_BACKOFF_S = (0.5, 1.0, 2.0, 4.0, 8.0)


@dataclass(frozen=True)
class Progress:
    """seconds of the window so far, complete access units, their bytes, RTP packets lost."""

    seconds: float
    frames: int
    bytes: int
    lost: int


def _declared(video: Video, server: str) -> dict[str, object]:
    """What the SDP promises, for Capture.declared."""
    said: dict[str, object] = {
        "codec": video.codec,
        "clock_rate": video.clock_rate,
        "payload_type": video.payload_type,
    }
    if video.framerate is not None:
        said["fps"] = video.framerate
    if video.bandwidth_kbit is not None:
        said["bitrate_kbit"] = video.bandwidth_kbit
    if server:
        said["server"] = server
    return said | promised(video)


class _Clock:
    """Watches that the host's realtime clock, which stamps the packets, runs and is not set meanwhile."""

    def __init__(self) -> None:
        self._offset = self._read()
        self._next = time.monotonic() + _CLOCK_EVERY_S

    @staticmethod
    def _read() -> int:
        for _ in range(100):
            before = time.monotonic_ns()
            now = time.time_ns()
            after = time.monotonic_ns()
            if after - before < 1_000_000:
                break
        return now - (before + after) // 2

    def check(self) -> None:
        """Raises CaptureFault if the clock was stepped by more than 20 ms since the last look."""
        if time.monotonic() < self._next:
            return
        self._next = time.monotonic() + _CLOCK_EVERY_S
        offset = self._read()
        step, self._offset = offset - self._offset, offset
        if abs(step) > _CLOCK_STEP_NS:
            raise CaptureFault(f"this machine's clock was set by {step / 1e6:+.1f} ms during the capture")


class _Run:
    """One capture, in the receiving thread."""

    def __init__(
        self,
        address: RtspAddress,
        authorizer: Authorizer | None,
        transport: Literal["tcp", "udp"],
        seconds: float,
        limits: Limits,
        stop: threading.Event,
    ) -> None:
        self._address = address
        self._authorizer = authorizer
        self._transport = transport
        self._limits = limits
        self._stop = stop
        self._stamps = Stamps()
        self._overflow = 0
        self._priority = "normal"
        self._declared: dict[str, object] = {}
        self.recorder = Recorder(limits, seconds, secrets.randbits(32))
        self.error: BaseException | None = None
        self.done = threading.Event()

    def __call__(self) -> None:
        try:
            self._raise_priority()
            self._run()
        except BaseException as error:  # noqa: BLE001 - a thread's boundary: the caller's thread raises it again
            self.error = error
        finally:
            self.done.set()

    def _raise_priority(self) -> None:
        """Real-time scheduling of this thread alone, where the user may: segments fetched late get merged."""
        try:
            os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(_PRIORITY))
        except OSError:
            return
        self._priority = "real-time"

    def capture(self) -> Capture:
        """The result, once done."""
        declared = self._declared | {
            "arrival_clock": "kernel" if self._stamps.kernel >= self._stamps.after else "after_read",
            "arrivals_kernel": self._stamps.kernel,
            "arrivals_after_read": self._stamps.after,
            "read_lag_max_ms": round(self._stamps.worst_lag / 1e6, 3),
            "merged_arrivals": self.recorder.merged,
            "receiver_priority": self._priority,
            "foreign_packets": self.recorder.foreign,
        }
        return self.recorder.capture(
            url=self._address.url, transport=self._transport, declared=declared, overflow=self._overflow
        )

    def _run(self) -> None:
        attempt = 0
        clock = _Clock()
        while True:
            try:
                self._connection(clock)
                break
            except (CameraUnreachable, NoVideo, ProtocolViolation) as error:
                if not self.recorder.started_ns:
                    raise
                self.recorder.event(time.time_ns(), "disconnected", str(error))
            if attempt >= min(self._limits.reconnects, len(_BACKOFF_S)):
                self.recorder.event(time.time_ns(), "abandoned", f"after {attempt} reconnections")
                break
            pause = min(_BACKOFF_S[attempt], (self.recorder.end_ns - time.time_ns()) / 1e9)
            if self._stop.wait(max(0.0, pause)) or time.time_ns() >= self.recorder.end_ns:
                break
            attempt += 1
        if not self.recorder.started_ns:
            raise CaptureFault("the capture was stopped before its first complete key frame")
        self.recorder.finish(time.time_ns())
        if self._overflow:
            text = f"{self._overflow} packets dropped in this machine's socket buffer"
            self.recorder.event(time.time_ns(), "overflow", text)

    def _connection(self, clock: _Clock) -> None:
        if self._authorizer is not None:
            self._authorizer.forget()
        session = RtspSession(
            self._address, self._authorizer, self._transport, self._limits, self._frame, self._stamps
        )
        try:
            video = session.describe()
            again = bool(self.recorder.started_ns)
            if not again:
                self._declared = _declared(video, session.server)
            self.recorder.begin(video)
            session.play(video)
            kind = "reconnected" if again else "connected"
            self.recorder.event(time.time_ns(), kind, f"{self._transport}, playing")
            self._receive(session, clock)
        finally:
            self._overflow += session.count_overflow()
            session.close()

    def _receive(self, session: RtspSession, clock: _Clock) -> None:
        recorder = self.recorder
        began = heard = time.monotonic()
        next_report = began + 1.0
        frames, octets = recorder.frames, session.octets
        while not (self._stop.is_set() or recorder.ended):
            session.step()
            now = time.monotonic()
            if session.octets != octets:
                octets, heard = session.octets, now
            if recorder.frames == frames and now - began > self._limits.first_frame_s:
                raise NoVideo(self._why_no_video())
            if recorder.bye:
                raise ConnectionLost("the camera ended the stream (RTCP BYE)")
            if now - heard > _SILENCE_S and session.unanswered:
                raise ConnectionLost(f"silent for {_SILENCE_S:g} s, keep-alive unanswered")
            if now >= next_report:
                next_report = now + _REPORT_EVERY_S
                report = recorder.receiver_report(time.time_ns())
                if report is not None:
                    session.send_report(report)
            clock.check()
            # A packet that arrived inside the window may still wait in the socket: a tick of grace.
            if recorder.end_ns and time.time_ns() > recorder.end_ns + 200_000_000:
                return

    def _why_no_video(self) -> str:
        within = f"within {self._limits.first_frame_s:g} s"
        if self.recorder.received:
            return f"{self.recorder.received} RTP packets but no complete key frame {within}"
        why = self.recorder.violations()
        return f"the camera plays, but no RTP packet of the stream came {within}" + (
            f" ({why})" if why else ""
        )

    def _frame(self, channel: int, data: memoryview, arrival: int) -> None:
        if channel == RTP_CHANNEL:
            self.recorder.rtp(data, arrival)
        else:
            self.recorder.rtcp(data, arrival)


def capture(
    url: str,
    *,
    user: str | None,
    password: Secret | str | None,
    seconds: float,
    transport: Literal["tcp", "udp"] = "tcp",
    on_progress: Callable[[Progress], None] | None = None,
    ready: Callable[[], None] | None = None,
    stop: threading.Event | None = None,
    limits: Limits | None = None,
) -> Capture:
    """Capture `seconds` of the stream at an rtsp:// URL, from its first complete key frame on.

    user: also taken from the URL if None. on_progress: a few times a second; ready: once, when the window
    has begun; both in the caller's thread, and what they raise ends the capture. stop: ends it early.
    Capture.packets are in the order of their sequence, each with its own arrival; duplicates and
    packets too late to be put in order are left out and noted as events. After a reconnection
    timestamps go on by the camera's time base if it kept it, else by arrival ('rebased'); sequence
    numbers go on without a gap, and units up to the next key frame are left out.

    Raises UsageError (URL), CameraUnreachable, CameraDenied, NoVideo, ProtocolViolation, LimitExceeded,
    CaptureFault.
    """
    address, named = RtspAddress.parse(url)
    user = user if user is not None else named
    if not seconds > 0:
        raise UsageError(f"a capture of {seconds} s")
    text = password if isinstance(password, str) or password is None else password.reveal()
    authorizer = Authorizer(user, text or "") if user is not None else None
    halt = threading.Event()
    run = _Run(address, authorizer, transport, seconds, limits or Limits(), halt)
    thread = threading.Thread(target=run, name="receiver", daemon=True)
    thread.start()
    try:
        _attend(run, halt, stop, on_progress, ready)
    finally:
        halt.set()
        thread.join()
    if run.error is not None:
        raise run.error
    return run.capture()


def _attend(
    run: _Run,
    halt: threading.Event,
    stop: threading.Event | None,
    on_progress: Callable[[Progress], None] | None,
    ready: Callable[[], None] | None,
) -> None:
    """The caller's thread while the other one receives."""
    told = False
    last = 0.0
    while not run.done.wait(0.02 if not told else _PROGRESS_S):
        if stop is not None and stop.is_set():
            halt.set()
        recorder = run.recorder
        if not recorder.started_ns:
            continue
        if not told:
            told = True
            if ready is not None:
                ready()
        if on_progress is not None and time.monotonic() - last >= _PROGRESS_S:
            last = time.monotonic()
            so_far = (min(time.time_ns(), recorder.end_ns) - recorder.started_ns) / 1e9
            on_progress(Progress(max(0.0, so_far), recorder.frames, recorder.octets, recorder.lost))
