"""What was learned before must stay where it should, and move where it may."""

import numpy as np
import pytest

from cs_nn.modules import TwoLayerNet
from cs_nn.training.networks import ConvNet
from cs_nn.training.transfer import feature_extractor, fine_tune, freeze


def conv_net(rng):
    return ConvNet((2, 5, 4), 3, 3, 6, 4, weight_scale=0.3, rng=rng)


def test_freeze_zeroes_the_named_gradients_in_a_new_dictionary():
    grads = {"W1": np.ones((2, 2), np.float32), "b1": np.ones(2)}
    frozen = freeze(grads, ["W1"])
    np.testing.assert_array_equal(frozen["W1"], 0)
    assert frozen["W1"].dtype == np.float32
    np.testing.assert_array_equal(frozen["b1"], 1)
    np.testing.assert_array_equal(grads["W1"], 1)
    for typo in (["w1"], "W1"):
        with pytest.raises(ValueError, match="the parameters are W1, b1"):
            freeze(grads, typo)


@pytest.mark.parametrize("kind", ["two-layer", "conv"])
def test_the_last_affine_layer_on_the_features_gives_the_scores(kind):
    rng = np.random.default_rng(0)
    if kind == "conv":
        net, X, last, hidden = conv_net(rng), rng.standard_normal((7, 2, 5, 4)), "3", 6
    else:
        net, X, last, hidden = (
            TwoLayerNet(6, 5, 4, 0.3, rng=rng),
            rng.standard_normal((7, 6)),
            "2",
            5,
        )
    for name in net.params:
        net.params[name] = net.params[name] + 0.1
    features = feature_extractor(net, X)
    assert features.shape == (7, hidden)
    assert np.all(features >= 0)
    scores = features @ net.params[f"W{last}"] + net.params[f"b{last}"]
    np.testing.assert_allclose(scores, net.loss(X), atol=1e-12)


def test_fine_tuning_moves_each_parameter_at_its_own_rate():
    rng = np.random.default_rng(0)
    net, X, y = conv_net(rng), rng.standard_normal((9, 2, 5, 4)), rng.integers(0, 4, size=9)
    before = {name: w.copy() for name, w in net.params.items()}
    first_loss, grads = net.loss(X, y)
    losses = fine_tune(net, X, y, {"W3": 0.5, "b3": 0.1}, steps=1)
    assert losses == [pytest.approx(first_loss)]
    np.testing.assert_allclose(net.params["W3"], before["W3"] - 0.5 * grads["W3"])
    np.testing.assert_allclose(net.params["b3"], before["b3"] - 0.1 * grads["b3"])
    for name in ("W1", "b1", "W2", "b2"):
        np.testing.assert_array_equal(net.params[name], before[name])
    more = fine_tune(net, X, y, {"W3": 0.5, "b3": 0.1}, steps=30)
    assert len(more) == 30
    assert more[-1] < more[0] < losses[0]
    with pytest.raises(ValueError, match="no parameter 'W4'"):
        fine_tune(net, X, y, {"W4": 0.1}, steps=1)
