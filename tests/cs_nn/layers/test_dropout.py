"""Dropout in its four forms, judged by distribution."""

import numpy as np
import pytest
from scipy import stats

from cs_nn.layers.dropout import (
    dropconnect_backward,
    dropconnect_forward,
    dropout_backward,
    dropout_forward,
    dropout_vanilla_backward,
    dropout_vanilla_forward,
    mc_dropout_predict,
)
from tests.numerical import Unchanged, numerical_gradient

PAIRS = [
    (dropout_vanilla_forward, dropout_vanilla_backward),
    (dropout_forward, dropout_backward),
]
each_pair = pytest.mark.parametrize(("forward", "backward"), PAIRS, ids=["vanilla", "inverted"])


@each_pair
@pytest.mark.parametrize("p", [0.3, 0.8, 1.0])
def test_keeps_each_unit_with_probability_p(forward, backward, p):
    x = np.full((400, 50), 2.0)
    out, _ = forward(x, {"mode": "train", "p": p, "seed": 1})
    kept = out != 0
    np.testing.assert_allclose(out[kept], 2 if forward is dropout_vanilla_forward else 2 / p)
    assert stats.binomtest(int(kept.sum()), kept.size, p).pvalue > 1e-4
    # Rows and columns have masks of their own.
    for axis in (0, 1):
        counts = kept.sum(axis=axis)
        variance = kept.shape[axis] * p * (1 - p)
        assert 0.5 * variance <= counts.var() <= 2 * variance


@each_pair
def test_test_mode_is_the_expectation_of_training_mode(forward, backward):
    x = np.random.default_rng(0).standard_normal((2, 3))
    draws = [forward(x, {"mode": "train", "p": 0.4, "seed": seed})[0] for seed in range(4000)]
    expected, _ = forward(x, {"mode": "test", "p": 0.4})
    np.testing.assert_allclose(np.mean(draws, axis=0), expected, atol=0.15)


@each_pair
@pytest.mark.parametrize("mode", ["train", "test"])
@pytest.mark.parametrize("shape", [(4, 3), (2, 3, 4, 2), (1, 5)])
def test_backward_uses_the_mask_of_its_forward(forward, backward, mode, shape):
    """Also for zeros in x, which look like dropped units, and after another forward pass."""
    rng = np.random.default_rng(0)
    x, dout = rng.standard_normal(shape), rng.standard_normal(shape)
    x.flat[0] = 0.0
    param = {"mode": mode, "p": 0.6, "seed": 5}
    with Unchanged(x, dout):
        _, cache = forward(x, param)
        forward(x, {"mode": "train", "p": 0.2})
        dx = backward(dout, cache)
    assert param == {"mode": mode, "p": 0.6, "seed": 5}
    np.testing.assert_allclose(
        dx, numerical_gradient(lambda x: forward(x, param)[0], x, dout), atol=1e-9
    )


@each_pair
def test_the_cache_does_not_hang_on_the_callers_dictionary(forward, backward):
    x = np.ones((4, 5))
    param = {"mode": "train", "p": 0.5, "seed": 2}
    out, cache = forward(x, param)
    param.update(mode="test", p=0.1)
    np.testing.assert_array_equal(backward(x, cache), out)


@each_pair
def test_a_fresh_mask_without_a_seed_and_the_same_with_it(forward, backward):
    x = np.ones((20, 20))
    fresh = {"mode": "train", "p": 0.5}
    assert (forward(x, fresh)[0] != forward(x, fresh)[0]).any()
    seeded = {"mode": "train", "p": 0.5, "seed": 0}
    np.testing.assert_array_equal(forward(x, seeded)[0], forward(x, seeded)[0])


@each_pair
@pytest.mark.parametrize("mode", ["train", "test"])
@pytest.mark.parametrize("p", [0.5, np.float64(0.5)])
def test_float32_stays_float32(forward, backward, mode, p):
    x = np.ones((3, 4), np.float32)
    out, cache = forward(x, {"mode": mode, "p": p})
    assert out.dtype == backward(x, cache).dtype == np.float32


@each_pair
def test_the_test_mode_output_is_not_the_input_itself(forward, backward):
    x = np.ones((3, 4))
    out, cache = forward(x, {"mode": "test", "p": 0.5})
    assert not np.shares_memory(out, x)
    assert not np.shares_memory(backward(x, cache), x)


