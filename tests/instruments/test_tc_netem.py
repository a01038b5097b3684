"""tc netem: the arguments that tc is given, and a plain refusal where the kernel cannot do it.

The kernel that runs these tests need not have netem, so the arguments go to a stand-in for tc that writes them down
and says of itself that it is one; the refusal is that of the real tc on the real kernel.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from instruments.capability import NetworkEmulator, NetworkPath
from instruments.tc_netem import TcNetem
from standards.errors import InstrumentError, UsageError

STAND_IN = """#!/bin/sh
echo "$@" >> "{log}"
case "$1" in
-V) echo "stand-in for tc: shapes nothing" ;;
-j) cat "{shown}" ;;
esac
[ ! -e "{fail}" ] || {{ cat "{fail}" >&2; exit 2; }}
"""


class StandIn:
    """A tc command that keeps what it is asked."""

    def __init__(self, place: Path) -> None:
        self.log, self.shown, self.fail = place / "log", place / "shown", place / "fail"
        self.shown.write_text('[{"kind": "netem", "handle": "1:", "root": true}]')
        tc = place / "tc"
        tc.write_text(STAND_IN.format(log=self.log, shown=self.shown, fail=self.fail))
        tc.chmod(0o755)

    def asked(self) -> list[str]:
        """The command lines since the last call."""
        lines = self.log.read_text().splitlines() if self.log.exists() else []
        self.log.unlink(missing_ok=True)
        return lines


@pytest.fixture
def tc(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> StandIn:
    monkeypatch.setenv("PATH", f"{tmp_path}:/bin:/usr/bin")
    return StandIn(tmp_path)


BEGIN = "qdisc replace dev eth1 root handle 1: netem limit 10000"


@pytest.mark.parametrize(
    ("path", "words"),
    [
        (NetworkPath(), ""),
        (NetworkPath(delay_ms=50), " delay 50.000ms"),
        (NetworkPath(delay_ms=50, jitter_ms=2.5), " delay 50.000ms 2.500ms distribution normal"),
        (NetworkPath(loss=0.005, duplicate=0.25), " loss 0.5% duplicate 25%"),
        (NetworkPath(delay_ms=10, reorder=0.1, rate_kbit=2048), " delay 10.000ms reorder 10% rate 2048kbit"),
        (NetworkPath(delay_ms=10, up=False), " loss 100%"),
    ],
)
def test_a_path_as_arguments(tc: StandIn, path: NetworkPath, words: str) -> None:
    emulator = TcNetem("eth1")
    assert isinstance(emulator, NetworkEmulator)
    assert tc.asked() == [BEGIN]
    emulator.apply(path)
    assert tc.asked() == [BEGIN + words]
    assert emulator.path() == path


def test_every_interface_named_and_all_taken_away(tc: StandIn) -> None:
    emulator = TcNetem("eth1, eth2")
    assert [line.split()[3] for line in tc.asked()] == ["eth1", "eth2"]
    emulator.safe()
    emulator.close()
    assert tc.asked() == ["qdisc del dev eth1 root", "qdisc del dev eth2 root"]
    tc.fail.write_text("Error: Cannot delete qdisc with handle of zero.")
    emulator.safe()
    assert "stand-in for tc" in _identity(tc, emulator)


def _identity(tc: StandIn, emulator: TcNetem) -> str:
    tc.fail.unlink()
    return emulator.identity().firmware


def test_what_tc_says_is_passed_on_with_a_mend(tc: StandIn) -> None:
    emulator = TcNetem("eth1")
    for said, mend in (
        ('Cannot find device "eth1"', "ip link"),
        ("Error: Specified qdisc kind is unknown.", "network_relay"),
        ("RTNETLINK answers: Operation not permitted", "CAP_NET_ADMIN"),
    ):
        tc.fail.write_text(said)
        with pytest.raises(InstrumentError, match=mend) as caught:
            emulator.apply(NetworkPath(delay_ms=1))
        assert said.strip() in str(caught.value)


def test_a_path_that_somebody_took_away_is_noticed(tc: StandIn) -> None:
    emulator = TcNetem("eth1")
    emulator.apply(NetworkPath(delay_ms=5))
    for shown in ('[{"kind": "noqueue"}]', "nonsense", "[1]"):
        tc.shown.write_text(shown)
        with pytest.raises(InstrumentError, match="no longer"):
            emulator.path()


@pytest.mark.parametrize("address", ["", "eth1,,eth2", "-all"])
def test_an_address_must_name_interfaces(tc: StandIn, address: str) -> None:
    with pytest.raises(UsageError, match="Mend"):
        TcNetem(address)


def test_values_that_netem_cannot_take(tc: StandIn) -> None:
    emulator = TcNetem("eth1")
    with pytest.raises(UsageError, match="skipping the delay"):
        emulator.apply(NetworkPath(reorder=0.1))
    with pytest.raises(UsageError, match="loss"):
        emulator.apply(NetworkPath(loss=2))


def test_without_tc(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(InstrumentError, match="install iproute2"):
        TcNetem("lo")


def test_the_real_tc_is_asked_for_an_interface_that_is_not_there() -> None:
    if shutil.which("tc") is None:
        pytest.skip("this machine has no tc command")
    with pytest.raises(InstrumentError, match=r"replace dev camcert-no-if .*Mend"):
        TcNetem("camcert-no-if")


def test_the_real_kernel_shapes_or_refuses() -> None:
    """In a network namespace of its own: nothing of this machine's network is touched."""
    if shutil.which("tc") is None:
        pytest.skip("this machine has no tc command")
    inside = (
        "from instruments.tc_netem import TcNetem\n"
        "from instruments.capability import NetworkPath\n"
        "n = TcNetem('lo'); n.apply(NetworkPath(delay_ms=5)); assert n.path().delay_ms == 5; n.safe()"
    )
    root = Path(__file__).resolve().parents[2]
    done = subprocess.run(
        ["unshare", "--net", sys.executable, "-c", inside],
        cwd=root,
        capture_output=True,
        text=True,
        check=False,
    )
    if "unshare" in done.stderr and "not permitted" in done.stderr:
        pytest.skip("network namespaces need a right that this user lacks")
    assert done.returncode == 0 or "network_relay" in done.stderr, done.stderr
