"""`logitpack matrix`: what is made of reports, what it prints and writes, and how it ends."""

from __future__ import annotations

import importlib.metadata
import io
import json
import shutil
import sys
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

import runs
from commandline import ROOT, logitpack
from logitpack.cli import plugins
from logitpack_conformance.keeping import ReportFault, place
from logitpack_conformance.manifest import digest_of
from logitpack_conformance.matrix import show
from logitpack_conformance.matrix.collect import collect
from logitpack_conformance.matrix.files import FORMS, write_all
from logitpack_conformance.model import Case, Container, Exchanged, Implementation, Result, Role, Written
from logitpack_conformance.oracle.schema import load
from logitpack_conformance.reports import write_all as write_report
from logitpack_conformance.reports.cells import cell
from logitpack_conformance.score import score

PARQUET, JSON = Container.PARQUET, Container.JSON
ROWS, MORE = (runs.case(f"write/{name}", "write", "IDX-2") for name in ("rows", "more"))
READ = runs.case("write/rows", "accept")
HOSTILE = "</td><script>alert(1)</script> `|@x \x1b[2J {{ 7 * 7 }} [red]"


def wrote(case: Case, text: bytes = b"PAR1", status: str = "passed", **members: Any) -> tuple[Result, bytes]:
    """Give what became of a write, and the file."""
    written = Written(digest_of(text), len(text))
    return runs.result(case, Role.WRITER, status, written=written, **members), text


def writer(folder: Path, *files: tuple[Result, bytes], name: str = "pen", **members: Any) -> Path:
    """Write the report of a writer with its files, and return the folder."""
    about = runs.implementation(roles=(Role.WRITER,), **members)
    run = runs.run(*(result for result, _ in files), implementation=named(about, name))
    write_report(folder, run, score(run))
    for result, text in files:
        if result.written is not None and result.container is not None:
            path = folder / place(result.case.id, result.container)
            path.parent.mkdir(parents=True)
            path.write_bytes(text)
    return folder


def named(about: Implementation, name: str) -> Implementation:
    """Give an implementation another name."""
    return Implementation(**{**vars(about), "name": name})


def took(
    case: Case, text: bytes = b"PAR1", status: str = "passed", role: Role = Role.READER, **members: Any
) -> Exchanged:
    """Give what became of a file of "pen 0.1.0"."""
    of = runs.case(case.id, "accept")
    found = {"name": members.pop("writer", "pen"), "version": "0.1.0"}
    result = runs.result(of, role, status, **{"broken": ("IDX-2",) if status == "failed" else (), **members})
    return Exchanged(found["name"], found["version"], digest_of(text), result)


def reader(folder: Path, *files: Exchanged, name: str = "eye", **members: Any) -> Path:
    """Write the report of a reader of files of others, and return the folder."""
    about = named(runs.implementation(**{"roles": (Role.READER,), **members}), name)
    run = runs.run(runs.result(READ, Role.READER), implementation=about, exchanged=files)
    write_report(folder, run, score(run))
    return folder


def matrix(*reports: Path) -> dict[str, Any]:
    """Make the matrix of reports, and return matrix.json, which is valid against its schema."""
    write_all(reports[0] / "out", collect(reports))
    found: dict[str, Any] = json.loads((reports[0] / "out" / "matrix.json").read_bytes())
    assert [] == [error.message for error in Draft202012Validator(load("matrix.schema.json")).iter_errors(found)]
    return found


def counts(found: dict[str, Any]) -> dict[str, int]:
    """Return what the only cell of a matrix counts."""
    (one,) = found["cells"]
    return {name: number for name, number in one.items() if isinstance(number, int) and number}


# What is made of reports ------------------------------------------------------------------------------------


def test_what_was_written_and_read(tmp_path: Path) -> None:
    """Both did their part: the pair passes."""
    found = matrix(writer(tmp_path / "w", wrote(ROWS)), reader(tmp_path / "r", took(ROWS)))
    assert ({"passed": 1}, "passed", []) == (counts(found), found["footer"]["verdict"], found["pairs"])


def test_reader_that_fails(tmp_path: Path) -> None:
    """A pair fails by the reader, with its requirement, case and container."""
    reports = (
        writer(tmp_path / "w", wrote(ROWS), wrote(MORE)),
        reader(tmp_path / "r", took(ROWS), took(MORE, status="failed")),
    )
    found = matrix(*reports)
    assert ({"passed": 1, "failed": 1}, "failed") == (counts(found), found["footer"]["verdict"])
    (pair,) = found["pairs"]
    assert ("eye", "write/more", "parquet", ["IDX-2"]) == (
        pair["other"]["name"],
        pair["case"],
        pair["container"],
        pair["requirements"],
    )


