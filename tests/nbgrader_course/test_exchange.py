"""nbgrader's exchange and Validate: released, fetched, validated, submitted, collected."""

from __future__ import annotations

import shutil

import pytest

from autograder.records.gradebook import open_gradebook
from tests.nbgrader_course.classroom import NOTEBOOK, A, Classroom, grades

pytestmark = [pytest.mark.nightly, pytest.mark.filterwarnings("ignore")]


def test_from_release_to_released_feedback(empty_room, tmp_path):
    shutil.copytree(empty_room.root, tmp_path / "course")
    for folder in ("submitted", "autograded", "feedback", "graded"):
        shutil.rmtree(tmp_path / "course" / folder, ignore_errors=True)
    exchange, desk = tmp_path / "exchange", tmp_path / "desk"
    exchange.mkdir()
    exchange.chmod(0o777)
    desk.mkdir()
    place = f'c.Exchange.root = "{exchange}"\n'
    teacher = Classroom(tmp_path / "course", empty_room.home)
    with open(teacher.root / "nbgrader_config.py", "a") as config:
        config.write(place)
    (desk / "nbgrader_config.py").write_text(
        f'c = get_config()\n{place}c.CourseDirectory.course_id = "deep-learning"\n'
    )
    student = Classroom(desk, empty_room.home)
    student.environment["JUPYTER_CONFIG_DIR"] = str(tmp_path / "jupyter")

    teacher.nbgrader("release_assignment", A)
    assert A in student.nbgrader("list")
    student.nbgrader("fetch_assignment", A)
    notebook = desk / A / f"{NOTEBOOK}.ipynb"
    assert notebook.read_bytes() == teacher.released()
    assert (desk / A / "cs_nn" / "__init__.py").is_file(), "the edition comes with it"
    said = student.nbgrader("validate", notebook.name, cwd=desk / A)
    assert "failed" in said.lower()
    notebook.write_bytes(teacher.solution())
    said = student.nbgrader("validate", notebook.name, cwd=desk / A)
    assert "Success! Your notebook passes all the tests." in said

    student.nbgrader("submit", A)
    teacher.nbgrader("collect", A)
    (who,) = [path.name for path in (teacher.root / "submitted").iterdir()]
    teacher.nbgrader("autograde", A)
    found = {grade: v for (s, grade), v in grades(teacher.url).items() if s == who}
    assert all(v["auto"] == v["max"] for name, v in found.items() if name.startswith("check-"))
    with open_gradebook(teacher.url) as book:
        assert book.find_submission(A, who).timestamp is not None
    teacher.nbgrader("generate_feedback", A)
    teacher.nbgrader("release_feedback", A)
    student.nbgrader("fetch_feedback", A)
    assert list((desk / A / "feedback").rglob(f"{NOTEBOOK}.html"))
    assert who in teacher.nbgrader("db", "student", "list")
