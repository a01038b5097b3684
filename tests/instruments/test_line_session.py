"""A line without SCPI: what is still to come of a broken exchange is nobody's answer."""

from __future__ import annotations

import signal
import socket
import threading
import time
from contextlib import closing

import pytest
from scripted_peer import served

from instruments.line import LineSession
from standards.errors import InstrumentError


def _late(line: socket.socket) -> None:
    """Says back what it hears, 'first' half a second late and in pieces."""
    with line.makefile("rb") as heard:
        for said in heard:
            if said == b"first\n":
                time.sleep(0.4)
                for place in range(len(said)):
                    line.sendall(said[place : place + 1])
                    time.sleep(0.01)
            else:
                line.sendall(said)


def test_after_silence_the_late_answer_is_forgotten() -> None:
    with served(_late) as address, closing(LineSession(address, what="thing", timeout_s=0.35)) as line:
        with pytest.raises(InstrumentError, match="no answer to b'first"):
            line.ask(b"first\n")
        assert line.ask(b"second\n") == b"second"


def test_after_an_interrupt_too() -> None:
    """Ctrl-C in the middle of an exchange: what makes the instrument safe right after must hear its own answer."""

    def interrupt(signum: int, frame: object) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGALRM, interrupt)
    try:
        with served(_late) as address, closing(LineSession(address, what="thing")) as line:
            signal.setitimer(signal.ITIMER_REAL, 0.38)
            with pytest.raises(KeyboardInterrupt):
                line.ask(b"first\n")
            assert line.ask(b"second\n") == b"second"
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0.0)
        signal.signal(signal.SIGALRM, before)


@pytest.mark.parametrize("piece", [b"x", b"x" * 65536])
def test_a_line_that_never_rests_is_not_followed(piece: bytes) -> None:
    over = threading.Event()

    def babble(line: socket.socket) -> None:
        while not over.is_set():
            line.sendall(piece)
            time.sleep(0.01 if len(piece) == 1 else 0.0)

    with served(babble) as address, closing(LineSession(address, what="thing", timeout_s=0.2)) as line:
        begun = time.monotonic()
        for words in ("no answer|never rests", "never rests"):
            with pytest.raises(InstrumentError, match=words):
                line.ask(b"first\n")
        over.set()
        assert time.monotonic() - begun < 10
