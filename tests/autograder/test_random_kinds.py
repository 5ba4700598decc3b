"""Random layers and initialisers: honest draws pass, the grading repeats, a wrong forward pass
does not cost the backward's points."""

import numpy as np
import pytest

from autograder import course
from autograder.battery import chance
from autograder.grading import brief, grade, namespace_with
from autograder.student import LocalStudent


def graded(name, implementation, seed=3):
    for assignment in course.assignments():
        for exercise in course.exercises(assignment):
            if exercise.name == name:
                task = brief(exercise, np.random.default_rng(seed))
                return grade(task, LocalStudent(namespace_with(exercise, implementation)))
    raise AssertionError(name)


def test_statistics_of_honest_draws_are_standard_normal():
    rng = np.random.default_rng(0)
    sizes = [chance.chi_square(float((rng.normal(size=500) ** 2).sum()), 500) for _ in range(800)]
    assert abs(np.mean(sizes)) < 0.15
    assert 0.9 < np.std(sizes) < 1.1
    even = [np.bincount(rng.integers(25, size=300), minlength=25) for _ in range(300)]
    assert all(chance.evenly(counts) for counts in even)


@pytest.mark.parametrize(
    ("draw", "word"),
    [
        (lambda rng: rng.normal(3.0, 0.2, (120, 90)), "normal"),
        (lambda rng: rng.uniform(-7, 2, (120, 90)), "uniform"),
        (lambda rng: rng.laplace(size=(120, 90)), "another"),
        (lambda rng: rng.choice([-1.0, 1.0], (120, 90)), "two values"),
        (lambda rng: np.full((120, 90), 0.3), "constant"),
        (lambda rng: rng.random((120, 90)) - rng.random((120, 90)), "triangular"),
        (lambda rng: np.clip(rng.normal(size=(120, 90)), -2, 2), "heaped at both ends"),
        (lambda rng: rng.permutation(np.linspace(-1, 1, 10800)), "an even grid"),
        (lambda rng: np.rint(rng.uniform(-4, 4, (120, 90))), "whole numbers"),
    ],
)
def test_distributions_are_told_apart(draw, word):
    assert {chance.distribution(draw(np.random.default_rng(seed))) for seed in range(20)} == {word}


def test_shared_draws_are_told_from_independent_ones():
    rng = np.random.default_rng(1)
    coins = rng.random((80, 70)) < 0.7
    assert chance.dependence(coins) == "each entry for itself"
    assert chance.dependence(np.tile(coins[:1], (80, 1))) == chance.SHARED_BY_ROWS
    assert chance.dependence(np.tile(coins[:, :1], (1, 70))) == "the same for all columns"
    assert chance.dependence(np.repeat(coins[:40], 2, axis=0)) == "rows depend on each other"
    order = np.argsort(rng.random((80, 70)), axis=1)
    assert chance.dependence(order < 49) == "rows balance out"
    assert chance.dependence(coins & (rng.random((80, 1)) < 0.5)) == "rows are drawn as a whole"


def drop_probability(x, dropout_param):
    p, rng = dropout_param["p"], np.random.default_rng(dropout_param.get("seed"))
    if dropout_param["mode"] == "test":
        return x, None
    mask = (rng.random(x.shape) >= p) / max(1 - p, 1e-9)
    return (x * mask).astype(np.result_type(x, np.float32)), mask


def its_backward(dout, cache):
    return dout if cache is None else (dout * cache).astype(dout.dtype)


def test_dropout_backward_is_held_against_the_students_own_mask():
    pair = {"dropout_forward": drop_probability, "dropout_backward": its_backward}
    assert graded("dropout_forward", pair).status != "passed"
    assert graded("dropout_backward", pair).status == "passed"


def test_a_mask_rebuilt_from_the_output_is_found_by_inputs_that_are_zero():
    def forward(x, dropout_param):
        rng = np.random.default_rng(dropout_param.get("seed"))
        if dropout_param["mode"] == "test":
            return x, None
        out = x * (rng.random(x.shape) < dropout_param["p"]) / dropout_param["p"]
        return out, (out, dropout_param["p"])

    def backward(dout, cache):
        return dout if cache is None else dout * (cache[0] != 0) / np.float32(cache[1])

    result = graded("dropout_backward", {"dropout_forward": forward, "dropout_backward": backward})
    assert any("where x is 0" in check.message for check in result.checks)


@pytest.mark.parametrize("name", ["dropout_forward", "xavier_uniform", "random_crop"])
def test_the_same_student_is_graded_alike_again(name):
    first, again = (graded(name, {}).to_json() for _ in range(2))
    assert first == again
    assert first["status"] == "passed"
