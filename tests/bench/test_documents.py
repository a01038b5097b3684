"""Documents of a run: found and hashed for the plan, put into evidence when it runs, refused when changed."""

from __future__ import annotations

import hashlib
from datetime import date
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bench import documents
from bench.documents import Documents, frozen
from standards.catalogue import load
from standards.declaration import load_declaration
from standards.documents import DocumentEntry
from standards.errors import BadFile, CaptureFault, UsageError
from standards.quantity import Bound

PAPER = b"%PDF-1.7 trial log"
#: Five lines: quantity stands on 2, file on 3, value on 4.
TRIAL = """[[document]]
quantity = "works.trial_run"
file = "trial.pdf"
value = 31
by = "Li Ming"
on = 2026-06-01
"""
SIGN = TRIAL.replace("works.trial_run", "sign.visible").replace("31", "true")
DATED = "oldest = 2026-05-01\nstarted = 2026-04-01"


def declared(folder: Path, text: str) -> tuple[DocumentEntry, ...]:
    path = folder / "declaration.toml"
    path.write_text(text, encoding="utf-8")
    if not (folder / "trial.pdf").exists():
        (folder / "trial.pdf").write_bytes(PAPER)
    return frozen(load_declaration(path).document, path, load())


def digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def opened(folder: Path, text: str, store: list[bytes], *, beside: bool = True) -> Documents:
    """The documents of a declaration; what goes into evidence is appended to store."""

    def put(content: bytes) -> str:
        store.append(content)
        return f"sha256:{digest(content)}"

    entries = declared(folder, text)
    return Documents(entries, folder / "declaration.toml" if beside else None, load().quantity, put)


def test_the_plan_freezes_what_was_handed_in(tmp_path: Path) -> None:
    trial, sign = declared(tmp_path, TRIAL + SIGN)
    assert trial == DocumentEntry(
        quantity="works.trial_run",
        file="trial.pdf",
        value=31.0,
        by="Li Ming",
        on=date(2026, 6, 1),
        sha256=digest(PAPER),
    )
    assert (sign.quantity, sign.value, sign.sha256) == ("sign.visible", True, digest(PAPER))
    assert declared(tmp_path, "[camera]\n") == ()


@pytest.mark.parametrize(
    ("written", "value"), [("31", 31.0), ("30.5", 30.5), ("1", 1.0), ("1.0", 1.0), ("0.0", 0.0)]
)
def test_a_number_of_a_file_is_a_number(tmp_path: Path, written: str, value: float) -> None:
    (entry,) = declared(tmp_path, TRIAL.replace("31", written))
    assert type(entry.value) is float and entry.value == value


