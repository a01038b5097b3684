"""What holds for every driver, before its simulated twin, over every transport that the device has."""

from __future__ import annotations

import gc
import inspect
import os
import socket
import time
from pathlib import Path

import pytest
from instrument_world import ALL, Case, bench_of, once, over_transports, wide

import instruments.capability
from instruments.drivers import DRIVERS, ROLES, About, load_driver
from standards.errors import InstrumentError

LONGEST_DRIVER = 100  # lines: about a screen
#: Driver -> why it is longer, or not before a twin of this kind: its own tests are named.
OTHERWISE = {"tc_netem": "126 lines, and the kernel has no twin: tests/instruments/test_tc_netem.py"}


def test_every_driver_is_before_a_twin() -> None:
    assert {case.driver for case in ALL} | set(OTHERWISE) >= set(DRIVERS)


@pytest.mark.parametrize("name", DRIVERS)
def test_a_driver_is_about_a_screen_long_and_says_what_it_is(name: str) -> None:
    driver = load_driver(name)
    about = driver.about
    assert isinstance(about, About)
    assert about.role in ROLES and about.models and about.protocol and about.source
    assert about.hardware == "", "nothing here was seen to work on hardware"
    if name not in OTHERWISE:
        lines = Path(inspect.getfile(driver)).read_text("utf-8").count("\n")
        assert lines <= LONGEST_DRIVER, f"{name}: {lines} lines"


@pytest.mark.parametrize(("case", "transport"), over_transports(ALL))
def test_it_opens_says_who_it_is_answers_and_closes(case: Case, transport: str, tmp_path: Path) -> None:
    with bench_of(case, transport, tmp_path) as bench:
        role = load_driver(case.driver).about.role
        assert isinstance(bench.instrument, getattr(instruments.capability, ROLES[role]))
        found = bench.instrument.identity()
        assert case.model in found.model
        assert not found.serial or found.serial == bench.device.entry.identity
        case.ask(bench.instrument)
        case.act(bench.instrument)
        case.ask(bench.instrument)
        bench.instrument.safe()
        assert [fact["command"] for fact in bench.facts("instrument") if fact["refused"]] == []
        bench.instrument.close()
        with pytest.raises(InstrumentError):
            case.ask(bench.instrument)


@pytest.mark.parametrize(("case", "transport"), over_transports(ALL))
def test_nonsense_is_refused_not_swallowed(case: Case, transport: str, tmp_path: Path) -> None:
    with bench_of(case, transport, tmp_path, opened=False) as bench:
        with _raw(bench.resource) as line:
            line.send(case.nonsense)
            time.sleep(0.05)
        assert bench.facts("instrument") == [] or bench.facts("instrument")[-1]["refused"] != ""
        load_driver(case.driver)(bench.address).close()  # what an earlier session did wrong is not ours
        refused = [fact for fact in bench.facts("instrument") if case.refusal in fact["refused"]]
        assert len(refused) >= 1


@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize(("case", "transport"), wide())
def test_silence_is_an_error_within_its_time(case: Case, transport: str, tmp_path: Path) -> None:
    with bench_of(case, transport, tmp_path) as bench:
        bench.fault("silence")
        start = time.monotonic()
        with pytest.raises(InstrumentError, match="no answer") as told:
            case.ask(bench.instrument)
        assert time.monotonic() - start < 5
        assert bench.resource in str(told.value)
        bench.device.faults.switch_off()
        case.ask(bench.instrument)  # the next question gets its own answer


@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize(("case", "transport"), wide())
def test_garbage_is_an_error_and_then_forgotten(case: Case, transport: str, tmp_path: Path) -> None:
    with bench_of(case, transport, tmp_path) as bench:
        bench.fault("garbage")
        with pytest.raises(InstrumentError):
            case.ask(bench.instrument)
        bench.device.faults.switch_off()
        case.ask(bench.instrument)


@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize(("case", "transport"), wide())
def test_a_pulled_cable_is_an_error(case: Case, transport: str, tmp_path: Path) -> None:
    with bench_of(case, transport, tmp_path) as bench:
        bench.fault("disconnect")
        for _ in range(2):
            with pytest.raises(InstrumentError):
                case.ask(bench.instrument)
    gc.collect()


@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize(("case", "transport"), once(ALL))
def test_a_dead_address_names_itself_and_the_mend(case: Case, transport: str, tmp_path: Path) -> None:
    with bench_of(case, transport, tmp_path, opened=False) as bench:
        address, resource = bench.address, bench.resource
    with pytest.raises(InstrumentError) as told:
        load_driver(case.driver)(address)
    assert resource in str(told.value) and "Mend" in str(told.value)
    gc.collect()


@pytest.mark.parametrize(("case", "transport"), once([c for c in ALL if len(c.transports) > 1]))
def test_a_swapped_instrument_has_another_serial_number(case: Case, transport: str, tmp_path: Path) -> None:
    with bench_of(case, transport, tmp_path) as bench:
        bench.fault("wrong_identity")
        assert bench.instrument.identity().serial != bench.device.entry.identity


class _raw:
    """Bytes to an address, past every driver."""

    def __init__(self, address: str) -> None:
        self._socket: socket.socket | None = None
        if "SOCKET" in address:
            _, host, port, _ = address.split("::")
            self._socket = socket.create_connection((host, int(port)))
        elif "hislip" in address:
            self._hislip(int(address.split(",")[1].split("::")[0]))
        else:
            self._fd = os.open(address.removeprefix("ASRL").removesuffix("::INSTR"), os.O_RDWR | os.O_NOCTTY)

    def _hislip(self, port: int) -> None:
        self._socket = socket.create_connection(("127.0.0.1", port))
        self._socket.sendall(b"HS\x00\x00\x01\x00xx" + (7).to_bytes(8, "big") + b"hislip0")
        session = self._socket.recv(16)[6:8]
        self._async = socket.create_connection(("127.0.0.1", port))
        self._async.sendall(b"HS\x11\x00\x00\x00" + session + bytes(8))
        assert len(self._async.recv(16)) == 16
        self._message = True

    def send(self, data: bytes) -> None:
        if self._socket is None:
            os.write(self._fd, data)
        elif hasattr(self, "_message"):
            self._socket.sendall(b"HS\x07\x00\xff\xff\xff\x00" + len(data).to_bytes(8, "big") + data)
        else:
            self._socket.sendall(data)

    def __enter__(self) -> _raw:
        return self

    def __exit__(self, *_: object) -> None:
        if self._socket is None:
            os.close(self._fd)
        else:
            self._socket.close()
        if hasattr(self, "_async"):
            self._async.close()
