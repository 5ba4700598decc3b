"""What a student loses when these fail: a last look at the notebook with the grader's eyes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from autograder.notebooks.cells import parse_notebook
from autograder.notebooks.release import release
from autograder.notebooks.text import build_notebooks
from autograder.precheck import main, precheck, run_cells

A2 = "a2_backprop"


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    to = tmp_path_factory.mktemp("release") / "a2"
    release(A2, to)
    return to


def notebook(*sources: str) -> bytes:
    cells = [
        {"cell_type": "code", "id": f"c{i}", "metadata": {}, "outputs": [], "source": source}
        for i, source in enumerate(sources)
    ]
    return json.dumps({"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 5}).encode()


def test_the_released_notebook_says_that_nothing_is_filled_in(folder: Path) -> None:
    found = precheck(folder)
    assert not found.passed
    assert not found.stopped, "stubs that raise are no surprise"
    assert {result.status for result in found.results} <= {"not attempted", "missing", "failed"}
    assert "○ 1_layers" in str(found)


def test_a_solution_passes_and_a_copy_of_the_release_is_all_it_needs(folder: Path) -> None:
    built = build_notebooks(A2)
    for one in built:
        (folder / f"{one.name}.ipynb").write_bytes(one.solution)
    environment = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
    try:
        done = subprocess.run(
            [sys.executable, "-m", "autograder", "check", ".", "--json"],
            cwd=folder,
            env=environment,
            capture_output=True,
            check=False,
        )
    finally:
        for one in built:
            (folder / f"{one.name}.ipynb").write_bytes(one.student)
    data = json.loads(done.stdout)
    taught = {name for one in built for name in one.exercises}
    passed = {e["name"] for e in data["exercises"] if e["status"] == "passed"}
    assert passed >= taught
    assert data["stopped"] == []
    assert done.returncode == (0 if data["passed"] else 1)


def test_cells_run_each_for_itself_in_order() -> None:
    cells = parse_notebook(
        notebook(
            "x = 1\nprint('quiet')",
            "1 / 0",
            "exit()",
            "y = x + 1",
            "name = input()",
            "%matplotlib inline\nz = y",
            "import asyncio\nawait asyncio.sleep(0)\ndone = True",
            "raise NotImplementedError",
            "while (",
        )
    ).cells
    namespace, stopped = run_cells(cells)
    assert (namespace["y"], namespace["z"], namespace["done"]) == (2, 2, True)
    assert list(stopped) == [2, 5, 9]
    assert stopped[2] == "ZeroDivisionError: division by zero"
    assert stopped[5].startswith("EOFError")
    assert stopped[9].startswith("SyntaxError")


def test_a_cell_that_never_ends_is_stopped(monkeypatch) -> None:
    monkeypatch.setattr("autograder.precheck.CELL_SECONDS", 0.1)
    cells = parse_notebook(
        notebook("while True:\n    try:\n        1\n    except Exception:\n        2", "x = 1")
    ).cells
    namespace, stopped = run_cells(cells)
    assert "took longer" in stopped[1]
    assert namespace["x"] == 1


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b'{"cells": [', "cannot be graded"),
        (notebook(), "cannot be graded"),
        (notebook("x = 1"), "not started"),
    ],
)
def test_what_cannot_be_graded_says_so(folder: Path, capsys, content: bytes, says: str) -> None:
    place = folder / "1_layers.ipynb"
    before = place.read_bytes()
    place.write_bytes(content)
    try:
        assert main([str(place)]) == 1
    finally:
        place.write_bytes(before)
    assert says in capsys.readouterr().out


def test_a_missing_notebook_and_missing_examples_are_one_line(tmp_path: Path, capsys) -> None:
    assert main([str(tmp_path / "nowhere.ipynb")]) == 1
    assert "no such notebook" in capsys.readouterr().err
    (tmp_path / "a.ipynb").write_bytes(notebook("x = 1"))
    assert main([str(tmp_path / "a.ipynb")]) == 1
    complaint = capsys.readouterr().err
    assert "examples" in complaint
    assert complaint.count("\n") == 1
