"""What people lose when these fail: a command that answers, in one sentence where it cannot."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

import autograder.cli
from autograder.cli import main
from autograder.cli.options import UsageError, size
from autograder.course.curriculum import PLAN
from autograder.records.store import Entry, Store
from tests.autograder.records.sample import ATTACKS, a_class, exercise, line


@pytest.fixture
def csnn(monkeypatch, capsys, tmp_path):
    """Run a command as the shell would; gives (exit code, standard output, standard error)."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "140")
    monkeypatch.setenv("NO_COLOR", "1")

    def run(*args: object) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["csnn", *map(str, args)])
        code = 0
        try:
            main()
        except SystemExit as stop:
            code = stop.code if isinstance(stop.code, int) else int(bool(stop.code))
        output = capsys.readouterr()
        return code, output.out, output.err

    return run


def results(folder: Path, lines: list[dict]) -> Path:
    """A folder as ``csnn grade --out`` leaves it."""
    with Store(folder, "a2_backprop") as store:
        for row in lines:
            store.add(Entry(row["student"], row, {"seconds": 1.0}))
        store.finish(row["student"] for row in lines)
    return folder


def test_every_command_of_the_design_is_there_with_help(csnn) -> None:
    _, listing, _ = csnn("--help")
    for command in (
        *("demo", "release", "grade", "explain", "check", "validate", "exercises", "report"),
        *("export", "doctor"),
    ):
        assert command in listing
        code, text, _ = csnn(command, "--help")
        assert code == 0
        assert f"csnn {command}" in text, "help shows an example"
    assert csnn("course", "init", "--help")[0] == 0


def test_exercises_lists_the_whole_curriculum_for_programs(csnn) -> None:
    code, text, _ = csnn("exercises", "--json")
    rows = json.loads(text)
    assert code == 0
    assert [row["name"] for row in rows] == [planned.name for planned in PLAN]
    assert set(rows[0]) == {
        *("name", "assignment", "points", "core", "kind", "built", "misconceptions", "variants")
    }
    affine = next(row for row in rows if row["name"] == "affine_backward")
    assert affine["built"]
    assert affine["misconceptions"] >= 4
    assert affine["variants"] >= 2


def test_exercises_of_one_assignment_for_people(csnn) -> None:
    code, text, _ = csnn("exercises", "a2")
    assert code == 0
    assert "affine_backward" in text
    assert "numeric_gradient" not in text


@pytest.mark.parametrize(
    ("args", "says"),
    [
        (["grade", "a9", "x", "--out", "o"], "There is no assignment 'a9'; built are a"),
        (["grade", "a2", "nowhere", "--out", "o", "--isolation", "none"], "There is no nowhere"),
        (["grade", "a2", ".", "--out", "o", "--isolation", "some"], "no isolation 'some'"),
        (["grade", "a2", ".", "--out", "o", "--memory", "much"], "write 512M or 2G"),
        (["grade", "a2", ".", "--out", "o", "--cell-seconds", "-1"], "--cell-seconds must be more"),
        (["grade", "a2", ".", "--out", "o", "--course", "."], "csnn course init"),
        (["exercises", "a9"], "no assignment 'a9'"),
        (["validate", "a2", "--only", "affine"], "no exercise 'affine'"),
        (["report", "nowhere"], "csnn grade ASSIGNMENT SUBMISSIONS --out nowhere"),
        (["export", "nowhere"], "There are no results in nowhere"),
        (["explain", "ada", "--out", "nowhere"], "There are no results in nowhere"),
    ],
)
def test_a_mistake_on_the_command_line_is_one_sentence(csnn, args, says) -> None:
    code, text, complaint = csnn(*args)
    assert code == 1
    assert says in complaint
    assert complaint.startswith("csnn: ")
    assert complaint.count("\n") == 1
    assert "Traceback" not in text + complaint


