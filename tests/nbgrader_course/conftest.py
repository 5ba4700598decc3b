"""One course for all tests here: made by ``csnn course init``, graded by ``nbgrader autograde``."""

from __future__ import annotations

import os
import sys

import pytest

from tests.nbgrader_course.classroom import CONFIG, NOTEBOOK, A, Classroom, hand_in_class


@pytest.fixture(scope="session")
def empty_room(tmp_path_factory):
    """A course as ``csnn course init`` makes it, cut down to one notebook, and generated."""
    from autograder.records.course import make_nbgrader_course
    from autograder.sandbox.doctor import refusal

    base = tmp_path_factory.mktemp("nbgrader")
    (base / "home").mkdir()
    people = (
        "student_id,first_name,last_name,email\nright,Ada,Lovelace,ada@example.org\nabsent,,,\n"
    )
    (base / "class.csv").write_text(people)
    room = Classroom(base / "course", base / "home")
    with pytest.MonkeyPatch.context() as patch:
        # nbgrader starts `alembic` by name: an activated environment has it on its path.
        patch.setenv("PATH", os.path.dirname(sys.executable), prepend=os.pathsep)
        make_nbgrader_course(room.root, "Deep learning", base / "class.csv", [A])
    for extra in (room.root / "source" / A).glob("*.ipynb"):
        if extra.stem != NOTEBOOK:
            extra.unlink()
    with open(room.root / "nbgrader_config.py", "a") as config:
        config.write(CONFIG)
        if refusal():
            config.write('c.GradeInJail.isolation = "none"\n')
    room.nbgrader("generate_assignment", A)
    return room


@pytest.fixture(scope="session")
def room(empty_room):
    """The class has handed in, late or not, and ``nbgrader autograde`` has run once over all."""
    from autograder.records.gradebook import open_gradebook

    with open_gradebook(empty_room.url) as book:
        book.update_or_create_assignment(A, duedate="2026-03-01 12:00:00 UTC")
    hand_in_class(empty_room)
    empty_room.said = empty_room.nbgrader("autograde", A)
    return empty_room
