"""``nbgrader autograde`` on a real course: our reading, our grading, nbgrader's gradebook."""

import json
import logging
import os
import shutil
import sys
import zipfile

import nbformat
import pytest
from nbgrader.utils import determine_grade

from autograder.notebooks.cells import parse_notebook
from autograder.notebooks.nbgrader_hook import GraderFailed, fill
from autograder.notebooks.skeleton import belongs_to, matched_by_order, rebuild
from autograder.notebooks.submission import Release, notebooks_of, read_submission
from autograder.notebooks.text import build_notebooks
from autograder.planting import replaced

A = "a2_backprop"

pytestmark = pytest.mark.filterwarnings("ignore")  # nbgrader's own are not ours to mend


@pytest.fixture(scope="module")
def built():
    (first, *_) = build_notebooks(A)
    return first


FORWARD = """def affine_forward(x, w, b):
    return x.reshape(len(x), -1) @ w + b, (x, w)
"""
MEAN = """def affine_backward(dout, cache):
    x, w = cache
    rows = x.reshape(len(x), -1)
    return (dout @ w.T).reshape(x.shape), rows.T @ dout, dout.mean(axis=0)
"""


class Course:
    """An nbgrader course on disk."""

    def __init__(self, root, built):
        from nbgrader.apps import NbGraderAPI
        from traitlets.config import Config

        from autograder.notebooks.nbgrader_hook import configure

        self.root, self.built = root, built
        self.config = Config()
        self.config.CourseDirectory.root = str(root)
        self.config.Exchange.root = str(root)
        configure(self.config)
        self.config.GradeInJail.isolation = "none"
        self.api = NbGraderAPI

    def run(self):
        return self.api(config=self.config)

    def hand_in(self, student, files):
        folder = self.root / "submitted" / student / A
        folder.mkdir(parents=True)
        for name, content in files.items():
            (folder / name).write_bytes(content)
        return folder

    def autograde(self, student):
        return self.run().autograde(A, student, force=True)

    def scores(self, student):
        from nbgrader.api import Gradebook

        with Gradebook(f"sqlite:///{self.root / 'gradebook.db'}") as book:
            submission = book.find_submission(A, student)
            grades = [g for n in submission.notebooks for g in n.grades]
            return {g.name.removeprefix("check-"): g.auto_score for g in grades}

    def autograded(self, student):
        path = self.root / "autograded" / student / A / f"{self.built.name}.ipynb"
        return nbformat.read(path, as_version=4)


@pytest.fixture(scope="module")
def generated(tmp_path_factory, built):
    """A course with the assignment generated, to be copied."""
    root = tmp_path_factory.mktemp("generated") / "course"
    (root / "source" / A).mkdir(parents=True)
    (root / "source" / A / f"{built.name}.ipynb").write_bytes(built.solution)
    (root / "csnn.toml").write_text('name = "test"\n')
    with pytest.MonkeyPatch.context() as patch:
        # nbgrader starts `alembic` by name: an activated environment has it on its path.
        patch.setenv("PATH", os.path.dirname(sys.executable), prepend=os.pathsep)
        assert Course(root, built).run().generate_assignment(A)["success"]
    return root


@pytest.fixture
def course(tmp_path, built, generated, monkeypatch):
    monkeypatch.setenv("PATH", os.path.dirname(sys.executable), prepend=os.pathsep)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    shutil.copytree(generated, tmp_path / "course")
    return Course(tmp_path / "course", built)


def full(built):
    cells = json.loads(built.student)["cells"]
    grade = [c["metadata"]["nbgrader"] for c in cells if "nbgrader" in c["metadata"]]
    return {
        g["grade_id"].removeprefix("check-"): g["points"]
        for g in grade
        if g["grade"] and not g["solution"]
    }


def mangled(built):
    """The solution as students mangle it: metadata gone, checks copied and deleted, a skip tag."""
    data = json.loads(built.solution)
    for cell in data["cells"]:
        cell["metadata"] = {"tags": ["skip-execution"]}
        cell.pop("id")
    checks = [c for c in data["cells"] if "check(" in "".join(c["source"])]
    for cell in checks[::2]:
        data["cells"].remove(cell)
    data["cells"] += checks
    data["cells"].append({"cell_type": "code", "source": "5.0", "metadata": {}, "outputs": []})
    data["metadata"] = {}
    return json.dumps(data).encode()


