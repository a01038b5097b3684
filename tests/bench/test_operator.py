"""The operator at a real terminal (a pty): asked, refused, patient for a bounded time."""

from __future__ import annotations

import os
import pty
import threading
import tty
from collections.abc import Generator
from contextlib import contextmanager

import pytest

from bench.operator import Terminal
from instruments.manual import source_of
from standards.errors import InstrumentError


@contextmanager
def person(*lines: str) -> Generator[tuple[str, list[bytes]]]:
    """Somebody who types lines at a terminal, one whenever a question ends. Yields the terminal and what it showed."""
    master, slave = pty.openpty()
    tty.setraw(slave)
    shown: list[bytes] = []

    def type_lines() -> None:
        rest = list(lines)
        try:
            while piece := os.read(master, 1024):
                shown.append(piece)
                if piece.endswith(b": ") and rest:
                    os.write(master, rest.pop(0).encode())
        except OSError:
            return

    thread = threading.Thread(target=type_lines, daemon=True)
    thread.start()
    try:
        yield os.ttyname(slave), shown
    finally:
        os.close(slave)
        thread.join(timeout=5)
        os.close(master)


def test_who_is_asked_once_and_every_answer_says_when() -> None:
    with person("Li Ming\n", "500.5\n", "501\n") as (path, shown):
        operator = Terminal(path, patience_s=10)
        first, second = operator.ask("first"), operator.ask("second")
    assert (first.text, first.who, second.text, second.who) == ("500.5", "Li Ming", "501", "Li Ming")
    assert first.when.tzinfo is not None and first.when <= second.when
    assert b"".join(shown).count(b"Who is at the station?") == 1


def test_an_answer_that_is_no_number_is_asked_again() -> None:
    with person("\n", "much\n", "\n", "12.1\n") as (path, shown):
        source = source_of("terminal", Terminal(path, patience_s=10))
        found = source.value("dc_voltage", "V", "read the voltage")
    assert found.value == 12.1 and found.who, "an empty name is the user's"
    text = b"".join(shown)
    assert b"a number is needed" in text and b"an answer is needed" in text


def test_nobody_there() -> None:
    with person("Li\n") as (path, _), pytest.raises(InstrumentError, match=r"nobody answered in time. Mend"):
        Terminal(path, patience_s=0.3).ask("read the meter")


def test_a_line_without_end_is_cut_off() -> None:
    with person("Li\n", "9" * 1000) as (path, _), pytest.raises(InstrumentError, match="no usable line"):
        Terminal(path, patience_s=10).ask("read the meter")


def test_no_terminal_at_all() -> None:
    with pytest.raises(InstrumentError, match=r"cannot be opened.*readings.csv"):
        Terminal("/dev/no-such-terminal").ask("read")
    Terminal("/dev/no-such-terminal").tell("nobody hears this")
