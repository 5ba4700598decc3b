"""Mistakes in optimisers that nobody has foreseen: what a student reads of them."""

import dataclasses

import numpy as np
import pytest

from autograder import course, validate
from autograder.grading import brief
from cs_nn.optim.first_order import sgd_momentum

MOMENTUM = next(e for e in course.exercises("a5_optimization") if e.name == "sgd_momentum")
UNNAMED = dataclasses.replace(MOMENTUM, misconceptions=())


def codes(implementation, exercise=UNNAMED):
    result = validate.attempt(exercise, brief(exercise, np.random.default_rng(3)), implementation)
    return [d.code for d in result.diagnoses]


def thrice(w, dw, config=None):
    next_w, config = sgd_momentum(w, dw, config)
    return w + 2 * (next_w - w), config


def forgets(w, dw, config=None):
    next_w, after = sgd_momentum(w, dw, config)
    after.pop("velocity")
    return next_w, after


def without_default(w, dw, config):
    return sgd_momentum(w, dw, config)


def wide(w, dw, config=None):
    next_w, config = sgd_momentum(w, dw, config)
    return next_w.astype(np.float64), config


@pytest.mark.parametrize(
    ("implementation", "code"),
    [
        (thrice, "step-ratio:2"),
        (forgets, "momentum-taken-as-0"),
        (without_default, "raised:TypeError@two-parameters"),
        (wide, "dtype-lost"),
    ],
)
def test_a_step_is_described_by_its_relation_to_the_right_step(implementation, code):
    assert codes(implementation) == [code]


def test_a_right_answer_in_float32_is_not_taken_for_another_mistake():
    assert codes(wide, MOMENTUM) == ["float32-lost"]


def test_who_shares_only_the_first_step_with_a_mistake_does_not_get_its_name():
    def uphill_at_first(w, dw, config=None):
        sign = 1 if "velocity" in (config or {}) else -1
        return sgd_momentum(w, sign * dw, config)

    assert codes(uphill_at_first, MOMENTUM) == ["step-ratio:-1"]
