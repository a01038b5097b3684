"""pytest hooks, thin: one item a clause, in the plan's order, measured once, judged by the session.

Inert without --camera. ``bench run`` uses the same hooks with its own ini file.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from datetime import date
from pathlib import Path

import pytest

from bench.captures import LIVE
from bench.documents import Documents
from bench.live import Live
from bench.observer import Observer
from bench.procedures import procedure_of
from bench.request import RunRequest
from bench.session import Judge, Session
from bench.site_view import SiteView
from bench.stage import Stage
from reports.record import Intrusiveness, JudgedEvent, Plan, PlanItem
from standards import catalogue
from standards.decision import Execution, Verdict
from standards.errors import CamcertError
from standards.overlay import laid_over

__all__: list[str] = []

_RUN = pytest.StashKey["Run"]()
_ITEM = pytest.StashKey[PlanItem]()
PREPARED = pytest.StashKey["Run"]()


class Run:
    """The plan of this pytest session, and its Session once tests begin to run."""

    def __init__(self, request: RunRequest, observer: Observer | None) -> None:
        self.request = request
        self.observer = observer
        self.plan: Plan = request.plan()
        self.session: Session | None = None
        self.error: CamcertError | None = None

    def trouble(self, code: int) -> int:
        """What kept pytest from finishing, as an exit code: 0 if it ran to the end, else raises or 3."""
        if self.error is not None:
            raise self.error
        if code == pytest.ExitCode.INTERRUPTED:
            raise KeyboardInterrupt
        return 0 if self.session is not None and self.session.complete else 3

    def open(self) -> Session:
        """The session, opened at the first call."""
        if self.session is None:
            self.session = self.request.session(self.plan, self.observer).__enter__()
        return self.session


def pytest_addoption(parser: pytest.Parser) -> None:
    """The options of ``bench run``, for plain pytest."""
    group = parser.getgroup("camcert", "camcert: certify a camera")
    group.addoption("--camera", metavar="URL", help="onvif://[user@]host[:port][/PROFILE] or rtsp://…")
    group.addoption("--scheme", default="acceptance", help="acceptance, certification, vendor_ci or a file")
    group.addoption("--station", type=Path, help="station.toml: the instruments")
    group.addoption("--declaration", type=Path, help="declaration.toml: what the camera is declared to be")
    group.addoption(
        "--overlay", type=Path, action="append", default=[], help="limits and clauses of your own"
    )
    group.addoption("--record", type=Path, metavar="DIR", help="where the record goes (bench run --out)")
    group.addoption("--allow", action="append", choices=["intrusive", "disruptive"], default=[])
    group.addoption("--resume", action="store_true", help="go on with the record in --record")
    group.addoption("--governing-date", type=date.fromisoformat, metavar="YYYY-MM-DD")


def request_from(config: pytest.Config) -> RunRequest:
    """The run that the command line asks for."""
    return RunRequest(
        camera=config.getoption("--camera"),
        scheme=config.getoption("--scheme"),
        station=config.getoption("--station"),
        declaration=config.getoption("--declaration"),
        overlay=tuple(config.getoption("--overlay")),
        out=config.getoption("--record"),
        allow=tuple(Intrusiveness(name) for name in config.getoption("--allow")),
        resume=config.getoption("--resume"),
        on=config.getoption("--governing-date"),
    )


def pytest_configure(config: pytest.Config) -> None:
    """Make the plan before anything is collected; a mistake of the user's ends pytest with its text."""
    if not config.getoption("--camera"):
        return
    if PREPARED in config.stash:
        config.stash[_RUN] = config.stash[PREPARED]
        return
    try:
        config.stash[_RUN] = Run(request_from(config), None)
    except CamcertError as error:
        raise pytest.UsageError(str(error)) from None


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """One pytest item a clause."""
    run = metafunc.config.stash.get(_RUN, None)
    procedure = procedure_of(metafunc.function)
    if run is None or (procedure is None and metafunc.function.__name__ != "test_not_run"):
        if "plan_item" in metafunc.fixturenames or procedure is not None:
            metafunc.parametrize("plan_item", [], ids=[])
        return
    name = procedure.name if procedure is not None else ""
    items = [item for item in run.plan.items if item.procedure == name]
    if "plan_item" not in metafunc.fixturenames:
        metafunc.fixturenames.append("plan_item")
    metafunc.parametrize("plan_item", items, ids=[item.key for item in items])


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Put the conformance items into the plan's order, after any other plugin has had its say."""
    run = config.stash.get(_RUN, None)
    if run is None:
        return
    place = {item.key: index for index, item in enumerate(run.plan.items)}
    for item in items:
        callspec = getattr(item, "callspec", None)
        planned = callspec.params.get("plan_item") if callspec is not None else None
        if isinstance(planned, PlanItem):
            item.stash[_ITEM] = planned
    items.sort(key=lambda i: place[i.stash[_ITEM].key] if _ITEM in i.stash else len(place))