def test_writer_that_fails(tmp_path: Path) -> None:
    """A file that was written wrongly fails by its writer, whatever a reader makes of it."""
    reports = writer(tmp_path / "w", wrote(ROWS, status="failed")), reader(tmp_path / "r", took(ROWS))
    found = matrix(*reports)
    assert ({"written_wrongly": 1}, ["IDX-2"]) == (counts(found), found["cells"][0]["requirements"])
    assert ("failed", [], 1) == (found["footer"]["verdict"], found["pairs"], len(found["written_wrongly"]))


def test_another_file(tmp_path: Path) -> None:
    """A result on other bytes than the writer's report has is stale, whatever it was."""
    found = matrix(writer(tmp_path / "w", wrote(ROWS)), reader(tmp_path / "r", took(ROWS, b"PAR1 before")))
    assert ({"stale": 1}, "incomplete") == (counts(found), found["footer"]["verdict"])


def test_file_that_was_not_sent(tmp_path: Path) -> None:
    """A file that no report of the reader mentions was not run."""
    found = matrix(writer(tmp_path / "w", wrote(ROWS), wrote(MORE)), reader(tmp_path / "r", took(ROWS)))
    assert ({"passed": 1, "not_run": 1}, "incomplete") == (counts(found), found["footer"]["verdict"])


def test_file_that_was_not_kept(tmp_path: Path) -> None:
    """What was written and not kept cannot be told from another file."""
    loose = (runs.result(MORE, Role.WRITER), b"")
    found = matrix(writer(tmp_path / "w", wrote(ROWS), loose), reader(tmp_path / "r", took(ROWS)))
    assert ["what was written was not kept"] == [pair["message"] for pair in found["pairs"]]


def test_unsupported(tmp_path: Path) -> None:
    """What a reader lacks and did not declare is no failure."""
    found = matrix(
        writer(tmp_path / "w", wrote(ROWS), wrote(MORE)),
        reader(tmp_path / "r", took(ROWS), took(MORE, status="unsupported")),
    )
    assert ({"passed": 1, "unsupported": 1}, "passed") == (counts(found), found["footer"]["verdict"])


def test_container_that_a_reader_does_not_declare(tmp_path: Path) -> None:
    """Files in other containers than the reader's make no pair."""
    other = wrote(ROWS, b"{}", container=JSON)
    reports = writer(tmp_path / "w", wrote(ROWS), other, containers=(PARQUET, JSON)), reader(tmp_path / "r", took(ROWS))
    assert {"passed": 1} == counts(matrix(*reports))
    alone = reader(tmp_path / "s", containers=(Container.ARROW_FILE,), name="arrow")
    file = io.StringIO()
    show.show(collect([*reports, alone]), file)
    assert ["pen 0.1.0", "2/2", "1/1", "-"] == file.getvalue().splitlines()[1].rsplit(maxsplit=3)


def test_one_implementation_in_two_reports(tmp_path: Path) -> None:
    """Writer and reader may have been run apart; the row and the column are of one implementation."""
    about = named(runs.implementation(roles=(Role.WRITER, Role.READER)), "both")
    result, text = wrote(ROWS)
    first = writer(tmp_path / "w", (result, text), name="both")
    run = runs.run(implementation=about, exchanged=(took(ROWS, writer="both"),))
    write_report(tmp_path / "r", run, score(run))
    found = matrix(first, tmp_path / "r")
    assert ({"passed": 1}, 1) == (counts(found), len(found["implementations"]))


def test_checkers_have_a_table_of_their_own(tmp_path: Path) -> None:
    """Where files were sent to checkers, these have a table."""
    both = (Role.READER, Role.CHECKER)
    reports = (
        writer(tmp_path / "w", wrote(ROWS)),
        reader(tmp_path / "r", took(ROWS), took(ROWS, role=Role.CHECKER), roles=both),
    )
    assert ["reader", "checker"] == [one["role"] for one in matrix(*reports)["cells"]]


