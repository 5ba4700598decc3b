"""A release: complete, free of solutions, and never written over something else."""

import ast
import json
import shutil
import subprocess
import sys
from functools import cache

import pytest

from autograder.notebooks.edition import EditionError
from autograder.notebooks.leaks import prove_no_leak
from autograder.notebooks.manifest import ROOT, read_manifest, written_assignments
from autograder.notebooks.release import ReleaseError, release, released
from autograder.notebooks.submission import Release, read_submission
from autograder.notebooks.text import build_notebooks

A = "a2_backprop"


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    to = tmp_path_factory.mktemp("public") / "a2"
    release(A, to)
    return to


def test_a_student_gets_all_that_is_needed(folder):
    files = {p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file()}
    wanted = {"1_layers.ipynb", "a2_backprop.examples.json", "README.md", "requirements.txt"}
    wanted |= {"release.json", "cs_nn/data/digits.npz", "autograder/check.py"}
    assert wanted <= files
    readme = (folder / "README.md").read_text()
    for name in ("affine_backward", "train_step", "1_layers.ipynb", "python -m autograder check"):
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


def with_solutions(released, tmp_path, assignment):
    """A copy of a release in which all notebooks are solved, as a student has it at the end."""
    place = tmp_path / "solved"
    shutil.copytree(released, place)
    for built in build_notebooks(assignment):
        (place / f"{built.name}.ipynb").write_bytes(built.solution)
    return place


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
        "        red.append([type(error).__name__, source, str(error)])\n"
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


def test_the_solution_runs_green_in_its_own_edition(folder, tmp_path):
    place = with_solutions(folder, tmp_path, A)
    assert run_notebook((place / "1_layers.ipynb").read_bytes(), place) == []


PROMISES = {
    "a1_graphs/1_graphs": (
        "product_graph(-2.0, 5.0, -4.0) == (-12, -4, -4, 3)",
        "round(f, 2) == 0.73 and dw.round(2).tolist() == [-0.2, -0.39, 0.2]",
        "steps[np.argmin(central)] > 10 * steps[np.argmin(forward)]",
        "min(central) < min(forward) / 10 < 1e-8",
    ),
    "a1_graphs/2_gates": (
        "round(squared_norm_graph(W, np.array([0.2, 0.4]))[0], 3) == 0.116",
        "dW.round(3).tolist() == [[0.088, 0.176], [0.104, 0.208]]",
        "squared_norm_graph(W, np.array([0.2, 0.4]))[2].round(3).tolist() == [-0.112, 0.636]",
    ),
    "a1_graphs/3_autodiff": (
        "[round(v.grad, 2) for v in w] == [-0.2, -0.39, 0.2]",
        "losses[-1] < 0.1",
    ),
    "a2_backprop/1_layers": (
        "np.all((dw >= 0).all(axis=0) | (dw <= 0).all(axis=0))",
        "slope(0.0) == 0.25 and slope(10.0) < 1e-4 and slope(-10.0) < 1e-4",
    ),
    "a2_backprop/2_losses": ("abs(softmax_losses[0] - np.log(10)) < 1e-12",),
    "a2_backprop/3_networks": (
        "abs(firsts[0] - np.log(10)) < 0.01 and firsts == sorted(firsts)",
        "accuracy == 1.0 and twenty[-1] < 0.01",
        "accuracy_on(digits.x_test, digits.y_test) > 0.96",
    ),
}
"""What the lessons promise: notebook → expressions that hold at its end."""

LESSONS = [(a, plan.name) for a in written_assignments() for plan in read_manifest(a).notebooks]


@pytest.fixture(scope="module")
def solved(tmp_path_factory):
    """assignment → its release, made as a teacher makes it, with all notebooks solved."""

    @cache
    def made(assignment):
        folder = tmp_path_factory.mktemp(assignment)
        # In a process of its own: here cs_nn checks its types, and refuses integers.
        code = (
            "import sys; from autograder.notebooks.release import release; release(*sys.argv[1:])"
        )
        command = [sys.executable, "-c", code, assignment, str(folder / "release")]
        subprocess.run(command, check=True, cwd=ROOT)
        return with_solutions(folder / "release", folder, assignment)

    return made


@pytest.mark.nightly
@pytest.mark.parametrize(("assignment", "name"), LESSONS)
def test_every_lesson_runs_and_keeps_its_promises(assignment, name, solved):
    place = solved(assignment)
    notebook = json.loads((place / f"{name}.ipynb").read_bytes())
    for claim in PROMISES.get(f"{assignment}/{name}", ()):
        cell = {"cell_type": "code", "source": [f"assert {claim}"], "metadata": {}}
        notebook["cells"].append(cell)
    assert run_notebook(json.dumps(notebook), place) == []


def test_the_stub_is_red_at_every_check_and_nowhere_by_surprise(folder):
    for built in build_notebooks(A):
        red = run_notebook(built.student, folder)
        checks = [source for kind, source, _ in red if kind == "NotYet"]
        assert checks == [f"check({name})" for name in built.exercises]
        assert {kind for kind, _, _ in red} == {"NotYet", "NotImplementedError"}


@pytest.mark.filterwarnings("ignore")  # nbgrader's and Jupyter's own are not ours to mend
def test_nbgraders_validate_is_green_on_the_solution_and_red_on_the_stub(folder, tmp_path):
    from nbgrader.validator import Validator

    place = tmp_path / "work"
    shutil.copytree(folder, place)
    (built, *_) = build_notebooks(A)
    questions = built.student.count(b"YOUR ANSWER HERE")
    assert questions
    for content, checks, answers in (
        (built.student, len(built.exercises), questions),
        (built.solution, 0, 0),
    ):
        (place / "n.ipynb").write_bytes(content)
        # The solution's exercise cells differ from the stub; only locked cells must not.
        found = Validator(ignore_checksums=False).validate(str(place / "n.ipynb"))
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
    submission = read_submission(folder / "1_layers.ipynb", A, released(A))
    kinds = {c.deferred for c in submission.cells if "check(" in c.source and c.kind == "code"}
    assert kinds == {True}
    assert submission.notes == ()
    record = Release.from_data(json.loads((folder / "release.json").read_text()))
    assert record.notebooks == released(A).notebooks
