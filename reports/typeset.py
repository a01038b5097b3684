"""The typesetting engine: a template of ours and plain values in, PDF or pictures of its pages out.

Only the fonts of this folder are used, no system font and no network, so that the same record gives the
same bytes everywhere. Text that the fonts cannot show stops the document: nothing is left out in silence.
"""

from __future__ import annotations

import functools
import json
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import typst
from fontTools.ttLib import TTFont

from standards.errors import BenchError

__all__ = ["TEMPLATES", "check_fonts", "printable", "typeset", "typeset_pages"]

TEMPLATES = Path(__file__).parent / "templates"
_FONTS = Path(__file__).parent / "fonts"
_FAMILY = "Noto Sans CJK SC"
_CONTROL = {"\n"}


@functools.cache
def characters(weight: str = "Regular") -> frozenset[int]:
    """Code points that a font of this folder shows. weight: 'Regular' or 'Bold'."""
    path = _FONTS / f"NotoSansCJKsc-{weight}-subset.otf"
    try:
        with TTFont(path, lazy=True) as font:
            return frozenset(font.getBestCmap())
    except OSError as error:
        raise BenchError(f"{path}: the font is missing, install camcert anew") from error


def check_fonts() -> str:
    """The family that documents are set in and how much it holds. Raises BenchError if it is not there."""
    counts = [len(characters(weight)) for weight in ("Regular", "Bold")]
    if _FAMILY not in _fonts().families():
        raise BenchError(f"{_FONTS}: {_FAMILY} cannot be loaded, install camcert anew")
    return f"{_FAMILY}: {counts[0]} characters, {counts[1]} in bold"


def printable(text: str) -> str:
    """Text of a device with every character that the fonts lack written as its code, e.g. [U+1F600]."""
    return "".join(c if ord(c) in characters() else f"[U+{ord(c):04X}]" for c in text)


def typeset(template: str, data: dict[str, Any], *, made: datetime) -> bytes:
    """PDF/A-3b of a template. data: JSON values, read by it from sys.inputs.data; made: date of the PDF,
    with its time zone. Equal arguments give equal bytes.

    Raises BenchError for a character that the fonts lack, and for whatever the engine warns of.
    """
    compiler = _compiler(template, data)
    pdf = _compiled(compiler, format="pdf", pdf_standards=["a-3b"], timestamp=int(made.timestamp()))
    assert isinstance(pdf, bytes)
    return pdf


def typeset_pages(template: str, data: dict[str, Any], *, ppi: float = 96.0) -> list[bytes]:
    """The pages of a template as PNG pictures. Raises as `typeset` does."""
    pages = _compiled(_compiler(template, data), format="png", ppi=ppi)
    return [pages] if isinstance(pages, bytes) else pages


@functools.cache
def _fonts() -> typst.Fonts:
    return typst.Fonts(include_system_fonts=False, include_embedded_fonts=False, font_paths=[_FONTS])


def _compiler(template: str, data: dict[str, Any]) -> typst.Compiler:
    for where, text in _texts(data, ""):
        for char in text:
            if ord(char) not in characters() and char not in _CONTROL:
                raise BenchError(f"{where}: the font has no {char!r} (U+{ord(char):04X}): write it otherwise")
    path = TEMPLATES / template
    if not path.is_file():
        raise BenchError(f"{path}: the document cannot be set, its template is missing")
    return typst.Compiler(
        path,
        root=TEMPLATES,
        font_paths=_fonts(),
        ignore_system_fonts=True,
        sys_inputs={"data": json.dumps(data, ensure_ascii=False, allow_nan=False)},
    )


def _compiled(compiler: typst.Compiler, **options: Any) -> bytes | list[bytes]:
    try:
        made, warnings = compiler.compile_with_warnings(**options)
    except typst.TypstError as error:
        raise BenchError(f"the document cannot be set: {error.diagnostic or error.message}") from error
    if warnings:
        raise BenchError(f"the document cannot be set well: {warnings[0].message}")
    if made is None:
        raise BenchError("the document cannot be set: the engine gave nothing")
    return made


def _texts(value: Any, where: str) -> Iterator[tuple[str, str]]:
    """Every string in the data with its place."""
    if isinstance(value, str):
        yield where, value
    elif isinstance(value, dict):
        for key, part in value.items():
            yield from _texts(part, f"{where}.{key}" if where else str(key))
    elif isinstance(value, (list, tuple)):
        for index, part in enumerate(value):
            yield from _texts(part, f"{where}[{index}]")
