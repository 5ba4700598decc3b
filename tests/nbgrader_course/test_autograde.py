"""``nbgrader autograde`` over a class: everyone is graded, and as ``results.jsonl`` has it."""

from __future__ import annotations

import json
import re

import nbformat
import pytest
from bs4 import BeautifulSoup

from autograder.notebooks.edition import cut_for
from autograder.notebooks.leaks import forbidden_traces
from autograder.notebooks.manifest import read_manifest
from autograder.records.course import read_students
from autograder.records.gradebook import GradebookError, open_gradebook, write_grades
from tests.nbgrader_course.classroom import (
    NOTEBOOK,
    QUESTION,
    A,
    Classroom,
    grades,
    is_check,
    shown,
    status,
)

pytestmark = pytest.mark.filterwarnings("ignore")  # nbgrader's own are not ours to mend

EVERYONE = {
    *("right", "stub", "wrong", "torn", "doubled", "split", "deleted", "dearer", "warns"),
    *("skips", "dies", "loud", "forges", "oddkeys", "lost"),
}


def points(room: Classroom) -> dict[str, float]:
    cells = filter(is_check, json.loads(room.released())["cells"])
    return {
        c["metadata"]["nbgrader"]["grade_id"]: c["metadata"]["nbgrader"]["points"] for c in cells
    }


def of(room: Classroom, student: str) -> dict[str, float]:
    return {g: v["auto"] for (who, g), v in grades(room.url).items() if who == student}


def test_the_course_has_the_students_of_the_class_list(room):
    with open_gradebook(room.url) as book:
        ada = book.find_student("right")
        assert (ada.first_name, ada.last_name) == ("Ada", "Lovelace")
        assert ada.email == "ada@example.org"
        assert {s.id for s in book.students} == EVERYONE | {"absent"}


def test_the_gradebook_has_the_scores_of_the_results_for_everyone(room):
    found, lines = grades(room.url), room.lines()
    assert set(lines) == EVERYONE
    for student, line in lines.items():
        scores = {f"check-{e['name']}": e["score"] for e in line["exercises"]}
        for grade_id in points(room):
            assert found[student, grade_id]["auto"] == pytest.approx(scores[grade_id], abs=1e-3)


@pytest.mark.parametrize(
    "student",
    [
        "right",
        "doubled",  # duplicated grade cells: stock nbgrader stops the whole run (#1083, #1933)
        "split",  # two cells of the same grade id (#981)
        "deleted",  # no test cells, another kernelspec, a renamed file
        "dearer",  # changed points and grade ids
        "warns",  # stderr costs all points in stock nbgrader (#1492, #1904)
        "loud",  # three megabytes of output
        "oddkeys",  # keys and versions in the metadata that stop stock nbgrader's run
        "lost",  # a question's cell is gone
    ],
)
def test_whose_functions_are_right_has_all_points(room, student):
    scores = of(room, student)
    assert {name: scores[name] for name in points(room)} == points(room)


@pytest.mark.parametrize("student", ["stub", "torn", "skips", "forges"])
def test_who_wrote_nothing_that_can_be_read_has_none(room, student):
    """What is full marks in stock nbgrader: `skips` tagged every cell skip-execution, `forges` has
    test cells that print -1, a word or nothing (and one of 1e9, which fails the submission)."""
    scores = of(room, student)
    assert {scores[name] for name in points(room)} == {0.0}


def test_partial_credit_comes_with_its_message(room):
    """In stock nbgrader a cell gives a number or words, not both (#1399)."""
    scores = of(room, "wrong")
    worth = points(room)["check-affine_backward"]
    assert 0 < scores["check-affine_backward"] < worth
    notebook = nbformat.read(autograded(room, "wrong"), as_version=4)
    (cell,) = [
        c
        for c in notebook.cells
        if c.metadata.get("nbgrader", {}).get("grade_id") == "check-affine_backward"
    ]
    said, result = cell.outputs
    assert "mean" in said.text
    assert float(result.data["text/plain"]) == scores["check-affine_backward"]


def autograded(room, student):
    return room.root / "autograded" / student / A / f"{NOTEBOOK}.ipynb"


def test_a_dead_process_costs_the_exercise_that_killed_it(room):
    """A dead kernel leaves a submission without any grade in stock nbgrader (#427)."""
    scores = of(room, "dies")
    full = points(room)
    assert scores["check-relu_backward"] == 0
    assert scores["check-affine_forward"] == full["check-affine_forward"]


