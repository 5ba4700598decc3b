"""Before handing in: the same reading as the grader's, in the student's own folder."""

import json
import subprocess
import sys

import pytest

from autograder.notebooks.release import release
from autograder.notebooks.text import build_notebooks

A = "a2_backprop"


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    to = tmp_path_factory.mktemp("public") / "a2"
    release(A, to)
    return to


@pytest.fixture(scope="module")
def built():
    return build_notebooks(A)[0]


def check(folder, content, *words, name="mine.ipynb"):
    (folder / name).write_bytes(content)
    command = [sys.executable, "-W", "error", "-m", "autograder", "check", name, *words]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)


def test_a_finished_notebook_passes(folder, built):
    done = check(folder, built.solution)
    assert (done.returncode, done.stderr) == (0, "")
    assert f"{len(built.exercises)} of {len(built.exercises)} exercises pass" in done.stdout


def test_the_stub_says_what_is_to_do_and_a_missing_one_is_named(folder, built):
    done = check(folder, built.student)
    assert done.returncode == 1
    assert done.stdout.count("not started") == len(built.exercises)
    data = json.loads(built.solution)
    data["cells"] = [c for c in data["cells"] if "def relu_backward" not in "".join(c["source"])]
    data["cells"].append(
        {"cell_type": "code", "source": "%matplotlib inline\n1 / 0", "metadata": {}, "outputs": []}
    )
    done = check(folder, json.dumps(data).encode())
    assert done.returncode == 1
    assert "Not defined, so not graded: relu_backward" in done.stdout
    assert "stops with ZeroDivisionError: division by zero" in done.stdout
    assert "Traceback" not in done.stdout + done.stderr


def test_results_as_data(folder, built):
    done = check(folder, built.solution, "--json")
    data = json.loads(done.stdout)
    assert data["status"] == "readable"
    assert {e["name"] for e in data["exercises"]} == set(built.exercises)
    assert all(e["status"] == "passed" for e in data["exercises"])


@pytest.mark.parametrize(("content", "says"), [(b"{", "cannot be read"), (b"", "cannot be read")])
def test_what_cannot_be_graded_is_said_in_a_sentence(folder, content, says):
    done = check(folder, content)
    assert done.returncode == 1
    assert says in done.stdout
    assert "Traceback" not in done.stderr


def test_a_missing_notebook_or_release_is_one_line(folder, tmp_path, built):
    from autograder.precheck import main

    command = [sys.executable, "-m", "autograder", "check", "no.ipynb"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert done.stderr.count("\n") == 1
    (tmp_path / "x.ipynb").write_bytes(built.solution)
    assert main([str(tmp_path / "x.ipynb")]) == 1