def test_scores_are_ours_whatever_was_handed_in(course, built, tmp_path):
    points = full(built)
    planted = {"affine_forward": FORWARD, "affine_backward": MEAN}
    wrong = replaced({built.name: built.solution}, planted)[built.name]
    archive = tmp_path / "work.zip"
    with zipfile.ZipFile(archive, "w") as file:
        file.writestr("my work/a2.ipynb", built.solution)
    name = f"{built.name}.ipynb"
    course.hand_in("alice", {name: built.solution})
    course.hand_in("bob", {name: built.student})
    course.hand_in("carol", {"final FINAL (2).ipynb": mangled(built)})
    course.hand_in("dave", {name: built.solution[:3000]})
    course.hand_in("erin", {"work.zip": archive.read_bytes(), "other.ipynb": b"{}"})
    course.hand_in("frank", {name: wrong})
    for student in ("alice", "bob", "carol", "dave", "erin", "frank"):
        result = course.autograde(student)
        assert result["success"], (student, result)
    for student in ("alice", "carol", "erin"):
        scores = course.scores(student)
        assert {name: scores[name] for name in points} == points, student
    for student in ("bob", "dave"):
        scores = course.scores(student)
        assert {scores[name] for name in points} == {0.0}, student
    frank = course.scores("frank")
    assert 0 < frank["affine_backward"] < points["affine_backward"]
    assert frank["affine_forward"] == points["affine_forward"]
    assert "could not be read" in course.autograded("dave").cells[0].source
    text = json.dumps(course.autograded("frank"), ensure_ascii=False)
    assert "db" in text
    for student in ("alice", "dave", "frank"):
        for cell in course.autograded(student).cells:
            if cell.metadata.get("nbgrader", {}).get("grade") and cell.cell_type == "code":
                kinds = [o.output_type for o in cell.outputs]
                assert kinds == ["stream", "execute_result"]
                assert cell.outputs[0].name == "stdout"
                float(cell.outputs[1].data["text/plain"])


PRIVATE = """
import numpy as np
from autograder.exercise import Case

def only_here(rng):
    return [Case("a number that only the teacher knows", {"x": np.full((2, 2), 1234.5)}, "private")]

CASES = {"relu_forward": only_here}
"""
BUT_FOR_ONE = "def relu_forward(x):\n    return np.where(x == 1234.5, 0, np.maximum(0, x)), x\n"


def test_a_student_graded_alone_meets_the_teachers_private_cases_too(course, built):
    """Formgrader's button grades one student; the score must be that of the class's run."""
    (course.root / "csnn.toml").write_text('name = "test"\noverlay = "private"\n')
    (course.root / "private").mkdir()
    (course.root / "private" / f"{A}.py").write_text(PRIVATE)
    work = replaced({built.name: built.solution}, {"relu_forward": BUT_FOR_ONE})[built.name]
    course.hand_in("alice", {f"{built.name}.ipynb": work})
    assert course.autograde("alice")["success"]
    assert course.scores("alice")["relu_forward"] < full(built)["relu_forward"]
    assert course.scores("alice")["affine_forward"] == full(built)["affine_forward"]


def line_for(built, **changes):
    exercises = [
        {"name": n, "score": p, "max_score": p, "status": "passed", "checks": [], "diagnoses": []}
        for n, p in full(built).items()
    ]
    return {"status": "graded", "message": "", "exercises": exercises} | changes


def raising(submission, isolation):
    raise OSError("the wall fell")


def test_a_failure_of_the_grader_stores_nothing(course, built):
    course.hand_in("alice", {f"{built.name}.ipynb": built.solution})
    answers = [
        raising,
        lambda submission, isolation: line_for(built, status="not graded", message="no jail"),
        lambda submission, isolation: line_for(built, exercises=[]),
    ]
    logging.getLogger("traitlets").setLevel(logging.CRITICAL)
    for answer in answers:
        course.config.GradeInJail.grade = answer
        assert not course.autograde("alice")["success"]
        assert set(course.scores("alice").values()) <= {None, 0.0}
        assert not (course.root / "autograded" / "alice" / A).exists()


def test_points_of_the_notebook_scale_the_share(course, built):
    line = line_for(built)
    for result in line["exercises"]:
        result["score"], result["max_score"] = 1.5, 2
    course.config.GradeInJail.grade = lambda submission, isolation: line
    course.hand_in("alice", {f"{built.name}.ipynb": built.solution})
    assert course.autograde("alice")["success"]
    scores = course.scores("alice")
    assert {n: scores[n] for n in full(built)} == {n: 0.75 * p for n, p in full(built).items()}


@pytest.mark.parametrize(
    ("share", "given"),
    [(1.7, 1.0), (-0.5, 0.0), (0.25, 0.25), (1e-9, 0.0)],
)
def test_a_score_is_one_number_between_nothing_and_the_points(built, share, given):
    """Above the maximum fails a submission in nbgrader; below zero is full marks."""
    notebook = nbformat.reads(built.student.decode(), as_version=4)
    line = line_for(built)
    for result in line["exercises"]:
        result["score"] = share * result["max_score"]
    fill(notebook, line, False)
    for cell in notebook.cells:
        own = cell.metadata.get("nbgrader", {})
        if own.get("grade") and cell.cell_type == "code":
            assert determine_grade(cell) == (pytest.approx(given * own["points"]), own["points"])


