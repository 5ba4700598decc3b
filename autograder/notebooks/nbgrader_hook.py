"""Our reading and grading inside ``nbgrader autograde``.

In the course's ``nbgrader_config.py``::

    from autograder.notebooks.nbgrader_hook import configure
    configure(get_config())

Autograde runs in two passes. In the first, `RebuildingExporter` reads whatever the student handed
in and rebuilds the released notebook around it. In the second, `GradeInJail` stands where the
notebook would be executed: it has the functions graded behind the walls and gives every grade cell
exactly one numeric result and no stderr, which is what nbgrader turns into a score. A failure of
the grader raises, so that nothing is stored for that student.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any, ClassVar

import nbformat
from nbconvert.exporters import NotebookExporter
from nbformat import NotebookNode
from nbgrader.converters import Autograde
from nbgrader.preprocessors import (
    AssignLatePenalties,
    CheckCellMetadata,
    IgnorePattern,
    LimitOutput,
    NbGraderPreprocessor,
    SaveAutoGrades,
)
from nbgrader.utils import is_grade, is_solution
from traitlets import Callable as CallableTrait
from traitlets import Unicode

from autograder.notebooks.cells import Notebook, parse_notebook
from autograder.notebooks.collect import Place
from autograder.notebooks.skeleton import belongs_to, rebuild
from autograder.notebooks.submission import (
    Release,
    Submission,
    notebooks_of,
    read_submission,
    student_id,
)

GradeCells = Callable[[Submission, str], Mapping[str, Any]]
"""(submission, isolation) → the object of ``results.jsonl`` for it."""


class GraderFailed(Exception):
    """The grader, not the student, is at fault; nothing must be stored."""


def configure(config: Any) -> None:
    """Set Autograde up in an nbgrader configuration."""
    config.Autograde.exporter_class = RebuildingExporter
    config.Autograde.autograde_preprocessors = [
        GradeInJail,
        IgnorePattern,
        LimitOutput,
        SaveAutoGrades,
        AssignLatePenalties,
        CheckCellMetadata,
    ]


def grade_cells(submission: Submission, isolation: str) -> Mapping[str, Any]:
    """Grade one submission as ``csnn grade`` does, with the course's secret and limits."""
    from autograder.config import case_seed, find_course
    from autograder.course import exercises
    from autograder.job import grade_one

    course = find_course()
    secret = course.secret()
    names = [exercise.name for exercise in exercises(submission.assignment)]
    job = {
        "student": submission.student,
        "assignment": submission.assignment,
        "submission": submission.to_data(),
        "seeds": {name: case_seed(secret, submission.student, name) for name in names},
        "limits": course.limits(submission.assignment),
        "exercise_limits": course.exercise_limits(),
        "isolation": isolation,
        "bonus": course.has_bonus(submission.assignment),
    }
    return grade_one(job)["result"]


# --- what was released -----------------------------------------------------------------------


def _released_files(course: Any, assignment: str) -> dict[str, bytes]:
    """Notebook name → content, from the course's release folder."""
    folder = Path(course.format_path(course.release_directory, ".", assignment))
    files = {path.stem: path.read_bytes() for path in sorted(folder.glob("*.ipynb"))}
    if not files:
        raise GraderFailed(
            f"there is no released notebook in {folder}; run nbgrader generate_assignment first"
        )
    return files


@lru_cache(maxsize=32)
def _parsed(content: bytes) -> Notebook:
    return parse_notebook(content)


def _release(course: Any, assignment: str) -> Release:
    files = _released_files(course, assignment)
    return Release.of(assignment, {f"{name}.ipynb": data for name, data in files.items()})


def _place(course: Any, student: str, assignment: str) -> Place:
    path = course.format_path(course.submitted_directory, student, assignment)
    return Place(student_id(student), path)


# --- the first pass --------------------------------------------------------------------------


class RebuildingExporter(NotebookExporter):
    """Reads tolerantly in Autograde's first pass; an ordinary notebook exporter elsewhere."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if isinstance(self.parent, Autograde):
            _expect_every_notebook(self.parent)

    def from_filename(
        self, filename: str, resources: dict | None = None, **kwargs: Any
    ) -> tuple[Any, dict]:
        """The student's notebook; ``filename`` need not exist, hold JSON or be named so."""
        converter: Any = self.parent
        if not (isinstance(converter, Autograde) and converter._sanitizing and resources):
            return super().from_filename(filename, resources, **kwargs)
        about = resources["nbgrader"]
        notebook, why = _rebuilt(
            converter.coursedir, about["student"], about["assignment"], about["notebook"]
        )
        if why:
            self.log.warning("%s, %s: %s", about["student"], about["assignment"], why)
        where, name = os.path.split(filename)
        resources["metadata"] = {"name": os.path.splitext(name)[0], "path": where}
        return self.from_notebook_node(notebook, resources, **kwargs)


