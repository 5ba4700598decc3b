"""What a training run loses when an optimiser is wrong: its state, its dtype, its direction."""

import copy

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from cs_nn.optim import first_order as o

OPTIMIZERS = [
    o.sgd,
    o.sgd_momentum,
    o.nesterov,
    o.adagrad,
    o.rmsprop,
    o.adam,
    o.adamw,
    o.adamax,
    o.rprop,
]
each_optimizer = pytest.mark.parametrize("update", OPTIMIZERS, ids=lambda update: update.__name__)


def walk(update, w, grads, config=None):
    for dw in grads:
        w, config = update(w, dw, config)
    return w, config


@each_optimizer
def test_nothing_that_is_given_changes(update):
    rng = np.random.default_rng(0)
    w, dw = rng.standard_normal((2, 3, 4))
    _, config = walk(update, w, rng.standard_normal((3, 3, 4)))
    before = copy.deepcopy((w, dw, config))
    first = update(w, dw, config)
    np.testing.assert_equal((w, dw, config), before)
    np.testing.assert_equal(update(w, dw, config), first)


@each_optimizer
@pytest.mark.parametrize("rate", [0.01, np.float64(0.01), np.array(0.01)[()]])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_parameters_and_state_keep_the_dtype(update, rate, dtype):
    w = np.ones((2, 3), dtype)
    grads = np.random.default_rng(0).standard_normal((4, 2, 3)).astype(dtype)
    w, config = walk(update, w, grads, {"learning_rate": rate})
    assert w.dtype == dtype
    assert {v.dtype for v in config.values() if isinstance(v, np.ndarray)} <= {np.dtype(dtype)}


@given(dw=arrays(np.float64, array_shapes(max_dims=4), elements=st.floats(-1e3, 1e3).filter(bool)))
def test_the_first_step_goes_downhill_in_every_entry(dw):
    for update in OPTIMIZERS:
        w, _ = update(np.zeros_like(dw), dw)
        assert w.shape == dw.shape
        # A gradient as small as 1e-300 squares to zero or moves w by less than any float.
        visible = np.abs(dw) > 1e-100
        assert np.all(np.sign(w[visible]) == -np.sign(dw[visible])), update.__name__


@each_optimizer
def test_without_a_gradient_only_weight_decay_moves(update):
    w = np.array([1.0, -2.0])
    next_w, _ = walk(update, w, np.zeros((3, 2)))
    expected = w * (1 - 1e-3 * 1e-2) ** 3 if update is o.adamw else w
    np.testing.assert_allclose(next_w, expected, rtol=1e-14)


@each_optimizer
def test_two_parameters_do_not_share_state(update):
    rng = np.random.default_rng(1)
    grads_a, grads_b = rng.standard_normal((2, 4, 3))
    alone, _ = walk(update, np.ones(3), grads_a)
    a = b = np.ones(3)
    shared_settings = {"learning_rate": 1e-2 if update not in (o.adam, o.adamw) else 1e-3}
    if update is o.adamax:
        shared_settings = {"learning_rate": 2e-3}
    config_a = config_b = shared_settings
    for dw_a, dw_b in zip(grads_a, grads_b, strict=True):
        a, config_a = update(a, dw_a, config_a)
        b, config_b = update(b, dw_b, config_b)
    np.testing.assert_array_equal(a, alone)


@each_optimizer
def test_shapes_that_would_broadcast_are_refused(update):
    with pytest.raises((ValueError, TypeError)):
        update(np.zeros((3, 1)), np.zeros(3))


def test_shapes_are_named_in_the_message():
    with pytest.raises(ValueError, match=r"w and dw must have the same shape.*\(3, 1\).*\(3,\)"):
        o._complete(None, np.zeros((3, 1)), np.zeros(3))


@pytest.mark.parametrize("update", [o.adagrad, o.rmsprop], ids=lambda update: update.__name__)
def test_epsilon_stands_outside_the_root(update):
    dw = np.array([1e-8])
    share = 1.0 if update is o.adagrad else 0.01
    w, _ = update(np.zeros(1), dw, {"learning_rate": 1.0, "epsilon": 1e-8})
    np.testing.assert_allclose(w, -1e-8 / (np.sqrt(share) * 1e-8 + 1e-8))


@pytest.mark.parametrize("update", [o.adam, o.adamax], ids=lambda update: update.__name__)
def test_bias_correction_makes_the_first_step_as_long_as_the_rate(update):
    dw = np.array([1e-3, -5.0, 1e4])
    w, config = update(np.zeros(3), dw, {"learning_rate": 0.1, "epsilon": 0.0})
    np.testing.assert_allclose(w, -0.1 * np.sign(dw))
    assert config["t"] == 1


def test_stored_moments_are_not_bias_corrected():
    _, config = o.adam(np.zeros(1), np.array([2.0]))
    np.testing.assert_allclose(config["m"], 0.2)
    np.testing.assert_allclose(config["v"], 0.004)


def test_adamw_decays_beside_the_step():
    w, dw = np.array([10.0]), np.array([1e-6])
    settings = {"learning_rate": 0.1, "weight_decay": 0.5}
    plain, _ = o.adam(w, dw, {"learning_rate": 0.1})
    decayed, _ = o.adamw(w, dw, settings)
    np.testing.assert_allclose(plain - decayed, 0.1 * 0.5 * w)


def test_nesterov_is_the_lookahead_form_in_other_variables():
    rng = np.random.default_rng(2)
    A = np.diag([1.0, 30.0])
    mu, rate = 0.8, 0.02
    x, v = rng.standard_normal(2), np.zeros(2)
    w, config = x.copy(), {"learning_rate": rate, "momentum": mu}
    for _ in range(20):
        v = mu * v - rate * (A @ (x + mu * v))
        x = x + v
        w, config = o.nesterov(w, A @ w, config)
        np.testing.assert_allclose(w, x + mu * v, atol=1e-12)


def test_heavy_ball_is_momentum_without_a_velocity():
    rng = np.random.default_rng(3)
    x = x_prev = w = rng.standard_normal(4)
    config = {"learning_rate": 0.1, "momentum": 0.7}
    for grad in rng.standard_normal((5, 4)):
        x, x_prev = o.polyak_heavy_ball(x, x_prev, grad, 0.1, 0.7), x
        w, config = o.sgd_momentum(w, grad, config)
    np.testing.assert_allclose(x, w, atol=1e-12)


def test_rprop_rests_for_one_step_where_the_sign_changes():
    positions, steps = [], []
    w, config = np.zeros(1), None
    for dw in [2.0, 3.0, -1.0, -1.0, -1.0]:
        w, config = o.rprop(w, np.array([dw]), config)
        positions.append(w[0])
        steps.append(config["step"][0])
    np.testing.assert_allclose(steps, [0.01, 0.012, 0.006, 0.006, 0.0072])
    np.testing.assert_allclose(positions, [-0.01, -0.022, -0.022, -0.016, -0.0088])


def test_rprop_sees_a_change_of_sign_however_small_the_gradients():
    _, config = o.rprop(np.zeros(1), np.array([1e-200]))
    _, config = o.rprop(np.zeros(1), np.array([-1e-200]), config)
    np.testing.assert_allclose(config["step"], 0.005)
