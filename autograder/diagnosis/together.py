"""Two mistakes at once, from the answers of each alone.

Mistakes in different terms of a sum add up their errors, mistakes in different factors multiply
them: where e is right and one mistake alone gives a, the other b, both give a + b − e or a·b/e.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np

from autograder.battery.compare import as_array
from autograder.battery.kind import Observed, Suspect, Trial
from autograder.diagnosis.relation import near
from autograder.values import Value

Combine = Callable[[np.ndarray, np.ndarray, np.ndarray], np.ndarray]
WAYS: tuple[Combine, ...] = (lambda e, a, b: a + b - e, lambda e, a, b: a * b / e)


def two_at_once(trials: Sequence[Trial], suspects: Sequence[Suspect]) -> Iterator[Suspect]:
    """All pairs of suspects that are wrong in the same place, each both ways; they answer for
    the outputs on which both mistakes show."""
    wrong = [_wrong_places(trials, suspect) for suspect in suspects]
    for (one, mine), (other, theirs) in combinations(zip(suspects, wrong, strict=True), 2):
        aspects = frozenset(aspect for aspect, _ in mine & theirs)
        if not aspects:
            continue
        words = f"as if two mistakes met. First: {one.sentence} Second: {other.sentence}"
        for way in WAYS:
            both = _Both(trials, one.observed, other.observed, way, aspects)
            yield Suspect(f"{one.code}+{other.code}", words.rstrip("."), "", None, both)


def _wrong_places(trials: Sequence[Trial], suspect: Suspect) -> set[tuple[str, int]]:
    found = set()
    for i, trial in enumerate(trials):
        for aspect, expected in trial.expected.values.items():
            e, a = _number(expected), _number(suspect.observed[i].values.get(aspect))
            if e is not None and a is not None and e.shape == a.shape and not near(a, e):
                found.add((aspect, i))
    return found


@dataclass(frozen=True)
class _Both(Sequence[Observed]):
    trials: Sequence[Trial]
    one: Sequence[Observed]
    other: Sequence[Observed]
    way: Combine
    aspects: frozenset[str]

    def __len__(self) -> int:
        return len(self.trials)

    def __getitem__(self, i: Any) -> Any:
        everything = self.trials[i].expected.values
        right = {aspect: e for aspect, e in everything.items() if aspect in self.aspects}
        return Observed({aspect: self._answer(aspect, e, i) for aspect, e in right.items()})

    def _answer(self, aspect: str, expected: Value, i: int) -> Value:
        answers = (expected, self.one[i].values.get(aspect), self.other[i].values.get(aspect))
        e, a, b = (_number(value) for value in answers)
        if e is None or a is None or b is None or not e.shape == a.shape == b.shape:
            return None
        with np.errstate(all="ignore"):
            return np.asarray(self.way(e, a, b))


def _number(value: Value) -> np.ndarray | None:
    array = as_array(value)
    return array if array is not None and array.dtype.kind == "f" and array.size else None
