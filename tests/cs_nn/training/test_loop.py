"""The training loop: what it promises about the network it hands back."""

import numpy as np
import pytest

from cs_nn.data.augmentation import random_affine
from cs_nn.data.datasets import load_digits
from cs_nn.modules import TwoLayerNet
from cs_nn.optim.first_order import adam, sgd
from cs_nn.optim.schedules import cosine_decay
from cs_nn.training.ensembles import ensemble_predict
from cs_nn.training.loop import _check_examples, evaluate, train
from cs_nn.training.networks import ConvNet


def problem(seed=0, n=90):
    """Three noisy classes that overlap, split in two."""
    rng = np.random.default_rng(seed)
    y = rng.integers(0, 3, size=n)
    X = rng.standard_normal((n, 4)) + np.eye(3, 4)[y] * 1.5
    half = n // 2
    return X[:half], y[:half], X[half:], y[half:]


def two_layer(seed=0):
    return TwoLayerNet(4, 20, 3, weight_scale=0.3, rng=np.random.default_rng(seed))


def run(net, update=sgd, schedule=lambda epoch: 0.3, epochs=6, **options):
    rng = np.random.default_rng(0)
    return train(net, *problem(), update, schedule, epochs, 8, rng, **options)


def test_the_network_keeps_its_best_epoch():
    net = two_layer()
    history = run(net, epochs=40, schedule=lambda epoch: 1.0)
    _, _, X_val, y_val = problem()
    loss, accuracy = evaluate(net, X_val, y_val)
    best = int(np.argmin(history["val_loss"]))
    assert best < 39
    assert loss == pytest.approx(history["val_loss"][best], rel=1e-12)
    assert accuracy == pytest.approx(history["val_accuracy"][best])


def test_it_stops_after_patience_epochs_without_improvement():
    history = run(two_layer(), epochs=200, schedule=lambda epoch: 1.0, patience=5)
    epochs = len(history["val_loss"])
    assert epochs < 200
    assert int(np.argmin(history["val_loss"])) == epochs - 6


def test_history_has_an_entry_of_each_kind_for_each_epoch():
    history = run(two_layer())
    assert set(history) == {"train_loss", "val_loss", "train_accuracy", "val_accuracy"}
    assert {len(entries) for entries in history.values()} == {6}
    assert all(type(entry) is float for entries in history.values() for entry in entries)
    assert history["train_loss"][-1] < history["train_loss"][0]


def test_train_loss_is_the_mean_over_examples_before_each_update():
    X, y, X_val, y_val = problem()
    net = two_layer()
    before = net.loss(X, y)[0]
    rng = np.random.default_rng(0)
    history = train(net, X, y, X_val, y_val, sgd, lambda epoch: 0.0, 1, 7, rng)
    assert history["train_loss"] == [pytest.approx(before)]


def test_the_schedule_is_asked_once_an_epoch_from_zero():
    asked = []
    run(two_layer(), schedule=lambda epoch: asked.append(epoch) or 0.1, epochs=3)
    assert asked == [0, 1, 2]


def test_optimizers_remember_from_step_to_step():
    steps = []

    def counting(w, dw, config=None):
        next_w, config = adam(w, dw, config)
        steps.append(config["t"])
        return next_w, config

    run(two_layer(), update=counting, epochs=2, schedule=lambda epoch: 1e-3)
    assert max(steps) == 2 * 6


def test_settings_clipping_and_augmentation_reach_the_steps():
    seen = []

    def spy(w, dw, config=None):
        seen.append((config["momentum"], float(np.linalg.norm(dw))))
        return sgd(w, dw, config)

    def enlarge(X, rng):
        assert isinstance(rng, np.random.Generator)
        return 1000 * X

    run(two_layer(), update=spy, config={"momentum": 0.7}, clip_norm=0.01, augment=enlarge)
    assert {momentum for momentum, _ in seen} == {0.7}
    assert max(norm for _, norm in seen) <= 0.01 * (1 + 1e-9)


def test_a_run_that_only_explodes_gives_back_the_start():
    net = two_layer()
    start = {name: w.copy() for name, w in net.params.items()}
    with np.errstate(all="ignore"):
        history = run(net, schedule=lambda epoch: 1e300, epochs=3, patience=2)
    assert not np.isfinite(history["val_loss"]).any()
    np.testing.assert_equal(net.params, start)


def test_progress_is_shown_when_asked_for(capsys):
    run(two_layer(), epochs=2, progress=True)
    assert "val_loss" in capsys.readouterr().err
    run(two_layer(), epochs=2)
    assert capsys.readouterr().err == ""


def test_evaluation_does_not_depend_on_the_batch_size():
    X, y, _, _ = problem()
    net = two_layer()
    np.testing.assert_allclose(evaluate(net, X, y, 7), evaluate(net, X, y, 1000))


def test_unequal_examples_and_labels_are_refused():
    X, y, _, _ = problem()
    with pytest.raises(ValueError, match="training set has 45 examples and 44 labels"):
        _check_examples(X, y[1:], "training")
    with pytest.raises(ValueError, match="validation set has 0 examples"):
        train(
            two_layer(), X, y, X[:0], y[:0], sgd, lambda epoch: 0.1, 1, 8, np.random.default_rng()
        )


def shifted(images, rng):
    return random_affine(images, rng, degrees=10, translate=0.08, scale=(0.9, 1.1), shear=5)


def train_on_digits(num_filters, hidden_dim, epochs, rate, augment=None, seed=0):
    digits = load_digits(validation=150, test=300, dtype=np.float32)
    net = ConvNet(
        num_filters=num_filters,
        hidden_dim=hidden_dim,
        weight_scale=0.05,
        reg=1e-3,
        rng=np.random.default_rng(seed),
    )
    net.params = {name: w.astype(np.float32) for name, w in net.params.items()}
    train(
        net,
        *digits[:4],
        adam,
        lambda epoch: cosine_decay(rate, epoch, epochs),
        epochs,
        48,
        np.random.default_rng(seed),
        augment=augment,
    )
    return net, digits


def test_a_small_convnet_reads_digits():
    net, digits = train_on_digits(32, 100, epochs=10, rate=5e-3)
    assert {w.dtype for w in net.params.values()} == {np.dtype(np.float32)}
    assert evaluate(net, digits.x_test, digits.y_test)[1] > 0.95


@pytest.mark.nightly
@pytest.mark.parametrize("seed", range(3))
def test_a_convnet_reads_more_than_98_percent_of_the_digits(seed):
    net, digits = train_on_digits(64, 128, epochs=80, rate=2e-3, augment=shifted, seed=seed)
    assert evaluate(net, digits.x_test, digits.y_test)[1] > 0.98


def test_an_ensemble_is_better_than_its_mean_member():
    probabilities, accuracies = [], []
    for seed in range(4):
        net, digits = train_on_digits(4, 16, epochs=4, rate=5e-3, seed=seed)
        scores = net.loss(digits.x_test)
        exponentials = np.exp(scores - scores.max(axis=1, keepdims=True))
        probabilities.append(exponentials / exponentials.sum(axis=1, keepdims=True))
        accuracies.append(np.mean(np.argmax(scores, axis=1) == digits.y_test))
    assert np.mean(ensemble_predict(probabilities) == digits.y_test) > np.mean(accuracies)
