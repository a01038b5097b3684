"""The ``bench`` command. Thin: each command asks one room and prints what it says.

Exit codes: 0 conforms · 1 does not conform · 2 usage · 3 bench fault or inconclusive.
"""

from __future__ import annotations

import json
import os
import re
import sys
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

import click
from rich.text import Text

from bench.calendar_day import beijing_today
from bench.catalogue_commands import standards
from bench.chart_command import chart
from bench.clear_errors import clear_errors
from bench.edge_command import edge
from bench.sample_commands import sample
from bench.table import printer
from bench.validate_command import validate
from reports.record import Intrusiveness
from standards.errors import CamcertError, UsageError

__all__ = ["main"]

_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
_DIR = click.Path(exists=True, file_okay=False, path_type=Path)


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(package_name="camcert", message="%(package)s %(version)s")
def main() -> None:
    """Test and certify public-security video cameras.

    \b
    Start here:
      bench doctor                     is this machine ready?
      bench demo                       watch a virtual camera being certified, documents included
      bench discover                   which cameras are on this network?
      bench run --camera onvif://admin@192.0.2.10 --scheme acceptance --station station.toml
      bench report DIR                 the inspection report (检验报告) of a record
      bench verify DIR                 has anything been altered since?

      bench standards coverage         what of the law is measured, documented, unread?
      bench sample draw                which of many cameras are inspected
      bench chart                      test charts to print, or to show on a monitor
      bench edge                       a slanted edge of any picture file, region by hand
      bench validate image             the procedures against cameras of known truth

    A password is never an argument: it comes from $BENCH_CAMERA_PASSWORD, the keyring or a prompt.
    Exit codes: 0 conforms, 1 does not conform, 2 usage, 3 bench fault or inconclusive.
    """


main.add_command(standards)
main.add_command(sample)
main.add_command(validate)
main.add_command(chart)
main.add_command(edge)


def _run_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """The options that `bench run` and `bench plan` share."""
    for option in (
        click.option("--date", "on", type=click.DateTime(["%Y-%m-%d"]), help="Governing date of the plan."),
        click.option(
            "--allow",
            multiple=True,
            type=click.Choice(["intrusive", "disruptive"]),
            help="Consent to items that change the camera's settings, or interrupt it.",
        ),
        click.option(
            "--declaration", type=_FILE, help="declaration.toml: what the camera is declared to be."
        ),
        click.option(
            "--overlay",
            type=_FILE,
            multiple=True,
            help="overlay.toml: limits whose text you own, clauses of a contract. Repeatable.",
        ),
        click.option(
            "--station",
            type=_FILE,
            help="station.toml: instruments, chart, display, certificates (docs/station.md).",
        ),
        click.option(
            "--camera", metavar="URL", help="onvif://[user@]host[:port][/PROFILE] or rtsp://[user@]host/path"
        ),
        click.option("--scheme", default="acceptance", show_default=True, help="A scheme's name or file."),
    ):
        command = option(command)
    return command


def _request(camera: str | None, allow: tuple[str, ...], on: datetime | None, **rest: Any) -> Any:
    from bench.request import RunRequest

    kept = rest["out"] / "plan.json" if rest.get("resume") and rest.get("out") else None
    if camera is None and rest.get("plan_file") is None and kept is not None and kept.exists():
        rest["plan_file"] = kept  # the record knows its camera and plan
    if camera is None and rest.get("plan_file") is None:
        raise click.UsageError("give --camera URL (or --plan plan.json)")
    return RunRequest(
        camera=camera or "",
        allow=tuple(Intrusiveness(name) for name in allow),
        on=on.date() if on is not None else None,
        **rest,
    )


@main.command()
@_run_options
@click.option("--out", type=click.Path(path_type=Path), required=True, help="Where plan.json goes.")
@clear_errors
def plan(out: Path, **options: Any) -> int:
    """What would run, and why, without touching anything. Run it later with `bench run --plan`."""
    from bench.table import plan_table
    from reports.folder import json_text, write_whole

    made = _request(**options).plan()
    write_whole(out, json_text(made.model_dump(mode="json")))
    printer().print(plan_table(made))
    click.echo(f"{out}  sha256 {made.sha256()}")
    return 0


@main.command()
@_run_options
@click.option("--plan", "plan_file", type=_FILE, help="A plan made before, instead of a scheme.")
@click.option("--out", type=click.Path(path_type=Path), help="The record's folder [default: out/run-<time>].")
@click.option("--resume", is_flag=True, help="Go on with the record in --out after a stop or a crash.")
@click.option("--json", "as_json", is_flag=True, help="Print results.json instead of the table.")
@clear_errors
def run(as_json: bool, **options: Any) -> int:
    """Certify one camera: measure, judge clause by clause, seal the record.

    \b
    Examples:
      bench run --scheme vendor_ci --camera rtsp://127.0.0.1:8554/main
      bench run --scheme acceptance --camera onvif://admin@192.0.2.10 --station station.toml \\
                --declaration declaration.toml --out records/gate-3
    """
    from bench.run import execute, exit_code, read_results
    from bench.table import conclusion, terminal

    request = _request(**options)
    request = replace(request, out=request.directory())
    try:
        directory, trouble = execute(request, terminal())
    except (CamcertError, KeyboardInterrupt):
        if (request.out / "plan.json").exists() and not options["resume"]:
            click.echo(f"the record so far: {request.out}; go on with --out {request.out} --resume", err=True)
        raise
    if trouble:
        return trouble
    frozen, results = read_results(directory)
    if as_json:
        click.echo((directory / "results.json").read_text())
    else:
        printer().print(conclusion(frozen, results), highlight=False)
        click.echo(f"record: {directory}")
    return exit_code(frozen, results)


