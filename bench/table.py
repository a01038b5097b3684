"""The live table of a run: clause by clause, progress, value ± U, limit, verdict (rich, on stderr)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from typing import Any

from rich.console import Console, Group
from rich.live import Live as Screen
from rich.markup import escape
from rich.progress import BarColumn, Progress, TaskID, TextColumn
from rich.table import Table
from rich.text import Text

from bench.camera.discovery import Found
from reports.record import EventKind, JudgedEvent, Plan, PlanItem, Results
from reports.wording import value_text
from standards.clause import Clause, Evidence
from standards.decision import Verdict
from standards.quantity import Finding

__all__ = ["RunTable", "conclusion", "found_table", "limit_text", "plan_table", "printer", "terminal"]

_COLOUR = {
    "pass": "green",
    "conditional_pass": "green",
    "conditional_fail": "red",
    "fail": "bold red",
    "undecided": "yellow",
    "bench_fault": "magenta",
}


def limit_text(clause: Clause) -> str:
    """The limit in a few characters: '≥ 25 1/s', '≤ 0.2 s', 'text required'."""
    limit, unit = clause.limit, "" if clause.measurand.unit == "1" else f" {clause.measurand.unit}"
    if not limit.known:
        return "text required" if clause.evidence is Evidence.UNKNOWN else "no number"
    if limit.equals is not None:
        return ("no", "yes")[limit.equals] if isinstance(limit.equals, bool) else limit.equals
    parts = []
    if limit.lower is not None:
        parts.append(f"≥ {limit.lower}{unit}")
    if limit.upper is not None:
        parts.append(f"≤ {limit.upper}{unit}")
    return ", ".join(parts)


class RunTable:
    """Watches a session and draws it. `live=False` draws once at the end (no terminal, CI)."""

    def __init__(self, plan: Plan, console: Console) -> None:
        self._plan = plan
        self._console = console
        self._findings: dict[str, Finding] = {}
        self._judged: dict[str, JudgedEvent] = {}
        self._bar = Progress(
            TextColumn("{task.description}"), BarColumn(), TextColumn("{task.percentage:3.0f} %")
        )
        self._tasks: dict[str, TaskID] = {}
        self._screen = Screen(console=console, get_renderable=self.render, refresh_per_second=4)

    def __enter__(self) -> RunTable:
        if self._console.is_terminal:
            self._screen.start()
        return self

    def __exit__(self, *exc: object) -> None:
        if self._console.is_terminal:
            self._bar.stop()
            self._screen.stop()
        elif self._judged:
            self._console.print(self.table(), self.left_out())

    def event(self, kind: EventKind, data: dict[str, Any]) -> None:
        """Take a journal event."""
        if kind is EventKind.MEASURED:
            finding = Finding.model_validate(data["finding"])
            self._findings[finding.estimate.quantity] = finding
        elif kind is EventKind.JUDGED:
            judged = JudgedEvent.model_validate(data)
            self._judged[judged.item] = judged
        elif kind is EventKind.FAULT:
            self._console.print(f"[magenta]{data['whose']} fault:[/] {data['text']}", highlight=False)

    def progress(self, what: str, share: float) -> None:
        """Long work goes on."""
        if what not in self._tasks:
            self._tasks[what] = self._bar.add_task(what, total=1.0)
            if not self._console.is_terminal:
                self._console.print(f"{what} …", highlight=False)
        self._bar.update(self._tasks[what], completed=share)

    @contextmanager
    def aside(self) -> Generator[None]:
        """Leave the screen to a question, then go on drawing."""
        drawn = self._screen.is_started
        if drawn:
            self._screen.stop()
        try:
            yield
        finally:
            if drawn:
                self._screen.start()

    def render(self) -> Group:
        """Table, what is left out of it, and progress bars."""
        return Group(self.table(), self.left_out(), self._bar)

    def left_out(self) -> Text:
        """How many clauses do not run here, and where their reasons are."""
        count = Counter(item.applicability for item in self._plan.items)
        words = f"{count['not_applicable']} clauses not applicable, {count['not_run']} not run"
        return Text(f"{words}: `bench plan` and the record give each reason", "dim")

    def table(self) -> Table:
        """The table as it stands."""
        title = f"{self._plan.scheme} · {self._plan.camera} · {self._plan.origin.value}"
        table = Table(title=title, title_justify="left", expand=False, pad_edge=False)
        table.add_column("row", no_wrap=True)
        table.add_column("clause", overflow="fold")
        table.add_column("requirement", overflow="fold", max_width=40)
        table.add_column("value ± U", justify="right", no_wrap=True)
        table.add_column("limit", justify="right", no_wrap=True)
        table.add_column("verdict", overflow="fold", max_width=40)
        for item in self._plan.items:
            if item.applicability == "run":
                table.add_row(*self._row(item))
        return table

    def _row(self, item: PlanItem) -> tuple[str | Text, ...]:
        clause = item.clause
        finding = self._findings.get(clause.measurand.quantity)
        value = value_text(finding.estimate) if finding is not None else ""
        name = Text(clause.row, "bold" if clause.bindingness.binding else "")
        return name, clause.id, clause.title_en, value, limit_text(clause), self._verdict(item)

    def _verdict(self, item: PlanItem) -> Text:
        judged = self._judged.get(item.key)
        if judged is None:
            return Text("…", "dim")
        if judged.conformity is None:
            word = judged.execution.value
            return Text(f"{word.replace('_', ' ')}: {judged.reason}", _COLOUR.get(word, "dim"))
        word = judged.conformity.verdict.value
        text = Text(word.replace("_", " "), _COLOUR[word])
        if judged.conformity.reason:
            text.append(f"\n{judged.conformity.reason}", "dim")
        return text


def plan_table(plan: Plan) -> Table:
    """The plan, explained: what runs, what does not, and why."""
    title = f"{plan.scheme}, governed by {plan.governing_date} ({plan.governing_basis}), rule {plan.rule}"
    table = Table("row", "clause", "limit", "what happens", "why", title=title, title_justify="left")
    for item in plan.items:
        what = (
            f"{item.procedure} ({item.intrusiveness})" if item.applicability == "run" else item.applicability
        )
        table.add_row(
            item.key, item.clause.id, limit_text(item.clause), what.replace("_", " "), escape(item.reason)
        )
    return table


def found_table(found: Sequence[Found]) -> Table:
    """Cameras that answered a probe."""
    table = Table("address", "name", "hardware", "endpoint")
    for camera in found:
        table.add_row(camera.url, camera.name, camera.hardware, camera.endpoint)
    return table


def conclusion(plan: Plan, results: Results) -> str:
    """The conclusion in words: items tested only, and the mandatory clauses that could not be judged."""
    mandatory = {
        "conforms": "[green]conforms[/]",
        "does_not_conform": "[bold red]does not conform[/]",
        "inconclusive": "[yellow]inconclusive[/]",
    }[results.overall]
    recommended = results.recommended.replace("_", " ")
    agreed = "" if results.contract == "none" else f" · contract: {results.contract.replace('_', ' ')}"
    lines = [f"mandatory clauses tested: {mandatory}{agreed} · recommended clauses: {recommended}"]
    binding = {item.key: item for item in plan.items if item.clause.bindingness.binding}
    for item in results.items:
        if item.row in binding and item.conformity in (None, Verdict.UNDECIDED):
            scope = "in scope" if item.in_scope else "outside the scheme's scope"
            lines.append(f"  not judged: {item.row} {item.clause} ({scope}): {escape(item.reason)}")
    return "\n".join(lines)


def printer() -> Console:
    """Where answers are printed: standard output, wide enough for a table where it is no terminal."""
    console = Console()
    return console if console.is_terminal else Console(width=150)


def terminal() -> Console:
    """Where a run is watched: standard error, wide enough for the table where it is no terminal."""
    console = Console(stderr=True)
    return console if console.is_terminal else Console(stderr=True, width=130)
