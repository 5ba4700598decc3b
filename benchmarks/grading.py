"""Submissions a minute: csnn beside stock nbgrader, and otter where it is installed, in one run.

    python -m benchmarks.grading --students 10 --ours 100

Every submission is the same notebook: six functions of a2 with an experiment that plots. The peers
run one short test cell for each function, in the student's kernel. We run the whole hidden battery
on inputs drawn for each student, behind the walls that this machine gives. Whole commands are
timed, as a teacher would start them; ours grades more students, a few are over in no time.

Otter: ``pip install otter-grader ipykernel numpy matplotlib`` in an environment of its own, and
name its interpreter: ``--otter PATH``.
"""

from __future__ import annotations

import argparse
import functools
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import nbformat
from nbformat.v4 import new_code_cell, new_notebook

FUNCTIONS = {
    "affine_forward": """def affine_forward(x, w, b):
    return x.reshape(len(x), -1) @ w + b, (x, w, b)""",
    "affine_backward": """def affine_backward(dout, cache):
    x, w, b = cache
    rows = x.reshape(len(x), -1)
    return (dout @ w.T).reshape(x.shape), rows.T @ dout, dout.sum(axis=0)""",
    "relu_forward": """def relu_forward(x):
    return np.maximum(x, 0), x""",
    "relu_backward": """def relu_backward(dout, cache):
    return dout * (cache > 0)""",
    "sigmoid_forward": """def sigmoid_forward(x):
    out = np.exp(-np.logaddexp(0, -x)).astype(x.dtype if x.dtype.kind == "f" else float)
    return out, out""",
    "sigmoid_backward": """def sigmoid_backward(dout, cache):
    return dout * cache * (1 - cache)""",
}
TESTS = {
    "affine_forward": "x, w = np.ones((2, 3)), np.ones((3, 4))\n"
    "assert affine_forward(x, w, np.zeros(4))[0].shape == (2, 4)",
    "affine_backward": "cache = affine_forward(np.ones((2, 3)), np.ones((3, 4)), np.zeros(4))[1]\n"
    "assert len(affine_backward(np.ones((2, 4)), cache)) == 3",
    "relu_forward": "assert relu_forward(np.array([-1.0, 2.0]))[0][0] == 0",
    "relu_backward": "cache = relu_forward(np.ones(1))[1]\n"
    "assert relu_backward(np.ones(1), cache) == 1",
    "sigmoid_forward": "assert sigmoid_forward(np.zeros(1))[0] == 0.5",
    "sigmoid_backward": "cache = sigmoid_forward(np.zeros(1))[1]\n"
    "assert sigmoid_backward(np.ones(1), cache) == 0.25",
}
START = "%matplotlib inline\nimport matplotlib.pyplot as plt\nimport numpy as np"
PLOT = (
    "t = np.linspace(-5, 5, 200)\nplt.plot(t, sigmoid_forward(t)[0])\nplt.xlabel('x')\nplt.show()"
)


def notebook(*, solved: bool, tests: bool) -> nbformat.NotebookNode:
    """The notebook as the peers want it: nbgrader's metadata on cells that are graded."""
    cells = [new_code_cell(START)]
    for name, source in FUNCTIONS.items():
        head, _, body = source.partition("\n")
        given = f"{head}\n    ### BEGIN SOLUTION\n{body}\n    ### END SOLUTION"
        cell = new_code_cell(source if solved else given)
        cell.metadata["nbgrader"] = _graded(name, solution=True)
        cells.append(cell)
        if tests:
            test = new_code_cell(TESTS[name])
            test.metadata["nbgrader"] = _graded(f"test-{name}", grade=True, locked=True, points=1)
            cells.append(test)
    cells.append(new_code_cell(PLOT))
    made = new_notebook(cells=cells)
    made.metadata["kernelspec"] = {
        "name": "python3",
        "display_name": "Python 3",
        "language": "python",
    }
    return made


def _graded(grade_id: str, **flags: object) -> dict[str, object]:
    plain = {"grade": False, "solution": False, "locked": False, "task": False, "schema_version": 3}
    return plain | {"grade_id": grade_id} | flags


