"""``csnn grade --gradebook DB_URL``: the grades of Autograde, in sqlite or PostgreSQL."""

from __future__ import annotations

import shutil

import pytest

from autograder.sandbox.doctor import refusal
from tests.nbgrader_course import postgres
from tests.nbgrader_course.classroom import QUESTION, A, Classroom, grades

pytestmark = [pytest.mark.nightly, pytest.mark.filterwarnings("ignore")]


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request, tmp_path):
    """A gradebook that is not there yet."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'other.db'}"
        return
    if postgres.programs() is None:
        pytest.skip("no PostgreSQL server here; on Debian: sudo apt-get install postgresql")
    with postgres.server() as address:
        yield address


def test_the_command_writes_what_autograde_writes(room, url, tmp_path):
    """Twice, with a grade by hand in between, which stays."""
    from autograder.records.gradebook import open_gradebook

    room.nbgrader("autograde", A, "--force")
    with open_gradebook(url, "deep-learning") as book:
        book.update_or_create_assignment(A, duedate="2026-03-01 12:00:00 UTC")
    said = grade(room, url, tmp_path)
    assert "15 submissions" in said
    assert f"lost, 1_layers: the answer to '{QUESTION}' was found by its place alone." in said
    assert "of-the-test" not in said, "no password in what is printed"
    other, own = grades(url), grades(room.url)
    assert {k: v["auto"] for k, v in other.items()} == {k: v["auto"] for k, v in own.items()}
    assert {k: v["max"] for k, v in other.items()} == {k: v["max"] for k, v in own.items()}
    with open_gradebook(url) as book:
        late = book.find_submission(A, "wrong")
        assert late.total_seconds_late == 22 * 3600
        assert late.notebooks[0].late_submission_penalty == late.notebooks[0].score > 0
        entry = book.find_grade(QUESTION, "1_layers", A, "right")
        entry.manual_score, entry.needs_manual_grade = 1.5, False
        book.db.commit()
    assert "0 graded now" in grade(room, url, tmp_path)
    entry = grades(url)["right", QUESTION]
    assert entry["manual"] == 1.5
    assert entry["by hand"], "to be looked at again, as after nbgrader's own"


def test_nbgraders_own_commands_work_on_postgresql(empty_room, tmp_path):
    """A course whose settings name a PostgreSQL gradebook, from release to export."""
    if postgres.programs() is None:
        pytest.skip("no PostgreSQL server here; on Debian: sudo apt-get install postgresql")
    shutil.copytree(empty_room.root, tmp_path / "course")
    room = Classroom(tmp_path / "course", empty_room.home)
    for name in ("submitted", "autograded", "feedback", "graded", "release"):
        shutil.rmtree(room.root / name, ignore_errors=True)
    (room.root / "gradebook.db").unlink()
    with postgres.server() as address:
        with open(room.root / "nbgrader_config.py", "a") as config:
            config.write(f'c.CourseDirectory.db_url = "{address}"\n')
        room.nbgrader("generate_assignment", A)
        room.hand_in("ada", {"1_layers.ipynb": room.solution()})
        room.nbgrader("autograde", A)
        found = grades(address)
        checks = [v for (_, name), v in found.items() if name.startswith("check-")]
        assert checks
        assert all(v["auto"] == v["max"] for v in checks)
        room.nbgrader("generate_feedback", A)
        room.nbgrader("export")
        assert "ada" in (room.root / "grades.csv").read_text(encoding="utf-8")
        assert "ada" in room.nbgrader("db", "student", "list")
    assert not (room.root / "gradebook.db").exists()


def grade(room, url: str, tmp_path) -> str:
    """What ``csnn grade`` prints; it must end well."""
    isolation = ["--isolation", "none"] if refusal() else []
    done = room.run(
        *("csnn", "grade", "a2", "submitted", "--out", str(tmp_path / "graded")),
        *("--gradebook", url, *isolation),
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr
