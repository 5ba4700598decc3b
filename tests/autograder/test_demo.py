"""What a newcomer loses when this fails: the first minute with the project, from end to end."""

from __future__ import annotations

import json

import pytest

from autograder.course import exercises
from autograder.demo import Demo, run_demo
from autograder.notebooks.release import release
from autograder.notebooks.text import build_notebooks
from autograder.planting import planted_mistakes, replaced, sources_of

A2 = "a2_backprop"


@pytest.fixture(scope="module")
def shown(tmp_path_factory) -> Demo:
    folder = tmp_path_factory.mktemp("demo") / "out"
    return run_demo(folder, release=release, mistakes=4, workers=2)


def test_the_class_gets_what_it_deserves(shown: Demo) -> None:
    lines = {line["student"]: line for line in shown.outcome.lines}
    assert {e["status"] for e in lines["reference"]["exercises"]} <= {"passed", "missing"}
    assert lines["reference"]["score"] > 0
    assert lines["reference"]["message"] == ""
    assert lines["untouched"]["score"] == 0
    status = {student: line["status"] for student, line in lines.items()}
    assert status["crashes"] == "crashed"
    assert status["loops"] == "timeout"
    assert status["torn-file"] == "unreadable"
    assert "train_step" in lines["loops"]["message"]
    for student in ("student-01", "student-02", "student-03", "student-04"):
        assert 0 < lines[student]["score"] < lines["reference"]["score"]


def test_every_planted_mistake_is_called_by_its_name(shown: Demo) -> None:
    assert sum(bool(person.code) for person in shown.people) == 4
    assert shown.named == 4


def test_the_result_lines_are_as_the_design_says(shown: Demo) -> None:
    for text in (shown.graded / "results.jsonl").read_text(encoding="utf-8").splitlines():
        line = json.loads(text)
        assert {"student", "assignment", "status", "score", "max_score", "message"} <= set(line)
        assert line["isolation"] == shown.isolation
        for exercise in line["exercises"]:
            assert set(exercise) == {
                *("name", "score", "max_score", "status", "checks", "diagnoses")
            }


def test_students_get_a_release(shown: Demo) -> None:
    assert list((shown.folder / "release").glob("*.ipynb"))
    assert not list((shown.folder / "release").rglob("course"))


def test_most_misconceptions_can_stand_in_a_notebook() -> None:
    chosen = [(e, m) for e in exercises(A2) for m in e.misconceptions]
    whole = [sources_of(e, m) for e, m in chosen]
    assert sum(source is not None for source in whole) > len(chosen) / 2
    for source in whole:
        for name, text in (source or {}).items():
            assert f"def {name}(" in text or f"class {name}" in text
            compile(text, name, "exec")


def test_a_planted_notebook_differs_in_one_cell_only() -> None:
    solution = {notebook.name: notebook.solution for notebook in build_notebooks(A2)}
    person = planted_mistakes(exercises(A2), solution, 1)[0]
    before, after = (
        [cell for content in files.values() for cell in json.loads(content)["cells"]]
        for files in (solution, person.files)
    )
    different = [a for b, a in zip(before, after, strict=True) if a != b]
    assert len(different) == 1
    with pytest.raises(LookupError, match="no_such_function"):
        replaced(solution, {"no_such_function": ""})
