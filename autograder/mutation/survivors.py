"""Mutation proof: the reference changed in one place at a time must fail the hidden checks.

A mutant that earns full marks is a hole in the battery, unless it computes the same; those are
listed with the reason in ``course/equivalent_mutants.toml``.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from autograder import course
from autograder.battery.compare import as_array, fault
from autograder.battery.kind import Brief
from autograder.bounds import MEMORY, Exceeded, bounded
from autograder.exercise import Exercise
from autograder.grading import brief, grade, namespace_with, observe
from autograder.mutation.mutants import Mutant, mutants
from autograder.student import LocalStudent
from autograder.values import Value

SECONDS = 5
"""A mutant that needs longer than this counts as caught."""

EQUIVALENT = Path(course.__file__).parent / "equivalent_mutants.toml"


@dataclass
class Toll:
    """What became of the mutants of one exercise.

    alive:    earned full marks and are not listed as equivalent.
    one_case: of those that were caught, how many a check on a single case would have passed.
    """

    tried: int = 0
    equivalent: int = 0
    one_case: int = 0
    alive: list[Mutant] = field(default_factory=list)


def survivors(exercise: Exercise, seed: int = 11) -> Toll:
    """Run every mutant of the reference through the hidden checks."""
    task = brief(exercise, np.random.default_rng(seed))
    toll = Toll()
    for mutant in mutants(exercise.name, exercise.reference[exercise.name]):
        toll.tried += 1
        # Listed ones are tried too: the list must not hide a mutant that could be caught.
        if _caught(exercise, task, mutant):
            toll.one_case += passes_one_case(exercise, task, mutant.make)
        elif is_equivalent(mutant):
            toll.equivalent += 1
        else:
            toll.alive.append(mutant)
    return toll


def passes_one_case(exercise: Exercise, task: Brief, make: Callable[[], Any]) -> bool:
    """Whether the check that most courses have would be content: one seeded case, of which all
    numbers agree to a relative error of 1e-5 (as CS231n's notebooks print it, broadcasting)."""
    trial = task.trials[0]
    try:
        with bounded(SECONDS, MEMORY):
            seen = observe(exercise, make(), [trial.case])[0]
            return all(
                _looks_right(expected, seen.values.get(aspect))
                for aspect, expected in trial.expected.values.items()
            )
    except (Exception, Exceeded):
        return False


def _looks_right(expected: Value, got: Value) -> bool:
    e, g = as_array(expected), as_array(got)
    if e is None or g is None or e.dtype.kind not in "fiu":
        return fault(expected, got) is None
    with np.errstate(all="ignore"):
        error = np.abs(e - g) / np.maximum(1e-8, np.abs(e) + np.abs(g))
    return bool(np.max(error, initial=0.0) < 1e-5)


@cache
def _patterns() -> tuple[tuple[frozenset[str], re.Pattern[str]], ...]:
    data = tomllib.loads(EQUIVALENT.read_text(encoding="utf-8")) if EQUIVALENT.exists() else {}
    rows = data.get("pattern", [])
    return tuple((frozenset(row["exercises"]), re.compile(row["match"])) for row in rows)


def is_equivalent(mutant: Mutant) -> bool:
    """Whether the list says, with its reason, that the mutant computes the same."""
    return any(
        ("*" in names or mutant.exercise in names) and pattern.search(mutant.key)
        for names, pattern in _patterns()
    )


def _caught(exercise: Exercise, task: Brief, mutant: Mutant) -> bool:
    try:
        with bounded(SECONDS, 4 * MEMORY):
            student = LocalStudent(namespace_with(exercise, mutant.make()))
            result = grade(task, student, diagnosis=False)
    except Exceeded:
        return True
    return result.score < result.max_score
