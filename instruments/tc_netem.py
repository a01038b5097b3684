"""The path between camera and bench, spoilt by Linux itself: sch_netem, driven by tc.

netem shapes what an interface sends: a station names one interface for each direction that is to be spoilt.
"""

from __future__ import annotations

import json
import platform
import shutil
import subprocess

from instruments.capability import Identity, NetworkPath
from instruments.drivers import About
from instruments.network_emulator import check_path
from standards.errors import InstrumentError, UsageError

__all__ = ["TcNetem"]

_TC_S = 10.0
_QUEUE = 10_000  # packets in netem's queue: its own 1000 would drop at 50 ms of a 1 Gbit/s stream


class TcNetem:
    """Linux's own emulator on this station's interfaces. Safe: transparent (netem taken away).

    Two things differ from the relay: jitter reorders packets that follow each other closely, and `reorder` is the
    share that skips the delay, so it needs one.
    """

    about = About(
        role="network_emulator",
        models="a Linux station with sch_netem and iproute2",
        protocol="tc command",
        source="tc-netem(8), iproute2 6.1",
    )

    def __init__(self, address: str, *, baud: int | None = None) -> None:
        """address: interface, or several with commas, one a direction, e.g. "eth1,eth2".

        Each is set transparent with netem at once, which proves that all is there. Raises InstrumentError.
        """
        self._interfaces = [name.strip() for name in address.split(",")]
        if not all(self._interfaces) or any(name.startswith("-") for name in self._interfaces):
            raise UsageError(f"tc netem: {address!r} names no interface. Mend: write e.g. eth1 or eth1,eth2")
        if shutil.which("tc") is None:
            raise InstrumentError(
                "tc netem: there is no tc command. Mend: install iproute2, or use the relay"
            )
        self._path = NetworkPath()
        self.apply(self._path)

    def identity(self) -> Identity:
        """Get the versions of the kernel and of tc."""
        return Identity(
            "Linux", "tc netem", platform.node(), f"{platform.release()} / {self._tc('-V').strip()}"
        )

    def apply(self, path: NetworkPath) -> None:
        """Impose a path on what each interface sends. Raises UsageError, InstrumentError with tc's own words."""
        check_path(path)
        if path.reorder and not path.delay_ms:
            raise UsageError(
                "tc netem reorders by skipping the delay. Mend: set delay_ms above 0, or use the relay"
            )
        for name in self._interfaces:
            self._tc("qdisc", "replace", "dev", name, "root", "handle", "1:", "netem", *self._words(path))
        self._path = path

    def path(self) -> NetworkPath:
        """Get what is imposed now. Raises InstrumentError where somebody else has taken netem away."""
        for name in self._interfaces:
            try:
                kinds = [
                    entry.get("kind") for entry in json.loads(self._tc("-j", "qdisc", "show", "dev", name))
                ]
            except (ValueError, AttributeError, TypeError):
                kinds = []
            if "netem" not in kinds and self._path != NetworkPath():
                raise InstrumentError(
                    f"tc netem: {name} no longer has it ({kinds}). Mend: leave the interface alone"
                )
        return self._path

    def safe(self) -> None:
        """Take netem away, so that the interface is as the system made it."""
        for name in self._interfaces:
            try:
                self._tc("qdisc", "del", "dev", name, "root")
            except InstrumentError as error:
                if "handle of zero" not in str(error):  # there is nothing to take away
                    raise
        self._path = NetworkPath()

    def close(self) -> None:
        """Nothing is held open."""

    @staticmethod
    def _words(path: NetworkPath) -> list[str]:
        """A path as netem's arguments."""
        if not path.up:
            return ["limit", str(_QUEUE), "loss", "100%"]
        words = ["limit", str(_QUEUE)]
        if path.delay_ms or path.jitter_ms:
            words += ["delay", f"{path.delay_ms:.3f}ms"]
            words += [f"{path.jitter_ms:.3f}ms", "distribution", "normal"] if path.jitter_ms else []
        for word, share in (("loss", path.loss), ("duplicate", path.duplicate), ("reorder", path.reorder)):
            words += [word, f"{100 * share:.6g}%"] if share else []
        return words + (["rate", f"{path.rate_kbit:.6g}kbit"] if path.rate_kbit else [])

    @staticmethod
    def _tc(*words: str) -> str:
        try:
            done = subprocess.run(["tc", *words], capture_output=True, text=True, timeout=_TC_S, check=False)
        except (OSError, subprocess.TimeoutExpired) as error:
            raise InstrumentError(f"tc netem: {error}") from None
        if done.returncode == 0:
            return done.stdout
        said = done.stderr.strip() or f"exit code {done.returncode}"
        mend = "check the interface's name (ip link)"
        if "qdisc kind is unknown" in said:
            mend = "this kernel has no netem: modprobe sch_netem, or use the relay (driver network_relay)"
        elif "not permitted" in said:
            mend = "run as root, or give the bench CAP_NET_ADMIN, or use the relay (driver network_relay)"
        raise InstrumentError(f"tc netem: tc {' '.join(words)}: {said}. Mend: {mend}")
