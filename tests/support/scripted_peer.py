"""A peer on a TCP socket that plays a list of exchanges, and fails the test if one is left over or out of order."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager, suppress

Exchange = tuple[str, bytes | None]


@contextmanager
def scripted(exchanges: Sequence[Exchange]) -> Generator[str]:
    """The resource string of a peer. exchanges: what must be said, a line each, and the answer to it."""
    left, wrong = list(exchanges), []

    def play(line: socket.socket) -> None:
        with line.makefile("rb") as heard:
            for raw in heard:
                said = raw.decode("ascii").rstrip("\r\n")
                if not left or said != left[0][0]:
                    wrong.append(said)
                    return
                _, answer = left.pop(0)
                if answer is not None:
                    line.sendall(answer + b"\n")

    with served(play) as address:
        yield address
    assert wrong == [], f"said {wrong}, expected {left[:1]}"
    assert left == [], "left over"


@contextmanager
def served(talk: Callable[[socket.socket], None]) -> Generator[str]:
    """The resource string of a peer that talks on each connection, one after the other."""
    listener = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        while True:
            try:
                line, _ = listener.accept()
            except OSError:
                return
            with line, suppress(OSError):
                talk(line)

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield f"TCPIP::127.0.0.1::{listener.getsockname()[1]}::SOCKET"
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        thread.join(timeout=10)
        assert not thread.is_alive()