def test_files_of_somebody_else(tmp_path: Path) -> None:
    """That a reader was sent files of a writer without a report is said."""
    found = matrix(writer(tmp_path / "w", wrote(ROWS)), reader(tmp_path / "r", took(ROWS), took(ROWS, writer="ink")))
    assert ["eye 0.1.0 was sent files of ink 0.1.0, whose report as a writer is not among these"] == found["notes"]


def test_two_reports_that_contradict_each_other(tmp_path: Path) -> None:
    """Two reports of one writer with other files, or of one reader with other results, are an error."""
    first, other = writer(tmp_path / "w", wrote(ROWS)), writer(tmp_path / "v", wrote(ROWS, b"PAR1 other"))
    good, bad = reader(tmp_path / "r", took(ROWS)), reader(tmp_path / "s", took(ROWS, status="failed"))
    with pytest.raises(ReportFault, match=r"two reports of the writer pen 0\.1\.0, and their files differ"):
        collect([first, other, good])
    with pytest.raises(ReportFault, match="say different things of reader:write/rows@parquet"):
        collect([first, good, bad])


# The command ------------------------------------------------------------------------------------------------


def test_statuses(tmp_path: Path) -> None:
    """0, 1 and 6: all passed, something failed, something was not run."""
    report = writer(tmp_path / "w", wrote(ROWS))
    for name, status, files in (
        ("good", 0, [took(ROWS)]),
        ("bad", 1, [took(ROWS, status="failed")]),
        ("idle", 6, []),
    ):
        done = logitpack("matrix", report, reader(tmp_path / name, *files, name=name))
        assert (status, "") == (done.status, done.err)


def test_what_is_printed(tmp_path: Path) -> None:
    """A row for the writer, a column for each reader, the failures below, and the verdict in the last line."""
    reports = [writer(tmp_path / "w", wrote(ROWS), wrote(MORE))]
    reports.append(reader(tmp_path / "r", took(ROWS), took(MORE, status="failed", message="expected 1, got 2")))
    reports.append(reader(tmp_path / "s", name="idle"))
    lines = logitpack("matrix", *reports).out.splitlines()
    assert lines[0].split("  ")[0] == "writer \\ reader"
    assert all(words in lines[1] for words in ("pen 0.1.0", "2/2", "1/2, 1 failed: IDX-2", "not run"))
    assert "  IDX-2: pen 0.1.0 -> eye 0.1.0, reader: 1 file" in lines
    assert "    write/more (parquet): expected 1, got 2" in lines
    assert lines[-1].startswith("failed: 3 implementations, 4 pairs")


def _lost(folder: Path) -> None:
    (folder / "w" / place("write/rows", PARQUET)).unlink()


def _cut(folder: Path) -> None:
    path = folder / "r" / "results.json"
    path.write_bytes(path.read_bytes()[:-20])


def _gone(folder: Path) -> None:
    shutil.rmtree(folder / "r")


def _unkept(folder: Path) -> None:
    shutil.rmtree(folder / "w")
    writer(folder / "w", (runs.result(ROWS, Role.WRITER), b""))


def _no_reader(folder: Path) -> None:
    shutil.rmtree(folder / "r")
    writer(folder / "r", wrote(ROWS), name="ink")


UNUSABLE = {
    "lost": (_lost, "w: written/parquet/write/rows/out.parquet cannot be read: No such file"),
    "cut": (_cut, "r: results.json is not whole"),
    "gone": (_gone, "r: no report: results.json: No such file or directory"),
    "unkept": (_unkept, "none of these reports holds anything written"),
    "no-reader": (_no_reader, "none of these reports is of a reader"),
}


@pytest.mark.parametrize(("damage", "words"), UNUSABLE.values(), ids=UNUSABLE)
def test_unusable_reports(damage: Any, words: str, tmp_path: Path) -> None:
    """2: a report that cannot be used is one line, and nothing is written."""
    reports = writer(tmp_path / "w", wrote(ROWS)), reader(tmp_path / "r", took(ROWS))
    damage(tmp_path)
    done = logitpack("matrix", *reports, "--output", tmp_path / "out")
    assert (2, "", 1, False) == (done.status, done.out, done.err.count("\n"), (tmp_path / "out").exists())
    assert words in done.err


