"""The convolutional network: its gradients, its starting loss, its size."""

import math

import numpy as np
import pytest

from cs_nn.layers.activations import relu_forward
from cs_nn.layers.affine import affine_forward
from cs_nn.layers.convolution import conv_forward
from cs_nn.layers.pooling import max_pool_forward
from cs_nn.training.networks import ConvNet


def small_net(reg=0.3):
    net = ConvNet((2, 5, 6), 3, 3, 7, 4, weight_scale=0.5, reg=reg, rng=np.random.default_rng(0))
    for name in ("b1", "b2", "b3"):
        net.params[name] = net.params[name] + 0.1
    return net


def batch(dtype=np.float64):
    rng = np.random.default_rng(1)
    return rng.standard_normal((5, 2, 5, 6)).astype(dtype), rng.integers(0, 4, size=5)


def test_scores_are_those_of_the_readable_layers():
    net, (X, _) = small_net(), batch()
    p = net.params
    out, _ = conv_forward(X, p["W1"], p["b1"], {"stride": 1, "pad": 1})
    out, _ = relu_forward(out)
    out, _ = max_pool_forward(out, {"pool_height": 2, "pool_width": 2, "stride": 2})
    out, _ = relu_forward(affine_forward(out, p["W2"], p["b2"])[0])
    out, _ = affine_forward(out, p["W3"], p["b3"])
    np.testing.assert_allclose(net.loss(X), out, atol=1e-12)


def test_every_gradient_is_the_slope_of_the_loss():
    net, (X, y) = small_net(), batch()
    loss, grads = net.loss(X, y)
    assert isinstance(loss, float)
    assert set(grads) == set(net.params)
    rng = np.random.default_rng(2)
    for name, w in list(net.params.items()):
        assert grads[name].shape == w.shape
        direction = rng.standard_normal(w.shape)
        losses = []
        for h in (1e-6, -1e-6):
            net.params[name] = w + h * direction
            losses.append(net.loss(X, y)[0])
        net.params[name] = w
        slope = (losses[0] - losses[1]) / 2e-6
        np.testing.assert_allclose(np.sum(grads[name] * direction), slope, rtol=1e-6, err_msg=name)


def test_the_penalty_is_on_weights_and_not_on_biases():
    X, y = batch()
    plain, penalised = small_net(reg=0.0).loss(X, y), small_net(reg=0.3).loss(X, y)
    params = small_net().params
    weights = sum(np.sum(params[name] ** 2) for name in ("W1", "W2", "W3"))
    np.testing.assert_allclose(penalised[0] - plain[0], 0.5 * 0.3 * weights)
    np.testing.assert_allclose(penalised[1]["W2"] - plain[1]["W2"], 0.3 * params["W2"])
    np.testing.assert_array_equal(penalised[1]["b1"], plain[1]["b1"])


def test_the_first_loss_is_log_c_and_defaults_fit_the_digits():
    net = ConvNet(rng=np.random.default_rng(0))
    X, y = np.random.default_rng(0).random((20, 1, 8, 8)), np.arange(20) % 10
    assert net.loss(X, y)[0] == pytest.approx(math.log(10), rel=1e-3)
    assert net.params["W2"].shape == (32 * 4 * 4, 100)


def test_float32_stays_float32():
    net, (X, y) = small_net(), batch(np.float32)
    net.params = {name: w.astype(np.float32) for name, w in net.params.items()}
    assert net.loss(X).dtype == np.float32
    assert {g.dtype for g in net.loss(X, y)[1].values()} == {np.dtype(np.float32)}


def test_a_filter_that_cannot_keep_the_size_is_refused():
    with pytest.raises(ValueError, match="only an odd one"):
        ConvNet(filter_size=4)
