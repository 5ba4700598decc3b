"""Activations: kinks, saturation, and the gradients of shared slopes and pieces."""

import numpy as np
import pytest
from hypothesis import given

from cs_nn.layers import activations as act
from tests.strategies import arrays


@pytest.mark.parametrize(
    ("name", "options", "slope"),
    [
        ("relu", {}, 0.0),
        ("leaky_relu", {"slope": 0.2}, 0.2),
        ("elu", {"alpha": 0.5}, 0.5),
        ("prelu", {"slope": 0.2}, 0.2),
    ],
)
def test_kink_belongs_to_the_left_side(name, options, slope):
    x = np.array([[0.0, -0.0]])
    out, cache = getattr(act, f"{name}_forward")(x, **options)
    gradient = getattr(act, f"{name}_backward")(np.full((1, 2), 3.0), cache)
    dx = gradient[0] if name == "prelu" else gradient
    np.testing.assert_array_equal(out, 0 * x)
    np.testing.assert_allclose(dx, np.full((1, 2), 3 * slope))


@pytest.mark.parametrize("name", ["sigmoid", "tanh", "relu", "leaky_relu", "elu"])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_no_input_is_too_large(name, dtype):
    """Warnings are errors here: an overflowing exponential fails even if its value is unused."""
    x = np.array([-1e30, -1000, -90, 90, 1000, 1e30], dtype=dtype)
    out, cache = getattr(act, f"{name}_forward")(x)
    dx = getattr(act, f"{name}_backward")(np.ones_like(x), cache)
    assert np.isfinite(out).all()
    assert np.isfinite(dx).all()


def test_sigmoid_is_accurate_in_its_left_tail():
    out, _ = act.sigmoid_forward(np.array([-40.0]))
    np.testing.assert_allclose(out, np.exp(-40.0), rtol=1e-15)


@given(arrays())
def test_sigmoid_and_tanh_are_one_curve(x):
    """tanh(x) = 2σ(2x) − 1, and σ(−x) = 1 − σ(x)."""
    sigmoid = act.sigmoid_forward(x)[0]
    np.testing.assert_allclose(
        act.tanh_forward(x)[0], 2 * act.sigmoid_forward(2 * x)[0] - 1, atol=1e-15
    )
    np.testing.assert_allclose(act.sigmoid_forward(-x)[0], 1 - sigmoid, atol=1e-15)


@given(arrays())
def test_relu_is_leaky_relu_without_a_leak(x):
    relu, relu_cache = act.relu_forward(x)
    leaky, leaky_cache = act.leaky_relu_forward(x, 0.0)
    np.testing.assert_array_equal(relu, leaky)
    np.testing.assert_array_equal(
        act.relu_backward(x, relu_cache), act.leaky_relu_backward(x, leaky_cache)
    )


@pytest.mark.parametrize("name", ["leaky_relu", "elu", "prelu"])
def test_a_numpy_option_does_not_promote_float32(name):
    out, _ = getattr(act, f"{name}_forward")(np.ones((2, 2), np.float32), np.float32(0.1))
    assert out.dtype == np.float32


def test_prelu_slope_gradient_adds_up_each_channel():
    x = np.array([[[-1.0, 2.0], [-3.0, -4.0]], [[-5.0, 0.0], [6.0, -7.0]]])
    out, cache = act.prelu_forward(x, np.array([0.1, 0.5]))
    np.testing.assert_allclose(out, [[[-0.1, 2.0], [-1.5, -2.0]], [[-0.5, 0.0], [6.0, -3.5]]])
    dx, dslope = act.prelu_backward(np.ones_like(x), cache)
    np.testing.assert_allclose(dslope, [-6.0, -14.0])
    np.testing.assert_allclose(dx, [[[0.1, 1.0], [0.5, 0.5]], [[0.1, 0.1], [1.0, 0.5]]])


def test_prelu_with_one_slope_per_column_is_refused_when_columns_do_not_match():
    with pytest.raises(ValueError, match=r"slope of shape \(3,\) does not fit x of shape \(3, 2\)"):
        act.prelu_forward(np.ones((3, 2)), np.ones(3))


def test_maxout_takes_the_winner_and_pays_only_the_winner():
    """Pieces x and −x make |x|; a tie at 0 pays the first piece."""
    x = np.array([[-2.0], [0.0], [3.0]])
    w = np.array([[[1.0]], [[-1.0]]])
    out, cache = act.maxout_forward(x, w, np.zeros((2, 1)))
    dx, dw, db = act.maxout_backward(np.ones((3, 1)), cache)
    np.testing.assert_array_equal(out, [[2.0], [0.0], [3.0]])
    np.testing.assert_array_equal(dx, [[-1.0], [1.0], [1.0]])
    np.testing.assert_array_equal(dw, [[[3.0]], [[-2.0]]])
    np.testing.assert_array_equal(db, [[2.0], [1.0]])
