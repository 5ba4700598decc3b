"""What an exercise is: reference, points, kind, cases, misconceptions, correct variants.

An exercise is declared once, in ``autograder/course/``; hidden checks, public examples,
diagnosis and proof all come from that one declaration.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from autograder.values import Value

if TYPE_CHECKING:
    from autograder.battery.kind import Kind


@dataclass(frozen=True)
class Case:
    """One input on which a function is tried.

    label:  the case in a student's words, completing "for …": ``"x of shape (3, 4)"``.
    args:   the arguments by parameter name, in the order of the signature.
    check:  which line of the report a wrong value counts for; "" is the main line of each
            output ("values", "dx" …), others are "float32", "large inputs", "N = 1",
            "more than two dimensions", "kinks" …
    tags:   facts that the diagnosis may use ("square", "default parameters", …).
    extra:  what the kind needs beside the arguments (an upstream gradient ``dout``,
            the gradients of four steps, …).
    public: whether it may appear in the notebook's own examples.
    """

    label: str
    args: Mapping[str, Value]
    check: str = ""
    tags: frozenset[str] = frozenset()
    extra: Mapping[str, Value] = field(default_factory=dict)
    public: bool = True


@dataclass(frozen=True)
class Misconception:
    """A named wrong implementation and what a good tutor would say to who wrote it.

    code:      its name in results, ``"bias-gradient-is-a-mean"``; unique within the exercise.
    wrong:     the wrong implementation, a function or class under the exercise's name; or a
               dict of several names where the mistake needs more than one (a forward that
               keeps its cache in a global).
    sentence:  what is wrong, why it matters, where to look; never the solution's code.
    aspect:    the line of the report on which it shows ("db", "values", "conduct", …).
    severity:  the part of the points it costs when it is the only mistake, 0 < s ≤ 1;
               ``None``: what the failed checks cost.
    equivalent: codes of misconceptions that no test can tell from this one.
    """

    code: str
    wrong: Any
    sentence: str
    aspect: str = ""
    severity: float | None = None
    equivalent: tuple[str, ...] = ()


@dataclass(frozen=True)
class Exercise:
    """One graded function or class.

    reference:  name → thing, all that the kind's script calls by name: the graded function
                itself and its companions (``affine_forward`` for ``affine_backward``).
    cases:      ``cases(rng) -> list[Case]``; drawn per student from the course secret, and once
                from a public seed for the notebook's examples.
    variants:   correct implementations, as odd as students are; each must earn full marks.
    assignment, points, core: filled in from the plan of the course (``course.curriculum``).
    """

    name: str
    kind: Kind
    reference: Mapping[str, Any]
    cases: Callable[[np.random.Generator], Sequence[Case]]
    misconceptions: tuple[Misconception, ...] = ()
    variants: tuple[Any, ...] = ()
    assignment: str = ""
    points: float = 1.0
    core: bool = True


@dataclass(frozen=True)
class Check:
    """One line of a report."""

    name: str
    passed: bool
    message: str = ""


@dataclass(frozen=True)
class Diagnosis:
    """The name of a mistake. ``exact``: the answers equal those of a known misconception."""

    code: str
    message: str
    function: str
    aspect: str = ""
    exact: bool = False
    severity: float | None = None


@dataclass(frozen=True)
class ExerciseResult:
    """One student, one exercise.

    status: "passed", "partial", "failed", "missing" (not defined), "not attempted" (the stub),
            "error" (raised on every ordinary input), "timeout".
    picture: data for the notebook's drawing of the error: {"aspect", "case", "error"} or None.
    """

    name: str
    score: float
    max_score: float
    status: str
    checks: tuple[Check, ...] = ()
    diagnoses: tuple[Diagnosis, ...] = ()
    picture: Mapping[str, Any] | None = None

    def to_json(self) -> dict[str, Any]:
        """The object that stands under ``exercises`` in ``results.jsonl``."""
        return {
            "name": self.name,
            "score": round(self.score, 4),
            "max_score": self.max_score,
            "status": self.status,
            "checks": [
                {"name": c.name, "passed": c.passed, "message": c.message} for c in self.checks
            ],
            "diagnoses": [
                {"code": d.code, "message": d.message, "function": d.function}
                for d in self.diagnoses
            ],
        }