@main.command()
@click.option("--out", type=click.Path(path_type=Path), help="Folder for everything it makes.")
@click.option("--scheme", default="acceptance", show_default=True)
@clear_errors
def demo(out: Path | None, scheme: str) -> int:
    """Watch a virtual camera being certified: real ONVIF, RTSP and serial line, report as PDF.

    Exit 0 means that the demonstration completed and its record verifies; the verdict is printed.
    """
    from bench.demo import demonstrate
    from bench.table import terminal

    folder = out or Path("out") / f"demo-{datetime.now():%Y%m%d-%H%M%S}"
    return demonstrate(folder, scheme=scheme, console=terminal())


@main.command()
@click.option("--seconds", default=3.0, show_default=True, type=click.FloatRange(0.5, 30.0))
@click.option("--json", "as_json", is_flag=True)
@clear_errors
def discover(seconds: float, as_json: bool) -> int:
    """List the cameras that answer WS-Discovery on this network."""
    from bench.camera.discovery import discover as probe
    from bench.table import found_table

    found = probe(seconds)
    if as_json:
        click.echo(json.dumps([f.as_json() for f in found], ensure_ascii=False, indent=1))
    else:
        printer().print(found_table(found) if found else "no camera answered", highlight=False)
    return 0


@main.command()
@click.argument("file", type=_FILE)
@click.option("--truth", type=click.Path(path_type=Path), help="Where the truth log goes.")
@click.option(
    "--timeline", type=_FILE, help="[[timeline]] of the world (TOML), added to the camera file's own."
)
@click.option(
    "--state", type=click.Path(path_type=Path), help="Folder of the camera's memory, kept for its next start."
)
@clear_errors
def simulate(file: Path, **options: Path | None) -> int:
    """Run one virtual camera, or a farm of streams, until Ctrl-C; addresses are the first line, as JSON."""
    given = {name: str(value) for name, value in options.items() if value is not None}
    farm = re.search(rb"^\s*\[farm\]", file.read_bytes(), re.MULTILINE)
    if farm and given.keys() - {"truth"}:
        raise UsageError(
            "a farm has no --timeline and no --state. Mend: leave them out, or name a camera file"
        )
    command = [sys.executable, "-m", "fixtures.simulated.farm" if farm else "fixtures.simulated", str(file)]
    command += [part for name, value in given.items() for part in (f"--{name}", value)]
    # In this process's place: whatever ends the command, SIGKILL included, ends the camera.
    os.execv(sys.executable, command)  # noqa: S606


@main.command()
@click.argument("directory", type=_DIR)
@click.option(
    "--format", "formats", default="pdf", show_default=True, help="pdf, json, junit; comma-separated."
)
@clear_errors
def report(directory: Path, formats: str) -> int:
    """Write the documents of a sealed record: the Chinese inspection report as PDF."""
    from reports.inspection import write_inspection

    wanted = {name.strip() for name in formats.split(",")}
    unknown = wanted - {"pdf", "json", "junit"}
    if unknown:
        raise click.BadParameter(
            f"unknown format {', '.join(sorted(unknown))}: pdf, json, junit", param_hint="--format"
        )
    if "pdf" in wanted:
        click.echo(str(write_inspection(directory)))
    for name, file in (("json", "results.json"), ("junit", "junit.xml")):
        if name in wanted:
            click.echo(str(directory / file))
    return 0


@main.command()
@click.argument("directory", type=_DIR)
@click.option("--json", "as_json", is_flag=True)
@clear_errors
def verify(directory: Path, as_json: bool) -> int:
    """Recompute hashes, chain and verdicts of a record. Exit 0 if nothing was altered, else 1."""
    from reports.verify import verify as check

    problems = check(directory)
    if as_json:
        click.echo(json.dumps([{"file": p.file, "problem": p.text} for p in problems], ensure_ascii=False))
    elif problems:
        for problem in problems:
            click.echo(f"{problem.file}: {problem.text}")
    else:
        click.echo(f"{directory}: verified, nothing altered, verdicts recomputed")
    return 1 if problems else 0


@main.command()
@click.option("--station", type=_FILE, help="Check this station, its instruments and certificates too.")
@click.option(
    "--interim",
    is_flag=True,
    help="Set the station up and do its interim checks: instruments are switched on.",
)
@click.option("--json", "as_json", is_flag=True)
@clear_errors
def doctor(station: Path | None, interim: bool, as_json: bool) -> int:
    """Is this machine, and this station, fit to measure? Names everything that is wrong, each with its mend.

    With --station each instrument is asked who it is and held against the file; nothing is switched without --interim.
    Exit code 3 if something is wrong; what is only worth knowing (a certificate that ends soon) is marked "note".
    """
    from bench.doctor import checks

    if interim and station is None:
        raise click.UsageError("--interim needs --station FILE")
    found = checks(station, beijing_today(), interim=interim)
    if as_json:
        click.echo(
            json.dumps(
                [{"check": c.name, "ok": c.ok, "warning": c.warning, "text": c.text} for c in found],
                ensure_ascii=False,
            )
        )
    else:
        for check in found:
            mark = (
                "[bold red]FAIL[/]"
                if not check.ok
                else "[yellow]note[/]"
                if check.warning
                else "[green]ok  [/]"
            )
            text = Text.assemble(Text.from_markup(mark), f" {check.name}: {check.text}")
            printer().print(text, highlight=False, soft_wrap=True)
    return 0 if all(check.ok for check in found) else 3


if __name__ == "__main__":
    main()
