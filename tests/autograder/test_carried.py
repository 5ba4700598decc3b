"""Error carried forward is for a wrong forward pass, not for an easier exercise."""

import numpy as np
import pytest

from autograder import course
from autograder.grading import brief, grade
from autograder.student import LocalStudent


def share(name, **functions):
    (exercise,) = (e for a in course.assignments() for e in course.exercises(a) if e.name == name)
    student = LocalStudent({**exercise.reference, **functions})
    return grade(brief(exercise, np.random.default_rng(5)), student).score / exercise.points


def leaky(x):
    return np.maximum(x, 0.01 * x), x


def leaky_backward(dout, x):
    return np.where(x > 0, dout, 0.01 * dout)


def test_the_gradient_of_a_wrong_forward_pass_is_not_lost():
    assert share("relu_backward", relu_forward=leaky, relu_backward=leaky_backward) == 1


def scaled(x, gamma, beta, bn_param):
    return gamma * x + beta, (x, gamma)


def scaled_backward(dout, cache):
    x, gamma = cache
    return dout * gamma, (dout * x).sum(0), dout.sum(0)


def halved(x):
    return x / 2, x


def halved_backward(dout, x):
    return dout / 2


@pytest.mark.parametrize(
    ("name", "functions"),
    [
        ("relu_backward", {"relu_forward": halved, "relu_backward": halved_backward}),
        (
            "batchnorm_backward",
            {"batchnorm_forward": scaled, "batchnorm_backward": scaled_backward},
        ),
    ],
)
def test_a_straight_line_in_place_of_what_bends_earns_no_credit(name, functions):
    assert share(name, **functions) < 0.5
