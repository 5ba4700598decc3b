"""Our results in nbgrader's gradebook, by nbgrader's own hands.

For each student the released notebook is rebuilt around what was handed in, its grade cells get
our scores as their outputs, and nbgrader's preprocessors save them: what formgrader then shows is
what ``nbgrader autograde`` would have left, manual grades and comments included.
"""

from __future__ import annotations

import os
import shutil
import sys
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from autograder.config import Course

if TYPE_CHECKING:
    from nbgrader.api import Gradebook

Progress = Callable[[int, int, Mapping[str, Any] | None], None]


class GradebookError(Exception):
    """The gradebook cannot be used; one sentence with a remedy."""


@contextmanager
def open_gradebook(url: str, course: str = "default_course") -> Iterator[Gradebook]:
    """nbgrader's gradebook; made if it is not there.

    Args:
        url: as SQLAlchemy has them: ``sqlite:///…/gradebook.db``, ``postgresql://user@host/db``.

    Raises:
        GradebookError: if it cannot be opened.
    """
    with warnings.catch_warnings():
        # nbgrader's own use of SQLAlchemy and of its configuration is not ours to mend.
        warnings.simplefilter("ignore")
        from nbgrader.api import Gradebook
    from sqlalchemy.exc import SQLAlchemyError

    shown = _without_password(url)
    _find_alembic()
    try:
        book = Gradebook(url, course)
    except ModuleNotFoundError as error:
        raise GradebookError(
            f"{shown} needs the Python package {error.name}; install it with pip."
        ) from None
    except FileNotFoundError:
        raise _no_alembic() from None
    except SQLAlchemyError as error:
        reason = str(getattr(error, "orig", None) or error).strip().split("\n")[0]
        raise GradebookError(
            f"The gradebook {shown} cannot be opened ({reason}); name it as "
            "sqlite:///FILE or postgresql://USER@HOST/DATABASE."
        ) from None
    try:
        yield book
    finally:
        book.close()


def write_grades(
    lines: Sequence[Mapping[str, Any]],
    submissions: Path,
    assignment: str,
    url: str,
    course: Course,
    progress: Progress | None = None,
) -> list[str]:
    """Write a class's results, one student after the other: sqlite takes one writer.

    Grades entered by hand stay, marked to be looked at again, as after ``nbgrader autograde``.

    Args:
        lines: of ``results.jsonl``; what the grader itself failed on is left out.

    Returns:
        What a teacher should look at: answers in words whose cells were lost, a line each.

    Raises:
        GradebookError: if the gradebook cannot be used, or holds other cells than the notebooks.
    """
    from autograder.notebooks.submission import find_submissions
    from autograder.records.course import course_id

    name = course_id(course.name) if course.folder else "default_course"
    places = dict(find_submissions(submissions, assignment))
    graded = [line for line in lines if line["status"] != "not graded"]
    tell = progress or (lambda *_: None)
    remarks: list[str] = []
    with open_gradebook(url, name) as book:
        writer = _Writer(book, url, assignment, course.has_bonus(assignment), course.folder)
        tell(0, len(graded), None)
        for done, line in enumerate(graded, 1):
            found = writer.write(line, places[line["student"]])
            remarks += [f"{line['student']}, {words}" for words in found]
            tell(done, len(graded), line)
    return remarks


