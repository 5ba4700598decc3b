"""Every lesson runs from start to end in its own edition, and what it promises comes out."""

import json
import shutil
import subprocess
import sys
from functools import cache

import numpy as np
import pytest

from autograder.notebooks.manifest import ROOT, read_manifest, written_assignments
from autograder.notebooks.text import build_notebooks
from cs_nn.data.cifar10 import CLASSES
from tests.cs_nn.data.test_cifar10 import batch_of, write_archive

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
    "a2_backprop/4_more_activations": (
        "all((np.mean(runs, axis=0)[-1] < 0.5) != name.startswith('sigmoid')"
        " for name, runs in curves.items())",
    ),
    "a3_initialization/1_preprocessing": (
        "np.abs(np.cov(whiten(cloud, cloud)[0].T, bias=True) - np.eye(2)).max() < 1e-3",
        "[np.mean(excess[name], axis=0)[20] for name in versions] == "
        "sorted((np.mean(runs, axis=0)[20] for runs in excess.values()), reverse=True)",
    ),
    "a3_initialization/2_first_weights": (
        "np.allclose(np.mean(signals['0.01 · normal'], axis=0)[:4],"
        " [0.213, 0.0476, 0.0106, 0.0024], rtol=0.03)",
        "np.allclose(np.mean(signals['1 · normal'], axis=0), 0.982, atol=0.005)",
        "np.allclose(np.mean(signals['Xavier'], axis=0), [0.628, 0.486, 0.408, 0.357, 0.321,"
        " 0.292, 0.273, 0.254, 0.239, 0.228], atol=0.01)",
        "np.mean(gradients['1 · normal'], axis=0)[0] > 1e4",
    ),
    "a3_initialization/3_rectifiers": (
        "np.all(np.abs(np.log2(np.mean(moments['1/fan_in'], axis=0) * 2.0**layers)) < 0.5)",
        "np.all(np.abs(np.log2(np.mean(moments['Kaiming, 2/fan_in'], axis=0))) < 0.5)",
        "np.mean(deaths['rate 0.7']) > 3 * np.mean(deaths['rate 0.3'])",
        "min(results['Kaiming, normal'] + results['Kaiming, uniform']) >"
        " max(results['Xavier'] + results['1/fan_in'])",
    ),
    "a3_initialization/4_more_starts": (
        "np.allclose(values['orthogonal'], 1)",
        "np.mean(values['1/fan_in, normal'], axis=0)[50] < 1e-3",
        "np.abs(np.log10(repaired)).max() < 0.1",
    ),
    # With batch normalisation the worst of five runs is better than the best without: at rates
    # and weight scales that the plain network cannot bear.
    "a4_normalization/1_batchnorm": (
        "np.min(by_rate['with batch norm'], axis=0)[rates == 1] >"
        " 0.8 > np.max(by_rate['without'], axis=0)[rates == 1]",
        "np.all(np.min(by_scale['with batch norm'], axis=0)[[2, 3, 6]] >"
        " np.max(by_scale['without'], axis=0)[[2, 3, 6]] + 0.3)",
    ),
    "a4_normalization/2_layernorm": (
        "np.max(accuracies['batch norm'], axis=0)[0] < np.min(accuracies['layer norm'], axis=0)[0]",
    ),
    "a4_normalization/3_dropout": (
        "max(gaps['keep 0.5']) < min(gaps['keep 1.0'])",
        "curves[0.5][:, -1, 1].mean() > curves[1.0][:, -1, 1].mean() + 0.02",
        "abs(np.mean(crowd, axis=0)[-1] - np.mean(single)) < 0.01",
    ),
    "a4_normalization/4_regularization": (
        "np.mean(curves['clipped at 1'], axis=0)[-1] >"
        " np.mean(curves['as they are'], axis=0)[-1] + 0.2",
        "np.mean(results['stopped in time']) > np.mean(results['trained to the end']) + 0.01",
    ),
    "a4_normalization/5_augmentation": (
        "np.mean(mirrored['0, 1 and 8: flips']) > np.mean(mirrored['0, 1 and 8: as they are'])",
        "np.mean(mirrored['all ten digits: flips']) <"
        " np.mean(mirrored['all ten digits: as they are'])",
        "min(results['exam moved, trained affine']) >"
        " max(results['exam moved, trained as they are'])",
    ),
    "a5_optimization/1_descent": ("plain[-1] > 30 * heavy[-1]",),
    "a5_optimization/2_adaptive": (
        "all(np.linalg.norm(paths['Rprop'][-1] - goal) < 0.01 for paths, goal in"
        " zip(late.values(), ((0, 0), (3, 0.5), (0, 2**0.5))))",
        "runs['AdamW'][-1].max() < 0.3 < runs['Adam, λ·w in the gradient'][-1, 1]",
    ),
    "a5_optimization/3_batches": (
        "full[60] < noisy[60] and noisy[2000] < full[20]",
        "curves['high to low, cosine'][:, -1].max() <"
        " min(curves['high'][:, -1].min(), curves['low'][:, -1].min())",
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
    promises = [f"assert {claim}" for claim in PROMISES.get(f"{assignment}/{name}", ())]
    assert failures(place, sources_of(place, name) + promises) == []


def test_the_last_lesson_runs_whole_where_cifar10_is_present(solved, tmp_path, monkeypatch):
    """On a small archive in the official form; its checksum is all that is not official."""
    place = tmp_path / "handed in"
    shutil.copytree(solved("a6_training"), place)
    rng = np.random.default_rng(0)
    batches = {f"data_batch_{i}": batch_of(rng, 300) for i in range(1, 6)}
    batches["test_batch"] = batch_of(rng, 20)
    batches["batches.meta"] = {b"label_names": [name.encode() for name in CLASSES]}
    checksum = write_archive(tmp_path / "data", batches)
    monkeypatch.setenv("CS_NN_DATA", str(tmp_path / "data"))
    accept = "from cs_nn.data import cifar10 as c\n"
    accept += f"c.load_cifar10.__kwdefaults__['sha256'] = {checksum!r}"
    lesson = sources_of(place, "4_convnet")
    quick = [source.replace("COPIES, EPOCHS = 20, 3", "COPIES, EPOCHS = 2, 1") for source in lesson]
    assert quick != lesson
    ran = "assert small.params['W1'].shape == (16, 3, 5, 5) and templates.shape == (50, 32, 32, 3)"
    assert failures(place, [accept, *quick, ran]) == []


def sources_of(place, name):
    """The code cells of a notebook."""
    cells = json.loads((place / f"{name}.ipynb").read_bytes())["cells"]
    return ["".join(cell["source"]) for cell in cells if cell["cell_type"] == "code"]


def failures(place, sources):
    """What goes wrong when they are run one after the other in the folder of a release."""
    done = subprocess.run(
        [sys.executable, "-c", RUN],
        input=json.dumps(sources),
        cwd=place,
        capture_output=True,
        text=True,
        check=True,
    )
    return json.loads(done.stdout.splitlines()[-1])
