"""``bench doctor``: is this machine, and this station, fit to measure? Each check says what it saw."""

from __future__ import annotations

import os
import socket
import sys
import tempfile
import time
from collections.abc import Iterator
from datetime import date
from importlib.metadata import distributions
from pathlib import Path

from bench.camera.codecs import DECODERS
from bench.station_doctor import Check, station_checks

__all__ = ["Check", "checks"]

_OWN = ("bench", "fixtures", "instruments", "reports", "standards")


def checks(station: Path | None, today: date, *, interim: bool = False) -> tuple[Check, ...]:
    """All checks. today: the day that certificates must be valid on; interim: do the station's interim checks too."""
    found = [_python(), _names(), *_codecs(), _timestamps(), _fsync(), _clock(), _catalogue(), _typesetting()]
    if station is None:
        return (*found, Check("station", True, "none given: --station station.toml checks one"))
    return (*found, *station_checks(station, today, interim=interim))


def _python() -> Check:
    here = ".".join(map(str, sys.version_info[:3]))
    return Check("python", sys.version_info >= (3, 11), f"{here} (3.11 or newer is needed)")


def _names() -> Check:
    """The five import packages must be camcert's own: another distribution may own such common names."""
    foreign = []
    for distribution in distributions():
        name = distribution.metadata["Name"]
        if name.lower() == "camcert":
            continue
        tops = {Path(str(f)).parts[0] for f in distribution.files or ()}
        foreign += [f"{name} also installs '{own}'" for own in _OWN if own in tops]
    text = "; ".join(foreign) + ": install camcert in an environment of its own" if foreign else "no clash"
    return Check("package names", not foreign, text)


def _codecs() -> Iterator[Check]:
    import av

    for codec in DECODERS.values():
        try:
            av.CodecContext.create(codec, "r")
            yield Check(f"decoder {codec}", True, f"PyAV {av.__version__}")
        except ValueError as error:
            yield Check(f"decoder {codec}", False, f"PyAV {av.__version__}: {error}")


def _timestamps() -> Check:
    """Kernel receive times decide how well latency and jitter are known."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as receiver:
        receiver.bind(("127.0.0.1", 0))
        receiver.setsockopt(socket.SOL_SOCKET, 35, 1)  # SO_TIMESTAMPNS
        receiver.settimeout(1.0)
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
            sender.sendto(b"x", receiver.getsockname())
        _, ancillary, _, _ = receiver.recvmsg(16, 128)
    ok = any(kind == 35 for _, kind, _ in ancillary)
    return Check(
        "kernel receive times", ok, "SO_TIMESTAMPNS works" if ok else "not delivered: Linux is needed"
    )


def _fsync() -> Check:
    with tempfile.NamedTemporaryFile(dir=".") as file:
        start = time.perf_counter()
        for _ in range(5):
            file.write(b"x" * 512)
            file.flush()
            os.fsync(file.fileno())
        each = (time.perf_counter() - start) / 5 * 1e3
    return Check(
        "journal disk", each < 500, f"fsync takes {each:.1f} ms" + ("" if each < 500 else ": too slow")
    )


def _clock() -> Check:
    """The realtime clock's resolution and that it runs; its traceability is the laboratory's matter."""
    a = time.time_ns(), time.monotonic_ns()
    time.sleep(0.05)
    b = time.time_ns(), time.monotonic_ns()
    drift = (b[0] - a[0]) - (b[1] - a[1])
    return Check(
        "host clock", abs(drift) < 2_000_000, f"realtime against monotonic over 50 ms: {drift / 1e3:.0f} µs"
    )


def _catalogue() -> Check:
    from standards.catalogue import load

    return Check("catalogue", True, f"{len(load().clauses)} clauses")


def _typesetting() -> Check:
    from reports.typeset import check_fonts

    return Check("typesetting", True, check_fonts())