def test_an_error_of_our_own_is_said_without_a_traceback(csnn, monkeypatch) -> None:
    def broken() -> None:
        raise ZeroDivisionError("division by zero")

    monkeypatch.setattr(autograder.cli, "app", broken)
    code, _, complaint = csnn()
    assert code == 1
    assert "an error of its own (ZeroDivisionError: division by zero)" in complaint
    assert "Traceback" not in complaint


def test_stopping_is_no_error_of_anyone(csnn, monkeypatch) -> None:
    def stopped() -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(autograder.cli, "app", stopped)
    assert csnn() == (130, "", "csnn: Stopped.\n")


def test_explain_names_the_mistake(csnn, tmp_path) -> None:
    out = results(tmp_path / "out", a_class())
    code, text, _ = csnn("explain", "bob", "affine", "--out", out)
    assert code == 0
    assert "db is the mean: the gradient needs the sum." in text
    assert "✗" in text
    code, text, _ = csnn("explain", "bob", "--out", out)
    assert "relu" in text
    assert json.loads(csnn("explain", "bob", "--out", out, "--json")[1])["student"] == "bob"
    assert "did you mean bob?" in csnn("explain", "bobb", "--out", out)[2]
    assert "affine" in csnn("explain", "bob", "afine", "--out", out)[2]


def test_report_writes_a_page_for_everyone(csnn, tmp_path) -> None:
    out = results(tmp_path / "out", [*a_class(), line("../../evil", exercise("affine"))])
    code, text, _ = csnn("report", out)
    assert code == 0
    pages = sorted(path.name for path in (out / "feedback").iterdir())
    assert pages[0] == "ada.html"
    assert len(pages) == 5
    assert "class.html" in text
    for page in pages:
        assert f"feedback/{page}" in (out / "class.html").read_text()


@pytest.mark.parametrize("kind", ["csv", "canvas", "gradescope"])
def test_export_says_where(csnn, tmp_path, kind) -> None:
    out = results(tmp_path / "out", a_class())
    code, text, _ = csnn("export", out, "--to", kind)
    assert code == 0
    assert Path(text.split(": ", 1)[1].replace("\n", "")).exists()
    assert "csv, canvas, gradescope" in csnn("export", out, "--to", "moodle")[2]


def test_nothing_that_students_write_reaches_the_terminal(csnn, tmp_path) -> None:
    rows = [
        line(attack, exercise("affine", "failed", attack), status=attack, message=attack)
        for attack in (*ATTACKS, "[red]markup[/red]", "\x9b31m")
    ]
    out = results(tmp_path / "out", rows)
    for row in rows:
        _, text, complaint = csnn("explain", row["student"], "--out", out)
        assert not set(text + complaint) & {"\x1b", "\x07", "\x9b", "\u202e"}
    assert "[red]markup[/red]" in csnn("explain", "[red]markup[/red]", "--out", out)[1]


@pytest.mark.filterwarnings("ignore")  # nbgrader's own are not ours to mend
def test_a_course_is_made_once(csnn, tmp_path) -> None:
    code, text, _ = csnn("course", "init", tmp_path / "dl", "--name", "Deep", "--only", "a2")
    assert code == 0
    assert "csnn.toml" in text
    code, text, _ = csnn("course", "init", tmp_path / "dl", "--only", "a2")
    assert code == 0
    assert "was there, left as it was" in text


def test_sizes() -> None:
    assert [size(text) for text in ("512M", "2G", "1.5 GiB", "100")] == [
        *(512 << 20, 2 << 30, 1.5 * (1 << 30), 100)
    ]
    with pytest.raises(UsageError):
        size("0")


def test_a_demo_never_empties_a_folder_of_someone_elses(csnn, tmp_path) -> None:
    (tmp_path / "thesis").mkdir()
    (tmp_path / "thesis" / "chapter.tex").write_text("…")
    code, _, complaint = csnn("demo", "--to", tmp_path / "thesis")
    assert code == 1
    assert "name an empty folder" in complaint
    assert (tmp_path / "thesis" / "chapter.tex").exists()
