"""What is known of one student's answers to one exercise."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from autograder.battery.compare import Fault, as_array
from autograder.battery.kind import ELSEWHERE, Brief, Finding, Observed, Trial
from autograder.values import Value


def _size(trial: Trial) -> int:
    """The entries of all arguments that hold several."""
    return sum(
        _entries(v)
        for v in trial.case.args.values()
        if isinstance(v, (np.ndarray, list, tuple, dict))
    )


def _entries(value: Value) -> int:
    if isinstance(value, dict):
        return _entries(list(value.values()))
    if isinstance(value, (list, tuple)):
        return sum(map(_entries, value))
    return int(np.size(value)) if isinstance(value, np.ndarray) else 1


@dataclass(frozen=True)
class Row:
    """One aspect on one trial."""

    trial: Trial
    expected: Value
    got: Value
    fault: Fault | None

    @property
    def size(self) -> int:
        """How much a reader has to look at: the entries of all arrays, lists and dictionaries."""
        return _size(self.trial)


@dataclass(frozen=True)
class Evidence:
    """All trials of one exercise with expected and given answers.

    agreed: which suspects were found to answer as the student did, where that was asked.
    """

    task: Brief
    trials: Sequence[Trial]
    got: Sequence[Observed]
    findings: Sequence[Sequence[Finding]]
    carried: set[str] = field(default_factory=set)
    agreed: dict[tuple[str, int, int], tuple[Any, bool]] = field(default_factory=dict, repr=False)

    def failing_aspects(self) -> list[str]:
        """Aspects with a fault that is not forgiven, in the report's order."""
        failing = [f.aspect for row in self.findings for f in row if not f.passed]
        order = dict.fromkeys(a for trial in self.trials for a in trial.expected.values)
        order = [a for a in order if a in failing]
        return [a for a in order if a not in self.carried]

    def rows(self, aspect: str) -> list[Row]:
        """One aspect over all trials, ordinary cases first."""
        rows = [
            Row(trial, f.expected, f.got, f.fault)
            for trial, findings in zip(self.trials, self.findings, strict=True)
            for f in findings
            if f.aspect == aspect
        ]
        return sorted(rows, key=lambda row: bool(row.trial.case.check))

    def but(self, aspect: str, left: set[int]) -> Evidence:
        """The same evidence, of whose wrong answers to one aspect only some are left."""
        kept = [
            i
            for i, findings in enumerate(self.findings)
            if i in left or all(f.passed for f in findings if f.aspect == aspect)
        ]
        return Evidence(
            self.task,
            [self.trials[i] for i in kept],
            [self.got[i] for i in kept],
            [self.findings[i] for i in kept],
            self.carried,
        )

    def says_nothing(self, aspect: str) -> bool:
        """Whether the wrong answers only point to another aspect, which is wrong as well."""
        wrong = [row.got for row in self.rows(aspect) if row.fault]
        return all(isinstance(got, str) and got in ELSEWHERE for got in wrong)

    def size(self, i: int) -> int:
        """How large the i-th trial is."""
        return _size(self.trials[i])

    def picture(self) -> dict[str, Any] | None:
        """The error of the first wrong array with two axes or fewer, for a drawing."""
        for aspect in self.failing_aspects():
            for row in self.rows(aspect):
                e, g = as_array(row.expected), as_array(row.got)
                if not row.fault or row.fault.kind != "value" or e is None or g is None:
                    continue
                if not 1 <= e.ndim <= 2 or e.size > 400 or e.dtype.kind != "f":
                    continue
                error = (g.astype(float) - e.astype(float)).reshape(-1, e.shape[-1])
                return {"aspect": aspect, "case": row.trial.case.label, "error": error.tolist()}
        return None
