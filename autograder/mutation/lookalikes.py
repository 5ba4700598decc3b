"""Suspects of last resort: a mistake that nobody foresaw may look like one of these.

First the reference asked another question, then mutants of the reference, then mutants of the
correct variants, which are written as students write, then two known mistakes at once.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterator, Mapping, Sequence
from itertools import combinations, islice
from typing import Any

from autograder.battery.kind import Observed, Suspect
from autograder.bounds import Exceeded, bounded
from autograder.exercise import Case, Exercise
from autograder.grading import observe
from autograder.mutation.mutants import Mutant, mutants
from autograder.mutation.questions import questions

MOST = 800
"""Mutants tried, in the order of the source; a number, not a time, so that results never depend
on the machine."""


class _Answers(Sequence[Observed]):
    """What a look-alike shows, trial by trial, found out only when it is asked for."""

    def __init__(self, exercise: Exercise, make: Any, cases: Sequence[Case]) -> None:
        self.exercise, self.make, self.cases = exercise, make, cases
        self._known: dict[int, Observed] = {}

    def __len__(self) -> int:
        return len(self.cases)

    def __getitem__(self, i: Any) -> Any:
        if i not in self._known:
            try:
                with bounded():
                    self._known[i] = observe(self.exercise, self.make(), [self.cases[i]])[0]
            except (Exception, Exceeded):  # what breaks the conversation is nobody's answer
                self._known[i] = Observed()
        return self._known[i]


def lookalikes(exercise: Exercise, cases: Sequence[Case]) -> Iterator[Suspect]:
    """Everything that an answer may be likened to.

    No mutants of code that loops until something holds, which may never end, and nothing for an
    exercise that takes long to try.
    """
    if getattr(exercise.kind, "heavy", False):
        return
    for question in questions(exercise, list(cases)):
        answers = _Answers(exercise, lambda q=question: q.wrong, cases)
        yield Suspect(question.code, question.words, "", None, answers)
    for others, mutant in _mutants_of(exercise):

        def make(others: Mapping[str, Any] = others, mutant: Mutant = mutant) -> Any:
            return {**others, exercise.name: mutant.make()}

        yield Suspect("like", mutant.words, "", None, _Answers(exercise, make, cases))
    yield from _two_mistakes(exercise, cases)


def _two_mistakes(exercise: Exercise, cases: Sequence[Case]) -> Iterator[Suspect]:
    """Two known mistakes in one implementation, where they say how they go together."""
    for one, other in combinations(exercise.misconceptions, 2):
        together = getattr(one.wrong, "together", None)
        both = together(other.wrong) if together else None
        if both is not None:
            words = f"as if two mistakes met. First: {one.sentence} Second: {other.sentence}"
            answers = _Answers(exercise, lambda both=both: {exercise.name: both}, cases)
            yield Suspect(f"{one.code}+{other.code}", words.rstrip("."), "", None, answers)


_made: dict[str, list[tuple[Mapping[str, Any], Mutant]]] = {}


def _mutants_of(exercise: Exercise) -> list[tuple[Mapping[str, Any], Mutant]]:
    """The mutants of an exercise, made once in a process."""
    if exercise.name not in _made:
        _made[exercise.name] = list(islice(_all_mutants(exercise), MOST))
    return _made[exercise.name]


def _all_mutants(exercise: Exercise) -> Iterator[tuple[Mapping[str, Any], Mutant]]:
    """(what else is defined, the mutant): a backward pass comes with its own forward pass."""
    for variant in (exercise.reference[exercise.name], *exercise.variants):
        others = dict(variant) if isinstance(variant, Mapping) else {}
        source = others.pop(exercise.name, variant)
        if not _has_source(source) or "while " in inspect.getsource(inspect.unwrap(source)):
            continue
        for mutant in mutants(exercise.name, source, proof=False):
            if mutant.words:
                yield others, mutant


def _has_source(thing: Any) -> bool:
    """Whether a variant is a function or class that can be made anew from its source alone."""
    if not isinstance(thing, type) and not (inspect.isfunction(thing) and not thing.__closure__):
        return hasattr(thing, "__wrapped__")
    return thing.__name__.isidentifier() and "<locals>" not in thing.__qualname__
