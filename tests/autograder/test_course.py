"""Every exercise: the reference passes, the stub earns nothing, each mistake is named."""

import pytest

from autograder import course, validate

EVERY = [
    pytest.param(exercise, id=f"{assignment}-{exercise.name}")
    for assignment in course.assignments()
    for exercise in course.exercises(assignment)
]


@pytest.mark.parametrize("exercise", EVERY)
def test_reference_passes_stub_fails_and_each_mistake_is_named(exercise):
    assert validate.prove(exercise).problems == []
