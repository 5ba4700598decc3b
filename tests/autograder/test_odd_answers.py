"""Whatever a student's function returns, grading it ends in a result, never in an error."""

import dataclasses

import numpy as np
import pytest

from autograder import course, grading
from autograder.grading import brief, grade, namespace_with
from autograder.idle import IDLE
from autograder.student import LocalStudent
from autograder.values import arrays_in

EVERY = [
    pytest.param(exercise, id=f"{assignment}-{exercise.name}")
    for assignment in course.assignments()
    for exercise in course.exercises(assignment)
]


HOLLOW = ("sgd", "grid_search", "color_jitter", "dropout_backward", "train_step", "ReLU")
"""Exercises of which parts once held for empty hands."""


def shaped_like(args, fill, dtype=float):
    """An array of the first array's shape, or (fan_in, fan_out)."""
    arrays = [a for a in args if isinstance(a, np.ndarray)]
    if arrays:
        return np.full(arrays[0].shape, fill, dtype)
    sizes = [a for a in args if isinstance(a, int) and not isinstance(a, bool)]
    return np.full(tuple(sizes[:2]), fill, dtype)


def raises(*args, **settings):
    raise ZeroDivisionError("on purpose")


ODD = {
    "nothing": lambda *a, **s: None,
    "a word": lambda *a, **s: "gradient",
    "a number": lambda *a, **s: 3,
    "not a number": lambda *a, **s: shaped_like(a, np.nan),
    "infinite": lambda *a, **s: shaped_like(a, np.inf),
    "huge": lambda *a, **s: shaped_like(a, 1e300),
    "zeros": lambda *a, **s: shaped_like(a, 0.0),
    "integers": lambda *a, **s: shaped_like(a, 2, int),
    "booleans": lambda *a, **s: shaped_like(a, True, bool),
    "objects": lambda *a, **s: np.array([{}, "x"], dtype=object),
    "complex": lambda *a, **s: shaped_like(a, 1j, complex),
    "empty": lambda *a, **s: np.zeros((0, 3)),
    "a row": lambda *a, **s: np.arange(3.0),
    "a pair": lambda *a, **s: (shaped_like(a, np.nan), None),
    "three": lambda *a, **s: (shaped_like(a, 1.0), np.nan, {}),
    "a dict": lambda *a, **s: {"W": np.zeros(2), 3: "x"},
    "a list": lambda *a, **s: [shaped_like(a, np.nan), "x", None],
    "an error": raises,
    "random": lambda *a, **s: np.random.default_rng().normal(size=shaped_like(a, 0.0).shape),
}


@pytest.mark.parametrize("exercise", EVERY)
def test_odd_answers_are_graded(exercise):
    cheap = dataclasses.replace(exercise, misconceptions=exercise.misconceptions[:2])
    task = brief(cheap, np.random.default_rng(5))
    for words, function in ODD.items():
        result = grade(task, LocalStudent(namespace_with(cheap, function)))
        assert result.score < result.max_score, words
        assert result.diagnoses, words


def named(*names):
    return [p for p in EVERY if str(p.id).partition("-")[2] in names]


@pytest.mark.parametrize("exercise", named(*HOLLOW))
def test_doing_nothing_earns_nothing(exercise):
    task = brief(exercise, np.random.default_rng(5))
    for function in IDLE:
        assert grade(task, LocalStudent(namespace_with(exercise, function))).score == 0


@pytest.mark.nightly
@pytest.mark.parametrize("exercise", EVERY)
def test_doing_nothing_earns_nothing_anywhere(exercise):
    test_doing_nothing_earns_nothing(exercise)


@pytest.mark.parametrize("exercise", named("sgd"))
def test_a_known_mistake_still_costs_only_its_part(exercise):
    (wrong,) = (m.wrong for m in exercise.misconceptions if m.code == "config-not-returned")
    task = brief(exercise, np.random.default_rng(5))
    assert grade(task, LocalStudent(namespace_with(exercise, wrong))).score == task.points / 2


@pytest.mark.parametrize("exercise", named("random_flip"))
def test_a_mistake_that_cannot_be_named_keeps_its_points(exercise, monkeypatch):
    def in_double_precision(*args, **settings):
        return exercise.reference["random_flip"](*args, **settings).astype(np.float64)

    task = brief(exercise, np.random.default_rng(5))
    student = LocalStudent(namespace_with(exercise, in_double_precision))
    plain = grade(task, student)
    assert plain.score > 0
    monkeypatch.setattr(grading, "diagnose", lambda evidence: 1 / 0)
    assert grade(task, student).score > 0
    assert grade(task, student).diagnoses[0].code == "not-named"


@pytest.mark.parametrize("exercise", EVERY)
def test_the_public_answers_are_not_those_of_the_hidden_inputs(exercise):
    """Or whoever looks the inputs up in the public examples would earn all points."""

    def ordinary(seed, public):
        cases = exercise.cases(np.random.default_rng(seed))
        return [c for c in cases if not c.check and (c.public or not public)]

    known = ordinary(0, public=True)
    fresh = [c for c in ordinary(99, public=False) if not any(_same_inputs(c, k) for k in known)]
    assert fresh


def _same_inputs(one, other):
    mine, theirs = (list(arrays_in([dict(c.args), dict(c.extra)])) for c in (one, other))
    plain = [
        repr({k: v for k, v in c.args.items() if not list(arrays_in(v))}) for c in (one, other)
    ]
    return (
        plain[0] == plain[1]
        and len(mine) == len(theirs)
        and all(
            p == q and np.array_equal(a, b) for (p, a), (q, b) in zip(mine, theirs, strict=True)
        )
    )
