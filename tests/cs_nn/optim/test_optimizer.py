"""One optimiser for a model: each parameter keeps its own memory and, if wished, settings."""

import numpy as np
import pytest

from cs_nn.optim.first_order import adam, adamw, sgd, sgd_momentum
from cs_nn.optim.optimizer import Optimizer


def params(dtype=np.float64):
    return {"W": np.ones((2, 3), dtype), "b": np.zeros(3, dtype)}


def grads_of(rng, dtype=np.float64):
    return {name: rng.standard_normal(w.shape).astype(dtype) for name, w in params().items()}


def test_each_parameter_walks_as_if_it_were_alone():
    rng = np.random.default_rng(0)
    gradients = [grads_of(rng) for _ in range(4)]
    model = params()
    optimizer = Optimizer(model, adam, {"learning_rate": 0.1})
    for grads in gradients:
        optimizer.step(grads)
    for name, w in params().items():
        config = {"learning_rate": 0.1}
        for grads in gradients:
            w, config = adam(w, grads[name], config)
        np.testing.assert_array_equal(model[name], w)
    assert optimizer.t == 4


def test_overrides_hold_for_one_parameter():
    model = params()
    optimizer = Optimizer(model, adamw, {"weight_decay": 0.5}, {"b": {"weight_decay": 0.0}})
    optimizer.step({name: np.zeros_like(w) for name, w in model.items()})
    assert optimizer.configs["b"]["weight_decay"] == 0
    np.testing.assert_allclose(model["W"], 1 - 1e-3 * 0.5)


def test_the_schedule_sets_the_rate_except_where_a_parameter_has_its_own():
    model = params()
    optimizer = Optimizer(
        model, sgd, overrides={"b": {"learning_rate": 1.0}}, schedule=lambda t: 0.1 / (1 + t)
    )
    ones = {name: np.ones_like(w) for name, w in model.items()}
    optimizer.step(ones)
    optimizer.step(ones)
    np.testing.assert_allclose(model["W"], 1 - 0.1 - 0.05)
    np.testing.assert_allclose(model["b"], -2.0)
    optimizer.step(ones, rate=0.5)
    np.testing.assert_allclose(model["W"], 0.85 - 0.5)


def test_float32_models_stay_float32_under_a_numpy_schedule():
    model = params(np.float32)
    optimizer = Optimizer(model, sgd_momentum, schedule=lambda t: np.cos(np.float64(t)))
    for _ in range(3):
        optimizer.step(grads_of(np.random.default_rng(0), np.float32))
    assert {w.dtype for w in model.values()} == {np.dtype(np.float32)}


def test_a_parameter_without_a_gradient_rests():
    model = params()
    Optimizer(model, sgd).step({"W": np.ones((2, 3))})
    np.testing.assert_array_equal(model["b"], 0)


def test_names_that_do_not_exist_are_refused():
    with pytest.raises(ValueError, match="no parameter 'w' for the override"):
        Optimizer(params(), sgd, overrides={"w": {}})
    with pytest.raises(ValueError, match="no parameter 'w' for the gradient"):
        Optimizer(params(), sgd).step({"w": np.ones(3)})