@pytest.mark.parametrize("forward", [dropout_vanilla_forward, dropout_forward])
@pytest.mark.parametrize(
    ("param", "sentence"),
    [
        ({"mode": "train"}, "probability of keeping"),
        ({"mode": "train", "p": 0.0}, "probability of keeping"),
        ({"mode": "train", "p": 1.5}, "probability of keeping"),
        ({"p": 0.5}, "'train' or 'test'"),
        ({"mode": "eval", "p": 0.5}, "'train' or 'test'"),
    ],
)
def test_bad_parameters_are_named(forward, param, sentence):
    with pytest.raises(ValueError, match=sentence):
        forward(np.ones((2, 2)), param)


def test_mc_dropout_mean_and_spread():
    rng = np.random.default_rng(0)
    x = rng.standard_normal((3, 2))
    draws = []

    def predict(x, rng):
        draws.append(x * (1 + rng.standard_normal(x.shape)))
        return draws[-1]

    mean, std = mc_dropout_predict(predict, x, 5, rng)
    assert len(draws) == 5
    np.testing.assert_allclose(mean, np.mean(draws, axis=0))
    np.testing.assert_allclose(std, np.std(draws, axis=0))
    _, none = mc_dropout_predict(predict, x, 1, rng)
    assert not none.any()
    single, _ = mc_dropout_predict(lambda x, rng: x, x.astype(np.float32), 3, rng)
    assert single.dtype == np.float32
    with pytest.raises(ValueError, match="at least one sample"):
        mc_dropout_predict(predict, x, 0, rng)


def test_mc_dropout_agrees_with_the_scaled_pass_of_a_linear_model():
    rng = np.random.default_rng(1)
    x, w = rng.standard_normal((3, 40)), rng.standard_normal((40, 2))

    def predict(x, rng):
        param = {"mode": "train", "p": 0.5, "seed": int(rng.integers(2**32))}
        return dropout_forward(x, param)[0] @ w

    mean, std = mc_dropout_predict(predict, x, 2000, rng)
    assert (abs(mean - x @ w) < 5 * std / np.sqrt(2000)).all()


@pytest.mark.parametrize("mode", ["train", "test"])
@pytest.mark.parametrize("shape", [(4, 6), (2, 3, 2), (1, 6)])
def test_dropconnect_gradients_are_the_numerical_ones(mode, shape):
    rng = np.random.default_rng(0)
    x, w, b = rng.standard_normal(shape), rng.standard_normal((6, 3)), rng.standard_normal(3)
    dout = rng.standard_normal((shape[0], 3))
    param = {"mode": mode, "p": 0.6, "seed": 4}

    def forward(x, w, b):
        return dropconnect_forward(x, w, b, param)[0]

    with Unchanged(x, w, b, dout):
        _, cache = dropconnect_forward(x, w, b, param)
        gradients = dropconnect_backward(dout, cache)
    expected = (
        numerical_gradient(lambda x: forward(x, w, b), x, dout),
        numerical_gradient(lambda w: forward(x, w, b), w, dout),
        numerical_gradient(lambda b: forward(x, w, b), b, dout),
    )
    for gradient, numerical in zip(gradients, expected, strict=True):
        np.testing.assert_allclose(gradient, numerical, atol=1e-8)


def test_dropconnect_drops_single_weights_and_keeps_the_expectation():
    w = np.random.default_rng(0).standard_normal((60, 40))
    param = {"mode": "train", "p": 0.7, "seed": 3}
    out, _ = dropconnect_forward(np.eye(60), w, np.zeros(40), param)
    kept = out != 0
    np.testing.assert_allclose(out[kept], w[kept] / 0.7)
    assert stats.binomtest(int(kept.sum()), kept.size, 0.7).pvalue > 1e-4
    out, _ = dropconnect_forward(np.eye(60), w, np.ones(40), {"mode": "test", "p": 0.7})
    np.testing.assert_allclose(out, w + 1)


@pytest.mark.parametrize("mode", ["train", "test"])
def test_dropconnect_keeps_float32(mode):
    x, w, b = np.ones((3, 4), np.float32), np.ones((4, 2), np.float32), np.ones(2, np.float32)
    out, cache = dropconnect_forward(x, w, b, {"mode": mode, "p": 0.5})
    assert {a.dtype for a in (out, *dropconnect_backward(out, cache))} == {np.dtype(np.float32)}
