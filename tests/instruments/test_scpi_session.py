"""The SCPI session before peers that lie, drip, babble, hang up and come too late."""

from __future__ import annotations

import gc
import os
import socket
import struct
import threading
import time
import tty
from collections.abc import Callable, Generator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from instrument_world import POWER_SUPPLIES, bench_of
from scripted_peer import scripted, served

from fixtures.simulated.config.instruments import InstrumentEntry
from fixtures.simulated.instruments.hislip import HislipServer
from fixtures.simulated.instruments.scpi_device import ScpiInstrument
from fixtures.simulated.instruments.scpi_engine import Command
from fixtures.simulated.instruments.transports import PtyServer, SocketServer
from fixtures.simulated.truth import TruthLog
from fixtures.world import World
from instruments.capability import Identity
from instruments.scpi import ScpiSession, parse_identity, with_channel
from standards.errors import InstrumentError, UsageError

NO_ERROR = b'0,"No error"'
OPENING = [
    ("*CLS", None),
    ("SYST:ERR?", NO_ERROR),
    ("*IDN?", b"Maker,Model 1,SN7,1.0,extra"),
    ("SYST:ERR?", NO_ERROR),
]


def answering(answer: Callable[[socket.socket, str], None]) -> Callable[[socket.socket], None]:
    """A peer that opens in order, then does something of its own with every line."""

    def talk(line: socket.socket) -> None:
        with line.makefile("rb") as heard:
            for raw in heard:
                said = raw.decode("ascii").strip()
                if said == "*IDN?":
                    line.sendall(b"A,B,C,D\n")
                elif said == "SYST:ERR?":
                    line.sendall(NO_ERROR + b"\n")
                elif said != "*CLS":
                    answer(line, said)

    return talk


@contextmanager
def session(address: str, timeout_s: float = 0.3) -> Generator[ScpiSession]:
    found = ScpiSession(address, what="thing", timeout_s=timeout_s)
    try:
        yield found
    finally:
        found.close()
        gc.collect()


def test_every_command_is_followed_by_the_error_queue() -> None:
    rest = [
        ("VOLT 5", None), ("SYST:ERR?", b'-222,"Data out of range"'), ("SYST:ERR?", b'+110,"Own words"'),
        ("SYST:ERR?", b'+0,"No error"'), ("VOLT?", b"+5.0E+00"), ("SYST:ERR?", NO_ERROR), ("OUTP?", b"ON"),
        ("SYST:ERR?", NO_ERROR), ("A?", b"1,2.5"), ("SYST:ERR?", NO_ERROR),
    ]  # fmt: skip
    with scripted([*OPENING, *rest]) as address, session(address, 2.0) as thing:
        with pytest.raises(InstrumentError, match=r"-222,\"Data out of range\"; \+110,\"Own words\"") as told:
            thing.write("VOLT 5")
        assert address in str(told.value) and "thing" in str(told.value) and "'VOLT 5'" in str(told.value)
        assert thing.number("VOLT?") == 5.0
        assert thing.state("OUTP?")
        assert thing.numbers("A?", 2) == [1.0, 2.5]


@pytest.mark.parametrize("words", [b"five", b"9.9E37", b"-9.91E+37", b"NAN", b"INF", b"", b"1,2"])
def test_what_is_no_number_is_an_error(words: bytes) -> None:
    rest = [("VOLT?", words), ("SYST:ERR?", NO_ERROR)]
    with (
        scripted([*OPENING, *rest]) as address,
        session(address, 2.0) as thing,
        pytest.raises(InstrumentError, match=r"no number|overload"),
    ):
        thing.number("VOLT?")


def test_a_refused_query_is_told_in_the_instrument_s_words() -> None:
    rest = [("FOO?", None), ("SYST:ERR?", b'-113,"Undefined header"'), ("SYST:ERR?", NO_ERROR),
            ("BAR?", b"7"), ("SYST:ERR?", NO_ERROR)]  # fmt: skip
    with scripted([*OPENING, *rest]) as address, session(address) as thing:
        with pytest.raises(InstrumentError, match="refused 'FOO\\?': -113"):
            thing.query("FOO?")
        assert thing.query("BAR?") == "7"


