"""Pages that promise something runnable are run."""

import re
from pathlib import Path

from autograder.course.curriculum import by_name
from autograder.notebooks.manifest import read_manifest, written_assignments

DOCS = Path(__file__).resolve().parents[1] / "docs"


def test_the_worked_example_of_a_new_exercise_runs_as_written():
    text = (DOCS / "exercises.md").read_text(encoding="utf-8")
    blocks = re.findall(r"```python\n(.*?)```", text, flags=re.S)
    namespace: dict = {"__name__": "docs_exercises"}
    for block in blocks:
        exec(compile(block, "docs/exercises.md", "exec"), namespace)
    exercises = namespace["EXERCISES"]
    assert [e.name for e in exercises] == ["softplus_forward", "softplus_backward"]
    assert all(len(e.variants) >= 3 and len(e.misconceptions) >= 2 for e in exercises)


def test_the_table_of_the_course_has_every_exercise_with_its_notebook():
    lines = (DOCS / "course.md").read_text(encoding="utf-8").splitlines()
    for assignment in written_assignments():
        for plan in read_manifest(assignment).notebooks:
            notebook = f"`{assignment.partition('_')[0]}/{plan.name}`"
            rows = [line for line in lines if notebook in line]
            for name in plan.exercises:
                named = [row for row in rows if f"`{name}`" in row]
                assert len(named) == 1, f"docs/course.md: {len(named)} rows for {name}, {notebook}"
                (row,) = named
                optional = not by_name()[name].core
                starred = "★" in row.partition(f"`{name}`")[0]
                assert starred == optional, f"{name} in: {row}"


def test_the_table_of_the_course_names_only_notebooks_that_exist():
    text = (DOCS / "course.md").read_text(encoding="utf-8")
    there = {
        f"{assignment.partition('_')[0]}/{plan.name}"
        for assignment in written_assignments()
        for plan in read_manifest(assignment).notebooks
    }
    assert set(re.findall(r"`(a\d/\w+)`", text)) <= there
