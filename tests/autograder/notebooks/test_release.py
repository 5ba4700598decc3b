"""A release: complete, free of solutions, and never written over something else."""

import ast
import json
import shutil
import subprocess
import sys

import pytest

from autograder.notebooks.edition import EditionError
from autograder.notebooks.leaks import prove_no_leak
from autograder.notebooks.release import ReleaseError, release, released
from autograder.notebooks.submission import Release, read_submission
from autograder.notebooks.text import build_notebooks

A = "a2_backprop"


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    to = tmp_path_factory.mktemp("public") / "a2"
    release(A, to)
    return to


@pytest.fixture
def solved(folder, tmp_path):
    """A release in which a student has solved every notebook."""
    place = tmp_path / "solved"
    shutil.copytree(folder, place)
    for built in build_notebooks(A):
        (place / f"{built.name}.ipynb").write_bytes(built.solution)
    return place


def test_a_student_gets_all_that_is_needed(folder):
    files = {p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file()}
    wanted = {f"{built.name}.ipynb" for built in build_notebooks(A)}
    wanted |= {"a2_backprop.examples.json", "README.md", "requirements.txt"}
    wanted |= {"release.json", "cs_nn/data/digits.npz", "autograder/check.py"}
    assert wanted <= files
    readme = (folder / "README.md").read_text()
    for name in ("affine_backward", "train_step", "python -m autograder check"):
        assert name in readme
    assert prove_no_leak(folder, A) == []


def test_requirements_cover_what_the_edition_imports(folder):
    asked = (folder / "requirements.txt").read_text()
    roots = set()
    for path in (folder / "cs_nn").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Import):
                roots |= {alias.name.partition(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and not node.level:
                roots.add((node.module or "").partition(".")[0])
    for name in roots - set(sys.stdlib_module_names) - {"cs_nn", "IPython"}:
        assert name in asked


def test_the_same_release_twice(folder, tmp_path):
    again = release(A, tmp_path / "again")
    for path in again:
        assert (tmp_path / "again" / path).read_bytes() == (folder / path).read_bytes()


def run_notebook(content, folder):
    """Run the code cells in a fresh process beside the release; the names that checks reject."""
    cells = [
        ("".join(c["source"]), c["metadata"].get("tags", []))
        for c in json.loads(content)["cells"]
        if c["cell_type"] == "code"
    ]
    script = (
        "import json, sys, matplotlib\n"
        "matplotlib.use('Agg')\n"
        "space = {'__name__': 'notebook'}\nred = []\n"
        "for source, tags in json.load(sys.stdin):\n"
        "    try:\n"
        "        exec(compile(source, 'cell', 'exec'), space)\n"
        "    except Exception as error:\n"
        "        red.append([type(error).__name__, source])\n"
        "print('\\n' + json.dumps(red))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script],
        input=json.dumps(cells),
        cwd=folder,
        capture_output=True,
        text=True,
        check=True,
    )
    return json.loads(done.stdout.splitlines()[-1])


def test_the_solution_runs_green_in_its_own_edition(solved):
    for built in build_notebooks(A):
        assert run_notebook(built.solution, solved) == []


def test_the_stub_is_red_at_every_check_and_nowhere_by_surprise(folder):
    for built in build_notebooks(A):
        red = run_notebook(built.student, folder)
        checks = [source for kind, source in red if kind == "NotYet"]
        assert checks == [f"check({name})" for name in built.exercises]
        assert {kind for kind, _ in red} == {"NotYet", "NotImplementedError"}


@pytest.mark.filterwarnings("ignore")  # nbgrader's and Jupyter's own are not ours to mend
def test_nbgraders_validate_is_green_on_the_solution_and_red_on_the_stub(folder, solved, tmp_path):
    from nbgrader.validator import Validator

    stub = tmp_path / "stub"
    shutil.copytree(folder, stub)
    (built, *_) = build_notebooks(A)
    questions = built.student.count(b"YOUR ANSWER HERE")
    assert questions
    for place, checks, answers in ((stub, len(built.exercises), questions), (solved, 0, 0)):
        # The solution's exercise cells differ from the stub; only locked cells must not.
        found = Validator().validate(str(place / f"{built.name}.ipynb"))
        assert set(found) <= {"failed"}
        errors = [f["raw_error"] for f in found.get("failed", [])]
        assert sum("NotYet" in error for error in errors) == checks
        assert sum("did not provide a response" in error for error in errors) == answers
        assert len(errors) == checks + answers


def test_an_earlier_release_is_replaced_and_nothing_else_is(tmp_path):
    to = tmp_path / "a2"
    release(A, to)
    (to / "cs_nn" / "stale.py").write_text("x = 1")
    release(A, to)
    assert not (to / "cs_nn" / "stale.py").exists()
    assert [p.name for p in tmp_path.iterdir()] == ["a2"]
    record = json.loads((to / "release.json").read_text())
    (to / "release.json").write_text(json.dumps(record | {"assignment": "a1_graphs"}))
    with pytest.raises(ReleaseError, match="a1_graphs"):
        release(A, to)
    mine = tmp_path / "mine"
    mine.mkdir()
    (mine / "thesis.txt").write_text("irreplaceable")
    with pytest.raises(ReleaseError, match="name a new folder"):
        release(A, mine)
    assert (mine / "thesis.txt").exists()


def test_a_leak_in_the_examples_stops_the_release(tmp_path):
    def leaky(assignment, hints):
        return {"x.examples.json": b'{"a": "dx = (dout @ w.T).reshape(x.shape)"}'}

    with pytest.raises(EditionError, match=r"not released: x\.examples\.json"):
        release(A, tmp_path / "a2", examples=leaky)
    assert list(tmp_path.iterdir()) == []


def test_what_was_released_is_recognised_in_a_submission(folder, tmp_path):
    submission = read_submission(folder / f"{build_notebooks(A)[0].name}.ipynb", A, released(A))
    kinds = {c.deferred for c in submission.cells if "check(" in c.source and c.kind == "code"}
    assert kinds == {True}
    assert submission.notes == ()
    record = Release.from_data(json.loads((folder / "release.json").read_text()))
    assert record.notebooks == released(A).notebooks
