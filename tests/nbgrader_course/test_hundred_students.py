"""One ``nbgrader autograde`` over a hundred students, every tenth of them trouble."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from autograder.planting import replaced
from tests.nbgrader_course.classroom import (
    DIES,
    FORWARD,
    MEAN,
    NOTEBOOK,
    A,
    Classroom,
    grades,
    shown,
    status,
)

pytestmark = [pytest.mark.nightly, pytest.mark.filterwarnings("ignore")]

NAME = f"{NOTEBOOK}.ipynb"
ENDLESS = "def relu_backward(dout, cache):\n    while True:\n        pass\n"


def _torn(folder: Path, right: bytes) -> None:
    (folder / NAME).write_bytes(right[:2000])


def _empty_file(folder: Path, right: bytes) -> None:
    (folder / NAME).write_bytes(b"")


def _empty_folder(folder: Path, right: bytes) -> None:
    pass


def _a_word_document(folder: Path, right: bytes) -> None:
    (folder / "homework.docx").write_bytes(b"PK\x03\x04 no notebook")


def _dangling_link(folder: Path, right: bytes) -> None:
    (folder / NAME).write_bytes(right)
    (folder / "data.csv").symlink_to("/no/such/file")


def _pipe(folder: Path, right: bytes) -> None:
    (folder / NAME).write_bytes(right)
    os.mkfifo(folder / "pipe")


def _folder_of_that_name(folder: Path, right: bytes) -> None:
    (folder / NAME).mkdir()


def _merge_marks(folder: Path, right: bytes) -> None:
    lines = right.splitlines(keepends=True)
    (folder / NAME).write_bytes(b"".join([*lines[:20], b"<<<<<<< HEAD\n", *lines[20:]]))


def _endless(folder: Path, right: bytes) -> None:
    (folder / NAME).write_bytes(replaced({NAME: right}, {"relu_backward": ENDLESS})[NAME])


def _dies(folder: Path, right: bytes) -> None:
    (folder / NAME).write_bytes(replaced({NAME: right}, {"relu_backward": DIES})[NAME])


TROUBLE: dict[str, tuple[Callable[[Path, bytes], None], str]] = {
    "torn": (_torn, "unreadable: .*the file breaks off.*ask for the file again"),
    "empty-file": (_empty_file, "unreadable: .*the file is empty; ask for it again"),
    "empty-folder": (_empty_folder, "empty: .*ask whether the hand-in went through"),
    "word": (_a_word_document, r"missing: No notebook among .* \(homework\.docx\)"),
    "dangling-link": (_dangling_link, "data.csv could not be opened.*not copied.*data.csv"),
    "pipe": (_pipe, "Pipe is no ordinary file"),
    "folder": (_folder_of_that_name, "empty: The folder is empty"),
    "merge-marks": (_merge_marks, "unreadable: .*unresolved git merge"),
    "endless": (_endless, "timeout: relu_backward ran into the time limit"),
    "dies": (_dies, "crashed: relu_backward ended the notebook's process"),
}
HONEST_TROUBLE = {"dangling-link", "pipe"}  # whose work is right all the same


@pytest.fixture(scope="module")
def hundred(empty_room, tmp_path_factory):
    base = tmp_path_factory.mktemp("hundred")
    shutil.copytree(empty_room.root, base / "course")
    room = Classroom(base / "course", empty_room.home)
    shutil.rmtree(room.root / "submitted", ignore_errors=True)
    with open(room.root / "csnn.toml", "a") as settings:
        settings.write("[limits]\ncell_seconds = 2\ncall_seconds = 2\n")
    right, stub = room.solution(), room.released()
    wrong = replaced({NAME: right}, {"affine_forward": FORWARD, "affine_backward": MEAN})[NAME]
    for number in range(100 - len(TROUBLE)):
        work = (right, wrong, stub)[number % 3]
        room.hand_in(f"student-{number:02}", {NAME: work})
    for name, (make, _) in TROUBLE.items():
        make(room.hand_in(name, {}), right)
    room.said = room.nbgrader("autograde", A)
    (base / "said.txt").write_text(room.said)  # for whoever wants to look
    return room


def table(room) -> dict[str, str]:
    """The closing table: student → why."""
    _, head, rows = room.said.rpartition("need a teacher's eye:")
    assert head
    return dict(re.findall(r"^ +(\S+)  +(.+)$", rows, re.MULTILINE))


def test_everyone_is_graded_and_written(hundred):
    found, lines = grades(hundred.url), hundred.lines()
    assert len(lines) == 100
    checks = {grade for _, grade in found if grade.startswith("check-")}
    rows = shown(hundred)
    for student, line in lines.items():
        scores = {f"check-{e['name']}": e["score"] for e in line["exercises"]}
        for grade in checks:
            assert found[student, grade]["auto"] == pytest.approx(scores[grade], abs=1e-3)
        assert status(rows[student]) in ("graded", "needs manual grading")
    full = {found["student-00", grade]["max"] for grade in checks}
    for student in ["student-00", *HONEST_TROUBLE]:
        assert all(found[student, g]["auto"] == found[student, g]["max"] for g in checks), full


def test_a_time_out_and_a_dead_process_cost_their_exercise_and_no_more(hundred):
    """#1033 leaves the first "needs autograding", #427 the second without any grade."""
    rows, found = shown(hundred), grades(hundred.url)
    for student in ("endless", "dies"):
        assert status(rows[student]) == "needs manual grading"
        assert found[student, "check-relu_backward"]["auto"] == 0
        for name in ("affine_forward", "affine_backward", "relu_forward"):
            entry = found[student, f"check-{name}"]
            assert entry["auto"] == entry["max"], (student, name)


def test_the_end_says_in_one_table_who_needs_an_eye_and_why(hundred):
    rows = table(hundred)
    assert set(rows) == set(TROUBLE)
    for student, (_, why) in TROUBLE.items():
        assert re.search(why, rows[student]), (student, rows[student])
    after = hundred.said.rpartition("need a teacher's eye:")[2]
    assert "[AutogradeApp" not in after, "nothing comes after it"


def test_progress_and_time_left_are_shown_all_the_way(hundred):
    """#1456: stock nbgrader shows neither."""
    assert re.search(r"Grading a2_backprop: +\d+%.*\d+/100 \[\d+:\d+<\d+:\d+", hundred.said)
    assert "100/100" in hundred.said
    assert "Student 1 of 100: " in hundred.said
    assert re.search(r"Student 50 of 100: \S+ \(about \d+ s left\)", hundred.said)
    assert "Student 100 of 100: " in hundred.said


def test_a_second_run_does_only_what_is_new(hundred):
    right = hundred.solution()
    hundred.hand_in("zoe", {NAME: right})
    said = hundred.nbgrader("autograde", A)
    assert said.count("Skipping existing assignment") == 100
    assert "Student 1 of 101: zoe" in said
    found = {grade: v for (who, grade), v in grades(hundred.url).items() if who == "zoe"}
    assert all(v["auto"] == v["max"] for g, v in found.items() if g.startswith("check-"))


def test_the_feedback_of_a_hundred_is_written(hundred):
    hundred.nbgrader("generate_feedback", A)
    pages = list((hundred.root / "feedback").glob(f"*/{A}/{NAME.replace('ipynb', 'html')}"))
    assert len(pages) >= 100
