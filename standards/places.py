"""The line of a TOML file on which a key stands, so that an error can point at it. Pure.

tomllib tells no places. This reads headers and keys line by line, which is enough for files that people
write: a key inside an inline table, or one that is missing, has the line of what holds it.
"""

from __future__ import annotations

import re

__all__ = ["line_of"]

_HEADER = re.compile(r"^\s*(\[\[?)\s*([^\]\[]+?)\s*\]\]?\s*(?:#.*)?$")
_KEY = re.compile(r"""^\s*("[^"]*"|'[^']*'|[A-Za-z0-9_.-]+)\s*=""")
_PART = re.compile(r"([^.\[\]]+)|\[(\d+)\]")
_REMARK = re.compile(r"\s*\([^)]*\)")
_Path = tuple[str | int, ...]


def _wanted(key: str) -> _Path:
    """'clause[3] (NET-07).unit' as ('clause', 3, 'unit'); numbers count from 1."""
    return tuple(int(number) if number else name for name, number in _PART.findall(_REMARK.sub("", key)))


def _names(text: str) -> list[str]:
    return [part.strip().strip("\"'") for part in text.split(".")]


def line_of(text: str, key: str) -> int | None:
    """Number of the line, from 1, where `key` stands, or the nearest table that would hold it; None if none.

    key: as errors name it, e.g. 'clause[3].unit': dotted, arrays of tables numbered from 1.
    """
    wanted = _wanted(key)
    best: tuple[int, int | None] = (0, None)
    counts: dict[_Path, int] = {}
    table: _Path = ()
    for number, line in enumerate(text.splitlines(), start=1):
        header = _HEADER.match(line)
        if header:
            table = _table(_names(header[2]), counts, array=header[1] == "[[")
            best = _better(best, table, wanted, number)
            continue
        named = _KEY.match(line)
        if named:
            best = _better(best, (*table, *_names(named[1])), wanted, number)
    return best[1]


def _table(names: list[str], counts: dict[_Path, int], *, array: bool) -> _Path:
    """The path of a header, each array of tables on the way at its latest number."""
    path: _Path = ()
    for place, name in enumerate(names):
        path = (*path, name)
        if array and place == len(names) - 1:
            counts[path] = counts.get(path, 0) + 1
        if path in counts:
            path = (*path, counts[path])
    return path


def _better(best: tuple[int, int | None], path: _Path, wanted: _Path, number: int) -> tuple[int, int | None]:
    """The longer of what was found and this path, if this path leads to what is wanted."""
    if len(path) > best[0] and wanted[: len(path)] == path:
        return len(path), number
    return best
