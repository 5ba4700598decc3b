"""Whose a result is: the caller's, who may keep it and write into it."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np

from autograder.battery.compare import same
from autograder.student import Reply, Student
from autograder.values import Handle, Seed, Value

PLAIN = (np.ndarray, int, float, str, tuple, list, dict, Seed, type(None))
"""Arguments that the student's side gets a copy of, nested ones too. Where a function of the
grader's is handed over, an array that comes back may be its answer."""

OVERWRITTEN = (
    "overwrites what it returned before when it is called again with another input "
    "(is one array used for all calls?)"
)
HANDED_OUT_AGAIN = (
    "gives another answer once its first one has been written into "
    "(is the same array handed out again?)"
)


def plain(given: Mapping[str, Value]) -> bool:
    """Whether all arguments are the student's own copies."""
    return all(isinstance(value, PLAIN) for value in given.values())


def lasts(
    student: Student, call: Callable[..., Reply], other: Callable[[], object], part: str = ""
) -> bool:
    """Whether (a part of) the result of a call stays what it was while another call is made."""
    mine = call(keep=True).value
    if not isinstance(mine, Handle):
        return True
    before = student.read(mine, part)
    other()
    return same(before, student.read(mine, part), 1e-12)


def fresh(student: Student, call: Callable[..., Reply]) -> bool:
    """Whether a call gives what it gave before, also when that has been written into."""
    mine = call(keep=True).value
    if not isinstance(mine, Handle):
        return True
    before = student.read(mine)
    if not isinstance(before, np.ndarray) or not before.size:
        return True
    student.call(mine, 7, method="fill")
    return same(before, call().value, 1e-6)


def elsewhere(given: Mapping[str, Value]) -> dict[str, Value]:
    """Other numbers in the same places."""
    return {key: 0.6 * value if _floating(value) else value for key, value in given.items()}


def _floating(value: Value) -> bool:
    return isinstance(value, float) or (isinstance(value, np.ndarray) and value.dtype.kind == "f")
