"""Loss curves: series of numbers, and what they are called."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from autograder.battery.classes import recogniser, script
from autograder.battery.fixtures import fixture
from autograder.battery.functions import Function as FunctionKind
from autograder.battery.kind import Observed, Trial, arguments
from autograder.battery.series import as_series
from autograder.exercise import Case
from autograder.student import Student
from autograder.values import Function, Value


@dataclass(frozen=True)
class Series(FunctionKind):
    """A function whose result is a series of numbers, as an array or as a list."""

    def script(self, name: str, student: Student, case: Case) -> Observed:
        seen = super().script(name, student, case)
        for key, value in seen.values.items():
            if isinstance(value, (list, tuple)):
                seen.values[key] = as_series(value)
        return seen


@fixture
def loss_curves(rates: Sequence[float], curves: Sequence[Sequence[float]]) -> Function:
    """``loss_curve(rate)``: the losses that belong to the nearest of the rates."""

    def loss_curve(rate: Value) -> Value:
        nearest = int(np.argmin(np.abs(np.log(np.array(rates) / float(rate)))))
        return [float(loss) for loss in curves[nearest]]

    return Function(loss_curve, "loss_curve")


@script
def named_curves(name: str, student: Student, case: Case) -> Observed:
    """``diagnose_curves``: every curve of a family must get the family's name."""
    seen = Observed()
    given = arguments(case)
    for family, pairs in given["curves"].items():
        answers = []
        for train, val in pairs:
            handed = {"train_loss": train, "val_loss": val}
            reply = student.call(name, train, val, names=tuple(handed), after=tuple(handed))
            seen.keeps(seen.note(reply), handed, tuple(handed))
            answers.append(reply.value)
        wrong = [a for a in answers if not isinstance(a, str) or a != family]
        no_name = [answer for answer in wrong if not isinstance(answer, str)]
        aspect = f"curves that are {family}"
        if no_name:
            seen.values[aspect] = no_name[0]
            continue
        seen.values[aspect] = f"called {wrong[0]}" if wrong else f"called {family}"
        if wrong and np.isnan(pairs[answers.index(wrong[0])][0]).any():
            seen.values[aspect] += ", though the loss becomes nan"
    return seen


SIGNS = {
    "diverging": "does the loss climb, or cease to be a number?",
    "too slow": "how much of the first loss is gone at the end?",
    "overfitting": "how far apart are the two curves at the end, and which of them rises?",
    "underfitting": "how high does the curve come to rest?",
    "still improving": "how steep is the last stretch?",
    "decayed too early": "is there a steep fall that stops at once?",
    "bad initialization": "what does the first stretch look like?",
    "good": "how low do both curves come to rest?",
}


@recogniser("named_curves")
def _about_names(aspect: str, wrong: Sequence[tuple[Trial, Value]]) -> tuple[str, str, str] | None:
    """The name that a family of curves got, and what would have told it apart."""
    got, family = wrong[0][1], aspect.removeprefix("curves that are ")
    if not isinstance(got, str) or family not in SIGNS:
        return None
    code = f"{aspect}:{got.partition(',')[0]}".replace(" ", "-")
    return code, f"are {got}", SIGNS[family]
