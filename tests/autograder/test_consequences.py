"""A mistake in a helper is named where it is, and what comes of it elsewhere is not a new one."""

import numpy as np
import pytest

from autograder import course
from autograder.grading import grade_submission
from autograder.student import LocalStudent
from cs_nn import modules
from cs_nn.layers.affine import affine_backward, affine_forward

NAMES = ("affine_forward", "affine_backward", "relu_forward", "relu_backward", "Linear")
EXERCISES = [e for e in course.exercises("a2_backprop") if e.name in NAMES]


class Linear:
    """As a student writes it: on top of her own functions."""

    forward_of = staticmethod(affine_forward)
    backward_of = staticmethod(affine_backward)

    def __init__(self, fan_in, fan_out, rng):
        self.w = rng.normal(0, np.sqrt(2 / fan_in), (fan_in, fan_out))
        self.b = np.zeros(fan_out)

    def forward(self, x):
        out, self.cache = self.forward_of(x, self.w, self.b)
        return out

    def backward(self, dout):
        dx, self.dw, self.db = self.backward_of(dout, self.cache)
        return dx

    def update(self, learning_rate):
        self.w = self.w - learning_rate * self.dw
        self.b = self.b - learning_rate * self.db


def without_bias(x, w, b):
    return x.reshape(len(x), -1) @ w, affine_forward(x, w, b)[1]


def averaged(dout, cache):
    dx, dw, db = affine_backward(dout, cache)
    return dx, dw, db / len(dout)


def graded(**mine):
    right = {name: value for e in EXERCISES for name, value in e.reference.items()}
    student = LocalStudent({**right, **mine})
    return {r.name: r for r in grade_submission(student, "a2_backprop", len, exercises=EXERCISES)}


@pytest.mark.parametrize(
    ("name", "wrong", "part"),
    [
        ("affine_forward", without_bias, "forward_of"),
        ("affine_backward", averaged, "backward_of"),
    ],
)
def test_a_class_on_top_of_a_wrong_function_is_told_where_to_look(name, wrong, part):
    mine = type("Linear", (Linear,), {part: staticmethod(wrong)})
    (diagnosis,) = graded(**{name: wrong, "Linear": mine})["Linear"].diagnoses
    assert diagnosis.code == f"follows-from:{name}"
    assert "mend that first" in diagnosis.message
    assert modules.affine_forward is affine_forward, "the reference is itself again"


def test_a_class_with_a_mistake_of_its_own_hears_of_its_own():
    class Uphill(Linear):
        forward_of = staticmethod(without_bias)

        def update(self, learning_rate):
            super().update(-learning_rate)

    codes = [d.code for d in graded(affine_forward=without_bias, Linear=Uphill)["Linear"].diagnoses]
    assert not any(code.startswith("follows-from") for code in codes)
    assert "step-uphill" in codes