def test_what_is_said_below_a_grade_cell_fits_the_page(built):
    """Outputs are not wrapped by browsers: what is too long is cut off."""
    notebook = nbformat.reads(built.student.decode(), as_version=4)
    line = line_for(built)
    first = line["exercises"][0]
    sentence = "Did you take the mean over the batch where the gradient needs the sum? " * 3
    first["status"] = "partial"
    first["diagnoses"] = [{"message": sentence, "code": "x", "function": first["name"]}]
    first["checks"] = [{"name": "db", "passed": False, "message": "a long way off, " * 9}]
    fill(notebook, line, False)
    (cell,) = [c for c in notebook.cells if c.id == f"check-{first['name']}"]
    said = cell.outputs[0].text.splitlines()
    assert said[0] == f"{first['name']}: partly right"
    assert max(map(len, said)) <= 100
    assert " ".join(" ".join(said).split()).count("needs the sum?") == 3
    (mark,) = [n for n, row in enumerate(said) if row.startswith("  ✗ db: a long")]
    assert said[mark + 1].startswith("      ")


def test_a_score_that_is_no_number_is_the_graders_fault(built):
    """nbgrader takes nan for full marks."""
    line = line_for(built)
    line["exercises"][0]["score"] = float("nan")
    with pytest.raises(GraderFailed, match="no number"):
        fill(nbformat.reads(built.student.decode(), as_version=4), line, False)


# --- the skeleton ----------------------------------------------------------------------------


def rebuilt(built, tmp_path, content):
    (tmp_path / "x.ipynb").write_bytes(content)
    from autograder.notebooks.collect import Place

    written, why = notebooks_of(Place("x", str(tmp_path)))
    released = nbformat.reads(built.student.decode(), as_version=4)
    notebook = rebuild(released, parse_notebook(built.student), [n for _, n in written], why)
    nbformat.validate(notebook)
    return notebook


def metadata(notebook):
    return [c.metadata.nbgrader for c in notebook.cells if "nbgrader" in c.metadata]


def test_the_released_cells_come_back_with_the_students_text(built, tmp_path):
    notebook = rebuilt(built, tmp_path, mangled(built))
    released = nbformat.reads(built.student.decode(), as_version=4)
    assert metadata(notebook) == metadata(released)
    sources = [c.source for c in notebook.cells]
    assert sum("np.maximum(x, 0), x" in s for s in sources) == 1
    assert sum(s == "check(relu_forward)" for s in sources) == 1
    assert sources[-1] == "5.0"
    assert not any("skip-execution" in c.metadata.get("tags", []) for c in notebook.cells)


def test_an_untouched_notebook_comes_back_as_it_was(built, tmp_path):
    released = nbformat.reads(built.student.decode(), as_version=4)
    assert rebuilt(built, tmp_path, built.student) == released


def test_what_students_add_stays_where_it_was_and_answers_are_kept(built, tmp_path):
    data = json.loads(built.student)
    extra = {"cell_type": "code", "source": "print('mine')", "metadata": {}, "outputs": []}
    data["cells"].insert(4, dict(extra, metadata={"nbgrader": {"grade": True, "points": 99}}))
    data["cells"].insert(0, dict(extra, source="first = 1"))
    for cell in data["cells"]:
        cell["source"] = "".join(cell["source"]).replace("YOUR ANSWER HERE", "Because of zeros.")
        cell.pop("id", None)
    notebook = rebuilt(built, tmp_path, json.dumps(data).encode())
    sources = [c.source for c in notebook.cells]
    assert sources[0] == "first = 1"
    assert sources[5] == "print('mine')"
    assert "nbgrader" not in notebook.cells[5].metadata
    (answer,) = [c for c in notebook.cells if "Because of zeros" in c.source]
    assert answer.metadata.nbgrader.solution
    assert answer.metadata.nbgrader.grade


def test_a_second_version_takes_the_place_and_the_first_stays_visible(built, tmp_path):
    data = json.loads(built.student)
    for version in ("return 1, 1", "return 2, 2"):
        source = f"def relu_forward(x):\n    {version}"
        data["cells"].append({"cell_type": "code", "source": source, "metadata": {}, "outputs": []})
    notebook = rebuilt(built, tmp_path, json.dumps(data).encode())
    by_id = {m.grade_id: c for c in notebook.cells if (m := c.metadata.get("nbgrader"))}
    assert "return 2, 2" in by_id["relu_forward"].source
    assert sum("return 1, 1" in c.source for c in notebook.cells) == 1