def test_every_grade_cell_has_one_number_and_no_stderr(room):
    for student in EVERYONE:
        notebook = nbformat.read(autograded(room, student), as_version=4)
        cells = [c for c in notebook.cells if is_check(c)]
        assert len(cells) == len(points(room))
        for cell in cells:
            assert [o.output_type for o in cell.outputs] == ["stream", "execute_result"]
            assert cell.outputs[0].name == "stdout"


def test_the_run_says_who_needs_an_eye_and_shows_how_far_it_is(room):
    said = room.said
    assert "need a teacher's eye" in said
    table = said.split("need a teacher's eye")[1]
    assert re.search(r"torn +unreadable", table)
    assert re.search(r"\n +dies +\S", table)
    assert f"the answer to '{QUESTION}' was found by its place alone" in table
    assert f"{len(EVERYONE)}/{len(EVERYONE)}" in said, "a progress bar"


def test_written_answers_wait_for_a_person_unless_there_is_none(room):
    found = grades(room.url)
    assert found["right", QUESTION]["by hand"]
    assert found["deleted", QUESTION]["by hand"]
    assert not found["stub", QUESTION]["by hand"]
    assert found["stub", QUESTION]["score"] == 0


def test_an_answer_whose_cell_is_lost_is_found_by_its_place_and_says_so(room):
    assert grades(room.url)["lost", QUESTION]["by hand"]
    cells = nbformat.read(autograded(room, "lost"), as_version=4).cells
    (place,) = [i for i, c in enumerate(cells) if "zeros switch weights off" in c.source]
    assert cells[place].metadata.nbgrader.grade_id == QUESTION
    assert "was taken for the answer" in cells[place - 1].source


def test_outputs_and_kernels_of_students_do_not_come_through(room):
    assert autograded(room, "loud").stat().st_size < 200_000, "three megabytes were handed in"
    julia = nbformat.read(autograded(room, "deleted"), as_version=4)
    assert julia.metadata.kernelspec.name == "python3"


def test_no_submission_is_left_needing_autograding(room):
    """#1033; formgrader's own words for where everyone stands."""
    found = {student: status(row) for student, row in shown(room).items() if student in EVERYONE}
    assert set(found) == EVERYONE
    without_answer = {"stub", "torn", "skips", "forges"}
    for student, word in found.items():
        expected = "graded" if student in without_answer else "needs manual grading"
        assert word == expected, student


def test_formgrader_the_gradebook_and_the_results_agree_on_everyones_total(room):
    """Partial credit and, for two of them, points by hand included."""
    by_hand = {"warns": 1.25, "split": 0.5}
    with open_gradebook(room.url) as book:
        for student, given in by_hand.items():
            grade = book.find_grade(QUESTION, NOTEBOOK, A, student)
            grade.manual_score, grade.needs_manual_grade = given, False
        book.db.commit()
    rows, lines, found = shown(room), room.lines(), grades(room.url)
    for student in EVERYONE:
        results = {f"check-{e['name']}": e["score"] for e in lines[student]["exercises"]}
        total = sum(results[name] for name in points(room)) + by_hand.get(student, 0)
        book = sum(v["score"] for (who, _), v in found.items() if who == student)
        assert rows[student]["score"] == pytest.approx(total, abs=1e-3), student
        assert book == pytest.approx(total, abs=1e-3), student


def test_csnn_grade_writes_the_same_grades(room, tmp_path):
    url = f"sqlite:///{tmp_path / 'other.db'}"
    from autograder.config import load_course

    lines = [line for _, line in sorted(room.lines().items())]
    course = load_course(room.root / "csnn.toml")
    with open_gradebook(url, "deep-learning") as book:
        book.update_or_create_assignment(A, duedate="2026-03-01 12:00:00 UTC")
    write_grades(lines, room.root / "submitted", A, url, course)
    auto = [{k: v["auto"] for k, v in grades(one).items()} for one in (url, room.url)]
    assert auto[0] == auto[1]
    with open_gradebook(url) as book:
        late = book.find_submission(A, "wrong")
        assert late.total_seconds_late == 22 * 3600
        assert late.notebooks[0].late_submission_penalty == late.notebooks[0].score
        assert late.notebooks[0].score > 0
        with open_gradebook(room.url) as nbgraders:
            same = nbgraders.find_submission(A, "wrong").notebooks[0]
            assert same.late_submission_penalty == late.notebooks[0].late_submission_penalty