def run(*command: str, cwd: Path) -> float:
    """Seconds that a command takes; its output is shown only if it fails."""
    scripts = f"{os.path.dirname(sys.executable)}{os.pathsep}{os.environ['PATH']}"
    settings = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "PATH": scripts}
    started = time.perf_counter()
    done = subprocess.run(
        command, cwd=cwd, env=os.environ | settings, capture_output=True, text=True, check=False
    )
    seconds = time.perf_counter() - started
    if done.returncode:
        sys.exit(f"{' '.join(command)} failed:\n{done.stdout[-2000:]}\n{done.stderr[-2000:]}")
    return seconds


def nbgrader(folder: Path, students: int) -> float:
    """Submissions a minute of ``nbgrader autograde``, in the kernel, one after the other."""
    (folder / "nbgrader_config.py").write_text(
        "c = get_config()\nc.CourseDirectory.course_id = 'b'\n"
    )
    source = folder / "source" / "ps1"
    source.mkdir(parents=True)
    nbformat.write(notebook(solved=False, tests=True), source / "ps1.ipynb")
    tool = (sys.executable, "-m", "nbgrader")
    run(*tool, "generate_assignment", "ps1", "--create", cwd=folder)
    for number in range(students):
        place = folder / "submitted" / f"student{number:03}" / "ps1"
        place.mkdir(parents=True)
        nbformat.write(notebook(solved=True, tests=True), place / "ps1.ipynb")
    return 60 * students / run(*tool, "autograde", "ps1", "--create", cwd=folder)


def otter(folder: Path, students: int, python: str) -> float | None:
    """Submissions a minute of ``otter run``; ``None`` where otter is not installed."""
    found = subprocess.run([python, "-c", "import otter"], capture_output=True, check=False)
    if found.returncode:
        return None
    tests = folder / "tests"
    tests.mkdir()
    for name, test in TESTS.items():
        code = "".join(f">>> {line}\n" for line in test.splitlines())
        case = {"code": code, "hidden": False, "locked": False}
        suite = {"cases": [case], "scored": True, "setup": "", "teardown": "", "type": "doctest"}
        content = {"name": name, "points": 1, "suites": [suite]}
        (tests / f"{name}.py").write_text(f"OK_FORMAT = True\ntest = {content!r}\n")
    tool = (python, "-m", "otter")
    run(*tool, "generate", "-t", str(tests), "--no-environment", "-o", "autograder.zip", cwd=folder)
    cells = notebook(solved=True, tests=False)
    for cell in cells.cells:
        cell.metadata.clear()
    nbformat.write(cells, folder / "student.ipynb")
    seconds = sum(run(*tool, "run", "-a", "autograder.zip", "student.ipynb", cwd=folder)
                  for _ in range(students))  # fmt: skip
    return 60 * students / seconds


def ours(folder: Path, students: int) -> float:
    """Submissions a minute of ``csnn grade``, everything included, two processes."""
    for number in range(students):
        place = folder / "submissions" / f"student{number:04}"
        place.mkdir(parents=True)
        content = notebook(solved=True, tests=False)
        content.cells[-1].source += f"\n# {number}"  # nobody's result can be another's
        nbformat.write(content, place / "1_layers.ipynb")
    call = "from autograder.cli import main; main()"
    seconds = run(
        sys.executable, "-c", call, "grade", "a2", "submissions", "--out", "out", "--workers", "2",
        cwd=folder,
    )  # fmt: skip
    return 60 * students / seconds


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--students", type=int, default=10, help="submissions for each peer")
    parser.add_argument("--ours", type=int, default=200, help="submissions for us")
    parser.add_argument("--otter", default=sys.executable, help="interpreter that has otter")
    arguments = parser.parse_args()
    rates: dict[str, float | None] = {}
    for name, measure, students in (
        ("nbgrader", nbgrader, arguments.students),
        ("otter", functools.partial(otter, python=arguments.otter), arguments.students),
        ("csnn", ours, arguments.ours),
    ):
        with tempfile.TemporaryDirectory() as folder:
            Path(folder).chmod(0o755)  # the jail's own user must get there
            rates[name] = measure(Path(folder), students)
    mine = rates["csnn"]
    assert mine is not None
    print(f"{'grader':<10}{'a minute':>10}{'csnn is':>14}")
    for name, rate in rates.items():
        text = f"{rate:>10.0f}{mine / rate:>8.1f} times" if rate else "  not installed"
        print(f"{name:<10}{text}")


if __name__ == "__main__":
    main()
