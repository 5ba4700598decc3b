"""Mutation proof: the reference changed in one place at a time must fail the hidden checks.

A mutant that earns full marks is a hole in the battery, unless it computes the same; those are
listed with the reason in ``course/equivalent_mutants.toml``.
"""

from __future__ import annotations

import re
import tomllib
from functools import cache
from pathlib import Path

import numpy as np

from autograder import course
from autograder.battery.kind import Brief
from autograder.exercise import Exercise
from autograder.grading import brief, grade, namespace_with
from autograder.mutation.bounds import MEMORY, Exceeded, bounded
from autograder.mutation.mutants import Mutant, mutants
from autograder.student import LocalStudent

SECONDS = 5
"""A mutant that needs longer than this counts as caught."""

EQUIVALENT = Path(course.__file__).parent / "equivalent_mutants.toml"


def survivors(exercise: Exercise, seed: int = 11) -> tuple[list[Mutant], int]:
    """Mutants with full marks that are not listed as equivalent, and how many were tried."""
    task = brief(exercise, np.random.default_rng(seed))
    alive, tried = [], 0
    for mutant in mutants(exercise.name, exercise.reference[exercise.name]):
        tried += 1
        # Listed ones are tried too: the list must not hide a mutant that could be caught.
        if not _caught(exercise, task, mutant) and not is_equivalent(mutant):
            alive.append(mutant)
    return alive, tried


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
