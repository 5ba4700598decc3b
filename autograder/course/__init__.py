"""SECRET: hidden cases, misconceptions and solutions' declarations, a module per assignment.

Each module ``aN_name`` defines ``EXERCISES: tuple[Exercise, ...]``. Nothing here ever reaches
the student edition.
"""

from __future__ import annotations

import importlib
import pkgutil
from functools import cache

from autograder.exercise import Exercise


@cache
def assignments() -> tuple[str, ...]:
    """Names of the assignments that are built, in order: ``("a2_backprop", …)``."""
    return tuple(sorted(m.name for m in pkgutil.iter_modules(__path__) if m.name[0] == "a"))


@cache
def exercises(assignment: str) -> tuple[Exercise, ...]:
    """The exercises of one assignment, in the notebook's order.

    Raises:
        KeyError: for a name that is not among `assignments`.
    """
    if assignment not in assignments():
        raise KeyError(assignment)
    return importlib.import_module(f"{__name__}.{assignment}").EXERCISES