def test_a_late_answer_is_nobody_s() -> None:
    def answer(line: socket.socket, said: str) -> None:
        if said == "SLOW?":
            time.sleep(0.6)
            line.sendall(b"1.0\n")
        else:
            line.sendall(b"2.0\n")

    with served(answering(answer)) as address, session(address) as thing:
        with pytest.raises(InstrumentError):
            thing.number("SLOW?")
        time.sleep(0.6)
        assert thing.number("FAST?") == 2.0


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (lambda line, _: [(line.sendall(b"x"), time.sleep(0.02)) for _ in range(500)], "no answer|cut off"),
        (lambda line, _: line.sendall(b"x" * 100_000), "more than 4096"),
        (lambda line, _: line.sendall(b"\xff\xfe\n"), "garbage"),
        (lambda line, _: line.shutdown(socket.SHUT_RDWR), "hung up"),
        (lambda line, _: (line.sendall(b"12"), line.shutdown(socket.SHUT_RDWR)), "hung up|no answer"),
    ],
    ids=["drips", "endless", "garbage", "hangs up", "hangs up half-way"],
)
def test_hostile_answers_are_bounded(answer: Callable[[socket.socket, str], None], words: str) -> None:
    with served(answering(answer)) as address, session(address) as thing:
        start = time.monotonic()
        with pytest.raises(InstrumentError, match=words):
            thing.query("X?")
        assert time.monotonic() - start < 5


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (b"#15hello\n", ""), (b"#0hello\n", "no block of definite length"), (b"hello\n", "no block"),
        (b"#9999999999x\n", "announces"), (b"#2xx\n", "announces"), (b"#15sho", "no answer|cut off"),
        (b"#14four\n", "where 5 were"), (b"#15\n\n\n\r\n\n", ""),
    ],
)  # fmt: skip
def test_blocks(answer: bytes, words: str) -> None:
    with served(answering(lambda line, _: line.sendall(answer))) as address, session(address) as thing:
        if words:
            with pytest.raises(InstrumentError, match=words):
                thing.block("WAV?", count=5)
        else:
            assert thing.block("WAV?", count=5) == answer[3:8]


@pytest.mark.parametrize(
    "address", ["TCPIP::127.0.0.1::999999::SOCKET", "TCPIP::127.0.0.1::1\0::SOCKET", "TCPIP::..::1::SOCKET"]
)
def test_an_impossible_address_names_itself_and_the_mend(address: str) -> None:
    with pytest.raises(InstrumentError, match=r"cannot be opened.*Mend") as told:
        ScpiSession(address, what="thing")
    assert address in str(told.value)
    gc.collect()


def test_a_host_that_drops_what_is_sent_to_it() -> None:
    """As one that is switched off: nothing refuses, nothing answers."""
    with ExitStack() as stack, socket.socket() as full:
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        for _ in range(8):  # its queue is full: from now on it is silent
            waiting = stack.enter_context(socket.socket())
            waiting.setblocking(False)
            waiting.connect_ex(full.getsockname())
        begun = time.monotonic()
        with pytest.raises(InstrumentError, match=r"cannot be opened \(.*nobody answers\)\. Mend"):
            ScpiSession(f"TCPIP::127.0.0.1::{full.getsockname()[1]}::SOCKET", what="thing", timeout_s=0.3)
        assert time.monotonic() - begun < 5
        gc.collect()


def test_an_error_queue_without_an_end() -> None:
    def talk(line: socket.socket) -> None:
        with line.makefile("rb") as heard:
            for raw in heard:
                line.sendall(b'-310,"System error"\n' if b"ERR" in raw else b"")

    with served(talk) as address, pytest.raises(InstrumentError, match="does not empty"):
        ScpiSession(address, what="thing", timeout_s=0.3)
    gc.collect()


def test_a_number_where_the_error_queue_was_asked_for() -> None:
    peer = scripted([("*CLS", None), ("SYST:ERR?", b"1.25")])
    with peer as address, pytest.raises(InstrumentError, match=r"'1\.25' where its error queue"):
        ScpiSession(address, what="thing", timeout_s=2.0)


def test_a_hislip_server_that_dies_in_an_error_message_holds_nobody() -> None:
    """The backend waits for ever for the rest of a message that is not the expected one."""

    def talk(line: socket.socket) -> None:
        header = struct.Struct("!2sBBIQ")
        first = header.unpack(line.recv(16))
        if first[1] == 0:
            line.recv(64)
            line.sendall(header.pack(b"HS", 1, 0, 0x0100_0001, 0))
            threading.Thread(target=die, args=(line.dup(), header)).start()
        else:
            line.sendall(header.pack(b"HS", 18, 0, 0, 0))
            line.recv(64)
            line.sendall(header.pack(b"HS", 16, 0, 0, 8) + (4096).to_bytes(8, "big"))

    def die(line: socket.socket, header: struct.Struct) -> None:
        with line:
            line.recv(64)
            line.sendall(header.pack(b"HS", 2, 0, 0, 10) + b"half")

    with served(talk) as address:
        port = address.split("::")[2]
        start = time.monotonic()
        with pytest.raises(InstrumentError):
            ScpiSession(f"TCPIP::127.0.0.1::hislip0,{port}::INSTR", what="thing", timeout_s=0.3)
        assert time.monotonic() - start < 8
    gc.collect()


