"""From text to notebooks: the same bytes every time, and what nbgrader would have made."""

import json
import os
import sys

import nbformat
import pytest

from autograder.course.curriculum import by_name
from autograder.notebooks.manifest import ManifestError, read_manifest, written_assignments
from autograder.notebooks.text import TextError, build_notebooks, out_of_step, write_assignment

MANIFEST = """
[[notebooks]]
name = "part"
title = "A part"
exercises = ["relu_forward"]
"""
TEXT = '''
# %% [markdown]
# # Title

# %%
import numpy as np

# %% exercise="relu_forward"
def relu_forward(x):
    """The rectifier."""
    ### BEGIN SOLUTION
    return np.maximum(x, 0), x
    ### END SOLUTION

# %% check="relu_forward"
check(relu_forward)

# %% [markdown] question="why" points=2
# Why?
# ### BEGIN SOLUTION
# Because.
#
# *Rubric.* 2 points for the reason.
# ### END SOLUTION

# %% tags=["experiment"]
# %matplotlib inline
print(1)
'''


def course(tmp_path, text=TEXT, manifest=MANIFEST):
    folder = tmp_path / "solutions" / "a2_backprop"
    folder.mkdir(parents=True)
    (folder / "manifest.toml").write_text(manifest)
    (folder / "part.py").write_text(text)
    return tmp_path


def cells(content):
    return json.loads(content)["cells"]


def by_id(content):
    return {cell["id"]: cell for cell in cells(content)}


def test_assignments_are_in_step_with_solutions():
    assert out_of_step() == []


def test_the_same_text_gives_the_same_bytes():
    for assignment in written_assignments():
        assert build_notebooks(assignment) == build_notebooks(assignment)


def test_a_line_changed_is_noticed(tmp_path):
    root = course(tmp_path)
    (path,) = write_assignment("a2_backprop", root)
    assert out_of_step(root) == []
    path.write_bytes(path.read_bytes().replace(b"import numpy", b"import  numpy"))
    (root / "assignments" / "a9").mkdir()
    (root / "assignments" / "a9" / "x.ipynb").write_text("{}")
    assert len(out_of_step(root)) == 2
    (path.parent / "old.ipynb").write_text("{}")
    assert [p.name for p in write_assignment("a2_backprop", root)] == ["part.ipynb"]
    assert not (path.parent / "old.ipynb").exists()


def test_the_student_gets_stubs_and_the_teacher_the_solution(tmp_path):
    (built,) = build_notebooks("a2_backprop", course(tmp_path))
    student, solution = by_id(built.student), by_id(built.solution)
    assert list(student) == list(solution)
    stub = "".join(student["relu_forward"]["source"])
    assert "raise NotImplementedError()" in stub
    assert "The rectifier" in stub
    assert b"np.maximum" not in built.student
    assert b"Because" not in built.student
    assert b"np.maximum" in built.solution
    check = student["check-relu_forward"]["metadata"]
    assert check["nbgrader"]["points"] == by_name()["relu_forward"].points
    assert (check["nbgrader"]["locked"], check["editable"]) == (True, False)
    question = student["why"]["metadata"]["nbgrader"]
    assert (question["grade"], question["solution"], question["points"]) == (True, True, 2)
    (experiment,) = [c for c in cells(built.student) if c["metadata"].get("tags") == ["experiment"]]
    assert "".join(experiment["source"]).startswith("%matplotlib inline")
    nbformat.validate(nbformat.reads(built.student.decode(), 4))
    assert b"jupytext" not in built.student
    assert b"lines_to_next_cell" not in built.student


def test_a_change_here_leaves_the_ids_there(tmp_path):
    (before,) = build_notebooks("a2_backprop", course(tmp_path / "1"))
    changed = TEXT.replace("# # Title", "# # Title\n\n# %% [markdown]\n# more")
    (after,) = build_notebooks("a2_backprop", course(tmp_path / "2", changed))
    old, new = list(by_id(before.student)), list(by_id(after.student))
    assert new[0] == old[0]
    assert new[2:] == old[1:]


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ('check="relu', 'chekc="relu', "no option chekc"),
        ('tags=["experiment"]', 'tags=["experimnt"]', "the only tag"),
        ("def relu_forward(x)", "def relu(x)", "does not define relu_forward"),
        ("### END SOLUTION\n\n# %% check", "\n# %% check", "no end solution"),
        ("    ### BEGIN SOLUTION\n", "", "needs a ### BEGIN SOLUTION"),
        ("check(relu_forward)", "check(relu)", "must call check"),
        ('check="relu_forward"', 'check="nothing"', "no exercise nothing"),
        (" points=2", "", "needs points"),
        ("*Rubric.* 2", "2", "needs a rubric"),
        ("[markdown] question", "question", "must be [markdown]"),
        ('# %% exercise="relu_forward"', "# %%", "disagree about relu_forward"),
        ("print(1)", "### BEGIN SOLUTION\n### END SOLUTION", "non-solution cell"),
    ],
)
def test_a_slip_of_the_author_is_one_sentence(tmp_path, old, new, says):
    assert old in TEXT
    with pytest.raises(TextError) as error:
        build_notebooks("a2_backprop", course(tmp_path, TEXT.replace(old, new, 1)))
    assert says in str(error.value)
    assert "part.py" in str(error.value)


@pytest.mark.parametrize(
    ("manifest", "says"),
    [
        ("x = [", "cannot be read"),
        ("surprise = 1\n" + MANIFEST, "surprise means nothing"),
        (MANIFEST.replace("title", "titel"), "needs name, title"),
        (MANIFEST.replace("relu_forward", "conv_forward"), "no exercise conv_forward"),
        (MANIFEST + MANIFEST, "stands in two notebooks"),
    ],
)
def test_a_bad_manifest_is_one_sentence(tmp_path, manifest, says):
    with pytest.raises(ManifestError, match=says):
        read_manifest("a2_backprop", course(tmp_path, manifest=manifest))


def test_an_unknown_assignment_names_the_known_ones():
    with pytest.raises(ManifestError, match="a2_backprop"):
        read_manifest("a2")


@pytest.mark.filterwarnings("ignore")  # nbgrader's own imports are not ours to mend
def test_nbgraders_generate_assignment_makes_the_same_notebook(tmp_path, monkeypatch):
    from nbgrader.apps import NbGraderAPI
    from traitlets.config import Config

    for built in build_notebooks("a2_backprop"):
        source = tmp_path / "source" / "a2_backprop"
        source.mkdir(parents=True, exist_ok=True)
        (source / f"{built.name}.ipynb").write_bytes(built.solution)
    # nbgrader starts `alembic` by name: an activated environment has it on its path.
    monkeypatch.setenv("PATH", os.path.dirname(sys.executable), prepend=os.pathsep)
    config = Config()
    config.CourseDirectory.root = str(tmp_path)
    result = NbGraderAPI(config=config).generate_assignment("a2_backprop")
    assert result["success"], result
    for built in build_notebooks("a2_backprop"):
        theirs = (tmp_path / "release" / "a2_backprop" / f"{built.name}.ipynb").read_bytes()
        assert cells(theirs) == cells(built.student)
