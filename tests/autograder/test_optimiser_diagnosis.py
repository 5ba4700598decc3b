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


def without_inertia(w, dw, config=None):
    next_w, after = sgd_momentum(w, dw, {**(config or {}), "momentum": 0.0})
    return next_w, {**(config or {}), "velocity": after["velocity"]}


def zero_is_missing(w, dw, config=None):
    return sgd_momentum(w, dw, {k: v for k, v in (config or {}).items() if np.any(v)})


def stored_against_the_motion(w, dw, config=None):
    config = dict(config or {})
    if "velocity" in config:
        config["velocity"] = -config["velocity"]
    next_w, after = sgd_momentum(w, dw, config)
    return next_w, {**after, "velocity": -after["velocity"]}


def under_a_name_of_its_own(w, dw, config=None):
    config = dict(config or {})
    mine = {k: v for k, v in config.items() if k != "velocity"}
    if "v" in config:
        mine["velocity"] = config["v"]
    next_w, after = sgd_momentum(w, dw, mine)
    return next_w, {**config, "v": after["velocity"]}


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
        (without_inertia, "momentum-taken-as-0"),
        (zero_is_missing, "zero-taken-for-missing@settings-of-0"),
        (stored_against_the_motion, "state-of-another-kind"),
        (without_default, "raised:TypeError@two-parameters"),
        (wide, "dtype-lost"),
    ],
)
def test_a_step_is_described_by_its_relation_to_the_right_step(implementation, code):
    assert codes(implementation) == [code]


def test_who_remembers_under_another_name_loses_nothing():
    assert codes(under_a_name_of_its_own, MOMENTUM) == []


def test_a_right_answer_in_float32_is_not_taken_for_another_mistake():
    assert codes(wide, MOMENTUM) == ["float32-lost"]


def test_who_shares_only_the_first_step_with_a_mistake_does_not_get_its_name():
    def uphill_at_first(w, dw, config=None):
        sign = 1 if "velocity" in (config or {}) else -1
        return sgd_momentum(w, sign * dw, config)

    assert codes(uphill_at_first, MOMENTUM) == ["step-ratio:-1"]
