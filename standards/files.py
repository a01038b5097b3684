"""Reading TOML files into models: one way for catalogue, schemes, declarations, so that errors look alike."""

from __future__ import annotations

import codecs
import difflib
import tomllib
from decimal import Decimal
from importlib.resources.abc import Traversable
from pathlib import Path
from types import UnionType
from typing import Any, TypeVar, Union, get_args, get_origin

from pydantic import BaseModel, ValidationError

from standards.errors import BadFile

__all__ = ["fitted", "read_toml", "read_toml_whole", "read_tree"]

_Model = TypeVar("_Model", bound=BaseModel)
_LARGEST = 1 << 20  # bytes; a station, scheme or clause file is a few kilobytes
_MOST_ROUNDS = 64  # complaints can hide others, each level of a file once


def read_toml(path: Path | Traversable, model: type[_Model]) -> _Model:
    """The file as a validated model. Decimals keep the digits they are written with.

    Raises BadFile with the file, the first offending key and the mend: for a file that cannot be read, is
    no TOML, holds a key that the model does not know, or a value that does not fit.
    """
    return fitted(path, read_tree(path), model)


def read_toml_whole(path: Path, model: type[_Model]) -> tuple[_Model | None, tuple[BadFile, ...]]:
    """Every complaint about a file, and what is left of it without the parts that are complained of.

    For whoever looks for all that is wrong at once. None where nothing usable is left. Raises BadFile as
    `read_toml` does for a file that cannot be read or is no TOML.
    """
    tree = read_tree(path)
    problems: dict[str, BadFile] = {}
    for _ in range(_MOST_ROUNDS):
        try:
            return model.model_validate(tree), tuple(problems.values())
        except ValidationError as error:
            complaints = sorted(error.errors(include_url=False), key=lambda c: str(c["loc"]), reverse=True)
        left = True
        for complaint in complaints:
            found = _bad_file(str(path), model, complaint)
            problems.setdefault(str(found), found)
            left = _pruned(tree, complaint) and left
        if not left:
            break
    return None, tuple(problems.values())


def _pruned(tree: dict[str, Any], complaint: Any) -> bool:
    """Take what is complained of out of the tree: the key, or the table that lacks one. False if it is all."""
    loc = complaint["loc"][:-1] if complaint["type"] == "missing" else complaint["loc"]
    holder: Any = tree
    place: tuple[Any, Any] | None = None
    for part in loc:
        inside = (
            part in holder
            if isinstance(holder, dict)
            else isinstance(holder, list) and part in range(len(holder))
        )
        if not inside:
            break
        place, holder = (holder, part), holder[part]
    if place is None:
        return False
    del place[0][place[1]]
    return True


def read_tree(path: Path | Traversable) -> dict[str, Any]:
    """The file as plain tables. Raises BadFile for one that cannot be read or is no TOML."""
    try:
        with path.open("rb") as file:
            data = file.read(_LARGEST + 1)
    except OSError as error:
        raise BadFile(str(path), "", f"cannot be read ({error.strerror})", "check the path") from None
    if len(data) > _LARGEST:
        raise BadFile(str(path), "", f"is more than {_LARGEST} bytes long", "keep it under that")
    if data.startswith(codecs.BOM_UTF8):
        raise BadFile(str(path), "", "begins with a byte order mark", "save it as UTF-8 without one")
    try:
        return tomllib.loads(data.decode(), parse_float=Decimal)
    except UnicodeDecodeError:
        raise BadFile(str(path), "", "is not UTF-8 text", "save it as UTF-8") from None
    except tomllib.TOMLDecodeError as error:
        raise BadFile(str(path), "", f"is not TOML: {error}", "mend that line") from None
    except RecursionError:
        raise BadFile(str(path), "", "is nested too deeply", "write it flat") from None
    except (ValueError, ArithmeticError):  # more digits, or a larger exponent, than Python converts
        raise BadFile(str(path), "", "holds a number beyond all bounds", "write it shorter") from None


def fitted(path: Path | Traversable, tree: dict[str, Any], model: type[_Model]) -> _Model:
    """Tables of a file as a validated model. Raises BadFile with the file, the first offending key and the mend."""
    try:
        return model.model_validate(tree)
    except ValidationError as error:
        complaints = error.errors(include_url=False)
        first = min(complaints, key=lambda c: c["type"] != "extra_forbidden")
        raise _bad_file(str(path), model, first) from None


def _bad_file(path: str, model: type[BaseModel], first: Any) -> BadFile:
    """A complaint of pydantic as one of ours."""
    where = ".".join(f"[{part + 1}]" if isinstance(part, int) else str(part) for part in first["loc"])
    where = where.replace(".[", "[")
    if first["type"] == "extra_forbidden":
        known = _keys_at(model, first["loc"][:-1])
        near = difflib.get_close_matches(str(first["loc"][-1]), known, n=1)
        mend = f"did you mean {near[0]!r}?" if near else f"remove it; known here: {', '.join(known)}"
        return BadFile(path, where, "unknown key", mend)
    if first["type"] == "missing":
        return BadFile(path, where, "is missing", "add it")
    text = first["msg"].removeprefix("Value error, ")
    given = "" if isinstance(first["input"], dict) else f"; it is {first['input']!s:.60}"
    return BadFile(path, where, text, f"write a value that fits{given}")


def _keys_at(model: type[BaseModel], loc: tuple[int | str, ...]) -> list[str]:
    """The keys that the table at loc knows."""
    inner: type[BaseModel] | None = model
    for part in loc:
        if inner is None or not isinstance(part, str):
            continue
        field = inner.model_fields.get(part)
        inner = _model_in(field.annotation) if field is not None else None
    return [f.alias or name for name, f in inner.model_fields.items()] if inner is not None else []


def _model_in(annotation: Any) -> type[BaseModel] | None:
    """The model inside X, X | None, tuple[X, ...] or dict[str, X]."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    if get_origin(annotation) in (tuple, list, dict, Union, UnionType):
        return next((m for arg in get_args(annotation) if (m := _model_in(arg)) is not None), None)
    return None
