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
