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

import math
import os
import warnings
from collections.abc import Callable, Iterable, Mapping
from functools import lru_cache
from pathlib import Path
from textwrap import wrap
from typing import Any

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
from autograder.notebooks.nbgrader_rubric import configure_pages
from autograder.notebooks.nbgrader_run import Run
from autograder.notebooks.skeleton import belongs_to, matched_by_order, rebuild
from autograder.notebooks.submission import (
    Release,
    Submission,
    notebooks_of,
    read_submission,
    student_id,
)
from autograder.records.words import STATUS_WORDS

GradeCells = Callable[[Submission, str], Mapping[str, Any]]
"""(submission, isolation) → the object of ``results.jsonl`` for it."""


class GraderFailed(Exception):
    """The grader, not the student, is at fault; nothing must be stored."""


def configure(config: Any) -> None:
    """Set Autograde and formgrader up in an nbgrader configuration."""
    # nbgrader's own use of its database; three lines for each student that say nothing to anyone.
    warnings.filterwarnings("ignore", message="Object of type <Submitted")
    config.Autograde.exporter_class = RebuildingExporter
    config.Autograde.autograde_preprocessors = [
        GradeInJail,
        IgnorePattern,
        LimitOutput,
        SaveGrades,
        AssignLatePenalties,
        CheckCellMetadata,
    ]
    configure_pages(config)


def grade_cells(
    submission: Submission, isolation: str, folder: Path | None = None
) -> Mapping[str, Any]:
    """Grade one submission as ``csnn grade`` does: same secret, limits and private cases."""
    from autograder.batch import private_cases
    from autograder.config import case_seed, find_course
    from autograder.course import exercises
    from autograder.job import grade_one

    course = find_course(folder)
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
        "private_cases": private_cases(submission.assignment, course),
    }
    answer = grade_one(job)
    if answer["limited"]:  # the machine may have been busy; once more, as for a class
        answer = grade_one(job)
    return answer["result"]


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
        course, assignment = converter.coursedir, about["assignment"]
        notebooks, _ = rebuilt_notebooks(
            _released_files(course, assignment),
            _place(course, about["student"], assignment),
            _release(course, assignment),
        )
        notebook = notebooks[about["notebook"]]
        for words in matched_by_order(notebook):
            Run.of(converter).remark(about["student"], f"{about['notebook']}: {words}")
        where, name = os.path.split(filename)
        resources["metadata"] = {"name": os.path.splitext(name)[0], "path": where}
        return self.from_notebook_node(notebook, resources, **kwargs)


def rebuilt_notebooks(
    files: Mapping[str, bytes], place: Place, release: Release
) -> tuple[dict[str, NotebookNode], str]:
    """Each released notebook (name → content) with one student's work in it, and why if none."""
    released = {name: _parsed(content) for name, content in files.items()}
    written, why = notebooks_of(place, release)
    mine: dict[str, list[Notebook]] = {name: [] for name in files}
    for file, notebook in written:
        mine[belongs_to(file, notebook, released)].append(notebook)
    rebuilt = {
        name: rebuild(
            nbformat.reads(content.decode(), as_version=4), released[name], mine[name], why
        )
        for name, content in files.items()
    }
    return rebuilt, why


