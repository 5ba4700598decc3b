"""A student who loses this loses points for a right answer, or keeps them for a wrong one."""

import numpy as np

from autograder.battery.compare import fault
from autograder.battery.graphs import written
from autograder.battery.networks import STARTS, _initial
from autograder.student import LocalStudent
from cs_nn.modules import TwoLayerNet


def test_a_nan_where_infinity_was_wanted_is_a_fault_with_a_place():
    found = fault(np.array([1.0, np.inf]), np.array([1.0, np.nan]))
    assert found is not None
    assert found.text.startswith("is nan at [1], expected inf")


def test_fair_first_weights_are_never_called_unfair():
    student = LocalStudent({"TwoLayerNet": TwoLayerNet})
    for seed in range(40):
        assert set(_initial("TwoLayerNet", student, 0.05, seed).values()) == {"yes"}


def test_uniform_first_weights_around_zero_with_the_right_spread_are_fair():
    class Uniform(TwoLayerNet):
        def __init__(self, *sizes, weight_scale=1e-3, reg=0.0, rng=None):
            super().__init__(*sizes, reg=reg, rng=rng)
            rng, limit = np.random.default_rng(rng), weight_scale * np.sqrt(3)
            for key in ("W1", "W2"):
                self.params[key] = rng.uniform(-limit, limit, self.params[key].shape)

    facts = _initial("TwoLayerNet", LocalStudent({"TwoLayerNet": Uniform}), 0.1, 3)
    assert dict.fromkeys(STARTS, "yes") == facts


def test_a_graph_is_told_in_the_students_own_words():
    steps = [["c", "__rsub__", "a", 3], ["d", "tanh", "c"], ["f", "max", "d", "a"]]
    assert written(steps) == "c = 3 - a; d = c.tanh(); f = d.max(a)"