def test_wrong_usage(tmp_path: Path) -> None:
    """2: no report, a report twice, a folder that cannot be written."""
    report, other = writer(tmp_path / "w", wrote(ROWS)), reader(tmp_path / "r", took(ROWS))
    assert "Missing argument 'REPORT_DIR...'" in logitpack("matrix").err
    assert "this report is given twice" in logitpack("matrix", report, other, tmp_path / "r" / ".").err
    done = logitpack("matrix", report, other, "--output", "/dev/null/out")
    assert (2, "error: /dev/null/out: Not a directory\n") == (done.status, done.err)


def test_command_is_installed() -> None:
    """The command line finds it by its entry point."""
    assert "matrix" in [entry.name for entry in importlib.metadata.entry_points(group=plugins.GROUP)]


# What is written --------------------------------------------------------------------------------------------


class Elements(HTMLParser):
    """Collects the names of elements and what attributes refer to."""

    def __init__(self) -> None:
        super().__init__()
        self.names: set[str] = set()
        self.references: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note an element."""
        self.names.add(tag)
        self.references += [value or "" for name, value in attrs if name in {"src", "href"} or name.startswith("on")]


def test_hostile_names(tmp_path: Path) -> None:
    """What implementations call themselves and say is inert in every form, and on the terminal."""
    report = writer(tmp_path / "w", wrote(ROWS), wrote(MORE, status="failed", message=HOSTILE), name=HOSTILE)
    files = took(ROWS, status="failed", message=HOSTILE, writer="pen"), took(ROWS, status="failed", writer=HOSTILE)
    reports = [report, reader(tmp_path / "r", *files, name=HOSTILE + "2", language=HOSTILE)]
    matrix(*reports)
    texts = {name: (report / "out" / name).read_text("utf-8") for name in FORMS}
    file = io.StringIO()
    show.show(collect(reports), file)
    for text in (*texts.values(), file.getvalue()):
        assert [] == [c for c in text if not c.isprintable() and c != "\n"]
    page = Elements()
    page.feed(texts["matrix.html"])
    assert ([], False) == (page.references, "script" in page.names)
    assert "49" not in texts["matrix.html"].split("</style>")[1].replace("0.1.0", "")
    assert "<script" not in texts["matrix.md"]
    assert "| @" not in texts["matrix.md"].replace("\\|", "")


def test_cells() -> None:
    """A cell tells failures with their requirements, and what has no verdict."""
    found = [("passed", ""), ("failed", "IDX-2"), ("failed", "QNT-2"), ("not-run", ""), ("unsupported", "")]
    assert "1/5, 1 unsupported, 1 not run, 2 failed: IDX-2, QNT-2" == str(cell(found))
    assert ["-", "not run"] == [str(cell([])), str(cell([("not-run", "")] * 3))]


# Implementations ----------------------------------------------------------------------------------------------


def test_implementations(tmp_path: Path) -> None:
    """The reference writes for the example and for a broken reader; a broken writer is told apart from both."""
    base = (sys.executable, "-m", "logitpack_conformance.adapters")
    reference, mutant = f"{base[2]}.reference", f"{base[2]}.mutants"
    chosen = ("--jobs", 1, "--case", "write/indices/boundaries-from-0", "--containers", "json")
    writers = {"good": (*base[:2], reference), "bad": (*base[:2], mutant, "writer-msb-first")}
    readers = {
        "reference": (*base[:2], reference),
        "minimal": (sys.executable, str(ROOT / "examples" / "adapter_minimal.py")),
        "broken": (*base[:2], mutant, "reader-msb-first"),
    }
    for name, command in writers.items():
        logitpack(
            "conform", *chosen, "--roles", "writer", "--report", tmp_path / name, "--keep-written", "--", *command
        )
    sent = [word for name in writers for word in ("--exchange", tmp_path / name)]
    for name, command in readers.items():
        logitpack("conform", *chosen, "--roles", "reader", "--report", tmp_path / name, *sent, "--", *command)
    found = collect([tmp_path / name for name in (*writers, *readers)])
    cells = {(one.writer.label.split()[0], one.other.label.split()[0]): str(one.cell(JSON)) for one in found.meetings}
    assert {
        ("logitpack", "logitpack"): "1/1",
        ("logitpack", "minimal"): "1/1",
        ("logitpack", "reader-msb-first"): "0/1, 1 failed: IDX-2",
        ("writer-msb-first", "logitpack"): "0/1, 1 written wrongly: IDX-2",
        ("writer-msb-first", "minimal"): "0/1, 1 written wrongly: IDX-2",
        ("writer-msb-first", "reader-msb-first"): "0/1, 1 written wrongly: IDX-2",
    } == cells
