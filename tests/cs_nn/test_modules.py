"""Layers as objects and the two-layer network: it learns, and its gradients are right."""

import numpy as np
import pytest

from cs_nn.data.datasets import load_digits, spirals
from cs_nn.layers.losses import softmax_loss
from cs_nn.modules import Linear, ReLU, Sequential, TwoLayerNet, train_step


def test_layers_in_a_row_learn_the_spirals():
    rng = np.random.default_rng(0)
    x, y = spirals(150, rng, noise=0.1)
    net = Sequential([Linear(2, 50, rng), ReLU(), Linear(50, 3, rng)])
    for _ in range(600):
        _, dscores = softmax_loss(net.forward(x), y)
        net.backward(dscores)
        net.update(1.0)
    assert np.mean(net.forward(x).argmax(axis=1) == y) > 0.9


def test_a_network_inside_a_network_is_a_layer():
    rng = np.random.default_rng(1)
    layers = [Linear(6, 4, rng), ReLU(), Linear(4, 3, rng)]
    flat, nested = Sequential(layers), Sequential([layers[0], Sequential(layers[1:])])
    x = rng.standard_normal((5, 2, 3))
    np.testing.assert_array_equal(flat.forward(x), nested.forward(x))
    dx = nested.backward(np.ones((5, 3)))
    assert dx.shape == x.shape
    np.testing.assert_array_equal(dx, flat.backward(np.ones((5, 3))))


def test_update_steps_against_the_gradient_and_leaves_old_arrays_alone():
    layer = Linear(2, 3, np.random.default_rng(2))
    w, before = layer.w, layer.w.copy()
    layer.forward(np.ones((1, 2)))
    layer.backward(np.ones((1, 3)))
    layer.update(0.5)
    np.testing.assert_array_equal(w, before)
    np.testing.assert_allclose(layer.w, before - 0.5)
    np.testing.assert_allclose(layer.b, [-0.5] * 3)


def net_and_batch(**options):
    rng = np.random.default_rng(3)
    net = TwoLayerNet(12, 8, 4, weight_scale=0.5, rng=rng, **options)
    return net, rng.standard_normal((6, 3, 4)), rng.integers(4, size=6)


def test_initial_loss_is_log_c():
    rng = np.random.default_rng(4)
    net = TwoLayerNet(64, 50, 10, rng=rng)
    loss, _ = net.loss(rng.standard_normal((200, 64)), rng.integers(10, size=200))
    assert loss == pytest.approx(np.log(10), rel=1e-3)


def test_regularisation_adds_half_reg_times_the_squared_weights_and_spares_biases():
    net, X, y = net_and_batch()
    net.params["b1"] += 1
    loss, grads = net.loss(X, y)
    net.reg = 0.7
    regularised, regularised_grads = net.loss(X, y)
    squares = np.sum(net.params["W1"] ** 2) + np.sum(net.params["W2"] ** 2)
    assert regularised - loss == pytest.approx(0.35 * squares)
    for name, factor in {"W1": 0.7, "W2": 0.7, "b1": 0.0, "b2": 0.0}.items():
        np.testing.assert_allclose(
            regularised_grads[name] - grads[name], factor * net.params[name], atol=1e-12
        )


def test_loss_is_the_loss_of_its_scores():
    net, X, y = net_and_batch()
    assert net.loss(X).shape == (6, 4)
    assert net.loss(X, y)[0] == softmax_loss(net.loss(X), y)[0]


def test_gradients_keep_float32():
    net, X, y = net_and_batch(reg=np.float64(0.1))
    net.params = {name: value.astype(np.float32) for name, value in net.params.items()}
    loss, grads = net.loss(X.astype(np.float32), y)
    assert loss.dtype == np.float32
    assert {name: (g.shape, g.dtype) for name, g in grads.items()} == {
        name: (value.shape, np.dtype(np.float32)) for name, value in net.params.items()
    }


def test_no_rng_means_fresh_weights():
    first, second = TwoLayerNet(3, 4, 2), TwoLayerNet(3, 4, 2)
    assert not np.array_equal(first.params["W1"], second.params["W1"])


class Recorder:
    """A stand-in network that notes which examples it is shown."""

    def __init__(self):
        self.params = {"w": np.zeros(2)}

    def loss(self, X, y):
        self.batch = X[:, 0], y
        return 1.25, {"w": np.array([1.0, -2.0])}


def test_train_step_samples_without_replacement_and_keeps_pairs_together():
    X, net = np.arange(20.0)[:, None], Recorder()
    y = np.arange(20)
    loss = train_step(net, X, y, 0.1, 20, np.random.default_rng(5))
    assert loss == 1.25
    np.testing.assert_array_equal(np.sort(net.batch[1]), y)
    np.testing.assert_array_equal(net.batch[0], net.batch[1])
    np.testing.assert_allclose(net.params["w"], [-0.1, 0.2])
    first = net.batch[1][:5]
    train_step(net, X, y, 0.1, 5, np.random.default_rng(6))
    assert not np.array_equal(first, net.batch[1])


def test_train_step_refuses_a_batch_larger_than_the_data():
    net, X, y = net_and_batch()
    with pytest.raises(ValueError, match="batch_size 7 must lie between 1 and 6"):
        train_step(net, X, y, 0.1, 7, np.random.default_rng(0))


def test_overfits_twenty_digits():
    """The curriculum's own sanity check: accuracy 1 and a loss below 0.01."""
    digits = load_digits()
    X, y = digits.x_train[:20], digits.y_train[:20]
    rng = np.random.default_rng(7)
    net = TwoLayerNet(64, 50, 10, weight_scale=0.1, rng=rng)
    losses = [train_step(net, X, y, 0.5, 20, rng) for _ in range(400)]
    assert losses[-1] < 0.01 < losses[0]
    assert (net.loss(X).argmax(axis=1) == y).all()
