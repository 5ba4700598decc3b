"""SECRET: hidden cases, misconceptions and solutions' declarations, a module per assignment.

Each module ``aN_name`` defines ``EXERCISES: tuple[Exercise, ...]``. Nothing here ever reaches
the student edition.
"""

from __future__ import annotations

import dataclasses
import importlib
import pkgutil
import re
from functools import cache
from typing import Any

from autograder.course import curriculum
from autograder.exercise import Exercise


@cache
def assignments() -> tuple[str, ...]:
    """Names of the assignments that are built, in order: ``("a2_backprop", …)``."""
    return tuple(
        sorted(m.name for m in pkgutil.iter_modules(__path__) if re.match(r"a\d+_", m.name))
    )


@cache
def exercises(assignment: str) -> tuple[Exercise, ...]:
    """The exercises of one assignment that are built, in the order of the curriculum.

    Raises:
        KeyError: for a name that is not among `assignments`.
    """
    if assignment not in assignments():
        raise KeyError(assignment)
    declared = {e.name: e for e in importlib.import_module(f"{__name__}.{assignment}").EXERCISES}
    return tuple(
        dataclasses.replace(
            declared[plan.name], assignment=assignment, points=plan.points, core=plan.core
        )
        for plan in curriculum.planned(assignment)
        if plan.name in declared
    )


@cache
def with_private_cases(assignment: str, source: str) -> tuple[Exercise, ...]:
    """The exercises with a teacher's own cases behind the course's.

    Args:
        source: a module that defines ``CASES``, exercise name → ``cases(rng) -> list[Case]``, as
            the declarations here do; "" for none.

    Raises:
        ValueError: where it names what is no exercise of the assignment.
    """
    if not source:
        return exercises(assignment)
    module: dict[str, Any] = {"__name__": f"private_{assignment}"}
    exec(compile(source, f"<private cases of {assignment}>", "exec"), module)
    added = module.get("CASES", {})
    known = exercises(assignment)
    unknown = [name for name in added if name not in {e.name for e in known}]
    if unknown:
        raise ValueError(f"CASES names {unknown[0]!r}, which is no exercise of {assignment}")

    def joined(exercise: Exercise) -> Exercise:
        if exercise.name not in added:
            return exercise
        own, more = exercise.cases, added[exercise.name]
        return dataclasses.replace(exercise, cases=lambda rng: [*own(rng), *more(rng)])

    return tuple(joined(exercise) for exercise in known)
