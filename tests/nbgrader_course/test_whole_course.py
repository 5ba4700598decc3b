"""``csnn course init`` for the whole course, and nbgrader's commands about it."""

from __future__ import annotations

import os
import re
import shutil

import pytest

from autograder.notebooks.manifest import read_manifest, written_assignments
from autograder.planting import replaced
from tests.nbgrader_course.classroom import A, Classroom, grades

pytestmark = [pytest.mark.nightly, pytest.mark.filterwarnings("ignore")]


def test_every_assignment_is_made_and_generated(empty_room, tmp_path):
    """By the commands alone: no file is touched between init and generate_assignment."""
    (tmp_path / "class.csv").write_text("id,last_name\nada,Lovelace\ngrace,Hopper\n")
    outside = Classroom(tmp_path, empty_room.home)
    done = outside.run(
        *("csnn", "course", "init", "dl", "--name", "Deep learning, autumn"),
        *("--students", "class.csv"),
    )
    assert done.returncode == 0, done.stderr
    room = Classroom(tmp_path / "dl", empty_room.home)
    assert "Gradebook:   dl/gradebook.db: 2 students" in done.stdout
    for name in ("csnn.toml", "nbgrader_config.py", "gradebook.db", ".csnn-secret"):
        assert (room.root / name).is_file()
    for assignment in written_assignments():
        said = room.nbgrader("generate_assignment", assignment)
        assert "ERROR" not in said
        plans = read_manifest(assignment).notebooks
        made = {path.stem for path in (room.root / "release" / assignment).glob("*.ipynb")}
        assert made == {plan.name for plan in plans}
        assert (room.root / "release" / assignment / "cs_nn" / "__init__.py").is_file()
        text = "".join(
            path.read_text(encoding="utf-8")
            for path in (room.root / "release" / assignment).glob("*.ipynb")
        )
        assert "BEGIN SOLUTION" not in text
        assert "HIDDEN TESTS" not in text
        assert "*Rubric.*" not in text
    listed = room.nbgrader("db", "assignment", "list")
    assert all(assignment in listed for assignment in written_assignments())


def test_nbgraders_database_commands(empty_room, tmp_path):
    """Students and assignments added, listed, imported, removed; the schema upgraded."""
    room = Classroom(tmp_path / "course", empty_room.home)
    shutil.copytree(empty_room.root, room.root)
    room.nbgrader("db", "student", "add", "mary", "--first-name=Mary", "--last-name=Shaw")
    (room.root / "more.csv").write_text("id,first_name,last_name,email\nemmy,Emmy,Noether,\n")
    room.nbgrader("db", "student", "import", "more.csv")
    listed = room.nbgrader("db", "student", "list")
    assert "mary (Shaw, Mary)" in listed
    assert "emmy (Noether, Emmy)" in listed
    assert "right (Lovelace, Ada)" in listed, "who came with the class list is still there"
    room.nbgrader("db", "student", "remove", "mary")
    assert "mary" not in room.nbgrader("db", "student", "list")
    room.nbgrader("db", "assignment", "add", "oral", "--duedate=2026-07-01 12:00 UTC")
    (room.root / "exams.csv").write_text("name,duedate\nfinal,2026-07-08 12:00 UTC\n")
    room.nbgrader("db", "assignment", "import", "exams.csv")
    listed = room.nbgrader("db", "assignment", "list")
    assert {"oral", "final", A} <= set(re.findall(r"^(\w+)", listed, re.MULTILINE))
    room.nbgrader("db", "assignment", "remove", "oral")
    assert "oral" not in room.nbgrader("db", "assignment", "list")
    room.nbgrader("db", "upgrade")
    room.hand_in("emmy", {"1_layers.ipynb": room.solution()})
    room.nbgrader("autograde", A)
    found = {grade: v for (who, grade), v in grades(room.url).items() if who == "emmy"}
    assert all(v["auto"] == v["max"] for name, v in found.items() if name.startswith("check-"))


MEETING = """def relu_forward(x):
    return np.maximum(x, 0), x


import time
from pathlib import Path

Path("{mine}").touch()
end = time.monotonic() + 50
while not Path("{theirs}").exists() and time.monotonic() < end:
    time.sleep(0.05)
if not Path("{theirs}").exists():
    raise RuntimeError("nobody else is graded now")
"""


def test_a_class_is_graded_in_parallel(empty_room, tmp_path):
    """#174. Two notebooks wait for one another; graded one by one they would wait in vain."""
    if (os.cpu_count() or 1) < 2:
        pytest.skip("one core grades one student at a time")
    room = Classroom(tmp_path / "course", empty_room.home)
    shutil.copytree(empty_room.root, room.root)
    shutil.rmtree(room.root / "submitted", ignore_errors=True)
    with open(room.root / "csnn.toml", "a") as settings:
        settings.write("[limits]\ncell_seconds = 60\n")
    with open(room.root / "nbgrader_config.py", "a") as config:
        # Behind the walls they could not meet.
        config.write('c.GradeInJail.isolation = "none"\n')
    name = "1_layers.ipynb"
    for mine, theirs in (("one", "two"), ("two", "one")):
        code = MEETING.format(mine=tmp_path / mine, theirs=tmp_path / theirs)
        work = replaced({name: room.solution()}, {"relu_forward": code})
        room.hand_in(mine, work)
    room.nbgrader("autograde", A)
    lines = room.lines()
    assert {line["message"] for line in lines.values()} == {""}, "nobody waited in vain"
