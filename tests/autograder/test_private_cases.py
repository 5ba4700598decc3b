"""A teacher who opens the repository still has cases that nobody has read."""

import numpy as np
import pytest

from autograder.course import exercises, with_private_cases
from autograder.grading import brief, grade, namespace_with
from autograder.student import LocalStudent

SOURCE = """
import numpy as np
from autograder.exercise import Case

def only_here(rng):
    return [Case("a number that only the teacher knows", {"x": np.full((2, 2), 1234.5)}, "private")]

CASES = {"relu_forward": only_here}
"""


def relu_but_for_one_number(x):
    return np.where(x == 1234.5, 0, np.maximum(0, x)), x


def score(found):
    task = brief(found, np.random.default_rng(3))
    student = LocalStudent(namespace_with(found, relu_but_for_one_number))
    return grade(task, student).score / found.points


def named(found):
    return next(e for e in found if e.name == "relu_forward")


def test_a_private_case_catches_what_the_course_does_not():
    assert score(named(exercises("a2_backprop"))) == 1
    assert score(named(with_private_cases("a2_backprop", SOURCE))) < 1


def test_a_name_that_is_no_exercise_is_one_sentence():
    with pytest.raises(ValueError, match="'relu', which is no exercise"):
        with_private_cases("a2_backprop", "CASES = {'relu': None}")