def _rebuilt(course: Any, student: str, assignment: str, name: str) -> tuple[NotebookNode, str]:
    files = _released_files(course, assignment)
    released = {key: _parsed(content) for key, content in files.items()}
    place = _place(course, student, assignment)
    written, why = notebooks_of(place, _release(course, assignment))
    mine = [n for file, n in written if belongs_to(file, n, released) == name]
    skeleton = nbformat.reads(files[name].decode(), as_version=4)
    return rebuild(skeleton, released[name], mine, why), why


def _expect_every_notebook(converter: Any) -> None:
    """Have nbgrader ask for every released notebook of every student, under its own name.

    By itself it takes the files whose names it knows: a renamed notebook, one in a zip or a
    folder without any would be passed over in silence.
    """
    course = converter.coursedir
    wanted = [
        f"{name}.ipynb"
        for name in _released_files(course, course.assignment_id)
        if course.notebook_id in ("*", name)
    ]
    for folder in _handed_in(course):
        converter.assignments[folder] = [os.path.join(folder, name) for name in wanted]


def _handed_in(course: Any) -> Iterator[str]:
    for student in sorted(_students(course)):
        folder = course.format_path(course.submitted_directory, student, course.assignment_id)
        if os.path.isdir(folder):
            yield folder


def _students(course: Any) -> list[str]:
    if course.student_id != "*":
        return [course.student_id]
    top = os.path.join(course.root, course.submitted_directory)
    return [name for name in os.listdir(top) if not name.startswith(".")]


# --- the second pass -------------------------------------------------------------------------


class GradeInJail(NbGraderPreprocessor):
    """Stands where Autograde would execute the notebook, and fills the grade cells' outputs."""

    isolation = Unicode("full", help="full (behind both walls) or none").tag(config=True)
    grade = CallableTrait(
        grade_cells, help="(submission, isolation) -> a line of results.jsonl"
    ).tag(config=True)

    _last: ClassVar[tuple[tuple[str, ...], Mapping[str, Any]] | None] = None

    def preprocess(self, nb: NotebookNode, resources: dict) -> tuple[NotebookNode, dict]:
        """Put the scores into the notebook; the student's code does not run here."""
        line = self._line(resources["nbgrader"]["student"], resources["nbgrader"]["assignment"])
        results = {result["name"]: result for result in line["exercises"]}
        for cell in nb.cells:
            if cell.cell_type != "code":
                continue
            cell.outputs, cell.execution_count = [], None
            if is_grade(cell) and not is_solution(cell):
                _give(cell, results, line)
        return nb, resources

    def _line(self, student: str, assignment: str) -> Mapping[str, Any]:
        """The student's results; several notebooks of one assignment are graded once."""
        converter: Any = self.parent.parent if self.parent else None
        course = converter.coursedir
        release = _release(course, assignment)
        submission = read_submission(_place(course, student, assignment), assignment, release)
        key = (str(course.root), student, assignment, submission.digest, self.isolation)
        last = GradeInJail._last
        if last and last[0] == key:
            return last[1]
        line = self.grade(submission, self.isolation)
        if line["status"] == "not graded":
            raise GraderFailed(f"{student}, {assignment}: {line['message']}")
        GradeInJail._last = (key, line)
        return line


def _give(cell: NotebookNode, results: Mapping[str, Any], line: Mapping[str, Any]) -> None:
    """One grade cell: what was found, then the score as its one result."""
    name = cell.metadata.nbgrader["grade_id"].removeprefix("check-")
    if name not in results:
        raise GraderFailed(
            f"the notebook has a grade cell for {name}, but no exercise of that name was graded"
        )
    result = results[name]
    worth = float(cell.metadata.nbgrader["points"])
    share = result["score"] / result["max_score"] if result["max_score"] else 0.0
    score = round(min(max(share, 0.0), 1.0) * worth, 4)
    cell.execution_count = 1
    cell.outputs = [
        nbformat.v4.new_output("stream", name="stdout", text=_report(result, line)),
        nbformat.v4.new_output(
            "execute_result", data={"text/plain": repr(score)}, execution_count=1
        ),
    ]


def _report(result: Mapping[str, Any], line: Mapping[str, Any]) -> str:
    """What the student reads under a grade cell."""
    lines = [f"{result['name']}: {result['status']}"]
    if line["status"] != "graded":
        lines.append(line["message"])
    lines += [d["message"] for d in result["diagnoses"]]
    told = {d["message"] for d in result["diagnoses"]}
    for check in result["checks"]:
        mark = "✓" if check["passed"] else "✗"
        words = f": {check['message']}" if check["message"] and check["message"] not in told else ""
        lines.append(f"  {mark} {check['name']}{words}")
    return "\n".join(line for line in lines if line) + "\n"
