"""A student who loses this is not told that a layer of a network spoils the result of another."""

import numpy as np
import pytest

from autograder import course
from autograder.grading import brief, grade
from autograder.student import LocalStudent
from cs_nn.layers.activations import elu_backward, elu_forward

made: dict = {}


def into_one_array(x):
    out = made.setdefault((x.shape, x.dtype), np.zeros(x.shape, x.dtype))
    return np.maximum(x, 0, out=out), x


def gradient_into_one_array(dout, cache):
    out = made.setdefault((dout.shape, dout.dtype), np.zeros_like(dout))
    return np.multiply(dout, cache > 0, out=out)


def keeping_alpha(x, alpha=1.0):
    made["alpha"] = alpha
    return elu_forward(x, alpha)[0], x


def with_the_alpha_kept(dout, cache):
    return elu_backward(dout, elu_forward(cache, made["alpha"])[1])


def keeping_the_shape(x):
    made["shape"] = x.shape
    return np.maximum(x, 0), x > 0


def in_the_shape_kept(dout, cache):
    return (dout * cache).reshape(made["shape"])


@pytest.mark.parametrize(
    ("name", "mine", "said"),
    [
        ("relu_forward", {"relu_forward": into_one_array}, "overwrites what it returned"),
        ("relu_backward", {"relu_backward": gradient_into_one_array}, "overwrites what it ret"),
        (
            "relu_backward",
            {"relu_forward": keeping_the_shape, "relu_backward": in_the_shape_kept},
            "outside the cache",
        ),
        (
            "elu_backward",
            {"elu_forward": keeping_alpha, "elu_backward": with_the_alpha_kept},
            "outside the cache",
        ),
    ],
)
def test_what_one_layer_does_to_another_is_conduct(name, mine, said):
    made.clear()
    exercise = next(e for e in course.exercises("a2_backprop") if e.name == name)
    task = brief(exercise, np.random.default_rng(3))
    result = grade(task, LocalStudent({**exercise.reference, **mine}), 3)
    failed = [check for check in result.checks if not check.passed]
    assert [check.name for check in failed] == ["conduct"]
    assert said in failed[0].message