def test_a_file_that_is_not_there_is_frozen_as_absent(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    for name in ("gone.pdf", "none/gone.pdf", "folder"):
        (entry,) = declared(tmp_path, TRIAL.replace("trial.pdf", name))
        assert entry.sha256 == ""


def test_a_file_below_the_folder_is_found(tmp_path: Path) -> None:
    (tmp_path / "papers").mkdir()
    (tmp_path / "papers" / "日志.pdf").write_bytes(b"")
    (entry,) = declared(tmp_path, TRIAL.replace("trial.pdf", "papers/../papers/日志.pdf"))
    assert entry.sha256 == digest(b""), "an empty file is there all the same"


def test_a_measured_retention_may_be_given_by_two_dates(tmp_path: Path) -> None:
    text = TRIAL.replace("works.trial_run", "recording.retention").replace("value = 31", DATED)
    (entry,) = declared(tmp_path, text)
    assert (entry.value, entry.oldest, entry.started) == (None, date(2026, 5, 1), date(2026, 4, 1))


@pytest.mark.parametrize(
    ("old", "new", "place", "words"),
    [
        ("works.trial_run", "works.trial_rum", ":2: document[1].quantity: ", "there is works.trial_run"),
        ("works.trial_run", "picture.width", ":2: document[1].quantity: ", "picture.width is measured. Mend: no paper"),
        ("works.trial_run", "recording.retention", ":2: document[1].quantity: ", "is measured"),
        ("works.trial_run", "reference.retention", ":2: document[1].quantity: ", "is reference"),
        ("trial.pdf", "../trial.pdf", ":3: document[1].file: ", "../trial.pdf lies outside"),
        ("trial.pdf", "/etc/hostname", ":3: document[1].file: ", "Mend: put it beside the declaration"),
        ("trial.pdf", "link.pdf", ":3: document[1].file: ", "link.pdf lies outside"),
        ("31", "true", ":4: document[1].value: ", "Mend: write it in d"),
        ("31", '"a month"', ":4: document[1].value: ", "Mend: write it in d"),
        (
            "value = 31",
            DATED.replace("05-01", "03-01"),
            "document[1].oldest: ",
            "the oldest recording is of 2026-03-01, before recording began on 2026-04-01",
        ),
        ("value = 31", DATED.replace("05-01", "07-01"), "document[1].oldest: ", "2026-06-01 comes before 2026-07-01"),
        ("value = 31", DATED + "\nvalue = 31", ":1: document[1]: ", "give either value, or oldest and started"),
        ("value = 31", "oldest = 2026-05-01", ":1: document[1]: ", "oldest and started belong together"),
        ("value = 31", "", ":1: document[1]: ", "give value, or oldest and started"),
        ("value = 31", "valu = 31", ":4: document[1].valu: ", "did you mean 'value'?"),
    ],
)  # fmt: skip
def test_a_claim_that_is_refused_names_place_and_mend(
    tmp_path: Path, old: str, new: str, place: str, words: str
) -> None:
    inner = tmp_path / "site"
    inner.mkdir()
    (tmp_path / "trial.pdf").write_bytes(PAPER)
    (inner / "link.pdf").symlink_to(tmp_path / "trial.pdf")
    with pytest.raises(BadFile) as caught:
        declared(inner, TRIAL.replace(old, new))
    text = str(caught.value)
    assert text.startswith(str(inner / "declaration.toml")) and place in text and words in text


def test_dates_where_the_unit_is_no_duration(tmp_path: Path) -> None:
    text = TRIAL.replace("works.trial_run", "acceptance.experts_share").replace("value = 31", DATED)
    with pytest.raises(
        BadFile, match=r"acceptance\.experts_share is in %: give value, not oldest and started"
    ):
        declared(tmp_path, text)


def test_one_quantity_declared_twice(tmp_path: Path) -> None:
    with pytest.raises(
        BadFile, match=r":8: document\[2\]\.quantity: works\.trial_run stands twice. Mend: keep one"
    ):
        declared(tmp_path, TRIAL + TRIAL.replace("trial.pdf", "gone.pdf"))


def test_a_file_that_is_too_large(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "trial.pdf").write_bytes(b"x" * (2 << 20))
    monkeypatch.setattr(documents, "_LARGEST", 2 << 20)
    assert declared(tmp_path, TRIAL)[0].sha256 == digest(b"x" * (2 << 20))
    (tmp_path / "trial.pdf").write_bytes(b"x" * ((2 << 20) + 1))
    with pytest.raises(
        BadFile, match=r":3: document\[1\]\.file: trial.pdf is larger than 2 MiB. Mend: split it"
    ):
        declared(tmp_path, TRIAL)


def test_looking_puts_the_paper_into_evidence(tmp_path: Path) -> None:
    store: list[bytes] = []
    papers = opened(tmp_path, TRIAL + SIGN, store)
    estimate, evidence = papers.look("works.trial_run")
    assert (estimate.value, estimate.unit, estimate.notes) == (31.0, "d", ("read by Li Ming on 2026-06-01",))
    assert evidence == (f"sha256:{digest(PAPER)}",)
    assert store == [PAPER], "the other paper is put when it is looked at"
    assert papers.look("sign.visible")[0].value is True
    assert store == [PAPER, PAPER]


def test_looking_at_two_dates(tmp_path: Path) -> None:
    papers = opened(tmp_path, TRIAL.replace("value = 31", DATED.replace("05-01", "04-01")), [])
    estimate, evidence = papers.look("works.trial_run")
    assert (estimate.value, estimate.bound) == (61.0, Bound.LOWER) and len(evidence) == 1


def test_what_was_absent_stays_absent_and_puts_nothing(tmp_path: Path) -> None:
    store: list[bytes] = []
    papers = opened(tmp_path, TRIAL.replace("trial.pdf", "gone.pdf"), store, beside=False)
    (tmp_path / "gone.pdf").write_bytes(b"handed in late")
    estimate, evidence = papers.look("works.trial_run")
    assert (estimate.absent, estimate.value, evidence, store) == (True, False, (), [])


def test_a_paper_without_its_declaration(tmp_path: Path) -> None:
    store: list[bytes] = []
    papers = opened(tmp_path, TRIAL, store, beside=False)
    with pytest.raises(UsageError, match="give the --declaration that they lie beside"):
        papers.look("works.trial_run")
    assert store == []


def test_a_paper_taken_away(tmp_path: Path) -> None:
    store: list[bytes] = []
    papers = opened(tmp_path, TRIAL, store)
    (tmp_path / "trial.pdf").unlink()
    with pytest.raises(CaptureFault, match=r"trial\.pdf is not the file that the plan was made with"):
        papers.look("works.trial_run")
    assert store == []


@given(st.binary(max_size=200), st.binary(max_size=200))
@settings(deadline=None, max_examples=50, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_only_the_very_bytes_of_the_plan_are_evidence(tmp_path: Path, planned: bytes, found: bytes) -> None:
    (tmp_path / "trial.pdf").write_bytes(planned)
    store: list[bytes] = []
    papers = opened(tmp_path, TRIAL, store)
    (tmp_path / "trial.pdf").write_bytes(found)
    if planned == found:
        assert papers.look("works.trial_run")[1] == (f"sha256:{digest(found)}",)
        assert store == [found]
    else:
        with pytest.raises(CaptureFault):
            papers.look("works.trial_run")
        assert store == []


def test_the_same_bytes_written_anew_are_the_same_paper(tmp_path: Path) -> None:
    store: list[bytes] = []
    papers = opened(tmp_path, TRIAL, store)
    (tmp_path / "trial.pdf").unlink()
    (tmp_path / "trial.pdf").write_bytes(PAPER)
    papers.look("works.trial_run")
    assert store == [PAPER]
