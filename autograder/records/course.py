"""A course that nbgrader's own commands and formgrader accept, made or completed.

The folder holds ``csnn.toml`` and the secret, ``nbgrader_config.py`` with our reading and grading
in it, ``source/`` with what becomes the release, and ``gradebook.db`` with the students.
"""

from __future__ import annotations

import csv
import json
import re
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from autograder.config import COURSE_FILE, ConfigError, load_course, make_course
from autograder.notebooks.manifest import ROOT, written_assignments
from autograder.notebooks.text import Built, build_notebooks
from autograder.records.files import make_folder, write_whole

CONFIG_FILE = "nbgrader_config.py"
GRADEBOOK = "gradebook.db"
STUDENT_COLUMNS = ("id", "first_name", "last_name", "email", "lms_user_id")
"""What nbgrader keeps of a student; ``id`` is the one a CSV must have."""

_CONFIG = """\
# nbgrader's settings: https://nbgrader.readthedocs.io/en/stable/configuration/config_options.html
from pathlib import Path

from autograder.notebooks.nbgrader_hook import configure

c = get_config()  # noqa: F821 - nbgrader defines it
c.CourseDirectory.course_id = {course_id}
c.CourseDirectory.root = str(Path(__file__).resolve().parent)

# Read whatever students hand in, and grade behind walls instead of in their own kernel.
configure(c)
# c.GradeInJail.isolation = "none"  # without walls, where 'csnn doctor' finds none
"""


@dataclass
class Made:
    """What `make_nbgrader_course` did: files made, files left as they were, words for a teacher."""

    made: list[Path] = field(default_factory=list)
    kept: list[Path] = field(default_factory=list)
    students: int = 0
    remarks: list[str] = field(default_factory=list)


def make_nbgrader_course(
    folder: Path,
    name: str,
    students: Path | None = None,
    assignments: Sequence[str] | None = None,
    root: Path = ROOT,
) -> Made:
    """Make a course for nbgrader, or add what an existing one lacks.

    A file that is there stays as it is: a teacher may have changed it.

    Args:
        students: a CSV with a column ``id`` (or ``student_id``) and, if wanted, ``first_name``,
            ``last_name``, ``email`` and ``lms_user_id``. Who is in the gradebook already is
            brought up to date.
        assignments: whose sources to write; by default all that have notebooks.

    Raises:
        ConfigError: if the CSV or the course's settings are wrong, or the folder is closed.
    """
    rows = read_students(students) if students else []
    done = Made()
    if (folder / COURSE_FILE).is_file():
        course = load_course(folder / COURSE_FILE)
        done.kept.append(folder / COURSE_FILE)
    else:
        course = make_course(folder, name)
        done.made.append(folder / COURSE_FILE)
    course.secret()
    config = _CONFIG.format(course_id=json.dumps(course_id(course.name)))
    _put(folder / CONFIG_FILE, config.encode(), done)
    if "nbgrader_hook" not in (folder / CONFIG_FILE).read_text(encoding="utf-8"):
        done.remarks.append(
            f"{folder / CONFIG_FILE} was there before and does not call our 'configure': add "
            "'from autograder.notebooks.nbgrader_hook import configure' and 'configure(c)' to it."
        )
    for assignment in assignments or written_assignments(root):
        there = folder / "source" / assignment
        if (there / "release.json").is_file():  # written last
            done.kept.append(there)
            continue
        for path, content in _sources(assignment, course.hints_for(assignment), root).items():
            _put(there / path, content, done)
    done.students = _enter_students(folder / GRADEBOOK, course_id(course.name), rows, done)
    return done


def course_id(name: str) -> str:
    """A name fit for nbgrader's exchange, where it becomes part of paths."""
    return re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-") or "course"


def read_students(file: Path) -> list[Mapping[str, str]]:
    """The rows of a class list.

    Raises:
        ConfigError: naming the file, the line and what is wrong there.
    """
    try:
        with open(file, encoding="utf-8-sig", newline="") as stream:
            reader = csv.DictReader(stream, skipinitialspace=True)
            columns = [(one or "").strip() for one in reader.fieldnames or []]
            reader.fieldnames = ["id" if one == "student_id" else one for one in columns]
            rows = [(reader.line_num, row) for row in reader]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise ConfigError(f"The class list {file} cannot be read ({error}).") from None
    if "id" not in (reader.fieldnames or []):
        raise ConfigError(f"{file} needs a first line that names its columns, one of them 'id'.")
    people: dict[str, Mapping[str, str]] = {}
    for number, row in rows:
        kept = {key: (row.get(key) or "").strip() for key in STUDENT_COLUMNS}
        who = kept["id"]
        if not who or who.startswith(".") or "/" in who or "+" in who:
            # nbgrader's exchange parts names at '+', and an id becomes the name of a folder.
            raise ConfigError(f"{file}, line {number}: {who!r} cannot be a student's id.")
        if who in people:
            raise ConfigError(f"{file}, line {number}: {who} is there twice.")
        people[who] = {key: value for key, value in kept.items() if value}
    return list(people.values())


def nbgrader_notebooks(assignment: str, root: Path = ROOT) -> list[Built]:
    """The notebooks as nbgrader counts them: starred exercises carry no points there.

    Their points are extra credit (`autograder.notebooks.nbgrader_hook`) where the course gives
    a bonus, so that the totals of the gradebook are those of ``results.jsonl``.
    """
    from autograder.course.curriculum import by_name

    plan = by_name()
    starred = {f"check-{name}" for name, entry in plan.items() if not entry.core}
    return [
        Built(n.name, _worth_nothing(n.solution, starred), n.student, n.exercises)
        for n in build_notebooks(assignment, root)
    ]


def _worth_nothing(notebook: bytes, starred: set[str]) -> bytes:
    data = json.loads(notebook)
    for cell in data["cells"]:
        own = cell["metadata"].get("nbgrader", {})
        if own.get("grade_id") in starred:
            own["points"] = 0
    return (json.dumps(data, indent=1, ensure_ascii=False) + "\n").encode()


def _sources(assignment: str, hints: str, root: Path) -> dict[str, bytes]:
    """What nbgrader releases: the solutions, which it clears, and all that lies beside them."""
    from autograder.notebooks.release import release

    files = {f"{n.name}.ipynb": n.solution for n in nbgrader_notebooks(assignment, root)}
    with tempfile.TemporaryDirectory(prefix="csnn-source-") as scratch:
        beside = Path(scratch) / "release"
        for path in release(assignment, beside, hints=hints, root=root):
            files.setdefault(path.as_posix(), (beside / path).read_bytes())
    files["release.json"] = files.pop("release.json")
    return files


def _put(file: Path, content: bytes, done: Made) -> None:
    if file.exists():
        done.kept.append(file)
        return
    make_folder(file.parent)
    write_whole(file, content)
    done.made.append(file)


def _enter_students(file: Path, course: str, rows: Sequence[Mapping[str, str]], done: Made) -> int:
    from autograder.records.gradebook import open_gradebook

    (done.kept if file.exists() else done.made).append(file)
    with open_gradebook(f"sqlite:///{file.resolve()}", course) as book:
        for row in rows:
            known: dict = {key: value for key, value in row.items() if key != "id"}
            book.update_or_create_student(row["id"], **known)
        return len(book.students)
