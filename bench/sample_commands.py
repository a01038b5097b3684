"""``bench sample``: which of many cameras are inspected, what follows of the result, and proof of the draw."""

from __future__ import annotations

import json
import secrets
from dataclasses import asdict
from pathlib import Path

import click
from pydantic import ValidationError
from rich.markup import escape
from rich.table import Table

from bench.clear_errors import clear_errors
from bench.sampling_record import Lot, draw_sample, lots_of, read_sample, record_round
from bench.table import printer
from reports.folder import JOURNAL
from reports.journal import head_of, replay
from standards.errors import UsageError
from standards.sampling import Method, SamplingRule
from standards.scheme import load_scheme

__all__ = ["sample"]

_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
_DIR = click.Path(exists=True, file_okay=False, path_type=Path)
_JSON = click.option("--json", "as_json", is_flag=True, help="Print JSON instead of a table.")


@click.group(context_settings={"max_content_width": 100})
def sample() -> None:
    """Inspect some of many cameras: GB 50348-2018, 9.1.5 and 9.1.6, or GB 50339-2013, 19.0.4.

    \b
      bench sample draw points.csv --out samples/site-1 --by "Li Ming"
      bench sample result samples/site-1 --lot "DS-2CD 4M" --failed CAM-017 --by "Li Ming"
      bench sample show samples/site-1
      bench sample check samples/site-1          draw it again from the seed: is it the same?

    points.csv has a head line and the columns name and model; cameras of one type and model are a lot.
    """


@sample.command("draw")
@click.argument("points", type=_FILE)
@click.option("--out", type=click.Path(path_type=Path), required=True, help="Folder of the sample's journal.")
@click.option("--scheme", default="system", show_default=True, help="Take the sampling rule of this scheme.")
@click.option(
    "--method", type=click.Choice([m.value for m in Method]), help="Another rule than the scheme's."
)
@click.option("--level", type=click.Choice(["I", "II"]), help="Inspection level of GB/T 2828.1.")
@click.option("--enlarge", type=float, help="Factor on the sample, for high-risk objects.")
@click.option("--seed", help="What the draw follows from [default: drawn by chance, journalled].")
@click.option("--name", "name", default="name", show_default=True, help="Column of the camera's name.")
@click.option("--model", "model", default="model", show_default=True, help="Column of its type and model.")
@click.option("--by", required=True, help="Who draws.")
@_JSON
@clear_errors
def draw_command(
    points: Path, out: Path, scheme: str, method: str | None, level: str | None, enlarge: float | None,
    seed: str | None, name: str, model: str, by: str, as_json: bool,
) -> int:  # fmt: skip
    """Draw the cameras to inspect from POINTS.csv, and journal the draw before it is shown."""
    rule = load_scheme(scheme).sampling
    if rule is None and method is None:
        raise UsageError(f"scheme {scheme} has no [sampling]: give --method")
    changes = {"method": method, "level": level, "enlarge": enlarge}
    plain = rule.model_dump() if rule is not None else {}
    try:
        chosen = SamplingRule.model_validate(plain | {k: v for k, v in changes.items() if v is not None})
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        raise UsageError(f"--{first['loc'][0]}: {first['msg']}") from None
    drawn = draw_sample(
        points, lots_of(points, name, model), chosen, seed=seed or secrets.token_hex(8), by=by, out=out
    )
    return _shown(out, drawn, as_json)


@sample.command()
@click.argument("folder", type=_DIR)
@click.option("--lot", required=True, help="Type and model whose sample was inspected.")
@click.option("--failed", multiple=True, help="A camera that failed. Repeatable; none: all passed.")
@click.option("--by", required=True, help="Who inspected.")
@_JSON
@clear_errors
def result(folder: Path, lot: str, failed: tuple[str, ...], by: str, as_json: bool) -> int:
    """How a lot's sample did. After a first failure: correct, then inspect the doubled sample it prints."""
    ended = record_round(folder, lot, failed, by=by)
    _shown(folder, (ended,), as_json)
    return 1 if ended.outcome == "failed" else 0


@sample.command()
@click.argument("folder", type=_DIR)
@_JSON
@clear_errors
def show(folder: Path, as_json: bool) -> int:
    """Every lot of a sample as it stands."""
    return _shown(folder, read_sample(folder)[1], as_json)


@sample.command()
@click.argument("folder", type=_DIR)
@clear_errors
def check(folder: Path) -> int:
    """Repeat the draw from its journal: the chain, the sizes, the names, what followed of each round.

    Keep the head it prints with the papers: a tail that was cut off shows in it alone.
    """
    read_sample(folder)
    events = replay(folder / JOURNAL)
    click.echo(f"{folder}: drawn as journalled, {len(events)} entries, head {head_of(events)}")
    return 0


def _shown(folder: Path, lots: tuple[Lot, ...], as_json: bool) -> int:
    head, _ = read_sample(folder)
    if as_json:
        plain = {"rule": head["rule"], "seed": head["seed"], "lots": [asdict(lot) for lot in lots]}
        click.echo(json.dumps(plain, ensure_ascii=False, indent=1))
        return 0
    rule = SamplingRule.model_validate(head["rule"])
    level = f", level {rule.level}" if rule.method is Method.GB_50348 else ""
    title = escape(f"{rule.method.value}{level}, seed {head['seed']}")
    table = Table("type and model", "lot", "inspect", "cameras", "so far", title=title, title_justify="left")
    for lot in lots:
        rounds = "; ".join(
            f"round {n}: {failed} of {size} failed" for n, (size, failed) in enumerate(lot.rounds, 1)
        )
        table.add_row(
            escape(lot.model), str(len(lot.names)), str(len(lot.sample)), escape(", ".join(lot.sample)),
            f"{lot.outcome} {rounds}".strip(),
        )  # fmt: skip
    printer().print(table)
    return 0