@pytest.mark.parametrize("bonus", [False, True])
def test_starred_exercises_count_as_in_the_results(tmp_path, bonus):
    """They are worth nothing in the maximum, and extra credit where the course gives a bonus."""
    from autograder.config import load_course
    from autograder.course import exercises

    (tmp_path / "csnn.toml").write_text(f"bonus = {str(bonus).lower()}\n")
    (tmp_path / "work" / "ada").mkdir(parents=True)
    (tmp_path / "work" / "ada" / "1_layers.ipynb").write_text("{}")
    found = [
        {"name": e.name, "score": e.points, "max_score": e.points, "status": "passed"}
        | {"checks": [], "diagnoses": []}
        for e in exercises(A)
    ]
    core = sum(e.points for e in exercises(A) if e.core)
    total = sum(e.points for e in exercises(A)) if bonus else core
    line = {"student": "ada", "status": "graded", "message": "", "exercises": found}
    url = f"sqlite:///{tmp_path / 'gradebook.db'}"
    write_grades([line], tmp_path / "work", A, url, load_course(tmp_path / "csnn.toml"))
    with open_gradebook(url) as book:
        submission = book.find_submission(A, "ada")
        assert submission.score == pytest.approx(total)
        assert submission.max_code_score == pytest.approx(core)
    assert core < sum(e.points for e in exercises(A))


def test_a_gradebook_that_cannot_be_opened_is_one_sentence():
    for url in ("nonsense", "sqlite:////no/such/folder/gradebook.db"):
        with (
            pytest.raises(GradebookError, match=r"cannot be opened.*sqlite:///FILE"),
            open_gradebook(url),
        ):
            raise AssertionError("it was opened")


def test_manual_grades_late_penalties_feedback_and_export(room):
    """A person grades as formgrader does, then nbgrader goes on from there."""
    with open_gradebook(room.url) as book:
        grade = book.find_grade(QUESTION, NOTEBOOK, A, "right")
        grade.manual_score, grade.needs_manual_grade = 1.5, False
        book.find_comment(QUESTION, NOTEBOOK, A, "right").manual_comment = "Well argued."
        book.db.commit()
        submission = book.find_submission(A, "right")
        assert submission.score == pytest.approx(sum(points(room).values()) + 1.5)
    room.nbgrader("autograde", A, "--student", "right", "--force")
    again = grades(room.url)["right", QUESTION]
    assert again["manual"] == 1.5
    assert again["by hand"], "to be looked at again"
    room.nbgrader("generate_feedback", A)
    pages = {
        s: (room.root / "feedback" / s / A / f"{NOTEBOOK}.html").read_text(encoding="utf-8")
        for s in ("right", "stub", "wrong", "torn", "loud")
    }
    assert "Well argued." in pages["right"]
    assert "mean" in pages["wrong"]
    assert "could not be read" in pages["torn"]
    assert len(pages["loud"]) < 1_000_000
    secret = set(forbidden_traces(A, cut_for(read_manifest(A))).lines)
    for page in (pages["stub"], pages["torn"]):
        text = BeautifulSoup(page, "html.parser").get_text()
        assert not secret & {line.strip() for line in text.splitlines()}, "#917, #1363"
        assert "BEGIN SOLUTION" not in page
        assert "HIDDEN TESTS" not in page
        assert "np.maximum(x, 0)" not in page, "no solution comes back through the feedback"
    room.nbgrader("export")
    rows = (room.root / "grades.csv").read_text(encoding="utf-8").splitlines()
    header = rows[0].split(",")
    table = {
        r["student_id"]: r for r in (dict(zip(header, x.split(","), strict=True)) for x in rows[1:])
    }
    assert float(table["right"]["score"]) == pytest.approx(sum(points(room).values()) + 1.5)
    assert float(table["wrong"]["score"]) == 0, "handed in late"
    assert float(table["wrong"]["late_submission_penalty"]) > 0


def test_a_course_is_completed_and_nothing_of_the_teachers_is_touched(room, tmp_path):
    from autograder.config import ConfigError
    from autograder.records.course import make_nbgrader_course

    folder = tmp_path / "mine"
    folder.mkdir()
    (folder / "nbgrader_config.py").write_text("c = get_config()\n")
    (folder / "csnn.toml").write_text('name = "Mine"\n')
    made = make_nbgrader_course(folder, "ignored", None, ["a1_graphs"])
    assert (folder / "nbgrader_config.py").read_text() == "c = get_config()\n"
    assert "configure" in made.remarks[0]
    assert (folder / "source" / "a1_graphs" / "1_graphs.ipynb").is_file()
    lost = folder / "gradebook.db"
    lost.unlink()
    people = tmp_path / "class.csv"
    people.write_text("id\nada\n")
    again = make_nbgrader_course(folder, "ignored", people, ["a1_graphs"])
    assert again.made == [lost]
    assert again.students == 1
    for text in ("name\nada\n", "id\nada\nada\n", "id\n../x\n"):
        people.write_text(text)
        with pytest.raises(ConfigError, match=r"class\.csv"):
            read_students(people)