def _expect_every_notebook(converter: Any) -> None:
    """Have nbgrader ask for every released notebook of every student, under its own name.

    By itself it takes the files whose names it knows: a renamed notebook, one in a zip or a
    folder without any would be passed over in silence.
    """
    course, run = converter.coursedir, Run.of(converter)
    wanted = [
        f"{name}.ipynb"
        for name in _released_files(course, course.assignment_id)
        if course.notebook_id in ("*", name)
    ]
    for student in sorted(_students(course)):
        folder = course.format_path(course.submitted_directory, student, course.assignment_id)
        if os.path.isdir(folder):
            converter.assignments[folder] = [os.path.join(folder, name) for name in wanted]
            run.folders[folder] = student


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

    def preprocess(self, nb: NotebookNode, resources: dict) -> tuple[NotebookNode, dict]:
        """Put the scores into the notebook; the student's code does not run here."""
        about = resources["nbgrader"]
        converter: Any = self.parent.parent if self.parent else None
        line = self._line(Run.of(converter), about["student"], about["assignment"])
        bonus = _has_bonus(converter.coursedir, about["assignment"])
        resources["csnn_bonus"] = fill(nb, line, bonus)
        return nb, resources

    def _line(self, run: Run, student: str, assignment: str) -> Mapping[str, Any]:
        """The student's results; several notebooks of one assignment are graded once.

        A class is graded at once and in parallel; a student alone, as formgrader asks, alone.
        """
        key = student_id(student)
        if key not in run.lines and run.is_class and self.grade is grade_cells and not run.lines:
            run.grade_class(assignment, self.isolation)
        if key not in run.lines:
            course = run.course
            place, release = _place(course, student, assignment), _release(course, assignment)
            submission = read_submission(place, assignment, release)
            if self.grade is grade_cells:
                run.lines[key] = grade_cells(submission, self.isolation, Path(course.root))
            else:
                run.lines[key] = self.grade(submission, self.isolation)
        line = run.lines[key]
        if line["status"] == "not graded":
            raise GraderFailed(f"{student}, {assignment}: {line['message']}")
        return line


def _has_bonus(course: Any, assignment: str) -> bool:
    from autograder.config import find_course

    return find_course(Path(course.root)).has_bonus(assignment)


class SaveGrades(SaveAutoGrades):
    """Saves scores as nbgrader does; what a starred exercise earns becomes extra credit."""

    def _add_score(self, cell: NotebookNode, resources: Any) -> None:
        super()._add_score(cell, resources)
        bonus = resources.get("csnn_bonus", {})
        grade_id = cell.metadata.nbgrader["grade_id"]
        if grade_id in bonus:
            grade = self.gradebook.find_grade(
                grade_id, self.notebook_id, self.assignment_id, self.student_id
            )
            grade.extra_credit = bonus[grade_id]
            self.gradebook.db.commit()


def fill(notebook: NotebookNode, line: Mapping[str, Any], bonus: bool) -> dict[str, float]:
    """Put the scores of a line into a notebook's grade cells.

    Returns:
        by grade id, the extra credit of starred exercises, which are worth no points by themselves.
    """
    results = {result["name"]: result for result in line["exercises"]}
    extra: dict[str, float] = {}
    for cell in notebook.cells:
        if cell.cell_type != "code":
            continue
        cell.outputs, cell.execution_count = [], None
        if is_grade(cell) and not is_solution(cell):
            _give(cell, results, line)
            own = cell.metadata.nbgrader
            if not own["points"]:
                result = results[own["grade_id"].removeprefix("check-")]
                extra[own["grade_id"]] = float(result["score"]) if bonus else 0.0
    return extra


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
    if not math.isfinite(share):  # which nbgrader would turn into full marks
        raise GraderFailed(f"the score of {name} is {result['score']}, which is no number")
    score = round(min(max(share, 0.0), 1.0) * worth, 4)
    cell.execution_count = 1
    cell.outputs = [
        nbformat.v4.new_output("stream", name="stdout", text=_report(result, line)),
        nbformat.v4.new_output(
            "execute_result", data={"text/plain": repr(score)}, execution_count=1
        ),
    ]


def _report(result: Mapping[str, Any], line: Mapping[str, Any]) -> str:
    """What the student reads under a grade cell; no line is longer than the page is wide."""
    told = [d["message"] for d in result["diagnoses"]]
    lines = [f"{result['name']}: {STATUS_WORDS.get(result['status'], result['status'])}"]
    lines += _wrapped([line["message"]] if line["status"] != "graded" else [], "")
    lines += _wrapped(told, "")
    checks = []
    for check in result["checks"]:
        mark = "✓" if check["passed"] else "✗"
        words = f": {check['message']}" if check["message"] and check["message"] not in told else ""
        checks.append(f"  {mark} {check['name']}{words}")
    return "\n".join(lines + _wrapped(checks, "      ")) + "\n"


def _wrapped(texts: Iterable[str], indent: str) -> list[str]:
    return [part for text in texts for part in wrap(text, 100, subsequent_indent=indent)]
