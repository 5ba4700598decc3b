"""Implementations that do nothing, and whose answers therefore earn nothing.

Checks are many and some of them hold for an empty hand as well: a batch that was never drawn holds
no row twice, images that are handed back lie within all bounds. And a known mistake costs only
its part of the points, which supposes that there is work for it to be a part of.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from autograder.battery.kind import SPEED, Kind, Observed
from autograder.exercise import Case, Exercise
from autograder.student import LocalStudent


def _first(args: tuple, kwargs: dict[str, Any]) -> np.ndarray:
    arrays = [a for a in (*args, *kwargs.values()) if isinstance(a, np.ndarray)]
    return np.array(arrays[0], dtype=np.float64) if arrays else np.zeros(())


class _Hollow:
    """Every method hands back its argument."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self.params: dict[str, Any] = {}

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return lambda *args, **kwargs: args[0] if args else 0.0


IDLE: tuple[Callable[..., Any], ...] = (
    lambda *args, **kwargs: None,
    lambda *args, **kwargs: args[0] if args else None,
    lambda *args, **kwargs: args[1] if len(args) > 1 else None,
    lambda *args, **kwargs: args[-1] if args else None,
    lambda *args, **kwargs: args,
    lambda *args, **kwargs: (_first(args, kwargs), args),
    lambda *args, **kwargs: (args[0] if args else None, args[-1] if args else None),
    lambda *args, **kwargs: np.zeros_like(_first(args, kwargs)),
    lambda *args, **kwargs: np.ones_like(_first(args, kwargs)),
    lambda *args, **kwargs: (np.zeros_like(_first(args, kwargs)), args),
    lambda *args, **kwargs: (0.0, np.zeros_like(_first(args, kwargs))),
    lambda *args, **kwargs: next((a for a in args if isinstance(a, dict)), None),
    lambda *args, **kwargs: 0.0,
    lambda *args, **kwargs: 1.0,
    lambda *args, **kwargs: True,
    lambda *args, **kwargs: [],
    lambda *args, **kwargs: {},
    _Hollow,
)
"""What costs nobody a thought: nothing, what was given, zeros, ones."""


def is_idle(exercise: Exercise, cases: Sequence[Case], got: Sequence[Observed]) -> bool:
    """Whether these answers are just those of an implementation that does nothing."""
    return any(_alike(exercise.kind, other, got) for other in _observed(exercise, cases, got))


def _observed(
    exercise: Exercise, cases: Sequence[Case], got: Sequence[Observed]
) -> Iterator[list[Observed]]:
    for idle in IDLE:
        student = LocalStudent({**exercise.reference, exercise.name: idle})
        seen: list[Observed] = []
        for case, mine in zip(cases, got, strict=False):
            student.reset(0)
            with np.errstate(all="ignore"):
                found = Observed()
                if case.check != SPEED:
                    try:
                        found = exercise.kind.script(exercise.name, student, case)
                    except Exception:  # an answer of no use may be of no use to the script either
                        break
            seen.append(found)
            if not _alike(exercise.kind, [found], [mine]):
                break
        yield seen


def _alike(kind: Kind, idle: Sequence[Observed], got: Sequence[Observed]) -> bool:
    return len(idle) == len(got) and all(
        mine.values.keys() == theirs.values.keys()
        and all(kind.same_answer(a, theirs.values[a], mine.values[a]) for a in mine.values)
        for theirs, mine in zip(idle, got, strict=True)
        if theirs.values or not theirs.waits
    )
