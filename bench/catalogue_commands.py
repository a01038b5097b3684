"""``bench standards``: search the catalogue, show a clause, check files, compare editions, see what is covered."""

from __future__ import annotations

import difflib
import json
from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import Any

import click
from pydantic import BaseModel
from rich.markup import escape
from rich.table import Table

from bench.catalogue_check import check_file, contradictions, differences
from bench.clear_errors import clear_errors
from bench.table import limit_text, printer
from standards.catalogue import Catalogue, ClauseFile, QuantityFile, load
from standards.clause import Clause
from standards.errors import UnknownName, UsageError
from standards.overlay import Overlay, laid_over

__all__ = ["standards"]

_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
_OVERLAYS = click.option(
    "--overlay", type=_FILE, multiple=True, help="Lay an overlay file over the catalogue."
)
_JSON = click.option("--json", "as_json", is_flag=True, help="Print JSON instead of a table.")
ORDER_230 = "重庆市人民政府令第230号"


@click.group(context_settings={"max_content_width": 100})
def standards() -> None:
    """The catalogue: what laws and standards require, how well that is known, what is measured of it.

    \b
      bench standards list 帧率                   every clause that speaks of a word
      bench standards list --standard "GB/T 28181-2022" --json
      bench standards show NET-07                 one clause, whole
      bench standards diff "GB/T 28181-2016" "GB/T 28181-2022"
      bench standards coverage                    measured, documented, text required
      bench standards check my-overlay.toml       is the file right? names line, key and mend
    """


def known_with(overlay: Sequence[Path]) -> Catalogue:
    """The catalogue with these overlays."""
    return laid_over(load(), overlay).catalogue


def _plain(clause: Clause) -> dict[str, Any]:
    return {"id": clause.id, **clause.model_dump(mode="json")}


def _matches(clause: Clause, word: str) -> bool:
    shown = (clause.row, clause.id, clause.title_zh, clause.title_en, clause.requirement_zh,
             clause.requirement_en, clause.measurand.quantity, clause.standard_title_zh)  # fmt: skip
    return any(word.casefold() in text.casefold() for text in shown)


@standards.command("list")
@click.argument("word", nargs=-1)
@click.option("--standard", help="Only this text: its name, or the beginning of it.")
@click.option("--quantity", help="Only clauses of this quantity.")
@click.option("--article", type=int, help="Only this article of a law.")
@click.option("--on", type=click.DateTime(["%Y-%m-%d"]), help="Only what stood on this day.")
@_OVERLAYS
@_JSON
@clear_errors
def list_clauses(
    word: tuple[str, ...], standard: str | None, quantity: str | None, article: int | None, on: Any,
    overlay: tuple[Path, ...], as_json: bool,
) -> int:  # fmt: skip
    """Clauses that speak of every WORD (Chinese or English, of the title, requirement, number or quantity)."""
    known = known_with(overlay)
    if quantity is not None:
        known.quantity(quantity)
    if standard is not None and not any(clause.standard.startswith(standard) for clause in known.clauses):
        raise UnknownName(f"no text begins with {standard!r}: see `bench standards coverage`")
    day: date | None = on.date() if on is not None else None
    found = [
        clause
        for clause in known.clauses
        if all(_matches(clause, w) for w in word)
        and (standard is None or clause.standard.startswith(standard))
        and (quantity is None or clause.measurand.quantity == quantity)
        and (article is None or clause.article == article)
        and (day is None or clause.in_force_on(day))
    ]
    if as_json:
        click.echo(json.dumps([_plain(clause) for clause in found], ensure_ascii=False, indent=1))
        return 0
    table = Table("row", "clause", "title", "limit", "force", "known by")
    for clause in found:
        title = f"{escape(clause.title_zh)}\n[dim]{escape(clause.title_en)}[/]"
        table.add_row(
            clause.row, clause.id, title, limit_text(clause), clause.bindingness.value, clause.evidence.value
        )
    printer().print(table)
    click.echo(f"{len(found)} of {len(known.clauses)} clauses")
    return 0


@standards.command()
@click.argument("name")
@_OVERLAYS
@_JSON
@clear_errors
def show(name: str, overlay: tuple[Path, ...], as_json: bool) -> int:
    """One clause, whole, or all that NAME stands for.

    NAME is a row (NET-07, or NET-39 for all its parts), standard and number (GB 50395-2007:5.0.5), or a
    quantity (sign.visible).
    """
    known = known_with(overlay)
    found = [c for c in known.clauses if name in (c.row, c.row.partition(".")[0], c.id, c.measurand.quantity)]
    if not found:
        known.clause(name)  # raises UnknownName with what looks alike
    if as_json:
        click.echo(json.dumps([_plain(clause) for clause in found], ensure_ascii=False, indent=1))
        return 0
    console = printer()
    for clause in found:
        console.print(_sheet(clause, known), highlight=False)
    return 0