class _Writer:
    """One assignment in one gradebook."""

    def __init__(
        self, book: Gradebook, url: str, assignment: str, bonus: bool, folder: Path | None
    ) -> None:
        from autograder.notebooks.submission import Release

        self.book, self.url, self.assignment, self.bonus = book, url, assignment, bonus
        self.config = _settings(folder)
        self.files = _released(assignment, folder)
        named = {f"{name}.ipynb": content for name, content in self.files.items()}
        self.release = Release.of(assignment, named)
        self._same_cells()

    def write(self, line: Mapping[str, Any], place: Any) -> list[str]:
        from autograder.notebooks.nbgrader_hook import (
            AssignLatePenalties,
            SaveGrades,
            fill,
            rebuilt_notebooks,
        )
        from autograder.notebooks.skeleton import matched_by_order

        who = _nbgraders_name(place)
        self.book.update_or_create_student(who)
        stamp = _timestamp(place.path)
        known: dict = {"timestamp": stamp} if stamp else {}
        self.book.update_or_create_submission(self.assignment, who, **known)
        remarks: list[str] = []
        for name, notebook in rebuilt_notebooks(self.files, place, self.release)[0].items():
            remarks += [f"{name}: {words}" for words in matched_by_order(notebook)]
            about = {
                "student": who,
                "assignment": self.assignment,
                "notebook": name,
                "db_url": self.url,
            }
            resources: Any = {"nbgrader": about, "csnn_bonus": fill(notebook, line, self.bonus)}
            for step in (SaveGrades, AssignLatePenalties):
                step(config=self.config).preprocess(notebook, resources)
        return remarks

    def _same_cells(self) -> None:
        """Enter the assignment where it is new; where it is not, it must be the same."""
        import nbformat
        from nbgrader.api import MissingEntry
        from nbgrader.preprocessors import SaveCells

        self.book.update_or_create_assignment(self.assignment)
        for name, content in self.files.items():
            notebook = nbformat.reads(content.decode(), as_version=4)
            own = [c.metadata.nbgrader for c in notebook.cells if "nbgrader" in c.metadata]
            cells = {o.grade_id for o in own if o.grade}
            try:
                known = self.book.find_notebook(name, self.assignment)
            except MissingEntry:
                about = {"notebook": name, "assignment": self.assignment, "db_url": self.url}
                resources: Any = {"nbgrader": about}
                SaveCells().preprocess(notebook, resources)
                self.book.db.expire_all()
                continue
            if {cell.name for cell in known.grade_cells} != cells:
                raise GradebookError(
                    f"The gradebook holds other cells of {name} than its notebook; run 'nbgrader "
                    f"generate_assignment {self.assignment} --force' or name another gradebook."
                )


def _settings(folder: Path | None) -> Any:
    """The course's ``nbgrader_config.py``, for its rules about lateness."""
    from traitlets.config import Config
    from traitlets.config.loader import PyFileConfigLoader

    file = (folder or Path()) / "nbgrader_config.py"
    if folder is None or not file.is_file():
        return Config()
    return PyFileConfigLoader(file.name, path=str(folder)).load_config()


def _released(assignment: str, folder: Path | None) -> dict[str, bytes]:
    """The released notebooks by name: the course's own where nbgrader has generated them."""
    from autograder.notebooks.text import student_edition_of
    from autograder.records.course import nbgrader_notebooks

    release = folder / "release" / assignment if folder else Path("/nowhere")
    there = sorted(release.glob("*.ipynb"))
    if there:
        return {path.stem: path.read_bytes() for path in there}
    return {n.name: student_edition_of(n.solution, n.name) for n in nbgrader_notebooks(assignment)}


def _nbgraders_name(place: Any) -> str:
    """The id as nbgrader has it: the folder's name, where the submission lies in a folder."""
    path = Path(place.path)
    if path.is_dir() and (path.parent.parent.name == "submitted"):
        return path.parent.name
    return str(place.student)


def _timestamp(path: str) -> str:
    """When it was handed in, as the exchange or the LMS wrote it down; "" where nobody did."""
    try:
        with open(os.path.join(path, "timestamp.txt"), encoding="utf-8") as stream:
            return stream.read(200).strip()
    except (OSError, UnicodeDecodeError):
        return ""


def _find_alembic() -> None:
    """nbgrader starts ``alembic`` by name; it lies beside our interpreter, activated or not."""
    scripts = os.path.dirname(sys.executable)
    if shutil.which("alembic") is None and shutil.which("alembic", path=scripts):
        os.environ["PATH"] = os.pathsep.join([scripts, os.environ.get("PATH", "")])


def _no_alembic() -> GradebookError:
    return GradebookError(
        "nbgrader starts 'alembic' by name and it is not on the path; activate the Python "
        "environment first."
    )


def _without_password(url: str) -> str:
    from sqlalchemy.engine import make_url
    from sqlalchemy.exc import ArgumentError

    try:
        return make_url(url).render_as_string(hide_password=True)
    except ArgumentError:
        return repr(url)