@pytest.fixture
def plan_item(request: pytest.FixtureRequest) -> PlanItem:
    """The clause this item is about."""
    found: PlanItem = request.node.stash[_ITEM]
    return found


@pytest.fixture
def live(request: pytest.FixtureRequest) -> Live:
    """The live capture of the run, taken when first looked into."""
    return request.config.stash[_RUN].open().live


@pytest.fixture
def stage(request: pytest.FixtureRequest) -> Stage:
    """Light box, lux meter and camera, for procedures that change the light."""
    return request.config.stash[_RUN].open().stage


@pytest.fixture
def features(request: pytest.FixtureRequest) -> Callable[[], dict[str, bool]]:
    """Asks the camera what it offers."""
    return request.config.stash[_RUN].open().features


@pytest.fixture
def documents(request: pytest.FixtureRequest) -> Documents:
    """The documents of the plan."""
    run = request.config.stash[_RUN]
    known = laid_over(catalogue.load(), run.request.overlay).catalogue
    return Documents(run.plan.documents, run.request.declaration, known.quantity, run.open().evidence.put)


@pytest.fixture(scope="session")
def site_view(request: pytest.FixtureRequest) -> SiteView:
    """The declared reference picture."""
    run = request.config.stash[_RUN]
    session = run.open()
    declared, file = run.plan.declaration, run.request.declaration
    return SiteView(declared, file, session.evidence.put, lambda: session.captures.digests(LIVE))


@pytest.fixture
def judge(request: pytest.FixtureRequest) -> Judge:
    """Hands estimates to the run."""
    return request.config.stash[_RUN].open().judge


@pytest.hookimpl(wrapper=True)
def pytest_runtestloop(session: pytest.Session) -> Generator[None, object, object]:
    """Preflight before the first item; restore and seal after the last, however the loop ends."""
    run = session.config.stash.get(_RUN, None)
    if run is None or session.config.option.collectonly:
        return (yield)
    try:
        opened = run.open()
        try:
            opened.preflight()
            return (yield)
        finally:
            opened.close()
    except CamcertError as error:
        run.error = error
        pytest.exit(str(error), returncode=error.exit_code)


@pytest.hookimpl(tryfirst=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> bool | None:
    """Run a conformance item through the session: measured once a run, resumed, judged."""
    item = pyfuncitem.stash.get(_ITEM, None)
    if item is None:
        return None
    run = pyfuncitem.config.stash[_RUN]
    session = run.open()
    arguments = {name: pyfuncitem.funcargs[name] for name in pyfuncitem._fixtureinfo.argnames}
    try:
        judged = session.run_item(item, lambda: pyfuncitem.obj(**arguments))
    except CamcertError as error:
        run.error = error
        pytest.exit(str(error), returncode=error.exit_code)
    except Exception as error:  # the one boundary: a procedure that breaks down is the bench's fault
        session.fault(item, error)
        raise
    _outcome(item, judged)
    return True


def _outcome(item: PlanItem, judged: JudgedEvent) -> None:
    """The verdict as pytest says it."""
    what = f"{item.clause.row} {item.clause.id}"
    if judged.execution is Execution.BENCH_FAULT:
        raise RuntimeError(f"{what}: bench fault: {judged.reason}")
    verdict = judged.conformity.verdict if judged.conformity is not None else None
    if verdict in (Verdict.FAIL, Verdict.CONDITIONAL_FAIL):
        pytest.fail(f"{what}: {verdict}", pytrace=False)
    if verdict not in (Verdict.PASS, Verdict.CONDITIONAL_PASS):
        reason = judged.conformity.reason if judged.conformity is not None else judged.reason
        pytest.skip(f"{what}: {judged.execution if verdict is None else verdict}: {reason}")
