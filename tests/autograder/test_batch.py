"""What a teacher loses when these fail: a class that stops in the middle, or grades that move."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest

import autograder.course
import autograder.version
from autograder.batch import BatchError, Interrupted, Outcome, Plan, grade_class
from autograder.config import Course
from autograder.records.store import read_results
from tests.autograder.stand_in import grade

A2 = "a2_backprop"
ROOT = Path(__file__).parents[2]


@pytest.fixture
def bench(tmp_path: Path, monkeypatch) -> SimpleNamespace:
    """A course with one exercise, a folder for submissions, and a place for notes."""
    for name in ("course", "notes", "class"):
        (tmp_path / name).mkdir()
    (tmp_path / "course" / ".csnn-secret").write_text("ab" * 32)
    (tmp_path / "course" / ".csnn-secret").chmod(0o600)
    monkeypatch.setenv("CSNN_TEST_NOTES", str(tmp_path / "notes"))
    exercise = SimpleNamespace(name="affine_forward", points=10.0, core=True)
    monkeypatch.setattr(autograder.course, "exercises", lambda _: (exercise,))
    monkeypatch.setattr(autograder.version, "grader_version", lambda: "1")
    course = Course(folder=tmp_path / "course")
    return SimpleNamespace(
        course=course,
        plan=Plan(A2, course),
        submissions=tmp_path / "class",
        out=tmp_path / "out",
        notes=tmp_path / "notes",
    )


def hand_in(bench: SimpleNamespace, *students: str, source: str = "x = 1") -> None:
    cell = {"cell_type": "code", "source": source, "metadata": {}, "outputs": [], "id": "a"}
    notebook = {"cells": [cell], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}
    for student in students:
        folder = bench.submissions / student
        folder.mkdir(exist_ok=True)
        (folder / "a2_backprop.ipynb").write_text(json.dumps(notebook))


def run(bench: SimpleNamespace, workers: int = 0, **kwargs) -> Outcome:
    """Grade the class: in threads, which start at once, or with so many processes."""
    plan, out = kwargs.pop("plan", bench.plan), kwargs.pop("out", bench.out)
    kwargs |= {"grade": grade, "workers": workers or 2}
    if workers or "executor" in kwargs:
        return grade_class(bench.submissions, out, plan, **kwargs)
    with ThreadPoolExecutor(2) as threads:
        return grade_class(bench.submissions, out, plan, executor=threads, **kwargs)


def graded(bench: SimpleNamespace) -> list[str]:
    """Who was graded, in all runs so far."""
    return sorted(note.name.rpartition(".")[0] for note in bench.notes.glob("*.*"))


def bytes_of(out: Path) -> bytes:
    return (out / "results.jsonl").read_bytes()


def test_the_same_class_gives_the_same_bytes_with_any_number_of_workers(bench) -> None:
    hand_in(bench, *(f"s{i}" for i in range(7)), "ünal")
    (bench.submissions / "empty").mkdir()
    (bench.submissions / "torn").mkdir()
    (bench.submissions / "torn" / "a2.ipynb").write_text('{"cells": [')
    outs = [bench.out / str(i) for i in range(3)]
    run(bench, 1, out=outs[0])
    run(bench, 3, out=outs[1])
    run(bench, out=outs[2])
    assert bytes_of(outs[0]) == bytes_of(outs[1]) == bytes_of(outs[2])
    lines = read_results(outs[0])
    assert [line["student"] for line in lines] == sorted(line["student"] for line in lines)
    assert len(lines) == 10


def test_a_second_run_does_only_what_changed(bench) -> None:
    hand_in(bench, "ada", "bob", "eve")
    assert run(bench).fresh == 3
    before = bytes_of(bench.out)
    assert run(bench).fresh == 0
    assert bytes_of(bench.out) == before
    hand_in(bench, "bob", source="x = 2")
    assert run(bench).fresh == 1
    assert graded(bench) == ["ada", "bob", "bob", "eve"]
    assert run(bench, plan=replace(bench.plan, fresh=True)).fresh == 3


@pytest.mark.parametrize("change", ["secret", "limits", "bonus", "isolation", "grader", "overlay"])
def test_whatever_decides_a_grade_makes_it_new(bench, monkeypatch, tmp_path, change: str) -> None:
    hand_in(bench, "ada")
    run(bench)
    plan = bench.plan
    if change == "secret":
        (bench.course.folder / ".csnn-secret").write_text("cd" * 32)
    elif change == "limits":
        plan = replace(plan, limits={"call_seconds": 3})
    elif change == "bonus":
        plan = replace(plan, course=replace(bench.course, bonus=True))
    elif change == "isolation":
        plan = replace(plan, isolation="none")
    elif change == "grader":
        monkeypatch.setattr(autograder.version, "grader_version", lambda: "2")
    else:
        (tmp_path / "private").mkdir()
        (tmp_path / "private" / "more.py").write_text("x = 1")
        plan = replace(plan, course=replace(bench.course, overlay=tmp_path / "private"))
    assert run(bench, plan=plan).fresh == 1


def test_a_student_gets_the_same_inputs_whoever_else_is_in_the_class(bench) -> None:
    hand_in(bench, "ada", "bob")
    both = {line["student"]: line for line in run(bench).lines}
    (bench.submissions / "bob" / "a2_backprop.ipynb").unlink()
    (bench.submissions / "bob").rmdir()
    alone = run(bench, out=bench.out / "alone").lines
    assert alone == [both["ada"]]


def test_a_worker_that_dies_costs_nobody_else_a_grade(bench) -> None:
    hand_in(bench, "ada", "bob", "dies", "eve", "tom")
    outcome = run(bench, workers=2)
    assert [line["status"] for line in outcome.lines] == [
        *("graded", "graded", "not graded", "graded", "graded")
    ]
    assert outcome.failed == 1
    assert "says nothing about the student's work" in outcome.lines[2]["message"]


def test_a_fault_of_the_grader_is_said_and_tried_again_next_time(bench) -> None:
    hand_in(bench, "ada", "fails")
    for _ in range(2):
        outcome = run(bench)
        assert outcome.failed == 1
        assert "ValueError: a fault of the grader's own" in outcome.lines[1]["message"]
    assert graded(bench) == ["ada", "fails", "fails"]


def test_a_time_out_is_tried_once_more_and_alone(bench) -> None:
    hand_in(bench, "busy", "naps1", "naps2", "naps3", "naps4")
    outcome = run(bench)
    assert {line["status"] for line in outcome.lines} == {"graded"}
    assert (bench.notes / "busy.1").read_text() == ""
    assert not (bench.notes / "busy.2").exists()


def test_progress_counts_everyone_once(bench) -> None:
    hand_in(bench, "ada", "bob", "busy", "fails")
    seen = []
    run(bench, progress=lambda done, total, line: seen.append((done, total, line is None)))
    assert seen == [(0, 4, True), (1, 4, False), (2, 4, False), (3, 4, False), (4, 4, False)]


def test_nothing_to_grade_says_what_was_expected(bench) -> None:
    with pytest.raises(BatchError, match=r"STUDENT/\*\.ipynb"):
        run(bench)
    bench.submissions.rmdir()
    with pytest.raises(BatchError, match="There is no"):
        run(bench)


SCRIPT = """
import signal, sys
signal.signal(signal.SIGINT, signal.default_int_handler)  # a job in the background ignores ^C
from pathlib import Path
from types import SimpleNamespace
import autograder.course, autograder.version
from autograder.batch import Interrupted, Plan, grade_class
from autograder.config import Course
from tests.autograder.stand_in import grade