def test_a_hislip_server_that_talks_http_leaks_nothing() -> None:
    with served(lambda line: line.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")) as address:
        port = address.split("::")[2]
        with pytest.raises(InstrumentError, match=r"synchronization.*Mend"):
            ScpiSession(f"TCPIP::127.0.0.1::hislip0,{port}::INSTR", what="thing", timeout_s=0.3)
    gc.collect()


class Blocks(ScpiInstrument):
    """Answers every byte there is."""

    model = "B-1"

    def commands(self) -> list[Command]:
        return [Command("DATA", get=lambda: b"#3512" + bytes(range(256)) * 2)]

    def reset(self) -> None:
        """Nothing."""


@pytest.mark.parametrize("server", [SocketServer, HislipServer, PtyServer])
def test_every_byte_passes_on_every_transport(
    server: Callable[[ScpiInstrument], SocketServer], tmp_path: Path
) -> None:
    truth = TruthLog(tmp_path / "truth")
    running = server(Blocks("thing", InstrumentEntry(kind="power_supply"), World(), truth))
    try:
        with session(running.address, 2.0) as thing:
            for _ in range(2):
                assert thing.block("DATA?") == bytes(range(256)) * 2
                assert thing.query("*OPC?") == "1"
    finally:
        running.stop()
        truth.close()


def test_threads_get_their_own_answers(tmp_path: Path) -> None:
    with bench_of(POWER_SUPPLIES[0], "socket", tmp_path) as bench, session(bench.address, 2.0) as thing:
        wrong: list[str] = []

        def ask(query: str, expected: str) -> None:
            wrong.extend(a for _ in range(30) if (a := thing.query(query)) != expected)

        threads = [
            threading.Thread(target=ask, args=args)
            for args in (("VOLT? MAX", "3.000000E+01"), ("CURR? MAX", "5.000000E+00"), ("*OPC?", "1"))
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert wrong == []


def test_a_serial_line_has_one_user() -> None:
    ours, theirs = os.openpty()
    tty.setraw(theirs)
    path = os.ttyname(theirs)

    def play() -> None:
        with open(ours, "rb", buffering=0, closefd=False) as line:
            pending = b""
            while b"stop" not in pending:
                pending += line.read(64)
                while b"\n" in pending:
                    said, _, pending = pending.partition(b"\n")
                    if said.endswith(b"?"):
                        os.write(ours, b"A,B,C,D\n" if b"IDN" in said else NO_ERROR + b"\n")

    player = threading.Thread(target=play, daemon=True)
    player.start()
    try:
        with (
            session(path, 2.0),
            pytest.raises(InstrumentError, match="no other program"),
        ):
            ScpiSession(f"ASRL{path}::INSTR", what="thing", timeout_s=0.3)
    finally:
        os.write(theirs, b"stop")
        player.join(5)
        os.close(ours)
        os.close(theirs)
    gc.collect()


@pytest.mark.parametrize("answer", ["", "A,B", "A,B,C", "\x01,B,C,D", ",B,C,D", "A,,C,D", "+1.25E+00"])
def test_what_is_no_identity(answer: str) -> None:
    with pytest.raises(InstrumentError, match="no identity"):
        parse_identity(answer, who="thing")


@given(st.lists(st.from_regex(r"[A-Za-z0-9 .&/-]*[A-Za-z0-9]", fullmatch=True), min_size=4, max_size=6))
def test_an_identity_is_its_fields(fields: list[str]) -> None:
    words = [field.strip() for field in fields]
    assert parse_identity(",".join(fields), who="thing") == Identity(*words[:3], ",".join(words[3:]))


def test_channels_of_addresses() -> None:
    assert with_channel("TCPIP::h::1::SOCKET") == ("TCPIP::h::1::SOCKET", 1)
    assert with_channel("TCPIP::h::1::SOCKET#12") == ("TCPIP::h::1::SOCKET", 12)
    for wrong in ("x#0", "x#", "x#a", "x#123", "x#1#2"):
        with pytest.raises(UsageError, match="channel"):
            with_channel(wrong)