def _sheet(clause: Clause, known: Catalogue) -> Table:
    quantity = known.quantity(clause.measurand.quantity)
    table = Table(title=f"{clause.row}  {clause.id}", title_justify="left", show_header=False, min_width=80)
    table.add_column(style="bold")
    table.add_column(overflow="fold")
    condition = {key: value for key, value in clause.condition.model_dump().items() if value}
    stood = f"{clause.in_force or 'not known'} … {clause.superseded or 'open'}"
    for key, value in (
        ("text", f"{clause.standard} {clause.standard_title_zh}"),
        ("title", f"{clause.title_zh}\n{clause.title_en}"),
        ("requirement", f"{clause.requirement_zh}\n{clause.requirement_en}"),
        ("limit", f"{limit_text(clause)} (compared {clause.comparison.value})"),
        ("quantity", f"{quantity.key}: {quantity.name_zh}, {quantity.name_en}\n{quantity.definition}"),
        ("taken from", f"{quantity.by.value}" + (f": {quantity.method}" if quantity.method else "")),
        ("force", clause.bindingness.value),
        ("known by", f"{clause.evidence.value}, {clause.source}"),
        ("applies to", ", ".join(f"{k}: {' or '.join(map(str, v))}" for k, v in condition.items()) or "all"),
        ("in force", stood + (f" ({clause.superseded_by})" if clause.superseded_by else "")),
        ("note", "\n".join(filter(None, (clause.note_zh, clause.note_en)))),
        ("overlay", clause.overlay),
    ):
        if value:
            table.add_row(key, escape(str(value)))
    return table


@standards.command()
@click.argument("files", nargs=-1, type=_FILE)
@clear_errors
def check(files: tuple[Path, ...]) -> int:
    """Read the catalogue, the schemes and FILES (overlays, declarations, schemes), and name what is wrong.

    The error names file, line, key and the mend. Without FILES: what comes with camcert.
    """
    known = load()
    wrong = contradictions(known)
    for text in wrong:
        click.echo(text)
    for file in files:
        click.echo(f"{file}: {check_file(file)}")
    if wrong:
        raise UsageError(f"{len(wrong)} contradictions in the catalogue")
    click.echo(f"{len(known.clauses)} clauses of {len({c.standard for c in known.clauses})} texts, "
               f"{len(known.quantities)} quantities: all well")  # fmt: skip
    return 0


@standards.command()
@click.argument("older")
@click.argument("newer")
@_OVERLAYS
@_JSON
@clear_errors
def diff(older: str, newer: str, overlay: tuple[Path, ...], as_json: bool) -> int:
    """What a NEWER edition changed against an OLDER one: clauses put side by side by their quantity."""
    known = known_with(overlay)
    names = {clause.standard for clause in known.clauses}
    for name in (older, newer):
        if name not in names:
            near = difflib.get_close_matches(name, names, n=4, cutoff=0.4) or sorted(names)[:10]
            raise UnknownName(
                f"no text {name!r}; there is {', '.join(near)} …: see `bench standards coverage`"
            )
    found = differences(known, older, newer)
    if as_json:
        click.echo(json.dumps(found, ensure_ascii=False, indent=1))
        return 0
    table = Table("quantity", older, newer, "what")
    for row in found:
        table.add_row(row["quantity"], row["older"], row["newer"], row["what"])
    printer().print(table)
    return 0


@standards.command()
@_OVERLAYS
@_JSON
@clear_errors
def coverage(overlay: tuple[Path, ...], as_json: bool) -> int:
    """For each article of Order 230, and each text: clauses measured, documented, waiting for a text.

    Measured means that the procedure in its present version was held against known truth (make validate).
    """
    from bench.proofs import proofs
    from standards.coverage import State, tally

    tallies = tally(known_with(overlay).clauses, proofs(), ORDER_230)
    every = sorted(tallies, key=lambda t: (t.name != ORDER_230, t.article or 0))
    if as_json:
        click.echo(json.dumps([t.model_dump(mode="json") for t in every], ensure_ascii=False, indent=1))
        return 0
    table = Table("text", *(state.value.replace("_", " ") for state in State))
    for one in every:
        name = one.name if one.article is None else f"{one.name} 第{one.article}条"
        table.add_row(name, *(str(one.counts[state] or "") for state in State))
    totals = [sum(one.counts[state] for one in every) for state in State]
    table.add_row("[bold]all[/]", *(f"[bold]{total}[/]" for total in totals))
    printer().print(table)
    return 0


_SCHEMAS = ("clauses", "quantities", "overlay", "scheme", "declaration")


@standards.command()
@click.argument("kind", type=click.Choice(_SCHEMAS))
@clear_errors
def schema(kind: str) -> int:
    """The JSON schema of a TOML file, for editors that complete and check as you type.

    \b
    Put this on the first line of your file (Even Better TOML, Taplo):
      #:schema ./overlay.schema.json
    """
    from standards.declaration import Declaration
    from standards.scheme import Scheme

    models: dict[str, type[BaseModel]] = dict(
        zip(_SCHEMAS, (ClauseFile, QuantityFile, Overlay, Scheme, Declaration), strict=True)
    )
    click.echo(json.dumps(models[kind].model_json_schema(), ensure_ascii=False, indent=1))
    return 0
