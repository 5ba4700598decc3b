"""A real nbgrader course on disk, a small class in it, and nbgrader's own commands run there."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from autograder.planting import replaced

ROOT = Path(__file__).resolve().parents[2]
A = "a2_backprop"
NOTEBOOK = "1_layers"
QUESTION = "why-not-positive"

MEAN = """def affine_backward(dout, cache):
    x, w = cache
    rows = x.reshape(len(x), -1)
    return (dout @ w.T).reshape(x.shape), rows.T @ dout, dout.mean(axis=0)
"""
FORWARD = """def affine_forward(x, w, b):
    return x.reshape(len(x), -1) @ w + b, (x, w)
"""
WARNS = """def relu_forward(x):
    import sys
    import warnings

    warnings.warn("this costs nothing")
    print("nor does this", file=sys.stderr)
    return np.maximum(x, 0), x
"""
DIES = "import os\n\ndef relu_backward(dout, cache):\n    os._exit(1)\n"
CONFIG = 'c.LateSubmissionPlugin.penalty_method = "zero"\n'


class Classroom:
    """Runs nbgrader in a course's folder as a teacher would: as a program of its own."""

    def __init__(self, root: Path, home: Path) -> None:
        self.root, self.home = root, home
        scripts = os.path.dirname(sys.executable)
        self.environment = {
            "PATH": f"{scripts}{os.pathsep}{os.environ['PATH']}",
            "PYTHONPATH": str(ROOT),
            "HOME": str(home),
            "USER": "teacher",
            "JUPYTER_PREFER_ENV_PATH": "1",
            "OMP_NUM_THREADS": "1",
            "OPENBLAS_NUM_THREADS": "1",
            "LANG": "C.UTF-8",
        }

    def run(self, *command: str, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
        arguments = [sys.executable, "-W", "ignore", "-m", *command]
        if command[0] == "csnn":
            code = "from autograder.cli import main; main()"
            arguments = [sys.executable, "-c", code, *command[1:]]
        return subprocess.run(
            arguments,
            cwd=cwd or self.root,
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=600,
            check=False,
        )

    def nbgrader(self, *arguments: str, cwd: Path | None = None) -> str:
        done = self.run("nbgrader", *arguments, cwd=cwd)
        assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-6000:]
        return done.stdout + done.stderr

    def hand_in(self, student: str, files: Mapping[str, bytes]) -> Path:
        folder = self.root / "submitted" / student / A
        folder.mkdir(parents=True)
        for name, content in files.items():
            (folder / name).write_bytes(content)
        return folder

    @property
    def url(self) -> str:
        return f"sqlite:///{self.root / 'gradebook.db'}"

    def released(self) -> bytes:
        return (self.root / "release" / A / f"{NOTEBOOK}.ipynb").read_bytes()

    def solution(self) -> bytes:
        return (self.root / "source" / A / f"{NOTEBOOK}.ipynb").read_bytes()

    def lines(self) -> dict[str, Any]:
        text = (self.root / "graded" / A / "results.jsonl").read_text(encoding="utf-8")
        return {line["student"]: line for line in map(json.loads, text.splitlines())}


def grades(url: str) -> dict[tuple[str, str], dict[str, Any]]:
    """(student, grade id) → what the gradebook has."""
    from autograder.records.gradebook import open_gradebook

    with open_gradebook(url) as book:
        return {
            (submission.student.id, grade.name): {
                "auto": grade.auto_score,
                "manual": grade.manual_score,
                "extra": grade.extra_credit,
                "score": grade.score,
                "max": grade.max_score,
                "by hand": grade.needs_manual_grade,
            }
            for submission in book.assignment_submissions(A)
            for notebook in submission.notebooks
            for grade in notebook.grades
        }


def shown(room: Classroom) -> dict[str, dict[str, Any]]:
    """What formgrader's table of submissions is made of, by student."""
    from nbgrader.apps import NbGraderAPI
    from traitlets.config import Config

    config = Config()
    config.CourseDirectory.root = str(room.root)
    rows = NbGraderAPI(config=config).get_submissions(A)
    return {row["student"]: row for row in rows}


def status(row: Mapping[str, Any]) -> str:
    """Formgrader's word for where a submission stands, as its own script finds it."""
    if not row["autograded"]:
        return "needs autograding"
    return "needs manual grading" if row["needs_manual_grade"] else "graded"


def changed(notebook: bytes, change: Callable[[list[dict[str, Any]]], None], **own: Any) -> bytes:
    """A notebook with its cells changed, and with other metadata."""
    data = json.loads(notebook)
    for cell in data["cells"]:
        cell["source"] = "".join(cell["source"])
    change(data["cells"])
    data["metadata"] |= own
    return json.dumps(data).encode()


