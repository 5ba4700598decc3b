"""Every lesson runs from start to end in its own edition, and what it promises comes out."""

import json
import shutil
import subprocess
import sys
from functools import cache

import pytest

from autograder.notebooks.manifest import ROOT, read_manifest, written_assignments
from autograder.notebooks.text import build_notebooks

pytestmark = pytest.mark.nightly

LESSONS = [(a, plan.name) for a in written_assignments() for plan in read_manifest(a).notebooks]

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
    "a5_optimization/1_descent": ("plain[-1] > 30 * heavy[-1]",),
    "a5_optimization/2_adaptive": (
        "runs['AdamW'][-1].max() < 0.3 < runs['Adam, λ·w in the gradient'][-1, 1]",
    ),
    "a5_optimization/3_batches": (
        "full[60] < noisy[60] and noisy[2000] < full[20]",
        "np.all(np.sign(X4 @ answers['a fourth: the perceptron'][1][0] + "
        "answers['a fourth: the perceptron'][1][1]) == y4)",
        "X4[3] @ answers['a fourth: descent goes on'][1][0] < -1",
    ),
    "a5_optimization/4_curvature": (
        "exact['Newton'][1][6] < 1e-10 < exact['Adam, η = 0.1'][1][100]",
        "min(exact['L-BFGS'][1]) < 1e-7",
    ),
    "a6_training/2_babysitting": (
        "find_learning_rate(loss_curve, rates) == 0.3",
        "[diagnose_curves(h['train_loss'], h['val_loss']) for h in histories.values()]"
        " == ['overfitting', 'too slow', 'decayed too early', 'underfitting']",
    ),
    "a6_training/3_search": ("wins['random'] > 600 > wins['grid']",),
    "a6_training/4_convnet": (
        "test_accuracy > 0.98",
        "together[-1] > np.mean(single) + 0.02",
        "to_noisy['fine-tuning'][1][0] > to_noisy['from scratch'][1][0] + 0.05",
        "to_others['from scratch'][1][2] > to_others['fine-tuning'][1][2]",
    ),
}
"""Notebook → expressions that hold at its end."""

RUN = """
import json, sys, matplotlib
matplotlib.use('Agg')
space, failed = {'__name__': 'notebook'}, []
for source in json.load(sys.stdin):
    try:
        exec(compile(source, 'cell', 'exec'), space)
    except Exception as error:
        failed.append(f'{source[:200]}: {type(error).__name__}: {error}')
print()
print(json.dumps(failed))
"""


@pytest.fixture(scope="module")
def solved(tmp_path_factory):
    """assignment → its release, made as a teacher makes it, with all notebooks solved."""

    @cache
    def made(assignment):
        place = tmp_path_factory.mktemp(assignment) / "release"
        # In a process of its own: here cs_nn checks its types, and refuses integers.
        code = "import sys; from autograder.notebooks.release import release as r; r(*sys.argv[1:])"
        subprocess.run([sys.executable, "-c", code, assignment, str(place)], check=True, cwd=ROOT)
        for built in build_notebooks(assignment):
            (place / f"{built.name}.ipynb").write_bytes(built.solution)
        return place

    return made


@pytest.mark.parametrize(("assignment", "name"), LESSONS)
def test_every_lesson_runs_and_keeps_its_promises(assignment, name, solved, tmp_path):
    place = tmp_path / "handed in"
    shutil.copytree(solved(assignment), place)
    cells = json.loads((place / f"{name}.ipynb").read_bytes())["cells"]
    sources = ["".join(cell["source"]) for cell in cells if cell["cell_type"] == "code"]
    sources += [f"assert {claim}" for claim in PROMISES.get(f"{assignment}/{name}", ())]
    done = subprocess.run(
        [sys.executable, "-c", RUN],
        input=json.dumps(sources),
        cwd=place,
        capture_output=True,
        text=True,
        check=True,
    )
    assert json.loads(done.stdout.splitlines()[-1]) == []