QUESTIONS = ("first", "second", "third")


def questionnaire():
    """Three questions in words with a line of the lesson between them."""
    cells = []
    for name in QUESTIONS:
        own = {"grade_id": name, "grade": True, "solution": True, "locked": False, "task": False}
        own |= {"points": 1, "schema_version": 3}
        lesson = nbformat.v4.new_markdown_cell(f"About the {name} thing.", id=f"about-{name}")
        words = f"**Question: {name}**\n\nYOUR ANSWER HERE"
        question = nbformat.v4.new_markdown_cell(words, id=name, metadata={"nbgrader": own})
        cells += [lesson, question]
    return nbformat.v4.new_notebook(cells=cells)


def answered(change):
    """The cells as released, changed by a student, and rebuilt: question → (answer, flagged)."""
    released = questionnaire()
    parsed = parse_notebook(nbformat.writes(released).encode())
    student = questionnaire()
    for cell in student.cells[1::2]:
        cell.source = cell.source.replace("YOUR ANSWER HERE", f"Because of {cell.id}.")
    change(student.cells)
    written = parse_notebook(nbformat.writes(student).encode())
    notebook = rebuild(released, parsed, [written])
    nbformat.validate(notebook)
    flags = " ".join(matched_by_order(notebook))
    return {
        m.grade_id: (cell.source, f"'{m.grade_id}'" in flags)
        for cell in notebook.cells
        if (m := cell.metadata.get("nbgrader"))
    }


def anonymous(cell, words):
    cell.source, cell.id, cell.metadata = words, f"new-{words[:2].lower()}", {}


def test_an_answer_without_its_id_is_found_by_its_order_and_flagged():
    found = answered(lambda cells: anonymous(cells[3], "Momentum."))
    assert found["second"] == ("Momentum.", True)
    assert found["first"][0].endswith("Because of first.")
    assert not found["first"][1]
    assert not found["third"][1]


def test_several_answers_without_ids_go_in_order():
    def change(cells):
        for cell, words in zip(cells[1::2], ("Alpha.", "Beta.", "Gamma."), strict=True):
            anonymous(cell, words)
        del cells[2], cells[3]  # the lessons between them are gone as well

    found = answered(change)
    assert {q: words for q, (words, _) in found.items()} == dict(
        zip(QUESTIONS, ("Alpha.", "Beta.", "Gamma."), strict=True)
    )
    assert all(flagged for _, flagged in found.values())


def test_an_answer_in_two_cells_is_one_answer():
    def change(cells):
        anonymous(cells[5], "Firstly.")
        cells.append(nbformat.v4.new_markdown_cell("Secondly.", id="more"))

    assert answered(change)["third"] == ("Firstly.\n\nSecondly.", True)


def test_a_question_copied_over_the_next_one_gives_its_later_version_back():
    def change(cells):
        cells[3].metadata = cells[1].metadata  # the second answer in a copy of the first cell

    found = answered(change)
    assert found["first"][0].endswith("Because of first.")
    assert found["second"][0].endswith("Because of second.")
    assert found["first"][1]
    assert found["second"][1]


def test_a_note_beside_an_untouched_question_is_no_answer():
    def change(cells):
        cells[1].source = "**Question: first**\n\nYOUR ANSWER HERE"
        cells.insert(2, nbformat.v4.new_markdown_cell("A note of mine.", id="note"))

    found = answered(change)
    assert found["first"] == ("**Question: first**\n\nYOUR ANSWER HERE", False)


def test_a_renamed_part_is_told_by_its_word_or_its_contents():
    def parsed(source, **own):
        cell = {"cell_type": "code", "source": source, "metadata": {}}
        return parse_notebook(json.dumps({"cells": [cell], "metadata": own}).encode())

    parts = {"one": parsed("def f(): 1"), "two": parsed("def g(): 1")}
    assert belongs_to("deep/two.ipynb", parsed("def f(): 2"), parts) == "two"
    assert belongs_to("x.ipynb", parsed("", cs_nn={"notebook": "two"}), parts) == "two"
    assert belongs_to("x.ipynb", parsed("def g(): 2", cs_nn=3), parts) == "two"


def test_the_rebuilt_notebook_and_the_reading_agree_on_what_counts(built, tmp_path):
    content = mangled(built)
    (tmp_path / "x.ipynb").write_bytes(content)
    release = Release.of(A, {f"{built.name}.ipynb": built.student})
    names = {n for c in read_submission(tmp_path, A, release).cells for n in c.defines}
    assert set(built.exercises) <= names