if __name__ == "__main__":
    course, submissions, out = map(Path, sys.argv[1:])
    exercise = SimpleNamespace(name="affine_forward", points=10.0, core=True)
    autograder.course.exercises = lambda _: (exercise,)
    autograder.version.grader_version = lambda: "1"
    plan = Plan("a2_backprop", Course(folder=course))
    try:
        grade_class(submissions, out, plan, workers=2, grade=grade)
    except Interrupted as stop:
        print(stop)
        sys.exit(130)
"""


@contextmanager
def started(bench: SimpleNamespace, tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    """A grader in a process and a session of its own, gone at the end whatever has happened."""
    script = tmp_path / "grade.py"
    script.write_text(SCRIPT)
    args = [bench.course.folder, bench.submissions, bench.out]
    with subprocess.Popen(
        [sys.executable, script, *args],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as process:
        try:
            yield process
        finally:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)


def until(condition, seconds: float = 30) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it never came to pass"
        time.sleep(0.02)


def members(session: int) -> list[int]:
    """Living processes of a session."""
    found = []
    for status in Path("/proc").glob("[0-9]*/stat"):
        try:
            state, _, _, sid = status.read_text().rpartition(")")[2].split()[:4]
        except OSError:
            continue
        if int(sid) == session and state != "Z":
            found.append(int(status.parent.name))
    return found


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGINT, signal.SIGTERM])
def test_a_stopped_grader_leaves_no_process_and_loses_no_grade(bench, tmp_path, how) -> None:
    hand_in(bench, *(f"s{i}" for i in range(6)), "z-waits")
    with started(bench, tmp_path) as grader:
        until(lambda: (bench.notes / "running.z-waits").exists())
        until(lambda: len(graded(bench)) >= 6)
        journal = bench.out / ".csnn" / "journal.jsonl"
        until(lambda: journal.exists() and journal.read_bytes().count(b"\n") == 6)
        os.killpg(grader.pid, how) if how == signal.SIGINT else os.kill(grader.pid, how)
        output, _ = grader.communicate(timeout=120)  # seconds, unless the machine is very busy
        until(lambda: not members(grader.pid))
    assert not (bench.out / "results.jsonl").exists()
    if how == signal.SIGINT:
        assert grader.returncode == 130
        assert "6 of 7 submissions are graded and kept" in output
    for note in bench.notes.glob("*waits*"):
        note.unlink()
    (bench.submissions / "z-waits").rename(bench.submissions / "z")
    assert run(bench).fresh == 1
    run(bench, out=tmp_path / "undisturbed")
    assert bytes_of(bench.out) == bytes_of(tmp_path / "undisturbed")


def test_interrupting_says_how_much_is_kept() -> None:
    assert str(Interrupted(3, 5)).startswith("Stopped. 3 of 5 submissions are graded and kept")


def test_a_dask_cluster_gives_the_same_bytes(bench, tmp_path) -> None:
    import distributed

    hand_in(bench, "ada", "bob", "fails", "busy")
    with (
        distributed.LocalCluster(
            n_workers=1, threads_per_worker=2, processes=False, dashboard_address=None
        ) as cluster,
        distributed.Client(cluster) as client,
    ):
        outcome = run(bench, executor=client.get_executor(), workers=2)
    assert (outcome.fresh, outcome.failed) == (3, 1)
    for note in bench.notes.iterdir():
        note.unlink()
    run(bench, out=tmp_path / "here")
    assert bytes_of(bench.out) == bytes_of(tmp_path / "here")