def is_check(cell: Mapping[str, Any]) -> bool:
    return cell["metadata"].get("nbgrader", {}).get("grade_id", "").startswith("check-")


def _doubled(cells: list[dict[str, Any]]) -> None:
    for cell in [c for c in cells if "nbgrader" in c["metadata"]]:
        cells.insert(cells.index(cell), json.loads(json.dumps(cell)))


def _split(cells: list[dict[str, Any]]) -> None:
    """One exercise cell becomes two of the same metadata, as Lab's "split cell" leaves it."""
    cell = next(c for c in cells if "def relu_forward" in c["source"])
    rest = json.loads(json.dumps(cell))
    cell["source"], rest["source"] = "first_half = 1", cell["source"]
    rest["id"] = "second-half"
    cells.insert(cells.index(cell) + 1, rest)


def _no_checks(cells: list[dict[str, Any]]) -> None:
    cells[:] = [c for c in cells if not is_check(c)]


def _worth_100(cells: list[dict[str, Any]]) -> None:
    for cell in filter(is_check, cells):
        cell["metadata"]["nbgrader"]["points"] = 100
        cell["metadata"]["nbgrader"]["grade_id"] += "-mine"


def _skipped(cells: list[dict[str, Any]]) -> None:
    for cell in cells:
        cell["metadata"]["tags"] = ["skip-execution"]


def _loud(cells: list[dict[str, Any]]) -> None:
    cells.append(
        {
            "cell_type": "code",
            "metadata": {},
            "source": "print('x' * 3_000_000)",
            "outputs": [{"output_type": "stream", "name": "stdout", "text": "x" * 3_000_000}],
            "execution_count": 1,
        }
    )


def _forged(cells: list[dict[str, Any]]) -> None:
    """Test cells that print what stock nbgrader takes for full marks, or stops at."""
    for cell, words in zip(filter(is_check, cells), ["1e9", "-1", "'fine'", "None"], strict=False):
        cell["source"] = words
        output = {"output_type": "execute_result", "metadata": {}, "execution_count": 1}
        cell["outputs"] = [output | {"data": {"text/plain": words}}]


def _odd_metadata(cells: list[dict[str, Any]]) -> None:
    """Keys that nbgrader does not know, and versions of its metadata that stop its whole run."""
    for number, cell in enumerate(c for c in cells if "nbgrader" in c["metadata"]):
        cell["metadata"]["nbgrader"] |= {"mine": 1, "schema_version": (1, 99)[number % 2]}


def _lost_question(cells: list[dict[str, Any]]) -> None:
    """The answer in a cell of the student's own, the question's cell gone."""
    for cell in cells:
        if cell["metadata"].get("nbgrader", {}).get("grade_id") == QUESTION:
            cell |= {"metadata": {}, "id": "mine", "source": "Because zeros switch weights off."}


def hand_in_class(room: Classroom) -> None:
    """Everyone is named for what is the matter with them."""
    right, stub = room.solution(), room.released()
    name = f"{NOTEBOOK}.ipynb"

    def planted(sources: Mapping[str, str]) -> bytes:
        return replaced({name: right}, sources)[name]

    room.hand_in("right", {name: right})
    room.hand_in("stub", {name: stub})
    wrong = room.hand_in(
        "wrong", {name: planted({"affine_forward": FORWARD, "affine_backward": MEAN})}
    )
    (wrong / "timestamp.txt").write_text("2026-03-02 10:00:00 UTC")
    room.hand_in("torn", {name: right[:3000]})
    room.hand_in("doubled", {name: changed(right, _doubled)})
    room.hand_in("split", {name: changed(right, _split)})
    julia = {"name": "julia-1.9", "display_name": "Julia", "language": "julia"}
    deleted = changed(right, _no_checks, kernelspec=julia)
    room.hand_in("deleted", {"my final version.ipynb": deleted})
    room.hand_in("dearer", {name: changed(right, _worth_100)})
    room.hand_in("warns", {name: planted({"relu_forward": WARNS})})
    room.hand_in("skips", {name: changed(stub, _skipped)})
    room.hand_in("dies", {name: planted({"relu_backward": DIES})})
    room.hand_in("loud", {name: changed(right, _loud)})
    room.hand_in("forges", {name: changed(stub, _forged)})
    room.hand_in("oddkeys", {name: changed(right, _odd_metadata)})
    room.hand_in("lost", {name: changed(right, _lost_question)})
